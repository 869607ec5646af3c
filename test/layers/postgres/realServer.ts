/**
 * The real PostgreSQL servers of the tests, if there are any: their addresses are in AOSIQ_TEST_POSTGRES_URL and
 * AOSIQ_TEST_POSTGRES18_URL, and test/services/index.sh starts them. Every test works in a database of its own, which is
 * dropped when its scope closes.
 */
import { PgClient } from "@effect/sql-pg"
import { describe } from "@effect/vitest"
import { Effect, Redacted, type Scope } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"

/** A server, and what its tests need of it. */
export interface Server {
  readonly name: string
  /** The address of the server's own database, with the right to create others. */
  readonly serverUrl: () => URL
  /** A new, empty database and its address. */
  readonly freshDatabase: Effect.Effect<URL, SqlError, Scope.Scope>
}

/** `describe` on 17, the version that has to be there where everything is tested. */
export const describeOnServer = (title: string, body: (server: Server) => void): void => describeOn(gate, title, body)

/** `describe` on each version. */
export const describeOnServers = (title: string, body: (server: Server) => void): void => {
  for (const server of [gate, newest]) describeOn(server, title, body)
}

/** A name that no other test uses. */
export const freshName = (): string => `test_${randomUUID().replaceAll("-", "")}`

/** One connection to `url`, closed with the scope. */
export const connect = (url: URL): Effect.Effect<SqlClient, SqlError, Scope.Scope> =>
  PgClient.make({ url: Redacted.make(url.href), maxConnections: 1 }).pipe(Effect.provide(Reactivity.layer))

/** A new, empty database on 17, and its address. */
export const freshDatabase: Server["freshDatabase"] = Effect.suspend(() => gate.freshDatabase)

/** A new login without any rights, and its address for the database at `url`. */
export const freshLogin = Effect.fnUntraced(function*(url: URL): Effect.fn.Return<URL, SqlError, Scope.Scope> {
  const admin = yield* connect(url)
  const name = freshName()
  yield* Effect.acquireRelease(
    admin.unsafe(`create role ${name} login`),
    () => Effect.orDie(once(url, `drop role ${name}`))
  )
  const login = new URL(url)
  login.username = name
  return login
})

// internal

/** One statement on a connection of its own: a pool that let its last one go opens none while its scope closes. */
const once = (url: URL, statement: string) =>
  Effect.scoped(Effect.flatMap(connect(url), (sql) => sql.unsafe(statement)))

const server = (name: string, variable: string): Server & { readonly address: string | undefined } => {
  const address = process.env[variable]
  if (address === undefined) {
    process.stderr.write(`tests on ${name} are skipped: ${variable} is not set, see test/services\n`)
  }
  const serverUrl = () => new URL(address ?? "postgres://unset")
  const freshDatabase = Effect.gen(function*() {
    const admin = yield* connect(serverUrl())
    const database = freshName()
    yield* Effect.acquireRelease(
      admin.unsafe(`create database ${database}`),
      () => Effect.orDie(once(serverUrl(), `drop database ${database} with (force)`))
    )
    const url = serverUrl()
    url.pathname = `/${database}`
    return url
  })
  return { name, address, serverUrl, freshDatabase }
}

// Named as in test/services/index.sh: CI looks for these names in the titles of the tests that ran.
const gate = server("postgres-17", "AOSIQ_TEST_POSTGRES_URL")
const newest = server("postgres-18", "AOSIQ_TEST_POSTGRES18_URL")

const describeOn = (on: typeof gate, title: string, body: (server: Server) => void): void => {
  describe.skipIf(on.address === undefined)(`${title} (${on.name})`, () => body(on))
}
