/**
 * Reading what was recorded. Nothing here changes a row: verifiers, bundles, evidence and operators read through this.
 */
import { Context, type Effect, Option, Schema } from "effect"
import { Claims } from "../capability/index.ts"
import { type Digest, Hash } from "./Digest.ts"
import type { Row } from "./Row.ts"

/** The log could not be read; nothing was changed. */
export class LogError extends Schema.TaggedError<LogError>()("LogError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/**
 * Where a session stands. `waiting` and `paused` hold no thread, connection or memory; `standing` is a chain that no actor
 * runs in; the other four are final.
 */
export const Status = Schema.Literals([
  "running",
  "waiting",
  "paused",
  "succeeded",
  "failed",
  "abandoned",
  "cancelled",
  "standing"
])
export type Status = typeof Status.Type

/** The control block of a session. `seq` and `head` say where its chain ends. */
export const Summary = Schema.Struct({
  id: Claims.SessionId,
  actor: Schema.String,
  parent: Schema.NullOr(Claims.SessionId),
  caller: Schema.String,
  /** Accounts that the session's acts draw on, its own first. */
  accounts: Schema.Array(Schema.String),
  status: Status,
  epoch: Schema.Natural,
  seq: Schema.Natural,
  head: Hash,
  /** The signed token, as handed to the run. */
  token: Schema.String,
  /** Hash of the actor's input, a payload. */
  input: Hash,
  /** Hash of the result, once there is one. */
  result: Schema.NullOr(Hash),
  startedAt: Schema.Natural
})
export type Summary = typeof Summary.Type

/** Where a session stands among all. */
export interface SessionPlace {
  readonly startedAt: number
  readonly id: string
}
/** Which sessions, oldest first unless `newest`. */
export interface SessionQuery {
  readonly after?: SessionPlace | undefined
  readonly limit: number
  readonly newest?: boolean | undefined
  readonly status?: Status | undefined
  readonly actor?: string | undefined
  readonly caller?: string | undefined
  /** Those with a row of then (epoch milliseconds) or later. */
  readonly since?: number | undefined
  /** Those that are over, or those that are not. */
  readonly isOver?: boolean | undefined
  /** Those that have a result. */
  readonly hasResult?: boolean | undefined
  /** This one, and all below it. */
  readonly within?: Claims.SessionId | undefined
}

/** Where a row stands among all. */
export interface RowPlace {
  readonly at: number
  readonly session: string
  readonly seq: number
}
/** Which rows. */
export interface RowQuery {
  readonly after?: RowPlace | undefined
  readonly limit: number
  /** From this instant on, epoch milliseconds. */
  readonly since: number
  readonly session?: Claims.SessionId | undefined
  readonly caller?: string | undefined
  readonly kind?: string | undefined
}

/** The reader of the log. */
export class Log extends Context.Service<Log, {
  /** Every session, oldest first. */
  readonly sessions: Effect.Effect<ReadonlyArray<Summary>, LogError>
  /** The sessions with a row of `at` (epoch milliseconds) or later, oldest first. */
  readonly since: (at: number) => Effect.Effect<ReadonlyArray<Summary>, LogError>
  readonly session: (id: Claims.SessionId) => Effect.Effect<Option.Option<Summary>, LogError>
  /** The sessions that fit, page by page: those after `after` in the order that is asked for. */
  readonly page: (query: SessionQuery) => Effect.Effect<ReadonlyArray<Summary>, LogError>
  /** The rows of a session as stored, by `seq`, from one on and so many at the most if it is given; not yet verified. */
  readonly rows: (id: Claims.SessionId, from?: number, limit?: number) => Effect.Effect<ReadonlyArray<Row>, LogError>
  /** Rows of all sessions by `at`, then session and `seq`, page by page; not yet verified. */
  readonly trail: (query: RowQuery) => Effect.Effect<ReadonlyArray<Row>, LogError>
  /** The text with this hash; `None` when it was erased. Not yet verified. */
  readonly payload: (hash: Hash) => Effect.Effect<Option.Option<string>, LogError>
}>()("aosiq/audit/Log") {}

/** A payload, if it is still what was recorded under its hash. */
export const whole =
  (digest: Digest["Service"], hash: Hash | null) => (text: Option.Option<string>): Option.Option<string> =>
    Option.filter(text, (text) => digest.sha256(text) === hash)
