/**
 * Whether words stand in a recorded text, and whether the figures of a sentence do. A figure is a word with a digit in it:
 * a number with sign, separators and unit, a time, or a name such as `db-3` or `p95`. Numbers are compared by value, names
 * and times as written; an instant recorded in epoch milliseconds is also the ISO time that it denotes.
 */
import { DateTime, Option } from "effect"

/** Whether `words` stand in `text`, cutting no word and no number of it in two: "active" does not stand in "inactive". */
export const stand = (words: string, text: string): boolean => {
  let at = text.indexOf(words)
  for (let tried = 0; at >= 0 && tried < maxOccurrences; tried++) {
    if (!isCut(text, at) && !isCut(text, at + words.length)) return true
    at = text.indexOf(words, at + 1)
  }
  return false
}

/** The figures of `sentence` that no part of `evidence` bears out. */
export const unsupported = (sentence: string, evidence: ReadonlyArray<string>): ReadonlyArray<string> => {
  const words = (sentence.match(word) ?? []).map((one) => one.replace(punctuation, "").replace(utc, ""))
  const figures = words.filter((one) => digit.test(one))
  if (figures.length === 0) return []
  const texts = evidence.map((text) => withTimes(text).toLowerCase())
  const known = new Set(texts.flatMap(numbersIn))
  const isKnown = ({ isPercent, value }: Amount) => known.has(value) || (isPercent && known.has(ratio(value)))
  return figures.filter((figure) =>
    !texts.some((text) => stand(figure.toLowerCase(), text)) && !(amountsOf(figure)?.every(isKnown) ?? false)
  )
}

// internal

/** Occurrences looked at: bounds the time that a repetitive text can take. */
const maxOccurrences = 1000

/** What stands between spaces, quotes and brackets; a colon divides, except between digits. */
const word = /(?:[^\s"'`()[\]{}<>=;|:…“”‘’«»]|(?<=\d):(?=\d))+/g
const punctuation = /^[.,!?*]+(?!\d)|[.,!?*]+$/g
const utc = /(?<=\d:\d\d)Z$/
const digit = /\d/
/** Scripts that put spaces between words. */
const letter = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\d]/u
const minus = /[-−]/

/** Whether the place before `text[at]` is inside a word, or inside a number with its sign and separators. */
const isCut = (text: string, at: number): boolean => {
  const before = text[at - 1] ?? ""
  const after = text[at] ?? ""
  if (letter.test(before) && letter.test(after)) return true
  if (minus.test(before) && digit.test(after)) return !letter.test(text[at - 2] ?? "")
  return isSeparator(text, at) || isSeparator(text, at - 1)
}

/** Whether a point or a comma at this place belongs to a number. */
const isSeparator = (text: string, at: number): boolean => {
  if (!digit.test(text[at - 1] ?? "")) return false
  if (text[at] === ".") return digit.test(text[at + 1] ?? "")
  return text[at] === "," && /^\d{3}(?!\d)/.test(text.slice(at + 1, at + 5))
}

interface Amount {
  readonly value: number
  readonly isPercent: boolean
}

/** A number with what may stand around it: `~` or `$` before, a unit after. */
const amount = /^[^\p{L}\d.,]*(\.?\d[\d.,]*)(e[-+]?\d+)?(\D*)$/iu
const joint = /[-–—/:_@#+×~]/

/** The numbers a figure consists of; `undefined` for a name or a time, which is not a matter of value. */
const amountsOf = (figure: string): ReadonlyArray<Amount> | undefined => {
  const sign = minus.test(figure[0] ?? "") ? -1 : 1
  const bare = figure.replace(/^[-−+]/, "")
  const parts = amount.test(bare) ? [bare] : bare.split(joint)
  const numeric = parts.filter((part) => digit.test(part))
  if (numeric.length > 2 || !digit.test(parts[0] ?? "")) return undefined
  const amounts = numeric.map((part, index): Amount => {
    const [, run = "x", exponent = "", unit = ""] = amount.exec(part) ?? []
    const value = Number(run.replace(/,(?=\d{3}(?!\d))/g, "").replace(/[.,]+$/, "") + exponent)
    return { value: index === 0 ? sign * value : value, isPercent: unit.startsWith("%") }
  })
  return amounts.some(({ value }) => Number.isNaN(value)) ? undefined : amounts
}

/** Without the tail of digits that binary division leaves: 18.24 % is 0.1824. */
const ratio = (percent: number): number => Number((percent / 100).toPrecision(12))

/** Every number that a text can be read to say; more readings than one where a comma may divide or join. */
const numbersIn = (text: string): ReadonlyArray<number> =>
  [...text.matchAll(/(?<![\p{L}\d.,])([-−]?)(\.?\d[\d.,]*)(e[-+]?\d+)?(\s?%)?/gu)].flatMap((match) => {
    const [, sign = "", run = "", exponent = "", percent] = match
    const isSigned = sign !== "" && !letter.test(text[match.index - 1] ?? "")
    const joined = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?[.,]*$/.test(run)
      ? [run.replace(/[.,]+$/, "").replaceAll(",", "")]
      : []
    const apart = run.split(",").flatMap((one) => /\d\.\d+\./.test(one) ? one.split(".") : [one])
    return [...joined, ...apart].filter((one) => digit.test(one)).flatMap((one) => {
      const value = Number(one.replace(/\.+$/, "") + exponent)
      const values = percent === undefined ? [value] : [value, ratio(value)]
      return isSigned ? [...values, ...values.map((positive) => -positive)] : values
    })
  })

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
