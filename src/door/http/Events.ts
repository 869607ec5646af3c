/**
 * A session's rows as they come, for whoever watches. An event's id is its row's `seq`, so that a watcher which lost the
 * connection, or whose server died, names the last it saw and goes on with the next: none is lost and none comes twice.
 * The log is read, and not this process: it does not matter which process the session runs in.
 */
import { Clock, Duration, Effect, Option, Stream } from "effect"
import type { Claims } from "../../capability/index.ts"
import { Asker, type Desk, type Operations } from "../../operator/index.ts"
import type { Streams } from "../Streams.ts"
import { StillIn } from "./Access.ts"
import { beatMs, type Event } from "./Api.ts"
import { tooMany } from "./Entrance.ts"

/** How often the log is looked at. */
const every = Duration.millis(250)
/** Rows that one look gives at the most. */
const atOnce = 50

/** The events of a session from a row on, until it has ended, or who watches is let in no more. */
export const of = (
  desk: Desk.Shape,
  session: Claims.SessionId,
  from: number
): Stream.Stream<Event, Operations.OperationError, Asker.Asker | StillIn> =>
  Stream.paginate({ next: from, said: 0 }, (state) =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const { isIn } = yield* StillIn
      if (!(yield* isIn)) return [[], Option.none()] as const
      // How it stands is read first: rows that come after that reading belong to the next look.
      const { rows: length, status } = yield* desk.session_show({ session })
      const rows = length > state.next ? yield* desk.session_rows({ session, from: state.next, limit: atOnce }) : []
      const next = state.next + rows.length
      const events: Array<Event> = rows.map((row) => ({ id: String(row.seq), event: "row", data: row }))
      if (final.has(status) && next >= length) {
        return [[...events, { event: "end", data: { status } }], Option.none()] as const
      }
      const isQuiet = events.length === 0 && now - state.said >= beatMs
      if (isQuiet) events.push({ event: "beat", data: "" })
      if (events.length === 0) yield* Effect.sleep(every)
      return [events, Option.some({ next, said: events.length === 0 ? state.said : now })] as const
    }))

/** Counts a stream of who asks for as long as its request is answered; refuses one too many. */
export const held = ({ hold }: Streams["Service"]) =>
  Effect.flatMap(Asker.Asker, ({ name }) => Effect.catch(hold(name), ({ detail }) => tooMany(1, detail)))

// internal

/** A session in one of these is over, and its chain comes to no other row by itself. */
const final: ReadonlySet<string> = new Set(["succeeded", "failed", "abandoned", "cancelled"])
