/** Capabilities in few letters, so that they meet often, and what they grant, said a second time and more simply. */
import type { Capability } from "../../src/capability/index.ts"

const resources = ["a", "b", "ab", "ba", "aa", "aba", "a/b", "a/b/a", "b/a", "a.b", "/a"]
const acts = ["tool:x", "tool:y", "memory:x", "net:fetch"] as const

const on = (...pattern: ReadonlyArray<string>): ReadonlyArray<Capability.Name> =>
  acts.flatMap((act) => pattern.map((resource): Capability.Name => `${act}@${resource}`))

/** What a program may want to do: no stars. */
export const concretes: ReadonlyArray<Capability.Name> = [...acts, ...on(...resources)]

/** What may be held or asked for. */
export const patterns: ReadonlyArray<Capability.Name> = [
  ...concretes,
  ...on("*", ...resources.map((resource) => `${resource}*`), ...resources.map((resource) => `*${resource}`))
]

/** Whether `held` says that `thing`, one of `concretes`, may be done. */
export const grants = (held: Capability.Name, thing: Capability.Name): boolean => {
  const [act, pattern] = held.split("@")
  const [wanted, resource] = thing.split("@")
  if (act !== wanted) return false
  if (pattern === undefined) return true
  if (resource === undefined) return false
  const literal = pattern.replace("*", "").replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")
  const [before, after] = [pattern.startsWith("*") ? ".*" : "", pattern.endsWith("*") ? ".*" : ""]
  return new RegExp(`^${before}${literal}${after}$`, "s").test(resource)
}
