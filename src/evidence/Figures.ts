/**
 * Whether words stand in a recorded text, and whether the figures of a sentence do. A figure is a word with a digit in it:
 * a number with sign, separators and unit, a time, or a name such as `db-3` or `p95`. Numbers are compared by value and by
 * unit where both sides name one, names and times as written; an instant recorded in epoch milliseconds is also the ISO time
 * that it denotes.
 */
import { DateTime, Option } from "effect"
import * as Units from "./Units.ts"

/** A number, and what it measures where that is said. */
export interface Amount {
  readonly value: number
  readonly unit?: Units.Unit | undefined
  /** The digits, where there are more of them than a number keeps apart. */
  readonly digits?: string | undefined
}

/** Whether `words` stand in `text` and cut no word, no number and no number from its unit: "5 m" not in "5 min". */
export const stand = (words: string, text: string): boolean => {
  if (words === "") return false
  let at = text.indexOf(words)
  for (let tried = 0; at >= 0 && tried < maxOccurrences; tried++) {
    if (!isCut(text, at) && !isCut(text, at + words.length) && !losesUnit(text, at, words)) return true
    at = text.indexOf(words, at + 1)
  }
  return false
}

/** The figures of `sentence` that no part of the evidence bears out: its texts, and numbers that were taken from them. */
export const unsupported = (
  sentence: string,
  evidence: ReadonlyArray<string>,
  amounts: ReadonlyArray<Amount> = []
): ReadonlyArray<string> => {
  const figures = figuresIn(sentence)
  if (figures.length === 0) return []
  const texts = evidence.map(withTimes)
  const known = [...texts.flatMap(amountsIn), ...amounts]
  const lower = texts.map((text) => text.toLowerCase())
  return figures.filter(({ amounts, figure }) =>
    amounts === undefined
      ? !lower.some((text) => stand(figure.toLowerCase(), text))
      : !amounts.every((amount) => known.some((other) => isSame(amount, other)))
  ).map(({ figure }) => figure)
}

/** Whether a sentence says a number that is a matter of value, and not a name or a time. */
export const isAmount = (figure: string): boolean => amountsOf(figure) !== undefined

/** Every number that a text can be read to say; more readings than one where a comma may divide or join. */
export const amountsIn = (text: string): ReadonlyArray<Amount> =>
  [...text.matchAll(number)].flatMap((match) => {
    const [whole, sign = "", run = "", exponent = ""] = match
    const isSigned = sign !== "" && !letter.test(text[match.index - 1] ?? "")
    const unit = Units.after(text, match.index + whole.length)?.unit ?? unitBefore(text, match.index)
    return readings(run).flatMap((one) => {
      const value = Number(one.replace(/\.+$/, "") + exponent)
      const digits = digitsOf(one)
      return isSigned ? [{ value, unit, digits }, { value: -value, unit, digits }] : [{ value, unit, digits }]
    })
  })

// internal

/** Occurrences looked at: bounds the time that a repetitive text can take. */
const maxOccurrences = 1000

