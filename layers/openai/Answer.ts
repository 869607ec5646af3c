/** A whole answer of the Responses API as the parts of `effect/ai`, and what every answer ends with. */
import { Result } from "effect"
import type { Response } from "effect/ai"
import { type Failure, Pieces } from "../../src/backend/index.ts"
import * as Refusals from "./Refusals.ts"
import * as Wire from "./Wire.ts"

/** The parts of a whole answer, the last of them its end. */
export const of = (value: unknown, key: string): Result.Result<Array<Response.PartEncoded>, Failure.Failure> =>
  Result.gen(function*() {
    const whole = yield* Wire.whole(value)
    const items = (yield* Result.all(whole.output.map(Wire.item))).flatMap((item) => item === undefined ? [] : [item])
    const end = yield* endOf(whole, seenIn(items), key)
    return [metadataOf(whole), ...items.flatMap(partsOf), end]
  })

/** Which answer this is. */
export const metadataOf = (
  { id, model }: { readonly id: string; readonly model: string }
): Response.ResponseMetadataPartEncoded => ({ type: "response-metadata", id, modelId: model })

/** What an answer was seen to hold. */
export interface Seen {
  readonly calls: boolean
  readonly refusal: boolean
}

/** What an answer ends with. A refusal is an answer: it was paid for, and says what it used. */
export const endOf = (
  whole: Wire.Whole,
  seen: Seen,
  key: string
): Result.Result<Response.FinishPartEncoded, Failure.Failure> =>
  whole.status === "failed"
    ? Result.fail(Refusals.told(whole.error, key))
    : Result.succeed({
      type: "finish",
      reason: reasonOf(whole, seen),
      usage: usageOf(whole.usage ?? {}),
      response: undefined
    })

/** What this vendor needs to be told again about a thought of its own. */
export const thought = (id: string, encrypted: string | null | undefined) => ({
  openai: encrypted === undefined || encrypted === null ? { id } : { id, encrypted }
})

/** What this vendor needs to be told again about a text of its own. */
export const phase = (name: string | null | undefined) =>
  name === undefined || name === null ? {} : { openai: { phase: name } }

/** The text of a message; a refusal is told in words too. */
export const textOf = ({ content }: Wire.Item & { readonly type: "message" }): string =>
  content.map((part) => "text" in part ? part.text : "refusal" in part ? part.refusal : "").join("")

/** Whether a message holds a refusal. */
export const refuses = ({ content }: Wire.Item & { readonly type: "message" }): boolean =>
  content.some((part) => "refusal" in part)

/** The summaries of a thought; the thought itself stays with the vendor. */
export const summaryOf = ({ summary }: Wire.Item & { readonly type: "reasoning" }): string =>
  (summary ?? []).map(({ text }) => text).join("\n\n")

// internal

const partsOf = (item: Wire.Item): ReadonlyArray<Response.PartEncoded> => {
  switch (item.type) {
    case "message":
      return [{ type: "text", text: textOf(item), metadata: phase(item.phase) }]
    case "reasoning":
      return [{ type: "reasoning", text: summaryOf(item), metadata: thought(item.id, item.encrypted_content) }]
    case "function_call":
      return [{ type: "tool-call", id: item.call_id, name: item.name, params: Pieces.argumentsIn(item.arguments) }]
  }
}

const seenIn = (items: ReadonlyArray<Wire.Item>): Seen => ({
  calls: items.some(({ type }) => type === "function_call"),
  refusal: items.some((item) => item.type === "message" && refuses(item))
})

const reasonOf = ({ incomplete_details, status }: Wire.Whole, seen: Seen): Response.FinishReason => {
  if (status === "incomplete") {
    switch (incomplete_details?.reason) {
      case "max_output_tokens":
        return "length"
      case "content_filter":
        return "content-filter"
      default:
        return "other"
    }
  }
  if (status !== "completed") return "unknown"
  if (seen.refusal) return "content-filter"
  return seen.calls ? "tool-calls" : "stop"
}

const usageOf = (usage: Wire.Usage): Response.FinishPartEncoded["usage"] => {
  const total = usage.input_tokens ?? undefined
  const cacheRead = usage.input_tokens_details?.cached_tokens ?? 0
  const cacheWrite = usage.input_tokens_details?.cache_write_tokens ?? 0
  const output = usage.output_tokens ?? undefined
  const reasoning = usage.output_tokens_details?.reasoning_tokens ?? undefined
  return {
    inputTokens: {
      total,
      uncached: total === undefined ? undefined : Math.max(0, total - cacheRead - cacheWrite),
      cacheRead,
      cacheWrite
    },
    outputTokens: {
      total: output,
      reasoning,
      text: output === undefined || reasoning === undefined ? undefined : Math.max(0, output - reasoning)
    }
  }
}
