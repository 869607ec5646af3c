/** A log of any length in a bounded space, without losing what matters in it. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import fc from "fast-check"
import { LogDigest } from "../../../src/agents/advisor/index.ts"
import type * as Source from "../../../src/agents/advisor/Source.ts"
import { digest, line, lines, minute, start } from "./file.ts"

const levels = ["trace", "debug", "info", "warn", "error", "fatal", "unknown"] as const
const gap = (source: string): Source.Gap => ({ source, detail: "torn", remedy: "mend it" })

describe("a template", () => {
  const templates: ReadonlyArray<readonly [message: string, template: string]> = [
    ["took 12 ms", "took <n> ms"],
    ["took 12.5 ms at 11:58:00,123", "took <n> ms at <n>"],
    ["request 123e4567-e89b-12d3-a456-426614174000 failed", "request <id> failed"],
    ["commit 3b18e512dba79e4c8300 pushed", "commit <id> pushed"],
    ["no table \"orders\" in 'shop'", "no table <text> in <text>"],
    ["peer 10.0.0.1:5432 is gone", "peer <n> is gone"],
    ["plain words stay", "plain words stay"],
    ["", ""]
  ]
  for (const [message, template] of templates) {
    it(`of "${message}"`, () => assert.strictEqual(LogDigest.template(message), template))
  }
  it("is bounded, and cuts no character in half", () => {
    assert.isAtMost(LogDigest.template("word ".repeat(10_000)).length, 400)
    assert.isTrue(LogDigest.template(`${"x".repeat(399)}😀😀`).isWellFormed())
  })
})

describe("levels", () => {
  it("are counted as information, warnings and errors", () => {
    const one = digest(levels.map((level) => line(`a ${level}`, level)))
    assert.deepStrictEqual(one.levels, { info: 4, warn: 1, error: 2 })
    assert.strictEqual(one.entries, 7)
    assert.strictEqual(one.said, "7 log lines, 2 errors, 1 warnings")
  })
})

describe("patterns", () => {
  it("gather lines that differ in numbers, with when and how the last one read", () => {
    const [pattern, ...others] = digest([
      line("order 1 failed", "error", 3),
      line("order 22 failed", "error", 9),
      line("order 333 failed", "error", 5)
    ]).patterns
    assert.deepStrictEqual(others, [])
    assert.deepInclude(pattern, {
      template: "order <n> failed",
      level: "error",
      count: 3,
      first: start + 3 * minute,
      last: start + 9 * minute,
      sample: "order 333 failed",
      said: "3× error from app.log: order 333 failed"
    })
  })
  it("of different levels stay apart", () => {
    assert.strictEqual(digest([line("retry 1", "warn"), line("retry 2", "error")]).patterns.length, 2)
  })
  it("come the worst first, then the most frequent", () => {
    const read = [
      ...lines(50, "chatter", "info"),
      ...lines(9, "seldom", "error"),
      ...lines(20, "often", "error"),
      ...lines(30, "careful", "warn"),
      line("over", "fatal")
    ]
    assert.deepStrictEqual(digest(read).patterns.map(({ sample }) => sample), [
      "over",
      "often",
      "seldom",
      "careful",
      "chatter"
    ])
  })
  it("beyond those that are wanted are dropped by their lines", () => {
    const one = digest([...lines(30, "often"), ...lines(20, "seldom"), ...lines(7, "rare")], 2)
    assert.deepStrictEqual(one.patterns.map(({ sample }) => sample), ["often", "seldom"])
    assert.strictEqual(one.dropped, 7)
  })
  it("cut long lines, and no character in half", () => {
    const [pattern] = digest([line(`${"x".repeat(299)}😀😀`)]).patterns
    assert.isAtMost((pattern?.sample ?? "").length, 300)
    assert.isTrue(pattern?.sample.isWellFormed())
  })
})

/** Letters that are no number, id or text, so that each makes a pattern of its own. */
const word = (index: number) =>
  [...index.toString(26)].map((digit) => "ghijklmnopqrstuvwxyzGHIJKL"[parseInt(digit, 26)]).join("")

describe("a log with more patterns than are kept", () => {
  it("keeps two thousand, and counts the lines of the others", () => {
    const building = LogDigest.empty()
    for (let index = 0; index < 5000; index++) LogDigest.add(building, line(`said ${word(index)}`, "info"))
    assert.strictEqual(building.patterns.size, 2000)
    const one = LogDigest.finish(building, 2000)
    assert.strictEqual(one.dropped, 3000)
    assert.strictEqual(one.entries, 5000)
  })
  it("still shows the error that comes after any amount of chatter", () => {
    const building = LogDigest.empty()
    for (let index = 0; index < 3000; index++) LogDigest.add(building, line(`said ${word(index)}`, "info"))
    for (let index = 0; index < 2500; index++) LogDigest.add(building, line(`beware ${word(index)}`, "warn"))
    LogDigest.add(building, line("no space left on device", "error"))
    LogDigest.add(building, line("said last", "info"))
    assert.strictEqual(building.patterns.size, 2000)
    const one = LogDigest.finish(building)
    assert.strictEqual(one.patterns[0]?.sample, "no space left on device")
    assert.isTrue(one.patterns.slice(1).every(({ level }) => level === "warn"))
    const kept = one.patterns.reduce((sum, { count }) => sum + count, 0)
    assert.strictEqual(kept + one.dropped, one.entries, "every line is kept or counted as dropped")
  })
  it("lets the rarest chatter go first", () => {
    const building = LogDigest.empty()
    for (let index = 0; index < 2000; index++) LogDigest.add(building, line(`said ${word(index)}`, "info"))
    for (let index = 0; index < 2000; index++) {
      if (index !== 77) LogDigest.add(building, line(`said ${word(index)}`, "info"))
    }
    LogDigest.add(building, line("broken", "error"))
    assert.isFalse([...building.patterns.values()].some(({ sample }) => sample === `said ${word(77)}`))
    assert.strictEqual(building.dropped, 1)
  })
})

