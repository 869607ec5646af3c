/** What people do about tickets: see what waits, decide, and let the session go on. */
import { Clock, Context, Effect, Layer, Option, Schema } from "effect"
import { Gate, Policy, Ticket } from "../approval/index.ts"
import type { Row } from "../audit/index.ts"
import { Store } from "../governor/index.ts"

/** There is no such ticket. */
export class NoSuchTicket extends Schema.TaggedError<NoSuchTicket>()("NoSuchTicket", {
  ticket: Schema.String,
  remedy: Schema.String
}) {}
/** The ticket is not open any more, or this person may not decide. Nothing was changed. */
export class NotDecidable extends Schema.TaggedError<NotDecidable>()("NotDecidable", {
  ticket: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The log did not answer. */
export class Unrecorded extends Schema.TaggedError<Unrecorded>()("Unrecorded", { detail: Schema.String }) {}
/** The one error of this module. */
export class ApprovalError extends Schema.TaggedError<ApprovalError>()("ApprovalError", {
  reason: Schema.Union([NoSuchTicket, NotDecidable, Unrecorded])
}) {
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "NoSuchTicket":
        return `there is no ticket ${reason.ticket}; ${reason.remedy}`
      case "NotDecidable":
        return `ticket ${reason.ticket} cannot be decided: ${reason.detail}; ${reason.remedy}`
      case "Unrecorded":
        return reason.detail
    }
  }
}

/** Why the session of a decided ticket is due: the message that the decision left, told at once. */
export const reasonOf = (ticket: Pick<Ticket.Ticket, "id">): string => `ticket/${ticket.id}`

/** One person's decision. */
export interface Decision {
  readonly ticket: string
  readonly by: string
  readonly approve: boolean
  readonly reason: string
}

/** The desk where tickets are decided. */
export class Approvals extends Context.Service<Approvals, {
  /** Every ticket, oldest first; one whose time ran out is shown as expired. */
  readonly list: Effect.Effect<ReadonlyArray<Ticket.Ticket>, ApprovalError>
  /** Casts one vote and gives the ticket as it stands after it. */
  readonly decide: (decision: Decision) => Effect.Effect<Ticket.Ticket, ApprovalError>
}>()("aosiq/session/Approvals") {}

/** The desk over a store, with the gate's rules. */
export const layer: Layer.Layer<Approvals, never, Store.Store | Gate.Gate> = Layer.effect(
  Approvals,
  Effect.gen(function*() {
    const store = yield* Store.Store
    const { policy } = yield* Gate.Gate

    const list = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const tickets = yield* Effect.mapError(store.tickets(), unrecorded)
      return tickets.map((ticket) => expired(ticket, now))
    })

    const decide = Effect.fnUntraced(function*(decision: Decision) {
      const id = Schema.decodeOption(Ticket.TicketId)(decision.ticket)
      const stored = Option.isNone(id) ? undefined : yield* Effect.mapError(store.ticket(id.value), unrecorded)
      if (stored === undefined) {
        return yield* fail(new NoSuchTicket({ ticket: decision.ticket, remedy: "see aosiq approvals list" }))
      }
      if (decision.by === "") return yield* undecidable(decision.ticket, "nobody is named as deciding")
      const at = yield* Clock.currentTimeMillis
      const { state } = expired(stored, at)
      if (state === "approved") {
        return yield* undecidable(decision.ticket, settled[state], "aosiq start lets its session go on")
      }
      if (state !== "proposed") return yield* undecidable(decision.ticket, settled[state])
      const vote = { by: decision.by, approve: decision.approve, reason: decision.reason, at }
      const objection = Policy.objection(policy, stored, vote)
      if (objection !== null) return yield* undecidable(decision.ticket, objection, "another person has to decide")
      const votes = [...stored.votes, vote]
      const ticket: Ticket.Ticket = { ...stored, votes, state: Policy.tally(policy, votes) }
      const row: Row.Draft = {
        key: null,
        body: {
          kind: "decided",
          ticket: ticket.id,
          decision: decision.approve ? "approved" : "denied",
          by: decision.by,
          reason: decision.reason
        }
      }
      yield* store.commit({ _tag: "Decide", ticket, expected: stored, row }).pipe(
        Effect.catch((error) =>
          error.reason._tag === "Rejected" && error.reason.why === "stale"
            ? undecidable(ticket.id, error.reason.detail)
            : Effect.fail(unrecorded(error))
        )
      )
      return ticket
    })

    return Approvals.of({ list, decide })
  })
)

// internal

const fail = (reason: ApprovalError["reason"]) => Effect.fail(new ApprovalError({ reason }))

const undecidable = (ticket: string, detail: string, remedy = `see aosiq approvals show ${ticket}`) =>
  fail(new NotDecidable({ ticket, detail, remedy }))

/** Why a ticket in that state is not decided again. */
const settled: { readonly [S in Exclude<Ticket.State, "proposed">]: string } = {
  approved: "it was approved already",
  denied: "it was denied already",
  expired: "its time ran out",
  executing: "it was approved already, and its act is under way",
  succeeded: "it was approved already, and its act ran",
  failed: "it was approved already, and its act failed",
  unknown: "it was approved already, and whether its act took effect is not known"
}

const unrecorded = (error: Store.StoreError): ApprovalError =>
  new ApprovalError({ reason: new Unrecorded({ detail: error.reason.detail }) })

const expired = (ticket: Ticket.Ticket, now: number): Ticket.Ticket =>
  (ticket.state === "proposed" || ticket.state === "approved") && now >= ticket.expiresAt
    ? { ...ticket, state: "expired" }
    : ticket
