/**
 * What a commit means: the one place where durable state changes, as a function over a workspace. A store loads the
 * workspace that `reads` asks for, applies, and saves what is `dirty`, all in one transaction.
 *
 * Every check comes before the first change, so a rejected commit leaves its workspace untouched and the next commit of
 * the same group can go on with it.
 */
import { Array as Arr, Result } from "effect"
import { type Rule, Ticket } from "../approval/index.ts"
import { Chain, type Digest, Installation, type Log, type Row } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import { Account } from "../cost/index.ts"
import * as Consent from "./Consent.ts"
import * as Crowd from "./Crowd.ts"
import * as State from "./State.ts"
import {
  type Act,
  type Begin,
  type Change,
  type Commit,
  type Committed,
  type Kept,
  type Payload,
  type RecordKey,
  Rejected,
  type Settle,
  type Wake
} from "./Store.ts"

/** How acts are keyed in a workspace. */
export const actKey = (session: string, key: string): string => `${session} ${key}`

/** The session at the top of a session's tree: what is woken, and what operators pause. */
export const rootOf = (session: Claims.SessionId): Claims.SessionId =>
  Claims.SessionId.make(session.split(".", 1)[0] ?? session)

/** Whether `session` is `other` or below it. */
export const isWithin = (session: string, other: string): boolean =>
  session === other || session.startsWith(`${other}.`)

/** Whether the status is one that a session keeps. */
export const isOver = (status: Log.Status): boolean =>
  status === "succeeded" || status === "failed" || status === "abandoned" || status === "cancelled"

/** How wakes are keyed in a workspace. */
export const wakeKey = (wake: Pick<Wake, "session" | "reason">): string => `${wake.session} ${wake.reason}`

/** How records are keyed in a workspace. */
export const recordKey = ({ id, kind }: RecordKey): string => `${kind} ${id}`

/** The part of the durable state that a group of commits touches. */
export interface Workspace extends State.Space {
  readonly sessions: Map<string, Log.Summary>
  readonly accounts: Map<string, Account.Account>
  readonly tickets: Map<string, Ticket.Ticket>
  readonly rules: Map<string, Rule.Rule>
  readonly acts: Map<string, Act>
  readonly revoked: Set<string>
  readonly rows: Array<Row.Row>
  readonly payloads: Map<string, string>
  /** Wakes that were added; in a store that keeps its workspace, all there are. */
  readonly wakes: Map<string, Wake>
  /** Trees that a run took, and up to which instant: wakes that were due by then are done. */
  readonly taken: Map<string, number>
  readonly records: Map<string, Kept>
  readonly crowd: Crowd.Crowd
  /** Uses of rules that were consumed. */
  readonly uses: Array<Rule.Use>
  /** Keys of what changed. */
  readonly dirty: State.Space["dirty"] & {
    readonly sessions: Set<string>
    readonly accounts: Set<string>
    readonly tickets: Set<string>
    readonly rules: Set<string>
    readonly acts: Set<string>
    readonly revoked: Set<string>
    readonly records: Set<string>
  }
}

/** A workspace with nothing loaded. */
export const workspace = (): Workspace => ({
  sessions: new Map(),
  accounts: new Map(),
  tickets: new Map(),
  rules: new Map(),
  acts: new Map(),
  revoked: new Set(),
  rows: [],
  payloads: new Map(),
  wakes: new Map(),
  taken: new Map(),
  records: new Map(),
  crowd: { children: new Map(), live: new Map() },
  uses: [],
  memories: new Map(),
  threads: new Map(),
  dirty: {
    sessions: new Set(),
    accounts: new Set(),
    tickets: new Set(),
    rules: new Set(),
    acts: new Set(),
    revoked: new Set(),
    records: new Set(),
    memories: new Map(),
    threads: new Map(),
    ended: new Set()
  }
})

