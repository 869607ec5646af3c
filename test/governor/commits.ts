/** Commits as the Governor and the dispatcher send them, with everything that a test does not care about filled in. */
import { Clock, Context, Effect, type Option } from "effect"
import { digest } from "../../layers/node/Digest.ts"
import { Policy, Rule, Ticket } from "../../src/approval/index.ts"
import { Chain, type Digest, Digest as DigestModule, Installation, Log, type Row } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { type Checkpoint, Store } from "../../src/governor/index.ts"

export { digest }
export const hashOf = (text: string): Digest.Hash => digest.sha256(text)
export const payloadOf = (text: string): Store.Payload => ({ hash: hashOf(text), text })
export const sessionId = (text: string): Claims.SessionId => Claims.SessionId.make(text)
export const tokenId = (text: string): Claims.TokenId => Claims.TokenId.make(text)

let names = 0
/** A name that no other test of this process uses. */
export const fresh = (what: string): string => `${what}_${++names}`

/** The control block of a session before its genesis. Its own account, of the same name, comes first. */
export const summary = (id: Claims.SessionId, accounts: ReadonlyArray<string> = [`session:${id}`]): Log.Summary => ({
  id,
  actor: "Tester",
  parent: null,
  caller: "ada",
  accounts,
  status: "running",
  epoch: 0,
  seq: 0,
  head: DigestModule.zero,
  token: `token of ${id}`,
  input: hashOf("input"),
  result: null,
  startedAt: 1
})

export const genesis = (id: Claims.SessionId): Row.Draft => ({
  key: null,
  body: {
    kind: "genesis",
    actor: "Tester",
    token: tokenId(`tok_${id}`),
    parent: null,
    caller: "ada",
    mode: "enforced",
    input: hashOf("input"),
    definition: hashOf("definition")
  }
})

export const open = (
  id: Claims.SessionId,
  accounts: ReadonlyArray<{ readonly id: string; readonly ceiling: number }> = [{ id: `session:${id}`, ceiling: 1000 }]
): Store.Open => ({
  _tag: "Open",
  session: summary(id, accounts.map((account) => account.id)),
  genesis: genesis(id),
  accounts,
  payloads: [payloadOf("input")]
})

export const claim = (id: Claims.SessionId): Store.Claim => ({ _tag: "Claim", session: id })

export const intent = (key: string, reserve: number): Row.Draft => ({
  key,
  body: {
    kind: "intent",
    act: "act",
    capabilities: [],
    token: tokenId("tok"),
    schema: hashOf("schema"),
    args: hashOf(`args of ${key}`),
    argsPreview: "",
    reservedMicroUsd: reserve,
    ticket: null
  }
})

export const begin = (session: Log.Summary, key: string, parts: Partial<Store.Begin> = {}): Store.Begin => ({
  _tag: "Begin",
  session: session.id,
  epoch: session.epoch,
  key,
  intent: intent(key, parts.reserve ?? 0),
  tokens: [tokenId(`tok_${session.id}`)],
  accounts: session.accounts,
  reserve: 0,
  ticket: null,
  repeat: "always",
  after: null,
  payloads: [payloadOf(`args of ${key}`)],
  lenient: false,
  ...parts
})

export const outcome = (
  key: string,
  status: (typeof Row.Outcome.Type)["status"] = "succeeded",
  cost = 0
): Row.Draft => ({
  key,
  body: {
    kind: "outcome",
    act: "act",
    intent: 0,
    status,
    result: status === "succeeded" ? hashOf(`result of ${key}`) : null,
    resultPreview: "",
    trust: "trusted",
    costMicroUsd: cost,
    computeMs: 0
  }
})

export const finish = (
  session: Log.Summary,
  key: string,
  spent = 0,
  status: (typeof Row.Outcome.Type)["status"] = "succeeded"
): Store.Finish => ({
  _tag: "Finish",
  session: session.id,
  epoch: session.epoch,
  key,
  outcome: outcome(key, status, spent),
  spent,
  payloads: status === "succeeded" ? [payloadOf(`result of ${key}`)] : []
})

/** An operator's word that the act was done, and cost all that is held for it. */
export const settle = (session: Log.Summary, key: string, parts: Partial<Store.Settle> = {}): Store.Settle => ({
  _tag: "Settle",
  session: session.id,
  epoch: null,
  key,
  intent: 0,
  decision: { choice: "done", from: "operator", by: "grace", reason: "it stands in their log", result: null },
  spent: null,
  payloads: [],
  ...parts
})

export const note = (detail: string): Row.Draft => ({
  key: null,
  body: { kind: "noted", what: "mode", by: "tester", detail }
})

export const append = (session: Log.Summary, parts: Partial<Store.Append> = {}): Store.Append => ({
  _tag: "Append",
  session: session.id,
  epoch: session.epoch,
  row: note("appended"),
  payloads: [],
  status: null,
  result: null,
  ...parts
})

