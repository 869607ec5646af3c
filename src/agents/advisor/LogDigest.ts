/**
 * A log of any length in a bounded space: how many lines of each level, which patterns they follow, and when. Lines of
 * one pattern differ only in their numbers, names and ids.
 */
import { Schema } from "effect"
import { Redact } from "../../trust/index.ts"
import { Gap, type LogEntry } from "./Source.ts"

const Level = Schema.Literals(["trace", "debug", "info", "warn", "error", "fatal", "unknown"])

/** Lines of one pattern. Instants are epoch milliseconds, `null` when the lines carry none. */
export const Pattern = Schema.Struct({
  template: Schema.String,
  level: Level,
  source: Schema.String,
  count: Schema.Natural,
  first: Schema.NullOr(Schema.Int),
  last: Schema.NullOr(Schema.Int),
  /** The last line of the pattern, cut to a bound. */
  sample: Schema.String,
  /** Lines in the last quarter of the log's time. */
  recent: Schema.Natural,
  said: Schema.String
})
export type Pattern = typeof Pattern.Type

/** What a log came to. */
export const LogDigest = Schema.Struct({
  entries: Schema.Natural,
  from: Schema.NullOr(Schema.Int),
  to: Schema.NullOr(Schema.Int),
  levels: Schema.Struct({ info: Schema.Natural, warn: Schema.Natural, error: Schema.Natural }),
  /** Lines at `error` or worse: in the last quarter of the time, and on average in the three before it. */
  errorsRecent: Schema.Natural,
  errorsBefore: Schema.Finite,
  /** The most telling first: worst level, then most lines. */
  patterns: Schema.Array(Pattern),
  /** Lines whose patterns were not kept. */
  dropped: Schema.Natural,
  gaps: Schema.Array(Gap),
  said: Schema.String
})
export type LogDigest = typeof LogDigest.Type

/** A digest under way; bounded by `maxPatterns` and `maxBuckets`, however long the log. */
export interface Building {
  readonly patterns: Map<string, Counting>
  readonly gaps: Array<typeof Gap.Type>
  readonly levels: { info: number; warn: number; error: number }
  readonly errors: Timeline
  /** Patterns kept, by rank. */
  readonly kept: Array<number>
  entries: number
  from: number | null
  to: number | null
  dropped: number
  /** Gaps beyond those that were kept. */
  moreGaps: number
}

/** Nothing read yet. */
export const empty = (): Building => ({
  patterns: new Map(),
  gaps: [],
  levels: { info: 0, warn: 0, error: 0 },
  errors: timeline(),
  kept: [0, 0, 0, 0, 0],
  entries: 0,
  from: null,
  to: null,
  dropped: 0,
  moreGaps: 0
})

/** Takes one more line in, in place: a fold over millions of lines must not copy. */
export const add = (building: Building, item: LogEntry | typeof Gap.Type): Building => {
  if (!("message" in item)) {
    if (building.gaps.length < maxGaps) building.gaps.push(item)
    else building.moreGaps++
    return building
  }
  building.entries++
  const rank = ranks[item.level]
  if (rank >= 3) building.levels.error++
  else if (rank === 2) building.levels.warn++
  else building.levels.info++
  if (item.at !== null) {
    building.from = building.from === null ? item.at : Math.min(building.from, item.at)
    building.to = building.to === null ? item.at : Math.max(building.to, item.at)
    if (rank >= 3) mark(building.errors, item.at)
  }
  count(building, item)
  return building
}

/** The digest, with the `keep` most telling patterns. */
export const finish = (building: Building, keep = 40): LogDigest => {
  const span = { from: building.from, to: building.to }
  const sorted = [...building.patterns.values()].toSorted((a, b) =>
    ranks[b.level] - ranks[a.level] || b.count - a.count
  )
  const patterns = sorted.slice(0, keep).map((pattern) => describe(pattern, span))
  const [before, recent] = quarters(building.errors, span)
  const digest = {
    entries: building.entries,
    ...span,
    levels: { ...building.levels },
    errorsRecent: recent,
    errorsBefore: Math.round(before * 10) / 10,
    patterns,
    dropped: sorted.slice(keep).reduce((sum, pattern) => sum + pattern.count, building.dropped),
    gaps: building.moreGaps === 0 ? building.gaps : [...building.gaps, furtherGaps(building.moreGaps)]
  }
  const { error, warn } = digest.levels
  return { ...digest, said: `${building.entries} log lines, ${error} errors, ${warn} warnings` }
}

/** The pattern of a message: what varies becomes `<…>`. Linear in the message. */
export const template = (message: string): string =>
  cut(message, maxTemplate)
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<id>")
    .replace(/"[^"]{0,200}"|'[^']{0,200}'/g, "<text>")
    .replace(/\b(?:0x)?[0-9a-f]{12,}\b/gi, "<id>")
    .replace(/\d+(?:[.:,]\d+)*/g, "<n>")

// internal

