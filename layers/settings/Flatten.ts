/**
 * Nested values as one level of dotted keys: `{ a: [{ b: 1 }] }` is `a.0.b = "1"`.
 *
 * An empty object or list keeps its key, with `{}` or `[]` as its value, so that its presence is not lost.
 */
import { Predicate, Result } from "effect"

/** Levels of nesting followed; an endless one (a YAML alias to its own parent) ends here. */
export const maxDepth = 64

/** Settings of one file. */
export const maxSettings = 20_000

/** The settings under `value`, or what makes them too much to read. */
export const flatten = (value: unknown): Result.Result<ReadonlyMap<string, string>, string> => {
  const settings = new Map<string, string>()
  const problem = add(settings, [], value)
  return problem === undefined ? Result.succeed(settings) : Result.fail(problem)
}

// internal

const add = (settings: Map<string, string>, path: ReadonlyArray<string>, value: unknown): string | undefined => {
  if (path.length > maxDepth) return `is nested deeper than ${maxDepth} levels`
  if (settings.size > maxSettings) return `has more than ${maxSettings} settings`
  const children = childrenOf(value)
  if (children === undefined || children.length === 0) {
    settings.set(path.join("."), textOf(value))
    return undefined
  }
  for (const [key, child] of children) {
    const problem = add(settings, [...path, key], child)
    if (problem !== undefined) return problem
  }
  return undefined
}

const childrenOf = (value: unknown): ReadonlyArray<readonly [string, unknown]> | undefined =>
  Array.isArray(value) || (Predicate.isObject(value) && !Predicate.isDate(value)) ? Object.entries(value) : undefined

const textOf = (value: unknown): string => {
  if (Predicate.isString(value)) return value
  if (Predicate.isDate(value)) return value.toISOString()
  if (Array.isArray(value)) return "[]"
  return Predicate.isObject(value) ? "{}" : String(value)
}
