/**
 * When something is due: at the instants of a cron expression in a time zone, or at instants of a list. Instants are epoch
 * milliseconds; expressions have five fields, or six with seconds first.
 *
 * A local time that the clock jumps over is due as if it had not jumped: 02:30 at what is 03:30 by then. One that the
 * clock shows twice is due at the first of the two unless `repeated` says otherwise; so an expression that means "every
 * half hour" leaves out the repeated hour unless it says `both`. Where a clock jumps by half an hour (Lord Howe Island)
 * and the same expression is due both within the jump and right after it, the former is left out.
 */
import { Cron as EffectCron, Result, Schema } from "effect"

/** Instants named by local time. */
export const Cron = Schema.Struct({
  kind: Schema.Literal("cron"),
  expression: Schema.NonEmptyString,
  /** IANA name, as `Europe/Berlin`. */
  zone: Schema.NonEmptyString,
  /** Which of two equal local times is meant. */
  repeated: Schema.Literals(["earlier", "later", "both"])
})
/** Most instants of a list. */
export const maxInstants = 1000
/** Instants named one by one. */
export const At = Schema.Struct({
  kind: Schema.Literal("at"),
  instants: Schema.NonEmptyArray(Schema.Natural).check(Schema.isMaxLength(maxInstants))
})
export const When = Schema.Union([Cron, At])
export type When = typeof When.Type

/** Some of the instants of a span. */
export interface Instants {
  /** The latest of them, oldest first. */
  readonly instants: ReadonlyArray<number>
  /** Whether there are older ones. */
  readonly isCut: boolean
}

/** Why nothing would ever be due after `now`, or `null` when something is. */
export const objection = (when: When, now: number): string | null => {
  if (when.kind === "at") {
    return next(when, now) === null ? "every instant of it has passed" : null
  }
  const cron = compile(when)
  if (Result.isFailure(cron)) return `${cron.failure.message}: ${cron.failure.input ?? when.expression}`
  return next(when, now) === null ? `no date ever matches ${when.expression}` : null
}

/** The first instant after `after`; `null` when there is none. */
export const next = (when: When, after: number): number | null => {
  if (when.kind === "at") {
    const later = when.instants.filter((instant) => instant > after)
    return later.length === 0 ? null : Math.min(...later)
  }
  const cron = compile(when)
  if (Result.isFailure(cron)) return null
  // Forwards the search may pass over instants that a gap has moved; backwards it finds every one.
  let first = search(EffectCron.next, cron.success, after)
  for (let before = first; before !== null && before > after;) {
    first = before
    before = search(EffectCron.prev, cron.success, first)
  }
  return first
}

/** The instants after `after` and up to `until`, the latest `most` of them. */
export const within = (when: When, after: number, until: number, most: number): Instants => {
  const found = latest(when, after, until, most + 1)
  return { instants: found.slice(0, most).toReversed(), isCut: found.length > most }
}

// internal

const compile = (when: typeof Cron.Type) =>
  EffectCron.parse(when.expression, when.zone, { onDstOverlap: when.repeated })

/** Newest first. */
const latest = (when: When, after: number, until: number, most: number): ReadonlyArray<number> => {
  if (when.kind === "at") {
    const all = [...new Set(when.instants)].filter((instant) => after < instant && instant <= until)
    return all.toSorted((a, b) => b - a).slice(0, most)
  }
  const cron = compile(when)
  const found: Array<number> = []
  let instant = Result.isFailure(cron) ? null : search(EffectCron.prev, cron.success, until + 1)
  while (Result.isSuccess(cron) && instant !== null && instant > after) {
    found.push(instant)
    instant = found.length < most ? search(EffectCron.prev, cron.success, instant) : null
  }
  return found
}

/** One step of the search, which throws where no date of many years matches. */
const search = (step: typeof EffectCron.next, cron: EffectCron.Cron, from: number): number | null =>
  Result.getOrElse(Result.try(() => step(cron, from).getTime()), () => null)
