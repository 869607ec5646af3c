/**
 * The working memory of a session, as the handlers of its acts see it: under each key the hash of a payload. It is one
 * more reading of the chain: an act that succeeds leaves what it staged, and its outcome says so in the same commit.
 *
 * The way to it is a permit, for as long as its act runs and for what its tool declares: `memory:read@KEY` and
 * `memory:write@KEY`. What a failed act staged is left out, and another attempt of it starts with nothing staged.
 */
import { Result, Schema } from "effect"
import type { Digest } from "../audit/index.ts"
import { Capability } from "../capability/index.ts"
import type { Permit } from "./Permit.ts"
import { type Acting, actOf, keysOf } from "./Staging.ts"
import type { Payload } from "./Store.ts"

/** Keys of one session at most. */
export const maxEntries = 64
/** Characters of one value, as canonical JSON, at most. */
export const maxLength = 65_536

/** The permit's act is over, or its tool does not declare what this takes. Nothing was read or staged. */
export class Denied extends Schema.TaggedError<Denied>()("Denied", { key: Schema.String, detail: Schema.String }) {}
/** The value is too long. Nothing was staged. */
export class TooLong extends Schema.TaggedError<TooLong>()("TooLong", {
  key: Schema.String,
  length: Schema.Natural,
  limit: Schema.Natural
}) {}
/** The session remembers as many keys as it may. Nothing was staged. */
export class Full extends Schema.TaggedError<Full>()("Full", { key: Schema.String, limit: Schema.Natural }) {}

/** What a key holds. The text is that of the payload, if the act staged it itself: then it is in no log yet. */
export interface Held {
  readonly hash: Digest.Hash
  readonly text: string | undefined
}

/** What a key holds; `undefined` for nothing. */
export const get = <N extends string>(
  permit: Permit<N>,
  key: string
): Result.Result<Held | undefined, Denied> =>
  Result.map(holding(permit, "read", key), ({ memory, staged }) => {
    const own = staged.get(key)
    if (own !== undefined) return own ?? undefined
    const hash = memory.get(key)
    return hash === undefined ? undefined : { hash, text: undefined }
  })

/** Stages what a key is to hold once the act has succeeded; `null` clears it. */
export const stage = <N extends string>(
  permit: Permit<N>,
  key: string,
  value: Payload | null
): Result.Result<void, Denied | TooLong | Full> =>
  Result.flatMap(holding(permit, "write", key), ({ memory, staged }): Result.Result<void, TooLong | Full> => {
    if (value !== null && value.text.length > maxLength) {
      return Result.fail(new TooLong({ key, length: value.text.length, limit: maxLength }))
    }
    const keys = keysOf(memory)
    if (value !== null && !keys.has(key) && keys.size >= maxEntries) {
      return Result.fail(new Full({ key, limit: maxEntries }))
    }
    staged.set(key, value)
    return Result.succeed(undefined)
  })

// internal

const holding = <N extends string>(
  permit: Permit<N>,
  what: "read" | "write",
  key: string
): Result.Result<Acting, Denied> => {
  const acting = actOf(permit)
  if (acting === undefined) return Result.fail(new Denied({ key, detail: "the act of this permit is over" }))
  const wanted = `memory:${what}@${key}`
  const isDeclared = Capability.isName(wanted) && acting.capabilities.some((held) => Capability.covers(held, wanted))
  return isDeclared ? Result.succeed(acting) : Result.fail(new Denied({ key, detail: `it does not declare ${wanted}` }))
}
