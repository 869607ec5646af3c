/**
 * What a model call costs. The figures come from a maintained, dated data package behind this contract; a model nobody
 * has a price for cannot be called where prices are enforced.
 */
import { Context, type Result, Schema } from "effect"

/** Tokens of one model call. `input` counts cached tokens too. */
export interface Usage {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
}

/** No price is known; nothing was called. */
export class UnknownModel extends Schema.TaggedError<UnknownModel>()("UnknownModel", {
  backend: Schema.String,
  model: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `nobody has a price for ${this.backend}/${this.model}; ${this.remedy}`
  }
}

/** The price list. */
export class Prices extends Context.Service<Prices, {
  /** Date of the data, ISO 8601. */
  readonly asOf: string
  /** Micro-dollars for `usage` of `model` on `backend`, rounded up; backends that nobody bills cost nothing. */
  readonly price: (backend: string, model: string, usage: Usage) => Result.Result<number, UnknownModel>
}>()("aosiq/cost/Prices") {}
