/**
 * Why an act did not run, or what is not known about it. Each reason names the layer that stopped it and what would
 * remedy it. Refusals are values: the caller may go on without the act.
 */
import { DateTime, Schema } from "effect"
import { Ticket } from "../approval/index.ts"

/** The layers an act passes, in order. */
export const layers = ["token", "ancestor", "class", "budget", "approval", "session"] as const

/** A layer said no. The act did not run. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  layer: Schema.Literals(layers),
  detail: Schema.String,
  remedy: Schema.String
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
/** The act began in an earlier run and its outcome was lost. It was not repeated. */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", {
  key: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The act ran longer than it may. Whether it took effect is not known. */
export class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", { timeoutMs: Schema.Int }) {}
/** The act ran and its result does not fit its own schema, or its handler broke down. */
export class HandlerBroken extends Schema.TaggedError<HandlerBroken>()("HandlerBroken", { detail: Schema.String }) {}
/** The log did not take the row. Before the act: it did not run. After it: the outcome is lost. */
export class LogUnavailable extends Schema.TaggedError<LogUnavailable>()("LogUnavailable", {
  ran: Schema.Boolean,
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
    OutcomeUnknown,
    TimedOut,
    HandlerBroken,
    LogUnavailable
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
  }
}
