/**
 * Measurements of the machine this process runs on, as they are now.
 *
 * On Linux they come from /proc and statfs, without being root; elsewhere from what Node knows, with a gap that says
 * what is missing. There is no history: each series has one point, and rates cover the short `interval` of the reading.
 */
import { NodeFileSystem } from "@effect/platform-node"
import { Clock, type Duration, Effect, FileSystem, Layer, Result } from "effect"
import {
  type Gap,
  Metrics,
  type Series,
  type Signal,
  SourceError,
  Unreachable,
  type Window
} from "../../src/agents/advisor/Source.ts"
import * as Linux from "./Linux.ts"
import * as Mounts from "./Mounts.ts"
import { gap, type Part } from "./Part.ts"
import * as Portable from "./Portable.ts"

/** How the machine is read; everything has a default. */
export interface Options {
  /** Where the proc file system is mounted; default `/proc`. */
  readonly proc?: string
  /** Between the two samples of a rate; default half a second. */
  readonly interval?: Duration.Input
  /** Processes, disks and interfaces listed at most, each; default 10. */
  readonly top?: number
  /** As in `process.platform`; default that of this process. */
  readonly platform?: NodeJS.Platform
}

/** A window that ended this recently still asks for the present: whoever set it was reading a clock just before. */
export const presentMs = 60_000

/**
 * `Metrics` of this machine. Fails with `Unreachable` when no proc file system is mounted on Linux; whatever else
 * cannot be read is a gap.
 */
export const layerMetrics = (options: Options = {}): Layer.Layer<Metrics> =>
  Layer.effect(
    Metrics,
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const { interval = "500 millis", platform = process.platform, proc = "/proc", top = 10 } = options
      const linux = platform === "linux"
      const parts = linux
        ? Linux.parts({ files, proc, interval, top, measure: Mounts.measure })
        : Portable.parts(platform, interval)

      const read = Effect.fn("HostMetrics.read")(
        function*(query: { readonly signals: ReadonlyArray<Signal>; readonly window: Window }) {
          const now = yield* Clock.currentTimeMillis
          if (!isPresent(query.window, now)) return { series: [], gaps: [onlyPresent] }
          if (linux) yield* Effect.mapError(files.access(`${proc}/stat`), () => unreachable(proc))
          const wanted = (signal: Signal): boolean => query.signals.length === 0 || query.signals.includes(signal)
          return yield* run(parts.filter((part) => part.signals.some(wanted)), wanted)
        }
      )
      return Metrics.of({ read })
    })
  ).pipe(Layer.provide(NodeFileSystem.layer))

// internal

const isPresent = ({ from, to }: Window, now: number): boolean =>
  (from === undefined || from <= now + presentMs) && (to === undefined || to >= now - presentMs)

const onlyPresent = gap(
  "window",
  "this machine can only be read as it is now",
  "ask for a window that includes the present, or read the past through Prometheus"
)

const unreachable = (proc: string): SourceError =>
  new SourceError({
    source: "host",
    reason: new Unreachable({ detail: `no proc file system at ${proc}`, remedy: `mount one at ${proc}` })
  })

const run = (parts: ReadonlyArray<Part>, wanted: (signal: Signal) => boolean) =>
  Effect.gen(function*() {
    const results = yield* Effect.forEach(parts, (part) => Effect.result(part.read), { concurrency: "unbounded" })
    const at = yield* Clock.currentTimeMillis
    const series: Array<Series> = []
    const gaps: Array<Gap> = []
    for (const result of results) {
      if (Result.isFailure(result)) {
        gaps.push(result.failure)
        continue
      }
      gaps.push(...result.success.gaps)
      for (const { value, ...rest } of result.success.readings) {
        if (wanted(rest.signal)) series.push({ ...rest, points: [{ at, value }] })
      }
    }
    return { series, gaps }
  })
