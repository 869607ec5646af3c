/** Operators stop sessions: nothing begins after it, in no session of the tree, and a paused one goes on where it was. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor, Timer } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { type Claims, Grant } from "../../src/capability/index.ts"
import { Store } from "../../src/governor/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as C from "../governor/commits.ts"

const Step = Tool.make("step", {
  description: "takes a step",
  capabilities: ["tool:step"],
  params: Schema.String,
  success: Schema.String
})
const Jump = Tool.make("jump", {
  description: "jumps",
  capabilities: ["tool:jump"],
  reversible: false,
  params: Schema.String,
  success: Schema.String
})

const done: Array<string> = []
let onStep: (name: string) => Effect.Effect<void> = () => Effect.void
const handlers = Layer.mergeAll(
  Tool.layer(Step, (name) => Effect.as(Effect.andThen(onStep(name), Effect.sync(() => done.push(name))), name)),
  Tool.layer(Jump, (name) => Effect.as(Effect.sync(() => done.push(`jump ${name}`)), name))
)

const Child = DeterministicActor.make("Child", {
  description: "takes two steps",
  input: Schema.String,
  output: Schema.String,
  tools: [Step],
  run: (name) => Effect.andThen(Tool.call(Step, `${name} 1`), Tool.call(Step, `${name} 2`))
})
const Parent = DeterministicActor.make("Parent", {
  description: "has a child take its steps, then takes one",
  input: Schema.String,
  output: Schema.String,
  tools: [Child.tool, Step],
  run: (name) => Effect.andThen(Actor.spawn(Child, name), Tool.call(Step, `${name} 3`))
})
const Jumper = DeterministicActor.make("Jumper", {
  description: "jumps",
  input: Schema.String,
  output: Schema.String,
  tools: [Jump],
  run: (name) => Tool.call(Jump, name)
})
const Sleeper = DeterministicActor.make("Sleeper", {
  description: "steps, sleeps for an hour, and steps again",
  input: Schema.String,
  output: Schema.String,
  tools: [Step],
  run: (name) =>
    Effect.gen(function*() {
      yield* Tool.call(Step, `${name} before`)
      yield* Timer.sleep("1 hour")
      return yield* Tool.call(Step, `${name} after`)
    })
})

const app = Layer.mergeAll(Actor.layer(Parent), Actor.layer(Jumper), Actor.layer(Sleeper)).pipe(
  Layer.provideMerge(Actor.layer(Child)),
  Layer.provide(handlers),
  Layer.provideMerge(Memory.layer())
)
const order = { grant: Grant.make(["tool:step", "tool:jump", "spawn:Child"]), caller: "ada" }
const parent = (name: string) => Dispatch.Dispatch.use((dispatch) => dispatch.start(Parent, name, order))
const control = (action: "cancel" | "pause" | "unpause", session: Claims.SessionId) =>
  Dispatch.Dispatch.use((dispatch) => dispatch[action]({ session, by: "grace", reason: "a test" }))
const resume = (session: Claims.SessionId) => Dispatch.Dispatch.use((dispatch) => dispatch.resume(session))
const all = Effect.flatMap(Log.Log, (log) => log.sessions)

/** Runs `start` until it is inside the step of that name, does `meanwhile`, and lets it go on to its end. */
const during = <A, E, R, E2, R2>(
  start: Effect.Effect<A, E, R>,
  name: string,
  meanwhile: Effect.Effect<unknown, E2, R2>
) =>
  Effect.gen(function*() {
    done.length = 0
    const reached = yield* Deferred.make<void>()
    const released = yield* Deferred.make<void>()
    onStep = (step) =>
      step === name ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(released)) : Effect.void
    const fiber = yield* Effect.forkChild(start)
    yield* Deferred.await(reached)
    yield* meanwhile
    onStep = () => Effect.void
    yield* Deferred.succeed(released, undefined)
    return yield* Fiber.join(fiber)
  })

const root = Effect.map(all, ([first]) => first?.id ?? C.sessionId("none"))
const statuses = Effect.map(all, (sessions) => sessions.map(({ status }) => status))
const whole = Effect.gen(function*() {
  const log = yield* Log.Log
  for (const session of yield* log.sessions) {
    assert.deepStrictEqual(C.faults(yield* log.rows(session.id), session), [])
  }
})

