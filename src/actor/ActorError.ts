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
  /** What would help, where something stopped it. */
  get remedy(): string {
    return this.stop === undefined ? "" : remedies[this.stop]
  }
  override get message(): string {
    return `${this.actor}: ${this.detail}`
  }
}

/** What would help a run that was stopped. */
export const remedies: { readonly [S in Row.Stop]: string } = {
  budget: "give it a larger budget",
  steps: "ask less of it, or allow its class more steps (bounds.maxSteps)",
  tokens: "ask less of it, or allow its class more tokens (bounds.maxTokens)",
  repetition: "look at what it kept asking for, and give it a tool that can tell, or another model",
  cycle: "look at the calls that it took in turns, and give it a tool that can tell, or another model",
  no_evidence: "give it a tool or a source that can tell more, or ask less of it",
  rejections: "look at what was rejected and why, then grant what it lacks or give it another model"
}
