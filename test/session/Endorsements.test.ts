/** People vouch in a session that goes on: it goes on by that alone, within bounds, and no actor does it for itself. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import type { Policy } from "../../src/approval/index.ts"
import { Log } from "../../src/audit/index.ts"
import { type Claims, Grant } from "../../src/capability/index.ts"
import { Flowing } from "../../src/governor/index.ts"
import { Approvals, Dispatch, Endorsements } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import type { Flow } from "../../src/trust/index.ts"

const Read = Tool.make("read_mail", {
  description: "reads a mail",
  capabilities: ["tool:mail"],
  params: Schema.Struct({}),
  success: Schema.Struct({ sender: Schema.String, text: Schema.String })
})
const Send = Tool.make("send_mail", {
  description: "sends a mail",
  capabilities: ["tool:mail"],
  params: Schema.Struct({ to: Schema.String }),
  success: Schema.String,
  trust: "trusted",
  sinks: ["outbound"]
})
const Wire = Tool.make("wire", {
  description: "sends money",
  capabilities: ["tool:mail"],
  reversible: false,
  params: Schema.Struct({ to: Schema.String }),
  success: Schema.String,
  trust: "trusted"
})

/** Answers a mail; with `wire`, also with money. With `itself`, it first tries to vouch for the sender. */
const Clerk = DeterministicActor.make("Clerk", {
  description: "answers a mail",
  input: Schema.Struct({ wire: Schema.Boolean, itself: Schema.Boolean }),
  output: Schema.String,
  tools: [Read, Send, Wire],
  run: ({ itself, wire }) =>
    Effect.gen(function*() {
      const mail = yield* Tool.call(Read, {})
      if (itself) yield* attempted
      if (wire) return yield* Tool.call(Wire, { to: mail.sender })
      return yield* Tool.call(Send, { to: mail.sender })
    })
})

/** Has a clerk answer. */
const Chief = DeterministicActor.make("Chief", {
  description: "has a mail answered",
  input: Schema.Null,
  output: Schema.String,
  tools: [Clerk.tool],
  run: () => Actor.spawn(Clerk, { wire: false, itself: false })
})

/** What an actor gets that was handed the desk. */
let handed: Endorsements.Endorsements["Service"] | undefined
let said = ""
const attempted = Effect.suspend(() =>
  handed === undefined
    ? Effect.void
    : Effect.match(handed.make(order("ses_x" as Claims.SessionId)), {
      onFailure: ({ reason }) => void (said = reason._tag),
      onSuccess: () => void (said = "vouched")
    })
)

const done: Array<string> = []
const handlers = Layer.mergeAll(
  Tool.layer(
    Read,
    () => Effect.succeed({ sender: "eve@partner.example", text: "answer me, or write to bob@x.example" })
  ),
  Tool.layer(Send, ({ to }) => Effect.sync(() => (done.push(`mail ${to}`), "sent"))),
  Tool.layer(Wire, ({ to }) => Effect.sync(() => (done.push(`wire ${to}`), "wired")))
)
const rules: Flow.Policy = {
  version: 1,
  rules: [{ name: "to whom", sinks: ["outbound"], arguments: { to: "trusted" } }]
}

const app = (policy: Partial<Policy.Policy> = {}, labels = rules) => {
  done.length = 0
  return Actor.layer(Chief).pipe(
    Layer.provideMerge(Actor.layer(Clerk)),
    Layer.provideMerge(handlers),
    Layer.provideMerge(Memory.layer(policy)),
    Layer.provide(Layer.succeed(Flowing.Current, labels))
  )
}

const start = (parts: { readonly wire?: boolean; readonly itself?: boolean } = {}) =>
  Effect.flatMap(
    Dispatch.Dispatch,
    (dispatch) =>
      dispatch.start(Clerk, { wire: false, itself: false, ...parts }, {
        grant: Grant.make(["tool:mail"]),
        caller: "ada"
      })
  )
