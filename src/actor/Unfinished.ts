/**
 * What an agent had come to when its run was stopped before a conclusion. Nobody has checked it: what the model said and
 * drafted is a stranger's text, and only the stamps lead to what was recorded.
 */
import { Option, Schema } from "effect"
import { Prompt } from "effect/ai"
import { Redact } from "../trust/index.ts"
import type { Thread } from "./Reasoner.ts"

/** See the header. */
export const Unfinished = Schema.Struct({
  actor: Schema.String,
  /** Model calls that were made. */
  steps: Schema.Natural,
  /** What the model said last, secrets redacted; at most `maxSaid` characters. */
  said: Schema.String,
  /** Calls that succeeded, in order. */
  evidence: Schema.Array(Schema.Struct({ tool: Schema.String, stamp: Schema.String })),
  /** The last conclusion that was tried and not accepted; `null` when there was none. */
  draft: Schema.NullOr(Schema.Json)
})
export type Unfinished = typeof Unfinished.Type

/** Characters of the last words that are kept. */
export const maxSaid = 8000

/** What the state of a run holds of it. */
export const of = (actor: string, thread: Thread, concludeName: string): Unfinished => {
  const content = Option.match(decode({ content: thread.messages }), {
    onNone: () => [],
    onSome: (prompt) => prompt.content
  })
  const saying = content.flatMap((message) => message.role === "assistant" ? message.content : [])
  const answers = content.flatMap((message) => message.role === "tool" ? message.content : [])
  const texts = saying.flatMap((part) => part.type === "text" && part.text !== "" ? [part.text] : [])
  const drafts = saying.flatMap((part) => part.type === "tool-call" && part.name === concludeName ? [part.params] : [])
  return {
    actor,
    steps: thread.step,
    said: Redact.redact(texts.at(-1) ?? "").slice(0, maxSaid),
    evidence: answers.flatMap((part) => {
      if (part.type !== "tool-result" || part.isFailure || part.name === concludeName) return []
      return Option.match(stamped(part.result), {
        onNone: () => [],
        onSome: ({ stamp }) => [{ tool: part.name, stamp }]
      })
    }),
    // The arguments came out of a thread, which is JSON.
    draft: (drafts.at(-1) ?? null) as Schema.Json
  }
}

// internal

const decode = Schema.decodeUnknownOption(Prompt.Prompt)
const stamped = Schema.decodeUnknownOption(Schema.Struct({ stamp: Schema.String }))
