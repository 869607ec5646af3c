/**
 * The parts that are read from a Linux kernel without being root.
 *
 * Rates come from two samples `interval` apart. Lists of processes, disks and interfaces are bounded.
 */
import { type Duration, Effect } from "effect"
import type { Signal } from "../../src/agents/advisor/Source.ts"
import { largest, type Options, read, twice } from "./Kernel.ts"
import * as Mounts from "./Mounts.ts"
import { type Answer, answer, gap, host, type Part, ratio, type Reading } from "./Part.ts"
import * as Proc from "./Proc.ts"
import { processes } from "./Processes.ts"

/** A network file system whose server is gone never answers. */
const mountTimeout: Duration.Input = "2 seconds"

/** All parts, cheapest first. */
export const parts = (options: Options): ReadonlyArray<Part> => [
  memory(options),
  load(options),
  fileHandles(options),
  pressure(options),
  space(options),
  cpu(options),
  disks(options),
  network(options),
  processes(options)
]

// internal

const memory = (options: Options): Part => ({
  signals: ["memory.available_ratio", "memory.available_bytes", "swap.used_bytes", "swap.used_ratio"],
  read: Effect.map(read(options, "meminfo", Proc.memory), (memory): Answer => {
    const origin = `${options.proc}/meminfo`
    const swapUsed = Math.max(0, memory.swapTotal - memory.swapFree)
    const of = (signal: Signal, unit: Reading["unit"], value: number): Reading => ({
      signal,
      resource: host,
      unit,
      origin,
      value
    })
    const swap = [
      of("swap.used_bytes", "bytes", swapUsed),
      ...(memory.swapTotal > 0 ? [of("swap.used_ratio", "ratio", ratio(swapUsed, memory.swapTotal))] : [])
    ]
    if (memory.available === undefined) {
      const missing = gap(origin, "the kernel does not say how much memory is available", "use Linux 3.14 or newer")
      return { readings: swap, gaps: [missing] }
    }
    return answer([
      of("memory.available_ratio", "ratio", ratio(memory.available, memory.total)),
      of("memory.available_bytes", "bytes", memory.available),
      ...swap
    ])
  })
})

const loadSignals = ["load.per_core", "other:load5.per_core", "other:load15.per_core"] as const
const load = (options: Options): Part => ({
  signals: loadSignals,
  read: Effect.gen(function*() {
    const averages = yield* read(options, "loadavg", Proc.loads)
    const { cores } = yield* read(options, "stat", Proc.cpu)
    return answer(loadSignals.map((signal, index) => ({
      signal,
      resource: host,
      unit: "count",
      origin: `${options.proc}/loadavg`,
      value: (averages[index] ?? 0) / cores
    })))
  })
})

const fileHandles = (options: Options): Part => ({
  signals: ["fd.used_ratio"],
  read: Effect.map(read(options, "sys/fs/file-nr", Proc.fileHandles), ({ open, max }) =>
    answer([{
      signal: "fd.used_ratio",
      resource: host,
      unit: "ratio",
      origin: `${options.proc}/sys/fs/file-nr`,
      value: ratio(open, max)
    }]))
})

const pressureResources = ["cpu", "memory", "io"] as const
const pressureSignals = pressureResources.flatMap((resource) =>
  (["some", "full"] as const).flatMap((kind) =>
    ([10, 60, 300] as const).map((seconds) => `other:psi.${resource}.${kind}_avg${seconds}` as const)
  )
)
const pressure = (options: Options): Part => ({
  signals: pressureSignals,
  read: Effect.map(
    Effect.forEach(pressureResources, (resource) =>
      Effect.map(
        read(options, `pressure/${resource}`, Proc.pressure, "boot Linux 4.20 or newer with psi=1"),
        (all) =>
          all.map(({ kind, ratio, seconds }): Reading => ({
            signal: `other:psi.${resource}.${kind}_avg${seconds}`,
            resource: host,
            unit: "ratio",
            origin: `${options.proc}/pressure/${resource}`,
            value: ratio
          }))
      )),
    (readings) => answer(readings.flat())
  )
})

const spaceOf = (point: string, { free, inodeRatio, size, usedRatio }: Mounts.Usage): ReadonlyArray<Reading> => {
  const common = { resource: point, origin: "statfs" }
  return [
    { ...common, signal: "disk.used_ratio", unit: "ratio", value: ratio(usedRatio, 1) },
    { ...common, signal: "disk.free_bytes", unit: "bytes", value: free },
    { ...common, signal: "disk.size_bytes", unit: "bytes", value: size },
    ...(inodeRatio === undefined
      ? []
      : [{ ...common, signal: "inode.used_ratio", unit: "ratio", value: ratio(inodeRatio, 1) } as const])
  ]
}