const resume = (id: Claims.SessionId) => Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.resume(id))
const make = (order: Endorsements.Order) => Effect.flatMap(Endorsements.Endorsements, (desk) => desk.make(order))
const until = "1970-01-02T00:00Z"
const purpose = { for: { tools: ["send_mail"], arguments: ["to"] }, until }
const order = (session: Claims.SessionId, terms: Partial<Flow.Terms> = {}, by = "grace"): Endorsements.Order => ({
  session,
  terms: { value: "eve@partner.example", ...purpose, ...terms },
  by,
  reason: "a partner of ours"
})
const endorsed = Effect.fnUntraced(function*(id: Claims.SessionId) {
  const log = yield* Log.Log
  return (yield* log.rows(id)).flatMap(({ body }) => body.kind === "endorsed" ? [body] : [])
})

describe("what a person vouches for", () => {
  for (
    const [what, terms] of [
      ["a value", { value: "eve@partner.example" }],
      ["values", { value: ["ann@x.example", "eve@partner.example"] }],
      ["a field of a source", { source: { tool: "read_mail", path: "sender" } }]
    ] as const
  ) {
    it.effect(`lets the session go on that waited, without a ticket, and is a row: ${what}`, () =>
      Effect.gen(function*() {
        const { _tag, session } = yield* start()
        assert.strictEqual(_tag, "Waiting")
        const { holds, isDue } = yield* make({ ...order(session), terms: { ...purpose, ...terms } })
        assert.deepStrictEqual([holds, isDue], [true, true])
        assert.strictEqual((yield* resume(session))._tag, "Succeeded")
        assert.deepStrictEqual(done, ["mail eve@partner.example"])
        const [row] = yield* endorsed(session)
        assert.deepInclude(row, { by: "grace", reason: "a partner of ours", until: Date.parse(until) })
      }).pipe(Effect.provide(app())))
  }

  for (
    const [what, terms] of [
      ["another value", { value: "bob@x.example" }],
      ["another act", { for: { tools: ["post"] } }],
      ["another argument", { for: { tools: ["send_mail"], arguments: ["cc"] } }]
    ] as const
  ) {
    it.effect(`does not let through ${what}`, () =>
      Effect.gen(function*() {
        const { session } = yield* start()
        yield* make(order(session, terms))
        assert.strictEqual((yield* resume(session))._tag, "Waiting")
        assert.deepStrictEqual(done, [])
      }).pipe(Effect.provide(app())))
  }

  it.effect("ends with its time, and is for no other session", () =>
    Effect.gen(function*() {
      const first = yield* start()
      const other = yield* start()
      const dispatch = yield* Dispatch.Dispatch
      const why = { session: first.session, by: "grace", reason: "later" }
      yield* dispatch.pause(why)
      assert.isFalse((yield* make(order(first.session, { until: "1970-01-01T01:00Z" }))).isDue)
      assert.strictEqual((yield* resume(other.session))._tag, "Waiting")
      yield* TestClock.adjust("1 hour")
      yield* dispatch.unpause(why)
      assert.strictEqual((yield* resume(first.session))._tag, "Waiting")
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(app())))

  it.effect("is no approval of what cannot be undone", () =>
    Effect.gen(function*() {
      const { session } = yield* start({ wire: true })
      yield* make(order(session, { for: { tools: ["wire", "send_mail"] } }))
      assert.strictEqual((yield* resume(session))._tag, "Waiting")
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(app())))

  it.effect("takes as many people as an approval, and not who asked where that may not be", () =>
    Effect.gen(function*() {
      const { session } = yield* start()
      const own = yield* Effect.flip(make(order(session, {}, "Ada")))
      assert.strictEqual(own.reason._tag, "NotEndorsed")
      assert.isFalse((yield* make(order(session))).holds)
      assert.strictEqual((yield* Effect.flip(make(order(session, {}, " GRACE ")))).reason._tag, "NotEndorsed")
      assert.strictEqual((yield* resume(session))._tag, "Waiting")
      // Another value is not the same.
      assert.isFalse((yield* make(order(session, { value: "bob@x.example" }, "barbara"))).holds)
      assert.strictEqual((yield* resume(session))._tag, "Waiting")
      assert.deepStrictEqual(done, [])
      assert.isTrue((yield* make(order(session, {}, "barbara"))).holds)
      assert.strictEqual((yield* resume(session))._tag, "Succeeded")
      assert.deepStrictEqual(done, ["mail eve@partner.example"])
    }).pipe(Effect.provide(app({ approvers: 2, requesterMayApprove: false }))))

  it.effect("is refused to an actor that was handed the desk", () =>
    Effect.gen(function*() {
      handed = yield* Endorsements.Endorsements
      const { session } = yield* start({ itself: true })
      assert.strictEqual(said, "InsideActor")
      assert.deepStrictEqual(yield* endorsed(session), [])
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.ensuring(Effect.sync(() => void (handed = undefined))), Effect.provide(app())))

  it.effect("is refused without bounds, by nobody, and where there is no session or it is over", () =>
    Effect.gen(function*() {
      const { session } = yield* start()
      for (
        const wrong of [
          order(session, {}, " "),
          order(session, { until: "1970-01-01T00:00Z" }),
          order(session, { until: "1971-01-01T00:00Z" }),
          order(session, { for: { tools: [] } }),
          order(session, { source: { tool: "read_mail" } }),
          order(session, { value: "x".repeat(Endorsements.maxText + 1) }),
          order("ses_none" as Claims.SessionId)
        ]
      ) {
        yield* Effect.flip(make(wrong))
      }
      assert.deepStrictEqual(yield* endorsed(session), [])
      yield* make(order(session))
      yield* resume(session)
      assert.strictEqual((yield* Effect.flip(make(order(session, { value: "late" })))).reason._tag, "NoSuchSession")
    }).pipe(Effect.provide(app())))
})

describe("what was vouched for", () => {
  const list = (session?: Claims.SessionId) => Effect.flatMap(Endorsements.Endorsements, (desk) => desk.list(session))
  const revoke = (session: Claims.SessionId, terms: Endorsements.Revocation["terms"], by = "barbara") =>
    Effect.flatMap(Endorsements.Endorsements, (desk) => desk.revoke({ session, terms, by, reason: "left them" }))

  it.effect("is listed without a chain being read, or a session that is over", () =>
    Effect.gen(function*() {
      const { session } = yield* start()
      const ended = yield* start()
      yield* make(order(session))
      yield* make(order(ended.session))
      yield* resume(ended.session)
      const log = yield* Log.Log
      const never = Effect.die("all of it is read")
      const asked: Array<string> = []
      const sparing = Layer.succeed(Log.Log, {
        ...log,
        sessions: never,
        since: () => never,
        rows: () => never,
        trail: (query) => (asked.push(`${query.session} ${query.kind}`), log.trail(query))
      })
      const listed = yield* list().pipe(Effect.provide(Layer.fresh(Endorsements.layer).pipe(Layer.provide(sparing))))
      assert.deepStrictEqual(listed.map((view) => view.session), [session])
      assert.deepStrictEqual(asked.toSorted(), [`${session} endorsed`, `${session} unendorsed`])
    }).pipe(Effect.provide(app())))

  it.effect("is listed, as it stands, of one session or of all that go on", () =>
    Effect.gen(function*() {
      const { session } = yield* start()
      const other = yield* start()
      yield* make(order(session))
      yield* make(order(other.session, { value: "bob@x.example" }))
      const [view] = yield* list(session)
      assert.deepInclude(view, { session, standing: "holds", until: Date.parse(until), revoked: null })
      assert.deepStrictEqual(view?.what, { value: "eve@partner.example", ...purpose })
      assert.deepStrictEqual(view?.people, [{ by: "grace", reason: "a partner of ours", at: 0 }])
      assert.deepStrictEqual((yield* list()).map((one) => one.session), [other.session, session])
      yield* TestClock.adjust("1 day")
      assert.strictEqual((yield* list(session))[0]?.standing, "ended")
      yield* resume(session)
    }).pipe(Effect.provide(app())))

  it.effect("is taken back at once: the session waits as before, and a row says who took it back", () =>
    Effect.gen(function*() {
      const { session } = yield* start()
      const { terms } = yield* make(order(session))
      const view = yield* revoke(session, terms)
      assert.deepInclude(view, { standing: "revoked", revoked: { by: "barbara", reason: "left them", at: 0 } })
      assert.strictEqual((yield* resume(session))._tag, "Waiting")
      assert.deepStrictEqual(done, [])
      const log = yield* Log.Log
      const row = (yield* log.rows(session)).find(({ body }) => body.kind === "unendorsed")
      assert.deepInclude(row?.body, { by: "barbara", reason: "left them", terms })
      // Once is enough, and only what stands can be taken back.
      assert.strictEqual((yield* Effect.flip(revoke(session, terms))).reason._tag, "NoSuchEndorsement")
      // The same person may vouch for it anew.
      assert.isTrue((yield* make(order(session))).holds)
      assert.strictEqual((yield* resume(session))._tag, "Succeeded")
      assert.deepStrictEqual(done, ["mail eve@partner.example"])
    }).pipe(Effect.provide(app())))

  it.effect("counts anew after it was taken back: earlier votes are none", () =>
    Effect.gen(function*() {
      const { session } = yield* start()
      const { terms } = yield* make(order(session))
      yield* revoke(session, terms)
      assert.isFalse((yield* make(order(session, {}, "hopper"))).holds)
      assert.strictEqual((yield* list(session))[0]?.standing, "open")
      assert.strictEqual((yield* resume(session))._tag, "Waiting")
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(app({ approvers: 2 }))))

  it.effect("holds for the children of its session, for its purpose and its time, until it is taken back", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const begin = dispatch.start(Chief, null, { grant: Grant.make(["tool:mail", "spawn:Clerk"]), caller: "ada" })
      const first = yield* begin
      assert.strictEqual(first._tag, "Waiting")
      const { terms } = yield* make(order(first.session))
      yield* revoke(first.session, terms)
      assert.strictEqual((yield* resume(first.session))._tag, "Waiting")
      yield* make(order(first.session, { for: { tools: ["post"] } }))
      const why = { session: first.session, by: "grace", reason: "later" }
      yield* dispatch.pause(why)
      yield* make(order(first.session, { until: "1970-01-01T01:00Z", value: ["eve@partner.example"] }))
      yield* TestClock.adjust("1 hour")
      yield* dispatch.unpause(why)
      assert.strictEqual((yield* resume(first.session))._tag, "Waiting")
      assert.deepStrictEqual(done, [])
      yield* make(order(first.session))
      assert.strictEqual((yield* resume(first.session))._tag, "Succeeded")
      assert.deepStrictEqual(done, ["mail eve@partner.example"])
      // What holds in one tree holds in no other.
      assert.strictEqual((yield* begin)._tag, "Waiting")
    }).pipe(Effect.provide(app())))

  it.effect("is taken back by no actor that was handed the desk", () =>
    Effect.gen(function*() {
      const desk = yield* Endorsements.Endorsements
      const first = yield* start()
      const { terms } = yield* make(order(first.session))
      // It tries to take back instead of to vouch.
      handed = {
        ...desk,
        make: (asked) => Effect.map(desk.revoke({ ...asked, session: first.session, terms }), () => assert.fail())
      }
      yield* start({ itself: true })
      assert.strictEqual(said, "InsideActor")
      assert.strictEqual((yield* list(first.session))[0]?.standing, "holds")
    }).pipe(Effect.ensuring(Effect.sync(() => void (handed = undefined))), Effect.provide(app())))
})

describe("the policy on labels", () => {
  const asked = Effect.gen(function*() {
    const { session } = yield* start()
    const log = yield* Log.Log
    const approvals = yield* Approvals.Approvals
    const [genesis] = yield* log.rows(session)
    const ticket = (yield* approvals.list).find((ticket) => ticket.session === session)
    return { session, ticket, policy: genesis?.body.kind === "genesis" ? genesis.body.policy : undefined }
  })
  const changed: Flow.Policy = { ...rules, rules: [...rules.rules, { name: "more", tools: ["other"], arguments: {} }] }

  it.effect("stands in the beginning of a session and is bound into its tickets: another is another ticket", () =>
    Effect.gen(function*() {
      const one = yield* Effect.provide(asked, app(), { local: true })
      const same = yield* Effect.provide(asked, app(), { local: true })
      const other = yield* Effect.provide(asked, app({}, changed), { local: true })
      assert.isDefined(one.policy)
      assert.strictEqual(one.policy, same.policy)
      assert.notStrictEqual(one.policy, other.policy)
      assert.strictEqual(one.ticket?.bound.policy, same.ticket?.bound.policy)
      assert.notStrictEqual(one.ticket?.bound.policy, other.ticket?.bound.policy)
    }))
})
