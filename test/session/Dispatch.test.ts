import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, Schema } from "effect"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, ActorError, DeterministicActor } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { type Claims, Grant, Tokens } from "../../src/capability/index.ts"
import { CostModel, MicroUsd } from "../../src/cost/index.ts"
import { Store } from "../../src/governor/index.ts"
import { Approvals, Dispatch, Runs } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as C from "../governor/commits.ts"

const Step = Tool.make("step", {
  description: "takes a step",
  capabilities: ["tool:step"],
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(10)),
  params: Schema.String,
  success: Schema.String
})
const Ship = Tool.make("ship", {
  description: "ships",
  capabilities: ["tool:ship"],
  reversible: false,
  params: Schema.String,
  success: Schema.String
})

/** What happened, in order; what a test wants of a step. */
const done: Array<string> = []
let onStep: (name: string) => Effect.Effect<unknown> = () => Effect.void

const handlers = Layer.mergeAll(
  Tool.layer(
    Step,
    (name) => Effect.as(Effect.andThen(Effect.sync(() => done.push(name)), Effect.suspend(() => onStep(name))), name)
  ),
  Tool.layer(Ship, (name) => Effect.sync(() => (done.push(`ship ${name}`), name)))
)

const Walker = DeterministicActor.make("Walker", {
  description: "takes steps",
  input: Schema.Array(Schema.String),
  output: Schema.Finite,
  tools: [Step],
  supervision: { on: [] },
  run: (steps) =>
    Effect.gen(function*() {
      for (const step of steps) {
        if (step === "fail") {
          return yield* new ActorError({ actor: "Walker", detail: "password=hunter2hunter2", abandoned: false })
        }
        if (step === "give up") {
          return yield* new ActorError({ actor: "Walker", detail: "no way", abandoned: true })
        }
        if (step === "break") return yield* Effect.die(new Error("password=hunter2hunter2"))
        yield* Tool.call(Step, step)
      }
      return steps.length
    })
})
const Shipper = DeterministicActor.make("Shipper", {
  description: "ships many things",
  input: Schema.Finite,
  output: Schema.Finite,
  tools: [Ship],
  run: (count) =>
    Effect.gen(function*() {
      for (let n = 0; n < count; n++) yield* Tool.call(Ship, `#${n}`)
      return count
    })
})
const Leader = DeterministicActor.make("Leader", {
  description: "has others walk and ship",
  input: Schema.Struct({ walk: Schema.Array(Schema.String), ship: Schema.Finite }),
  output: Schema.Finite,
  tools: [Walker.tool, Shipper.tool, Step],
  run: ({ ship, walk }) =>
    Effect.gen(function*() {
      yield* Tool.call(Step, "lead")
      const walked = yield* Actor.spawn(Walker, walk)
      const shipped = ship === 0 ? 0 : yield* Actor.spawn(Shipper, ship)
      return walked + shipped
    })
})

const app = Layer.effectDiscard(Effect.sync(() => {
  done.length = 0
  onStep = () => Effect.void
})).pipe(
  Layer.provideMerge(Actor.layer(Leader)),
  Layer.provideMerge(Layer.mergeAll(Actor.layer(Walker), Actor.layer(Shipper))),
  Layer.provideMerge(handlers),
  Layer.provideMerge(Memory.layer())
)

const everything = Grant.make(["tool:step", "tool:ship", "spawn:Walker", "spawn:Shipper"])
const walk = (steps: ReadonlyArray<string>, grant = Grant.make(["tool:step"])) =>
  Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.start(Walker, steps, { grant, caller: "ada" }))
const lead = (order: { readonly walk: ReadonlyArray<string>; readonly ship: number }, grant = everything) =>
  Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.start(Leader, order, { grant, caller: "ada" }))
const resume = (id: Claims.SessionId) => Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.resume(id))
const rowsOf = (id: Claims.SessionId) => Effect.flatMap(Log.Log, (log) => log.rows(id))
const kindsOf = (id: Claims.SessionId) => Effect.map(rowsOf(id), (rows) => rows.map((row) => row.body.kind))
const sessions = Effect.flatMap(Log.Log, (log) => log.sessions)
const approve = (ticket: string) =>
  Effect.flatMap(Approvals.Approvals, (desk) => desk.decide({ ticket, by: "grace", approve: true, reason: "" }))
