/**
 * Keeps an outcome that is known: while the log does not answer, the commit is tried again for a bounded time, so that a
 * short outage does not make an act unknown whose handler has answered.
 */
import { Effect, Schedule } from "effect"
import type { Digest, Log, Row } from "../audit/index.ts"
import { type Finish, type Store, StoreError, Unavailable } from "./Store.ts"

/** How long an outcome is offered to a log that does not answer. A run that is being stopped waits as long. */
export const patienceMs = 20_000

/** The outcome's row. Fails with the log's last word when it was not taken, or when a newer run has the session. */
export const keep = (
  { digest, log, store }: {
    readonly store: Store["Service"]
    readonly log: Log.Log["Service"]
    readonly digest: Digest.Digest["Service"]
  },
  commit: Finish
): Effect.Effect<{ readonly session: string; readonly seq: number }, StoreError> => {
  let maybe = false
  const offered = Effect.map(Effect.suspend(() => store.commit(commit)), ({ row }) => row)
  // A commit that failed may have been written all the same: then the act is not running any more.
  const written = (error: StoreError): Effect.Effect<Row.Row, StoreError> =>
    maybe && error.reason._tag === "Rejected" && error.reason.why === "not_begun"
      ? log.rows(commit.session).pipe(
        Effect.mapError(unread),
        Effect.flatMap((rows) => {
          const found = rows.find(({ body, key }) => key === commit.key && body.kind === "outcome")
          const isOurs = found !== undefined && digest.canonical(found.body) === digest.canonical(commit.outcome.body)
          return isOurs ? Effect.succeed(found) : Effect.fail(error)
        })
      )
      : Effect.fail(error)
  return Effect.catch(offered, written).pipe(
    Effect.tapError(({ reason }) =>
      Effect.sync(() => {
        maybe ||= reason._tag === "Unavailable" && reason.maybe
      })
    ),
    Effect.retry({ while: ({ reason }) => reason._tag === "Unavailable", schedule: patience })
  )
}

// internal

/** 50 ms, doubled up to 2 s. */
const patience = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")]).pipe(
  Schedule.upTo({ duration: patienceMs })
)

const unread = ({ detail, remedy }: Log.LogError): StoreError =>
  new StoreError({ reason: new Unavailable({ detail, remedy, maybe: false }) })