describe("a long log", () => {
  it("takes no more space than a short one, and counts every line", () => {
    const building = LogDigest.empty()
    for (let index = 0; index < 100_000; index++) {
      const level = levels[index % levels.length] ?? "info"
      LogDigest.add(building, line(`said ${word(index % 30_000)} ${index}`, level, index * 1.7))
    }
    assert.isAtMost(building.patterns.size, 2000)
    for (const timeline of [building.errors, ...[...building.patterns.values()].map(({ times }) => times)]) {
      assert.isAtMost(timeline.counts.size, 2000)
    }
    const one = LogDigest.finish(building)
    assert.strictEqual(one.entries, 100_000)
    assert.strictEqual(one.levels.info + one.levels.warn + one.levels.error, 100_000)
    assert.isAtMost(JSON.stringify(one).length, 60_000)
    const errors = [...building.errors.counts.values()].reduce((a, b) => a + b, 0)
    assert.strictEqual(errors, one.levels.error)
  })
  it("over any stretch of time keeps at most two thousand buckets", () => {
    const building = LogDigest.empty()
    for (let index = 0; index < 20_000; index++) LogDigest.add(building, line("a", "error", (index * 7919) % 5_000_000))
    assert.isAtMost(building.errors.counts.size, 2000)
    assert.isAbove(building.errors.widthMs, 1000)
  })
})

describe("a spike", () => {
  it("shows as more errors in the last quarter than on average before", () => {
    const calm = Array.from({ length: 9 }, (_, index) => line("calm", "error", index))
    const storm = Array.from({ length: 60 }, (_, index) => line("storm", "error", 10 + index / 30))
    const one = digest([...storm, ...calm, line("first", "info", 0), line("last", "info", 12)])
    assert.strictEqual(one.errorsRecent, 60)
    assert.strictEqual(one.errorsBefore, 3)
    assert.strictEqual(one.patterns.find(({ sample }) => sample === "storm")?.recent, 60)
    assert.strictEqual(one.patterns.find(({ sample }) => sample === "calm")?.recent, 0)
  })
  it("does not show in what comes evenly", () => {
    const one = digest(lines(400, "even"))
    assert.approximately(one.errorsRecent, 100, 3)
    assert.approximately(one.errorsBefore, 100, 3)
  })
  it("needs times", () => {
    const one = digest(Array.from({ length: 90 }, () => line("timeless", "error", null)))
    assert.deepInclude(one, { from: null, to: null, errorsRecent: 0, errorsBefore: 0 })
    assert.deepInclude(one.patterns[0], { first: null, last: null, count: 90 })
  })
})

describe("gaps", () => {
  it("are kept beside the lines", () => {
    const one = digest([gap("a.log"), line("fine", "info"), gap("b.log")])
    assert.deepStrictEqual(one.gaps, [gap("a.log"), gap("b.log")])
    assert.strictEqual(one.entries, 1)
  })
  it("beyond a bound are counted, not hidden", () => {
    const one = digest(Array.from({ length: 60 }, (_, index) => gap(`${index}.log`)))
    assert.strictEqual(one.gaps.length, 51)
    assert.strictEqual(one.gaps.at(-1)?.detail, "10 more parts could not be read")
  })
})

describe("any log", () => {
  const entry = fc.record({
    at: fc.option(fc.integer({ min: 0, max: 8e12 })),
    level: fc.constantFrom(...levels),
    source: fc.string({ maxLength: 5 }),
    message: fc.oneof(fc.string({ unit: "binary", maxLength: 500 }), fc.constantFrom("a 1", "a 2", "b"))
  })
  it("comes to a digest that its schema admits, whatever the order of its lines", () => {
    const encode = Schema.encodeSync(LogDigest.LogDigest)
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 80 }), (entries) => {
        const one = digest(entries)
        encode(one)
        assert.strictEqual(one.patterns.reduce((sum, { count }) => sum + count, one.dropped), entries.length)
        const turned = digest(entries.toReversed())
        assert.deepStrictEqual(
          [turned.from, turned.to, turned.levels, turned.said],
          [one.from, one.to, one.levels, one.said]
        )
        for (const { sample, template } of one.patterns) {
          assert.isTrue(
            entries.every(({ message }) => message.isWellFormed())
              ? sample.isWellFormed() && template.isWellFormed()
              : true
          )
        }
      }),
      { numRuns: 500, seed: 5 }
    )
  })
  it("is empty when nothing was read", () => {
    assert.deepInclude(digest([]), { entries: 0, from: null, to: null, dropped: 0, patterns: [] })
  })
})
