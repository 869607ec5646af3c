/** Circuits: closed until failures come close together, open for a while, then asked once; and never stuck. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { Breaker } from "../../src/backend/index.ts"

const policy: Breaker.Policy = { failures: 3, windowMs: 1000, openMs: 500 }

/** What happens on a circuit, each a while after the one before. */
const event = fc.record({
  afterMs: fc.integer({ min: 0, max: 700 }),
  what: fc.constantFrom("failed" as const, "succeeded" as const, "neither" as const, "lost" as const)
})

/** Plays events: who may not enter does not. Gives every circuit after its event, with the instant. */
const play = (events: ReadonlyArray<{ readonly afterMs: number; readonly what: Breaker.End | "lost" }>) => {
  let circuit = Breaker.closed
  let now = 0
  return events.map(({ afterMs, what }) => {
    now += afterMs
    const before = circuit
    const entered = Breaker.enter(circuit, policy, now)
    // A call that is lost entered, and nobody ever heard of it again.
    if (entered !== null) circuit = what === "lost" ? entered : Breaker.leave(entered, what, policy, now)
    return { before, after: circuit, isAdmitted: entered !== null, now, what }
  })
}

describe("a circuit", () => {
  it("admits every call until it has failed often enough in its window, and none right after", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const recent: Array<number> = []
        for (const { after, before, isAdmitted, now, what } of play(events)) {
          const at = Breaker.phase(before, policy, now)
          if (at === "closed") assert.isTrue(isAdmitted)
          if (at === "open") assert.isFalse(isAdmitted)
          if (!isAdmitted) {
            assert.strictEqual(after, before)
            continue
          }
          if (what === "succeeded") recent.length = 0
          if (what === "failed") recent.push(now)
          const close = recent.filter((one) => now - one < policy.windowMs).length
          if (before.openedAt === null) assert.strictEqual(after.openedAt !== null, close >= policy.failures)
          if (what === "succeeded") assert.deepStrictEqual(after, Breaker.closed)
          assert.isAtMost(after.failures.length, policy.failures)
        }
      }),
      { numRuns: 3000 }
    )
  })

  it("is probed by one call at a time, and is never closed to all for longer than its time", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const last = play(events).at(-1)
        if (last === undefined) return
        const later = last.now + policy.openMs
        const entered = Breaker.enter(last.after, policy, later)
        assert.isNotNull(entered)
        if (entered !== null && Breaker.phase(entered, policy, later) === "half_open") {
          assert.isNull(Breaker.enter(entered, policy, later))
          assert.isNotNull(Breaker.enter(Breaker.leave(entered, "neither", policy, later), policy, later))
          assert.strictEqual(Breaker.leave(entered, "failed", policy, later).openedAt, later)
        }
      }),
      { numRuns: 3000 }
    )
  })

  it.effect("goes by the clock, tells where it stands, and shows it as a metric", () =>
    Effect.gen(function*() {
      const breakers = Breaker.make(policy)
      const shown = Effect.map(Metric.snapshot, (all) =>
        all.find(({ attributes, id }) =>
          id === "aosiq_backend_circuit" && attributes?.["backend"] === "test/one"
        ))
      for (const _ of [1, 2, 3]) {
        assert.isTrue(yield* breakers.enter("test/one"))
        yield* breakers.leave("test/one", "failed")
      }
      assert.isFalse(yield* breakers.enter("test/one"))
      assert.isTrue(yield* breakers.enter("test/two"))
      assert.deepStrictEqual(yield* breakers.standings, [
        { backend: "test/one", phase: "open", failures: 3 },
        { backend: "test/two", phase: "closed", failures: 0 }
      ])
      assert.deepInclude((yield* shown)?.state, { value: 2 })
      assert.strictEqual(yield* breakers.longestAlone(["test/one", "test/two"]), "test/two")
      yield* TestClock.adjust(policy.openMs)
      assert.isTrue(yield* breakers.enter("test/one"))
      assert.isFalse(yield* breakers.enter("test/one"))
      assert.deepInclude((yield* shown)?.state, { value: 1 })
      yield* breakers.leave("test/one", "succeeded")
      assert.isTrue(yield* breakers.enter("test/one"))
      assert.deepInclude((yield* shown)?.state, { value: 0 })
    }))
})
