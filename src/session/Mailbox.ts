/** Where messages to sessions are sent. One session handles one message at a time. */
import { Context, Effect, Layer, Semaphore } from "effect"
import { Store } from "../governor/index.ts"
import type { DispatchError } from "./Ended.ts"
import type { Message } from "./Message.ts"
import { Runs } from "./Runs.ts"
import { sweep } from "./Sweep.ts"

export type { Message } from "./Message.ts"

/** Sends messages to sessions. */
export class Mailbox extends Context.Service<Mailbox, {
  /** Sends, and waits until the run that the message caused has ended. */
  readonly ask: (message: Message) => Effect.Effect<void, DispatchError>
  /** Sends, and is done when the message cannot be lost any more. */
  readonly tell: (message: Message) => Effect.Effect<void, DispatchError>
}>()("aosiq/session/Mailbox") {}

/**
 * Mailboxes in this process alone: what was told and not yet run is gone with it, and what is due is found again in the
 * store. For runtimes in memory, and for tests over any store.
 */
export const layerLocal: Layer.Layer<Mailbox, never, Runs | Store.Store> = Layer.effect(
  Mailbox,
  Effect.gen(function*() {
    const runs = yield* Runs
    const store = yield* Store.Store
    const scope = yield* Effect.scope
    const turns = new Map<string, { readonly turn: Semaphore.Semaphore; waiting: number }>()

    const ask = ({ session }: Message) =>
      Effect.suspend(() => {
        const own = turns.get(session) ?? { turn: Semaphore.makeUnsafe(1), waiting: 0 }
        turns.set(session, own)
        own.waiting++
        return own.turn.withPermits(1)(runs.run(session)).pipe(Effect.ensuring(Effect.sync(() => {
          own.waiting--
          if (own.waiting === 0) turns.delete(session)
        })))
      })

    const tell = (message: Message) => Effect.asVoid(Effect.forkIn(Effect.ignore(ask(message), { log: "Warn" }), scope))

    yield* Effect.forkIn(sweep({ store, runs, tell, graceMs }), scope)
    return Mailbox.of({ ask, tell })
  })
)

// internal

/** Here two messages of one reason are two runs. */
const graceMs = 1000
