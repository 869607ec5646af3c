/** What people do about tickets: see what waits, decide, and let the session go on. */
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { Gate, Policy, Ticket } from "../approval/index.ts"
import type { Row } from "../audit/index.ts"
import { Store } from "../governor/index.ts"

/** There is no such ticket. */
export class NoSuchTicket extends Schema.TaggedError<NoSuchTicket>()("NoSuchTicket", { ticket: Schema.String }) {}
/** The ticket is not open any more, or this person may not decide. Nothing was changed. */
export class NotDecidable extends Schema.TaggedError<NotDecidable>()("NotDecidable", {
  ticket: Schema.String,
  detail: Schema.String
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
        return `there is no ticket ${reason.ticket}; see: aosiq approvals list`
      case "NotDecidable":
        return `ticket ${reason.ticket} cannot be decided: ${reason.detail}`
      case "Unrecorded":
        return reason.detail
    }
  }
}

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
      const stored = yield* Effect.mapError(store.ticket(Ticket.TicketId.make(decision.ticket)), unrecorded)
      if (stored === undefined) return yield* fail(new NoSuchTicket({ ticket: decision.ticket }))
      const at = yield* Clock.currentTimeMillis
      const current = expired(stored, at)
      const undecidable = (detail: string) => fail(new NotDecidable({ ticket: decision.ticket, detail }))
      if (current.state !== "proposed") return yield* undecidable(`it is ${current.state}`)
      const vote = { by: decision.by, approve: decision.approve, reason: decision.reason, at }
      const objection = Policy.objection(policy, stored, vote)
      if (objection !== null) return yield* undecidable(objection)
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
      yield* Effect.mapError(store.commit({ _tag: "Decide", ticket, expected: stored, row }), unrecorded)
      return ticket
    })

    return Approvals.of({ list, decide })
  })
)

// internal

const fail = (reason: ApprovalError["reason"]) => Effect.fail(new ApprovalError({ reason }))

const unrecorded = (error: Store.StoreError): ApprovalError =>
  new ApprovalError({
    reason: error.reason._tag === "Rejected" && error.reason.why === "stale"
      ? new NotDecidable({ ticket: "", detail: error.reason.detail })
      : new Unrecorded({ detail: error.reason.detail })
  })

const expired = (ticket: Ticket.Ticket, now: number): Ticket.Ticket =>
  (ticket.state === "proposed" || ticket.state === "approved") && now >= ticket.expiresAt
    ? { ...ticket, state: "expired" }
    : ticket
