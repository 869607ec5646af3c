/** A load under a trouble, and what must be true when both are over. */
import { NodeServices } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { NodeDigest } from "../../layers/node/index.ts"
import { Migrate, SqlStore } from "../../layers/sql/index.ts"
import * as C from "../governor/commits.ts"
import * as Load from "./load.ts"
import { client, type OwnServer } from "./ownServer.ts"
import * as Troubles from "./troubles.ts"

/** How much of it. */
export interface Measure {
  readonly seed: number
  readonly sessions: number
  readonly acts: number
  /** How often the trouble must have struck before the load may end. */
  readonly strikes: number
  /** The longest that it may take, milliseconds. */
  readonly withinMs: number
}

/** Sessions write through the trouble, round after round, until it has struck often enough. */
export const endure = (server: OwnServer, trouble: Troubles.Trouble, measure: Measure) =>
  Effect.gen(function*() {
    yield* server.renew
    yield* Effect.scoped(migrated(server.app))
    const began = yield* Clock.currentTimeMillis
    const ledgers = yield* Effect.scoped(Effect.gen(function*() {
      const { begin, url } = yield* Troubles.prepare(trouble, server, measure.seed)
      const logs = yield* Effect.forEach(
        Array.from({ length: trouble.logs }),
        () => log(url, trouble.connections)
      )
      const times = yield* begin
      const done: Array<Load.Ledger> = []
      const isOver = Effect.orElseSucceed(Effect.map(times, (n) => n >= measure.strikes), () => false)
      do {
        done.push(yield* Load.run({ sessions: measure.sessions, acts: measure.acts, logs }))
        assert.isBelow((yield* Clock.currentTimeMillis) - began, measure.withinMs, "the trouble strikes too seldom")
      } while (!(yield* isOver))
      return done
    }))
    yield* Effect.scoped(Effect.gen(function*() {
      const clean = yield* log(server.app, 2)
      yield* Load.agrees(clean, {
        rows: ledgers.flatMap(({ rows }) => rows),
        done: ledgers.flatMap(({ done }) => done),
        sessions: ledgers.flatMap(({ sessions }) => sessions)
      })
    }))
  })

/** A log of its own, as another process would have it. */
export const log = Effect.fnUntraced(function*(url: URL, connections: number) {
  const sql = yield* client(url, connections)
  const layer = SqlStore.layer.pipe(
    Layer.provide([Layer.succeed(SqlClient.SqlClient, sql), NodeDigest.layer])
  )
  const context = yield* Layer.buildWithMemoMap(layer, yield* Layer.makeMemoMap, yield* Effect.scope)
  return yield* Effect.provideContext(C.side, context)
})

/** Gives the database its tables, as the login that uses them. */
export const migrated = Effect.fnUntraced(function*(url: URL) {
  const sql = yield* client(url, 1)
  yield* Migrate.migrate.pipe(Effect.provideService(SqlClient.SqlClient, sql), Effect.provide(NodeServices.layer))
})