/** What must be loaded, locked, before `apply`. */
export interface Reads extends State.Reads {
  readonly sessions: ReadonlyArray<string>
  readonly accounts: ReadonlyArray<string>
  readonly tickets: ReadonlyArray<string>
  readonly tokens: ReadonlyArray<string>
  /** Acts by key, with the accounts they draw on. */
  readonly acts: ReadonlyArray<{ readonly session: string; readonly key: string }>
  /** Sessions whose running acts are needed, with the tickets and accounts those name. */
  readonly whole: ReadonlyArray<string>
  /** Roots whose trees are needed: every session, with its open tickets. */
  readonly trees: ReadonlyArray<string>
  readonly records: ReadonlyArray<RecordKey>
  /** Sessions whose children are counted, and those of their trees that live. */
  readonly parents: ReadonlyArray<Claims.SessionId>
  /** Sessions whose denied tickets are needed. */
  readonly denied: ReadonlyArray<string>
  /** Roots of trees of sessions whose waiting tickets are needed. */
  readonly pending: ReadonlyArray<string>
  readonly rules: ReadonlyArray<string>
}

const nothing: Reads = {
  ...State.nothing,
  sessions: [],
  accounts: [],
  tickets: [],
  tokens: [],
  acts: [],
  whole: [],
  trees: [],
  records: [],
  parents: [],
  denied: [],
  pending: [],
  rules: []
}

/** What `commit` needs to see. */
export const reads = (commit: Commit): Reads => {
  switch (commit._tag) {
    case "Open":
      // The root is held as well, so that no two sessions of a tree count what lives at the same moment.
      return {
        ...nothing,
        sessions: [commit.session.id, ...above(commit).flatMap((parent) => [parent, rootOf(parent)])],
        parents: above(commit),
        accounts: commit.accounts.map((account) => account.id)
      }
    case "Claim":
      return { ...nothing, sessions: [commit.session], whole: [commit.session] }
    case "Begin":
      return {
        ...nothing,
        sessions: [commit.session],
        accounts: commit.accounts,
        tokens: commit.tokens,
        tickets: commit.ticket === null ? [] : [commit.ticket.id],
        denied: commit.ticket === null && commit.rule === undefined ? [] : [commit.session],
        rules: commit.rule === undefined ? [] : [commit.rule.id],
        acts: [commit.key, ...(commit.after === null ? [] : [commit.after])]
          .map((key) => ({ session: commit.session, key }))
      }
    case "Finish":
      return {
        ...nothing,
        ...State.reads(commit),
        sessions: [commit.session],
        acts: [{ session: commit.session, key: commit.key }]
      }
    case "Checkpoint":
      return { ...nothing, ...State.reads(commit), sessions: [commit.session] }
    case "Settle":
      return {
        ...nothing,
        sessions: [commit.session, rootOf(commit.session)],
        acts: [{ session: commit.session, key: commit.key }]
      }
    case "Append": {
      const { keep: records = [], session, status, wakeAt } = commit
      // Who ends ends all below; who waits has its root woken.
      if (status !== null && isOver(status)) {
        return { ...nothing, sessions: [session], trees: [rootOf(session)], records }
      }
      return { ...nothing, sessions: wakeAt === undefined ? [session] : [session, rootOf(session)], records }
    }
    case "Revoke":
      return { ...nothing, sessions: [commit.session] }
    case "Propose":
      // The root is held as well, so that no two sessions of a tree count what waits at the same moment.
      return {
        ...nothing,
        sessions: [commit.session, rootOf(commit.session)],
        tickets: [commit.ticket.id],
        denied: [commit.session],
        pending: [rootOf(commit.session)]
      }
    case "Decide":
    case "Expire":
      return { ...nothing, sessions: [commit.session, rootOf(commit.session)], tickets: [commit.ticket] }
    case "MakeRule":
    case "ApproveRule":
    case "RevokeRule":
      return { ...nothing, sessions: [Installation.id], rules: [commit.rule] }
    case "Control":
      return { ...nothing, sessions: [commit.session], trees: [rootOf(commit.session)] }
  }
}

