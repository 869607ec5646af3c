/** Texts that can be kept. No database keeps one with U+0000, nor one with half of a surrogate pair: they are refused here. */
import { Option, Schema } from "effect"

/** Whether a text can be kept. */
export const isKept = (text: string): boolean => !text.includes("\u0000") && text.isWellFormed()

/** What is said of a text that cannot. */
export const expected = "a text without U+0000 and without halves of surrogate pairs"

/**
 * Where in a text of JSON the first text is, or name of a member, that cannot be kept; `null` when there is none, or the text
 * is no JSON. `except` is a member of the whole that is kept another way. Its levels have been counted before.
 */
export const faultIn = (json: string, except?: string): ReadonlyArray<string> | null => {
  if (!suspect.test(json)) return null
  const value = Option.getOrNull(decode(json))
  return isObject(value) && except !== undefined
    ? faultOf(Object.fromEntries(Object.entries(value).filter(([name]) => name !== except)))
    : faultOf(value)
}

// internal

/** JSON writes U+0000 and half a pair as escapes, and no other way. */
const suspect = /\\u(?:0000|d[89a-f])/i

const decode = Schema.decodeOption(Schema.fromJsonString(Schema.Unknown))

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

const faultOf = (value: unknown): ReadonlyArray<string> | null => {
  if (typeof value === "string") return isKept(value) ? null : []
  if (!isObject(value)) return null
  for (const [name, member] of Object.entries(value)) {
    const place = isKept(name) ? faultOf(member) : []
    if (place !== null) return [name, ...place]
  }
  return null
}
