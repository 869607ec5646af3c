/**
 * Prices of one's own: a dated JSON file for models that the price list does not know yet, or knows at another price.
 *
 * ```json
 * { "asOf": "2026-11-01", "prices": [
 *   { "backend": "anthropic", "model": "claude-x", "inputUsdPerMillion": 3, "outputUsdPerMillion": 15 } ] }
 * ```
 *
 * Amounts are US dollars for a million tokens. Reading from and writing to the cache cost as much as input unless said
 * otherwise.
 */
import { DateTime, Effect, FileSystem, Option, Schema } from "effect"
import { Backend } from "../../src/backend/index.ts"
import type { Prices } from "../../src/cost/index.ts"

/** The file cannot be read. */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The file is not a list of prices. */
export class Malformed extends Schema.TaggedError<Malformed>()("Malformed", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** The prices of the file are not in force, and no others are either. */
export class OverridesError extends Schema.TaggedError<OverridesError>()("OverridesError", {
  path: Schema.String,
  reason: Schema.Union([Unreadable, Malformed])
}) {
  override get message(): string {
    return `${this.path}: ${this.reason.detail}: ${this.reason.remedy}`
  }
}

const UsdPerMillion = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

/** The price of one model on one backend, in US dollars for a million tokens. */
export const Price = Schema.Struct({
  backend: Schema.Literals(Backend.names),
  model: Schema.NonEmptyString,
  inputUsdPerMillion: UsdPerMillion,
  outputUsdPerMillion: UsdPerMillion,
  cacheReadUsdPerMillion: Schema.optionalKey(UsdPerMillion),
  cacheWriteUsdPerMillion: Schema.optionalKey(UsdPerMillion)
})
export type Price = typeof Price.Type

/** A file of prices. Each model of a backend stands in it once. */
export const Overrides = Schema.Struct({
  /** The day the prices were looked up, as `YYYY-MM-DD`. */
  asOf: Schema.String.check(
    Schema.isPattern(/^\d{4}-\d{2}-\d{2}$/),
    Schema.makeFilter((day) => Option.isSome(DateTime.make(day)) ? undefined : "not a day of the calendar")
  ),
  prices: Schema.Array(Price).check(
    Schema.makeFilter((prices) =>
      new Set(prices.map(({ backend, model }) => `${backend} ${model}`)).size === prices.length
        ? undefined
        : "a model of a backend stands in the list twice"
    )
  )
})
export type Overrides = typeof Overrides.Type

/** Reads a file of prices. Keys that mean nothing are refused: they are prices with a slip in their name. */
export const read = (path: string): Effect.Effect<Overrides, OverridesError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(fs.readFileString(path), (error) =>
      new OverridesError({
        path,
        reason: new Unreadable({
          detail: `the file cannot be read (${error.reason._tag})`,
          remedy: "correct the path, or leave it out"
        })
      }))
    return yield* Effect.mapError(decode(text), (error) =>
      new OverridesError({
        path,
        reason: new Malformed({ detail: error.message, remedy: "correct the file, or leave it out" })
      }))
  })

/** What `usage` costs at a price, in US dollars. */
export const usd = (price: Price, usage: Prices.Usage): number => {
  const uncached = Math.max(0, usage.input - usage.cacheRead - usage.cacheWrite)
  const total = uncached * price.inputUsdPerMillion
    + usage.cacheRead * (price.cacheReadUsdPerMillion ?? price.inputUsdPerMillion)
    + usage.cacheWrite * (price.cacheWriteUsdPerMillion ?? price.inputUsdPerMillion)
    + usage.output * price.outputUsdPerMillion
  return total / 1_000_000
}

// internal

const decode = Schema.decodeEffect(Schema.fromJsonString(Overrides), { onExcessProperty: "error" })
