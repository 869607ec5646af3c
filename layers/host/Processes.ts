/**
 * Processes of a Linux machine: how many, which use the most, and which ended without their parent noticing.
 *
 * A machine with more processes than `processLimit` is read in part, and says so. The share of cpu is of all cores.
 */
import { Effect } from "effect"
import type { Gap } from "../../src/agents/advisor/Source.ts"
import { largest, type Options, read, twice } from "./Kernel.ts"
import { gap, host, type Part, ratio, type Reading } from "./Part.ts"
import * as Proc from "./Proc.ts"

/** Processes read at most. */
export const processLimit = 4096

/** Counts all processes and lists those that use most cpu and most memory. */
export const processes = (options: Options): Part => ({
  signals: ["process.count", "process.zombies", "process.cpu_ratio", "process.rss_bytes"],
  read: Effect.gen(function*() {
    const { after, before } = yield* twice(census(options), options.interval)
    const mounts = yield* read(options, "self/mountinfo", Proc.mounts)
    const hidden = process.getuid?.() !== 0 &&
      mounts.some(({ options, type }) => type === "proc" && /hidepid=(?!0|off)/.test(options))
    const all = [...after.byId.values()]
    const origin = `${options.proc}/[pid]/stat`

    const spent = (process: Proc.Process): number => {
      const earlier = before.byId.get(process.pid)
      return earlier?.started === process.started ? process.ticks - earlier.ticks : 0
    }
    const busiest = largest(all, spent, options.top).map((process): Reading => ({
      signal: "process.cpu_ratio",
      resource: titled(process),
      unit: "ratio",
      origin,
      value: ratio(spent(process), after.cpu.total - before.cpu.total)
    }))
    const biggest = yield* Effect.forEach(
      largest(all, ({ pages }) => pages, options.top),
      (process) =>
        read(options, `${process.pid}/status`, (text) => Proc.kibibytes(text, "VmRSS")).pipe(
          Effect.map((value): ReadonlyArray<Reading> => [{
            signal: "process.rss_bytes",
            resource: titled(process),
            unit: "bytes",
            origin: `${options.proc}/[pid]/status`,
            value
          }]),
          Effect.orElseSucceed((): ReadonlyArray<Reading> => [])
        )
    )
    const zombies = all.filter(({ state }) => state === "Z").length
    return {
      readings: [
        { signal: "process.count", resource: host, unit: "count", origin: options.proc, value: after.ids },
        { signal: "process.zombies", resource: host, unit: "count", origin, value: zombies },
        ...busiest,
        ...biggest.flat()
      ],
      gaps: censusGaps(options, after, hidden)
    }
  })
})

// internal

const titled = (process: Proc.Process): string => `${process.name} (${process.pid})`

interface Census {
  readonly cpu: Proc.Cpu
  readonly ids: number
  readonly refused: number
  readonly byId: ReadonlyMap<number, Proc.Process>
}

const census = (options: Options): Effect.Effect<Census, Gap> =>
  Effect.gen(function*() {
    const cpu = yield* read(options, "stat", Proc.cpu)
    const names = yield* Effect.mapError(options.files.readDirectory(options.proc), (error) =>
      gap(options.proc, `could not be listed (${error.reason._tag})`, "mount the proc file system there"))
    const ids = names.filter((name) =>
      /^\d+$/.test(name)
    )
    // A process that ended meanwhile is simply no process any more; one that may not be read is a gap.
    const found = yield* Effect.forEach(
      ids.slice(0, processLimit),
      (id) =>
        options.files.readFileString(`${options.proc}/${id}/stat`).pipe(
          Effect.map(Proc.process),
          Effect.catch((error) =>
            Effect.succeed(error.reason._tag === "PermissionDenied" ? ("refused" as const) : undefined)
          )
        ),
      { concurrency: 16 }
    )
    const known = found.flatMap((process) => (process === undefined || process === "refused" ? [] : [process]))
    return {
      cpu,
      ids: ids.length,
      refused: found.filter((process) => process === "refused").length,
      byId: new Map(known.map((process) => [process.pid, process]))
    }
  })

const censusGaps = (options: Options, { ids, refused }: Census, hidden: boolean): ReadonlyArray<Gap> => [
  ...(ids > processLimit
    ? [gap(options.proc, `only ${processLimit} of ${ids} processes were read`, "look at the rest with ps")]
    : []),
  ...(refused > 0 || hidden
    ? [gap(options.proc, "processes of other users are hidden", "run as root, or mount proc without hidepid")]
    : [])
]
