/**
 * Numbered, forward-only migrations. Each is applied once, in one transaction with its checksum, under an advisory lock,
 * so that runners starting together do not collide. A file changed after it was applied stops the start.
 */
import { Effect, FileSystem, Path, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { NodeDigest } from "../node/index.ts"

/** The database is not what this version expects; nothing was changed. */
export class MigrationError extends Schema.TaggedError<MigrationError>()("MigrationError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** Held while migrating; any constant that no one else uses. */
const lockId = 7_301_946

/** Where the numbered files lie, beside the compiled or the plain sources. */
const folder = new URL("../../migrations/", import.meta.url)

/** Brings the database to this version. */
export const migrate: Effect.Effect<
  void,
  SqlError.SqlError | MigrationError,
  SqlClient.SqlClient | FileSystem.FileSystem | Path.Path
> = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const files = yield* read
  yield* sql.withTransaction(Effect.gen(function*() {
    yield* sql`select pg_advisory_xact_lock(${lockId})`
    yield* sql`create table if not exists aosiq_migrations (
      id int primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`
    const applied = yield* sql<{ readonly id: number; readonly checksum: string }>`
      select id, checksum from aosiq_migrations order by id`
    const newest = applied.at(-1)?.id ?? 0
    const known = files.at(-1)?.id ?? 0
    if (newest > known) {
      const detail = `the database is at version ${newest}, this program knows ${known}`
      return yield* new MigrationError({ detail, remedy: "run the newer program" })
    }
    for (const file of files) {
      const before = applied.find((migration) => migration.id === file.id)
      if (before === undefined) {
        // A file holds several statements, and the wire takes one: a block is one. Its tag occurs in no file.
        yield* sql.unsafe(`do $aosiq_migration$ begin ${file.text}\nend $aosiq_migration$`).raw
        yield* sql`insert into aosiq_migrations ${
          sql.insert({ id: file.id, name: file.name, checksum: file.checksum })
        }`
      } else if (before.checksum !== file.checksum) {
        const detail = `migration ${file.name} was changed after it was applied`
        return yield* new MigrationError({ detail, remedy: "restore the file; changes go into a new migration" })
      }
    }
  }))
})

// internal

const read = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* path.fromFileUrl(folder)
  const names = (yield* fs.readDirectory(directory)).filter((name) => /^\d{4}_.*\.sql$/.test(name)).toSorted()
  return yield* Effect.forEach(
    names,
    (name) =>
      Effect.map(fs.readFileString(path.join(directory, name)), (text) => ({
        id: Number(name.slice(0, 4)),
        name,
        text,
        checksum: NodeDigest.digest.sha256(text)
      }))
  )
}).pipe(Effect.orDie) // The files are part of the package.
