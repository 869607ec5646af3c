/** The desk where people decide: one ticket or many, as they were shown; and what happens when nobody does. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import { MemoryStore } from "../../layers/memory/index.ts"
import { digest } from "../../layers/node/Digest.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Gate, type Policy, Ticket } from "../../src/approval/index.ts"
import { type Digest, Log } from "../../src/audit/index.ts"
import { type Claims, Grant } from "../../src/capability/index.ts"
import { type Governor, GovernorError, Store } from "../../src/governor/index.ts"
import { Approvals, Dispatch, Rules } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as C from "../governor/commits.ts"

const Refund = Tool.make("refund", {
  description: "Pays money back",
  capabilities: ["tool:refund"],
  reversible: false,
  params: Schema.Struct({ order: Schema.String }),
  success: Schema.String
})

/** Asks once for each order, side by side, and says what came of each. */
const Shop = DeterministicActor.make("Shop", {
  description: "refunds orders",
  input: Schema.Array(Schema.String),
  output: Schema.Array(Schema.String),
  tools: [Refund],
  run: (orders) =>
    Effect.forEach(
      orders,
      (order) =>
        Effect.catch(Tool.call(Refund, { order }), (error) =>
          error instanceof GovernorError && error.reason._tag === "Refused"
            ? Effect.succeed(error.reason.detail)
            : Effect.fail(error)).pipe(
            // A second time, as an actor does that was told to ask again.
            Effect.flatMap((said) =>
              /ran out/.test(said) ? Tool.call(Refund, { order }) : Effect.succeed(said)
            )
          )
    )
})

/** What was paid, in the world outside. */
const paid: Array<string> = []

const app = (policy: Partial<Policy.Policy> = {}, wrap = (store: Store.Store["Service"]) => store) => {
  paid.length = 0
  const handlers = Tool.layer(Refund, ({ order }) => Effect.sync(() => (paid.push(order), `paid ${order}`)))
  const desk = Layer.fresh(Approvals.layer).pipe(
    Layer.provide([Layer.effect(Store.Store, Effect.map(Store.Store, wrap)), Gate.layer(policy)])
  )
  return desk.pipe(
    Layer.provideMerge(Actor.layer(Shop).pipe(Layer.provideMerge(handlers), Layer.provideMerge(Memory.layer(policy))))
  )
}

/** A desk over a store, and nothing that runs or sweeps. */
const bare = Approvals.layer.pipe(
  Layer.provideMerge(MemoryStore.layer),
  Layer.provide([Gate.layer(), NodeDigest.layer])
)

const start = (...orders: ReadonlyArray<string>) =>
  Effect.flatMap(
    Dispatch.Dispatch,
    (dispatch) => dispatch.start(Shop, orders, { grant: Grant.make(["tool:refund"]), caller: "ada" })
  )

const resume = (id: Claims.SessionId) => Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.resume(id))
const desk = Effect.flatMap(Approvals.Approvals, Effect.succeed)
const list = Effect.flatMap(Approvals.Approvals, (approvals) => approvals.list)
/** The oldest ticket; there must be one. */
const oldest = Effect.flatMap(
  list,
  ([ticket]) => ticket === undefined ? Effect.die("no ticket") : Effect.succeed(ticket)
)
const refs = (tickets: ReadonlyArray<Ticket.Ticket>) => tickets.map(({ binding, id }) => ({ id, binding }))
const decidedRows = Effect.fnUntraced(function*(id: Claims.SessionId) {
  const log = yield* Log.Log
  return (yield* log.rows(id)).flatMap(({ body }) => body.kind === "decided" ? [body] : [])
})
const why = (decided: ReadonlyArray<Approvals.Decided>) =>
  decided.map(({ result }) =>
    Result.isSuccess(result)
      ? result.success.state
      : result.failure.reason._tag === "NotDecidable"
      ? result.failure.reason.detail
      : result.failure.reason._tag
  )

