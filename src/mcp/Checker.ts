/** Checks JSON against JSON Schemas that strangers wrote: in bounded time, and following no reference out of the schema. */
import { Context, type Result, type Schema } from "effect"

/** What is wrong with a value, without quoting it; `undefined` when it fits. */
export type Check = (value: Schema.Json) => string | undefined

/** Why a check cannot be made. */
export interface Uncheckable {
  readonly detail: string
  /** Whether that took all the time that there was for it. */
  readonly isSlow: boolean
}

/** Makes checks. */
export class Checker extends Context.Service<Checker, {
  /** The check that a schema asks for; fails with why it cannot be made. */
  readonly compile: (schema: Schema.Json) => Result.Result<Check, Uncheckable>
}>()("aosiq/mcp/Checker") {}
