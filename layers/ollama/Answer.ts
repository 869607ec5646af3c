/** Ollama's answers as the parts of `effect/ai`, and what every answer ends with. */
import { Result } from "effect"
import type { LanguageModel, Response } from "effect/ai"
import { Failure, Pieces } from "../../src/backend/index.ts"
import * as Wire from "./Wire.ts"

/** The parts of a whole answer, the last of them its end. */
export const of = (
  value: unknown,
  options: LanguageModel.ProviderOptions
): Result.Result<Array<Response.PartEncoded>, Failure.Failure> =>
  Result.gen(function*() {
    const chunk = yield* Wire.chunk(value)
    if (!chunk.done) return yield* Result.fail(Failure.invalidAnswer("the answer says that it is not done"))
    const { content, thinking } = chunk.message ?? {}
    const calls = callsIn(chunk, options, 0)
    return [
      metadataOf(chunk),
      ...(isText(thinking) ? [{ type: "reasoning", text: thinking, metadata: thought } as const] : []),
      ...(isText(content) ? [{ type: "text", text: content } as const] : []),
      ...calls,
      endOf(chunk, calls.length > 0)
    ]
  })

/** Which answer this is: it has no name but its model's. */
export const metadataOf = ({ model }: Wire.Chunk): Response.ResponseMetadataPartEncoded => ({
  type: "response-metadata",
  modelId: model
})

/** The calls of a piece, under ids of our own where it has none; `before` is the number of those that came earlier. */
export const callsIn = (
  { message }: Wire.Chunk,
  options: LanguageModel.ProviderOptions,
  before: number
): ReadonlyArray<Response.ToolCallPartEncoded> =>
  (message?.tool_calls ?? []).map(({ function: { arguments: params, name }, id }, index) => ({
    type: "tool-call",
    id: isText(id) ? id : Pieces.callId(options, before + index),
    name,
    params: params ?? {},
    metadata: isText(id) ? { ollama: { id } } : {}
  }))

/** What an answer ends with. */
export const endOf = (chunk: Wire.Chunk, calls: boolean): Response.FinishPartEncoded => {
  const input = chunk.prompt_eval_count ?? undefined
  const output = chunk.eval_count ?? undefined
  return {
    type: "finish",
    reason: reasonOf(chunk.done_reason ?? undefined, calls),
    usage: {
      inputTokens: { total: input, uncached: input, cacheRead: undefined, cacheWrite: undefined },
      // Thoughts are counted with the answer.
      outputTokens: { total: output, text: undefined, reasoning: undefined }
    },
    response: undefined
  }
}

/** Marks a thought as a model's of this vendor. */
export const thought = { ollama: { thought: true } }

/** Whether there is something to read. */
export const isText = (text: string | null | undefined): text is string => typeof text === "string" && text !== ""

// internal

const reasonOf = (reason: string | undefined, calls: boolean): Response.FinishReason => {
  switch (reason) {
    case "stop":
      return calls ? "tool-calls" : "stop"
    case "length":
      return "length"
    case undefined:
      return "unknown"
    default:
      return "other"
  }
}
