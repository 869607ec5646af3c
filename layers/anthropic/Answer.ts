/** A whole answer of the Messages API as the parts of `effect/ai`, and what every answer ends with. */
import { Result } from "effect"
import type { Response } from "effect/ai"
import type { Failure } from "../../src/backend/index.ts"
import * as Wire from "./Wire.ts"

/** How an answer ended and what it used. */
export interface End {
  readonly id: string
  readonly model: string
  readonly finish: Response.FinishPartEncoded
}

/** The parts of a whole answer, the last of them its end. */
export const of = (
  value: unknown
): Result.Result<{ readonly parts: Array<Response.PartEncoded>; readonly end: End }, Failure.Failure> =>
  Result.gen(function*() {
    const message = yield* Wire.message(value)
    const blocks = yield* Result.all(message.content.map(Wire.block))
    const end = endOf(message, message.stop_reason, message.usage)
    const content = blocks.flatMap((block) => block === undefined ? [] : [partOf(block)])
    return { parts: [metadataOf(message), ...content, end.finish], end }
  })

/** Which answer this is. */
export const metadataOf = (
  message: { readonly id: string; readonly model: string }
): Response.ResponseMetadataPartEncoded => ({ type: "response-metadata", id: message.id, modelId: message.model })

/** What an answer ends with. */
export const endOf = (
  message: { readonly id: string; readonly model: string },
  stop: string | null,
  usage: Wire.Usage
): End => ({
  id: message.id,
  model: message.model,
  finish: { type: "finish", reason: reasonOf(stop), usage: usageOf(usage), response: undefined }
})

/** What this provider needs to be told again about a thought of its own. */
export const thought = (block: { readonly signature: string } | { readonly redactedData: string }) => ({
  anthropic: { ...block }
})

// internal

const partOf = (block: Wire.Block): Response.PartEncoded => {
  switch (block.type) {
    case "text":
      return { type: "text", text: block.text }
    case "thinking":
      return {
        type: "reasoning",
        text: block.thinking,
        metadata: block.signature === undefined ? {} : thought({ signature: block.signature })
      }
    case "redacted_thinking":
      return { type: "reasoning", text: "", metadata: thought({ redactedData: block.data }) }
    case "tool_use":
      return { type: "tool-call", id: block.id, name: block.name, params: block.input }
  }
}

/** A refusal is an answer: it was paid for, and says what it used. */
const reasonOf = (stop: string | null): Response.FinishReason => {
  switch (stop) {
    case "end_turn":
    case "stop_sequence":
      return "stop"
    case "tool_use":
      return "tool-calls"
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length"
    case "pause_turn":
      return "pause"
    case "refusal":
      return "content-filter"
    case null:
      return "unknown"
    default:
      return "other"
  }
}

const usageOf = (usage: Wire.Usage): Response.FinishPartEncoded["usage"] => {
  const uncached = usage.input_tokens ?? 0
  const cacheRead = usage.cache_read_input_tokens ?? 0
  const cacheWrite = usage.cache_creation_input_tokens ?? 0
  const output = usage.output_tokens ?? 0
  const reasoning = usage.output_tokens_details?.thinking_tokens ?? undefined
  return {
    inputTokens: { uncached, cacheRead, cacheWrite, total: uncached + cacheRead + cacheWrite },
    outputTokens: {
      total: output,
      reasoning,
      text: reasoning === undefined ? undefined : Math.max(0, output - reasoning)
    }
  }
}
