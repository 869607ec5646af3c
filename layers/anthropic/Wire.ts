/**
 * The shapes of the Messages API that are read. Whatever comes over the wire is a stranger's JSON: a kind that is known
 * must have its shape, a kind that is not known was never asked for and is passed over.
 */
import { Result, Schema } from "effect"
import { Failure } from "../../src/backend/index.ts"

/** Token counts as the API gives them: `input_tokens` leaves out what was read from or written to the cache. */
export interface Usage {
  readonly input_tokens?: number | null | undefined
  readonly cache_read_input_tokens?: number | null | undefined
  readonly cache_creation_input_tokens?: number | null | undefined
  readonly output_tokens?: number | null | undefined
  readonly output_tokens_details?: { readonly thinking_tokens?: number | null | undefined } | null | undefined
}

/** One block of content. */
export type Block = typeof Block.Type
/** What is added to a block while it streams. */
export type Delta = typeof Delta.Type
/** One event of a stream. */
export type Event = typeof Event.Type
/** A whole message, its content not looked at. */
export type Message = typeof Message.Type

/** A message; its content is decoded block by block. */
export const message = (value: unknown): Result.Result<Message, Failure.Failure> => shaped(Message, value)
/** A block of content; `undefined` for a kind that is not known. */
export const block = (value: unknown): Result.Result<Block | undefined, Failure.Failure> => known(Block, blocks, value)
/** What is added to a block; `undefined` for a kind that is not known. */
export const delta = (value: unknown): Result.Result<Delta | undefined, Failure.Failure> => known(Delta, deltas, value)
/** An event; `undefined` for a kind that is not known. */
export const event = (value: unknown): Result.Result<Event | undefined, Failure.Failure> => known(Event, events, value)

// internal

const Count = Schema.optional(Schema.NullOr(Schema.Natural))

const Usage = Schema.Struct({
  input_tokens: Count,
  cache_read_input_tokens: Count,
  cache_creation_input_tokens: Count,
  output_tokens: Count,
  output_tokens_details: Schema.optional(Schema.NullOr(Schema.Struct({ thinking_tokens: Count })))
})

const blocks = ["text", "thinking", "redacted_thinking", "tool_use"]
const Block = Schema.Union([
  Schema.Struct({ type: Schema.Literal("text"), text: Schema.String }),
  Schema.Struct({
    type: Schema.Literal("thinking"),
    thinking: Schema.String,
    signature: Schema.optional(Schema.String)
  }),
  Schema.Struct({ type: Schema.Literal("redacted_thinking"), data: Schema.String }),
  Schema.Struct({ type: Schema.Literal("tool_use"), id: Schema.String, name: Schema.String, input: Schema.Json })
])

const deltas = ["text_delta", "thinking_delta", "signature_delta", "input_json_delta"]
const Delta = Schema.Union([
  Schema.Struct({ type: Schema.Literal("text_delta"), text: Schema.String }),
  Schema.Struct({ type: Schema.Literal("thinking_delta"), thinking: Schema.String }),
  Schema.Struct({ type: Schema.Literal("signature_delta"), signature: Schema.String }),
  Schema.Struct({ type: Schema.Literal("input_json_delta"), partial_json: Schema.String })
])

const Message = Schema.Struct({
  type: Schema.Literal("message"),
  id: Schema.String,
  model: Schema.String,
  content: Schema.Array(Schema.Unknown),
  stop_reason: Schema.NullOr(Schema.String),
  usage: Usage
})

const events = [
  "message_start",
  "content_block_start",
  "content_block_delta",
  "content_block_stop",
  "message_delta",
  "message_stop"
]
const Event = Schema.Union([
  Schema.Struct({ type: Schema.Literal("message_start"), message: Message }),
  Schema.Struct({
    type: Schema.Literal("content_block_start"),
    index: Schema.Natural,
    content_block: Schema.Unknown
  }),
  Schema.Struct({ type: Schema.Literal("content_block_delta"), index: Schema.Natural, delta: Schema.Unknown }),
  Schema.Struct({ type: Schema.Literal("content_block_stop"), index: Schema.Natural }),
  Schema.Struct({
    type: Schema.Literal("message_delta"),
    delta: Schema.Struct({ stop_reason: Schema.optional(Schema.NullOr(Schema.String)) }),
    usage: Schema.optional(Usage)
  }),
  Schema.Struct({ type: Schema.Literal("message_stop") })
])

const Kinded = Schema.Struct({ type: Schema.String })

const known = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  kinds: ReadonlyArray<string>,
  value: unknown
): Result.Result<S["Type"] | undefined, Failure.Failure> =>
  Result.flatMap(
    shaped(Kinded, value),
    ({ type }) => kinds.includes(type) ? shaped(schema, value) : Result.succeed(undefined)
  )

/** The details of a mismatch would quote the model. */
const shaped = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  value: unknown
): Result.Result<S["Type"], Failure.Failure> =>
  Result.mapError(
    Schema.decodeUnknownResult(schema)(value),
    () => Failure.invalidAnswer("the answer does not have the shape of the Messages API")
  )
