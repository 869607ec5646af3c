/**
 * Days in texts, however they are written: by name of the month, in numbers from the year on, or by how far they are from
 * today.
 */
import { DateTime } from "effect"

/** A day; `year` where it is written. */
export interface Day {
  readonly year: number | undefined
  readonly month: number
  readonly day: number
}

/** The day of a value that is a date, or a date with a time; `undefined` when it is something else. */
export const dayOf = (value: string): Day | undefined => {
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.exec(
    value.trim()
  )
  return found === null ? undefined : { year: Number(found[1]), month: Number(found[2]), day: Number(found[3]) }
}

/** All days that a text names. */
export const datesIn = (text: string): ReadonlyArray<Day> => [
  ...[...text.matchAll(numbers)].map(([, year, month, day]) => dated(year, Number(month), day)),
  ...[...text.matchAll(monthFirst)].map(([, month, day, year]) => dated(year, monthOf(month), day)),
  ...[...text.matchAll(dayFirst)].map(([, day, month, year]) => dated(year, monthOf(month), day))
]

/** A text without the days that it names: what is left of its numbers are numbers. */
export const withoutDates = (text: string): string =>
  [numbers, monthFirst, dayFirst].reduce((left, pattern) => left.replace(pattern, " "), text)

/** The days that a text names by how far they are from `today`, a day with its year: `tomorrow`, `on Friday`. */
export const daysFrom = (text: string, { day, month, year }: Day): ReadonlyArray<Day> => {
  if (year === undefined) return []
  const start = DateTime.makeUnsafe({ year, month, day })
  const from = DateTime.toPartsUtc(start).weekDay
  return [...text.toLowerCase().matchAll(relative)].flatMap(([, next, word = ""]) => {
    const weekday = weekdays.indexOf(word.slice(0, 3))
    const first = weekday === -1 ? distance(word) : (weekday - from + 7) % 7
    // Until when a week is this one, people do not agree.
    const isSure = weekday === -1 || (next === undefined && first > 0)
    const distances = isSure ? [first] : [first, first + 7]
    return distances.map((days) => dayAfter(start, days))
  })
}

/** Whether they can be the same day: a year counts where both have one. */
export const isSameDay = (one: Day, other: Day): boolean =>
  one.month === other.month && one.day === other.day &&
  (one.year === undefined || other.year === undefined || one.year === other.year)

// internal

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
const name =
  "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
const numbers = /(?<!\d)(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)/g
const monthFirst = new RegExp(`\\b${name}\\.? (\\d{1,2})(?:st|nd|rd|th)?\\b(?:,? (\\d{4})\\b)?`, "gi")
const dayFirst = new RegExp(`(?<!\\d)(\\d{1,2})(?:st|nd|rd|th)?(?: of)? ${name}\\b(?:,? (\\d{4})\\b)?`, "gi")

const relative = /\b(next )?(today|tonight|tomorrow|yesterday|(?:sun|mon|tues|wednes|thurs|fri|satur)day)\b/g
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
const distance = (word: string) => word === "tomorrow" ? 1 : word === "yesterday" ? -1 : 0
const dayAfter = (start: DateTime.DateTime, days: number): Day => {
  const { day, month, year } = DateTime.toPartsUtc(DateTime.add(start, { days }))
  return { year, month, day }
}

const monthOf = (text = "") => months.indexOf(text.slice(0, 3).toLowerCase()) + 1
const dated = (year: string | undefined, month: number, day: string | undefined): Day => ({
  year: year === undefined ? undefined : Number(year),
  month,
  day: Number(day)
})
