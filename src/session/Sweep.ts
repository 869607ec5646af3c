/**
 * The sweep: looks again and again at which sessions are due, and tells them. It is what makes timers go off and what
 * finds the sessions whose message was lost with the process that was to send it; and those that are running with nobody
 * in them, because a runner took them that was no more to have them, and then died or let go.
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

/** Sweeps from one look for quiet runs to the next. */
const quietEvery = 30
/**
 * How long a run writes nothing before it is told to go on. Where somebody is in it, the message waits for its turn and
 * finds nothing to do.
 */
export const quietMs = 120_000

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
export const sweep = ({ graceMs, runs, store, tell }: Parts): Effect.Effect<never> =>
  Effect.suspend(() => {
    /** Runs that were told to go on, and the row after which they were quiet: each silence is told of once. */
    const told = new Map<string, number>()
    let sweeps = 0

    /** Whether it was told. */
    const notify = Effect.fnUntraced(function*(message: Message, sinceMs: number) {
      if (yield* runs.isKnown(message.actor)) return yield* Effect.as(tell(message), true)
      if (sinceMs > strangeMs) yield* runs.setAside(message.session, `no actor ${message.actor} is registered`)
      return false
    })

    const lookForQuiet = Effect.fnUntraced(function*(now: number) {
      const quiet = yield* store.quiet(now - quietMs, maxWakes)
      const sessions = new Set<string>(quiet.map(({ session }) => session))
      for (const session of told.keys()) if (!sessions.has(session)) told.delete(session)
      for (const { actor, at, seq, session } of quiet) {
        if (told.get(session) === seq) continue
        if (yield* notify({ actor, session, reason: `quiet/${seq}` }, now - at)) told.set(session, seq)
      }
    })

    return Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      // Whom nobody answers in time is answered by that, and goes on: the commit makes the session due.
      yield* Expiry.endAll(store)
      const due = yield* store.due(now - graceMs, maxWakes)
      yield* Effect.forEach(due, ({ actor, due, reason, session }) => {
        const times = Math.floor((now - due) / repeatMs)
        return notify({ actor, session, reason: times === 0 ? reason : `${reason}@${times}` }, now - due)
      }, { discard: true })
      if (sweeps++ % quietEvery === 0) yield* lookForQuiet(now)
    }).pipe(
      Effect.ignore({ log: "Warn", message: "the sweep could not look at what is due" }),
      Effect.repeat(Schedule.spaced(everyMs)),
      Effect.andThen(Effect.never)
    )
  })
