import { assert, describe, it } from "@effect/vitest"
import { connectionPool } from "../../../../src/agents/advisor/rules/ConnectionPool.ts"
import { file, flat, line, ramp, series } from "../file.ts"
import { fires, rests } from "./expect.ts"

const limit = series("db.connections_max", flat(100))

describe("connection pool exhaustion", () => {
  fires(connectionPool, "connection_pool_exhaustion", [
    ["connections reach the measured limit", { series: [limit, series("db.connections", ramp(40, 97))] }, 0.9, 0.9],
    ["they reach it and clients are turned away", {
      series: [limit, series("db.connections", ramp(40, 99))],
      lines: [line("FATAL: sorry, too many clients already", "fatal")]
    }, 0.95],
    ["they reach the limit that a line states", {
      series: [series("db.connections", ramp(200, 495))],
      lines: [line("DB connections: 495 of 500, approaching the connection limit", "warn")]
    }, 0.95],
    [
      "they climb and clients are turned away",
      {
        series: [series("db.connections", ramp(40, 97))],
        lines: [line("remaining connection slots are reserved")]
      },
      0.75,
      0.75
    ],
    ["clients are turned away and nobody counted", { lines: [line("connection pool exhausted")] }, 0.6, 0.6],
    [
      "clients are turned away and the limit is not known",
      {
        series: [series("db.connections", flat(97))],
        lines: [line("too many connections for role app")]
      },
      0.6,
      0.6
    ]
  ])

  rests(connectionPool, [
    ["there is no evidence", {}],
    ["there are slots left", { series: [limit, series("db.connections", flat(40))] }],
    ["they climb far below the limit", { series: [limit, series("db.connections", ramp(10, 40))] }],
    ["they reached the limit and have come back", {
      series: [limit, series("db.connections", [...flat(40, 6), ...flat(99, 4), ...flat(40, 6)])]
    }],
    ["a line complains and the count is steady and far below the limit", {
      series: [limit, series("db.connections", flat(40))],
      lines: [line("too many connections")]
    }],
    ["a line states a limit that is far away", {
      series: [series("db.connections", flat(90))],
      lines: [line("connections: 90 of 500, below the connection limit", "info")]
    }]
  ])

  it("points to a leak where sessions idle and hold their slot", () => {
    const full = [limit, series("db.connections", ramp(40, 99))]
    const summary = (more: ReturnType<typeof series>) => connectionPool(file({ series: [...full, more] }))?.summary
    assert.include(summary(series("db.connections_idle_in_transaction", flat(60))), "leak")
    assert.include(summary(series("db.load_by_wait", [40], { resource: "Client:ClientRead" })), "leak")
    assert.notInclude(summary(series("db.load_by_wait", [40], { resource: "Lock:tuple" })), "leak")
  })
})