/** Applies one commit at `at` (epoch milliseconds). */
export const apply = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  commit: Commit,
  at: number
): Result.Result<Committed, Rejected> => {
  switch (commit._tag) {
    case "Open":
      return open(digest, space, commit, at)
    case "Claim":
      return claim(digest, space, commit, at)
    case "Begin":
      return begin(digest, space, commit, at)
    case "Finish":
      return finish(digest, space, commit, at)
    case "Settle":
      return settle(digest, space, commit, at)
    case "Append":
      return appended(digest, space, commit, at)
    case "Checkpoint":
      return checkpoint(digest, space, commit, at)
    case "Propose":
      return propose(digest, space, commit, at)
    case "Decide":
      return change(
        digest,
        space,
        commit.session,
        at,
        ({ status }) => Consent.decided(space.tickets.get(commit.ticket), status, commit, at)
      )
    case "Expire":
      return change(
        digest,
        space,
        commit.session,
        at,
        () => Consent.expired(space.tickets.get(commit.ticket), commit, at)
      )
    case "MakeRule":
      return change(
        digest,
        space,
        Installation.id,
        at,
        () => Consent.ruleMade(digest, space.rules.get(commit.rule), commit, at)
      )
    case "ApproveRule":
      return change(
        digest,
        space,
        Installation.id,
        at,
        () => Consent.ruleApproved(digest, space.rules.get(commit.rule), commit, at)
      )
    case "RevokeRule":
      return change(
        digest,
        space,
        Installation.id,
        at,
        () => Consent.ruleRevoked(digest, space.rules.get(commit.rule), commit, at)
      )
    case "Control":
      return control(digest, space, commit, at)
    case "Revoke":
      return Result.map(current(space, commit.session, null), (session) => {
        space.revoked.add(commit.token)
        space.dirty.revoked.add(commit.token)
        return append(digest, space, session, commit.row, at)
      })
  }
}

// internal

type Of<Tag extends Commit["_tag"]> = Extract<Commit, { readonly _tag: Tag }>
type Outcome = Result.Result<Committed, Rejected>

const reject = (why: Rejected["why"], detail: string): Result.Result<never, Rejected> =>
  Result.fail(new Rejected({ why, detail }))

const current = (space: Workspace, id: string, epoch: number | null): Result.Result<Log.Summary, Rejected> => {
  const session = space.sessions.get(id)
  if (session === undefined) return reject("no_such_session", `there is no session ${id}`)
  if (epoch !== null && epoch !== session.epoch) {
    return reject("fenced", `run ${epoch} of ${id} was replaced by run ${session.epoch}`)
  }
  return Result.succeed(session)
}

/** The session, if acts may start in it: a run that ended or waits starts none, whoever kept a hold of it. */
const active = (space: Workspace, id: string, epoch: number): Result.Result<Log.Summary, Rejected> =>
  Result.flatMap(
    current(space, id, epoch),
    (session) =>
      session.status === "running" ? Result.succeed(session) : reject("fenced", `session ${id} is ${session.status}`)
  )

const concluding = (space: Workspace, { epoch, session, status }: Of<"Append">): Result.Result<Log.Summary, Rejected> =>
  epoch === null || status === null ? current(space, session, epoch) : active(space, session, epoch)

const keep = (space: Workspace, payloads: ReadonlyArray<Payload>) => {
  for (const payload of payloads) space.payloads.set(payload.hash, payload.text)
}

const append = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  session: Log.Summary,
  draft: Row.Draft,
  at: number
): Committed => {
  const head = { seq: session.seq, hash: session.head }
  const row = Chain.seal(digest, head, { session: session.id, at }, draft)
  const next = { ...session, seq: row.seq + 1, head: row.hash }
  space.rows.push(row)
  Crowd.count(space.crowd, rootOf(session.id), { before: space.sessions.get(session.id), after: next })
  space.sessions.set(session.id, next)
  space.dirty.sessions.add(session.id)
  if (isOver(next.status)) State.drop(space, session.id)
  return { row, session: next }
}

const putAct = (space: Workspace, act: Act) => {
  const key = actKey(act.session, act.key)
  space.acts.set(key, act)
  space.dirty.acts.add(key)
}
const putTicket = (space: Workspace, ticket: Ticket.Ticket) => {
  space.tickets.set(ticket.id, ticket)
  space.dirty.tickets.add(ticket.id)
}
const putRule = (space: Workspace, rule: Rule.Rule) => {
  space.rules.set(rule.id, rule)
  space.dirty.rules.add(rule.id)
}
const putAccount = (space: Workspace, account: Account.Account) => {
  space.accounts.set(account.id, account)
  space.dirty.accounts.add(account.id)
}

const appended = (digest: Digest.Digest["Service"], space: Workspace, commit: Of<"Append">, at: number): Outcome =>
  // A run's last word counts only while its session runs: an operator may have stopped it meanwhile.
  Result.map(Result.flatMap(concluding(space, commit), unchanged(space, commit)), (session) => {
    keep(space, commit.payloads)
    for (const change of commit.keep ?? []) putRecord(space, change)
    const next = { ...session, status: commit.status ?? session.status, result: commit.result ?? session.result }
    if (commit.wakeAt !== undefined) wake(space, session.id, `timer/${session.seq}`, commit.wakeAt)
    const done = append(digest, space, next, commit.row, at)
    if (isOver(next.status)) endBelow(digest, space, session.id, at)
    return done
  })

