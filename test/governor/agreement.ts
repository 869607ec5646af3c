/** Random histories, applied to the pure transition and to a store: both must come to the same. */
import { assert } from "@effect/vitest"
import { Clock, Effect, Option, Result } from "effect"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { digest } from "../../layers/node/Digest.ts"
import { Policy, Rule, Ticket } from "../../src/approval/index.ts"
import { Installation, Log, type Row } from "../../src/audit/index.ts"
import { Checkpoint, Store, Threads, Transition } from "../../src/governor/index.ts"
import * as C from "./commits.ts"

/** One step, by small numbers that stand for sessions, places, tickets, tokens and accounts. */
interface Step {
  readonly tag: Store.Commit["_tag"]
  readonly session: number
  readonly place: number
  readonly ticket: number
  readonly token: number
  readonly amount: number
  /** How many runs behind the writer is. */
  readonly behind: number
  readonly flag: boolean
  readonly status: number
}

type Tag = Step["tag"]
/** What happens in a history: everything, or much of what belongs together. A tag is there as often as it is wanted. */
const themes: ReadonlyArray<ReadonlyArray<Tag>> = [
  [
    ...(["Open", "Claim", "Append", "Revoke", "Control", "Expire", "MakeRule", "ApproveRule", "RevokeRule"] as const),
    ...(["Begin", "Begin", "Finish", "Settle", "Settle", "Propose", "Decide", "Checkpoint"] as const)
  ],
  ["Begin", "Begin", "Begin", "Finish", "Finish", "Settle", "Settle", "Checkpoint", "Append", "Open"],
  ["Propose", "Propose", "Propose", "Decide", "Begin", "Expire", "ApproveRule", "Claim"]
]

const stepOf = (tags: ReadonlyArray<Tag>): fc.Arbitrary<Step> =>
  fc.record({
    tag: fc.constantFrom(...tags),
    session: fc.nat(3),
    place: fc.nat(5),
    ticket: fc.nat(7),
    token: fc.nat(9),
    amount: fc.oneof({ weight: 2, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.constant(0) }),
    behind: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
    flag: fc.boolean(),
    status: fc.nat(20)
  })

/** Batches of steps that are offered together, each after some time has passed. */
const history = fc.constantFrom(...themes).chain((tags) =>
  fc.array(
    fc.record({ wait: fc.nat(5), steps: fc.array(stepOf(tags), { minLength: 1, maxLength: 8, size: "max" }) }),
    { minLength: 4, maxLength: 10, size: "max" }
  )
).map((batches) => [
  // Something to work on; the rest is chance.
  { wait: 0, steps: [0, 1, 2].flatMap((session) => [simple("Open", session), simple("Claim", session)]) },
  { wait: 0, steps: [simple("MakeRule", 0), { ...simple("MakeRule", 0), ticket: 1 }] },
  { wait: 0, steps: [simple("Propose", 0), { ...simple("Decide", 0), status: 1 }] },
  { wait: 0, steps: (["Propose", "Expire"] as const).map((tag) => ({ ...simple(tag, 1), ticket: 1, amount: 0 })) },
  { wait: 0, steps: [{ ...simple("Begin", 2), token: 2, status: 2 }] },
  { wait: 0, steps: [{ ...simple("Finish", 2), status: 2 }] },
  ...batches
])

const simple = (tag: Store.Commit["_tag"], session: number): Step => ({
  tag,
  session,
  place: 0,
  ticket: 0,
  token: 0,
  amount: 10,
  behind: 0,
  flag: false,
  status: 0
})

const repeats = ["always", "keyed", "never"] as const
const choices = ["retry", "done", "not_done"] as const
const origins = ["operator", "probe"] as const
const outcomes = ["succeeded", "failed", "timed_out", "interrupted", "crashed"] as const

const people = ["grace", "Grace", "ada", "barbara"]
const personOf = ({ place }: Step) => people[place % people.length] ?? "ada"
const policyOf = ({ ticket }: Step) => ({ ...Policy.standard, approvers: 1 + ticket % 2 })

const ruleCommitOf = (rule: Rule.Rule | undefined, name: string, now: number, step: Step): Store.Commit => {
  const policy = policyOf(step)
  if (step.tag === "RevokeRule") return C.revokeRule(name, personOf(step))
  return step.tag === "ApproveRule"
    ? C.approveRule(rule ?? C.noRule(name), personOf(step), policy)
    : C.makeRule(name, { maxUses: 1 + step.place, expiresAt: now + step.amount }, { policy })
}

/** An act that waits for what the step does, if there is any. */
const oneIn = (space: Transition.Workspace, session: string, state: Store.Act["state"], { place }: Step) => {
  const acts = [...space.acts.values()].filter((act) => act.session === session && act.state === state)
  return acts[place % Math.max(1, acts.length)]
}

