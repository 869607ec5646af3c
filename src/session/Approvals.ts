/**
 * What people do about tickets: see what waits, decide, and let sessions go on. A decision carries the binding of what was
 * shown, is judged inside its transaction, and is a row of its own; so is the end of a ticket whose time ran out.
 */
import { Clock, Context, Effect, Layer, Option, Result, Schema } from "effect"
import { Gate, Person, Ticket } from "../approval/index.ts"
import { Digest, Log } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"
import { Store } from "../governor/index.ts"
import { Redact } from "../trust/index.ts"
import * as Expiry from "./Expiry.ts"
import { outside } from "./Outside.ts"

/** There is no such ticket. */
export class NoSuchTicket extends Schema.TaggedError<NoSuchTicket>()("NoSuchTicket", {
  ticket: Schema.String,
  remedy: Schema.String
}) {}
/** The ticket is not open any more, is not what was shown, or this person may not decide. Nothing was changed. */
export class NotDecidable extends Schema.TaggedError<NotDecidable>()("NotDecidable", {
  ticket: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** An actor tried to decide. People do, at the doors of the runtime. Nothing was changed. */
export class InsideActor extends Schema.TaggedError<InsideActor>()("InsideActor", { session: Schema.String }) {}
/** The log did not answer. */
export class Unrecorded extends Schema.TaggedError<Unrecorded>()("Unrecorded", { detail: Schema.String }) {}
/** The one error of this module. */
export class ApprovalError extends Schema.TaggedError<ApprovalError>()("ApprovalError", {
  reason: Schema.Union([NoSuchTicket, NotDecidable, InsideActor, Unrecorded])
}) {
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "NoSuchTicket":
        return `there is no ticket ${reason.ticket}; ${reason.remedy}`
      case "NotDecidable":
        return `ticket ${reason.ticket} cannot be decided: ${reason.detail}; ${reason.remedy}`
      case "InsideActor":
        return `session ${reason.session} may not decide: people do`
      case "Unrecorded":
        return reason.detail
    }
  }
}

/** One person's decision. */
export interface Decision {
  readonly ticket: string
  /** The binding of the ticket as it was shown; left out by those who hold the ticket itself. */
  readonly binding?: Digest.Hash | undefined
  readonly by: string
  readonly approve: boolean
  readonly reason: string
}

/** One person's decision about several tickets, each as it was shown. */
export interface Batch {
  readonly tickets: ReadonlyArray<{ readonly id: string; readonly binding: Digest.Hash }>
  readonly by: string
  readonly approve: boolean
  readonly reason: string
}

/** What came of one ticket of a batch. */
export interface Decided {
  readonly ticket: string
  readonly result: Result.Result<Ticket.Ticket, ApprovalError>
}

/** A ticket, and how the accounts that its act would draw on stand now. They move: no decision is bound to them. */
export interface Standing {
  readonly ticket: Ticket.Ticket
  readonly accounts: ReadonlyArray<Store.AccountView>
}

/** The desk where tickets are decided. */
export class Approvals extends Context.Service<Approvals, {
  /** Every ticket, oldest first; one whose time ran out is shown as expired. */
  readonly list: Effect.Effect<ReadonlyArray<Ticket.Ticket>, ApprovalError>
  /** One ticket with the state of its accounts. */
  readonly show: (ticket: string) => Effect.Effect<Standing, ApprovalError>
  /** Casts one vote and gives the ticket as it stands after it. */
  readonly decide: (decision: Decision) => Effect.Effect<Ticket.Ticket, ApprovalError>
  /** Casts one vote on each ticket, each in a commit of its own: what one refuses does not hold up the others. */
  readonly decideAll: (batch: Batch) => Effect.Effect<ReadonlyArray<Decided>, ApprovalError>
  /**
   * Ends every ticket whose time has run out, and gives the root sessions that are due to go on. A runtime does it by
   * itself, again and again.
   */
  readonly expire: Effect.Effect<ReadonlyArray<Claims.SessionId>, ApprovalError>
}>()("aosiq/session/Approvals") {}

/** Characters of a reason; more are cut off. */
export const maxReason = 2000

