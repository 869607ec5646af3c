/** Follows what happens in a log, as lines, by asking for new rows at a steady pace. */
import { Effect, Schedule, Stream } from "effect"
import * as Print from "./Print.ts"
import type { Client } from "./Runtime.ts"

/** How often new rows are asked for. */
const pace = "250 millis"

/** Lines about every session that began at or after `since` (epoch milliseconds), until interrupted. */
export const follow = (client: Client, since: number): Stream.Stream<string> => {
  const seen = new Map<string, number>()
  const news = Effect.gen(function*() {
    const lines: Array<string> = []
    for (const session of yield* client.sessions_list()) {
      const from = seen.get(session.id) ?? 0
      if (session.startedAt < since || session.rows <= from) continue
      const rows = yield* client.session_rows({ session: session.id })
      lines.push(...rows.slice(from).flatMap((row) => Print.progress(row, session.actor) ?? []))
      seen.set(session.id, rows.length)
    }
    return lines
    // Progress is for the eye: a poll that fails is made up for by the next.
  }).pipe(Effect.catch(() => Effect.succeed<ReadonlyArray<string>>([])))
  return Stream.fromEffectSchedule(news, Schedule.spaced(pace)).pipe(Stream.flatMap((lines) => Stream.fromIterable(lines)))
}
