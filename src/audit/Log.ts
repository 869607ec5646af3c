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

/** The reader of the log. */
export class Log extends Context.Service<Log, {
  /** Every session, oldest first. */
  readonly sessions: Effect.Effect<ReadonlyArray<Summary>, LogError>
  /** The sessions with a row of `at` (epoch milliseconds) or later, oldest first. */
  readonly since: (at: number) => Effect.Effect<ReadonlyArray<Summary>, LogError>
  readonly session: (id: Claims.SessionId) => Effect.Effect<Option.Option<Summary>, LogError>
  /** The rows of a session as stored, by `seq`, from one on if it is given; not yet verified. */
  readonly rows: (id: Claims.SessionId, from?: number) => Effect.Effect<ReadonlyArray<Row>, LogError>
  /** The text with this hash; `None` when it was erased. Not yet verified. */
  readonly payload: (hash: Hash) => Effect.Effect<Option.Option<string>, LogError>
}>()("aosiq/audit/Log") {}

/** A payload, if it is still what was recorded under its hash. */
export const whole =
  (digest: Digest["Service"], hash: Hash | null) => (text: Option.Option<string>): Option.Option<string> =>
    Option.filter(text, (text) => digest.sha256(text) === hash)
