import { assert, describe, it } from "@effect/vitest"
import { queueBacklog } from "../../../../src/agents/advisor/rules/QueueBacklog.ts"
import { file, flat, line, ramp, series } from "../file.ts"
import { fires, rests } from "./expect.ts"

const deep = series("queue.depth", ramp(20, 5000))

describe("job queue backlog", () => {
  fires(queueBacklog, "job_queue_backlog", [
    ["the queue grows", { series: [deep] }, 0.8, 0.8],
    ["the oldest job waits for minutes", { series: [series("queue.oldest_age", ramp(5, 900))] }, 0.8],
    ["more arrive than before", { series: [deep, series("queue.arrivals", ramp(5, 50))] }, 0.9],
    ["fewer are completed than before", { series: [deep, series("queue.completions", ramp(50, 5))] }, 0.9],
    ["nobody works", { series: [deep, series("queue.workers", [4, 4, 0, 0])] }, 0.9],
    [
      "it grows and the log says so",
      { series: [deep], lines: [line("queue depth 5000, jobs are waiting", "warn")] },
      0.85
    ],
    ["only the log says so", { lines: [line("jobs are stuck")] }, 0.6, 0.6]
  ])

  rests(queueBacklog, [
    ["there is no evidence", {}],
    ["the queue is short", { series: [series("queue.depth", flat(20)), series("queue.oldest_age", flat(2))] }],
    ["the queue is as deep as it always was", { series: [series("queue.depth", flat(5000))] }],
    ["the queue was deep and has been worked off", {
      series: [series("queue.depth", [...flat(20, 6), ...flat(5000, 4), ...flat(20, 6)])]
    }],
    ["arrivals rise and the queue does not", {
      series: [series("queue.arrivals", ramp(5, 50)), series("queue.depth", flat(3))]
    }]
  ])

  it("tells starving from flooding, in words and in what it proposes", () => {
    const starved = queueBacklog(file({ series: [deep, series("queue.workers", flat(0))] }))
    assert.include(starved?.summary, "fewer are completed")
    assert.include(starved?.actions[0]?.what, "Find out why the workers complete less")
    const flooded = queueBacklog(file({ series: [deep, series("queue.arrivals", ramp(5, 50))] }))
    assert.include(flooded?.summary, "more arrive")
    assert.include(flooded?.actions[0]?.what, "Add workers")
  })
})
