/**
 * A reading is what a series came to: where it stood, where it went, whether it broke a limit and whether it still does.
 * Each reading carries one sentence (`said`), so that a claim can quote it word for word.
 */
import { Schema } from "effect"
import { type Limit, limits } from "./Limits.ts"
import { type Series, Signal, Unit } from "./Source.ts"

/** Values are in the series' unit; instants are epoch milliseconds. */
export const Reading = Schema.Struct({
  signal: Signal,
  resource: Schema.String,
  unit: Unit,
  origin: Schema.String,
  points: Schema.Natural,
  first: Schema.Finite,
  last: Schema.Finite,
  min: Schema.Finite,
  max: Schema.Finite,
  /** Median of the first third and of the last third of the points. */
  before: Schema.Finite,
  after: Schema.Finite,
  trend: Schema.Literals(["steady", "rising", "falling", "recovered", "single"]),
  /** When the breach of its limit began; `null` when there was none. */
  breachedAt: Schema.NullOr(Schema.Int),
  /** Whether the limit is broken at the end. */
  breached: Schema.Boolean,
  /** Seconds until a falling reserve is used up at its pace; `null` when it is not. */
  exhaustedIn: Schema.NullOr(Schema.Finite),
  said: Schema.String
})
export type Reading = typeof Reading.Type

/** Change between the first and the last third that counts as movement. */
const movement = 0.2
/** How far a trend is carried on, as a multiple of the time it was seen for. */
const foresight = 2
/** Share of the last points that must break a limit for the breach to count as ongoing. */
const tail = 3

/** What the series came to; `null` when it is empty. */
export const read = (series: Series): Reading | null => {
  const values = series.points.map((point) => point.value)
  const [first] = values
  const last = values.at(-1)
  if (first === undefined || last === undefined) return null
  const third = Math.max(1, Math.floor(values.length / 3))
  const before = median(values.slice(0, third))
  const after = median(values.slice(-third))
  const limit = limits[series.signal]
  const broken = limit === undefined ? [] : series.points.filter((point) => breaks(limit, point.value, before))
  const breached = limit !== undefined && values.slice(-tail).every((value) => breaks(limit, value, before))
  const reading = {
    signal: series.signal,
    resource: series.resource,
    unit: series.unit,
    origin: series.origin,
    points: values.length,
    first,
    last,
    min: values.reduce((a, b) => Math.min(a, b)),
    max: values.reduce((a, b) => Math.max(a, b)),
    before,
    after,
    trend: trend(values, before, after),
    breachedAt: broken[0]?.at ?? null,
    breached,
    exhaustedIn: exhaustion(series)
  } as const
  return { ...reading, said: sentence(reading) }
}

/** A value with its unit, three significant digits. */
export const show = (value: number, unit: Unit): string => {
  switch (unit) {
    case "ratio":
      return `${round(value * 100)}%`
    case "bytes":
    case "bytes/s": {
      const scale = scales.findLast(({ size }) => Math.abs(value) >= size) ?? { size: 1, name: "B" }
      return `${round(value / scale.size)} ${scale.name}${unit === "bytes" ? "" : "/s"}`
    }
    case "seconds":
      return value !== 0 && Math.abs(value) < 1 ? `${round(value * 1000)} ms` : `${round(value)} s`
    case "1/s":
      return `${round(value)}/s`
    case "sessions":
      return `${round(value)} sessions`
    case "count":
    case "raw":
      return String(round(value))
  }
}

// internal

const scales = [
  { size: 1e3, name: "kB" },
  { size: 1e6, name: "MB" },
  { size: 1e9, name: "GB" },
  { size: 1e12, name: "TB" }
]

const round = (value: number): number => Number(value.toPrecision(Math.abs(value) >= 1000 ? 6 : 3))

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

const breaks = (limit: Limit, value: number, before: number): boolean => {
  if (limit.above !== undefined && value <= limit.above) return false
  if (limit.below !== undefined && value >= limit.below) return false
  if (limit.times !== undefined && value < before * limit.times) return false
  return true
}

const trend = (values: ReadonlyArray<number>, before: number, after: number): Reading["trend"] => {
  if (values.length < tail) return "single"
  const scale = Math.max(Math.abs(before), Math.abs(after))
  const moved = scale === 0 ? 0 : (after - before) / scale
  if (moved > movement) return "rising"
  if (moved < -movement) return "falling"
  const extreme = values.reduce((far, value) => Math.max(far, Math.abs(value - before)), 0)
  return scale > 0 && extreme / scale > 1 ? "recovered" : "steady"
}

/**
 * The pace is taken over the last half, so that a reserve that was refilled is not running out; and it is not carried
 * further into the future than `foresight` times what was seen of the past.
 */
const exhaustion = (series: Series): number | null => {
  if (series.signal !== "disk.free_bytes" && series.signal !== "memory.available_bytes") return null
  const recent = series.points.slice(Math.floor(series.points.length / 2))
  const [start] = recent
  const end = recent.at(-1)
  if (start === undefined || end === undefined || end.at <= start.at || end.value >= start.value) return null
  const perSecond = (start.value - end.value) / ((end.at - start.at) / 1000)
  const seconds = Math.max(0, Math.round(end.value / perSecond))
  const seen = (end.at - (series.points[0]?.at ?? start.at)) / 1000
  return seconds <= seen * foresight ? seconds : null
}

const sentence = (reading: Omit<Reading, "said">): string => {
  const value = (amount: number) => show(amount, reading.unit)
  const what = `${reading.signal} of ${reading.resource} (${reading.origin})`
  if (reading.trend === "single") return `${what} is ${value(reading.last)}`
  const range = `between ${value(reading.min)} and ${value(reading.max)}`
  const path = `${what} went from ${value(reading.first)} to ${value(reading.last)}, ${range}, ${reading.trend}`
  return reading.breachedAt === null || reading.breached ? path : `${path}, back within its limit`
}
