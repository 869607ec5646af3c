/**
 * PGlite behind the same wire client as production: `@effect/sql-pg` over an in-process Duplex. Same codecs, same errors,
 * same transactions. One process and one session; it survives `kill -9`, but not a loss of power, because PGlite's file
 * system does not sync.
 */
import { PgClient } from "@effect/sql-pg"
import { PGlite } from "@electric-sql/pglite"
import { Effect, type Layer, type Scope } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { chmodSync, mkdirSync } from "node:fs"
import { Duplex } from "node:stream"
import { acquire, FolderError } from "./Lock.ts"

/** The client over a database in `folder`. */
export const layer = (folder: string) => layerFrom(open(folder))

/** The client over a database that `open` opens, and closes with the scope. */
export const layerFrom = <E>(
  open: Effect.Effect<PGlite, E, Scope.Scope>
): Layer.Layer<SqlClient.SqlClient | PgClient.PgClient, SqlError.SqlError | E> =>
  PgClient.layerFrom(Effect.flatMap(open, connect))

// internal

const open = (folder: string): Effect.Effect<PGlite, FolderError, Scope.Scope> =>
  Effect.gen(function*() {
    yield* acquire(folder)
    return yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => PGlite.create({ dataDir: closed(`${folder}/pg`) }),
        catch: (cause) =>
          new FolderError({
            folder,
            detail: `the database does not open: ${cause instanceof Error ? cause.message : String(cause)}`,
            remedy: "restore the folder from a backup, or start with another one",
            holder: null
          })
      }),
      (db) => Effect.promise(() => db.close())
    )
  })

/** Its files may be written by everybody, so that no one else may come as far as to them, whoever made the folder above. */
const closed = (path: string): string => {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
  return path
}

const connect = (db: PGlite) =>
  Effect.map(
    PgClient.make({ username: "postgres", database: "postgres", stream: () => bridge(db), maxConnections: 1 }),
    // Cluster storage asks the driver's name before it takes advisory locks.
    (client) => Object.assign(client, { driver: "pglite" })
  )

const terminate = 0x58
const cancelRequest = 80_877_102

/** Frontend bytes in, backend bytes out; one message at a time under PGlite's own mutex. */
const bridge = (db: PGlite): Duplex => {
  const self: Duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (chunk[0] === terminate) return done()
      if (chunk.length === 16 && chunk.readInt32BE(4) === cancelRequest) {
        self.destroy()
        return done()
      }
      db.runExclusive(() => db.execProtocolRaw(chunk)).then(
        (answer) => {
          if (!self.destroyed) self.push(Buffer.from(answer))
          done()
        },
        (cause: unknown) => done(cause instanceof Error ? cause : new Error(String(cause)))
      )
    },
    final(done) {
      self.push(null)
      done()
    },
    // The session outlives the connection: leave no transaction and no statement behind.
    destroy(error, done) {
      reset(db).then(() => done(error), () => done(error))
    }
  })
  return self
}

const reset = async (db: PGlite) => {
  if (db.closed) return
  if (db.isInTransaction()) await db.exec("ROLLBACK")
  await db.exec("DEALLOCATE ALL")
}
