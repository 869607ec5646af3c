import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { Kept } from "../../src/trust/Kept.ts"
import * as Pattern from "../../src/trust/Pattern.ts"

interface Finding {
  readonly strength: "weak" | "strong"
  readonly start: number
  readonly end: number
  readonly id: number
}

/** The same without a bound on what is held: everything is sorted, and then cut. */
const unbounded = (findings: ReadonlyArray<Finding>, most: number): ReadonlyArray<Finding> => {
  const inOrder = (a: Finding, b: Finding) => a.start - b.start || a.end - b.end
  const all = findings.toSorted(inOrder)
  if (all.length <= most) return all
  const strong = all.filter(({ strength }) => strength === "strong")
  const weak = all.filter(({ strength }) => strength === "weak")
  return [...strong, ...weak].slice(0, most).toSorted(inOrder)
}

const finding = (places: number) =>
  fc.record({
    strength: fc.constantFrom("weak" as const, "strong" as const),
    start: fc.nat(places),
    length: fc.nat(2)
  })

describe("Kept", () => {
  it("keeps what would be kept of all, in the same order, also where many stand in one place", () => {
    const most = fc.constantFrom(1, 2, 8, 64)
    const findings = fc.constantFrom(2, 40, 10_000).chain((places) =>
      fc.array(finding(places), { maxLength: 400, size: "max" })
    )
    fc.assert(fc.property(most, findings, (most, made) => {
      const kept = new Kept<Finding>(most)
      const all = made.map(({ length, start, strength }, id): Finding => ({ strength, start, end: start + length, id }))
      all.forEach(kept.add)
      assert.deepStrictEqual(kept.all(), unbounded(all, most))
    }))
  })
})

describe("Pattern.run", () => {
  it("finds the runs that a pattern finds, one after the other", () => {
    const isOf = (code: number) => code === 97 || code === 98
    const texts = fc.string({ unit: fc.constantFrom("a", "b", "a", "b", " ", "\ud83d"), maxLength: 80 })
    fc.assert(fc.property(texts, fc.integer({ min: 1, max: 6 }), (text, least) => {
      const found: Array<Pattern.Place> = []
      for (let from = 0;;) {
        const place = Pattern.run(text, from, least, isOf)
        if (place === undefined) break
        found.push(place)
        from = place.end
      }
      assert.deepStrictEqual(found, Pattern.places(new RegExp(`[ab]{${least},}`, "g"), text))
    }))
  })
})
