import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import type { Log } from "../../src/audit/index.ts"
import type { Claims } from "../../src/capability/index.ts"
import { branch, type Governor, type GovernorError, type Session, Store } from "../../src/governor/index.ts"
import * as C from "./commits.ts"
import { act, action, bodies, kind, marks, refused, run, session, Sorry, stopped, world } from "./world.ts"

/** Runs until its handler has started, and stops it there. */
const cut = <A, E, R>(id: Claims.SessionId, body: (started: Effect.Effect<unknown>) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const started = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkChild(run(id, body(Deferred.succeed(started, undefined))))
    yield* Deferred.await(started)
    yield* Fiber.interrupt(fiber)
  })

/** What a run does. */
type Asked = Effect.Effect<unknown, Sorry | GovernorError, Governor | Session>

/** A log out of which one payload was erased or replaced. */
const without =
  (text: string, replacement: Option.Option<string>) => (log: Log.Log["Service"]): Log.Log["Service"] => ({
    ...log,
    payload: (hash) => hash === C.hashOf(text) ? Effect.succeed(replacement) : log.payload(hash)
  })

describe("a second run", () => {
  it.effect("is answered from the log: nothing happens twice", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const body = Effect.all([act(action("a", mark)), act(action("b", mark, { trust: "untrusted" }))])
      const first = yield* run(id, body)
      const second = yield* run(id, body)
      assert.deepStrictEqual(second, first)
      assert.deepStrictEqual(done, ["a", "b"])
      const kinds = (yield* bodies(id)).map((row) => row.kind)
      assert.deepStrictEqual(kinds, ["genesis", "started", "intent", "outcome", "intent", "outcome", "started"])
    }).pipe(Effect.provide(world())))

  it.effect("goes on where the first one stopped", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(id, act(action("a", mark)))
      yield* run(id, Effect.all([act(action("a", mark)), act(action("b", mark))]))
      assert.deepStrictEqual(done, ["a", "b"])
      assert.deepStrictEqual((yield* kind(id, "intent")).map((row) => row.key), ["#0", "#1"])
    }).pipe(Effect.provide(world())))

  it.effect("is told the same failure, in its own words", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const fails = act(action("a", (args) => Effect.andThen(mark(args), Effect.fail(new Sorry({ why: "once" })))))
      const first = yield* Effect.flip(run(id, fails))
      const second = yield* Effect.flip(run(id, fails))
      assert.deepStrictEqual(second, first)
      assert.instanceOf(second, Sorry)
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world())))

  it.effect("is told of a crash and of a time-out, and neither is tried again", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const started = yield* Deferred.make<void>()
      const crash = action("a", (args) => Effect.andThen(mark(args), Effect.die(new Error("boom"))))
      const slow = action("b", (args) =>
        mark(args).pipe(Effect.andThen(Deferred.succeed(started, undefined)), Effect.andThen(Effect.never)))
      const body = Effect.all([stopped(act(crash)), stopped(act(slow))])
      const fiber = yield* Effect.forkChild(run(id, body))
      yield* Deferred.await(started)
      yield* TestClock.adjust(1000)
      const first = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        first.map((reason) =>
          reason._tag
        ),
        ["HandlerBroken", "TimedOut"]
      )
      assert.deepStrictEqual(yield* run(id, body), first)
      assert.deepStrictEqual(done, ["a", "b"])
    }).pipe(Effect.provide(world())))

  it.effect("is stopped where it asks for something else than the first did", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const asked = { a: act(action("a", mark)), b: act(action("b", mark)) }
      const other: Asked = act(action("a", mark, { name: "other", capabilities: [] }))
      const cases: ReadonlyArray<readonly [string, Asked, Asked, string]> = [
        ["other arguments", Effect.all([asked.a, asked.b]), Effect.all([asked.a, act(action("c", mark))]), "#1"],
        ["another order", Effect.all([asked.a, asked.b]), Effect.all([asked.b, asked.a]), "#0"],
        ["another act", asked.a, other, "#0"],
        ["one act less", Effect.all([asked.a, asked.b]), asked.b, "#0"]
      ]
      for (const [name, before, after, key] of cases) {
        const { id } = yield* session()
        yield* run(id, before)
        done.length = 0
        const reason = yield* stopped(run(id, Effect.asVoid(after)))
        assert.deepInclude(reason, { _tag: "Nondeterminism", key }, name)
        assert.deepStrictEqual(done, [], name)
        const [noted] = yield* kind(id, "noted")
        assert.deepInclude(noted, { what: "nondeterminism", key })
        assert.match(noted?.detail ?? "", /was recorded, .* asked/)
      }
    }).pipe(Effect.provide(world())))

  it.effect("is not answered from a result that was erased or altered", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(id, act(action("a", mark)))
      const reason = yield* stopped(run(id, act(action("a", mark))))
      assert.deepInclude(reason, { _tag: "OutcomeUnknown", key: "#0" })
      assert.deepStrictEqual(done, ["a"])
    }).pipe((test) =>
      Effect.forEach(
        [Option.none<string>(), Option.some(`"did b"`), Option.some("not even JSON")],
        (replacement) => Effect.provide(test, world({ wrapLog: without(`"did a"`, replacement) }))
      )
    ))

  it.effect("is stopped when the recorded result no longer fits", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(id, act(action("a", mark)))
      const codec = { encode: () => Effect.succeed(""), decode: () => Effect.fail("a number now") }
      const reason = yield* stopped(run(id, act(action("a", mark, { success: codec }))))
      assert.deepInclude(reason, { _tag: "HandlerBroken", detail: "a number now" })
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world())))
})

