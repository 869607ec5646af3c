/**
 * The approval gate: required in `R` exactly when a program uses an act that cannot be undone. A program without a gate
 * in reach does not compile; a run without one refuses the act.
 */
import { Context, Layer } from "effect"
import { type Policy, standard } from "./Policy.ts"

/** That there are people to ask, and by which rules. */
export class Gate extends Context.Service<Gate, { readonly policy: Policy }>()("aosiq/approval/Gate") {}

/** A gate with the given rules, over the standard ones. */
export const layer = (policy: Partial<Policy> = {}): Layer.Layer<Gate> =>
  Layer.succeed(Gate, { policy: { ...standard, ...policy } })
