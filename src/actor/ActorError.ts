/** How an actor says that it failed. */
import { Schema } from "effect"
import { Row } from "../audit/index.ts"

/** The actor's own failure, told to whoever started it. */
export class ActorError extends Schema.TaggedError<ActorError>()("ActorError", {
  actor: Schema.String,
  /** What went wrong, in one sentence; no model text. */
  detail: Schema.String,
  /** An agent that gave up honestly is `abandoned`. */
  abandoned: Schema.Boolean,
  /** What stopped it, where it would have gone on. */
  stop: Schema.optionalKey(Row.Stop),
  /** What it had come to by then: unfinished, unchecked, and with a stranger's words in it. */
  partial: Schema.optionalKey(Schema.Json)
}) {
  override get message(): string {
    return `${this.actor}: ${this.detail}`
  }
}
