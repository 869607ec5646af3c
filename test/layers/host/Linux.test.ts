/** Rates between two samples, and kernels that refuse. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, PlatformError, Result } from "effect"
import { TestClock } from "effect/testing"
import * as Linux from "../../../layers/host/Linux.ts"
import * as Mounts from "../../../layers/host/Mounts.ts"
import { processLimit } from "../../../layers/host/Processes.ts"
import type { Signal } from "../../../src/agents/advisor/Source.ts"
import { machine, stat } from "./machine.ts"

const denied = (path: string) =>
  PlatformError.systemError({
    _tag: "PermissionDenied",
    module: "FileSystem",
    method: "readFile",
    pathOrDescriptor: path
  })

/** A kernel that answers `first` once and `then` ever after; a file named in `refused` may not be read. */
const kernel = (
  first: Readonly<Record<string, string>>,
  then: Readonly<Record<string, string>> = {},
  refused: ReadonlyArray<string> = []
) => {
  const asked = new Set<string>()
  return FileSystem.makeNoop({
    readDirectory: () => Effect.succeed([...new Set(Object.keys(first).map((name) => name.split("/")[0] ?? ""))]),
    readFileString: (path) =>
      Effect.suspend(() => {
        const name = path.replace(/^\/proc\//, "")
        const text = asked.has(name) ? (then[name] ?? first[name]) : first[name]
        asked.add(name)
        return text === undefined || refused.includes(name) ? Effect.fail(denied(path)) : Effect.succeed(text)
      })
  })
}
/** Runs the one part that gives `signal`, two seconds between its samples. */
const part = (signal: Signal, files: FileSystem.FileSystem) =>
  Effect.gen(function*() {
    const parts = Linux.parts({ files, proc: "/proc", interval: "2 seconds", top: 5, measure: Mounts.measure })
    const one = parts.find(({ signals }) => signals.includes(signal))
    if (one === undefined) return assert.fail(`no part reads ${signal}`)
    const fiber = yield* Effect.forkChild(Effect.result(one.read))
    yield* TestClock.adjust("2 seconds")
    return yield* Fiber.join(fiber)
  })
const numbers = (result: Effect.Success<ReturnType<typeof part>>): Record<string, number> =>
  Result.isSuccess(result)
    ? Object.fromEntries(
      result.success.readings.map(({ resource, signal, value }) => [`${signal} ${resource}`, value])
    )
    : {}

describe("rates of a kernel", () => {
  it.effect("measures cpu between two samples", () =>
    Effect.gen(function*() {
      const later = "cpu  20 0 20 140 40 0 0 0 0 0\ncpu0 1 0 1 1 0 0 0 0\n"
      assert.deepStrictEqual(numbers(yield* part("cpu.utilisation", kernel(machine, { stat: later }))), {
        "cpu.utilisation host": 20 / 120
      })
    }))

  it.effect("measures disks and network per second", () =>
    Effect.gen(function*() {
      const files = kernel(machine, {
        "diskstats": "8 0 sda 14 0 8 120 20 0 0 400 0 1500 5000\n",
        "net/dev": "eth0: 3000 0 0 0 0 0 0 0 4000 0\n"
      })
      assert.deepStrictEqual(numbers(yield* part("io.read_ops", files)), {
        "io.read_ops sda": 2,
        "io.write_ops sda": 0,
        "io.read_bytes sda": 2048,
        "io.write_bytes sda": 0,
        "disk.queue_depth sda": 2,
        "other:disk.busy_ratio sda": 0.5,
        "io.read_latency sda": 0.005
      })
      // A counter that went back was reset: no negative rate.
      assert.deepStrictEqual(numbers(yield* part("net.in_bytes", files)), {
        "net.in_bytes eth0": 1000,
        "net.out_bytes eth0": 0
      })
    }))

  it.effect("gives a process its share of all cores, and nothing to one that took over its number", () =>
    Effect.gen(function*() {
      const busy = {
        "stat": "cpu  60 0 10 130 0 0 0 0 0 0\ncpu0 1 0 1 1 0 0 0 0\n",
        "7/stat": stat(7, "worker", "R", 125, 50),
        "9/stat": stat(9, "young", "R", 50, 1, 77)
      }
      const first = { ...machine, "9/stat": stat(9, "old", "R", 10, 1) }
      const result = numbers(yield* part("process.cpu_ratio", kernel(first, busy)))
      assert.strictEqual(result["process.cpu_ratio worker (7)"], 0.25)
      assert.isFalse(Object.keys(result).some((key) => key.startsWith("process.cpu_ratio young")))
    }))
})

describe("refusals of a kernel", () => {
  it.effect("says that processes are hidden, and lists the others", () =>
    Effect.gen(function*() {
      const result = yield* part("process.count", kernel(machine, {}, ["8/stat"]))
      assert.strictEqual(numbers(result)["process.count host"], 2)
      const gaps = Result.isSuccess(result) ? result.success.gaps : []
      assert.match(gaps[0]?.detail ?? "", /hidden/)
    }))

  it.effect("says when there are more processes than it reads", () =>
    Effect.gen(function*() {
      const many = Object.fromEntries(Array.from({ length: processLimit + 1 }, (_, i) => [
        `${10_000 + i}/stat`,
        stat(10_000 + i, "p", "S", 0, 0)
      ]))
      const result = yield* part("process.count", kernel({ ...machine, ...many }))
      assert.strictEqual(numbers(result)["process.count host"], processLimit + 3)
      const gaps = Result.isSuccess(result) ? result.success.gaps : []
      assert.match(gaps[0]?.detail ?? "", new RegExp(`only ${processLimit} of ${processLimit + 3}`))
    }))

  it.effect("gives up on a file system that does not answer, and never asks it again", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const measure = (path: string) => {
        asked.push(path)
        return path === "/dead"
          ? Effect.never
          : Effect.succeed({ size: 9, free: 3, usedRatio: 0.5, inodeRatio: undefined })
      }
      const mountinfo = `${machine["self/mountinfo"]}2 1 0:9 / /dead rw - nfs4 server:/x rw\n`
      const files = kernel({ ...machine, "self/mountinfo": mountinfo })
      const parts = Linux.parts({ files, proc: "/proc", interval: "2 seconds", top: 5, measure })
      const space = parts.find(({ signals }) => signals.includes("disk.used_ratio"))
      if (space === undefined) return assert.fail("no part reads disks")
      const first = yield* Effect.forkChild(space.read)
      yield* TestClock.adjust("1 minute")
      for (const answer of [yield* Fiber.join(first), yield* space.read]) {
        assert.deepStrictEqual(answer.gaps.map(({ detail, source }) => [source, detail]), [
          ["host:/dead", "the file system does not answer"]
        ])
        assert.strictEqual(answer.readings.find(({ signal }) => signal === "disk.used_ratio")?.value, 0.5)
      }
      assert.deepStrictEqual(asked, ["/", "/dead", "/"])
    }))

  it.effect("turns a refused file into a gap with a remedy", () =>
    Effect.gen(function*() {
      const result = yield* part("memory.available_ratio", kernel(machine, {}, ["meminfo"]))
      assert.isTrue(Result.isFailure(result))
      if (Result.isFailure(result)) {
        assert.match(result.failure.detail, /PermissionDenied/)
        assert.match(result.failure.remedy, /run as a user who may read/)
      }
    }))
})