describe("a batch of decisions", () => {
  it.effect("decides every ticket by itself: one that cannot be decided holds up no other", () =>
    Effect.gen(function*() {
      const approvals = yield* desk
      const [first, second, third] = [yield* start("1"), yield* start("2"), yield* start("3")]
      const all = yield* list
      const of = ({ session }: { readonly session: string }) => all.find((ticket) => ticket.session === session)
      const [one, two, three] = [of(first), of(second), of(third)]
      if (one === undefined || two === undefined || three === undefined) return assert.fail()
      yield* approvals.decide({ ticket: two.id, by: "grace", approve: false, reason: "no" })
      const before = yield* decidedRows(second.session)
      const tickets = [
        ...refs([one, two]),
        { id: "T-none", binding: one.binding },
        { id: three.id, binding: one.binding },
        ...refs([one])
      ]
      const decided = yield* approvals.decideAll({ tickets, by: "barbara", approve: true, reason: "fine" })
      assert.deepStrictEqual(decided.map(({ ticket }) => ticket), [one.id, two.id, "T-none", three.id])
      assert.deepStrictEqual(why(decided), [
        "approved",
        "it was denied already",
        "NoSuchTicket",
        "it is not what was shown"
      ])
      // A row for each decision, and none for what was not decided.
      assert.lengthOf(yield* decidedRows(first.session), 1)
      assert.deepStrictEqual(yield* decidedRows(second.session), before)
      assert.deepStrictEqual(yield* decidedRows(third.session), [])
      for (const { session } of [first, second, third]) yield* resume(session)
      assert.deepStrictEqual(paid, ["1"])
    }).pipe(Effect.provide(app())))

  it.effect("denies as it approves, each in the chain of its own session", () =>
    Effect.gen(function*() {
      const approvals = yield* desk
      const sessions = yield* Effect.forEach(["1", "2", "3"], (order) => start(order))
      const tickets = refs(yield* list)
      const reason = `never, says AKIA${"Z".repeat(16)}`
      yield* approvals.decideAll({ tickets, by: " Grace ", approve: false, reason })
      for (const { session } of sessions) {
        const [row, ...rest] = yield* decidedRows(session)
        assert.deepStrictEqual(rest, [])
        // The name as it is compared, the reason without its secret.
        assert.deepInclude(row, { decision: "denied", by: "Grace", reason: "never, says [redacted:aws-key]" })
        const ended = yield* resume(session)
        assert.deepInclude(ended, { output: ["denied by Grace: never, says [redacted:aws-key]"] })
      }
      assert.deepStrictEqual(paid, [])
    }).pipe(Effect.provide(app())))

  it.effect("decides a thousand tickets, one commit and one row each", () =>
    Effect.gen(function*() {
      const store = yield* Store.Store
      const approvals = yield* desk
      const sessions = yield* Effect.forEach(Array.from({ length: 50 }), () => C.opened())
      for (const session of sessions) {
        for (let n = 0; n < 20; n++) {
          const parts = { expiresAt: 1000, args: C.hashOf(String(n)) }
          yield* store.commit(C.propose(session, C.ticket(session, C.fresh("T"), parts)))
        }
      }
      const decided = yield* approvals.decideAll({ tickets: refs(yield* list), by: "grace", approve: true, reason: "" })
      assert.lengthOf(decided, 1000)
      assert.deepStrictEqual(new Set(why(decided)), new Set(["approved"]))
      for (const { id } of sessions) assert.lengthOf(yield* decidedRows(id), 20)
    }).pipe(Effect.provide(app())))
})