/** A record that is taken away is dirty and not there. */
const putRecord = (space: Workspace, { id, kind, next, version }: Change) => {
  const key = recordKey({ kind, id })
  if (next === null) space.records.delete(key)
  else space.records.set(key, { kind, id, version: version + 1, ...next })
  space.dirty.records.add(key)
}

/** Nothing is written over a record that is not as it was read. */
const unchanged = (space: Workspace, { keep = [] }: Of<"Append">) => (session: Log.Summary) => {
  for (const change of keep) {
    const version = space.records.get(recordKey(change))?.version ?? 0
    if (version !== change.version) {
      return reject("stale", `${change.kind} ${change.id} is at version ${version} by now`)
    }
  }
  return Result.succeed(session)
}

/** The session above the one to open. */
const above = ({ session: { parent } }: Of<"Open">): ReadonlyArray<Claims.SessionId> => parent === null ? [] : [parent]

/** A tree that ended is not run again, whatever becomes due in it. */
const wake = (space: Workspace, session: Claims.SessionId, reason: string, due: number) => {
  const added = { session: rootOf(session), reason, due }
  const root = space.sessions.get(added.session)
  if (root === undefined || !isOver(root.status)) space.wakes.set(wakeKey(added), added)
}

/** Wakes of the tree that were due by `until` are done. */
const take = (space: Workspace, root: Claims.SessionId, until: number) => {
  for (const [key, { due, session }] of space.wakes) {
    if (session === root && due <= until) space.wakes.delete(key)
  }
  space.taken.set(root, until)
}

/** A session that ended runs its children no more: they end with it, with all that waits for people on their behalf. */
const endBelow = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  top: Claims.SessionId,
  at: number,
  reason = `session ${top} above it ended`
) => {
  const body: Row.Body = { kind: "ended", status: "cancelled", result: null, reason }
  for (const session of space.sessions.values()) {
    if (session.id === top || !isWithin(session.id, top) || isOver(session.status)) continue
    append(digest, space, { ...session, status: "cancelled" }, { key: null, body }, at)
  }
  for (const ticket of space.tickets.values()) {
    const isMoot = ticket.state === "proposed" || ticket.state === "approved"
    if (isMoot && isWithin(ticket.session, top)) putTicket(space, { ...ticket, state: "expired", decidedAt: at })
  }
  if (top === rootOf(top)) take(space, top, Number.MAX_SAFE_INTEGER)
}

const open = (digest: Digest.Digest["Service"], space: Workspace, commit: Of<"Open">, at: number): Outcome => {
  const { id, parent } = commit.session
  if (space.sessions.has(id)) return reject("session_exists", `session ${id} exists already`)
  if (parent !== null) {
    const status = space.sessions.get(parent)?.status ?? "missing"
    if (status !== "running") return reject("parent_stopped", `session ${parent} is ${status} and starts no children`)
    const full = Crowd.full(space.crowd, { parent, root: rootOf(parent) }, commit.bounds ?? Claims.standardFanOut)
    if (full !== undefined) return reject("too_many_children", full)
  }
  if (parent === null && commit.session.status === "running") wake(space, id, "start", at)
  for (const { ceiling, id } of commit.accounts) {
    if (!space.accounts.has(id)) putAccount(space, Account.open(id, ceiling))
  }
  keep(space, commit.payloads)
  return Result.succeed(append(digest, space, commit.session, commit.genesis, at))
}

const claim = (digest: Digest.Digest["Service"], space: Workspace, commit: Of<"Claim">, at: number): Outcome =>
  Result.flatMap(current(space, commit.session, null), (session) => {
    if (session.status !== "running" && session.status !== "waiting") {
      return reject("fenced", `session ${commit.session} is ${session.status}`)
    }
    take(space, commit.session, at)
    const epoch = session.epoch + 1
    const started: Row.Draft = { key: null, body: { kind: "started", epoch } }
    let last = append(digest, space, { ...session, epoch, status: "running" }, started, at)
    for (const act of [...space.acts.values()].toSorted((one, other) => one.intent - other.intent)) {
      if (act.session !== commit.session || act.state !== "running") continue
      putAct(space, { ...act, state: "unknown" })
      const ticket = act.ticket === null ? undefined : space.tickets.get(act.ticket)
      if (ticket !== undefined) putTicket(space, { ...ticket, state: "unknown" })
      const lost: Row.Draft = { key: act.key, body: { kind: "unknown", act: act.name, intent: act.intent } }
      last = append(digest, space, last.session, lost, at)
    }
    return Result.succeed(last)
  })

