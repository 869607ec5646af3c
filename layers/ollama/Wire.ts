/** The shape of Ollama's chat answers: whole, or piece by piece with the counts in the last. A stranger's JSON all the same. */
import { Result, Schema } from "effect"
import { Failure } from "../../src/backend/index.ts"

/** An answer, or a piece of one. */
export type Chunk = typeof Chunk.Type

/** An answer, or a piece of a streamed one. */
export const chunk = (value: unknown): Result.Result<Chunk, Failure.Failure> =>
  Result.mapError(
    Schema.decodeUnknownResult(Chunk)(value),
    // The details of a mismatch would quote the model.
    () => Failure.invalidAnswer("the answer does not have the shape of Ollama's")
  )

// internal

const Count = Schema.optional(Schema.NullOr(Schema.Natural))
const Text = Schema.optional(Schema.NullOr(Schema.String))

const Chunk = Schema.Struct({
  model: Schema.String,
  message: Schema.optional(Schema.NullOr(Schema.Struct({
    content: Text,
    thinking: Text,
    tool_calls: Schema.optional(Schema.NullOr(Schema.Array(Schema.Struct({
      id: Text,
      function: Schema.Struct({ name: Schema.String, arguments: Schema.optional(Schema.NullOr(Schema.Json)) })
    }))))
  }))),
  done: Schema.Boolean,
  done_reason: Text,
  prompt_eval_count: Count,
  eval_count: Count
})
