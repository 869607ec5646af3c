/** What an act may cost: the upper bound that is reserved before it, and how its bill is computed after it. */
import { type MicroUsd, zero } from "./MicroUsd.ts"

/**
 * `free`; a fixed price a call; a price a millisecond of compute, bounded by the act's time-out; or tokens, whose bound
 * and bill come from the price package.
 */
export type CostModel =
  | { readonly _tag: "free" }
  | { readonly _tag: "per_call"; readonly microUsd: MicroUsd }
  | { readonly _tag: "compute_ms"; readonly microUsdPerSecond: MicroUsd }

/** Costs nothing. */
export const free: CostModel = { _tag: "free" }
/** Costs the same each time. */
export const perCall = (microUsd: MicroUsd): CostModel => ({ _tag: "per_call", microUsd })
/** Costs by the time it runs. */
export const computeMs = (microUsdPerSecond: MicroUsd): CostModel => ({ _tag: "compute_ms", microUsdPerSecond })

/** The most that an act bounded by `timeoutMs` can cost. */
export const bound = (model: CostModel, timeoutMs: number): number => bill(model, timeoutMs)

/** What an act that took `elapsedMs` costs. */
export const bill = (model: CostModel, elapsedMs: number): number => {
  switch (model._tag) {
    case "free":
      return zero
    case "per_call":
      return model.microUsd
    case "compute_ms":
      return Math.ceil((model.microUsdPerSecond * elapsedMs) / 1000)
  }
}
