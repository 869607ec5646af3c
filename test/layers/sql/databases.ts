/** Migrated databases for tests: embedded ones, and one of its own on the real server. */
import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Layer, Redacted } from "effect"
import type { SqlClient } from "effect/sql"
import { NodeDigest } from "../../../layers/node/index.ts"
import { PgliteClient } from "../../../layers/pglite/index.ts"
import * as PostgresClient from "../../../layers/postgres/Client.ts"
import { Migrate, SqlStore } from "../../../layers/sql/index.ts"
import { freshDatabase, type Server } from "../postgres/realServer.ts"

/** A database without tables in the memory of this process. */
export const inMemory = PgliteClient.layer()

/** A database without tables in a folder that is removed at the end. */
export const inFolder = Layer.unwrap(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return PgliteClient.layer(yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-data-" }))
})).pipe(Layer.provide(NodeServices.layer))

/** A database without tables on one of the real servers. */
export const on = ({ freshDatabase }: Pick<Server, "freshDatabase">) =>
  Layer.unwrap(Effect.map(freshDatabase, (url) => PostgresClient.layer(Redacted.make(url.href))))

/** The same, on 17. */
export const onServer = on({ freshDatabase })

/** The database with its tables. */
export const migrated = <A, E>(database: Layer.Layer<A | SqlClient.SqlClient, E>) =>
  Layer.effectDiscard(Migrate.migrate).pipe(Layer.provide(NodeServices.layer), Layer.provideMerge(database))

/** The log over a migrated database, which stays in reach for a look at its tables. */
export const logOn = <A, E>(database: Layer.Layer<A | SqlClient.SqlClient, E>) =>
  SqlStore.layer.pipe(Layer.provideMerge(database), Layer.provide(NodeDigest.layer))