const begin = (digest: Digest.Digest["Service"], space: Workspace, commit: Begin, at: number): Outcome => {
  const found = active(space, commit.session, commit.epoch)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  if (space.acts.has(actKey(commit.session, commit.key))) {
    return reject("already_begun", `the act at ${commit.key} has already begun`)
  }
  const revoked = commit.tokens.find((token) => space.revoked.has(token))
  if (revoked !== undefined && !commit.lenient) {
    const own = revoked === commit.tokens.at(-1)
    return reject(own ? "revoked" : "ancestor_revoked", `token ${revoked} is revoked`)
  }
  const before = commit.after === null ? undefined : space.acts.get(actKey(commit.session, commit.after))
  const agreed = Consent.agreed(space, commit, before, at)
  if (Result.isFailure(agreed)) return Result.fail(agreed.failure)
  const objection = commit.after === null ? undefined : unrepeatable(commit, before)
  if (objection !== undefined) return reject("stale", objection)
  const accounts = reserved(space, commit)
  if (Result.isFailure(accounts)) return Result.fail(accounts.failure)

  for (const account of accounts.success) putAccount(space, account)
  const { intent, rule, ticket } = agreed.success
  const session = before === undefined ? found.success : supersede(digest, space, found.success, before, at)
  if (ticket !== undefined) putTicket(space, { ...ticket, state: "executing" })
  keep(space, commit.payloads)
  const done = append(digest, space, session, intent, at)
  if (rule !== undefined) {
    putRule(space, rule)
    space.uses.push({ rule: rule.id, use: rule.uses, session: commit.session, seq: done.row.seq, at })
  }
  putAct(space, {
    session: commit.session,
    key: commit.key,
    ...asked(intent),
    intent: done.row.seq,
    reserved: commit.reserve,
    accounts: accounts.success.map((account) => account.id),
    ticket: commit.ticket?.id ?? null,
    repeat: commit.repeat,
    state: "running"
  })
  return Result.succeed(rule === undefined ? done : { ...done, rule })
}

/** Which act an intent is about, and on which arguments. */
const asked = ({ body }: Row.Draft) =>
  body.kind === "intent" ? { name: body.act, args: body.args } : { name: "", args: "" }

/** Why the attempt before may not be repeated; `undefined` when it may. */
const unrepeatable = (commit: Begin, before: Act | undefined): string | undefined => {
  const { args, name } = asked(commit.intent)
  if (before === undefined || before.name !== name || before.args !== args) {
    return `the attempt at ${commit.after} was another act`
  }
  if (before.state === "retry" || (before.state === "unknown" && before.repeat !== "never")) return undefined
  return `the attempt at ${commit.after} is ${before.state}, and nobody said that it may be repeated`
}

/** Closes the attempt before. Nobody knows what a lost one cost: all that it held is spent. */
const supersede = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  session: Log.Summary,
  before: Act,
  at: number
): Log.Summary => {
  putAct(space, { ...before, reserved: 0, state: "finished" })
  const isPlain = before.repeat === "always"
  if (before.state === "retry" || (isPlain && before.reserved === 0)) return session
  pay(space, before, before.reserved)
  const decision = {
    choice: "retry",
    from: "governor",
    by: "governor",
    reason: isPlain ? "it can be undone and is done again" : "it is done again under the same idempotency key",
    result: null
  } as const
  return append(digest, space, session, settled(before, decision, before.reserved), at).session
}

type Decision = Pick<typeof Row.Settled.Type, "choice" | "from" | "by" | "reason" | "result">

/** Ends the hold of an act on its accounts. */
const pay = (space: Workspace, act: Act, spent: number) => {
  for (const id of act.accounts) {
    const account = space.accounts.get(id)
    if (account !== undefined) putAccount(space, Account.settle(account, act.reserved, spent))
  }
}

