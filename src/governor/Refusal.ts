/**
 * Why an act did not run, or what is not known about it. Each reason names the layer that stopped it and what would
 * remedy it. Refusals are values: the caller may go on without the act.
 */
import { DateTime, Schema } from "effect"
import { Ticket } from "../approval/index.ts"
import type { Row } from "../audit/index.ts"

/** The layers an act passes, in order. */
export const layers = ["token", "ancestor", "class", "egress", "policy", "budget", "approval", "session"] as const

/** A layer said no. The act did not run. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  layer: Schema.Literals(layers),
  detail: Schema.String,
  remedy: Schema.String,
  /** What in `detail` are the words of a person: untrusted text, secrets redacted. */
  words: Schema.optionalKey(Schema.String)
}) {}
/** The arguments do not fit the act's schema. The act did not run. */
export class Malformed extends Schema.TaggedError<Malformed>()("Malformed", { detail: Schema.String }) {}
/** The act waits for people. It did not run; the session ends here and goes on when they decided. */
export class AwaitingApproval extends Schema.TaggedError<AwaitingApproval>()("AwaitingApproval", {
  ticket: Ticket.TicketId,
  remedy: Schema.String
}) {}
/** The run waits for a timer. The session ends here and goes on at `until`, epoch milliseconds. */
export class AwaitingTimer extends Schema.TaggedError<AwaitingTimer>()("AwaitingTimer", { until: Schema.Natural }) {}
/** A re-run asked for something else than the first run did at the same place. The act did not run. */
export class Nondeterminism extends Schema.TaggedError<Nondeterminism>()("Nondeterminism", {
  key: Schema.String,
  recorded: Schema.String,
  asked: Schema.String
}) {}
/**
 * Whether the act took effect is not known, and it cannot be undone. It was not repeated; the session ends here and goes
 * on when an operator said what became of it.
 */
export class AwaitingSettlement extends Schema.TaggedError<AwaitingSettlement>()("AwaitingSettlement", {
  /** Stamp of the intent, by which operators name it. */
  unknown: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** Somebody said what became of the act, whose outcome was lost; there is no result to go on with. */
export class Settled extends Schema.TaggedError<Settled>()("Settled", {
  happened: Schema.Boolean,
  by: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** What the log has of the act's outcome is not enough to answer from, and nobody can settle it. It was not repeated. */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", {
  key: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The act ran longer than it may. Whether it took effect is not known. */
export class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", { timeoutMs: Schema.Int }) {}
/** The act ran and its result does not fit its own schema, or its handler broke down. */
export class HandlerBroken extends Schema.TaggedError<HandlerBroken>()("HandlerBroken", {
  detail: Schema.String,
  /** `seq` of the outcome that says so; without it what does not fit is the record. */
  outcome: Schema.optionalKey(Schema.Natural)
}) {}
/** The log did not take the row. Before the act: it did not run. After it: the outcome is lost. */
export class LogUnavailable extends Schema.TaggedError<LogUnavailable>()("LogUnavailable", {
  ran: Schema.Boolean,
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** What was stored of the session is not what its log says. Nothing ran from it. */
export class Altered extends Schema.TaggedError<Altered>()("Altered", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** The one error of the Governor. */
export class GovernorError extends Schema.TaggedError<GovernorError>()("GovernorError", {
  act: Schema.String,
  reason: Schema.Union([
    Refused,
    Malformed,
    AwaitingApproval,
    AwaitingTimer,
    Nondeterminism,
    AwaitingSettlement,
    Settled,
    OutcomeUnknown,
    TimedOut,
    HandlerBroken,
    LogUnavailable,
    Altered
  ])
}) {
  override get message(): string {
    return `${this.act}: ${explain(this.reason)}`
  }
}

/** One sentence, with the remedy where there is one. */
export const explain = (reason: GovernorError["reason"]): string => {
  switch (reason._tag) {
    case "Refused":
      return `refused by ${reason.layer}: ${reason.detail}; ${reason.remedy}`
    case "Malformed":
      return `arguments do not fit: ${reason.detail}`
    case "AwaitingApproval":
      return `waits for approval ${reason.ticket}; ${reason.remedy}`
    case "AwaitingTimer":
      return `waits until ${DateTime.formatIso(DateTime.makeUnsafe(reason.until))}`
    case "Nondeterminism":
      return `the run differs from the recorded one at ${reason.key}: ${reason.recorded} was recorded, ${reason.asked} asked`
    case "AwaitingSettlement":
      return `its outcome is not known (${reason.detail}); ${reason.remedy}`
    case "Settled":
      return `${
        reason.happened ? "it was done" : "it was not done"
      }, says ${reason.by}: ${reason.detail}; ${reason.remedy}`
    case "OutcomeUnknown":
      return `outcome unknown at ${reason.key}: ${reason.detail}; ${reason.remedy}`
    case "TimedOut":
      return `ran longer than ${reason.timeoutMs} ms`
    case "HandlerBroken":
      return `broke down: ${reason.detail}`
    case "LogUnavailable":
      return `the log did not take the row (${
        reason.ran ? "the act ran" : "the act did not run"
      }): ${reason.detail}; ${reason.remedy}`
    case "Altered":
      return `what is stored was altered: ${reason.detail}; ${reason.remedy}`
  }
}

/** What a refusal stops a run for, where nothing but that would have ended it. */
export const stopOf = (reason: GovernorError["reason"]): Row.Stop | undefined =>
  reason._tag === "Refused" && reason.layer === "budget" ? "budget" : undefined

/** Whether an act was refused because the money for it is not there. */
export const isOverBudget = (error: unknown): error is GovernorError & { readonly reason: Refused } =>
  error instanceof GovernorError && stopOf(error.reason) === "budget"

/** Whether a run cannot go on from it, whoever asked for the act. */
export const endsRun = ({ _tag }: GovernorError["reason"]): boolean =>
  _tag === "AwaitingApproval" || _tag === "AwaitingSettlement" || _tag === "AwaitingTimer" ||
  _tag === "LogUnavailable" || _tag === "OutcomeUnknown" || _tag === "Nondeterminism"
