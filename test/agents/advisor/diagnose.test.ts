/** Causes weighed against each other, and what is said when none holds. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import fc from "fast-check"
import { Advice, diagnose, Render } from "../../../src/agents/advisor/index.ts"
import { drift, file, flat, line, lines, type Parts, ramp, series } from "./file.ts"
import { isFounded } from "./rules/expect.ts"

const cpu = series("cpu.utilisation", ramp(0.2, 0.97))
const latency = series("request.latency", ramp(0.1, 3))
const disk = series("disk.used_ratio", ramp(0.7, 0.97))
const queue = series("queue.depth", ramp(20, 5000))
const pool = [series("db.connections_max", flat(100)), series("db.connections", ramp(40, 99))]
const lag = series("db.replication_lag", ramp(1, 400))
const errors = series("request.error_ratio", ramp(0.01, 0.3))
const gap = { source: "prometheus:http://p", detail: "it timed out", remedy: "look whether it runs" }

const advise = (parts: Parts) => {
  const from = file(parts)
  const advice = diagnose(from)
  Schema.encodeSync(Advice.Advice)(advice)
  isFounded(from, advice.claims)
  return advice
}
const causes = (parts: Parts): ReadonlyArray<string> => {
  const advice = advise(parts)
  return advice.outcome === "fault" ? [advice.scenario, ...advice.contributing] : [advice.outcome]
}

describe("the main cause", () => {
  const weighed: ReadonlyArray<readonly [name: string, parts: Parts, causes: ReadonlyArray<string>]> = [
    ["a full disk before what it makes slow", { series: [cpu, latency, disk] }, [
      "disk_space_exhaustion",
      "performance_regression"
    ]],
    ["an exhausted pool before what it makes slow", { series: [cpu, latency, ...pool] }, [
      "connection_pool_exhaustion",
      "performance_regression"
    ]],
    ["a backlog before the errors it makes", { series: [queue, errors] }, [
      "job_queue_backlog",
      "recurring_error_spike"
    ]],
    ["the stronger of two resources", { series: [disk, ...pool] }, [
      "connection_pool_exhaustion",
      "disk_space_exhaustion"
    ]],
    ["the stronger of two symptoms", { series: [cpu, latency], drift: [drift("a", "1", "2")] }, [
      "performance_regression",
      "configuration_drift"
    ]],
    ["drift that the log complains of before one slow signal", {
      series: [cpu],
      drift: [drift("a", "1", "2")],
      lines: [line("invalid value for a")]
    }, ["configuration_drift", "performance_regression"]],
    ["a measured fault before one that only the log tells of", {
      series: [disk],
      lines: [line("instance restarted", "info")]
    }, [
      "disk_space_exhaustion"
    ]],
    ["a fault before a weaker one outside", {
      series: [...pool],
      lines: [line("too many clients already"), line("instance restarted", "info")]
    }, ["connection_pool_exhaustion"]],
    ["a stronger one outside before a fault", { series: [cpu, lag] }, ["out_of_scope"]],
    ["nothing that the measurements speak against", {
      series: [series("disk.used_ratio", flat(0.4))],
      lines: [line("disk is full")]
    }, [
      "no_fault"
    ]]
  ]
  for (const [name, parts, expected] of weighed) {
    it(`is ${name}`, () => assert.deepStrictEqual(causes(parts), expected))
  }

  it("rules out what was looked at, and says nothing of what was not", () => {
    const ruledOut = (parts: Parts) => {
      const advice = advise(parts)
      return advice.outcome === "inconclusive" ? [] : advice.ruledOut.map(({ cause }) => cause)
    }
    assert.deepStrictEqual(ruledOut({ series: [cpu, series("queue.depth", flat(3))] }), ["job queue backlog"])
    assert.deepStrictEqual(ruledOut({ series: [cpu], settings: 4, lines: [line("fine", "info")] }), [
      "configuration drift",
      "recurring error spike"
    ])
    assert.include(ruledOut({ series: [lag, cpu] }), "performance regression")
  })
})

describe("a fault outside the six", () => {
  it("is named, shown with what was seen beside it, and proposes nothing", () => {
    const advice = advise({ series: [lag, cpu] })
    if (advice.outcome !== "out_of_scope") return assert.fail(advice.outcome)
    assert.strictEqual(advice.nature, "replication lag")
    assert.notProperty(advice, "actions")
    assert.include(advice.summary, "Also seen")
    assert.isTrue(advice.claims.some(({ text }) => text.includes("cpu.utilisation")))
    assert.include(Render.markdown(advice), "outcome: out of scope")
    assert.notInclude(Render.markdown(advice), "Proposed actions")
  })
})

describe("no fault", () => {
  it("is what within bounds and without complaints means", () => {
    const advice = advise({ series: [series("cpu.utilisation", flat(0.2))], lines: lines(40, "fine", "info") })
    assert.strictEqual(advice.outcome, "no_fault")
    assert.include(advice.summary, "within normal bounds; the log shows no failure")
    assert.notProperty(advice, "actions")
  })
  it("is what is left when it has recovered", () => {
    const advice = advise({ series: [series("cpu.utilisation", [...flat(0.2, 6), ...flat(0.97, 4), ...flat(0.2, 6)])] })
    assert.strictEqual(advice.outcome, "no_fault")
    assert.include(advice.summary, "cpu.utilisation left the normal range and recovered")
  })
  it("does not say that the log shows no failure when it does", () => {
    const advice = advise({ series: [series("cpu.utilisation", flat(0.2))], lines: lines(5, "order 7 failed") })
    assert.strictEqual(advice.outcome, "no_fault")
    assert.notInclude(advice.summary, "no failure;")
    assert.include(advice.summary, "the log has errors")
  })
  it("says that no log was read, when none was", () => {
    assert.include(advise({ series: [series("cpu.utilisation", flat(0.2))] }).summary, "no log was read")
  })
})

describe("what could not be read", () => {
  it("is said whatever the outcome, each with its remedy, once", () => {
    const outcomes = [
      { series: [cpu] },
      { series: [lag] },
      { series: [series("cpu.utilisation", flat(0.2))] },
      {}
    ].map((parts) => advise({ ...parts, gaps: [gap, gap] }))
    assert.deepStrictEqual(outcomes.map(({ outcome }) => outcome), [
      "fault",
      "out_of_scope",
      "no_fault",
      "inconclusive"
    ])
    const said = "Could not be read: prometheus:http://p: it timed out (look whether it runs)."
    for (const advice of outcomes) {
      const all = advice.outcome === "inconclusive" ? advice.missing : advice.risks
      assert.strictEqual(all.filter((risk) => risk === said).length, 1)
    }
  })
  it("is all there is to say when nothing was read", () => {
    const advice = advise({ settings: 12 })
    assert.strictEqual(advice.outcome, "inconclusive")
    assert.isEmpty(advice.claims)
    assert.notProperty(advice, "actions")
  })
})

describe("any file", () => {
  const anySeries = fc.record({
    signal: fc.constantFrom(
      "cpu.utilisation" as const,
      "disk.used_ratio" as const,
      "disk.free_bytes" as const,
      "db.connections" as const,
      "db.connections_max" as const,
      "db.replication_lag" as const,
      "queue.depth" as const,
      "request.latency" as const,
      "request.error_ratio" as const,
      "db.load_by_wait" as const
    ),
    values: fc.array(
      fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1e6, noNaN: true })),
      {
        maxLength: 20
      }
    )
  })
  const anyLine = fc.record({
    message: fc.constantFrom(
      "no space left on device",
      "too many clients",
      "instance restarted",
      "order 7 failed",
      "jobs are waiting",
      "replication lag grows",
      "fine"
    ),
    level: fc.constantFrom("info" as const, "warn" as const, "error" as const),
    at: fc.option(fc.integer({ min: -60, max: 15 }))
  })

  it("comes to an advice that its schema admits, with founded claims, the same each time", () => {
    fc.assert(
      fc.property(
        fc.array(anySeries, { maxLength: 6 }),
        fc.array(anyLine, { maxLength: 60 }),
        fc.boolean(),
        (all, said, drifts) => {
          const parts: Parts = {
            series: all.map(({ signal, values }) => series(signal, values)),
            lines: said.map(({ at, level, message }) => line(message, level, at)),
            drift: drifts ? [drift("pool.size", "500", "50")] : []
          }
          const advice = advise(parts)
          assert.deepStrictEqual(advise(parts), advice)
          if (advice.outcome === "fault") {
            assert.notInclude(advice.contributing, advice.scenario)
          }
          if (advice.outcome !== "inconclusive") assert.isNotEmpty(advice.claims)
          Render.markdown(advice)
        }
      ),
      { numRuns: 500, seed: 9 }
    )
  })
})
