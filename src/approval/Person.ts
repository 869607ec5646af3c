/**
 * Names of the people who decide. A name is believed: authenticate people before they come here. What is guarded is that
 * nobody counts twice, or as somebody else than the requester, by spelling a name in another way.
 */

/** Longest name, UTF-16 units. */
export const maxLength = 200

/** Why nobody decides under that name; `null` when somebody may. */
export const fault = (name: string): string | null => {
  const normal = normalise(name)
  if (normal === "") return "a decision needs the name of a person"
  if (normal.length > maxLength) return `a name has at most ${maxLength} characters`
  if (!normal.isWellFormed() || /[\p{C}\p{DI}]/u.test(normal)) return "the name has characters that nobody sees"
  if (scripts.filter((script) => script.test(normal)).length > 1) return "the name mixes alphabets that look alike"
  return null
}

/** The name as it is recorded: compatibility forms composed (NFKC), spaces single and none at the ends. */
export const normalise = (name: string): string => name.normalize("NFKC").replace(/\s+/gu, " ").trim()

/**
 * Whether two names may be one person's: the same but for case, composition, spaces and letters of other alphabets that
 * look the same. A name without a realm (`ada`) is that name in every realm (`local:ada`). Rather one too many than one
 * too few: it only ever keeps a vote from counting.
 */
export const isSame = (one: string, other: string): boolean => {
  const [a, b] = [parts(one), parts(other)]
  return a.name === b.name && (a.realm === b.realm || a.realm === "" || b.realm === "")
}

// internal

/** Alphabets with letters that look the same. */
const scripts = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u]

/** Lower-case letters that nobody tells from a Latin one. Source: Unicode TR39, confusables. */
const lookalikes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    а: "a",
    с: "c",
    ԁ: "d",
    е: "e",
    һ: "h",
    і: "i",
    ј: "j",
    к: "k",
    м: "m",
    н: "h",
    о: "o",
    р: "p",
    ԛ: "q",
    ѕ: "s",
    т: "t",
    у: "y",
    ѵ: "v",
    ԝ: "w",
    х: "x",
    α: "a",
    ι: "i",
    κ: "k",
    ν: "v",
    ο: "o",
    ρ: "p",
    τ: "t",
    υ: "u",
    χ: "x",
    օ: "o",
    ս: "u",
    ո: "n",
    հ: "h"
  })
)

/** To and fro: some letters have several lower-case forms, and some an upper case of two letters. */
const folded = (name: string): string =>
  [...normalise(normalise(name).toLowerCase().toUpperCase().toLowerCase())].map((letter) =>
    lookalikes.get(letter) ?? letter
  ).join("")

const parts = (name: string): { readonly realm: string; readonly name: string } => {
  const whole = folded(name)
  const colon = whole.indexOf(":")
  return { realm: colon < 0 ? "" : whole.slice(0, colon).trim(), name: whole.slice(colon + 1).trim() }
}