const space = (options: Options): Part => {
  // A call that hangs in the kernel holds a thread for good: such a mount is not asked twice.
  const stuck = new Set<string>()
  const measure = ({ point, readOnly }: Proc.Mount): Effect.Effect<Answer> => {
    const lost = (detail: string, remedy: string): Answer => ({ readings: [], gaps: [gap(point, detail, remedy)] })
    const silent = lost("the file system does not answer", "check the server or device behind this mount")
    if (stuck.has(point)) return Effect.succeed(silent)
    return options.measure(point).pipe(
      Effect.map((usage) => answer(usage === undefined ? [] : spaceOf(point, usage))),
      Effect.map(({ readings }) =>
        answer([...readings, {
          signal: "other:mount.read_only",
          resource: point,
          unit: "count",
          origin: `${options.proc}/self/mountinfo`,
          value: readOnly ? 1 : 0
        }])
      ),
      Effect.catch((code) =>
        Effect.succeed(lost(`the kernel refused to measure it (${code})`, "run as a user who may enter this folder"))
      ),
      Effect.timeoutOrElse({
        duration: mountTimeout,
        orElse: () =>
          Effect.sync(() => {
            stuck.add(point)
            return silent
          })
      })
    )
  }
  return {
    signals: ["disk.used_ratio", "disk.free_bytes", "disk.size_bytes", "inode.used_ratio", "other:mount.read_only"],
    read: Effect.gen(function*() {
      const mounts = Mounts.real(yield* read(options, "self/mountinfo", Proc.mounts))
      const answers = yield* Effect.forEach(mounts, measure, { concurrency: 2 })
      return { readings: answers.flatMap((a) => a.readings), gaps: answers.flatMap((a) => a.gaps) }
    })
  }
}

const cpu = (options: Options): Part => ({
  signals: ["cpu.utilisation"],
  read: Effect.map(twice(read(options, "stat", Proc.cpu), options.interval), ({ after, before }) =>
    answer([{
      signal: "cpu.utilisation",
      resource: host,
      unit: "ratio",
      origin: `${options.proc}/stat`,
      value: ratio(after.busy - before.busy, after.total - before.total)
    }]))
})

const diskOf = (before: Proc.Disk, after: Proc.Disk, seconds: number, origin: string): ReadonlyArray<Reading> => {
  const common = { resource: after.name, origin }
  const grown = (key: Exclude<keyof Proc.Disk, "name">): number => Math.max(0, after[key] - before[key])
  const latency = (signal: Signal, ms: number, operations: number): ReadonlyArray<Reading> =>
    operations > 0 ? [{ ...common, signal, unit: "seconds", value: ms / operations / 1000 }] : []
  return [
    { ...common, signal: "io.read_ops", unit: "1/s", value: grown("reads") / seconds },
    { ...common, signal: "io.write_ops", unit: "1/s", value: grown("writes") / seconds },
    { ...common, signal: "io.read_bytes", unit: "bytes/s", value: grown("readBytes") / seconds },
    { ...common, signal: "io.write_bytes", unit: "bytes/s", value: grown("writeBytes") / seconds },
    { ...common, signal: "disk.queue_depth", unit: "count", value: grown("queuedMs") / 1000 / seconds },
    { ...common, signal: "other:disk.busy_ratio", unit: "ratio", value: ratio(grown("busyMs"), seconds * 1000) },
    ...latency("io.read_latency", grown("readMs"), grown("reads")),
    ...latency("io.write_latency", grown("writeMs"), grown("writes"))
  ]
}

const disks = (options: Options): Part => ({
  signals: [
    "io.read_ops",
    "io.write_ops",
    "io.read_bytes",
    "io.write_bytes",
    "io.read_latency",
    "io.write_latency",
    "disk.queue_depth",
    "other:disk.busy_ratio"
  ],
  read: Effect.map(
    twice(read(options, "diskstats", Proc.disks), options.interval),
    ({ after, before, seconds }) =>
      answer(
        largest(after, (disk) => disk.reads + disk.writes, options.top).flatMap((disk) => {
          const earlier = before.find(({ name }) => name === disk.name)
          return earlier === undefined ? [] : diskOf(earlier, disk, seconds, `${options.proc}/diskstats`)
        })
      )
  )
})

const network = (options: Options): Part => ({
  signals: ["net.in_bytes", "net.out_bytes"],
  read: Effect.map(
    twice(read(options, "net/dev", Proc.networks), options.interval),
    ({ after, before, seconds }) =>
      answer(
        largest(after, ({ inBytes, outBytes }) => inBytes + outBytes, options.top).flatMap((now): Array<Reading> => {
          const earlier = before.find(({ name }) => name === now.name)
          if (earlier === undefined) return []
          const common = { resource: now.name, unit: "bytes/s", origin: `${options.proc}/net/dev` } as const
          return [
            { ...common, signal: "net.in_bytes", value: Math.max(0, now.inBytes - earlier.inBytes) / seconds },
            { ...common, signal: "net.out_bytes", value: Math.max(0, now.outBytes - earlier.outBytes) / seconds }
          ]
        })
      )
  )
})
