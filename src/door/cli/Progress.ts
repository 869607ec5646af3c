/** What happens in a log, as lines, by asking for new rows. */
import { Clock, Effect } from "effect"
import type { Operations } from "../../operator/index.ts"
import * as Print from "./Print.ts"
import type { Client } from "./Runtime.ts"

/** From here on: each run gives the lines about what happened since the run before, oldest first. */
export const make = Effect.fnUntraced(function*(client: Client) {
  /** Of sessions that moved, how many of their rows were seen. */
  const seen = new Map<string, number>()
  const start = yield* Clock.currentTimeMillis
  let since = start

  const fresh = Effect.fnUntraced(function*(session: Operations.SessionView) {
    const from = seen.get(session.id) ?? 0
    if (session.rows <= from) return []
    const rows = yield* client.session_rows({ session: session.id, from })
    seen.set(session.id, from + rows.length)
    const depth = session.id.split(".").length
    return rows.filter((row) => row.at >= start).flatMap((row) => {
      since = Math.max(since, row.at)
      const line = Print.progress(row, session.actor)
      // Of what falls on one millisecond, a parent begins before its children and ends after them.
      const rank = row.body.kind === "intent" ? depth : -depth
      return line === undefined ? [] : [{ at: row.at, rank, line }]
    })
  })

  return Effect.gen(function*() {
    const lines = (yield* Effect.forEach(yield* client.sessions_list({ since }), fresh)).flat()
    return lines.toSorted((a, b) => a.at - b.at || a.rank - b.rank).map(({ line }) => line)
  })
})