const settled = (act: Act, decision: Decision, costMicroUsd: number): Row.Draft => ({
  key: act.key,
  body: {
    kind: "settled",
    act: act.name,
    intent: act.intent,
    ...decision,
    // A row from before arguments were kept beside acts has none here.
    args: act.args === "" ? null : act.args as Digest.Hash,
    costMicroUsd
  }
})

const reserved = (space: Workspace, commit: Begin): Result.Result<ReadonlyArray<Account.Account>, Rejected> => {
  const next: Array<Account.Account> = []
  for (const id of new Set(commit.accounts)) {
    const account = space.accounts.get(id)
    if (account === undefined) return reject("over_budget", `there is no account ${id}`)
    const after = Account.reserve(account, commit.reserve)
    if (after !== null) next.push(after)
    else if (commit.lenient) next.push({ ...account, reserved: account.reserved + commit.reserve })
    else {
      return reject(
        "over_budget",
        `${id}: ${commit.reserve} micro-dollars wanted, ${Account.left(account)} of ${account.ceiling} left`
      )
    }
  }
  return Result.succeed(next)
}

const finish = (digest: Digest.Digest["Service"], space: Workspace, commit: Of<"Finish">, at: number): Outcome => {
  const found = current(space, commit.session, commit.epoch)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const act = space.acts.get(actKey(commit.session, commit.key))
  if (act?.state !== "running") return reject("not_begun", `no act is running at ${commit.key}`)
  const memory = State.remembering(space, commit)
  if (Result.isFailure(memory)) return Result.fail(memory.failure)

  const end = ending(commit.outcome)
  const isOpen = end === "unknown" && act.repeat !== "always"
  const held = isOpen ? Math.max(0, act.reserved - commit.spent) : 0
  for (const id of act.accounts) {
    const account = space.accounts.get(id)
    if (account !== undefined) putAccount(space, Account.settle(account, act.reserved - held, commit.spent))
  }
  const ticket = act.ticket === null ? undefined : space.tickets.get(act.ticket)
  if (ticket !== undefined) putTicket(space, { ...ticket, state: end })
  putAct(space, { ...act, reserved: held, state: isOpen ? "unknown" : "finished" })
  if (!isOver(found.success.status)) State.remember(space, commit, memory.success)
  keep(space, commit.payloads)
  return Result.succeed(append(digest, space, found.success, commit.outcome, at))
}

const checkpoint = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  commit: Of<"Checkpoint">,
  at: number
): Outcome => {
  const found = active(space, commit.session, commit.epoch)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const unfit = State.unfit(commit)
  if (unfit !== undefined) return Result.fail(unfit)
  let last: Committed | undefined
  for (const { body, whenAt } of State.save(digest, space, commit, found.success)) {
    last = append(digest, space, last?.session ?? found.success, { key: null, body }, at)
    whenAt(last.row.seq)
  }
  State.compact(space, commit)
  return last === undefined ? reject("stale", "there is nothing to save") : Result.succeed(last)
}

/** A time-out, an interruption or a crash in mid-act leaves open whether it happened. */
const ending = (outcome: Row.Draft): Ticket.State => {
  const status = outcome.body.kind === "outcome" ? outcome.body.status : "crashed"
  return status === "succeeded" || status === "failed" ? status : "unknown"
}

const settle = (digest: Digest.Digest["Service"], space: Workspace, commit: Settle, at: number): Outcome => {
  const found = current(space, commit.session, commit.epoch)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const { choice } = commit.decision
  const act = space.acts.get(actKey(commit.session, commit.key))
  if (act === undefined || act.intent !== commit.intent) {
    return reject("stale", `no act began at ${commit.session}/${commit.intent}`)
  }
  if (act.state !== "unknown") return reject("stale", `the outcome of ${act.name} is not open: the act is ${act.state}`)
  const { status } = found.success
  if (choice === "retry" && isOver(status)) {
    return reject("stale", `session ${commit.session} is ${status}: it does nothing more`)
  }

  const spent = commit.spent ?? act.reserved
  pay(space, act, spent)
  const ticket = act.ticket === null ? undefined : space.tickets.get(act.ticket)
  if (ticket?.state === "unknown") putTicket(space, decided(ticket, act.key, commit.decision, at))
  putAct(space, { ...act, reserved: 0, state: choice === "retry" ? "retry" : "finished" })
  // A run that found out itself goes on with it.
  if (commit.epoch === null && !isOver(status)) {
    wake(space, commit.session, `settled/${commit.session}/${commit.intent}`, at)
  }
  keep(space, commit.payloads)
  return Result.succeed(append(digest, space, found.success, settled(act, commit.decision, spent), at))
}

