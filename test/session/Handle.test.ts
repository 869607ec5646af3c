/** A message is done when its session rests, whoever ran it there; and not when somebody else only said that he would. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Memory } from "../../layers/presets/index.ts"
import { Store } from "../../src/governor/index.ts"
import { type DispatchError, failWith, Superseded, Unrecorded } from "../../src/session/Ended.ts"
import { Cluster, Runs } from "../../src/session/index.ts"
import * as C from "../governor/commits.ts"

const session = C.sessionId("ses_1")
const superseded = Effect.fail(failWith(new Superseded({ session })))
const unanswered = Effect.fail(failWith(new Unrecorded({ detail: "no answer", remedy: "ask again" })))

/** Runs that go as told, one after the other, and what was asked of them. */
const scripted = (
  runs: ReadonlyArray<Effect.Effect<void, DispatchError>>,
  looks: ReadonlyArray<Effect.Effect<boolean, DispatchError>>
) => {
  const asked: Array<string> = []
  const unasked = () => Effect.die("nobody asks for this")
  const next = <A>(what: string, script: ReadonlyArray<Effect.Effect<A, DispatchError>>, otherwise: A) =>
    Effect.suspend(() => {
      const turn = script[asked.filter((before) => before === what).length]
      asked.push(what)
      return turn ?? Effect.succeed(otherwise)
    })
  const service: Runs.Runs["Service"] = {
    run: () => next("run", runs, undefined),
    follow: () => next("follow", looks, true),
    standing: unasked,
    isKnown: () => Effect.succeed(true),
    setAside: unasked
  }
  return { asked, service }
}

describe("a message to a session", () => {
  it.effect("is done when its run is", () =>
    Effect.gen(function*() {
      const { asked, service } = scripted([], [])
      yield* Cluster.handle(service, session)
      assert.deepStrictEqual(asked, ["run"])
    }))

  it.effect("whose run was replaced is done when the other run rests, and no sooner", () =>
    Effect.gen(function*() {
      const { asked, service } = scripted([superseded], [Effect.as(Effect.sleep("10 seconds"), true)])
      const handled = yield* Effect.forkChild(Cluster.handle(service, session))
      yield* TestClock.adjust("9 seconds")
      assert.isUndefined(handled.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(handled)
      assert.deepStrictEqual(asked, ["run", "follow"])
    }))

  it.effect("whose run was replaced runs the session again when the other run is gone", () =>
    Effect.gen(function*() {
      const { asked, service } = scripted([superseded, superseded], [Effect.succeed(false), Effect.succeed(false)])
      yield* Cluster.handle(service, session)
      assert.deepStrictEqual(asked, ["run", "follow", "run", "follow", "run"])
    }))

  it.effect("is tried again for as long as the log does not answer", () =>
    Effect.gen(function*() {
      const { asked, service } = scripted([unanswered, superseded], [unanswered, Effect.succeed(true)])
      const handled = yield* Effect.forkChild(Cluster.handle(service, session))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(handled)
      assert.deepStrictEqual(asked, ["run", "run", "follow", "follow"])
    }))
})

describe("a run of somebody else", () => {
  const followed = Effect.gen(function*() {
    const { id, ...opened } = yield* C.opened()
    const runs = yield* Runs.Runs
    return { session: { id, ...opened }, watch: yield* Effect.forkChild(runs.follow(id)) }
  })

  it.effect("is followed until the session rests", () =>
    Effect.gen(function*() {
      const store = yield* Store.Store
      const { session, watch } = yield* followed
      // It is at work: a row now and then is enough.
      for (let turn = 0; turn < 5; turn++) {
        yield* TestClock.adjust("50 seconds")
        yield* store.commit(C.append(session))
      }
      assert.isUndefined(watch.pollUnsafe())
      yield* store.commit(C.append(session, { status: "waiting" }))
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(yield* Fiber.join(watch))
    }).pipe(Effect.provide(Memory.layer())))

  it.effect("that writes nothing for a minute is taken to be gone", () =>
    Effect.gen(function*() {
      const { watch } = yield* followed
      yield* TestClock.adjust("59 seconds")
      assert.isUndefined(watch.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.isFalse(yield* Fiber.join(watch))
    }).pipe(Effect.provide(Memory.layer())))
})
