import { assert, describe, it } from "@effect/vitest"
import { performance } from "../../../../src/agents/advisor/rules/Performance.ts"
import { file, flat, line, ramp, series } from "../file.ts"
import { fires, rests } from "./expect.ts"

const cpu = series("cpu.utilisation", ramp(0.2, 0.97))
const io = series("io.read_latency", ramp(0.002, 0.2))
const requests = series("request.latency", ramp(0.1, 3))

describe("performance regression", () => {
  fires(performance, "performance_regression", [
    ["the processor is busy", { series: [cpu] }, 0.75, 0.75],
    ["every core is loaded", { series: [series("load.per_core", ramp(0.5, 4))] }, 0.75],
    ["storage answers slowly", { series: [io] }, 0.75],
    ["requests take longer", { series: [requests] }, 0.75],
    ["memory is used up", { series: [series("memory.available_ratio", [...flat(0.4, 8), ...flat(0.02, 8)])] }, 0.75],
    ["sessions wait for locks", { series: [series("db.lock_waiters", ramp(0, 40))] }, 0.75],
    ["all of it at once, by a statement that the log names", {
      series: [cpu, io, requests, series("db.load_by_statement", [12], { resource: "SELECT 1" })],
      lines: [line("slow query: SELECT 1", "warn")]
    }, 0.95]
  ])

  rests(performance, [
    ["there is no evidence", {}],
    ["all is as it was", {
      series: [
        series("cpu.utilisation", flat(0.2)),
        series("io.read_latency", flat(0.002)),
        series("request.latency", flat(0.1))
      ]
    }],
    ["it was slow and has recovered", {
      series: [series("cpu.utilisation", [...flat(0.2, 6), ...flat(0.97, 4), ...flat(0.2, 6)])]
    }],
    ["the log complains and the measurements do not", {
      series: [series("cpu.utilisation", flat(0.2))],
      lines: [line("slow query: SELECT 1", "warn")]
    }],
    ["storage is slow as always", { series: [series("io.read_latency", flat(0.2))] }]
  ])

  it("names the statement that carries the load, and what is waited for", () => {
    const of = (resource: string, value: number) => series("db.load_by_statement", [value], { resource })
    const wait = series("db.load_by_wait", [9], { resource: "IO:DataFileRead" })
    const found = performance(file({ series: [cpu, io, of("SELECT a", 2), of("SELECT b", 11), wait] }))
    assert.include(found?.summary, "SELECT b")
    assert.include(found?.summary, "IO:DataFileRead")
    assert.strictEqual(found?.actions[0]?.how, "SELECT b")
    assert.strictEqual(found?.severity, "critical")
    assert.strictEqual(performance(file({ series: [cpu] }))?.severity, "high")
  })
})
