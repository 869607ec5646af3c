import { NodeCrypto } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { ShardingConfig, SqlMessageStorage } from "effect/cluster"
import { SqlClient } from "effect/sql"
import { Retention } from "../../../layers/cluster/index.ts"
import { inMemory } from "../sql/databases.ts"

const storage = SqlMessageStorage.layer.pipe(
  Layer.provide(Layer.merge(NodeCrypto.layerDigest, ShardingConfig.layerDefaults)),
  Layer.provideMerge(inMemory)
)

/** A message sent at `at`, as the cluster keeps it, with one answer. */
const insert = Effect.fnUntraced(function*(at: number, number: number, isProcessed: boolean) {
  const sql = yield* SqlClient.SqlClient
  const id = (BigInt(at - Date.UTC(2025, 0, 1)) << 22n) + BigInt(number)
  yield* sql`insert into cluster_messages ${
    sql.insert({
      id,
      message_id: `m${number}`,
      shard_id: "default:1",
      entity_type: "t",
      entity_id: "e",
      kind: 0,
      request_id: id,
      processed: isProcessed
    })
  }`
  yield* sql`insert into cluster_replies ${sql.insert({ id: id + 1n, kind: 0, request_id: id, payload: "{}" })}`
})

describe("messages that were handled", () => {
  it.live("are taken away after an hour, with their answers; what waits is not", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const now = Date.now()
      yield* insert(now - 3_700_000, 1, true)
      yield* insert(now - 3_700_000, 10, false)
      yield* insert(now - 3_500_000, 20, true)
      assert.strictEqual(yield* Retention.clean, 1)
      const left = yield* sql<{ readonly message_id: string }>`select message_id from cluster_messages order by id`
      assert.deepStrictEqual(left.map((row) => row.message_id), ["m10", "m20"])
      const [answers] = yield* sql<{ readonly count: string }>`select count(*)::text as count from cluster_replies`
      assert.strictEqual(answers?.count, "2")
      assert.strictEqual(yield* Retention.clean, 0)
    }).pipe(Effect.provide(storage)), 60_000)
})