const maxPatterns = 2000
const maxBuckets = 2000
const maxGaps = 50
const maxTemplate = 400
const maxSample = 300
/** Characters of a message that are kept until it is shown. */
const maxRead = 2000
/** Characters by whose beginning a secret is recognised that was cut off there. */
const recognisable = 600

const ranks = { trace: 0, debug: 0, unknown: 1, info: 1, warn: 2, error: 3, fatal: 4 } as const

interface Counting {
  /** The start of its first message, as it was read. */
  readonly message: string
  readonly level: LogEntry["level"]
  readonly source: string
  readonly times: Timeline
  count: number
  first: number | null
  last: number | null
  sample: string
}

const count = (building: Building, entry: LogEntry) => {
  const shape = template(entry.message)
  const key = `${entry.level} ${shape}`
  const known = building.patterns.get(key)
  if (known === undefined && !makeRoom(building, ranks[entry.level])) {
    building.dropped++
    return
  }
  const pattern = known ?? {
    message: cut(entry.message, maxRead),
    level: entry.level,
    source: entry.source,
    times: timeline(),
    count: 0,
    first: entry.at,
    last: entry.at,
    sample: ""
  }
  pattern.count++
  pattern.sample = cut(entry.message, maxRead)
  if (entry.at !== null) {
    pattern.first = pattern.first === null ? entry.at : Math.min(pattern.first, entry.at)
    pattern.last = pattern.last === null ? entry.at : Math.max(pattern.last, entry.at)
    mark(pattern.times, entry.at)
  }
  if (known === undefined) {
    building.patterns.set(key, pattern)
    building.kept[ranks[entry.level]]!++ // There is a count for every rank.
  }
}

/**
 * Whether there is room for a pattern of this rank. Chatter gives way to what is worse, the rarest first, so that the
 * first error after any amount of it is seen; each time the ranks kept rise, so it happens a bounded number of times.
 */
const makeRoom = (building: Building, rank: number): boolean => {
  if (building.patterns.size < maxPatterns) return true
  const least = building.kept.findIndex((amount) => amount > 0)
  if (least >= rank) return false
  let rarest: readonly [key: string, count: number] | undefined
  for (const [key, { count, level }] of building.patterns) {
    if (ranks[level] === least && (rarest === undefined || count < rarest[1])) rarest = [key, count]
  }
  if (rarest === undefined) return false
  building.patterns.delete(rarest[0])
  building.kept[least]!-- // There is a count for every rank.
  building.dropped += rarest[1]
  return true
}

const furtherGaps = (amount: number): typeof Gap.Type => ({
  source: "logs",
  detail: `${amount} more parts could not be read`,
  remedy: "read fewer logs at once"
})

/** The start of a text; a character outside the basic plane has two halves, and half of one has no canonical form. */
const cut = (text: string, length: number): string =>
  text.length > length ? text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "") : text

/** A message without secrets: these go before a number in them is masked or they are cut, or nobody knew them any more. */
const blanked = (message: string): string => {
  const clean = Redact.redact(message)
  return message.length < maxRead ? clean : cut(clean, Math.max(0, clean.length - recognisable))
}

const describe = (pattern: Counting, span: Span): Pattern => {
  const [, recent] = quarters(pattern.times, span)
  return {
    template: template(blanked(pattern.message)),
    level: pattern.level,
    source: pattern.source,
    count: pattern.count,
    first: pattern.first,
    last: pattern.last,
    sample: cut(blanked(pattern.sample), maxSample),
    recent,
    said: `${pattern.count}× ${pattern.level} from ${pattern.source}: ${pattern.sample}`
  }
}

interface Span {
  readonly from: number | null
  readonly to: number | null
}

/** Counts over time in buckets that widen when there are too many. */
interface Timeline {
  widthMs: number
  counts: Map<number, number>
}

const timeline = (): Timeline => ({ widthMs: 1000, counts: new Map() })

const mark = (line: Timeline, at: number) => {
  const bucket = Math.floor(at / line.widthMs)
  line.counts.set(bucket, (line.counts.get(bucket) ?? 0) + 1)
  while (line.counts.size > maxBuckets) {
    const wider = new Map<number, number>()
    for (const [key, amount] of line.counts) {
      wider.set(Math.floor(key / 2), (wider.get(Math.floor(key / 2)) ?? 0) + amount)
    }
    line.widthMs *= 2
    line.counts = wider
  }
}

/** Average of the first three quarters of the span, and the last quarter. */
const quarters = (line: Timeline, { from, to }: Span): readonly [before: number, recent: number] => {
  if (from === null || to === null || to <= from) return [0, [...line.counts.values()].reduce((a, b) => a + b, 0)]
  const edge = to - (to - from) / 4
  let before = 0
  let recent = 0
  for (const [bucket, amount] of line.counts) {
    if ((bucket + 0.5) * line.widthMs >= edge) recent += amount
    else before += amount
  }
  return [before / 3, recent]
}
