/**
 * The instant a log line says it was written.
 *
 * Known spellings: ISO 8601 and its relatives (Java, Python, PostgreSQL, MySQL, nginx), syslog (RFC 3164 and 5424), the
 * common log format, Apache's error log and klog. A time without a zone is read in the zone given; of zone names only
 * UTC, GMT and Z are known. A time without a year gets the latest year that does not put it after the file's last change.
 */
import { DateTime } from "effect"

/** What a line cannot say itself. `zone` is for times without one; `modifiedAt` (epoch milliseconds) is for years. */
export interface Context {
  readonly zone: DateTime.TimeZone
  readonly modifiedAt: number
}

/** An instant in epoch milliseconds, spelt in the line from `start` up to `end`. */
export interface Stamp {
  readonly at: number
  readonly start: number
  readonly end: number
}

/** Makes the function that finds the time in the head of a line; `undefined` when there is none that can be read. */
export const makeFinder = (context: Context): (line: string) => Stamp | undefined => {
  const localToInstant = makeLocalToInstant(context.zone)
  const lastYear = DateTime.toPartsUtc(DateTime.makeUnsafe(context.modifiedAt)).year + 1

  const toInstant = (parts: Parts, year: number): number | undefined => {
    const local = toLocal(parts, year)
    if (local === undefined) return undefined
    return parts.zone === undefined ? localToInstant(local) : local - offsetOf(parts.zone)
  }
  const dated = (parts: Parts): number | undefined => {
    if (parts.year !== undefined) return toInstant(parts, Number(parts.year))
    for (const year of [lastYear, lastYear - 1]) {
      const at = toInstant(parts, year)
      if (at !== undefined && at <= context.modifiedAt + dayMillis) return at
    }
    return toInstant(parts, lastYear - 2)
  }

  return (line) => {
    const head = line.length > headLength ? line.slice(0, headLength) : line
    for (const spelling of spellings) {
      const match = spelling.pattern.exec(head)
      const at = match === null ? undefined : dated(spelling.parts(match))
      if (match !== null && at !== undefined) {
        return { at, start: match[1]?.length ?? 0, end: match[0].length }
      }
    }
    return undefined
  }
}

/** Epoch milliseconds of a number that counts seconds, milli-, micro- or nanoseconds, told apart by its size. */
export const fromEpoch = (value: number): number | undefined => {
  if (!(value > 0)) return undefined
  if (value < 1e11) return Math.round(value * 1_000)
  if (value < 1e14) return Math.round(value)
  if (value < 1e17) return Math.round(value / 1e3)
  return value < 1e20 ? Math.round(value / 1e6) : undefined
}

// internal

const dayMillis = 86_400_000

/** A time further into a line than this is part of the message. */
const headLength = 320

/** The fields as spelt. `month` is a number or an English abbreviation, `fraction` the digits after the second. */
interface Parts {
  readonly year: string | undefined
  readonly month: string | undefined
  readonly day: string | undefined
  readonly hour: string | undefined
  readonly minute: string | undefined
  readonly second: string | undefined
  readonly fraction: string | undefined
  readonly zone: string | undefined
}

/** A way to write an instant. Group 1 of `pattern` is what stands before it. */
interface Spelling {
  readonly pattern: RegExp
  readonly parts: (match: RegExpExecArray) => Parts
}

const monthNames = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
const clock = String.raw`(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?`

/** In the order of how sure they are: the first three can only stand at the start of a line. */
const spellings: ReadonlyArray<Spelling> = [
  {
    // Oct 11 22:14:15 host app[1]: …
    pattern: new RegExp(String.raw`^((?:<\d{1,3}>)?)(${monthNames}) ([ \d]\d) ${clock}`),
    parts: ([, , month, day, hour, minute, second, fraction]) => (
      { year: undefined, month, day, hour, minute, second, fraction, zone: undefined }
    )
  },
  {
    // [Wed Oct 11 14:32:52.123456 2000] [core:error] …
    pattern: new RegExp(String.raw`^(\[)\w{3} (${monthNames}) ([ \d]\d) ${clock} (\d{4})`),
    parts: ([, , month, day, hour, minute, second, fraction, year]) => (
      { year, month, day, hour, minute, second, fraction, zone: undefined }
    )
  },
  {
    // E0326 11:58:00.123456   1 server.go:12] …
    pattern: new RegExp(String.raw`^([DIWEF])(\d\d)(\d\d) ${clock}`),
    parts: ([, , month, day, hour, minute, second, fraction]) => (
      { year: undefined, month, day, hour, minute, second, fraction, zone: undefined }
    )
  },
  {
    // 2026-03-26T11:58:00.123Z …, 2026/03/26 11:58:00 …, level=info ts=2026-03-26T11:58:00+01:00 …
    pattern: new RegExp(
      String.raw`^(.{0,40}?|.{0,200}?\b(?:ts|time|timestamp|t|at)=["']?)(\d{4})[-/](\d\d)[-/](\d\d)[T ]${clock}` +
        String.raw`(?:(Z|[+-]\d\d(?::?\d\d)?)(?!\d)| (UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d(?= \[))(?!\w))?`
    ),
    parts: ([, , year, month, day, hour, minute, second, fraction, joined, spaced]) => (
      { year, month, day, hour, minute, second, fraction, zone: joined ?? spaced }
    )
  },
  {
    // 127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET …, 26-Mar-2026 11:58:00.123 SEVERE …
    pattern: new RegExp(String.raw`^(.*?)(\d{1,2})[-/ ](${monthNames})[-/ ](\d{4})[: ]${clock}(?: ([+-]\d{4}))?`),
    parts: ([, , day, month, year, hour, minute, second, fraction, zone]) => (
      { year, month, day, hour, minute, second, fraction, zone }
    )
  }
]

/** The fields as milliseconds since 1970 on the writer's own clock; `undefined` when there is no such time of day. */
const toLocal = (parts: Parts, year: number): number | undefined => {
  const month = monthOf(parts.month)
  const [day, hour, minute, second] = [
    Number(parts.day),
    Number(parts.hour),
    Number(parts.minute),
    Number(parts.second)
  ]
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 60)) {
    return undefined
  }
  const millis = parts.fraction === undefined ? 0 : Number(parts.fraction.padEnd(3, "0").slice(0, 3))
  return Date.UTC(year, month - 1, day, hour, minute, second, millis)
}

const monthOf = (month: string | undefined): number => {
  if (month === undefined) return 0
  return month.length === 3 ? monthNames.indexOf(month) / 4 + 1 : Number(month)
}

const offsetOf = (zone: string): number => {
  if (!zone.startsWith("+") && !zone.startsWith("-")) return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)) * (zone.length > 3 ? 1 : 0)
  return (zone.startsWith("-") ? -minutes : minutes) * 60_000
}

/** Offsets are looked up once a quarter of an hour: none changes in between, and the look-up is slow. */
const makeLocalToInstant = (zone: DateTime.TimeZone): (local: number) => number => {
  if (zone._tag === "Offset") return (local) => local - zone.offset
  const quarterMillis = 900_000
  let quarter = Number.NaN
  let offset = 0
  return (local) => {
    const wanted = Math.floor(local / quarterMillis)
    if (wanted !== quarter) {
      quarter = wanted
      const zoned = DateTime.makeZonedUnsafe(wanted * quarterMillis, { timeZone: zone, adjustForTimeZone: true })
      offset = wanted * quarterMillis - DateTime.toEpochMillis(zoned)
    }
    return local - offset
  }
}
