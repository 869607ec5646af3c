/** Whether this process can work: its log answers, and sessions come to it. */
import { Effect } from "effect"
import { Store } from "../../governor/index.ts"
import { Holding } from "../../session/index.ts"

/** What is not there that it needs; `null` when it can work. */
export const ready: Effect.Effect<string | null, never, Store.Store> = Effect.gen(function*() {
  const store = yield* Store.Store
  const isAnswering = yield* store.record({ kind: "caller", id: "" }).pipe(
    Effect.timeout(patience),
    Effect.match({ onFailure: () => false, onSuccess: () => true })
  )
  if (!isAnswering) return "the log does not answer"
  return (yield* yield* Holding.Current) ? null : "no shards are held, so that no sessions run here"
})

// internal

/** Commits wait longer for a database that is away; whoever asks whether it is does not. */
const patience = "2 seconds"
