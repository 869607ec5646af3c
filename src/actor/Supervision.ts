/**
 * What becomes of a session whose run broke down: it is run again after a pause, or it is given up and whoever is above
 * decides; the parent of a child, an operator for a session without one. A failure that a re-run would only repeat ends
 * the session at once.
 *
 * How often a session was run again is read from its chain, so that no crash forgets it. Instants are epoch
 * milliseconds.
 */
import { Cause, Option, type Schema } from "effect"
import type { Row } from "../audit/index.ts"
import { GovernorError, Refusal } from "../governor/index.ts"
import { Redact } from "../trust/index.ts"
import { ActorError } from "./ActorError.ts"

/** How a run came to its end, as far as supervision cares. */
export type Kind =
  /** The body died of something that nobody foresaw. */
  | "defect"
  /** A handler did, or returned what its tool does not declare. */
  | "handler_broken"
  /** The actor said itself that it failed. */
  | "actor_error"
  /** Everything that is decided: refusals, time-outs, nondeterminism, unknown outcomes. */
  | "final"

/** A kind that a class may have its runs repeated after. Refusals are none of them. */
export type Repeatable = Exclude<Kind, "final">

/** One failure. */
export interface Failure {
  readonly kind: Kind
  /** One sentence; secrets may be in it until it is redacted. */
  readonly detail: string
  /** `seq` of the outcome that the run broke down of; `null` when it was no act. */
  readonly outcome: number | null
  /** An actor that gave up honestly. */
  readonly abandoned: boolean
  readonly stop?: Row.Stop | undefined
  /** What an actor that was stopped had come to. */
  readonly partial?: Schema.Json | undefined
}

/** How a class is supervised. */
export interface Policy {
  /** Restarts within the window, after which the session is given up. */
  readonly maxRestarts: number
  readonly windowMs: number
  /** The pause before the first restart; each further one of the window takes `factor` times as long, up to the cap. */
  readonly backoffMs: number
  readonly factor: number
  readonly capMs: number
  /** The share of a pause that is left to chance, 0 to 1. */
  readonly jitter: number
  readonly on: ReadonlyArray<Repeatable>
  /** Runs in a row that may die, the process with them, before any act of theirs came to an outcome. */
  readonly maxFruitless: number
}

/** Five restarts in ten minutes, after one second and up to one minute, a fifth of it by chance. */
export const standard: Policy = {
  maxRestarts: 5,
  windowMs: 600_000,
  backoffMs: 1000,
  factor: 2,
  capMs: 60_000,
  jitter: 0.2,
  on: ["defect", "handler_broken"],
  maxFruitless: 5
}

/** What is to be done. */
export type Decision =
  /** `restart` counts those of the window, from 1. */
  | { readonly _tag: "Restart"; readonly at: number; readonly restart: number }
  | { readonly _tag: "Escalate"; readonly restarts: number }
  | { readonly _tag: "Stop" }

/** What a session went through before, from its chain. */
export interface History {
  /** When it was decided to run it again; since an operator last took it up. */
  readonly restarts: ReadonlyArray<number>
  /** Runs in a row that began and came to nothing. */
  readonly fruitless: number
}

/** Whether a class has its runs repeated after such a failure. */
export const isRepeatable = (policy: Pick<Policy, "on">, kind: Kind): boolean =>
  kind !== "final" && policy.on.includes(kind)

/** What becomes of a session that failed so. `chance` is drawn by the caller, from 0 up to 1. */
export const decide = (
  policy: Policy,
  history: Pick<History, "restarts">,
  failure: { readonly kind: Kind; readonly now: number; readonly chance: number }
): Decision => {
  const { chance, kind, now } = failure
  if (!isRepeatable(policy, kind)) return { _tag: "Stop" }
  // A clock that went back makes no restart older than it is.
  const recent = history.restarts.filter((at) => at > now - policy.windowMs).length
  if (recent >= policy.maxRestarts) return { _tag: "Escalate", restarts: recent }
  const pause = Math.min(policy.capMs, policy.backoffMs * policy.factor ** recent)
  return { _tag: "Restart", at: now + Math.round(pause * (1 - policy.jitter * chance)), restart: recent + 1 }
}

/** Whether the runs of a session die without getting anywhere: nothing but a person can tell why. */
export const isPoisoned = (policy: Policy, history: Pick<History, "fruitless">): boolean =>
  history.fruitless >= policy.maxFruitless

/** Reads a chain. The run that asks has begun already, and is not counted among the fruitless. */
export const history = (rows: ReadonlyArray<Row.Row>): History => {
  let restarts: Array<number> = []
  let fruitless = 0
  for (const { at, body } of rows) {
    switch (body.kind) {
      case "started":
        fruitless++
        break
      case "restarted":
        restarts.push(at)
        fruitless = 0
        break
      case "escalated":
        restarts = []
        fruitless = 0
        break
      // What a new run or an operator writes is no progress of the run before, and an act that only began is none.
      case "intent":
      case "unknown":
      case "noted":
      case "decided":
        break
      default:
        fruitless = 0
    }
  }
  return { restarts, fruitless: Math.max(0, fruitless - 1) }
}

/**
 * What kind of end it was; `undefined` for one that is none: the run waits, was interrupted or replaced, or the log did not
 * answer or is not what it was. A log that does not answer cannot count restarts either: whoever sent the message tries again.
 */
export const failureOf = (cause: Cause.Cause<ActorError | GovernorError>): Failure | undefined => {
  const nothing = { outcome: null, abandoned: false }
  const error = Cause.findErrorOption(cause)
  if (Option.isNone(error)) {
    if (Cause.hasInterruptsOnly(cause)) return undefined
    const died = Cause.squash(cause)
    const detail = `it broke down: ${Redact.preview(String(died))}`
    // What a body let die stays what it was: a refusal is not repeated because nobody caught it.
    if (died instanceof ActorError) return { ...nothing, kind: "actor_error", detail }
    if (!(died instanceof GovernorError)) return { ...nothing, kind: "defect", detail }
    return died.reason._tag === "HandlerBroken"
      ? { ...nothing, kind: "handler_broken", detail, outcome: died.reason.outcome ?? null }
      : { ...nothing, kind: "final", detail }
  }
  if (error.value instanceof ActorError) {
    const { abandoned, detail, partial, stop } = error.value
    // Another run would be stopped as this one was.
    return { ...nothing, kind: stop === undefined ? "actor_error" : "final", detail, abandoned, stop, partial }
  }
  const { message, reason } = error.value
  switch (reason._tag) {
    case "AwaitingApproval":
    case "AwaitingSettlement":
    case "AwaitingTimer":
    case "LogUnavailable":
    case "Altered":
      return undefined
    case "Refused":
      return reason.layer === "session" ? undefined : {
        ...nothing,
        kind: "final",
        detail: message,
        stop: Refusal.stopOf(reason)
      }
    case "HandlerBroken":
      return { ...nothing, kind: "handler_broken", detail: message, outcome: reason.outcome ?? null }
    default:
      return { ...nothing, kind: "final", detail: message }
  }
}
