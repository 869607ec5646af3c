/** How a session stands once its run has ended, for now or for good; and why that could not be told. */
import { Schema } from "effect"
import type { Ticket } from "../approval/index.ts"
import type { Row } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"

/** No actor of that class is registered here. */
export class NoSuchActor extends Schema.TaggedError<NoSuchActor>()("NoSuchActor", {
  actor: Schema.String,
  known: Schema.Array(Schema.String)
}) {}
/** There is no such session. */
export class NoSuchSession extends Schema.TaggedError<NoSuchSession>()("NoSuchSession", { session: Schema.String }) {}
/** The input does not fit the actor. No session was opened, or an opened one did not run. */
export class BadInput extends Schema.TaggedError<BadInput>()("BadInput", { detail: Schema.String }) {}
/** The log did not answer; what was acknowledged before is safe. A retry can help. */
export class Unrecorded extends Schema.TaggedError<Unrecorded>()("Unrecorded", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** A newer run of the session has taken over; this one stopped and did nothing more. */
export class Superseded extends Schema.TaggedError<Superseded>()("Superseded", { session: Schema.String }) {}
/** An actor tried to open a root session. It may spawn a child instead. */
export class InsideActor extends Schema.TaggedError<InsideActor>()("InsideActor", { session: Schema.String }) {}
/** What an operator asked for does not fit how the session stands; nothing was changed. */
export class NotPossible extends Schema.TaggedError<NotPossible>()("NotPossible", { detail: Schema.String }) {}

/** The session cannot be forked there, or not by whoever asks. No session was opened. */
export class NotForkable extends Schema.TaggedError<NotForkable>()("NotForkable", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** The one error of this room's sessions. A run that fails is not one: that is an `Ended`. */
export class DispatchError extends Schema.TaggedError<DispatchError>()("DispatchError", {
  reason: Schema.Union([
    NoSuchActor,
    NoSuchSession,
    BadInput,
    Unrecorded,
    Superseded,
    InsideActor,
    NotPossible,
    NotForkable
  ])
}) {
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "NoSuchActor":
        return `no actor ${reason.actor} is registered; known: ${reason.known.join(", ") || "none"}`
      case "NoSuchSession":
        return `there is no session ${reason.session}`
      case "BadInput":
        return `the input does not fit: ${reason.detail}`
      case "Unrecorded":
        return `${reason.detail}; ${reason.remedy}`
      case "Superseded":
        return `a newer run of ${reason.session} has taken over`
      case "InsideActor":
        return `session ${reason.session} may not open a root session; spawn a child`
      case "NotPossible":
        return reason.detail
      case "NotForkable":
        return `${reason.detail}; ${reason.remedy}`
    }
  }
}

/** How a session stands. Instants are epoch milliseconds. */
export type Ended<Out> =
  | { readonly _tag: "Succeeded"; readonly session: Claims.SessionId; readonly output: Out }
  | { readonly _tag: "Waiting"; readonly session: Claims.SessionId; readonly ticket: Ticket.TicketId }
  /** An operator must say what became of an act: the one whose intent has this stamp. */
  | { readonly _tag: "Unsettled"; readonly session: Claims.SessionId; readonly unknown: string }
  | { readonly _tag: "Sleeping"; readonly session: Claims.SessionId; readonly until: number }
  | { readonly _tag: "Paused"; readonly session: Claims.SessionId }
  | { readonly _tag: "Cancelled"; readonly session: Claims.SessionId; readonly detail: string }
  | {
    readonly _tag: "Failed"
    readonly session: Claims.SessionId
    readonly detail: string
    readonly abandoned: boolean
    /** What stopped it, where it would have gone on. */
    readonly stop: Row.Stop | null
    /** What it had come to by then: unfinished, unchecked, and with a stranger's words in it. */
    readonly partial: Schema.Json | null
  }

/** Fails with one of the reasons. */
export const failWith = (reason: DispatchError["reason"]) => new DispatchError({ reason })
