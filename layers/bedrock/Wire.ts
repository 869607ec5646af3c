/**
 * The shapes of Converse that are read, as the SDK gives them: bytes are bytes. A kind that is known must have its shape, a
 * kind that is not known was never asked for and is passed over.
 */
import { Result, Schema } from "effect"
import { Failure } from "../../src/backend/index.ts"

/** Token counts as the API gives them: `inputTokens` leaves out what was read from or written to the cache. */
export type Usage = typeof Usage.Type
/** One block of content. */
export type Block = typeof Block.Type
/** A whole answer. */
export type Whole = typeof Whole.Type
/** One event of a stream: one of its fields is there. */
export type Event = typeof Event.Type

/** A whole answer. */
export const whole = (value: unknown): Result.Result<Whole, Failure.Failure> => shaped(Whole, value)
/** An event. */
export const event = (value: unknown): Result.Result<Event, Failure.Failure> => shaped(Event, value)

// internal

const Count = Schema.optional(Schema.NullOr(Schema.Natural))
const Text = Schema.optional(Schema.NullOr(Schema.String))
const Bytes = Schema.optional(Schema.NullOr(Schema.Uint8Array))

const Usage = Schema.Struct({
  inputTokens: Count,
  outputTokens: Count,
  cacheReadInputTokens: Count,
  cacheWriteInputTokens: Count
})

const Block = Schema.Struct({
  text: Text,
  toolUse: Schema.optional(Schema.Struct({
    toolUseId: Schema.String,
    name: Schema.String,
    input: Schema.optional(Schema.Unknown)
  })),
  reasoningContent: Schema.optional(Schema.Struct({
    reasoningText: Schema.optional(Schema.Struct({ text: Text, signature: Text })),
    redactedContent: Bytes
  }))
})

const Whole = Schema.Struct({
  $metadata: Schema.optional(Schema.Struct({ requestId: Text })),
  output: Schema.Struct({ message: Schema.Struct({ content: Schema.Array(Block) }) }),
  stopReason: Schema.String,
  usage: Schema.optional(Schema.NullOr(Usage))
})

const At = { contentBlockIndex: Schema.Natural }

const Event = Schema.Struct({
  messageStart: Schema.optional(Schema.Struct({ role: Schema.String })),
  contentBlockStart: Schema.optional(Schema.Struct({
    start: Schema.optional(Schema.NullOr(Schema.Struct({
      toolUse: Schema.optional(Schema.Struct({ toolUseId: Schema.String, name: Schema.String }))
    }))),
    ...At
  })),
  contentBlockDelta: Schema.optional(Schema.Struct({
    delta: Schema.optional(Schema.Struct({
      text: Text,
      toolUse: Schema.optional(Schema.Struct({ input: Text })),
      reasoningContent: Schema.optional(Schema.Struct({ text: Text, signature: Text, redactedContent: Bytes }))
    })),
    ...At
  })),
  contentBlockStop: Schema.optional(Schema.Struct(At)),
  messageStop: Schema.optional(Schema.Struct({ stopReason: Schema.String })),
  metadata: Schema.optional(Schema.Struct({ usage: Schema.optional(Schema.NullOr(Usage)) }))
})

/** The details of a mismatch would quote the model. */
const shaped = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  value: unknown
): Result.Result<S["Type"], Failure.Failure> =>
  Result.mapError(
    Schema.decodeUnknownResult(schema)(value),
    () => Failure.invalidAnswer("the answer does not have the shape of Converse")
  )
