/** Any typed error in one or two sentences for a person: what did not happen, and what would help. */
import { Predicate } from "effect"

/** What went wrong, and the remedy; the remedy is empty when there is none to name. */
export interface Explanation {
  readonly detail: string
  readonly remedy: string
}

/** Reads the shape that all errors of this house share: words of their own, or `reason`, `detail`, `remedy`. */
export const explain = (error: unknown): Explanation => {
  if (!Predicate.isObject(error)) return { detail: String(error), remedy: "" }
  const reason = "reason" in error && Predicate.isObject(error.reason) ? error.reason : {}
  const remedy = said(error, "remedy") || said(reason, "remedy")
  const own = said(error, "message")
  if (own !== "") return { detail: before(own, remedy), remedy }
  const detail = said(error, "detail") || said(reason, "detail") || said(reason, "message")
  if (detail === "") return { detail: tagOf(reason) ?? tagOf(error) ?? "unknown error", remedy }
  const where = places
    .map((field) => [field, said(error, field) || said(reason, field)] as const)
    .filter(([field, value]) => value !== "" && (field === "line" || !detail.includes(value)))
    .map(([field, value]) => `${field} ${value}`)
  return { detail: where.length === 0 ? detail : `${detail} (${where.join(", ")})`, remedy }
}

/** Both in one line. */
export const sentence = (error: unknown): string => {
  const { detail, remedy } = explain(error)
  return remedy === "" ? detail : `${detail}; ${remedy}`
}

// internal

/** Where something is wrong, as errors of this house call it. */
const places = ["line", "path", "source", "folder"] as const

const said = (error: object, field: string): string => {
  const value: unknown = Reflect.get(error, field)
  return Predicate.isString(value) || Predicate.isNumber(value) ? String(value) : ""
}

/** The sentence without the remedy, where it ends with it: the remedy is told by itself. */
const before = (sentence: string, remedy: string): string =>
  remedy !== "" && sentence.endsWith(`; ${remedy}`) ? sentence.slice(0, -`; ${remedy}`.length) : sentence

const tagOf = (error: object): string | undefined => said(error, "_tag") || undefined
