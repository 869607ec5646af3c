/**
 * What a failed statement means for the one who sent it. A race was lost to another transaction and is run again at once;
 * in an outage the database is away, full or just starting, and waiting helps; everything else fails the same way each
 * time.
 */
import { Effect, Predicate, Schedule } from "effect"
import type { SqlError } from "effect/sql"
import { Store } from "../../src/governor/index.ts"

/** The longest that a caller waits for a database that is away, milliseconds. */
export const patienceMs = 30_000

/** Between two tries: soon at first, a quarter of a second at most, and never all at the same time. */
export const backOff = Schedule.min([Schedule.exponential("5 millis"), Schedule.spaced("250 millis")]).pipe(
  Schedule.jittered
)

/** Lost to another transaction: a deadlock, a serialisation, or the key of what both were opening. */
export const isRace = ({ reason: { _tag } }: SqlError.SqlError): boolean =>
  _tag === "DeadlockError" || _tag === "SerializationError" || _tag === "UniqueViolation"

/** The database did not get to it: nothing is wrong with what was asked. */
export const isOutage = ({ reason }: SqlError.SqlError): boolean =>
  reason._tag === "ConnectionError" || reason._tag === "LockTimeoutError" || reason._tag === "StatementTimeoutError" ||
  outages.test(codeOf(reason.cause))

/** Reads again after a race and through an outage, for as long as a caller waits. Only for what changes nothing. */
export const patiently = <A, R>(read: Effect.Effect<A, SqlError.SqlError, R>): Effect.Effect<A, SqlError.SqlError, R> =>
  Effect.retry(read, {
    while: (error) => isRace(error) || isOutage(error),
    schedule: Schedule.upTo(backOff, { duration: patienceMs })
  })

/** For people: what happened, and what to do. */
export const describe = (error: SqlError.SqlError): { readonly detail: string; readonly remedy: string } => {
  const code = codeOf(error.reason.cause)
  const cause = Predicate.hasProperty(error.reason.cause, "message") ? `: ${String(error.reason.cause.message)}` : ""
  return {
    detail: `${error.reason._tag}${code === "" ? "" : ` ${code}`}: ${error.reason.message}${cause}`,
    remedy: "look at the database; what was acknowledged is safe"
  }
}

/** The store's error for it. */
export const unavailable = (error: SqlError.SqlError, maybe: boolean): Store.StoreError =>
  new Store.StoreError({ reason: new Store.Unavailable({ ...describe(error), maybe }) })

// internal

/**
 * Connections that failed (08), transactions ended for sitting idle or for lasting (25P03, 25P04), a server that went
 * read-only in a fail-over (25006), resources that ran out, connections among them (53), a server that shuts down,
 * crashed or starts (57P). Source: PostgreSQL 18, appendix A.
 */
const outages = /^(?:08|53|57P|25P03$|25P04$|25006$)/

const codeOf = (cause: unknown): string =>
  Predicate.hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : ""
