/** This machine, machines made of files, and machines that are not Linux. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { presentMs } from "../../../layers/host/HostMetrics.ts"
import { layerMetrics } from "../../../layers/host/index.ts"
import { Metrics, type Series, type Signal, type Window } from "../../../src/agents/advisor/Source.ts"
import { machine, stat } from "./machine.ts"

const onLinux = process.platform === "linux"

const read = (signals: ReadonlyArray<Signal> = [], window: Window = {}) =>
  Effect.flatMap(Metrics, (metrics) => metrics.read({ signals, window }))

const value = (series: ReadonlyArray<Series>, signal: Signal, resource = "host"): number | undefined =>
  series.find((one) => one.signal === signal && one.resource === resource)?.points[0]?.value

const without = (...names: ReadonlyArray<string>): Record<string, string> =>
  Object.fromEntries(Object.entries(machine).filter(([name]) => !names.includes(name)))

/** Runs `use` on a folder that looks like the proc file system of a machine. */
const onMachine = <A, E>(files: Readonly<Record<string, string>>, use: (proc: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const proc = mkdtempSync(join(tmpdir(), "proc-"))
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(proc, name)), { recursive: true })
        writeFileSync(join(proc, name), text)
      }
      return proc
    }),
    use,
    (proc) => Effect.sync(() => rmSync(proc, { recursive: true }))
  )

const readMachine = (
  files: Readonly<Record<string, string>>,
  signals: ReadonlyArray<Signal> = [],
  options: { readonly top?: number } = {}
) =>
  onMachine(
    files,
    (proc) =>
      Effect.provide(read(signals), layerMetrics({ proc, interval: "10 millis", platform: "linux", ...options }))
  )

describe("this machine", () => {
  it.live.skipIf(!onLinux)("is plausible", () =>
    Effect.gen(function*() {
      const before = yield* Clock.currentTimeMillis
      const { gaps, series } = yield* read().pipe(Effect.provide(layerMetrics({ interval: "200 millis" })))
      const after = yield* Clock.currentTimeMillis
      for (const { origin, points, resource, signal, unit } of series) {
        assert.strictEqual(points.length, 1)
        for (const { at, value } of points) {
          assert.isTrue(at >= before && at <= after, signal)
          assert.isTrue(value >= 0 && value <= (unit === "ratio" ? 1 : Number.MAX_VALUE), signal)
        }
        assert.isNotEmpty(resource)
        assert.isNotEmpty(origin)
      }
      const named = new Set(series.map(({ signal }) => signal))
      for (const signal of ["memory.available_ratio", "load.per_core", "cpu.utilisation", "fd.used_ratio"] as const) {
        assert.isTrue(named.has(signal), signal)
      }
      const mounts = series.filter(({ signal }) => signal === "disk.used_ratio").map(({ resource }) => resource)
      assert.isAtLeast(mounts.length, 1)
      assert.strictEqual(new Set(mounts).size, mounts.length)
      assert.isFalse(mounts.some((mount) => mount.startsWith("/proc") || mount.startsWith("/sys")))
      assert.isAtLeast(value(series, "process.count") ?? -1, 1)
      const largest = series.filter(({ signal }) => signal === "process.rss_bytes")
      assert.isTrue(largest.length >= 1 && largest.length <= 10)
      assert.isTrue(largest.every(({ resource }) => /^.+ \(\d+\)$/.test(resource)))
      for (const gap of gaps) assert.isTrue(gap.source.startsWith("host:") && gap.remedy !== "")
    }))

  it.live.skipIf(!onLinux)("counts the memory and the work of this very process", () =>
    Effect.gen(function*() {
      const work = Effect.forever(Effect.andThen(
        Effect.sync(() => {
          for (let i = 0; i < 2e6; i++) Math.sqrt(i)
        }),
        Effect.yieldNow
      ))
      const busy = yield* Effect.forkChild(work)
      const { series } = yield* read(["process.cpu_ratio", "process.rss_bytes"]).pipe(
        Effect.provide(layerMetrics({ top: 1000 }))
      )
      yield* Fiber.interrupt(busy)
      const mine = series.filter(({ resource }) => resource.endsWith(`(${process.pid})`))
      assert.isAbove(mine.find(({ signal }) => signal === "process.cpu_ratio")?.points[0]?.value ?? 0, 0)
      assert.isAbove(mine.find(({ signal }) => signal === "process.rss_bytes")?.points[0]?.value ?? 0, 10_000_000)
    }))
})

