import { assert, describe, it } from "@effect/vitest"
import { diskSpace } from "../../../../src/agents/advisor/rules/DiskSpace.ts"
import { file, flat, line, ramp, series } from "../file.ts"
import { fires, rests } from "./expect.ts"

const roomy = series("disk.used_ratio", flat(0.4))

describe("disk space exhaustion", () => {
  fires(diskSpace, "disk_space_exhaustion", [
    ["the volume is full", { series: [series("disk.used_ratio", ramp(0.7, 0.97))] }, 0.8, 0.8],
    ["the inodes are used up", { series: [roomy, series("inode.used_ratio", ramp(0.7, 0.99))] }, 0.8],
    ["one reading says that it is full", { series: [series("disk.used_ratio", [0.97])] }, 0.8],
    ["free space runs out within the hour", { series: [series("disk.free_bytes", ramp(15e9, 5e8))] }, 0.85],
    ["free space runs out and the log says so", {
      series: [series("disk.free_bytes", ramp(15e9, 5e8))],
      lines: [line("ERROR: could not extend file: No space left on device")]
    }, 0.95],
    ["nothing has been free all along", { series: [series("disk.free_bytes", flat(0))] }, 0.8],
    ["the log says so and nobody measured it", { lines: [line("write failed: ENOSPC")] }, 0.7, 0.7],
    ["it was relieved, and fills again", {
      series: [series("disk.used_ratio", ramp(0.7, 0.97))],
      lines: [line("storage autoscaling completed", "info")]
    }, 0.8]
  ])

  rests(diskSpace, [
    ["there is no evidence", {}],
    ["there is room", { series: [roomy, series("disk.free_bytes", flat(5e9)), series("inode.used_ratio", flat(0.2))] }],
    ["the volume was full and has recovered", {
      series: [series("disk.used_ratio", [...flat(0.95, 8), ...flat(0.5, 8)])]
    }],
    ["free space fell and was given back", {
      series: [series("disk.free_bytes", [...ramp(30e9, 3e9, 8), ...flat(110e9, 8)])],
      lines: [line("free storage space is low", "warn"), line("storage has been increased", "info", 9)]
    }],
    ["free space falls too slowly to run out soon", { series: [series("disk.free_bytes", ramp(101e9, 100e9))] }]
  ])

  it("is doubted when the log complains and the measurement shows room", () => {
    const lines = [line("disk is full")]
    assert.isBelow(diskSpace(file({ series: [roomy], lines }))?.strength ?? 1, 0.6)
    assert.isBelow(diskSpace(file({ series: [series("disk.free_bytes", flat(5e10))], lines }))?.strength ?? 1, 0.6)
  })

  it("is critical when nothing is left, or will be within the hour", () => {
    const severity = (values: ReadonlyArray<number>, message = "fine") =>
      diskSpace(file({ series: [series("disk.free_bytes", values)], lines: [line(message)] }))?.severity
    assert.strictEqual(severity(flat(0)), "critical")
    assert.strictEqual(severity(ramp(15e9, 5e8)), "critical")
    assert.strictEqual(diskSpace(file({ series: [series("disk.used_ratio", flat(0.95))] }))?.severity, "high")
    assert.strictEqual(
      diskSpace(file({ series: [series("disk.used_ratio", flat(0.95))], lines: [line("no space left")] }))?.severity,
      "critical"
    )
  })

  it("proposes nothing that destroys without saying that it cannot be undone", () => {
    const found = diskSpace(file({ series: [series("disk.used_ratio", flat(0.95))] }))
    const deleting = found?.actions.filter(({ what }) => /delete/i.test(what)) ?? []
    assert.isNotEmpty(deleting)
    assert.isTrue(deleting.every(({ reversible }) => !reversible))
  })
})
