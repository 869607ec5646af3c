/**
 * What operators list, page by page: for whoever shows long lists and cannot hold them. Each page is read from the store by
 * the place of the last item before it, so that what comes meanwhile moves nothing. Who may see a list may see its pages.
 */
import { Clock, Context, Effect, Layer, Option } from "effect"
import { Ticket } from "../approval/index.ts"
import { Log, type Row } from "../audit/index.ts"
import { Store } from "../governor/index.ts"
import { DeadLetter } from "../session/index.ts"
import type { Asker } from "./Asker.ts"
import { failed } from "./Failure.ts"
import { may } from "./May.ts"
import type { AccountView, OperationError, ProposalSummary, SessionView } from "./Operations.ts"
import * as Seen from "./Seen.ts"

/** Items in order, and the place of the last of them; `null` when nothing comes after it. */
export interface Page<A, Place> {
  readonly items: ReadonlyArray<A>
  readonly next: Place | null
}
/** Where an item stands that is listed by an instant. */
export interface Place {
  readonly at: number
  readonly id: string
}
type Paged<Query, A, P> = (query: Query) => Effect.Effect<Page<A, P>, OperationError, Asker>

/** Which part of a list. */
export interface Ask<P> {
  readonly after?: P | undefined
  readonly limit: number
}

/** See the header. */
// @effect-diagnostics-next-line leakingRequirements:off -- who asks is another one each time; a door provides it.
export class Pages extends Context.Service<Pages, {
  /** The latest first. */
  readonly sessions: Paged<
    & Ask<Log.SessionPlace>
    & Pick<Log.SessionQuery, "status" | "actor" | "caller" | "since">,
    SessionView,
    Log.SessionPlace
  >
  /** Oldest first, over all sessions. */
  readonly rows: Paged<Log.RowQuery, Row.Row, Log.RowPlace>
  /** Oldest first; one whose time ran out is shown as expired. */
  readonly tickets: Paged<Ask<Place> & { readonly state?: Ticket.State | undefined }, Ticket.Ticket, Place>
  /** The latest first. */
  readonly proposals: Paged<Ask<Log.SessionPlace>, ProposalSummary, Log.SessionPlace>
  /** The latest first. */
  readonly letters: Paged<Ask<Place> & { readonly isOpen: boolean }, DeadLetter.DeadLetter, Place>
  /** By id. */
  readonly accounts: Paged<Ask<string>, typeof AccountView.Type, string>
}>()("aosiq/operator/Pages") {}

/** Over the log and the store. */
export const layer: Layer.Layer<Pages, never, Log.Log | Store.Store> = Layer.effect(
  Pages,
  Effect.gen(function*() {
    const log = yield* Log.Log
    const store = yield* Store.Store
    const seen = Seen.make(log)

    return Pages.of({
      sessions: may("sessions_list", ({ limit, ...query }) =>
        Effect.map(
          Effect.mapError(log.page({ ...query, newest: true, limit: limit + 1 }), failed),
          (found) => mapped(cut(found, limit, ofSession), Seen.session)
        )),
      rows: may("audit_query", ({ limit, ...query }) =>
        Effect.map(
          Effect.mapError(log.trail({ ...query, limit: limit + 1 }), failed),
          (found) => cut(found, limit, ({ at, seq, session }) => ({ at, session, seq }))
        )),
      tickets: may("approvals_list", ticketsOf(store)),
      proposals: may("proposals_list", ({ after, limit }) =>
        filled(
          { after, limit, placeOf: ofSession },
          (after, limit) => log.page({ newest: true, hasResult: true, limit, after }),
          (summary) => Effect.map(seen.proposal(summary), Option.toArray)
        )),
      letters: may("dead_letters_list", ({ after, isOpen, limit }) =>
        filled(
          { after, limit, placeOf: ({ at, id }: Store.Kept) => ({ at, id }) },
          (after, limit) =>
            store.records({ kind: "dead_letter", newest: true, limit, after, ...isOpen ? { state: "open" } : {} }),
          (kept) => Effect.succeed(Option.toArray(DeadLetter.read(kept)).map(({ letter }) => letter))
        )),
      accounts: may("cost_summary", ({ after, limit }) =>
        Effect.map(
          Effect.mapError(store.accountPage({ after, limit: limit + 1 }), failed),
          (found) => cut(found, limit, ({ id }) => id)
        ))
    })
  })
)

/** Tickets in a state, as they are seen: one whose time ran out is expired. */
export const ticketsOf = (store: Store.Store["Service"]) =>
(
  { after, limit, state, ...which }:
    & Ask<Place>
    & Pick<Store.TicketQuery, "newest" | "within">
    & { readonly state?: Ticket.State | undefined }
): Effect.Effect<Page<Ticket.Ticket, Place>, OperationError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    filled(
      { after, limit, placeOf: ({ id, proposedAt }: Ticket.Ticket) => ({ at: proposedAt, id }) },
      (after, limit) =>
        store.ticketPage({
          ...which,
          limit,
          states: state === "expired" ? ["proposed", "approved", "expired"] : state && [state],
          after: after && { proposedAt: after.at, id: after.id }
        }),
      (ticket) => {
        const shown = Ticket.isOverdue(ticket, now) ? { ...ticket, state: "expired" as const } : ticket
        return Effect.succeed(state === undefined || shown.state === state ? [shown] : [])
      }
    ))

// internal

/** Items of one reading. */
const maxRead = 1000

const ofSession = ({ id, startedAt }: Log.SessionPlace) => ({ startedAt, id })

/** The page of what was found, one more than it has if there is more. */
const cut = <A, P>(found: ReadonlyArray<A>, limit: number, placeOf: (item: A) => P): Page<A, P> => {
  const last = found[limit - 1]
  return {
    items: found.slice(0, limit),
    next: found.length > limit && last !== undefined ? placeOf(last) : null
  }
}

const mapped = <A, B, P>({ items, next }: Page<A, P>, f: (item: A) => B): Page<B, P> => ({ items: items.map(f), next })

/** A page of what only some of what is kept comes to: as much is read as fills it. */
const filled = Effect.fnUntraced(function*<A, B, P>(
  { after, limit, placeOf }: Ask<P> & { readonly placeOf: (item: A) => P },
  read: (after: P | undefined, limit: number) => Effect.Effect<ReadonlyArray<A>, Store.StoreError | Log.LogError>,
  pick: (item: A) => Effect.Effect<ReadonlyArray<B>, Store.StoreError | Log.LogError>
): Effect.fn.Return<Page<B, P>, OperationError> {
  const items: Array<B> = []
  const size = Math.min(limit, maxRead)
  let place = after
  for (;;) {
    const found = yield* Effect.mapError(read(place, size + 1), failed)
    for (const item of found) {
      const picked = yield* Effect.mapError(pick(item), failed)
      // One more was found than there is room for: it is the first of the next page.
      if (items.length + picked.length > limit && place !== undefined) return { items, next: place }
      items.push(...picked)
      place = placeOf(item)
    }
    if (found.length <= size) return { items, next: null }
  }
})