/** The commit that a step stands for, in the light of what there is. */
const commitOf = (space: Transition.Workspace, run: string, now: number, step: Step): Store.Commit => {
  const parent = step.session === 3 ? C.sessionId(`${run}s0`) : null
  const id = parent === null ? C.sessionId(`${run}s${step.session}`) : C.sessionId(`${parent}.child${step.place % 4}`)
  const accounts = [`${run}own${step.session}`, `${run}shared`]
  const session = space.sessions.get(id) ?? { ...C.summary(id, accounts), parent }
  const writer: Log.Summary = { ...session, epoch: session.epoch - step.behind }
  const key = `#${step.place}`
  const name = `${run}T${step.ticket}`
  const filed = space.tickets.get(name) ??
    C.ticket(writer, name, {
      proposedAt: now,
      expiresAt: now + step.amount,
      args: C.hashOf(`args of #0`)
    })
  const named = `${run}R${step.ticket % 3}`
  const rule = space.rules.get(named)
  switch (step.tag) {
    case "Open":
      return {
        ...C.open(id, accounts.map((account) => ({ id: account, ceiling: 20 + step.amount }))),
        session: { ...C.summary(id, accounts), parent },
        bounds: { children: 2, descendants: 1 }
      }
    case "Claim":
      return C.claim(id)
    case "Begin":
      return beginOf({ writer, key, filed, rule, run }, step)
    case "Finish":
      return remembering(
        C.finish(
          writer,
          oneIn(space, id, "running", step)?.key ?? key,
          step.amount,
          outcomes[step.status % outcomes.length]
        ),
        step
      )
    case "Settle":
      return settleOf(
        oneIn(space, id, "unknown", step) ?? space.acts.get(Transition.actKey(id, key)),
        writer,
        key,
        step
      )
    case "Append":
      return appendOf(space, writer, run, now, step)
    case "Checkpoint":
      return C.checkpoint(writer, changesOf(step), step.status < 5 ? 1 + step.status % 2 : null)
    case "Propose":
      return C.propose(writer, { ...filed, session: id }, 2, 3)
    case "Decide":
      return C.decide(filed, step.flag || step.status > 9, personOf(step), {
        policy: policyOf(step),
        ...(step.status === 0 ? { binding: C.hashOf("drifted") } : {})
      })
    case "Expire":
      return C.expire(filed)
    case "MakeRule":
    case "ApproveRule":
    case "RevokeRule":
      return ruleCommitOf(rule, named, now, step)
    case "Revoke":
      return C.revoke(session, C.tokenId(`${run}tok${step.token % 2}`))
    case "Control":
      // Cancelling ends a session for good: most of the time it is let go on.
      return C.control(id, (["pause", "resume", "resume", "cancel"] as const)[step.status] ?? "pause")
  }
}

/** How an act begins: by a ticket, by a rule, as an attempt after another, or by none. */
const beginOf = (
  { filed, key, rule, run, writer }: {
    readonly writer: Log.Summary
    readonly key: string
    readonly filed: Ticket.Ticket
    readonly rule: Rule.Rule | undefined
    readonly run: string
  },
  step: Step
): Store.Commit => {
  return C.begin(writer, key, {
    reserve: step.amount,
    tokens: [C.tokenId(`${run}tok${step.token}`), C.tokenId(`${run}own`)],
    repeat: repeats[step.token % repeats.length] ?? "always",
    after: step.status % 3 === 0 ? `#${(step.place + 1) % 6}` : null,
    ticket: step.flag ? { id: filed.id, binding: step.status === 0 ? C.hashOf("drifted") : filed.binding } : null,
    ...(!step.flag && rule !== undefined && step.status > 4 ? C.byRule(rule) : {}),
    lenient: step.status === 1
  })
}

const settleOf = (act: Store.Act | undefined, writer: Log.Summary, key: string, step: Step): Store.Commit =>
  C.settle(writer, act?.key ?? key, {
    epoch: step.flag ? null : writer.epoch,
    intent: act?.intent ?? 0,
    decision: {
      choice: choices[step.status % choices.length] ?? "done",
      from: origins[step.token % origins.length] ?? "operator",
      by: "grace",
      reason: "",
      result: null
    },
    spent: step.ticket === 0 ? null : step.amount
  })

