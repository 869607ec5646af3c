/**
 * The end of a ticket's time: a decision like any other, recorded by whoever notices. The commit that records it makes the
 * session due, so that it goes on and is told.
 */
import { Clock, Effect } from "effect"
import { Ticket } from "../approval/index.ts"
import { Installation, type Log } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import type { Store } from "../governor/index.ts"

/** Tickets that are ended at the same time. */
const batchSize = 100
/** Batches of one look: what is left waits for the next. */
const maxBatches = 100

/** Ends one ticket, and gives its session as it is then; `undefined` when it was ended or decided meanwhile. */
export const end = (
  store: Store.Store["Service"],
  ticket: Pick<Ticket.Ticket, "id" | "session">
): Effect.Effect<Log.Summary | undefined, Store.StoreError> =>
  store.commit({ _tag: "Expire", session: ticket.session, ticket: ticket.id, by: Installation.actor }).pipe(
    Effect.map(({ session }) => session),
    Effect.catch((error) => error.reason._tag === "Rejected" ? Effect.succeed(undefined) : Effect.fail(error))
  )

/** Ends every ticket whose time has run out, in batches, and gives the roots of the sessions that wait for it. */
export const endAll = Effect.fnUntraced(function*(store: Store.Store["Service"]) {
  const now = yield* Clock.currentTimeMillis
  const due = new Set<Claims.SessionId>()
  for (let batch = 0; batch < maxBatches; batch++) {
    const overdue = yield* store.overdue(now, batchSize)
    const ended = yield* Effect.forEach(overdue, (ticket) => end(store, ticket), { concurrency: "unbounded" })
    for (const session of ended) {
      if (session !== undefined && goesOn(session)) due.add(Claims.SessionId.make(Ticket.rootOf(session.id)))
    }
    // Where nothing could be ended there is nothing more to do, whatever is overdue by this clock.
    if (overdue.length < batchSize || ended.every((session) => session === undefined)) break
  }
  return [...due]
})

// internal

const goesOn = ({ status }: Log.Summary): boolean => status === "running" || status === "waiting" || status === "paused"
