/**
 * The backend that needs no key and no network: an actor class's own baseline, rules that read the conversation and
 * choose the next call. It is not a model, and says so on every output.
 */
import type { Effect } from "effect"
import type { Backend } from "./Backend.ts"
import { make, type Script } from "./Scripted.ts"

/** What stands beside every output of this backend. */
export const notice = "offline baseline: these are rules, not a model"

/** The rules as a backend. */
export const fromRules = (name: string, rules: Script): Effect.Effect<Backend<"offline">> =>
  make({ name: "offline", model: name, notice }, rules)
