/** All of a value is looked at, up to the bound, and each finding is placed in the field that it stands in. */
import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { Detected } from "../../src/trust/index.ts"

const mark = "<|im_start|>"
/** Finds one thing, so that only places are put to the test. */
const scan: Detected.Scan = (text) =>
  Array.from(text.matchAll(/<\|im_start\|>/g), ({ index }) => ({
    rule: "template",
    strength: "strong",
    via: "text",
    start: index,
    end: index + mark.length
  }))

describe("looking at a value", () => {
  it("finds what stands anywhere in it, and names the field and the place in it", () => {
    const value = { a: ["x", { b: `one ${mark}` }], c: "plain", "a name with words": 1 }
    const found = Detected.look(value, scan)
    assert.deepStrictEqual(found?.findings.map(({ end, path, start }) => [path, start, end]), [["a.1.b", 4, 16]])
    assert.isUndefined(Detected.look({ a: 1, b: [null, true] }, scan))
    assert.isTrue(Detected.look({ [`${mark} in a name`]: 1 }, scan)?.isSuspicious)
  })

  it("misses nothing at the edges of pieces, whatever the lengths are", () => {
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 40_000 })), {
      minLength: 1,
      maxLength: 6
    })
    fc.assert(
      fc.property(lengths, fc.nat(), fc.nat(), (all, which, where) => {
        const at = which % all.length
        const before = where % ((all[at] ?? 0) + 1)
        const value = all.map((length, index) =>
          index === at ? "a".repeat(before) + mark + "b".repeat(length - before) : "c".repeat(length)
        )
        const found = Detected.look(value, scan)
        assert.deepStrictEqual(
          found?.findings.map(({ end, path, start }) => [path, start, end]),
          [[`${at}`, before, before + mark.length]]
        )
      }),
      { numRuns: 300, seed: 9 }
    )
  })

  it("reads every character up to the bound, in pieces of bounded length, and counts the rest", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 40 }), (lengths) => {
        const { pieces, unread } = Detected.pieces(lengths.map((length) => "a".repeat(length)))
        const whole = lengths.reduce((sum, length) => sum + length, 0)
        assert.isTrue(pieces.every(({ text }) => text.length <= Detected.pieceLength))
        assert.strictEqual(unread, Math.max(0, whole - Detected.maxRead))
      }),
      { numRuns: 50, seed: 4 }
    )
  })
})
