/**
 * The cluster's messages in SQL, through a database's bad days: what is asked of them waits for a database that is away,
 * and an answer that was lost on its way is not taken for a failure. Without it a lost answer to a look for messages
 * leaves those unread for ten minutes, and one to the saving of a reply leaves its caller waiting for good.
 */
import { Effect, Layer, Schedule } from "effect"
import { ClusterError, MessageStorage, type ShardingConfig, Snowflake, SqlMessageStorage } from "effect/cluster"
import type { Digest } from "effect/crypto"
import { SqlClient, SqlError } from "effect/sql"
import { Failure } from "../sql/index.ts"

/** Message storage with its tables. */
export const layer: Layer.Layer<
  MessageStorage.MessageStorage,
  never,
  SqlClient.SqlClient | ShardingConfig.ShardingConfig | Digest.Digest
> = Layer.effect(
  MessageStorage.MessageStorage,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const encoded = yield* SqlMessageStorage.makeEncoded()
    return yield* MessageStorage.makeEncoded({
      ...encoded,
      // A message that is there already is told as a duplicate, which is what a second try is.
      saveEnvelope: (options) => patiently(encoded.saveEnvelope(options)),
      saveReply: (reply) =>
        again(
          encoded.saveReply(reply),
          Effect.flatMap(
            isSaved(sql, reply.id),
            (is) => is ? Effect.void : encoded.saveReply(reply)
          )
        ),
      // What the lost answer held was marked as read: it is given back first. What runs already is not run again.
      unprocessedMessages: (shards, now, options) =>
        again(
          encoded.unprocessedMessages(shards, now, options),
          Effect.andThen(encoded.resetShards(shards), encoded.unprocessedMessages(shards, now, options))
        ),
      unprocessedMessagesById: (ids, now) => patiently(encoded.unprocessedMessagesById(ids, now)),
      repliesFor: (ids) => patiently(encoded.repliesFor(ids)),
      repliesForUnfiltered: (ids) => patiently(encoded.repliesForUnfiltered(ids)),
      requestIdForPrimaryKey: (key) => patiently(encoded.requestIdForPrimaryKey(key)),
      resetRequests: (ids) => patiently(encoded.resetRequests(ids)),
      resetAddresses: (addresses) => patiently(encoded.resetAddresses(addresses)),
      resetShards: (shards) => patiently(encoded.resetShards(shards))
    })
  })
).pipe(Layer.provide(Snowflake.layerGenerator))

// internal

const isPassing = ({ cause }: ClusterError.PersistenceError) =>
  SqlError.isSqlError(cause) && (Failure.isRace(cause) || Failure.isOutage(cause))

const patiently = <A>(effect: Effect.Effect<A, ClusterError.PersistenceError>) =>
  Effect.retry(effect, {
    while: isPassing,
    schedule: Schedule.upTo(Failure.backOff, { duration: Failure.patienceMs })
  })

/** Tries `first`, and `then` whenever that may have been done without our knowing. */
const again = <A>(
  first: Effect.Effect<A, ClusterError.PersistenceError>,
  then: Effect.Effect<A, ClusterError.PersistenceError>
) =>
  Effect.suspend(() => {
    let isFirst = true
    return patiently(Effect.suspend(() => {
      const effect = isFirst ? first : then
      isFirst = false
      return effect
    }))
  })

const isSaved = (sql: SqlClient.SqlClient, reply: string) =>
  sql`select 1 from cluster_replies where id = ${reply}`.pipe(
    Effect.map(({ length }) => length > 0),
    ClusterError.PersistenceError.refail
  )