describe("a decision", () => {
  const cannot = (
    name: string,
    decision: Partial<Approvals.Decision>,
    expected: RegExp,
    policy: Partial<Policy.Policy> = {},
    wrap?: (store: Store.Store["Service"]) => Store.Store["Service"]
  ) =>
    it.effect(`is refused ${name}, and the act does not happen`, () =>
      Effect.gen(function*() {
        const approvals = yield* desk
        const { session } = yield* start("1")
        const ticket = yield* oldest
        const given = { ticket: ticket.id, by: "grace", approve: true, reason: "", ...decision }
        const error = yield* Effect.flip(approvals.decide(given))
        assert.match(error.message, expected)
        assert.deepStrictEqual(yield* decidedRows(session), [])
        assert.deepInclude(yield* resume(session), { _tag: "Waiting", ticket: ticket.id })
        assert.deepStrictEqual(paid, [])
      }).pipe(Effect.provide(app(policy, wrap))))

  cannot("about another ticket than was shown", { binding: C.hashOf("other") }, /not what was shown/)
  cannot("about no ticket", { ticket: "T-none" }, /there is no ticket T-none/)
  cannot("by nobody", { by: "  " }, /name of a person/)
  cannot("by a name that hides something", { by: "gra\u200bce" }, /nobody sees/)
  cannot("by a name of two alphabets", { by: "gr\u0430ce" }, /alphabets/)
  for (const by of ["ada", " ADA", "local:ada", "ａｄａ"]) {
    cannot(`by the requester, spelt ${by}`, { by }, /requester may not/, { requesterMayApprove: false })
  }
  cannot("about a ticket whose text was altered in the database", {}, /not what it is bound to/, {}, (store) => ({
    ...store,
    ticket: (id) =>
      Effect.map(
        store.ticket(id),
        (ticket) => ticket && { ...ticket, shown: { ...ticket.shown, args: `{"order":"harmless"}` } }
      )
  }))
  cannot(
    "about a ticket whose text and binding were altered as it was read",
    {},
    /not what was shown/,
    {},
    (store) => ({
      ...store,
      ticket: (id) =>
        Effect.map(store.ticket(id), (ticket) => {
          if (ticket === undefined) return ticket
          const altered = { ...ticket, shown: { ...ticket.shown, args: "{}" } }
          return { ...altered, binding: Ticket.bindingOf(digest, altered) }
        })
    })
  )

  it.effect("counts once from one person, however often and in whatever spelling it is sent", () =>
    Effect.gen(function*() {
      const approvals = yield* desk
      const { session } = yield* start("1")
      const ticket = yield* oldest
      const names = ["grace", "Grace", "GRACE ", "local:grace", "g\u0433ace", "ｇｒａｃｅ"]
      const votes = yield* Effect.forEach(
        names,
        (by) => Effect.result(approvals.decide({ ticket: ticket.id, by, approve: true, reason: "" })),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(votes.filter(Result.isSuccess), 1)
      assert.deepInclude(yield* resume(session), { _tag: "Waiting" })
      assert.deepStrictEqual(paid, [])
      yield* approvals.decide({ ticket: ticket.id, by: "barbara", approve: true, reason: "" })
      assert.deepInclude(yield* resume(session), { output: ["paid 1"] })
      assert.deepStrictEqual(paid, ["1"])
    }).pipe(Effect.provide(app({ approvers: 2 }))))

  it.effect("to deny stops what was approved and has not begun", () =>
    Effect.gen(function*() {
      const approvals = yield* desk
      const { session } = yield* start("1")
      const ticket = yield* oldest
      const id = ticket.id
      yield* approvals.decide({ ticket: id, by: "grace", approve: true, reason: "" })
      yield* approvals.decide({ ticket: id, by: "grace", approve: false, reason: "I misread it" })
      assert.deepInclude(yield* resume(session), { output: ["denied by grace: I misread it"] })
      assert.deepStrictEqual(paid, [])
    }).pipe(Effect.provide(app())))

  it.effect("shows how the accounts stand, and is not bound to them", () =>
    Effect.gen(function*() {
      const approvals = yield* desk
      const { session } = yield* start("1")
      const ticket = yield* oldest
      const { accounts } = yield* approvals.show(ticket.id)
      assert.deepStrictEqual(accounts.map(({ id }) => id), ["caller:ada", "class:Shop", `session:${session}`])
      const log = yield* Log.Log
      const rows = yield* log.rows(session)
      const shown = rows.flatMap(({ body }) => body.kind === "proposed" ? [body.shown] : [])
      const text = yield* log.payload(shown[0] as Digest.Hash)
      assert.notInclude(JSON.stringify(text), "ceiling")
      assert.match((yield* Effect.flip(approvals.show("T-none"))).message, /there is no ticket/)
    }).pipe(Effect.provide(app())))
})

describe("a ticket that nobody decides", () => {
  it.effect("is ended by the runtime, and its session goes on by itself, is told so, and may ask again", () =>
    Effect.gen(function*() {
      const approvals = yield* desk
      const { session } = yield* start("1")
      const first = yield* oldest
      yield* TestClock.adjust(9999)
      assert.deepInclude(yield* oldest, { state: "proposed" })
      yield* TestClock.adjust(3000)
      assert.deepStrictEqual(yield* decidedRows(session), [{
        kind: "decided",
        ticket: first.id,
        decision: "expired",
        by: "aosiq",
        reason: "nobody decided in time"
      }])
      // It went on, was refused at that place, and asked again.
      const log = yield* Log.Log
      const bodies = (yield* log.rows(session)).map(({ body }) => body)
      const refusals = bodies.flatMap((body) => body.kind === "refusal" ? [body.reason] : [])
      assert.deepStrictEqual(refusals, [`the time of ticket ${first.id} ran out`])
      assert.deepStrictEqual(paid, [])
      const late = yield* Effect.flip(approvals.decide({ ticket: first.id, by: "grace", approve: true, reason: "" }))
      assert.match(late.message, /time ran out/)
      const second = (yield* list).find(({ state }) => state === "proposed")
      if (second === undefined) return assert.fail("it did not ask again")
      yield* approvals.decide({ ticket: second.id, by: "grace", approve: true, reason: "" })
      // Nobody wakes it: the runtime finds what the decision left.
      yield* TestClock.adjust(3000)
      assert.deepInclude(yield* resume(session), { output: ["paid 1"] })
      assert.deepStrictEqual(paid, ["1"])
    }).pipe(Effect.provide(app({ lifetimeMs: 10_000 }))))

  it.effect("is shown as what it is before anybody has said so, and then ended, once, by whoever comes", () =>
    Effect.gen(function*() {
      const store = yield* Store.Store
      const approvals = yield* desk
      const session = yield* C.opened()
      const [sweeps, decides] = ["1", "2"].map((args) =>
        C.ticket(session, C.fresh("T"), { expiresAt: 1000, args: C.hashOf(args) })
      )
      if (sweeps === undefined || decides === undefined) return assert.fail()
      for (const ticket of [sweeps, decides]) yield* store.commit(C.propose(session, ticket))
      assert.deepStrictEqual(yield* approvals.expire, [])
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual((yield* list).map(({ state }) => state), ["expired", "expired"])
      assert.deepStrictEqual(yield* decidedRows(session.id), [])
      const vote = { ticket: decides.id, by: "grace", approve: true, reason: "" }
      assert.match((yield* Effect.flip(approvals.decide(vote))).message, /time ran out/)
      assert.deepStrictEqual(yield* approvals.expire, [session.id])
      assert.deepStrictEqual(yield* approvals.expire, [])
      assert.match((yield* Effect.flip(approvals.decide(vote))).message, /time ran out/)
      const rows = yield* decidedRows(session.id)
      assert.deepStrictEqual(rows.map(({ decision, ticket }) => [ticket, decision]), [
        [decides.id, "expired"],
        [sweeps.id, "expired"]
      ])
      // Both made the session due, in the commit that ended them.
      const due = yield* store.due(1000, 10)
      assert.sameMembers(due.map(({ reason }) => reason), [
        `ticket/${sweeps.id}/expired`,
        `ticket/${decides.id}/expired`
      ])
    }).pipe(Effect.provide(bare)))

  it.effect("is ended with all others that are due, in batches, once each, by several sweeps at once", () =>
    Effect.gen(function*() {
      const store = yield* Store.Store
      const approvals = yield* desk
      const now = yield* Clock.currentTimeMillis
      const sessions = yield* Effect.forEach(Array.from({ length: 25 }), () => C.opened())
      for (const session of sessions) {
        for (let n = 0; n < 10; n++) {
          const parts = { expiresAt: now + 10 + n, args: C.hashOf(String(n)) }
          yield* store.commit(C.propose(session, C.ticket(session, C.fresh("T"), parts)))
        }
        yield* store.commit(C.append(session, { status: "waiting" }))
      }
      yield* TestClock.adjust(18)
      const woken = yield* Effect.all([approvals.expire, approvals.expire, approvals.expire], {
        concurrency: "unbounded"
      })
      assert.sameMembers([...new Set(woken.flat())], sessions.map(({ id }) => id))
      const states = (yield* store.tickets()).map(({ state }) => state)
      assert.lengthOf(states.filter((state) => state === "expired"), 225)
      assert.lengthOf(states.filter((state) => state === "proposed"), 25)
      for (const { id } of sessions) assert.lengthOf(yield* decidedRows(id), 9)
    }).pipe(Effect.provide(bare)))

  it.effect("wakes the root of its session, and nothing that has ended", () =>
    Effect.gen(function*() {
      const store = yield* Store.Store
      const approvals = yield* desk
      const root = yield* C.opened()
      const child = yield* C.opened(undefined, `${root.id}.a`, root.id)
      const ended = yield* C.opened()
      for (const session of [child, ended]) {
        yield* store.commit(C.propose(session, C.ticket(session, C.fresh("T"), { expiresAt: 10 })))
      }
      yield* store.commit(C.append(child, { status: "waiting" }))
      yield* store.commit(C.append(ended, { status: "failed" }))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(yield* approvals.expire, [root.id])
      // The end of a session is the end of its tickets.
      assert.deepStrictEqual((yield* store.tickets(ended.id)).map(({ state }) => state), ["expired"])
      assert.deepStrictEqual(yield* decidedRows(ended.id), [])
    }).pipe(Effect.provide(bare)))
})

describe("an actor", () => {
  /** Holds every desk there is, and tries them. */
  const attempts = Effect.gen(function*() {
    const approvals = yield* Approvals.Approvals
    const rules = yield* Rules.Rules
    const tickets = yield* Effect.orDie(approvals.list)
    const vote = { by: "grace", approve: true, reason: "" }
    const { terms } = C.makeRule("R", { act: "refund", capabilities: ["tool:refund"] })
    return yield* Effect.forEach(
      [
        approvals.decide({ ticket: tickets[0]?.id ?? "", ...vote }),
        approvals.decideAll({ tickets: refs(tickets), ...vote }),
        approvals.expire,
        rules.make({ terms, by: "grace", reason: "" }),
        rules.approve({ rule: "R", binding: C.hashOf(""), by: "grace", reason: "" }),
        rules.revoke({ rule: "R", by: "grace", reason: "" })
      ],
      (attempt: Effect.Effect<unknown, Approvals.ApprovalError | Rules.RuleError>) =>
        Effect.match(attempt, { onFailure: ({ reason }): string => reason._tag, onSuccess: () => "it went through" })
    )
  })

  it.effect("decides nothing and makes no rule, whatever services it was handed", () =>
    Effect.gen(function*() {
      const services = yield* Effect.context<Approvals.Approvals | Rules.Rules | Governor>()
      const Insider = DeterministicActor.make("Insider", {
        description: "tries",
        input: Schema.Null,
        output: Schema.Array(Schema.String),
        tools: [],
        run: () => Effect.provide(attempts, services)
      })
      yield* start("1")
      const ended = yield* Effect.flatMap(Dispatch.Dispatch, (dispatch) =>
        dispatch.start(Insider, null, { grant: Grant.make([]), caller: "mallory" })).pipe(
          Effect.provide(Actor.layer(Insider))
        )
      const refused = Array.from({ length: 6 }, () =>
        "InsideActor")
      assert.deepInclude(ended, { _tag: "Succeeded", output: refused })
      const store = yield* Store.Store
      assert.deepStrictEqual((yield* store.tickets()).map(({ state, votes }) => [state, votes.length]), [[
        "proposed",
        0
      ]])
      assert.deepStrictEqual(yield* store.rules(), [])
      assert.deepStrictEqual(paid, [])
    }).pipe(Effect.provide(app())))
})
