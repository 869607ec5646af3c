/** What counts as going round in circles, and what does not. */
import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { LoopGuard } from "../../src/evidence/index.ts"

const bounds = LoopGuard.standard
const run = (...calls: ReadonlyArray<readonly [what: string, found: string | null]>): ReadonlyArray<LoopGuard.Asked> =>
  calls.map(([what, found], turn) => ({ tool: what.slice(0, 1), what, found, turn }))

describe("a call", () => {
  it("that was asked for three times is not run again", () => {
    const twice = run(["a", "1"], ["a", "2"])
    assert.isUndefined(LoopGuard.before("a", twice, bounds))
    const thrice = [...twice, ...run(["a", "3"])]
    assert.strictEqual(LoopGuard.before("a", thrice, bounds)?.kind, "repetition")
    assert.isUndefined(LoopGuard.before("b", thrice, bounds))
  })

  it("that would begin a third round of the same is not run", () => {
    const rounds = run(["a", "1"], ["b", "2"], ["a", "1"], ["b", "2"])
    const loop = LoopGuard.before("a", rounds, bounds)
    assert.strictEqual(loop?.kind, "cycle")
    assert.include(loop?.detail ?? "", "the same 2 calls")
    const refused = [...rounds, { tool: "a", what: "a", found: null, turn: 4 }]
    assert.strictEqual(LoopGuard.before("b", refused, bounds)?.kind, "cycle")
    assert.isUndefined(LoopGuard.before("c", rounds, bounds))
    const three = run(["a", "1"], ["b", "2"], ["c", "3"], ["a", "1"], ["b", "2"], ["c", "3"])
    assert.strictEqual(LoopGuard.before("a", three, bounds)?.kind, "cycle")
  })

  it("whose answers change is no cycle", () => {
    const rounds = run(["a", "1"], ["b", "2"], ["a", "1"], ["b", "3"])
    assert.isUndefined(LoopGuard.before("a", rounds, bounds))
  })
})

describe("turns", () => {
  it("that bring nothing new are counted from the last that did", () => {
    const calls = run(["a", "1"], ["a", "1"], ["b", null], ["a2", "1"], ["a3", "1"], ["a4", "1"])
    assert.isUndefined(LoopGuard.stale(calls, bounds))
    const more = [...calls, { tool: "a", what: "a5", found: "1", turn: 6 }]
    assert.strictEqual(LoopGuard.stale(more, bounds)?.kind, "no_evidence")
    assert.isUndefined(LoopGuard.stale([...more, { tool: "a", what: "a6", found: "2", turn: 7 }], bounds))
  })

  it("that each bring something new are never enough", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), (length) => {
      const calls = Array.from({ length }, (_, turn) => ({ tool: "t", what: `w${turn}`, found: `f${turn}`, turn }))
      assert.isUndefined(LoopGuard.stale(calls, bounds))
      assert.isUndefined(LoopGuard.before(`w${length}`, calls, bounds))
    }))
  })
})
