/**
 * A PostgreSQL server that a test has to itself, to restart, to fill and to mislead: started from the folder of the one
 * that all tests share (AOSIQ_TEST_POSTGRES_SERVER), on another port, and removed with the scope.
 */
import { PgClient } from "@effect/sql-pg"
import { describe } from "@effect/vitest"
import { Effect, Redacted, Schema, type Scope } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import type { SqlClient, SqlError } from "effect/sql"
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { connect } from "../layers/postgres/realServer.ts"

/** The server of one test file. */
export interface OwnServer {
  /** Its database `app`, for a login that is nobody special: what is kept for administrators is not for it. */
  readonly app: URL
  /** Makes `app` anew, without tables and without settings. */
  readonly renew: Effect.Effect<void, SqlError.SqlError>
  /** Ends the server as a crash would, and starts it again. */
  readonly restart: Effect.Effect<void, ServerFailed>
  /** Runs statements as the administrator, on a connection of their own. */
  readonly asAdmin: <A, E>(
    use: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>,
    database?: string
  ) => Effect.Effect<A, E | SqlError.SqlError>
}

/** The script that keeps servers failed. */
export class ServerFailed extends Schema.TaggedError<ServerFailed>()("ServerFailed", { said: Schema.String }) {}

/** Starts one; `settings` are of all of it, such as `max_connections`. */
export type Make = (
  settings?: Readonly<Record<string, string>>
) => Effect.Effect<OwnServer, ServerFailed | SqlError.SqlError, Scope.Scope>

/** `describe` where a server of version 17 can be had. */
export const describeOnOwnServer = (title: string, body: (make: Make) => void): void => describeOn(gate, title, body)

/** `describe` on each version. */
export const describeOnOwnServers = (title: string, body: (make: Make) => void): void => {
  for (const version of [gate, newest]) describeOn(version, title, body)
}

/** The client that the product makes, with another number of connections. */
export const client = (
  url: URL,
  maxConnections: number
): Effect.Effect<SqlClient.SqlClient, SqlError.SqlError, Scope.Scope> =>
  PgClient.make({
    url: Redacted.make(url.href),
    applicationName: "aosiq",
    maxConnections,
    startupParameters: { idle_in_transaction_session_timeout: "30000" }
  }).pipe(Effect.provide(Reactivity.layer))

// internal

const make = Effect.fnUntraced(function*(
  folder: string,
  settings: Readonly<Record<string, string>> = {}
): Effect.fn.Return<OwnServer, ServerFailed | SqlError.SqlError, Scope.Scope> {
  const port = yield* freePort
  yield* Effect.acquireRelease(script("start", folder, port), () => Effect.ignore(script("remove", folder, port)))
  const url = (login: string, database: string) => new URL(`postgres://${login}@127.0.0.1:${port}/${database}`)
  const asAdmin: OwnServer["asAdmin"] = (use, database = "app") =>
    Effect.scoped(Effect.flatMap(connect(url("postgres", database)), use))
  const restart = script("restart", folder, port)
  yield* asAdmin((sql) =>
    Effect.all([
      sql.unsafe("create role app login"),
      ...Object.entries(settings).map(([name, value]) => sql.unsafe(`alter system set ${name} = '${value}'`))
    ], { discard: true }), "postgres")
  if (Object.keys(settings).length > 0) yield* restart
  const renew = asAdmin((sql) =>
    Effect.all([
      sql.unsafe("drop database if exists app with (force)"),
      sql.unsafe("create database app owner app")
    ], { discard: true }), "postgres")
  return { app: url("app", "app"), renew, restart, asAdmin }
})

interface Version {
  readonly name: string
  readonly folder: string | undefined
}
const gate: Version = { name: "postgres-17", folder: process.env["AOSIQ_TEST_POSTGRES_SERVER"] }
const newest: Version = { name: "postgres-18", folder: process.env["AOSIQ_TEST_POSTGRES18_SERVER"] }

const describeOn = ({ folder, name }: Version, title: string, body: (make: Make) => void): void => {
  describe.skipIf(folder === undefined)(`${title} (${name})`, () => body((settings) => make(folder ?? "", settings)))
}

const program = new URL("../services/postgres.sh", import.meta.url).pathname

const script = (action: "start" | "restart" | "remove", folder: string, port: number) =>
  Effect.callback<void, ServerFailed>((resume) => {
    const words = [program, action, ...folder.split(" "), String(port), String(process.pid)]
    const child = spawn("bash", words, { stdio: ["ignore", "ignore", "pipe"] })
    let said = ""
    child.stderr.on("data", (chunk) => said += String(chunk))
    child.on("error", (error) => resume(new ServerFailed({ said: error.message })))
    child.on("exit", (code) => resume(code === 0 ? Effect.void : new ServerFailed({ said: `${code}: ${said}` })))
  })

const freePort = Effect.callback<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})