/** What stands between spaces, quotes and brackets; a colon divides, except between digits. */
const word = /(?:[^\s"'`()[\]{}<>=;|:…“”‘’«»]|(?<=\d):(?=\d))+/g
const punctuation = /^[.,!?*]+(?!\d)|[.,!?*]+$/g
const utc = /(?<=\d:\d\d)Z$/
const digit = /\d/
/** Numerals of any script: what is no number to us must stand as it is written. */
const numeral = /\p{N}/u
const foreign = /(?!\d)\p{N}/u
const clock = /^\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?$/
/** Scripts that put spaces between words. */
const letter = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\d]/u
const minus = /[-−]/
const endsInNumber = /(?:^|[\s"'([=:,>~])[-−+$]?\.?\d[\d.,]*$/u
const number = /(?<![\p{L}\d.,])([-−]?)(\.?\d[\d.,]*)(e[-+]?\d+)?/giu

interface Figure {
  readonly figure: string
  /** `undefined` for a name or a time, which is not a matter of value. */
  readonly amounts: ReadonlyArray<Amount> | undefined
}

const figuresIn = (sentence: string): ReadonlyArray<Figure> =>
  [...sentence.matchAll(word)].flatMap(({ 0: found, index }) => {
    const figure = found.replace(punctuation, "").replace(utc, "")
    if (!numeral.test(figure)) return []
    const next = found.endsWith(figure) ? Units.after(sentence, index + found.length)?.unit : undefined
    return [{ figure, amounts: amountsOf(figure, next) }]
  })

/** Whether the place before `text[at]` is inside a word, or inside a number with its sign and separators. */
const isCut = (text: string, at: number): boolean => {
  const before = text[at - 1] ?? ""
  const after = text[at] ?? ""
  if (letter.test(before) && letter.test(after)) return true
  if (minus.test(before) && digit.test(after)) return !letter.test(text[at - 2] ?? "")
  return isSeparator(text, at) || isSeparator(text, at - 1)
}

/** Whether the words end with a number whose unit comes after them. */
const losesUnit = (text: string, at: number, words: string): boolean =>
  endsInNumber.test(words) && Units.after(text, at + words.length) !== undefined

/** Whether a point or a comma at this place belongs to a number. */
const isSeparator = (text: string, at: number): boolean => {
  if (!digit.test(text[at - 1] ?? "")) return false
  if (text[at] === ".") return digit.test(text[at + 1] ?? "")
  return text[at] === "," && /^\d{3}(?!\d)/.test(text.slice(at + 1, at + 5))
}

/** A number with what may stand around it: `~` or `$` before, a unit after. */
const amount = /^[^\p{L}\d.,]*(\.?\d[\d.,]*)(e[-+]?\d+)?(\D*)$/iu
const joint = /[-–—/:_@#+×~]/

/** The numbers a figure consists of, the last of them in the unit that follows; `undefined` for a name or a time. */
const amountsOf = (figure: string, next?: Units.Unit): ReadonlyArray<Amount> | undefined => {
  if (foreign.test(figure) || clock.test(figure)) return undefined
  // A sign may stand behind what marks a number: `~-5`, `$-5`.
  const sign = /^[^\p{L}\p{N}.]*[-−]/u.test(figure) ? -1 : 1
  const bare = figure.replace(/^([^\p{L}\p{N}.]*)[-−+]/u, "$1")
  const parts = amount.test(bare) ? [bare] : bare.split(joint)
  const numeric = parts.filter((part) => digit.test(part))
  if (numeric.length > 2 || !digit.test(parts[0] ?? "")) return undefined
  const amounts = numeric.map((part, index): Amount => {
    const [, run = "x", exponent = "", rest = ""] = amount.exec(part) ?? []
    const value = Number(run.replace(/,(?=\d{3}(?!\d))/g, "").replace(/[.,]+$/, "") + exponent)
    const unit = rest === "" ? next : Units.named(rest.replace(/^-/, ""))
    return { value: index === 0 ? sign * value : value, unit, digits: digitsOf(run) }
  })
  return amounts.some(({ value }) => Number.isNaN(value)) ? undefined : amounts
}

/** Whether the evidence says the number; a side that names no unit is in the other's, and a share may be in per cent. */
const isSame = (said: Amount, known: Amount): boolean => {
  const from = said.unit ?? known.unit
  const to = known.unit ?? said.unit
  if (from?.dimension !== to?.dimension) return false
  if (from?.factor === to?.factor && said.value === known.value) {
    return said.digits === undefined || known.digits === undefined || said.digits === known.digits
  }
  if (said.unit === undefined && known.unit === undefined) return false
  if ((said.unit === undefined || known.unit === undefined) && from?.dimension !== "share") return false
  const factorOf = ({ unit }: Amount) => unit?.factor ?? 1
  return Units.close(said.value * factorOf(said)) === Units.close(known.value * factorOf(known))
}

/** The unit that the name of a JSON member or of a setting before a number ends with. */
const unitBefore = (text: string, at: number): Units.Unit | undefined => {
  const [, name = ""] = /([\w.-]{1,60})"?\s{0,2}[:=]\s{0,2}$/.exec(text.slice(Math.max(0, at - 70), at)) ?? []
  return name === "" ? undefined : Units.ofField(name)
}

const digitsOf = (run: string): string | undefined => {
  const digits = run.replace(/[^\d]/g, "").replace(/^0+/, "")
  return digits.length > safeDigits ? digits : undefined
}
/** Digits that a number keeps apart, whatever they are. */
const safeDigits = 15

const readings = (run: string): ReadonlyArray<string> => {
  const joined = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?[.,]*$/.test(run)
    ? [run.replace(/[.,]+$/, "").replaceAll(",", "")]
    : []
  const apart = run.split(",").flatMap((one) => /\d\.\d+\./.test(one) ? one.split(".") : [one])
  return [...joined, ...apart].filter((one) => digit.test(one))
}

/** The text, and on lines of their own the times in it: instants as ISO times, and each as a date and a time of day. */
const withTimes = (text: string): string => {
  const instants = new Set(text.match(/(?<![\d.])\d{13}(?![\d.])/g))
  const times = [...instants].flatMap((instant) =>
    Option.match(DateTime.make(Number(instant)), { onNone: () => [], onSome: (time) => [DateTime.formatIso(time)] })
  )
  const dated = [text, ...times].join("\n")
  const apart = new Set(dated.match(/(?<!\d)(?:\d{4}-\d\d-\d\dT)?\d\d:\d\d(?::\d\d)?/g))
  return [dated, ...[...apart].map((time) => time.replace("T", " "))].join("\n")
}