const accounts = Effect.map(
  Effect.flatMap(Store.Store, (store) => store.accounts),
  (all) =>
    Object.fromEntries(
      all.map(({ id, spent }) => [id.startsWith("session:") ? `session ${id.split(".").length}` : id, spent])
    )
)

describe("a dispatch", () => {
  it.live("opens a session, runs it and tells its end", () =>
    Effect.gen(function*() {
      const ended = yield* walk(["a", "b"])
      assert.deepInclude(ended, { _tag: "Succeeded", output: 2 })
      assert.deepStrictEqual(done, ["a", "b"])
      const rows = yield* rowsOf(ended.session)
      assert.deepStrictEqual(rows.map((row) => row.body.kind), [
        "genesis",
        "started",
        "intent",
        "outcome",
        "intent",
        "outcome",
        "ended"
      ])
      const [summary] = yield* sessions
      assert.deepInclude(summary, { status: "succeeded", caller: "ada", actor: "Walker", parent: null })
      assert.deepStrictEqual(C.faults(rows, summary), [])
    }).pipe(Effect.provide(app)))

  it.live("opens nothing for an input that does not fit", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(walk([1] as never))
      assert.strictEqual(error.reason._tag, "BadInput")
      assert.deepStrictEqual(yield* sessions, [])
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(app)))

  it.live("puts into the token what grant and class have in common, and no more", () =>
    Effect.gen(function*() {
      const wide = Grant.make(["tool:step", "tool:ship"], { budgetMicroUsd: 77, depth: 1 })
      const dispatch = yield* Dispatch.Dispatch
      const { session } = yield* dispatch.start(Walker, [], { grant: wide, caller: "ada" })
      const [summary] = yield* sessions
      const tokens = yield* Tokens.Tokens
      const claims = yield* tokens.verify(summary?.token ?? "", session)
      assert.deepInclude(claims, {
        sub: "Walker",
        anc: [],
        depth: 1,
        budget: 77,
        capabilities: ["tool:step"],
        backends: []
      })
    }).pipe(Effect.provide(app)))

  it.live("tells a failure without its secrets, and an honest end as one", () =>
    Effect.gen(function*() {
      const failed = yield* walk(["a", "fail"])
      assert.deepInclude(failed, { _tag: "Failed", abandoned: false })
      const broken = yield* walk(["break"])
      assert.deepInclude(broken, { _tag: "Failed", abandoned: false })
      const abandoned = yield* walk(["give up"])
      assert.deepInclude(abandoned, { _tag: "Failed", abandoned: true, detail: "no way" })
      const all = yield* sessions
      assert.sameMembers(all.map((each) => each.status), ["failed", "failed", "abandoned"])
      assert.notInclude(
        JSON.stringify([failed, broken, yield* rowsOf(failed.session), yield* rowsOf(broken.session)]),
        "hunter2"
      )
    }).pipe(Effect.provide(app)))

  it.live("fails a session that is refused what it needs", () =>
    Effect.gen(function*() {
      const ended = yield* walk(["a", "b"], Grant.make(["tool:step"], { budgetMicroUsd: 15 }))
      assert.deepInclude(ended, { _tag: "Failed", abandoned: false })
      if (ended._tag === "Failed") assert.match(ended.detail, /refused by budget/)
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(app)))
})

