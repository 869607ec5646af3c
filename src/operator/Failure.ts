/** What went wrong below, as operators are told. */
import { Predicate } from "effect"
import { explain } from "./Explain.ts"
import { type Kind, OperationError } from "./Operations.ts"

/** The error of an operation, from any typed error of the rooms below. */
export const failed = (cause: unknown): OperationError =>
  cause instanceof OperationError ? cause : new OperationError({ kind: kindOf(cause), ...explain(cause) })

/** Something that was named is not there. */
export const missing = (what: string, remedy: string): OperationError =>
  new OperationError({ kind: "not_found", detail: `there is no ${what}`, remedy })

// internal

/** By the tag of a reason, or of the error itself where it has none. What is not here is a conflict with how things stand. */
const kinds: { readonly [tag: string]: Kind } = {
  NoSuchActor: "not_found",
  NotListed: "not_found",
  NoSuchCaller: "not_found",
  NoSuchEndorsement: "not_found",
  NoSuchLetter: "not_found",
  NoSuchRule: "not_found",
  NoSuchSchedule: "not_found",
  NoSuchSession: "not_found",
  NoSuchTicket: "not_found",
  BadInput: "invalid",
  NotSchedulable: "invalid",
  InsideActor: "refused",
  Unrecorded: "unavailable",
  Unavailable: "unavailable",
  LogError: "unavailable",
  Unreachable: "unavailable"
}

const kindOf = (cause: unknown): Kind => {
  if (!Predicate.isObject(cause)) return "conflict"
  const reason = "reason" in cause && Predicate.isObject(cause.reason) ? cause.reason : cause
  const tag = "_tag" in reason && Predicate.isString(reason._tag) ? reason._tag : ""
  return Object.hasOwn(kinds, tag) ? kinds[tag] ?? "conflict" : "conflict"
}
