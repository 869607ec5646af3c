/**
 * SHA-256 by node:crypto, one-shot and synchronous; RFC 8785 by `JSON.stringify` where its order can be trusted, and by
 * the reference package `canonicalize` for everything else. A half of a surrogate pair, which RFC 8785 has no form for and
 * strangers' text may hold, becomes U+FFFD: nobody can stop the log by what they write.
 */
import canonicalize from "canonicalize"
import { Layer, type Schema } from "effect"
import { createHash, hash } from "node:crypto"
import { Digest } from "../../src/audit/index.ts"

/** The digest of this process. */
export const digest: Digest.Digest["Service"] = {
  canonical: (value) => {
    const sorted = inOrder(value)
    // Every `Schema.Json` has a canonical form; only `undefined` and functions have none.
    return sorted === undefined ? canonicalize(wellFormed(value)) as string : JSON.stringify(sorted)
  },
  sha256: (text) => hash("sha256", text, "hex") as Digest.Hash,
  sha256Bytes: (bytes) => createHash("sha256").update(bytes).digest()
}

/** The digest as a service. */
export const layer: Layer.Layer<Digest.Digest> = Layer.succeed(Digest.Digest, digest)

// internal

/**
 * The value with the members of its objects in the order of RFC 8785 §3.2.3, copied only where they were not. Numbers and
 * strings are written by `JSON.stringify` as the RFC demands; but an engine puts members that look like array indices
 * first, whatever their order, so a value with such a name gives `undefined`, as does what is no JSON.
 */
const inOrder = (value: Schema.Json): Schema.Json | undefined => {
  if (typeof value === "string") return value.isWellFormed() ? value : value.toWellFormed()
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined
  if (typeof value !== "object" || value === null) return typeof value === "undefined" ? undefined : value
  return Array.isArray(value) ? itemsInOrder(value) : membersInOrder(value as { readonly [name: string]: Schema.Json })
}

const itemsInOrder = (items: ReadonlyArray<Schema.Json>): Schema.Json | undefined => {
  let copy: Array<Schema.Json> | undefined
  for (let index = 0; index < items.length; index++) {
    const item = items[index]
    const sorted = item === undefined ? undefined : inOrder(item)
    if (sorted === undefined) return undefined
    if (sorted !== item) copy ??= [...items]
    if (copy !== undefined) copy[index] = sorted
  }
  return copy ?? items
}

const membersInOrder = (object: { readonly [name: string]: Schema.Json }): Schema.Json | undefined => {
  const names = Object.keys(object)
  let isSame = true
  let before = ""
  for (const name of names) {
    if (startsLikeAnIndex(name) || name === "__proto__" || name === "toJSON" || !name.isWellFormed()) return undefined
    if (name < before) isSame = false
    before = name
  }
  // By default names are sorted as the RFC orders them: by their UTF-16 units.
  if (!isSame) names.sort()
  const copy: Record<string, Schema.Json> = {}
  for (const name of names) {
    const value = object[name]
    const sorted = value === undefined ? undefined : inOrder(value)
    if (sorted === undefined) return undefined
    if (sorted !== value) isSame = false
    copy[name] = sorted
  }
  return isSame ? object : copy
}

const wellFormed = (value: Schema.Json): Schema.Json => {
  if (typeof value === "string") return value.toWellFormed()
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(wellFormed)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), wellFormed(member)]))
}

const startsLikeAnIndex = (name: string): boolean => {
  const first = name.charCodeAt(0)
  return first >= 48 && first <= 57
}
