/** Which commits share a transaction, and what never happens at the same time. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import * as Groups from "../../../layers/sql/Groups.ts"
import { Transition } from "../../../src/governor/index.ts"
import type { Store } from "../../../src/governor/index.ts"
import * as C from "../../governor/commits.ts"

const session = (name: string) => ({ ...C.summary(C.sessionId(name)), epoch: 1 })
const note = (name: string, detail = "") => C.append(session(name), { row: C.note(detail) })
const paid = (name: string, key: string) =>
  C.begin(session(name), key, { accounts: ["class:shared"], reserve: 5, payloads: [] })
const free = (name: string, key: string) =>
  C.begin(session(name), key, { accounts: ["class:shared"], reserve: 0, payloads: [] })

/** A writer that holds each group until it is let go, and answers it then. */
const writer = () => {
  const held: Array<{ readonly group: ReadonlyArray<Groups.Waiting>; readonly go: Deferred.Deferred<void> }> = []
  const written: Array<Store.Commit> = []
  let most = 0
  let underWay = 0
  const write = (group: ReadonlyArray<Groups.Waiting>) =>
    Effect.gen(function*() {
      const go = yield* Deferred.make<void>()
      const own = { group, go }
      held.push(own)
      most = Math.max(most, ++underWay)
      yield* Deferred.await(go)
      held.splice(held.indexOf(own), 1)
      underWay--
      for (const { commit, done } of group) {
        written.push(commit)
        const row = {
          v: 1,
          session: C.sessionId("s"),
          seq: 0,
          at: 0,
          prev: C.hashOf(""),
          hash: C.hashOf(""),
          ...C.note("")
        }
        yield* Deferred.succeed(done, { row: { ...row, v: 1 as const }, session: session("s") })
      }
    })
  const letGo = (index: number) =>
    Effect.suspend(() => {
      const own = held[index]
      return own === undefined ? Effect.void : Effect.andThen(Deferred.succeed(own.go, undefined), settle)
    })
  return { held, written, write, letGo, most: () => most, sizes: () => held.map(({ group }) => group.length) }
}

/** Lets everything that can run do so. */
const settle = Effect.repeat(Effect.yieldNow, { times: 20 })

const offered = <A, E>(commits: ReadonlyArray<Effect.Effect<A, E>>) =>
  Effect.andThen(Effect.forEach(commits, (commit) => Effect.forkChild(commit)), (fibers) => Effect.as(settle, fibers))

