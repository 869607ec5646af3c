/** The instants of an expression, against a clock on the wall that is read minute by minute. */
import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { When } from "../../src/session/index.ts"
import { type Almanac, almanac, expression, type Fields, instants } from "./almanac.ts"

type Repeated = (typeof When.Cron.Type)["repeated"]

/** The tests are the same in every run. */
const seed = 7301946

const cron = (text: string, zone = "UTC", repeated: Repeated = "earlier"): When.When => ({
  kind: "cron",
  expression: text,
  zone,
  repeated
})
const at = (time: string) => Date.parse(time)
const times = (instants: ReadonlyArray<number>) => instants.map((instant) => new Date(instant).toISOString())

/** Days on which clocks are changed, by an hour or by half of one, and some on which they are not. */
const spans = [
  almanac("UTC", "2026-02-26T00:00Z", "2026-03-03T00:00Z"),
  almanac("Europe/Berlin", "2026-03-27T00:00Z", "2026-03-31T00:00Z"),
  almanac("Europe/Berlin", "2026-10-23T00:00Z", "2026-10-27T00:00Z"),
  almanac("America/New_York", "2026-03-06T00:00Z", "2026-03-10T00:00Z"),
  almanac("America/New_York", "2026-10-30T00:00Z", "2026-11-03T00:00Z"),
  almanac("Australia/Lord_Howe", "2026-04-03T00:00Z", "2026-04-07T00:00Z")
]
const halfHour = almanac("Australia/Lord_Howe", "2026-10-02T00:00Z", "2026-10-06T00:00Z")

const some = (most: number) => fc.uniqueArray(fc.nat(most), { maxLength: 4 })
const fields: fc.Arbitrary<Fields> = fc.record({
  minutes: fc.uniqueArray(fc.nat(59), { minLength: 1, maxLength: 4 }),
  // The hours in which clocks are changed come often.
  hours: fc.oneof(some(23), fc.uniqueArray(fc.nat(4), { maxLength: 3 })),
  weekdays: fc.oneof(fc.constant([]), some(6))
})
const repeated = fc.constantFrom<Repeated>("earlier", "later", "both")

/** All of a span, found by asking for one after the other. */
const walked = (when: When.When, { from, until }: Almanac): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let at = When.next(when, from); at !== null && at <= until; at = When.next(when, at)) found.push(at)
  return found
}

describe("the instants of an expression", () => {
  it("are those at which the clock on the wall shows it, in every zone, whichever way they are looked for", () => {
    const seen = { cut: 0, whole: 0 }
    fc.assert(
      fc.property(
        fc.constantFrom(...spans),
        fields,
        repeated,
        fc.integer({ min: 1, max: 40 }),
        (span, wanted, repeated, most) => {
          const oracle = instants(span, wanted, repeated)
          const when = cron(expression(wanted), span.zone, repeated)
          const found = When.within(when, span.from, span.until, most)
          assert.deepStrictEqual(times(found.instants), times(oracle.slice(-most)))
          assert.strictEqual(found.isCut, oracle.length > most)
          seen[found.isCut ? "cut" : "whole"]++
          if (oracle.length < 40) assert.deepStrictEqual(times(walked(when, span)), times(oracle))
        }
      ),
      { seed, numRuns: 300 }
    )
    assert.isAbove(Math.min(seen.cut, seen.whole), 20)
  })

  it("miss none but those within a jump of half an hour", () => {
    const jump = at("2026-10-03T15:30Z")
    fc.assert(
      fc.property(fields, repeated, (wanted, repeated) => {
        const oracle = instants(halfHour, wanted, repeated)
        const found = When.within(
          cron(expression(wanted), halfHour.zone, repeated),
          halfHour.from,
          halfHour.until,
          5000
        )
        const missing = oracle.filter((instant) => !found.instants.includes(instant))
        assert.deepStrictEqual(found.instants, oracle.filter((instant) => !missing.includes(instant)))
        assert.isTrue(missing.every((instant) => jump <= instant && instant < jump + 30 * 60_000))
      }),
      { seed, numRuns: 100 }
    )
  })

  it("keeps to the clock of its zone through the year", () => {
    const nine = cron("0 9 * * 1-5", "America/New_York")
    const found = When.within(nine, at("2026-03-05T00:00Z"), at("2026-03-10T23:00Z"), 10)
    assert.deepStrictEqual(times(found.instants), [
      "2026-03-05T14:00:00.000Z",
      "2026-03-06T14:00:00.000Z",
      "2026-03-09T13:00:00.000Z",
      "2026-03-10T13:00:00.000Z"
    ])
  })

  it("has a time that is jumped over fire as if it were not", () => {
    const night = cron("30 2 * * *", "Europe/Berlin")
    const found = When.within(night, at("2026-03-28T12:00Z"), at("2026-03-30T12:00Z"), 10)
    assert.deepStrictEqual(times(found.instants), ["2026-03-29T01:30:00.000Z", "2026-03-30T00:30:00.000Z"])
  })

  for (
    const [repeated, expected] of [
      ["earlier", ["2026-10-25T00:30:00.000Z"]],
      ["later", ["2026-10-25T01:30:00.000Z"]],
      ["both", ["2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"]]
    ] as const
  ) {
    it(`has a time that is shown twice fire ${repeated === "both" ? "twice" : `at the ${repeated} one`}`, () => {
      const night = cron("30 2 * * *", "Europe/Berlin", repeated)
      const found = When.within(night, at("2026-10-24T12:00Z"), at("2026-10-25T12:00Z"), 10)
      assert.deepStrictEqual(times(found.instants), [...expected])
    })
  }

  it("comes by the second where a sixth field says so", () => {
    const found = When.within(cron("*/20 0 0 * * *"), at("2026-01-01T00:00Z") - 1, at("2026-01-01T01:00Z"), 10)
    assert.deepStrictEqual(times(found.instants), [
      "2026-01-01T00:00:00.000Z",
      "2026-01-01T00:00:20.000Z",
      "2026-01-01T00:00:40.000Z"
    ])
  })
})

describe("instants of a list", () => {
  it("are due once each, in order", () => {
    const when: When.When = { kind: "at", instants: [30, 10, 20, 10] }
    assert.deepStrictEqual(When.within(when, 0, 100, 10), { instants: [10, 20, 30], isCut: false })
    assert.deepStrictEqual(When.within(when, 0, 100, 2), { instants: [20, 30], isCut: true })
    assert.deepStrictEqual(When.within(when, 10, 29, 10), { instants: [20], isCut: false })
    assert.deepStrictEqual([When.next(when, 0), When.next(when, 10), When.next(when, 30)], [10, 20, null])
  })
})

describe("what is never due", () => {
  const now = at("2026-01-01T00:00Z")
  for (
    const [what, when] of [
      ["an expression of four fields", cron("* * * *")],
      ["a field out of range", cron("61 * * * *")],
      ["a word that is no field", cron("soon * * * *")],
      ["a zone that is none", cron("* * * * *", "Mars/Olympus")],
      ["a day that no month has", cron("0 0 31 2 *")],
      ["a list of instants that have passed", { kind: "at", instants: [1, now] }]
    ] as const
  ) {
    it(`${what} is said to be`, () => {
      assert.isString(When.objection(when, now))
      assert.isNull(When.next(when, now))
      assert.deepStrictEqual(When.within(when, now, now + 86_400_000, 10), { instants: [], isCut: false })
    })
  }

  it("and what is due some day is not", () => {
    assert.isNull(When.objection(cron("0 0 29 2 *"), now))
    assert.isNull(When.objection({ kind: "at", instants: [1, now + 1] }, now))
  })
})
