/**
 * The sweep: looks again and again at which sessions are due, and tells them. It is what makes timers go off and what
 * finds the sessions whose message was lost with the process that was to send it.
 */
import { Clock, Effect, Schedule } from "effect"
import type { Store } from "../governor/index.ts"
import type { DispatchError } from "./Ended.ts"
import * as Expiry from "./Expiry.ts"
import type { Message } from "./Message.ts"
import type { Runs } from "./Runs.ts"

/** How often the sweep looks: a timer is late by as much at the most. */
export const everyMs = 1000
/** Wakes of one look at most; the next look goes on with the rest. */
const maxWakes = 256
/** A wake that still stands after this long is told anew, as a message of its own. */
const repeatMs = 60_000

/** How long a session of a class that nobody knows waits for a program that does; then an operator is asked. */
const strangeMs = 600_000

/** What a sweep needs. */
export interface Parts {
  readonly store: Store.Store["Service"]
  readonly runs: Runs["Service"]
  readonly tell: (message: Message) => Effect.Effect<void, DispatchError>
  /** How long wakes are left to whoever caused them; where the same message sent twice is one, there is no need to. */
  readonly graceMs: number
}

/** Sweeps until it is interrupted. A look that fails is made up for by the next. */
export const sweep = (
  { graceMs, runs, store, tell }: Parts
): Effect.Effect<never> =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    // Whom nobody answers in time is answered by that, and goes on: the commit makes the session due.
    yield* Expiry.endAll(store)
    const due = yield* store.due(now - graceMs, maxWakes)
    yield* Effect.forEach(
      due,
      Effect.fnUntraced(function*({ actor, due, reason, session }) {
        const times = Math.floor((now - due) / repeatMs)
        if (yield* runs.isKnown(actor)) {
          yield* tell({ actor, session, reason: times === 0 ? reason : `${reason}@${times}` })
        } else if (now - due > strangeMs) yield* runs.setAside(session, `no actor ${actor} is registered`)
      }),
      { discard: true }
    )
  }).pipe(
    Effect.ignore({ log: "Warn", message: "the sweep could not look at what is due" }),
    Effect.repeat(Schedule.spaced(everyMs)),
    Effect.andThen(Effect.never)
  )
