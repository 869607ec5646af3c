/**
 * Readings out of lists of times and values, as monitoring systems record them.
 */
import { DateTime, Option } from "effect"
import type * as Source from "../../src/agents/advisor/Source.ts"

/** The readings in a window, oldest first; `lost` counts those without a time or a value that can be read. */
export interface Paired {
  readonly points: ReadonlyArray<Source.Point>
  readonly lost: number
}

/** Pairs times with values, each divided by `divisor`. */
export const pair = (
  times: ReadonlyArray<string>,
  values: ReadonlyArray<number | null>,
  options: { readonly divisor: number; readonly window: Source.Window }
): Paired => {
  const points: Array<Source.Point> = []
  const total = Math.max(times.length, values.length)
  for (let i = 0; i < total; i++) {
    const at = toInstant(times[i])
    const value = values[i]
    if (at !== undefined && value !== undefined && value !== null) {
      points.push({ at, value: quotient(value, options.divisor) })
    }
  }
  return {
    points: points.filter((point) => isWithin(options.window, point.at)).toSorted((a, b) => a.at - b.at),
    lost: total - points.length
  }
}

/** Epoch milliseconds of an ISO time; `undefined` when it is none. */
export const toInstant = (time: string | undefined): number | undefined =>
  time === undefined ? undefined : Option.getOrUndefined(Option.map(DateTime.make(time), DateTime.toEpochMillis))

/** Whether the time from `start` to `end`, or the instant `start`, touches the window. */
export const isWithin = (
  { from = -Infinity, to = Infinity }: Source.Window,
  start: number,
  end: number = start
): boolean => end >= from && start <= to

// internal

/** Without the tail of digits that binary division leaves: 18.24 % is 0.1824. */
const quotient = (value: number, divisor: number): number =>
  divisor === 1 ? value : Number((value / divisor).toPrecision(12))
