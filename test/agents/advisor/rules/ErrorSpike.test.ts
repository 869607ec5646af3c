import { assert, describe, it } from "@effect/vitest"
import { errorSpike } from "../../../../src/agents/advisor/rules/ErrorSpike.ts"
import { file, flat, line, lines, ramp, series } from "../file.ts"
import { fires, rests } from "./expect.ts"

/** Errors in the last quarter of the time, each of a pattern of its own when `isVaried`. */
const storm = (count: number, isVaried = false) => [
  line("started", "info", 0),
  ...Array.from(
    { length: count },
    (_, index) =>
      line(
        isVaried ? `failed in ${"abcdefgh"[index % 8]}${"ijklmnop"[Math.floor(index / 8)]}` : "order 7 failed",
        "error",
        13 + index / count
      )
  ),
  line("still here", "info", 15)
]

describe("recurring error spike", () => {
  fires(errorSpike, "recurring_error_spike", [
    ["errors spike and one repeats", { lines: storm(60) }, 0.85, 0.85],
    ["errors spike, each of its own kind", { lines: storm(60, true) }, 0.75, 0.75],
    ["requests fail", { series: [series("request.error_ratio", ramp(0.01, 0.3))] }, 0.75],
    ["requests fail and one error repeats", {
      series: [series("request.error_ratio", ramp(0.01, 0.3))],
      lines: lines(30, "order 7 failed")
    }, 0.85],
    ["one error keeps recurring at its own pace", { lines: lines(40, "order 7 failed") }, 0.65, 0.65],
    ["one error without times keeps recurring", {
      lines: Array.from({ length: 30 }, () => line("down", "fatal", null))
    }, 0.65]
  ])

  rests(errorSpike, [
    ["there is no evidence", {}],
    ["errors are few", { lines: storm(19) }],
    ["there are many lines and no errors", { lines: lines(500, "fine", "info") }],
    ["warnings spike", { lines: storm(60).map((one) => ({ ...one, level: "warn" as const })) }],
    ["requests failed and have recovered", {
      series: [series("request.error_ratio", [...flat(0.01, 6), ...flat(0.4, 4), ...flat(0.01, 6)])]
    }]
  ])

  it("is less severe when it only recurs", () => {
    assert.strictEqual(errorSpike(file({ lines: lines(40, "down") }))?.severity, "medium")
    assert.strictEqual(errorSpike(file({ lines: storm(60) }))?.severity, "high")
    assert.include(errorSpike(file({ lines: storm(60) }))?.summary, "order <n> failed")
  })
})
