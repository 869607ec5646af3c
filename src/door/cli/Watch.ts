/** What a watcher sees, by looking again and again; and the operations with it, as the command line calls them. */
import { Duration, Effect, Option, Stream } from "effect"
import type { Claims } from "../../capability/index.ts"
import type { Desk } from "../../operator/index.ts"
import type { Client, Failure, Watched } from "./Runtime.ts"

/** How often is looked. */
const every = Duration.millis(250)

/** The operations of a process on this machine, which is ready when its log answers. */
export const over = (operations: Desk.Shape<Failure, never>): Client => ({
  ...operations,
  session_watch: ({ from, session }) => watch(operations, session, from),
  health: Effect.suspend(() => Effect.as(operations.cost_summary(), { status: "ready" }))
})

/** A session in one of these is over. */
export const final: ReadonlySet<string> = new Set(["succeeded", "failed", "abandoned", "cancelled"])

// internal

const watch = (
  operations: Desk.Shape<Failure, never>,
  session: Claims.SessionId,
  from: number
): Stream.Stream<Watched, Failure> =>
  Stream.paginate(from, (next) =>
    Effect.gen(function*() {
      // How it stands is read first: rows that come after that reading belong to the next look.
      const { rows: length, status } = yield* operations.session_show({ session })
      const rows = length > next ? yield* operations.session_rows({ session, from: next }) : []
      const seen = next + rows.length
      const events: Array<Watched> = rows.map((data) => ({ event: "row", data }))
      if (final.has(status) && seen >= length) {
        return [[...events, { event: "end", data: { status } }], Option.none()] as const
      }
      if (events.length === 0) yield* Effect.sleep(every)
      return [events, Option.some(seen)] as const
    }))
