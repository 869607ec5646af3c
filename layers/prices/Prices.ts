/**
 * The price list, from `@pydantic/genai-prices`: its data is part of the package, and nothing is fetched. A file of one's
 * own goes before it. Prices depend on the day for models whose vendor announced a change.
 */
import { calcPrice } from "@pydantic/genai-prices"
import { Clock, DateTime, Effect, type FileSystem, Layer, Result } from "effect"
import { MicroUsd, Prices } from "../../src/cost/index.ts"
import * as Overrides from "./Overrides.ts"

/** Where prices of one's own are. */
export interface Options {
  /** The path of a JSON file of `Overrides`. */
  readonly overrides?: string
}

/** The package names no date of its data; this is the day of the release that it came with, 0.1.8. */
export const packageAsOf = "2026-09-23"
/** The release that `packageAsOf` is the day of. */
export const packageVersion = "0.1.8"

/** The price list; `asOf` is the older of the dates of the package and the file. */
export const layer = (
  options: Options = {}
): Layer.Layer<Prices.Prices, Overrides.OverridesError, FileSystem.FileSystem> =>
  Layer.effect(
    Prices.Prices,
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const own = options.overrides === undefined ? undefined : yield* Overrides.read(options.overrides)
      return Prices.Prices.of({
        asOf: own !== undefined && own.asOf < packageAsOf ? own.asOf : packageAsOf,
        price: (backend, model, usage) => {
          const whole = consistent(usage)
          const overridden = find(own, backend, model)
          if (overridden !== undefined) return Result.succeed(microUsd(Overrides.usd(overridden, whole)))
          if (unbilled.has(backend)) return Result.succeed(MicroUsd.zero)
          const usd = listed(backend, model, whole, clock.currentTimeMillisUnsafe())
          return usd === undefined ? Result.fail(unknown(backend, model)) : Result.succeed(microUsd(usd))
        }
      })
    })
  )

// internal

/** Nobody sends a bill for these. */
const unbilled: ReadonlySet<string> = new Set(["scripted", "recorded", "offline", "ollama"])

/** Who sends the bill, by the package's names of vendors. */
const vendors: ReadonlyMap<string, string> = new Map([
  ["anthropic", "anthropic"],
  ["claude-code", "anthropic"],
  ["bedrock", "aws"],
  ["openai", "openai"],
  ["gemini", "google"]
])

/** The price of one's own for a model; Claude Code costs what Anthropic's models cost. */
const find = (own: Overrides.Overrides | undefined, backend: string, model: string): Overrides.Price | undefined => {
  const on = (name: string) => own?.prices.find((price) => price.backend === name && price.model === model)
  return on(backend) ?? (backend === "claude-code" ? on("anthropic") : undefined)
}

/** Input is never less than the cached part of it. */
const consistent = (usage: Prices.Usage): Prices.Usage => ({
  ...usage,
  input: Math.max(usage.input, usage.cacheRead + usage.cacheWrite)
})

/** US dollars by the list; `undefined` when it has no price. */
const listed = (backend: string, model: string, usage: Prices.Usage, now: number): number | undefined => {
  const providerId = vendors.get(backend)
  if (providerId === undefined) return undefined
  const found = Result.try(() =>
    calcPrice(
      {
        input_tokens: usage.input,
        cache_read_tokens: usage.cacheRead,
        cache_write_tokens: usage.cacheWrite,
        output_tokens: usage.output
      },
      model,
      { providerId, timestamp: DateTime.toDateUtc(DateTime.makeUnsafe(now)) }
    )
  )
  if (Result.isFailure(found) || found.success === null) return undefined
  const { model: match, total_price } = found.success
  return isAnotherVersion(match.id, model) ? undefined : total_price
}

/**
 * The list knows some models by how their names begin, so `claude-sonnet-5-5` would be taken for `claude-sonnet-5`. What
 * follows a name may be a date or a word, not a number of one or two digits.
 */
const isAnotherVersion = (known: string, model: string): boolean =>
  known.startsWith("claude-") && model.startsWith(known) && /^[-.]\d{1,2}(?!\d)/.test(model.slice(known.length))

/** Counts of a size that no model has must not break the sum. */
const microUsd = (usd: number): number => MicroUsd.fromUsd(Math.min(usd, Number.MAX_SAFE_INTEGER / 2_000_000))

const unknown = (backend: string, model: string): Prices.UnknownModel =>
  new Prices.UnknownModel({
    backend,
    model,
    remedy: `correct the name of the model, or give its price in a file of overrides (prices are as of ${packageAsOf})`
  })