/** A change of a record from `version`. */
export const kept = (
  kind: Store.RecordKind,
  id: string,
  version: number,
  next: Partial<Store.Change["next"]> = {}
): Store.Change => ({ kind, id, version, next: { owner: "", state: "open", at: 1, value: null, ...next } })

export const blob = (text: string): Checkpoint.Blob => ({ type: "json", text: JSON.stringify(text) })

/** A checkpoint with one channel `c`, whose value is new when its version is not the parent's. */
export const saved = (id: string, parent: string | null, parts: Partial<Checkpoint.Saved> = {}): Checkpoint.Saved => ({
  _tag: "Saved",
  thread: "main",
  ns: "",
  id,
  parent,
  within: null,
  needs: 0,
  state: blob(`state of ${id}`),
  metadata: blob(`metadata of ${id}`),
  versions: { c: id },
  values: { c: blob(`value of ${id}`) },
  ...parts
})

export const written = (id: string, task: string, parts: Partial<Checkpoint.Written> = {}): Checkpoint.Written => ({
  _tag: "Written",
  thread: "main",
  ns: "",
  id,
  task,
  path: `path of ${task}`,
  writes: [{ index: 0, channel: "c", value: blob(`${task} wrote to ${id}`) }],
  ...parts
})

export const checkpoint = (
  session: Log.Summary,
  changes: ReadonlyArray<Checkpoint.Change>,
  keep: number | null = null
): Store.Checkpoint => ({ _tag: "Checkpoint", session: session.id, epoch: session.epoch, changes, keep })

export const ticket = (session: Log.Summary, id: string, parts: Partial<Ticket.Ticket> = {}): Ticket.Ticket => {
  const drafted = {
    session: session.id,
    act: "act",
    args: hashOf("args"),
    bound: {
      actor: "Tester",
      schema: hashOf(`schema of ${id}`),
      token: hashOf(session.token),
      policy: hashOf("policy")
    },
    shown: {
      act: "act",
      description: "",
      args: "{}",
      caller: session.caller,
      reasons: "",
      evidence: [],
      estimateMicroUsd: 0
    }
  }
  return {
    ...drafted,
    id: Ticket.TicketId.make(id),
    key: null,
    binding: Ticket.bindingOf(digest, { ...drafted, ...parts }),
    requester: "ada",
    state: "proposed",
    votes: [],
    proposedAt: 1,
    expiresAt: Number.MAX_SAFE_INTEGER,
    decidedAt: null,
    ...parts
  }
}

export const propose = (
  session: Log.Summary,
  filed: Ticket.Ticket,
  maxPending = 20,
  maxPendingTree?: number
): Store.Propose => ({
  _tag: "Propose",
  session: session.id,
  epoch: session.epoch,
  ticket: filed,
  row: {
    key: null,
    body: {
      kind: "proposed",
      act: filed.act,
      ticket: filed.id,
      binding: filed.binding,
      shown: hashOf("shown"),
      args: filed.args
    }
  },
  payloads: [payloadOf("shown")],
  maxPending,
  maxPendingTree
})

/** The decision of one person. */
export const decide = (
  filed: Ticket.Ticket,
  approve: boolean,
  by = "grace",
  parts: Partial<Store.Decide> & { readonly reason?: string } = {}
): Store.Decide => {
  const { reason = "", ...rest } = parts
  return {
    _tag: "Decide",
    session: filed.session,
    ticket: filed.id,
    binding: filed.binding,
    policy: Policy.standard,
    vote: { by, approve, reason },
    ...rest
  }
}

export const expire = (filed: Ticket.Ticket): Store.Expire => ({
  _tag: "Expire",
  session: filed.session,
  ticket: filed.id,
  by: "aosiq"
})

export const ruleId = (text: string): Rule.RuleId => Rule.RuleId.make(text)

/** A rule for `act`, by grace, that stands for a day. */
export const makeRule = (
  id: string,
  parts: Partial<Rule.Terms> = {},
  more: Partial<Store.MakeRule> = {}
): Store.MakeRule => ({
  _tag: "MakeRule",
  rule: ruleId(id),
  terms: {
    actor: "*",
    act: "act",
    capabilities: ["tool:act"],
    where: [],
    definition: null,
    maxUses: 3,
    expiresAt: 86_400_000,
    ...parts
  },
  policy: Policy.standard,
  vote: { by: "grace", approve: true, reason: "" },
  ...more
})

export const approveRule = (rule: Rule.Rule, by: string, policy = Policy.standard): Store.ApproveRule => ({
  _tag: "ApproveRule",
  rule: rule.id,
  binding: rule.binding,
  policy,
  vote: { by, approve: true, reason: "" }
})