describe("a session that is cancelled", () => {
  it.live("ends with all below it: the act under way comes to its outcome, and no other begins", () =>
    Effect.gen(function*() {
      const ended = yield* during(parent("a"), "a 1", Effect.flatMap(root, (id) => control("cancel", id)))
      assert.strictEqual(ended._tag, "Cancelled")
      if (ended._tag === "Cancelled") assert.match(ended.detail, /cancelled by grace: a test/)
      assert.deepStrictEqual(done, ["a 1"])
      assert.deepStrictEqual(yield* statuses, ["cancelled", "cancelled"])
      const id = yield* root
      assert.strictEqual((yield* resume(id))._tag, "Cancelled")
      assert.strictEqual((yield* Effect.flip(control("unpause", id))).reason._tag, "NotPossible")
      assert.deepStrictEqual(done, ["a 1"])
      yield* whole
    }).pipe(Effect.provide(app)))

  it.live("as a child alone, fails its parent's call and leaves the parent to go on", () =>
    Effect.gen(function*() {
      const child = Effect.map(all, (sessions) =>
        sessions.find(({ actor }) => actor === "Child")?.id ?? C.sessionId("none"))
      const ended = yield* during(
        parent("b"),
        "b 1",
        Effect.flatMap(child, (id) =>
          control("cancel", id))
      )
      assert.strictEqual(ended._tag, "Failed")
      assert.deepStrictEqual(done, ["b 1"])
      yield* whole
    }).pipe(Effect.provide(app)))

  it.live("while it waits, takes its ticket with it", () =>
    Effect.gen(function*() {
      done.length = 0
      const ended = yield* Dispatch.Dispatch.use((dispatch) => dispatch.start(Jumper, "c", order))
      if (ended._tag !== "Waiting") return assert.fail(ended._tag)
      yield* control("cancel", ended.session)
      const vote = { ticket: ended.ticket, by: "grace", approve: true, reason: "" }
      const error = yield* Effect.flip(Approvals.Approvals.use((approvals) => approvals.decide(vote)))
      assert.strictEqual(error.reason._tag, "NotDecidable")
      assert.strictEqual((yield* resume(ended.session))._tag, "Cancelled")
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(app)))
})

describe("a session that is paused", () => {
  it.live("stops between two acts, and goes on from there", () =>
    Effect.gen(function*() {
      const ended = yield* during(parent("d"), "d 1", Effect.flatMap(root, (id) => control("pause", id)))
      assert.strictEqual(ended._tag, "Paused")
      assert.deepStrictEqual(done, ["d 1"])
      assert.deepStrictEqual(yield* statuses, ["paused", "paused"])
      const id = yield* root
      assert.strictEqual((yield* resume(id))._tag, "Paused")
      assert.deepStrictEqual(done, ["d 1"])
      yield* control("unpause", id)
      assert.deepInclude(yield* resume(id), { _tag: "Succeeded", output: "d 3" })
      assert.deepStrictEqual(done, ["d 1", "d 2", "d 3"])
      yield* whole
    }).pipe(Effect.provide(app)))

  it.live("through its child, is paused as a whole", () =>
    Effect.gen(function*() {
      const child = Effect.map(all, (sessions) =>
        sessions.find(({ actor }) => actor === "Child")?.id ?? C.sessionId("none"))
      const ended = yield* during(
        parent("e"),
        "e 1",
        Effect.flatMap(child, (id) =>
          control("pause", id))
      )
      assert.strictEqual(ended._tag, "Paused")
      assert.deepStrictEqual(yield* statuses, ["paused", "paused"])
    }).pipe(Effect.provide(app)))
})

describe("a session that sleeps", () => {
  it.effect("holds nothing, and goes on by itself when the time has come", () =>
    Effect.gen(function*() {
      done.length = 0
      onStep = () => Effect.void
      const ended = yield* Dispatch.Dispatch.use((dispatch) => dispatch.start(Sleeper, "f", order))
      assert.deepInclude(ended, { _tag: "Sleeping", until: 3_600_000 })
      assert.deepStrictEqual(yield* statuses, ["waiting"])
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual(done, ["f before"])
      assert.deepInclude(yield* resume(ended.session), { _tag: "Sleeping", until: 3_600_000 })
      assert.deepStrictEqual(done, ["f before"])
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(done, ["f before", "f after"])
      assert.deepInclude(yield* resume(ended.session), { _tag: "Succeeded", output: "f after" })
      assert.deepStrictEqual(yield* Store.Store.use((store) => store.due(Number.MAX_SAFE_INTEGER, 10)), [])
      yield* whole
    }).pipe(Effect.provide(app)))
})
