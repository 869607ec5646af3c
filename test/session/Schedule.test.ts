/** What is due, whatever the clock does: an oracle that reads a clock on the wall, and time that stops, jumps and goes back. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import fc from "fast-check"
import { defaultTerms, Grant } from "../../src/capability/index.ts"
import { Schedule, type When } from "../../src/session/index.ts"
import { almanac, expression, instants } from "./almanac.ts"

/** The tests are the same in every run. */
const seed = 7301946
const minute = 60_000

const spans = [
  almanac("Europe/Berlin", "2026-03-28T00:00Z", "2026-03-30T00:00Z"),
  almanac("Europe/Berlin", "2026-10-24T00:00Z", "2026-10-26T00:00Z"),
  almanac("UTC", "2026-05-01T00:00Z", "2026-05-03T00:00Z")
]

/** A move of the clock, milliseconds, between two looks at what is due. */
const move = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: minute, max: 30 * minute }) },
  { weight: 2, arbitrary: fc.integer({ min: 60 * minute, max: 8 * 60 * minute }) },
  { weight: 1, arbitrary: fc.integer({ min: -3 * 60 * minute, max: -1 }) }
)

interface Look {
  readonly now: number
  readonly through: number
  readonly due: Schedule.Due
}

/** Looks at what is due as the service does, dealing with all of it each time. */
const looks = (
  schedule: Pick<Schedule.Definition, "catchUp" | "when">,
  from: number,
  moves: ReadonlyArray<number>
): ReadonlyArray<Look> => {
  let state = Schedule.advance(schedule.when, { isPaused: false, through: from, next: null, last: null }, from)
  let now = from
  return moves.map((step) => {
    now += step
    const look = { now, through: state.through, due: Schedule.due(schedule, state, now) }
    const { firings, skipped } = look.due
    if (skipped !== null) state = Schedule.advance(schedule.when, state, skipped.before - 1)
    for (const instant of firings) state = Schedule.advance(schedule.when, { ...state, last: instant }, instant)
    return look
  })
}

const isIn = (skipped: Schedule.Due["skipped"], instant: number) =>
  skipped !== null && skipped.after < instant && instant < skipped.before

const run = fc.record({
  span: fc.constantFrom(...spans),
  fields: fc.record({
    minutes: fc.uniqueArray(fc.nat(59), { minLength: 1, maxLength: 6 }),
    hours: fc.oneof(fc.constant([]), fc.uniqueArray(fc.nat(23), { minLength: 1, maxLength: 5 })),
    weekdays: fc.constant([])
  }),
  catchUp: fc.constantFrom<Schedule.CatchUp>("none", "last", "all"),
  start: fc.nat(12 * 60 * minute),
  moves: fc.array(move, { minLength: 1, maxLength: 40 })
})

describe("what is due", () => {
  it("is every instant once: fired, or passed over as the policy says", () => {
    const seen = { fired: 0, passed: 0, back: 0 }
    fc.assert(
      fc.property(run, ({ catchUp, fields, moves, span, start }) => {
        const when: When.When = { kind: "cron", expression: expression(fields), zone: span.zone, repeated: "earlier" }
        const from = span.from + start
        const all = looks({ catchUp, when }, from, moves)
        const last = Math.max(from, ...all.map(({ now }) => now))
        const oracle = instants(span, fields, "earlier").filter((instant) => from < instant && instant <= last)
        const covered = oracle.filter((instant) => instant <= span.until)
        const fired = all.flatMap(({ due }) => due.firings)

        // In order, never twice, never before its time, and nothing that the clock does not show.
        assert.deepStrictEqual(fired, [...new Set(fired)].toSorted((a, b) => a - b))
        for (const { due, now, through } of all) {
          for (const instant of due.firings) assert.isTrue(through < instant && instant <= now)
          if (now <= through) assert.deepStrictEqual(due, { firings: [], skipped: null })
        }
        assert.isTrue(fired.every((instant) => instant > span.until || oracle.includes(instant)))

        for (const instant of covered) {
          const isPassed = all.some(({ due }) => isIn(due.skipped, instant))
          assert.notStrictEqual(fired.includes(instant), isPassed, "neither fired nor passed over, or both")
          seen[isPassed ? "passed" : "fired"]++
          // The look that could deal with it first.
          const first = all.find(({ now }) => now >= instant)
          assert.isDefined(first)
          if (first === undefined) continue
          const isLate = first.now - instant > Schedule.onTimeMs
          const isNewest = first.due.firings.at(-1) === instant
          if (!isLate) assert.isFalse(isPassed)
          if (isLate && catchUp === "none") assert.isTrue(isPassed)
          if (isLate && catchUp === "last") assert.strictEqual(!isPassed, isNewest && first.due.firings.length === 1)
          if (isLate && catchUp === "all" && isPassed) {
            assert.strictEqual(first.due.firings.length, Schedule.maxCatchUp)
          }
        }
        seen.back += all.filter(({ now, through }) => now < through).length
      }),
      { seed, numRuns: 400 }
    )
    assert.isAbove(Math.min(seen.fired, seen.passed, seen.back), 50)
  })

  it("is at most a hundred at once, the latest ones", () => {
    const when: When.When = { kind: "cron", expression: "* * * * *", zone: "UTC", repeated: "earlier" }
    const now = Date.parse("2026-05-02T00:00Z")
    const due = Schedule.due({ catchUp: "all", when }, { isPaused: false, through: now - 86_400_000 }, now)
    assert.strictEqual(due.firings.length, Schedule.maxCatchUp)
    assert.deepStrictEqual([due.firings[0], due.firings.at(-1)], [now - 99 * minute, now])
    assert.deepStrictEqual(due.skipped, { after: now - 86_400_000, before: now - 99 * minute })
  })

  it("is nothing while it is paused", () => {
    const when: When.When = { kind: "at", instants: [10] }
    assert.deepStrictEqual(Schedule.due({ catchUp: "all", when }, { isPaused: true, through: 0 }, 100), {
      firings: [],
      skipped: null
    })
  })

  it("is each instant of a list, and then nothing more", () => {
    const when: When.When = { kind: "at", instants: [10, 20] }
    const before: Schedule.State = { isPaused: false, through: 0, next: 10, last: null }
    assert.deepStrictEqual(Schedule.due({ catchUp: "all", when }, before, 100).firings, [10, 20])
    assert.deepStrictEqual(Schedule.advance(when, before, 10), { ...before, through: 10, next: 20 })
    assert.deepStrictEqual(Schedule.advance(when, before, 20), { ...before, through: 20, next: null })
    assert.deepStrictEqual(Schedule.advance(when, before, -5), before)
  })
})

describe("a grant that is kept", () => {
  it("comes back as the authority it was", () => {
    const kept: Schedule.Grant = { capabilities: ["tool:look"], ...defaultTerms }
    const grant = Schedule.grantOf(kept)
    assert.deepStrictEqual([grant.names, grant.terms], [["tool:look"], defaultTerms])
    assert.deepStrictEqual(Grant.make(["tool:look"]).terms, grant.terms)
  })

  it("does not decode with a capability that is none", () => {
    const decode = Schema.decodeUnknownResult(Schedule.Grant)
    assert.strictEqual(decode({ capabilities: ["anything"], ...defaultTerms })._tag, "Failure")
    assert.strictEqual(decode({ capabilities: [], ...defaultTerms })._tag, "Success")
  })
})
