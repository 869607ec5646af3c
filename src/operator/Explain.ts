/** Any typed error in one or two sentences for a person: what did not happen, and what would help. */
import { Predicate } from "effect"

/** What went wrong, and the remedy; the remedy is empty when there is none to name. */
export interface Explanation {
  readonly detail: string
  readonly remedy: string
}

/** Reads the shape that all errors of this house share: `reason`, `detail`, `remedy`. */
export const explain = (error: unknown): Explanation => {
  if (!Predicate.isObject(error)) return { detail: String(error), remedy: "" }
  if ("reason" in error && Predicate.isObject(error.reason) && !("detail" in error)) return explain(error.reason)
  const remedy = "remedy" in error && Predicate.isString(error.remedy) ? error.remedy : ""
  if ("detail" in error && Predicate.isString(error.detail)) {
    const where = ["line", "path", "source", "folder"].flatMap((field) => {
      const value = Reflect.get(error, field)
      return Predicate.isString(value) || Predicate.isNumber(value) ? [`${field} ${value}`] : []
    })
    return { detail: where.length === 0 ? error.detail : `${error.detail} (${where.join(", ")})`, remedy }
  }
  const message = "message" in error && Predicate.isString(error.message) ? error.message : ""
  return { detail: message === "" ? tagOf(error) : message, remedy }
}

/** Both in one line. */
export const sentence = (error: unknown): string => {
  const { detail, remedy } = explain(error)
  return remedy === "" ? detail : `${detail}; ${remedy}`
}

// internal

const tagOf = (error: object): string => "_tag" in error ? String(error._tag) : "unknown error"
