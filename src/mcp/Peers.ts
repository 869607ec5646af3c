/**
 * The servers of the settings, as the bridge speaks to them. One is started when it is first needed, started again when it
 * was lost, later each time, and ends with the runtime, with all that it started. What comes from a server is a stranger's
 * JSON, within the bounds that the settings give it.
 */
import { Context, type Effect, Schema } from "effect"
import type { McpError } from "./McpError.ts"

/** The tools that a server says it has. */
export interface Listed {
  /** Which connection, and which of its listings: a call goes to the one that was looked at, or nowhere. */
  readonly generation: number
  /** The same list for as long as the server says the same; nobody changes it. */
  readonly tools: ReadonlyArray<Schema.Json>
}

/** One call of a tool. */
export interface Call {
  readonly generation: number
  /** As the server names it. */
  readonly tool: string
  readonly args: Schema.Json
  readonly timeoutMs: number
  /** Goes with the call, for servers that can tell a repeated one by it. */
  readonly idempotencyKey: string
}

/** How a server stands. */
export const Status = Schema.Struct({
  state: Schema.Literals(["idle", "up", "lost"]),
  /** What it calls itself, and the protocol that was agreed on; `null` until it was up. */
  about: Schema.NullOr(Schema.Struct({ name: Schema.String, version: Schema.String, protocol: Schema.String })),
  /** How often it was started. */
  starts: Schema.Natural,
  /** What was wrong with it last; `null` when nothing was. */
  trouble: Schema.NullOr(Schema.String),
  /** What it asked of us and did not get, by method. */
  refused: Schema.Record(Schema.String, Schema.Natural),
  /** Lines and messages that were none. */
  noise: Schema.Natural
})
export type Status = typeof Status.Type

/** How a server stands that was never needed. */
export const idle: Status = { state: "idle", about: null, starts: 0, trouble: null, refused: {}, noise: 0 }

/** The servers. */
export class Peers extends Context.Service<Peers, {
  /**
   * What a server has; starts it if need be. It is asked anew if what it said last is older than `maxAgeMs`, milliseconds,
   * and when it says that it has changed. `Unreachable` when that fails.
   */
  readonly list: (server: string, maxAgeMs?: number) => Effect.Effect<Listed, McpError>
  /**
   * Calls a tool, and tells the server when nobody waits for its answer any more. `Unreachable` when nothing was sent,
   * `Unanswered` when that is not known.
   */
  readonly call: (server: string, call: Call) => Effect.Effect<Schema.Json, McpError>
  readonly status: (server: string) => Effect.Effect<Status>
}>()("aosiq/mcp/Peers") {}
