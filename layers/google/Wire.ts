/**
 * The shapes of the Gemini API that are read. Whatever comes over the wire is a stranger's JSON: a part of a kind that is not
 * known was never asked for and is passed over.
 */
import { Result, Schema } from "effect"
import { Failure } from "../../src/backend/index.ts"

/** Token counts as the API gives them: the prompt's hold what was cached, thoughts are apart from the answer. */
export type Usage = typeof Usage.Type
/** A piece of content. */
export type Part = typeof Part.Type
/** An answer, or what came of it until now. */
export type Chunk = typeof Chunk.Type

/** An answer, or a piece of a streamed one. */
export const chunk = (value: unknown): Result.Result<Chunk, Failure.Failure> =>
  Result.mapError(
    Schema.decodeUnknownResult(Chunk)(value),
    // The details of a mismatch would quote the model.
    () => Failure.invalidAnswer("the answer does not have the shape of the Gemini API")
  )

// internal

const Count = Schema.optional(Schema.NullOr(Schema.Natural))
const Text = Schema.optional(Schema.NullOr(Schema.String))

const Usage = Schema.Struct({
  promptTokenCount: Count,
  cachedContentTokenCount: Count,
  toolUsePromptTokenCount: Count,
  candidatesTokenCount: Count,
  thoughtsTokenCount: Count
})

const Part = Schema.Struct({
  text: Text,
  thought: Schema.optional(Schema.NullOr(Schema.Boolean)),
  thoughtSignature: Text,
  functionCall: Schema.optional(Schema.NullOr(Schema.Struct({
    id: Text,
    name: Schema.String,
    args: Schema.optional(Schema.NullOr(Schema.Json))
  })))
})

const Chunk = Schema.Struct({
  responseId: Text,
  modelVersion: Text,
  candidates: Schema.optional(Schema.NullOr(Schema.Array(Schema.Struct({
    content: Schema.optional(Schema.NullOr(Schema.Struct({
      parts: Schema.optional(Schema.NullOr(Schema.Array(Part)))
    }))),
    finishReason: Text
  })))),
  promptFeedback: Schema.optional(Schema.NullOr(Schema.Struct({ blockReason: Text }))),
  usageMetadata: Schema.optional(Schema.NullOr(Usage))
})
