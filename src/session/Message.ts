/**
 * How a session is told to run. A message names the session and why it is due, and carries nothing else: all that a run
 * depends on is in the log, so a message that comes late, twice or from a stranger can do no more than let a session run
 * that was due anyway.
 */
import { Schema } from "effect"
import { Claims } from "../capability/index.ts"

/** One message. */
export const Message = Schema.Struct({
  /** Class of the session's actor: with the session, its address. */
  actor: Schema.NonEmptyString,
  session: Claims.SessionId,
  /** Why it is due. The same reason for the same session is one message, however often it is sent. */
  reason: Schema.NonEmptyString
})
export type Message = typeof Message.Type