/** The desk over a store, with the gate's rules. */
export const layer: Layer.Layer<Approvals, never, Store.Store | Log.Log | Digest.Digest | Gate.Gate> = Layer.effect(
  Approvals,
  Effect.gen(function*() {
    const store = yield* Store.Store
    const log = yield* Log.Log
    const digest = yield* Digest.Digest
    const { policy } = yield* Gate.Gate
    const asPerson = outside((session) => new ApprovalError({ reason: new InsideActor({ session }) }))

    const find = Effect.fnUntraced(function*(id: string) {
      const name = Schema.decodeOption(Ticket.TicketId)(id)
      const found = Option.isNone(name) ? undefined : yield* Effect.mapError(store.ticket(name.value), unrecorded)
      if (found !== undefined) return found
      return yield* fail(new NoSuchTicket({ ticket: id, remedy: "see aosiq approvals list" }))
    })

    const list = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const tickets = yield* Effect.mapError(store.tickets(), unrecorded)
      return tickets.map((ticket) => seen(ticket, now))
    })

    const show = Effect.fnUntraced(function*(id: string) {
      const ticket = seen(yield* find(id), yield* Clock.currentTimeMillis)
      const session = yield* Effect.mapError(log.session(ticket.session), unrecorded)
      const names = Option.match(session, {
        onNone: (): ReadonlyArray<string> => [],
        onSome: ({ accounts }) => accounts
      })
      const accounts = yield* Effect.mapError(store.accounts, unrecorded)
      return { ticket, accounts: accounts.filter(({ id }) => names.includes(id)) }
    })

    const vote = Effect.fnUntraced(function*(decision: Decision) {
      const stored = yield* find(decision.ticket)
      const by = Person.normalise(decision.by)
      const fault = Person.fault(by)
      if (fault !== null) return yield* undecidable(stored, fault, "say who decides")
      if (stored.binding !== Ticket.bindingOf(digest, stored)) {
        return yield* undecidable(stored, "what it shows is not what it is bound to", "verify the log")
      }
      const done = yield* Effect.result(store.commit({
        _tag: "Decide",
        session: stored.session,
        ticket: stored.id,
        binding: decision.binding ?? stored.binding,
        policy,
        vote: { by, approve: decision.approve, reason: Redact.words(decision.reason, maxReason) }
      }))
      if (Result.isSuccess(done)) return done.success.ticket ?? stored
      const { reason } = done.failure
      if (reason._tag !== "Rejected") return yield* Effect.fail(unrecorded(done.failure))
      if (reason.why === "out_of_time") yield* Effect.mapError(Expiry.end(store, stored), unrecorded)
      return yield* undecidable(stored, reason.detail, remedyFor(stored, reason))
    })

    return Approvals.of({
      list,
      show,
      decide: (decision) => asPerson(vote(decision)),
      decideAll: ({ tickets, ...rest }) =>
        asPerson(Effect.forEach(
          [...new Map(tickets.map((ticket) => [ticket.id, ticket])).values()],
          ({ binding, id }) =>
            Effect.map(Effect.result(vote({ ...rest, ticket: id, binding })), (result) => ({ ticket: id, result })),
          { concurrency: atOnce }
        )),
      expire: asPerson(Effect.mapError(Expiry.endAll(store), unrecorded))
    })
  })
)

// internal

/** Tickets of a batch that are decided at the same time. */
const atOnce = 100

const fail = (reason: ApprovalError["reason"]) => Effect.fail(new ApprovalError({ reason }))

const undecidable = ({ id }: Ticket.Ticket, detail: string, remedy: string) =>
  fail(new NotDecidable({ ticket: id, detail, remedy }))

const remedyFor = ({ id, state }: Ticket.Ticket, { why }: Store.Rejected): string => {
  if (why === "undecidable" && state === "approved") return "aosiq start lets its session go on"
  return why === "undecidable" && state === "proposed"
    ? "another person has to decide"
    : `see aosiq approvals show ${id}`
}

const unrecorded = (error: Store.StoreError | Log.LogError): ApprovalError => {
  const detail = error instanceof Log.LogError ? error.detail : error.reason.detail
  return new ApprovalError({ reason: new Unrecorded({ detail }) })
}

const seen = (ticket: Ticket.Ticket, now: number): Ticket.Ticket =>
  Ticket.isOverdue(ticket, now) ? { ...ticket, state: "expired" } : ticket
