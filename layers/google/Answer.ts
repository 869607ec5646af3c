/** Answers of the Gemini API as the parts of `effect/ai`, and what every answer ends with. */
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
    const reason = reasonIn(chunk)
    if (reason === undefined) return yield* Result.fail(Failure.invalidAnswer("the answer has no content"))
    const parts = partsIn(chunk)
    let calls = 0
    const content = parts.flatMap((part): ReadonlyArray<Response.PartEncoded> => {
      if (part.functionCall !== undefined && part.functionCall !== null) {
        return [callOf(part, Pieces.callId(options, calls++))]
      }
      if (typeof part.text !== "string") return []
      return [{ type: part.thought === true ? "reasoning" : "text", text: part.text, metadata: sealed(part) }]
    })
    return [metadataOf(chunk), ...content, endOf(reason, calls > 0, chunk.usageMetadata ?? {})]
  })

/** Which answer this is. */
export const metadataOf = ({ modelVersion, responseId }: Wire.Chunk): Response.ResponseMetadataPartEncoded => ({
  type: "response-metadata",
  id: responseId ?? undefined,
  modelId: modelVersion ?? undefined
})

/** The content that came. */
export const partsIn = ({ candidates }: Wire.Chunk): ReadonlyArray<Wire.Part> => candidates?.[0]?.content?.parts ?? []

/** Why an answer ended, once it has: a prompt that was blocked has no answer, and ends with that. */
export const reasonIn = ({ candidates, promptFeedback }: Wire.Chunk): string | undefined => {
  const reason = candidates?.[0]?.finishReason ?? undefined
  const blocked = promptFeedback?.blockReason ?? undefined
  return reason ?? (blocked === undefined ? undefined : "SAFETY")
}

/** A call, under an id of our own where the vendor gave it none. */
export const callOf = (part: Wire.Part, id: string): Response.ToolCallPartEncoded => {
  const given = part.functionCall?.id ?? undefined
  return {
    type: "tool-call",
    id: given ?? id,
    name: part.functionCall?.name ?? "",
    params: part.functionCall?.args ?? {},
    metadata: sealed(part, given)
  }
}

/** What this vendor needs to be told again of a part of its own: it refuses calls without the seal of their thoughts. */
export const sealed = ({ thoughtSignature }: Wire.Part, id?: string) => {
  const told = {
    ...(typeof thoughtSignature === "string" ? { thoughtSignature } : {}),
    ...(id === undefined ? {} : { id })
  }
  return Object.keys(told).length === 0 ? {} : { gemini: told }
}

/** What an answer ends with. */
export const endOf = (reason: string, calls: boolean, usage: Wire.Usage): Response.FinishPartEncoded => ({
  type: "finish",
  reason: reasonOf(reason, calls),
  usage: usageOf(usage),
  response: undefined
})

// internal

const reasonOf = (reason: string, calls: boolean): Response.FinishReason => {
  switch (reason) {
    case "STOP":
      return calls ? "tool-calls" : "stop"
    case "MAX_TOKENS":
      return "length"
    case "CONTINUATION":
      return "pause"
    case "SAFETY":
    case "RECITATION":
    case "BLOCKLIST":
    case "PROHIBITED_CONTENT":
    case "SPII":
    case "IMAGE_SAFETY":
    case "IMAGE_PROHIBITED_CONTENT":
    case "IMAGE_RECITATION":
    case "MODEL_ARMOR":
      return "content-filter"
    case "MALFORMED_FUNCTION_CALL":
    case "MALFORMED_RESPONSE":
    case "UNEXPECTED_TOOL_CALL":
    case "TOO_MANY_TOOL_CALLS":
    case "MISSING_THOUGHT_SIGNATURE":
      return "error"
    case "FINISH_REASON_UNSPECIFIED":
      return "unknown"
    default:
      return "other"
  }
}

const usageOf = (usage: Wire.Usage): Response.FinishPartEncoded["usage"] => {
  const prompt = usage.promptTokenCount ?? undefined
  const total = prompt === undefined ? undefined : prompt + (usage.toolUsePromptTokenCount ?? 0)
  const cacheRead = usage.cachedContentTokenCount ?? 0
  const text = usage.candidatesTokenCount ?? 0
  const reasoning = usage.thoughtsTokenCount ?? 0
  return {
    inputTokens: {
      total,
      uncached: total === undefined ? undefined : Math.max(0, total - cacheRead),
      cacheRead,
      cacheWrite: undefined
    },
    // An answer without content has no count of its own.
    outputTokens: { total: prompt === undefined ? undefined : text + reasoning, text, reasoning }
  }
}
