/**
 * The parts that Node itself can tell on any system: load, cpu, and room on the root file system.
 *
 * Memory is left out on purpose: elsewhere than on Linux the system reports only unused memory, which is near nothing
 * on every healthy machine and would be read as an alarm.
 */
import { type Duration, Effect } from "effect"
import * as os from "node:os"
import { type Signal, signals } from "../../src/agents/advisor/Source.ts"
import * as Mounts from "./Mounts.ts"
import { answer, gap, host, type Part, ratio, type Reading } from "./Part.ts"

/** The parts, and one that says what is not read; rates come from two samples `interval` apart. */
export const parts = (platform: string, interval: Duration.Input): ReadonlyArray<Part> => {
  const known: ReadonlyArray<Part> = [load, space, cpu(interval)]
  const read = new Set<Signal>(known.flatMap((part) => part.signals))
  return [...known, {
    signals: hostSignals.filter((signal) => !read.has(signal)),
    read: Effect.fail(gap(
      platform,
      `memory, swap, other mounts, disk activity, network, open files and processes are not read on ${platform}`,
      "run on Linux, or read this machine through Prometheus"
    ))
  }]
}

// internal

const hostSignals = signals.filter((signal) => /^(?:disk|inode|memory|swap|cpu|load|fd|process|io|net)\./.test(signal))

const load: Part = {
  signals: ["load.per_core"],
  read: Effect.sync(() =>
    answer([{
      signal: "load.per_core",
      resource: host,
      unit: "count",
      origin: "os.loadavg",
      value: (os.loadavg()[0] ?? 0) / Math.max(1, os.cpus().length)
    }])
  )
}

const spaceOf = ({ free, size, usedRatio }: Mounts.Usage): ReadonlyArray<Reading> => {
  const common = { resource: "/", origin: "statfs" }
  return [
    { ...common, signal: "disk.used_ratio", unit: "ratio", value: ratio(usedRatio, 1) },
    { ...common, signal: "disk.free_bytes", unit: "bytes", value: free },
    { ...common, signal: "disk.size_bytes", unit: "bytes", value: size }
  ]
}

const space: Part = {
  signals: ["disk.used_ratio", "disk.free_bytes", "disk.size_bytes"],
  read: Mounts.measure("/").pipe(
    Effect.mapError((code) => gap("/", `the kernel refused to measure it (${code})`, "run as a user who may read /")),
    Effect.map((usage) => answer(usage === undefined ? [] : spaceOf(usage)))
  )
}

const ticks = Effect.sync(() => {
  const times = os.cpus().map(({ times }) => times)
  const total = times.reduce((sum, t) => sum + t.user + t.nice + t.sys + t.idle + t.irq, 0)
  return { total, idle: times.reduce((sum, t) => sum + t.idle, 0) }
})

const cpu = (interval: Duration.Input): Part => ({
  signals: ["cpu.utilisation"],
  read: Effect.gen(function*() {
    const before = yield* ticks
    yield* Effect.sleep(interval)
    const after = yield* ticks
    const total = after.total - before.total
    return answer([{
      signal: "cpu.utilisation",
      resource: host,
      unit: "ratio",
      origin: "os.cpus",
      value: ratio(total - (after.idle - before.idle), total)
    }])
  })
})
