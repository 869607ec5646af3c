/** What a series comes to: its trend, its breach, its recovery, when it is used up, and the sentence that says so. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import fc from "fast-check"
import { Reading } from "../../../src/agents/advisor/index.ts"
import * as Source from "../../../src/agents/advisor/Source.ts"
import { flat, minute, ramp, series, start } from "./file.ts"

const read = (...args: Parameters<typeof series>) => Reading.read(series(...args)) ?? assert.fail("there is no reading")

describe("a trend", () => {
  const cases: ReadonlyArray<readonly [trend: string, values: ReadonlyArray<number>]> = [
    ["single", [5]],
    ["single", [5, 50]],
    ["steady", flat(5)],
    ["steady", [5, 5.2, 4.9, 5.1, 5, 5.3]],
    ["steady", flat(0)],
    ["rising", ramp(5, 50)],
    ["rising", [5, 5, 5, 7, 7, 7]],
    ["falling", ramp(50, 5)],
    ["falling", ramp(5, 0)],
    ["recovered", [5, 5, 5, 90, 80, 5, 5, 5]],
    ["recovered", [50, 50, 50, -60, 50, 50, 50]],
    ["rising", ramp(-50, 5)]
  ]
  for (const [trend, values] of cases) {
    it(`is ${trend} for ${values.slice(0, 8).map((value) => Math.round(value)).join(" ")}`, () => {
      assert.strictEqual(read("db.load", values).trend, trend)
    })
  }
})

describe("a breach", () => {
  it("is one while the last readings break the limit, and is dated by the first that did", () => {
    const reading = read("cpu.utilisation", [0.2, 0.3, 0.2, 0.81, 0.9, 0.95])
    assert.deepInclude(reading, { breached: true, breachedAt: start + 3 * minute })
  })
  it("has recovered when they do not", () => {
    const reading = read("cpu.utilisation", [0.2, 0.95, 0.9, 0.3, 0.2, 0.2])
    assert.deepInclude(reading, { breached: false, breachedAt: start + minute })
    assert.isTrue(reading.said.endsWith(", back within its limit"))
  })
  it("is not one of a single reading among others", () => {
    assert.deepInclude(read("cpu.utilisation", [0.2, 0.2, 0.2, 0.2, 0.2, 0.95]), { breached: false })
  })
  it("is one of the only reading there is", () => {
    assert.deepInclude(read("disk.used_ratio", [0.97]), { breached: true, trend: "single" })
    assert.deepInclude(read("disk.used_ratio", [0.5]), { breached: false, breachedAt: null })
  })
  it("begins above the limit, not at it", () => {
    assert.isFalse(read("disk.used_ratio", flat(0.9)).breached)
    assert.isTrue(read("disk.used_ratio", flat(0.901)).breached)
    assert.isTrue(read("memory.available_ratio", flat(0.04)).breached)
    assert.isFalse(read("memory.available_ratio", flat(0.05)).breached)
  })
  it("of a signal that is compared with its own past needs both", () => {
    assert.isTrue(read("queue.depth", [...flat(40, 8), ...flat(400, 8)]).breached)
    assert.isFalse(read("queue.depth", flat(400)).breached, "it was always so")
    assert.isFalse(read("queue.depth", [...flat(4, 8), ...flat(40, 8)]).breached, "forty jobs are no backlog")
  })
  it("is not one of a signal without a limit", () => {
    assert.deepInclude(read("other:mystery", ramp(0, 1e9)), { breached: false, breachedAt: null })
  })
})

describe("exhaustion", () => {
  it("is foreseen at the pace of the last half", () => {
    // 100 MB a minute, 1.5 GB left: fifteen minutes.
    assert.strictEqual(read("disk.free_bytes", ramp(3e9, 1.5e9)).exhaustedIn, 900)
  })
  it("is not foreseen beyond twice the time that was seen", () => {
    // Fifteen minutes were seen; thirty can be foreseen.
    assert.strictEqual(read("disk.free_bytes", ramp(4.5e9, 3e9)).exhaustedIn, 1800)
    assert.isNull(read("disk.free_bytes", ramp(4.6e9, 3.1e9)).exhaustedIn)
  })
  it("is not foreseen where room was made in the last half", () => {
    assert.isNull(read("disk.free_bytes", [...ramp(3e9, 1e9, 8), ...flat(5e9, 8)]).exhaustedIn)
    assert.isNull(read("disk.free_bytes", [...ramp(3e9, 1e9, 8), ...ramp(1e9, 2e9, 8)]).exhaustedIn)
  })
  it("is now when nothing is left, and never before now", () => {
    assert.strictEqual(read("disk.free_bytes", ramp(1.5e9, 0)).exhaustedIn, 0)
    assert.strictEqual(read("disk.free_bytes", ramp(1.5e9, -1e6)).exhaustedIn, 0)
  })
  it("is only of what can be used up", () => {
    assert.isNull(read("db.connections", ramp(100, 1)).exhaustedIn)
    assert.isNumber(read("memory.available_bytes", ramp(1.5e9, 1e8)).exhaustedIn)
  })
  it("takes time", () => {
    assert.isNull(read("disk.free_bytes", [5e9]).exhaustedIn)
    const points = [{ at: start, value: 5e9 }, { at: start, value: 1e9 }]
    assert.isNull(read("disk.free_bytes", [], { points }).exhaustedIn)
  })
})

describe("a value is shown", () => {
  const shown: ReadonlyArray<readonly [value: number, unit: Source.Unit, text: string]> = [
    [0.9534, "ratio", "95.3%"],
    [1, "ratio", "100%"],
    [0, "bytes", "0 B"],
    [999, "bytes", "999 B"],
    [1000, "bytes", "1 kB"],
    [1_536_000_000, "bytes", "1.54 GB"],
    [2.5e12, "bytes", "2.5 TB"],
    [2.5e6, "bytes/s", "2.5 MB/s"],
    [-2.5e6, "bytes", "-2.5 MB"],
    [0.0213, "seconds", "21.3 ms"],
    [0, "seconds", "0 s"],
    [1, "seconds", "1 s"],
    [86_400, "seconds", "86400 s"],
    [12.34, "1/s", "12.3/s"],
    [7.5, "sessions", "7.5 sessions"],
    [123_456, "count", "123456"],
    [-123_456, "count", "-123456"],
    [0.123456, "raw", "0.123"]
  ]
  for (const [value, unit, text] of shown) {
    it(`${value} in ${unit} as ${text}`, () => assert.strictEqual(Reading.show(value, unit), text))
  }
})

describe("the sentence", () => {
  it("says what, of what, by which name, and how it went", () => {
    const origin = "aws:CPUUtilization"
    assert.strictEqual(
      read("cpu.utilisation", [0.2, 0.3, 0.95, 0.2], { origin }).said,
      "cpu.utilisation of shop (aws:CPUUtilization) went from 20% to 20%, between 20% and 95%, recovered, back within its limit"
    )
    assert.strictEqual(read("db.load", [7.5]).said, "db.load of shop (vendor:db.load) is 7.5 sessions")
  })

  it("is the same for the same series, and names its origin", () => {
    const one = series("io.read_latency", [0.001, 0.002, 0.05])
    assert.deepStrictEqual(Reading.read(one), Reading.read(structuredClone(one)))
    assert.include(Reading.read(one)?.said, "vendor:io.read_latency")
  })
})

describe("any series", () => {
  const point = fc.record({
    at: fc.integer({ min: 0, max: 4e12 }),
    value: fc.double({ noNaN: true, noDefaultInfinity: true })
  })
  const any = fc.record({
    signal: fc.constantFrom(...Source.signals, "other:x" as const),
    resource: fc.string(),
    unit: fc.constantFrom(...Source.Unit.literals),
    origin: fc.string(),
    points: fc.array(point, { maxLength: 60 }).map((points) => points.toSorted((a, b) => a.at - b.at))
  })

  it("gives a reading that its schema admits, in order, without a number that is none", () => {
    const encode = Schema.encodeSync(Reading.Reading)
    fc.assert(
      fc.property(any, (one) => {
        const reading = Reading.read(one)
        if (one.points.length === 0) return assert.isNull(reading)
        if (reading === null) return assert.fail("there is no reading")
        encode(reading)
        const { after, before, first, last, max, min } = reading
        for (const value of [first, last, before, after]) {
          assert.isAtLeast(value, min)
          assert.isAtMost(value, max)
        }
        assert.notInclude(reading.said.replace(one.resource, "").replace(one.origin, ""), "NaN")
        assert.strictEqual(reading.points, one.points.length)
        if (reading.breached) assert.isNotNull(reading.breachedAt)
        if (reading.exhaustedIn !== null) assert.isAtLeast(reading.exhaustedIn, 0)
        assert.isTrue(reading.said.startsWith(`${one.signal} of ${one.resource} (${one.origin}) `))
      }),
      { numRuns: 2000, seed: 11 }
    )
  })
})