describe("a session that is resumed", () => {
  it.live("is told its end again and not run, when it has ended", () =>
    Effect.gen(function*() {
      for (const steps of [["a"], ["a", "fail"], ["give up"]]) {
        const ended = yield* walk(steps)
        const before = yield* rowsOf(ended.session)
        done.length = 0
        assert.deepStrictEqual(yield* resume(ended.session), ended)
        assert.deepStrictEqual(yield* rowsOf(ended.session), before)
        assert.deepStrictEqual(done, [])
      }
    }).pipe(Effect.provide(app)))

  it.live("goes on where it was interrupted", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      onStep = (name) => name === "b" ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
      const fiber = yield* Effect.forkChild(walk(["a", "b", "c"]))
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(fiber)
      const [summary] = yield* sessions
      assert.strictEqual(summary?.status, "running")
      onStep = () => Effect.void
      const recovered = yield* Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.recover)
      assert.deepStrictEqual(recovered, [{ _tag: "Succeeded", session: summary?.id ?? C.sessionId("none"), output: 3 }])
      assert.deepStrictEqual(done, ["a", "b", "b", "c"])
      assert.deepStrictEqual(yield* Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.recover), [])
    }).pipe(Effect.provide(app)))

  it.live("leaves the older run nothing to say", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      const released = yield* Deferred.make<void>()
      let first = true
      onStep = () => {
        if (!first) return Effect.void
        first = false
        return Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(released))
      }
      const slow = yield* Effect.forkChild(Effect.result(walk(["a"])))
      yield* Deferred.await(reached)
      const [summary] = yield* sessions
      const id = summary?.id ?? C.sessionId("none")
      // As another process would that took the session over.
      yield* Runs.Runs.use((runs) => runs.run(id))
      assert.deepInclude(yield* Runs.Runs.use((runs) => runs.standing(id)), { _tag: "Succeeded", output: 1 })
      yield* Deferred.succeed(released, undefined)
      const late = yield* Fiber.join(slow)
      assert.strictEqual(late._tag, "Failure")
      if (late._tag === "Failure") assert.strictEqual(late.failure.reason._tag, "Superseded")
      const rows = yield* rowsOf(id)
      assert.lengthOf(rows.filter((row) => row.body.kind === "ended"), 1)
      assert.deepStrictEqual(C.faults(rows, (yield* sessions)[0]), [])
    }).pipe(Effect.provide(app)))

  it.live("does not exist, or its actor does not", () =>
    Effect.gen(function*() {
      const nobody = yield* Effect.flip(resume(C.sessionId("nobody")))
      assert.deepInclude(nobody.reason, { _tag: "NoSuchSession", session: "nobody" })
      const store = yield* Store.Store
      const open = C.open(C.sessionId("stranger"))
      yield* store.commit(open)
      const stranger = yield* Effect.flip(resume(open.session.id))
      assert.deepInclude(stranger.reason, { _tag: "NoSuchActor", actor: "Tester" })
      assert.match(stranger.message, /known: .*Walker/)
    }).pipe(Effect.provide(app)))

  it.live("is not run on an input that was erased", () =>
    Effect.gen(function*() {
      const store = yield* Store.Store
      const open = C.open(C.sessionId("erased"))
      const session = { ...open.session, actor: "Walker", input: C.hashOf("gone") }
      yield* store.commit({ ...open, session })
      const error = yield* Effect.flip(resume(session.id))
      assert.strictEqual(error.reason._tag, "Unrecorded")
      assert.match(error.message, /erased or altered/)
      assert.deepStrictEqual(yield* kindsOf(session.id), ["genesis"])
    }).pipe(Effect.provide(app)))
})