export const revokeRule = (id: string, by = "grace"): Store.RevokeRule => ({
  _tag: "RevokeRule",
  rule: ruleId(id),
  by,
  reason: ""
})

/** A rule that nobody made. */
export const noRule = (id: string): Rule.Rule => {
  const { policy, terms, vote } = makeRule(id)
  return Rule.make(digest, policy, { id: ruleId(id), terms, vote: { ...vote, at: 0 } })
}

/** Begins the chain of the installation, unless somebody has. */
export const installed = Effect.gen(function*() {
  const store = yield* Store.Store
  const opening = open(Installation.id, [])
  const standing: Store.Open = { ...opening, session: { ...opening.session, status: "standing" } }
  yield* Effect.ignore(store.commit(standing))
})

/** Makes a rule, and gives it as it stands; its time counts from now. */
export const ruled = Effect.fnUntraced(function*(
  parts: Partial<Rule.Terms> = {},
  more: Partial<Store.MakeRule> = {}
) {
  const store = yield* Store.Store
  yield* installed
  const expiresAt = (yield* Clock.currentTimeMillis) + 86_400_000
  const { rule } = yield* store.commit(makeRule(fresh("R"), { expiresAt, ...parts }, more))
  return rule ?? (yield* Effect.die(new Error("no rule was made")))
})

/** What an act carries that runs by a rule. */
export const byRule = ({ binding, id }: Rule.Rule): Partial<Store.Begin> => ({ rule: { id, binding } })

export const revoke = (session: Log.Summary, token: Claims.TokenId): Store.Revoke => ({
  _tag: "Revoke",
  token,
  session: session.id,
  row: { key: null, body: { kind: "noted", what: "revoked", by: "tester", detail: token } }
})

export const control = (session: Claims.SessionId, action: Store.Control["action"]): Store.Control => ({
  _tag: "Control",
  session,
  action,
  by: "tester",
  reason: "a test"
})

/** Opens a session and claims it for its first run. */
export const opened = Effect.fnUntraced(function*(
  accounts?: ReadonlyArray<{ readonly id: string; readonly ceiling: number }>,
  name = fresh("ses"),
  parent: Claims.SessionId | null = null
) {
  const store = yield* Store.Store
  const id = sessionId(name)
  const opening = open(id, accounts)
  yield* store.commit({ ...opening, session: { ...opening.session, parent } })
  return (yield* store.commit(claim(id))).session
})

/** Files a ticket and approves it. */
export const approved = Effect.fnUntraced(function*(
  session: Log.Summary,
  parts: Partial<Ticket.Ticket> = {}
) {
  const store = yield* Store.Store
  const filed = ticket(session, fresh("T"), parts)
  yield* store.commit(propose(session, filed))
  const { ticket: after } = yield* store.commit(decide(filed, true))
  return after ?? (yield* Effect.die(new Error("no ticket was decided")))
})

/** What a refused commit must not have changed. */
export interface Trace {
  readonly session: Option.Option<Log.Summary>
  readonly rows: ReadonlyArray<Row.Row>
  readonly tickets: ReadonlyArray<Ticket.Ticket>
  readonly accounts: ReadonlyArray<Store.AccountView>
}

export const trace = Effect.fnUntraced(function*(session: Claims.SessionId) {
  const store = yield* Store.Store
  const log = yield* Log.Log
  const left: Trace = {
    session: yield* log.session(session),
    rows: yield* log.rows(session),
    tickets: yield* store.tickets(session),
    accounts: yield* store.accounts
  }
  return left
})

/** What is wrong with a chain, row by row; nothing when it is whole. */
export const faults = (rows: ReadonlyArray<Row.Row>, session?: Log.Summary): ReadonlyArray<string> => {
  const found: Array<string> = []
  let head = Chain.empty
  for (const row of rows) {
    const { hash, prev, ...content } = row
    if (row.seq !== head.seq) found.push(`row ${row.seq} stands where ${head.seq} should`)
    if (prev !== head.hash) found.push(`row ${row.seq} is not linked to the one before`)
    if (hash !== Chain.hash(digest, prev, content)) found.push(`row ${row.seq} was changed`)
    head = Chain.after(row)
  }
  if (session !== undefined && (session.seq !== head.seq || session.head !== head.hash)) {
    found.push(`the session says that its chain ends at ${session.seq}, not at ${head.seq}`)
  }
  return found
}

/** Both sides of the log as one value, for tests that hold two of them. */
export interface Side {
  readonly store: Store.Store["Service"]
  readonly log: Log.Log["Service"]
}
export const side: Effect.Effect<Side, never, Store.Store | Log.Log> = Effect.map(
  Effect.context<Store.Store | Log.Log>(),
  (context) => ({ store: Context.get(context, Store.Store), log: Context.get(context, Log.Log) })
)
