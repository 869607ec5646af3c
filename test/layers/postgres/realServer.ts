/**
 * The real PostgreSQL server of the tests, if there is one: its address is in AOSIQ_TEST_POSTGRES_URL, and
 * test/services/index.sh starts one. Every test works in a database of its own, which is dropped when its scope closes.
 */
import { PgClient } from "@effect/sql-pg"
import { describe } from "@effect/vitest"
import { Effect, Redacted, type Scope } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"

const address = process.env["AOSIQ_TEST_POSTGRES_URL"]

if (address === undefined) {
  process.stderr.write(
    "tests on a real PostgreSQL are skipped: AOSIQ_TEST_POSTGRES_URL is not set, see test/services\n"
  )
}

/** `describe` when there is a server. */
export const describeOnServer = describe.skipIf(address === undefined)

/** A name that no other test uses. */
export const freshName = (): string => `test_${randomUUID().replaceAll("-", "")}`

/** One connection to `url`, closed with the scope. */
export const connect = (url: URL): Effect.Effect<SqlClient, SqlError, Scope.Scope> =>
  PgClient.make({ url: Redacted.make(url.href), maxConnections: 1 }).pipe(Effect.provide(Reactivity.layer))

/** The address of the server's own database, with the right to create others. */
export const serverUrl = (): URL => new URL(address ?? "postgres://unset")

/** A new, empty database and its address. */
export const freshDatabase: Effect.Effect<URL, SqlError, Scope.Scope> = Effect.gen(function*() {
  const admin = yield* connect(serverUrl())
  const name = freshName()
  yield* Effect.acquireRelease(
    admin.unsafe(`create database ${name}`),
    () => Effect.orDie(admin.unsafe(`drop database ${name} with (force)`))
  )
  const url = serverUrl()
  url.pathname = `/${name}`
  return url
})

/** A new login without any rights, and its address for the database at `url`. */
export const freshLogin = Effect.fnUntraced(function*(url: URL): Effect.fn.Return<URL, SqlError, Scope.Scope> {
  const admin = yield* connect(serverUrl())
  const name = freshName()
  yield* Effect.acquireRelease(
    admin.unsafe(`create role ${name} login`),
    () => Effect.orDie(admin.unsafe(`drop role ${name}`))
  )
  const login = new URL(url)
  login.username = name
  return login
})
