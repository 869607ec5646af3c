/**
 * One transaction, tried until it is known to be written or known not to be. What a broken try left is told by where it
 * broke: before COMMIT was sent nothing was written, and it is tried again; after that the server is asked, first whether
 * the transaction is over, then whether one of its rows is there. Only when no answer can be had for as long as a caller
 * waits does it end as `Maybe`.
 */
import { Clock, Data, Effect, Fiber } from "effect"
import { type SqlClient, SqlError } from "effect/sql"
import type { Row } from "../../src/audit/index.ts"
import { backOff, isOutage, isRace, patienceMs } from "./Failure.ts"

/** The longest that one try may take before its connection is given up, milliseconds. */
const tryMs = 15_000
/** Tries of a transaction that loses to others each time. */
const maxRaces = 20

/** What a transaction is about to commit. */
export interface Prepared<A> {
  readonly result: A
  /** By what it is found again; `null` when it writes nothing. */
  readonly trace: Trace | null
}

/** By what a transaction is found again: the server's number of it, and a row that only it writes. */
export interface Trace {
  readonly xid: string
  readonly row: Pick<Row.Row, "session" | "seq" | "hash">
}

/** Not written: the database stayed away for as long as the caller waits. */
export class Away extends Data.TaggedError("Away")<{ readonly error: SqlError.SqlError }> {}
/** Not written, and it will not be: it failed for what it holds. */
export class Failed extends Data.TaggedError("Failed")<{ readonly error: SqlError.SqlError }> {}
/** Perhaps written: COMMIT was sent, and the server stayed away. */
export class Maybe extends Data.TaggedError("Maybe")<{ readonly error: SqlError.SqlError }> {}

/** When tries end before the caller's patience does. */
export interface Until {
  /** When the caller began to wait, epoch milliseconds. */
  readonly since: number
  readonly isClosed: () => boolean
}

/** Runs `body` as one transaction; it must come to the same when it is run again. */
export const untilKnown = <A>(
  sql: SqlClient.SqlClient,
  body: Effect.Effect<Prepared<A>, SqlError.SqlError>,
  { isClosed, since }: Until
): Effect.Effect<A, Away | Failed | Maybe> =>
  Effect.gen(function*() {
    let races = 0
    const clock = yield* Clock.Clock
    const isWorthWhile = (from: number) => !isClosed() && clock.currentTimeMillisUnsafe() - from < patienceMs
    return yield* once(sql, body, isWorthWhile).pipe(
      Effect.retry({
        while: (error) =>
          !(error instanceof Maybe) && isWorthWhile(since) &&
          (isOutage(error) || (isRace(error) && ++races < maxRaces)),
        schedule: backOff
      }),
      Effect.mapError((error) =>
        error instanceof Maybe ? error : isOutage(error) ? new Away({ error }) : new Failed({ error })
      )
    )
  })

/**
 * Gives up a transaction that takes too long. It is left behind rather than waited for, because a client that waits for
 * the answer to COMMIT cannot be interrupted; one that had not got so far is rolled back.
 */
export const inTime = <A>(transaction: Effect.Effect<A, SqlError.SqlError>) =>
  Effect.flatMap(
    Effect.forkDetach(transaction, { startImmediately: true }),
    (fiber) =>
      Effect.timeoutOrElse(Fiber.join(fiber), {
        duration: tryMs,
        orElse: () =>
          Effect.suspend(() => {
            fiber.interruptUnsafe()
            return Effect.fail(connectionError(`no answer within ${tryMs} ms`))
          })
      })
  )

/** Whether a row is in the log. */
export const isThere = (
  sql: SqlClient.SqlClient,
  { hash, seq, session }: Trace["row"]
): Effect.Effect<boolean, SqlError.SqlError> =>
  Effect.map(
    sql`select 1 as there from aosiq_rows where session = ${session} and seq = ${seq} and hash = ${hash}`,
    (found) => found.length > 0
  )

// internal

const once = <A>(
  sql: SqlClient.SqlClient,
  body: Effect.Effect<Prepared<A>, SqlError.SqlError>,
  isWorthWhile: (from: number) => boolean
) =>
  Effect.suspend(() => {
    let prepared: Prepared<A> | undefined
    const transaction = sql.withTransaction(Effect.map(body, (done) => {
      prepared = done // COMMIT comes next.
      return done.result
    }))
    return inTime(transaction).pipe(
      // A connection that broke cannot be rolled back either, and the client dies of that.
      Effect.catchDefect((defect) => SqlError.isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)),
      Effect.catch((error) => {
        if (prepared === undefined || isUndone(error)) return Effect.fail(error)
        const { result, trace } = prepared
        if (trace === null) return Effect.succeed(result)
        return Effect.flatMap(
          isWritten(sql, trace, error, isWorthWhile),
          (is) => is ? Effect.succeed(result) : Effect.fail(lost(error))
        )
      })
    )
  })

/** The server says itself that it rolled back. */
const isUndone = (error: SqlError.SqlError) =>
  isRace(error) || error.reason._tag === "ConstraintError" ||
  (error.reason._tag === "UnknownError" && error.reason.operation === "commit")

const isWritten = (
  sql: SqlClient.SqlClient,
  trace: Trace,
  cause: SqlError.SqlError,
  isWorthWhile: (from: number) => boolean
): Effect.Effect<boolean, Maybe> =>
  Effect.gen(function*() {
    const from = yield* Clock.currentTimeMillis
    return yield* Effect.retry(inTime(look(sql, trace)), {
      while: (error) => isOutage(error) && isWorthWhile(from),
      schedule: backOff
    })
  }).pipe(Effect.mapError(() => new Maybe({ error: cause })))

/**
 * Whether the transaction wrote its row, once it is over. One that waits for a client that is gone is ended; its number
 * is taken for granted no longer than that, because a server that crashed may give it out again.
 */
const look = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, { row, xid }: Trace) {
  const open = yield* sql`
    select case when state like 'idle in transaction%' then pg_terminate_backend(pid) end as ended
    from pg_stat_activity where backend_xid = ${xid}::text::xid8::xid`
  if (open.length > 0) return yield* Effect.fail(connectionError("the transaction is not over yet"))
  // A statement of its own: it must see all that was over before it began.
  return yield* isThere(sql, row)
})

/** Known not to be written, whatever its failure looked like. */
const lost = (error: SqlError.SqlError) => isOutage(error) ? error : connectionError(error.message)

const connectionError = (message: string) =>
  new SqlError.SqlError({ reason: new SqlError.ConnectionError({ cause: message, message, operation: "commit" }) })