/**
 * The ticket after a decision. Only an operator's retry gives it new time: a probe makes no approval outlive it.
 */
const decided = (ticket: Ticket.Ticket, key: string, decision: Settle["decision"], at: number): Ticket.Ticket => {
  if (decision.choice !== "retry") return { ...ticket, state: decision.choice === "done" ? "succeeded" : "failed" }
  const lifetime = Math.max(0, ticket.expiresAt - ticket.proposedAt)
  return Ticket.renew(ticket, key, decision.from === "operator" ? at + lifetime : ticket.expiresAt)
}

const propose = (digest: Digest.Digest["Service"], space: Workspace, commit: Of<"Propose">, at: number): Outcome => {
  const found = active(space, commit.session, commit.epoch)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const ticket = Consent.proposed(space.tickets, commit, at)
  if (Result.isFailure(ticket)) return Result.fail(ticket.failure)
  putTicket(space, ticket.success)
  keep(space, commit.payloads)
  return Result.succeed(append(digest, space, found.success, commit.row, at))
}

/** What people did about a ticket or a rule, kept and recorded in the chain that it belongs to. */
const change = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  chain: string,
  at: number,
  judge: (session: Log.Summary) => Result.Result<Consent.Change, Rejected>
): Outcome => {
  const session = current(space, chain, null)
  if (Result.isFailure(session)) return Result.fail(session.failure)
  const judged = judge(session.success)
  if (Result.isFailure(judged)) return Result.fail(judged.failure)
  const { body, payload, rule, ticket } = judged.success
  if (ticket !== undefined) putTicket(space, ticket)
  if (rule !== undefined) putRule(space, rule)
  if (payload !== undefined) keep(space, [payload])
  if (ticket !== undefined && ticket.state !== "proposed") wake(space, ticket.session, Ticket.reasonOf(ticket), at)
  const done = append(digest, space, session.success, { key: null, body }, at)
  return Result.succeed({ ...done, ...(ticket && { ticket }), ...(rule && { rule }) })
}

/** What an operator may do to a session in each state, and what it is afterwards. */
const controls = {
  cancel: { from: ["running", "waiting", "paused"], to: "cancelled" },
  pause: { from: ["running", "waiting"], to: "paused" },
  resume: { from: ["paused"], to: "running" }
} as const satisfies Record<string, { readonly from: ReadonlyArray<Log.Status>; readonly to: Log.Status }>

const control = (digest: Digest.Digest["Service"], space: Workspace, commit: Of<"Control">, at: number): Outcome => {
  const { action, by, reason } = commit
  const found = current(space, commit.session, null)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  // A child cannot rest while its parent waits for it: trees are paused as a whole.
  const top = action === "cancel" ? commit.session : rootOf(commit.session)
  const { from, to } = controls[action]
  const first = space.sessions.get(top)
  const isMoved = ({ status }: Log.Summary) => from.some((state) => state === status)
  if (first === undefined || !isMoved(first)) {
    return reject("stale", `session ${top} is ${first?.status ?? "missing"}: there is nothing to ${action}`)
  }
  if (action === "cancel") {
    const why = `cancelled by ${by}: ${reason}`
    const body: Row.Body = { kind: "ended", status: "cancelled", result: null, reason: why }
    const done = append(digest, space, { ...first, status: "cancelled" }, { key: null, body }, at)
    endBelow(digest, space, top, at, why)
    // A parent may be waiting for a ticket of the child that is no more.
    if (top !== rootOf(top)) wake(space, top, `cancelled/${top}`, at)
    return Result.succeed(done)
  }
  const below = [...space.sessions.values()].filter((session) => session.id.startsWith(`${top}.`) && isMoved(session))
  const body: Row.Body = { kind: "noted", what: action === "pause" ? "paused" : "resumed", by, detail: reason }
  const moved: Arr.NonEmptyReadonlyArray<Log.Summary> = [first, ...below]
  const [done] = Arr.map(moved, (session) => append(digest, space, { ...session, status: to }, { key: null, body }, at))
  if (action === "resume") wake(space, top, `resumed/${done.session.seq}`, at)
  return Result.succeed(done)
}
