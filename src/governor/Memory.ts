/**
 * Memory, as the handlers of acts see it: under each key the hash of a payload. The working memory of a session is one more
 * reading of its chain: an act that succeeds leaves what it staged, and its outcome says so in the same commit. What
 * outlives sessions is found by a record that says in which row it stands.
 *
 * The way to it is a permit, for as long as its act runs and for what its tool declares: `memory:read@KEY` and
 * `memory:write@KEY`. What a failed act staged is left out, and another attempt of it starts with nothing staged.
 *
 * What is kept has a label, in the row that says so, and comes back with it: a stranger's value is a stranger's to whoever
 * reads it, and for the same readers. What is to come back as trusted is held to the policy on labels.
 */
import { Effect, Schema } from "effect"
import type { Digest } from "../audit/index.ts"
import { Capability } from "../capability/index.ts"
import type { Permit } from "./Permit.ts"
import { type Acting, actOf, type Found, keysOf } from "./Staging.ts"
import type { Payload } from "./Store.ts"

/** Keys of one session at most. */
export const maxEntries = 64
/** Characters of one value, as canonical JSON, at most. */
export const maxLength = 65_536

/**
 * The permit's act is over, its tool does not declare what this takes, or the policy on labels does not let that be kept.
 * Nothing was read or staged.
 */
export class Denied extends Schema.TaggedError<Denied>()("Denied", { key: Schema.String, detail: Schema.String }) {}
/** The value is too long. Nothing was staged. */
export class TooLong extends Schema.TaggedError<TooLong>()("TooLong", {
  key: Schema.String,
  length: Schema.Natural,
  limit: Schema.Natural
}) {}
/** The session remembers as many keys as it may. Nothing was staged. */
export class Full extends Schema.TaggedError<Full>()("Full", { key: Schema.String, limit: Schema.Natural }) {}

/** Where it is kept, and as what it is to come back. */
export interface Place {
  readonly key: string
  /** Whether it outlives the session. */
  readonly isLasting?: boolean | undefined
  readonly trust?: "trusted" | "untrusted" | undefined
}

/** What a key holds. The text is that of the payload, if the act staged it itself: then it is in no log yet. */
export interface Held {
  readonly hash: Digest.Hash
  readonly text: string | undefined
}

/** What a key holds; `undefined` for nothing. */
export const get = Effect.fnUntraced(function*<N extends string>(
  permit: Permit<N>,
  { isLasting = false, key }: Place
): Effect.fn.Return<Held | undefined, Denied> {
  const acting = yield* holding(permit, "read", key)
  const own = (isLasting ? acting.lasting : acting.staged).get(key)
  if (own !== undefined) return own.payload ?? undefined
  const found = isLasting
    ? yield* Effect.mapError(acting.keeper.lasting(key), (detail) => new Denied({ key, detail }))
    : working(acting, key)
  if (found === undefined) return undefined
  if (found.label !== undefined) {
    acting.read.push(found.label)
    acting.keeper.note(found.label)
  }
  return { hash: found.hash, text: undefined }
})

/** Stages what a key is to hold once the act has succeeded; `null` clears it. */
export const stage = Effect.fnUntraced(function*<N extends string>(
  permit: Permit<N>,
  { isLasting = false, key, trust = "untrusted" }: Place,
  value: (Payload & { readonly json: Schema.Json }) | null
): Effect.fn.Return<void, Denied | TooLong | Full> {
  const acting = yield* holding(permit, "write", key)
  const { keeper, lasting, memory, read, staged } = acting
  if (value !== null && value.text.length > maxLength) {
    return yield* new TooLong({ key, length: value.text.length, limit: maxLength })
  }
  const json = value?.json ?? null
  const label = yield* Effect.mapError(
    keeper.label({ key, json, trust }, read),
    (detail) => new Denied({ key, detail })
  )
  const payload = value === null ? null : { hash: value.hash, text: value.text }
  const keys = keysOf(memory)
  if (!isLasting && payload !== null && !keys.has(key) && keys.size >= maxEntries) {
    return yield* new Full({ key, limit: maxEntries })
  }
  const map = isLasting ? lasting : staged
  map.set(key, { payload, label })
})

// internal

const working = ({ labels, memory }: Acting, key: string): Found | undefined => {
  const hash = memory.get(key)
  return hash === undefined ? undefined : { hash, label: labels.get(key) }
}

const holding = <N extends string>(
  permit: Permit<N>,
  what: "read" | "write",
  key: string
): Effect.Effect<Acting, Denied> => {
  const acting = actOf(permit)
  if (acting === undefined) return Effect.fail(new Denied({ key, detail: "the act of this permit is over" }))
  const wanted = `memory:${what}@${key}`
  const isDeclared = Capability.isName(wanted) && acting.capabilities.some((held) => Capability.covers(held, wanted))
  return isDeclared ? Effect.succeed(acting) : Effect.fail(new Denied({ key, detail: `it does not declare ${wanted}` }))
}
