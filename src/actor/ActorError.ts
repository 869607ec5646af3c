/** How an actor says that it failed. */
import { Schema } from "effect"

/** The actor's own failure, told to whoever started it. */
export class ActorError extends Schema.TaggedError<ActorError>()("ActorError", {
  actor: Schema.String,
  /** What went wrong, in one sentence; no model text. */
  detail: Schema.String,
  /** An agent that gave up honestly is `abandoned`. */
  abandoned: Schema.Boolean
}) {
  override get message(): string {
    return `${this.actor}: ${this.detail}`
  }
}