const appendOf = (
  space: Transition.Workspace,
  writer: Log.Summary,
  run: string,
  now: number,
  step: Step
): Store.Commit =>
  C.append(step.flag ? { ...writer, epoch: writer.epoch } : writer, {
    epoch: step.flag ? null : writer.epoch,
    status: (["running", "waiting", "running", "running", "succeeded"] as const)[step.status] ?? null,
    payloads: [C.payloadOf(`payload ${step.place}`)],
    wakeAt: step.flag ? undefined : now + step.amount,
    keep: step.token < 4
      ? undefined
      : [change(space, run, step), ...step.token < 8 ? [] : [change(space, run, { ...step, ticket: 9 })]]
  })

/** A change of one of a few records, at times from a version that is not the last. */
const change = (space: Transition.Workspace, run: string, step: Step): Store.Change => {
  const kind = Store.recordKinds[step.ticket % Store.recordKinds.length] ?? "schedule"
  const key = { kind, id: `${run}record ${step.ticket}` }
  const known = space.records.get(Transition.recordKey(key))?.version ?? 0
  const value = { place: step.place, text: `of ${step.session}`, list: [step.amount, null, "ü"] }
  const state = step.flag ? "open" : "closed"
  const next = { owner: `${run}owner${step.session % 2}`, state, at: step.amount, value }
  return { ...key, version: known + (step.status === 2 ? 1 : 0), next: step.amount % 4 === 0 ? null : next }
}

/** Some ends of acts leave something in one of three keys, or clear it. */
const remembering = (finish: Store.Finish, { flag, place, status, ticket }: Step): Store.Finish => {
  const { body, key } = finish.outcome
  if (body.kind !== "outcome" || ticket > 2) return finish
  const memory = { [`k${ticket}`]: flag ? C.hashOf(`value ${place} ${status}`) : null }
  return { ...finish, outcome: { key, body: { ...body, memory } } }
}

/** What a step does to the state of its session: numbers stand for checkpoints, their graphs, tasks and values. */
const changesOf = ({ amount, flag, place, status, ticket, token }: Step): ReadonlyArray<Checkpoint.Change> => {
  const ns = ["", "", "", "sub", "sub:task"][ticket] ?? ""
  const [id, parent] = [`c${token}`, place === 0 ? null : `c${token - place}`]
  const within = ns === "" ? null : `c${place}`
  const versions = { c: `${amount % 3}`, d: `${amount % 2}` }
  const values = flag ? { c: C.blob(`c ${amount % 3}`) } : { d: C.blob(`d ${status}`) }
  const saved = C.saved(id, parent, { ns, within, needs: amount % 3, versions, values })
  const written = C.written(place % 2 === 0 ? id : `c${place}`, `t${status % 3}`, {
    ns,
    writes: [{ index: amount % 4 - 1, channel: "c", value: C.blob(`write ${amount}`) }]
  })
  if (status === 19) return [written, { _tag: "Forgotten", thread: "main" }, saved]
  return status % 3 === 0 ? [written] : status % 3 === 1 ? [saved] : [written, saved]
}

const told = (result: Result.Result<Store.Committed, { readonly why: string }>) =>
  Result.isSuccess(result) ? result.success : result.failure.why

const listed = (a: Store.Kept, b: Store.Kept) => a.at - b.at || (a.id < b.id ? -1 : 1)

/** The histories are the same in every run of the tests. */
const seed = 7301946

let runs = 0