describe("a family of sessions", () => {
  it.live("spends from every account above it", () =>
    Effect.gen(function*() {
      const ended = yield* lead({ walk: ["a", "b", "c"], ship: 0 })
      assert.deepInclude(ended, { _tag: "Succeeded", output: 3 })
      assert.deepStrictEqual(yield* accounts, {
        "session 1": 40,
        "session 2": 30,
        "class:Leader": 40,
        "class:Walker": 30,
        "caller:ada": 40
      })
    }).pipe(Effect.provide(app)))

  it.live("is held to the budget of the one on top", () =>
    Effect.gen(function*() {
      const grant = Grant.make(["tool:step", "tool:ship", "spawn:Walker", "spawn:Shipper"], { budgetMicroUsd: 35 })
      const ended = yield* lead({ walk: ["a", "b", "c"], ship: 0 }, grant)
      assert.strictEqual(ended._tag, "Failed")
      assert.deepStrictEqual(done, ["lead", "a", "b"])
      assert.deepInclude(yield* accounts, { "session 1": 30 })
    }).pipe(Effect.provide(app)))

  it.live("is held to the ceiling of each class, children's too", () =>
    Effect.gen(function*() {
      yield* walk(["x", "y"])
      const ended = yield* lead({ walk: ["a", "b", "c"], ship: 0 })
      assert.strictEqual(ended._tag, "Failed")
      if (ended._tag === "Failed") assert.match(ended.detail, /class:Walker/)
      assert.deepStrictEqual(done, ["x", "y", "lead", "a", "b"])
    }).pipe(
      Effect.provide(app.pipe(
        Layer.provide(Layer.succeed(Dispatch.CurrentCeilings, { caller: 1000, class: 45 })),
        Layer.fresh
      ))
    ))

  it.live("carries tokens that only shrink, each below its parent's", () =>
    Effect.gen(function*() {
      yield* lead({ walk: [], ship: 0 })
      const tokens = yield* Tokens.Tokens
      const all = yield* sessions
      const parent = all.find((each) => each.parent === null)
      const child = all.find((each) => each.parent !== null)
      const above = yield* tokens.verify(parent?.token ?? "", parent?.id ?? C.sessionId("none"))
      const below = yield* tokens.verify(child?.token ?? "", child?.id ?? C.sessionId("none"))
      assert.deepStrictEqual(below.anc, [above.jti])
      assert.deepStrictEqual(below.capabilities, ["tool:step"])
      assert.strictEqual(below.depth, above.depth - 1)
      assert.isAtMost(below.exp, above.exp)
      assert.isAtMost(below.budget, above.budget)
      // The child's token is no good above it.
      const crossed = yield* Effect.flip(tokens.verify(child?.token ?? "", parent?.id ?? C.sessionId("none")))
      assert.strictEqual(crossed.reason._tag, "Misdirected")
    }).pipe(Effect.provide(app)))

  it.live("waits as one for what a child needs approved, time and again, and repeats nothing", () =>
    Effect.gen(function*() {
      let ended: Dispatch.Ended<unknown> = yield* lead({ walk: ["a"], ship: 12 })
      for (let n = 0; n < 12; n++) {
        if (ended._tag !== "Waiting") return assert.fail(JSON.stringify(ended))
        assert.lengthOf(done, n + 2)
        const tickets = yield* Effect.flatMap(Store.Store, (store) => store.tickets())
        const open = tickets.filter((ticket) => ticket.state === "proposed")
        assert.deepStrictEqual(open.map((ticket) => ticket.id), [ended.ticket])
        // The ticket is the child's; what is resumed is the whole tree.
        yield* approve(ended.ticket)
        ended = n % 2 === 0
          ? yield* resume(open[0]?.session ?? ended.session)
          : (yield* Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.recover))[0] ?? ended
      }
      assert.deepInclude(ended, { _tag: "Succeeded", output: 13 })
      assert.deepStrictEqual(done, ["lead", "a", ...Array.from({ length: 12 }, (_, n) => `ship #${n}`)])
      for (const session of yield* sessions) {
        assert.strictEqual(session.status, "succeeded")
        assert.deepStrictEqual(C.faults(yield* rowsOf(session.id), session), [])
      }
      assert.deepStrictEqual(
        (yield* Effect.flatMap(Store.Store, (store) => store.accounts)).filter((each) => each.reserved > 0),
        []
      )
    }).pipe(Effect.provide(app)))

  it.live("fails the parent in the child's own words", () =>
    Effect.gen(function*() {
      const ended = yield* lead({ walk: ["a", "give up"], ship: 0 })
      assert.deepInclude(ended, { _tag: "Failed", abandoned: true, detail: "no way" })
      assert.sameMembers((yield* sessions).map((each) => each.status), ["abandoned", "abandoned"])
    }).pipe(Effect.provide(app)))

  it.live("starts each child once, however often the parent runs", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      onStep = (name) => name === "b" ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
      const fiber = yield* Effect.forkChild(lead({ walk: ["a", "b"], ship: 0 }))
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(fiber)
      onStep = () => Effect.void
      const [ended] = yield* Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.recover)
      assert.deepInclude(ended, { _tag: "Succeeded", output: 2 })
      assert.deepStrictEqual(done, ["lead", "a", "b", "b"])
      assert.lengthOf(yield* sessions, 2)
      const child = (yield* sessions).find((each) => each.parent !== null)
      assert.isTrue(
        Option.isSome(yield* Effect.flatMap(Log.Log, (log) => log.session(child?.id ?? C.sessionId("none"))))
      )
    }).pipe(Effect.provide(app)))
})
