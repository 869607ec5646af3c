/** A session that is running with nobody in it is told to go on; one that somebody works on is left alone. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Store } from "../../src/governor/index.ts"
import { type DispatchError, failWith, Unrecorded } from "../../src/session/Ended.ts"
import type { Mailbox } from "../../src/session/index.ts"
import { quietMs, sweep } from "../../src/session/Sweep.ts"
import * as C from "../governor/commits.ts"

/** A sweep over the store of the test, and what it told; sessions of these tests have no wakes but their start. */
const swept = Effect.fnUntraced(function*(
  options: {
    readonly isKnown?: boolean
    readonly tell?: (message: Mailbox.Message) => Effect.Effect<void, DispatchError>
  } = {}
) {
  const store = yield* Store.Store
  const told: Array<string> = []
  const aside: Array<string> = []
  const unasked = () => Effect.die("a sweep runs nothing itself")
  yield* Effect.forkScoped(sweep({
    store,
    runs: {
      run: unasked,
      standing: unasked,
      isKnown: () => Effect.succeed(options.isKnown ?? true),
      setAside: (id) => Effect.sync(() => void aside.push(id))
    },
    tell: (message) =>
      Effect.andThen(
        options.tell?.(message) ?? Effect.void,
        Effect.sync(() =>
          void (message.reason.startsWith("quiet/") && told.push(`${message.session} ${message.reason}`))
        )
      ),
    graceMs: 0
  }))
  return { told, aside }
})

const test = <A, E>(body: Effect.Effect<A, E, Effect.Services<ReturnType<typeof swept>>>) =>
  body.pipe(Effect.scoped, Effect.provide(MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer))))

describe("the sweep", () => {
  it.effect("tells a run that has written nothing for a while to go on, once for each silence", () =>
    test(Effect.gen(function*() {
      const store = yield* Store.Store
      const session = yield* C.opened()
      const { told } = yield* swept()
      yield* TestClock.adjust(quietMs)
      assert.deepStrictEqual(told, [])
      yield* TestClock.adjust("40 seconds")
      assert.deepStrictEqual(told, [`${session.id} quiet/1`])
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(told, 1)
      // Somebody is there again; then it is quiet once more.
      const { row } = yield* store.commit(C.append(session))
      yield* TestClock.adjust(quietMs)
      assert.lengthOf(told, 1)
      yield* TestClock.adjust("40 seconds")
      assert.deepStrictEqual(told.slice(1), [`${session.id} quiet/${row.seq}`])
    })))

  it.effect("leaves alone what writes now and then, what rests, and children, whose parents are told", () =>
    test(Effect.gen(function*() {
      const store = yield* Store.Store
      const busy = yield* C.opened()
      for (const status of ["waiting", "paused", "succeeded"] as const) {
        yield* store.commit(C.append(yield* C.opened(), { status }))
      }
      const child = C.open(C.sessionId(`${busy.id}.child`))
      yield* store.commit({ ...child, session: { ...child.session, parent: busy.id } })
      const { told } = yield* swept()
      for (let minute = 0; minute < 20; minute++) {
        yield* TestClock.adjust("1 minute")
        yield* store.commit(C.append(busy))
      }
      assert.deepStrictEqual(told, [])
    })))

  it.effect("tells again when the message could not be sent", () =>
    test(Effect.gen(function*() {
      const session = yield* C.opened()
      let failures = 2
      const { told } = yield* swept({
        tell: ({ reason }) =>
          Effect.suspend(() =>
            reason.startsWith("quiet/") && failures-- > 0
              ? Effect.fail(failWith(new Unrecorded({ detail: "not sent", remedy: "send again" })))
              : Effect.void
          )
      })
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(told, [`${session.id} quiet/1`])
    })))

  it.effect("sets aside a quiet session whose class nobody knows, and tells nobody", () =>
    test(Effect.gen(function*() {
      const session = yield* C.opened()
      const { aside, told } = yield* swept({ isKnown: false })
      yield* TestClock.adjust("9 minutes")
      assert.deepStrictEqual(aside, [])
      yield* TestClock.adjust("5 minutes")
      assert.include(aside, session.id)
      assert.deepStrictEqual(told, [])
    })))
})