describe("groups of commits", () => {
  it.effect("take along what arrived while one was under way", () =>
    Effect.gen(function*() {
      const { letGo, sizes, write } = writer()
      const commit = yield* Groups.make(write)
      yield* offered([commit(note("a"))])
      assert.deepStrictEqual(sizes(), [1])
      yield* offered(["b", "c", "d"].map((name) => commit(note(name))))
      assert.deepStrictEqual(sizes(), [1])
      yield* letGo(0)
      assert.deepStrictEqual(sizes(), [3])
      yield* letGo(0)
    }))

  it.effect("go ahead beside one under way when enough waits, or when it has waited long enough", () =>
    Effect.gen(function*() {
      const { letGo, most, sizes, write } = writer()
      const commit = yield* Groups.make(write)
      yield* offered([commit(note("a"))])
      yield* offered(Array.from({ length: 64 }, (_, n) => commit(note(`b${n}`))))
      assert.deepStrictEqual(sizes(), [1, 64])
      yield* offered([commit(note("c"))])
      assert.deepStrictEqual(sizes(), [1, 64])
      yield* TestClock.adjust("60 millis")
      yield* settle
      assert.deepStrictEqual(sizes(), [1, 64, 1])
      // There is an end to it.
      yield* offered(Array.from({ length: 300 }, (_, n) => commit(note(`d${n}`))))
      yield* TestClock.adjust("1 second")
      yield* settle
      assert.strictEqual(most(), 3)
      yield* letGo(0)
      assert.deepStrictEqual(sizes(), [64, 1, 256])
      for (let n = 0; n < 4; n++) yield* letGo(0)
      assert.deepStrictEqual(sizes(), [])
    }))

  it.effect("wait for what they share: a tree of sessions, or an account that both draw on", () =>
    Effect.gen(function*() {
      const { letGo, sizes, write } = writer()
      const commit = yield* Groups.make(write)
      yield* offered([commit(paid("a", "#0"))])
      const sharing = [note("a"), note("a.child"), paid("b", "#0")]
      const apart = [free("c", "#0"), note("d")]
      yield* offered([...sharing, ...apart].map(commit))
      yield* TestClock.adjust("60 millis")
      yield* settle
      assert.deepStrictEqual(sizes(), [1, 2])
      yield* letGo(0)
      yield* TestClock.adjust("60 millis")
      yield* settle
      assert.deepStrictEqual(sizes(), [2, 3])
      yield* letGo(1)
      yield* letGo(0)
    }))

  it.effect("of one session keep their order and are never apart, whatever arrives and ends when", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(5), fc.nat(3), fc.boolean()), { minLength: 1, maxLength: 120 }),
          (steps) => Effect.runPromise(Effect.scoped(anyOrder(steps)))
        ),
        { numRuns: 60 }
      )
    ))

  it.effect("that still wait when the log closes are told so, and those under way are waited for", () =>
    Effect.gen(function*() {
      const { letGo, written, write } = writer()
      const scope = yield* Scope.make()
      const commit = yield* Scope.provide(Groups.make(write), scope)
      const [first] = yield* offered([commit(note("a"))])
      const late = yield* offered([commit(note("b")), commit(note("a"))])
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      for (const fiber of late) {
        const result = yield* Effect.result(Fiber.join(fiber))
        assert.isTrue(Result.isFailure(result))
        if (Result.isFailure(result)) assert.deepInclude(result.failure.reason, { detail: "the log was closed" })
      }
      assert.isUndefined(closing.pollUnsafe())
      yield* letGo(0)
      yield* Fiber.join(closing)
      if (first !== undefined) yield* Fiber.join(first)
      assert.lengthOf(written, 1)
      assert.deepInclude((yield* Effect.flip(commit(note("c")))).reason, { detail: "the log was closed" })
    }))
})

/** Offers commits of six sessions, and lets groups go in any order; each session writes what it was given, in order. */
const anyOrder = Effect.fnUntraced(function*(steps: ReadonlyArray<readonly [number, number, boolean]>) {
  const { held, letGo, written, write } = writer()
  const commit = yield* Groups.make(write)
  const fibers: Array<Fiber.Fiber<Store.Committed, Store.StoreError>> = []
  for (const [index, [name, group, isPaid]] of steps.entries()) {
    fibers.push(yield* Effect.forkChild(commit(isPaid ? paid(`s${name}`, `#${index}`) : note(`s${name}`, `#${index}`))))
    if (index % 4 === 0) yield* letGo(group)
    const keys = held.map(({ group }) => new Set(group.map(({ commit }) => Transition.reads(commit).sessions[0])))
    const all = keys.flatMap((own) => [...own])
    assert.lengthOf(new Set(all), all.length, "a session is in two groups")
  }
  do {
    yield* settle
    yield* letGo(0)
  } while (written.length < steps.length)
  yield* Effect.forEach(fibers, Fiber.join)
  for (let name = 0; name < 6; name++) {
    const own = written.flatMap((commit) =>
      commit._tag === "Begin" && commit.session === `s${name}`
        ? [commit.key]
        : commit._tag === "Append" && commit.session === `s${name}` && commit.row.body.kind === "noted"
        ? [commit.row.body.detail]
        : []
    )
    assert.deepStrictEqual(own, steps.flatMap(([of], index) => of === name ? [`#${index}`] : []))
  }
})
