/** A whole answer of Converse as the parts of `effect/ai`, and what every answer ends with. */
import { Result } from "effect"
import type { Response } from "effect/ai"
import { Base64 } from "effect/encoding"
import type { Failure } from "../../src/backend/index.ts"
import * as Wire from "./Wire.ts"

/** The parts of a whole answer, the last of them its end. */
export const of = (value: unknown, model: string): Result.Result<Array<Response.PartEncoded>, Failure.Failure> =>
  Result.map(Wire.whole(value), (whole) => [
    metadataOf(model, whole.$metadata?.requestId ?? undefined),
    ...whole.output.message.content.flatMap(partOf),
    endOf(whole.stopReason, whole.usage ?? {})
  ])

/** Which answer this is: the model does not name itself. */
export const metadataOf = (model: string, id: string | undefined): Response.ResponseMetadataPartEncoded => ({
  type: "response-metadata",
  id,
  modelId: model
})

/** What this vendor needs to be told again about a thought of its own. */
export const thought = (signature: string | null | undefined, redacted: Uint8Array | null | undefined) => {
  if (redacted instanceof Uint8Array) return { bedrock: { redacted: Base64.encode(redacted) } }
  return typeof signature === "string" && signature !== "" ? { bedrock: { signature } } : {}
}

/** What an answer ends with. */
export const endOf = (reason: string, usage: Wire.Usage): Response.FinishPartEncoded => ({
  type: "finish",
  reason: reasonOf(reason),
  usage: usageOf(usage),
  response: undefined
})

// internal

const partOf = ({ reasoningContent, text, toolUse }: Wire.Block): ReadonlyArray<Response.PartEncoded> => {
  if (toolUse !== undefined) {
    return [{ type: "tool-call", id: toolUse.toolUseId, name: toolUse.name, params: toolUse.input ?? {} }]
  }
  if (reasoningContent !== undefined) {
    const { reasoningText, redactedContent } = reasoningContent
    const metadata = thought(reasoningText?.signature, redactedContent)
    return [{ type: "reasoning", text: reasoningText?.text ?? "", metadata }]
  }
  return typeof text === "string" ? [{ type: "text", text }] : []
}

const reasonOf = (reason: string): Response.FinishReason => {
  switch (reason) {
    case "end_turn":
    case "stop_sequence":
      return "stop"
    case "tool_use":
      return "tool-calls"
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length"
    case "content_filtered":
    case "guardrail_intervened":
    case "refusal":
      return "content-filter"
    case "malformed_model_output":
    case "malformed_tool_use":
      return "error"
    default:
      return "other"
  }
}

const usageOf = (usage: Wire.Usage): Response.FinishPartEncoded["usage"] => {
  const uncached = usage.inputTokens ?? undefined
  const cacheRead = usage.cacheReadInputTokens ?? 0
  const cacheWrite = usage.cacheWriteInputTokens ?? 0
  return {
    inputTokens: {
      uncached,
      cacheRead,
      cacheWrite,
      total: uncached === undefined ? undefined : uncached + cacheRead + cacheWrite
    },
    // Thoughts are counted with the answer.
    outputTokens: { total: usage.outputTokens ?? undefined, text: undefined, reasoning: undefined }
  }
}
