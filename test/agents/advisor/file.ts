/** Case files from measurements, lines and settings, read as the diagnostic actors read them. */
import type { CaseFile } from "../../../src/agents/advisor/CaseFile.ts"
import type { Diagnostics } from "../../../src/agents/advisor/index.ts"
import { LogDigest, Reading } from "../../../src/agents/advisor/index.ts"
import type * as Source from "../../../src/agents/advisor/Source.ts"

export const minute = 60_000
/** When the recorded time begins, epoch milliseconds. */
export const start = Date.UTC(2026, 2, 26, 11)

const units: ReadonlyArray<readonly [RegExp, Source.Unit]> = [
  [/ratio|utilisation/, "ratio"],
  [/bytes/, "bytes"],
  [/latency|age|lag|transaction$/, "seconds"],
  [/arrivals|completions|ops|rate$|deadlocks/, "1/s"],
  [/load/, "sessions"]
]

/** Values of a signal, one a minute. */
export const series = (
  signal: Source.Signal,
  values: ReadonlyArray<number>,
  parts: Partial<Source.Series> = {}
): Source.Series => ({
  signal,
  resource: "shop",
  unit: units.find(([pattern]) => pattern.test(signal))?.[1] ?? "count",
  origin: `vendor:${signal}`,
  points: values.map((value, index) => ({ at: start + index * minute, value })),
  ...parts
})

/** `count` values from one to another. */
export const ramp = (from: number, to: number, count = 16): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => from + (to - from) * index / (count - 1))

/** The same value over and over. */
export const flat = (value: number, count = 16): ReadonlyArray<number> => ramp(value, value, count)

/** One line of a log, `at` in minutes after the start. */
export const line = (
  message: string,
  level: Source.LogEntry["level"] = "error",
  at: number | null = 8
): Source.LogEntry => ({
  at: at === null ? null : start + at * minute,
  level,
  source: "app.log",
  message
})

/** `count` lines over the recorded time. */
export const lines = (count: number, message: string, level: Source.LogEntry["level"] = "error") =>
  Array.from({ length: count }, (_, index) => line(message, level, index * 15 / count))

/** A setting that left its baseline. */
export const drift = (key: string, actual: string | null, baseline: string | null): Diagnostics.Drift => ({
  key,
  actual,
  baseline,
  isDecided: true,
  origin: "config.yaml",
  said: `${key} is ${actual ?? "missing"}, its baseline is ${baseline ?? "missing"}`
})

/** What a file is made of. */
export interface Parts {
  readonly series?: ReadonlyArray<Source.Series>
  readonly lines?: ReadonlyArray<Source.LogEntry | Source.Gap>
  readonly drift?: ReadonlyArray<Diagnostics.Drift>
  readonly settings?: number
  readonly gaps?: ReadonlyArray<Source.Gap>
}

/** The digest of some lines. */
export const digest = (entries: Iterable<Source.LogEntry | Source.Gap>, keep?: number) => {
  const building = LogDigest.empty()
  for (const entry of entries) LogDigest.add(building, entry)
  return LogDigest.finish(building, keep)
}

/** The file, cited by the stamps `ses/1`, `ses/2` and `ses/3`. */
export const file = (parts: Parts): CaseFile => ({
  thresholds: [{
    stamp: "ses/1",
    value: { readings: (parts.series ?? []).flatMap((one) => Reading.read(one) ?? []), gaps: parts.gaps ?? [] }
  }],
  logs: [{ stamp: "ses/2", value: digest(parts.lines ?? []) }],
  settings: [{
    stamp: "ses/3",
    value: { settings: parts.settings ?? parts.drift?.length ?? 0, drift: parts.drift ?? [], gaps: [] }
  }]
})
