/**
 * PostgreSQL by `@effect/sql-pg`, for logs that many processes share. A connection that sits in an open transaction is
 * ended by the server, so that a frozen process does not hold its locks for good.
 */
import { PgClient } from "@effect/sql-pg"
import type { Layer, Redacted } from "effect"
import type { SqlClient, SqlError } from "effect/sql"

/** Connections of one process at most: a few write the log, the others read. */
export const maxConnections = 10
/** How long a connection may take to come up, milliseconds. */
export const connectTimeoutMs = 10_000
/** How long a connection may be silent before it is asked whether the other end still lives, milliseconds. */
export const keepAliveMs = 10_000
/** How long a transaction may sit idle before the server ends its connection, milliseconds. */
export const idleTransactionMs = 30_000

/** A pool of connections to the database at `url` (`postgres://user:password@host:port/database`). */
export const layer = (
  url: Redacted.Redacted
): Layer.Layer<SqlClient.SqlClient | PgClient.PgClient, SqlError.SqlError> =>
  PgClient.layer({
    url,
    applicationName: "aosiq",
    maxConnections,
    connectTimeout: connectTimeoutMs,
    keepAlive: keepAliveMs,
    startupParameters: { idle_in_transaction_session_timeout: String(idleTransactionMs) }
  })