describe("a machine made of files", () => {
  it.live("is read into the vocabulary", () =>
    Effect.gen(function*() {
      const { gaps, series } = yield* readMachine(machine)
      assert.deepStrictEqual(gaps, [])
      assert.strictEqual(value(series, "memory.available_ratio"), 0.25)
      assert.strictEqual(value(series, "memory.available_bytes"), 256_000)
      assert.strictEqual(value(series, "swap.used_bytes"), 76_800)
      assert.strictEqual(value(series, "swap.used_ratio"), 0.75)
      assert.strictEqual(value(series, "load.per_core"), 2)
      assert.strictEqual(value(series, "other:load15.per_core"), 0.5)
      assert.strictEqual(value(series, "fd.used_ratio"), 0.25)
      assert.strictEqual(value(series, "other:psi.cpu.some_avg10"), 0.5)
      assert.strictEqual(value(series, "other:psi.io.full_avg10"), 0.1)
      assert.strictEqual(value(series, "other:mount.read_only", "/"), 0)
      assert.strictEqual(value(series, "process.count"), 2)
      assert.strictEqual(value(series, "process.zombies"), 1)
      assert.strictEqual(value(series, "process.rss_bytes", "worker (7)"), 204_800)
    }))

  it.live("returns only the signals asked for, and does not look at the rest", () =>
    Effect.gen(function*() {
      const { gaps, series } = yield* readMachine(without("meminfo", "diskstats", "self/mountinfo"), ["fd.used_ratio"])
      assert.deepStrictEqual(series.map(({ signal }) => signal), ["fd.used_ratio"])
      assert.deepStrictEqual(gaps, [])
      const other = yield* readMachine(machine, ["db.load", "queue.depth"])
      assert.deepStrictEqual(other, { series: [], gaps: [] })
    }))

  it.live("reports what is missing or malformed and reads the rest", () =>
    Effect.gen(function*() {
      const broken = { ...without("pressure/cpu", "net/dev"), "meminfo": "nonsense", "loadavg/x": "a folder" }
      delete (broken as Record<string, string>)["loadavg"]
      const { gaps, series } = yield* readMachine(broken)
      const about = (name: string) => gaps.find(({ source }) => source.endsWith(name))
      assert.strictEqual(gaps.length, 4)
      assert.match(about("/pressure/cpu")?.remedy ?? "", /psi=1/)
      assert.match(about("/net/dev")?.detail ?? "", /does not exist/)
      assert.match(about("/meminfo")?.detail ?? "", /not in the form/)
      assert.match(about("/loadavg")?.detail ?? "", /could not be read/)
      assert.strictEqual(value(series, "fd.used_ratio"), 0.25)
      assert.isUndefined(value(series, "memory.available_ratio"))
    }))
})

describe("a machine in trouble", () => {
  it.live("says when a kernel does not know its available memory, and keeps the swap", () =>
    Effect.gen(function*() {
      const { gaps, series } = yield* readMachine({ ...machine, meminfo: "MemTotal: 9 kB\nSwapTotal: 0 kB\n" }, [
        "memory.available_ratio",
        "swap.used_bytes",
        "swap.used_ratio"
      ])
      assert.deepStrictEqual(series.map(({ signal }) => signal), ["swap.used_bytes"])
      assert.match(gaps[0]?.detail ?? "", /how much memory is available/)
    }))

  it.live("reports a mount it may not measure and measures the others", () =>
    Effect.gen(function*() {
      const mountinfo = `${machine["self/mountinfo"]}2 1 8:2 / /no/such/folder rw - ext4 /dev/sdb rw\n`
      const { gaps, series } = yield* readMachine({ ...machine, "self/mountinfo": mountinfo }, ["disk.used_ratio"])
      assert.deepStrictEqual(series.map(({ resource }) => resource), ["/"])
      assert.strictEqual(gaps[0]?.source, "host:/no/such/folder")
      assert.match(gaps[0]?.detail ?? "", /ENOENT/)
    }))

  it.live("bounds its lists", () =>
    Effect.gen(function*() {
      const many = Object.fromEntries(
        Array.from({ length: 30 }, (_, i) => [
          [`${100 + i}/stat`, stat(100 + i, `p${i}`, "S", 1, i + 1)],
          [`${100 + i}/status`, `VmRSS: ${i + 1} kB`]
        ]).flat()
      )
      const { series } = yield* readMachine({ ...machine, ...many }, ["process.rss_bytes"], { top: 3 })
      assert.deepStrictEqual(series.map(({ resource }) => resource), ["worker (7)", "p29 (129)", "p28 (128)"])
    }))

  it.live("is unreachable without a proc file system", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(readMachine({}))
      assert.strictEqual(error.reason._tag, "Unreachable")
      assert.match(error.reason.remedy, /mount one at/)
    }))
})

const inWindow = (window: Window) =>
  onMachine(
    machine,
    (proc) => Effect.provide(read(["fd.used_ratio"], window), layerMetrics({ proc, platform: "linux" }))
  )

describe("window", () => {
  it.effect("has only the present", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(10 * presentMs)
      for (const window of [{ to: 9 * presentMs - 1 }, { from: 11 * presentMs + 1 }]) {
        const { gaps, series } = yield* inWindow(window)
        assert.deepStrictEqual(series, [])
        assert.match(gaps[0]?.detail ?? "", /only be read as it is now/)
      }
      // A window that ended when the caller looked at the clock is the present.
      const recent = yield* inWindow({ from: 0, to: 10 * presentMs - 5 })
      assert.deepStrictEqual(recent.series[0]?.points, [{ at: 10 * presentMs, value: 0.25 }])
    }))
})

describe("elsewhere than on Linux", () => {
  const elsewhere = layerMetrics({ platform: "darwin", interval: "50 millis" })

  it.live("reads what Node knows and says what is missing", () =>
    Effect.gen(function*() {
      const { gaps, series } = yield* Effect.provide(read(), elsewhere)
      assert.deepStrictEqual([...new Set(series.map(({ signal }) => signal))].toSorted(), [
        "cpu.utilisation",
        "disk.free_bytes",
        "disk.size_bytes",
        "disk.used_ratio",
        "load.per_core"
      ])
      assert.strictEqual(gaps.length, 1)
      assert.match(gaps[0]?.detail ?? "", /memory.*not read on darwin/)
    }))

  it.live("mentions the gap only to those who asked for what is in it", () =>
    Effect.gen(function*() {
      const memory = yield* Effect.provide(read(["memory.available_ratio"]), elsewhere)
      assert.strictEqual(memory.gaps.length, 1)
      assert.deepStrictEqual(memory.series, [])
      const load = yield* Effect.provide(read(["load.per_core", "db.load"]), elsewhere)
      assert.deepStrictEqual(load.gaps, [])
    }))
})