describe("an act that was interrupted", () => {
  it.effect("is done again when it can be undone", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* cut(id, (started) => act(action("a", () => Effect.andThen(started, Effect.never))))
      const outcome = yield* run(id, act(action("a", mark)))
      assert.strictEqual(outcome.value, "did a")
      assert.deepStrictEqual(done, ["a"])
      const acts = (yield* bodies(id)).flatMap((row) => row.kind === "outcome" ? [[row.key, row.status]] : [])
      assert.deepStrictEqual(acts, [["#0", "interrupted"], ["#0~1", "succeeded"]])
      // And from then on it is answered.
      assert.deepStrictEqual(yield* run(id, act(action("a", mark))), outcome)
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world())))

  it.effect("is done again when even its end was never written", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const store = yield* Store.Store
      // As a process that was killed leaves it.
      const { session: first } = yield* store.commit(C.claim(id))
      const intent = C.intent("#0", 0)
      yield* store.commit(
        C.begin(first, "#0", {
          intent: { ...intent, body: { ...intent.body, args: C.hashOf(`{"args":"a"}`) } as typeof intent.body }
        })
      )
      yield* run(id, act(action("a", mark)))
      assert.deepStrictEqual(done, ["a"])
      assert.deepStrictEqual((yield* bodies(id)).map((row) => `${row.kind} ${row.key}`).slice(2), [
        "intent #0",
        "started null",
        "unknown #0",
        "intent #0~1",
        "outcome #0~1"
      ])
    }).pipe(Effect.provide(world())))

  it.effect("is not done again when it cannot be undone: a person must look", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* cut(id, (started) => act(action("a", () => Effect.andThen(started, Effect.never), { reversible: false })))
      const reason = yield* stopped(run(id, act(action("a", mark, { reversible: false }))))
      assert.deepInclude(reason, { _tag: "AwaitingSettlement", unknown: `${id}/3` })
      assert.deepStrictEqual(done, [])
      // However often it is asked.
      yield* stopped(run(id, act(action("a", mark, { reversible: false }))))
      assert.lengthOf(yield* kind(id, "intent"), 1)
    }).pipe(Effect.provide(world({ mode: "warn" }))))

  it.effect("is given up after it was lost a hundred times", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      for (let time = 0; time < 100; time++) {
        yield* cut(id, (started) => act(action("a", () => Effect.andThen(started, Effect.never))))
      }
      const reason = yield* stopped(run(id, act(action("a", mark))))
      assert.deepInclude(reason, { _tag: "OutcomeUnknown" })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))

  it.effect("must be the same act when it is done again", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* cut(id, (started) => act(action("a", () => Effect.andThen(started, Effect.never))))
      assert.deepInclude(yield* stopped(run(id, act(action("b", mark)))), { _tag: "Nondeterminism" })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))
})

