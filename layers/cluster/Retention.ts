/**
 * Takes away messages that were handled long ago, with their answers: the cluster keeps them for good. A message that is
 * sent again after that is a new one, and lets a session run that has nothing to do.
 */
import { Clock, Duration, Effect, Schedule } from "effect"
import { MachineId, Snowflake } from "effect/cluster"
import { SqlClient } from "effect/sql"

/** How long an answer can be asked for again, and how often is looked for older ones. */
const keep = Duration.hours(1)
const every = Duration.minutes(1)
/** Messages that are taken away in one statement, and statements in one look. */
const maxMessages = 1000
const maxBatches = 100

/** One look: gives how many messages were taken away. */
export const clean = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const now = yield* Clock.currentTimeMillis
  // A message's id begins with the instant it was sent at.
  const horizon = Snowflake.make({
    timestamp: now - Duration.toMillis(keep),
    machineId: MachineId.make(0),
    sequence: 0
  })
  let cleaned = 0
  for (let batch = 0; batch < maxBatches; batch++) {
    const gone = yield* sql`
      with old as materialized (
        select id from cluster_messages where id < ${horizon} and processed order by id limit ${maxMessages}),
      r as (delete from cluster_replies using old where request_id = old.id)
      delete from cluster_messages m using old where m.id = old.id returning 1`
    cleaned += gone.length
    if (gone.length < maxMessages) break
  }
  return cleaned
})

/** Looks until it is interrupted; one runner of a cluster is enough. */
export const run = clean.pipe(
  Effect.ignore({ log: "Warn", message: "handled messages could not be taken away" }),
  Effect.repeat(Schedule.spaced(every)),
  Effect.andThen(Effect.never)
)
