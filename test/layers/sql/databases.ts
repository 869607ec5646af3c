/** Migrated databases for tests: embedded ones, and one of its own on the real server. */
import { NodeServices } from "@effect/platform-node"
import { PGlite } from "@electric-sql/pglite"
import { Effect, FileSystem, Layer, Redacted } from "effect"
import type { SqlClient } from "effect/sql"
import { execFileSync } from "node:child_process"
import { NodeDigest } from "../../../layers/node/index.ts"
import { PgliteClient } from "../../../layers/pglite/index.ts"
import * as PostgresClient from "../../../layers/postgres/Client.ts"
import { Migrate, SqlStore } from "../../../layers/sql/index.ts"
import { freshDatabase, type Server } from "../postgres/realServer.ts"

/** A database without tables in the memory of this process. */
export const inMemory = PgliteClient.layerFrom(Effect.acquireRelease(
  Effect.promise(async () => PGlite.create({ loadDataDir: await archive() })),
  (database) => Effect.promise(() => database.close())
))

/** A folder with a database without tables, which is removed at the end. */
export const folder = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-data-" })
  yield* fs.makeDirectory(`${path}/pg`, { mode: 0o700 })
  const input = yield* Effect.promise(async () => new Uint8Array(await (await archive()).arrayBuffer()))
  execFileSync("tar", ["-x", "-C", `${path}/pg`], { input })
  return path
}).pipe(Effect.provide(NodeServices.layer))

/** The database in such a folder. */
export const inFolder = Layer.unwrap(Effect.map(folder, PgliteClient.layer))

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

// internal

let made: Promise<Blob> | undefined

/** The files of a new database. To make one takes seconds, to unpack one does not: each process makes one. */
const archive = () =>
  made ??= PGlite.create().then((database) => database.dumpDataDir("none").finally(() => database.close()))