describe("an act inside an act", () => {
  it.effect("has a place of its own, and is not done again when the outer one is", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const inner = act(action("inner", mark)).pipe(Effect.map((outcome) => outcome.value), Effect.orDie)
      yield* cut(id, (started) =>
        act(action("outer", () => Effect.andThen(inner, Effect.andThen(started, Effect.never)))))
      assert.deepStrictEqual(done, ["inner"])
      const outer = action("outer", (args) =>
        Effect.andThen(inner, mark(args)))
      yield* run(id, act(outer))
      assert.deepStrictEqual(done, ["inner", "outer"])
      const places = (yield* kind(id, "intent")).map((row) => row.key)
      assert.deepStrictEqual(places, ["#0", "#0#0", "#0~1"])
    }).pipe(Effect.provide(world())))

  it.effect("is not even asked for when the outer one is answered", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const inner = act(action("inner", mark)).pipe(Effect.orDie)
      const outer = act(action("outer", (args) => Effect.andThen(inner, mark(args))))
      yield* run(id, Effect.andThen(outer, act(action("next", mark))))
      yield* run(id, Effect.andThen(outer, act(action("next", mark))))
      assert.deepStrictEqual(done, ["inner", "outer", "next"])
      assert.deepStrictEqual((yield* kind(id, "intent")).map((row) => row.key), ["#0", "#0#0", "#1"])
    }).pipe(Effect.provide(world())))

  it.effect("that is refused leaves the outer one lost, not done", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const inner = act(action("inner", mark, { reserve: 5000 })).pipe(
        Effect.map((outcome) => outcome.value)
      )
      const reason = yield* refused(run(id, act(action("outer", () => inner))))
      assert.strictEqual(reason.layer, "budget")
      assert.deepStrictEqual(done, [])
      assert.deepInclude((yield* kind(id, "outcome"))[0], { key: "#0", status: "interrupted" })
    }).pipe(Effect.provide(world())))
})

describe("acts side by side", () => {
  it.effect("are answered each on its own branch, in whatever order they come", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const lane = (name: string, first: number, second: number) =>
        Effect.gen(function*() {
          yield* Effect.sleep(first)
          const one = yield* act(action(`${name}1`, mark))
          yield* Effect.sleep(second)
          const two = yield* act(action(`${name}2`, mark))
          return [one.value, two.value]
        }).pipe(branch(name))
      const both = (pace: number) =>
        Effect.gen(function*() {
          const lanes = [lane("a", pace, 10), lane("b", 5, pace)]
          const fiber = yield* Effect.forkChild(run(id, Effect.all(lanes, { concurrency: "unbounded" })))
          while (fiber.pollUnsafe() === undefined) {
            yield* TestClock.adjust(1)
            yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
          }
          return yield* Fiber.join(fiber)
        })
      const first = yield* both(1)
      assert.deepStrictEqual(first, [["did a1", "did a2"], ["did b1", "did b2"]])
      const places = (yield* kind(id, "intent")).map((row) => row.key)
      assert.sameMembers(places, ["/a#0", "/a#1", "/b#0", "/b#1"])
      // The second run meets them in another order.
      assert.deepStrictEqual(yield* both(30), first)
      assert.lengthOf(done, 4)
    }).pipe(Effect.provide(world())))

  it.effect("share no place when two branches have one name", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const twice = Effect.all([
        branch("same")(act(action("a", mark))),
        Effect.exit(branch("same")(act(action("b", mark))))
      ])
      const [, second] = yield* run(id, twice)
      // The place is taken: the second is refused rather than answered with the first.
      assert.isTrue(Exit.isFailure(second) && Cause.pretty(second.cause).includes("has already begun"))
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world())))
})
