/**
 * The sweep: looks again and again at which sessions are due, and tells them. It is what makes timers go off and what
 * finds the sessions whose message was lost with the process that was to send it.
 */
import { Clock, Effect, Schedule } from "effect"
import type { Store } from "../governor/index.ts"
import type { DispatchError } from "./Ended.ts"
import type { Message } from "./Message.ts"

/** How often the sweep looks: a timer is late by as much at the most. */
export const everyMs = 1000
/** Wakes of one look at most; the next look goes on with the rest. */
const maxWakes = 256
/** A wake that still stands after this long is told anew, as a message of its own. */
const repeatMs = 60_000

/**
 * Sweeps until it is interrupted. A look that fails is made up for by the next. Wakes are left to whoever caused them
 * for `graceMs`; where the same message sent twice is one message, there is no need to.
 */
export const sweep = (
  store: Store.Store["Service"],
  tell: (message: Message) => Effect.Effect<void, DispatchError>,
  graceMs: number
): Effect.Effect<never> =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const due = yield* store.due(now - graceMs, maxWakes)
    yield* Effect.forEach(
      due,
      ({ actor, due, reason, session }) => {
        const times = Math.floor((now - due) / repeatMs)
        return tell({ actor, session, reason: times === 0 ? reason : `${reason}@${times}` })
      },
      { discard: true }
    )
  }).pipe(
    Effect.ignore({ log: "Warn", message: "the sweep could not look at what is due" }),
    Effect.repeat(Schedule.spaced(everyMs)),
    Effect.andThen(Effect.never)
  )