const check = Effect.fnUntraced(function*(
  batches: ReadonlyArray<{ readonly wait: number; readonly steps: ReadonlyArray<Step> }>,
  seen: Set<string>
) {
  const store = yield* Store.Store
  const log = yield* Log.Log
  const run = `r${++runs}-`
  const space = Transition.workspace()
  yield* C.installed
  const installation = Option.getOrThrow(yield* log.session(Installation.id))
  space.sessions.set(Installation.id, installation)
  const rows: Array<Row.Row> = [...yield* log.rows(Installation.id)]
  for (const { steps, wait } of batches) {
    yield* TestClock.adjust(wait)
    const now = yield* Clock.currentTimeMillis
    const commits = steps.map((step) => commitOf(space, run, now, step))
    const expected = commits.map((commit) => told(Transition.apply(digest, space, commit, now)))
    rows.push(...space.rows.splice(0))
    const actual = yield* Effect.forEach(
      commits,
      (commit) =>
        Effect.map(
          Effect.result(store.commit(commit)),
          (result) =>
            told(Result.mapError(result, ({ reason }) => reason._tag === "Rejected" ? reason : { why: reason.detail }))
        ),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual(actual, expected)
    for (const [index, outcome] of expected.entries()) {
      seen.add(typeof outcome === "string" ? outcome : commits[index]?._tag ?? "")
    }
  }
  for (const session of space.sessions.values()) {
    const own = rows.filter((row) => row.session === session.id)
    assert.deepStrictEqual(yield* log.rows(session.id), own)
    assert.deepStrictEqual(yield* log.session(session.id), Option.some(session))
    assert.deepStrictEqual(C.faults(own, session), [])
    assert.deepStrictEqual(
      yield* store.tickets(session.id),
      [...space.tickets.values()].filter((ticket) => ticket.session === session.id)
        .toSorted((a, b) => a.proposedAt - b.proposedAt || (a.id < b.id ? -1 : 1))
    )
  }
  const due = (yield* store.due(Number.MAX_SAFE_INTEGER, 10_000)).filter((wake) => wake.session.startsWith(run))
  assert.sameDeepMembers(due.map(({ actor, ...wake }) => wake), [...space.wakes.values()])
  const lost = (yield* store.lost()).filter((act) => act.session.startsWith(run))
  const open = [...space.acts.values()].filter(({ state }) => state === "unknown")
  assert.deepStrictEqual(
    lost,
    open.toSorted((a, b) => a.session < b.session ? -1 : a.session > b.session ? 1 : a.intent - b.intent)
  )
  const records = [...space.records.values()]
  for (const kind of Store.recordKinds) {
    const kept = (yield* store.records({ kind, limit: 100_000 })).filter((record) => record.id.startsWith(run))
    assert.deepStrictEqual(kept, records.filter((record) => record.kind === kind).toSorted(listed))
  }
  const ours = <A extends { readonly id: string }>(all: Iterable<A>) =>
    [...all].filter(({ id }) => id.startsWith(run)).toSorted((a, b) => a.id < b.id ? -1 : 1)
  const now = yield* Clock.currentTimeMillis
  assert.deepStrictEqual(ours(yield* store.rules()), ours(space.rules.values()))
  const usable = ours(space.rules.values()).filter((rule) => Rule.isUsable(rule, now))
  assert.deepStrictEqual(ours(yield* store.rules(now)), usable)
  for (const rule of usable.concat([...space.rules.values()])) {
    const uses = space.uses.filter((use) => use.rule === rule.id)
    assert.deepStrictEqual(yield* store.uses(rule.id), uses)
    // However acts, votes and revocations fell: no more uses than the rule has, and none twice.
    assert.deepStrictEqual(uses.map(({ use }) => use), Array.from({ length: rule.uses }, (_, index) => index + 1))
    assert.isAtMost(rule.uses, rule.terms.maxUses)
  }
  const late = [...space.tickets.values()].filter((ticket) => Ticket.isOverdue(ticket, now))
  assert.deepStrictEqual(ours(yield* store.overdue(now, 1_000_000)), ours(late))
  for (const session of space.sessions.values()) {
    const kept = yield* store.checkpoints(session.id, {})
    assert.deepStrictEqual(kept, Threads.read(space, session.id, {}))
    // Whatever is kept is what a row names.
    const own = rows.filter((row) => row.session === session.id)
    for (const one of kept) {
      const naming = own.slice(one.seq).flatMap(({ body }) =>
        body.kind === "checkpoint" && body.ns === one.ns && body.id === one.id ? [body.state] : []
      )
      assert.strictEqual(naming.at(-1), Checkpoint.keptHash(digest, one))
    }
  }
  const accounts = (yield* store.accounts).filter((account) => account.id.startsWith(run))
  assert.deepStrictEqual(accounts, [...space.accounts.values()].toSorted((a, b) => a.id < b.id ? -1 : 1))
  for (const [hash, text] of space.payloads) {
    assert.deepStrictEqual(yield* log.payload(C.payloadOf(text).hash), Option.some(text), hash)
  }
})

/** Dies when a random history comes to something else on the store than on the pure transition. */
export const agrees = (numRuns: number): Effect.Effect<void, never, Store.Store | Log.Log> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<Store.Store | Log.Log>()
    const seen = new Set<string>()
    yield* Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(history, (batches) => Effect.runPromiseWith(context)(check(batches, seen))),
        { numRuns, seed }
      )
    )
    // Chance came by everywhere: every commit went through, and was turned down for every reason but three.
    assert.sameMembers([...seen], everything)
  })

const everything = [
  "Open",
  "Claim",
  "Begin",
  "Finish",
  "Settle",
  "Append",
  "Checkpoint",
  "Propose",
  "Decide",
  "Expire",
  "MakeRule",
  "ApproveRule",
  "RevokeRule",
  "Revoke",
  "Control",
  "over_budget",
  "ancestor_revoked",
  "fenced",
  "ticket_unusable",
  "rule_unusable",
  "denied",
  "undecidable",
  "out_of_time",
  "no_such_rule",
  "already_begun",
  "not_begun",
  "too_many_pending",
  "session_exists",
  "no_such_session",
  "parent_stopped",
  "too_many_children",
  "stale"
]
