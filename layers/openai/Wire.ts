/**
 * The shapes of the Responses API that are read. Whatever comes over the wire is a stranger's JSON: a kind that is known
 * must have its shape, a kind that is not known was never asked for and is passed over.
 */
import { Result, Schema } from "effect"
import { Failure } from "../../src/backend/index.ts"

/** Token counts as the API gives them: `input_tokens` holds what was read from and written to the cache. */
export type Usage = typeof Usage.Type
/** One item of output. */
export type Item = typeof Item.Type
/** A whole response, its items not looked at. */
export type Whole = typeof Whole.Type
/** One event of a stream. */
export type Event = typeof Event.Type

/** A whole response; its items are decoded one by one. */
export const whole = (value: unknown): Result.Result<Whole, Failure.Failure> => shaped(Whole, value)
/** An item of output; `undefined` for a kind that is not known. */
export const item = (value: unknown): Result.Result<Item | undefined, Failure.Failure> => known(Item, items, value)
/** An event; `undefined` for a kind that is not known. */
export const event = (value: unknown): Result.Result<Event | undefined, Failure.Failure> => known(Event, events, value)

// internal

const Count = Schema.optional(Schema.NullOr(Schema.Natural))

const Usage = Schema.Struct({
  input_tokens: Count,
  input_tokens_details: Schema.optional(Schema.NullOr(Schema.Struct({
    cached_tokens: Count,
    cache_write_tokens: Count
  }))),
  output_tokens: Count,
  output_tokens_details: Schema.optional(Schema.NullOr(Schema.Struct({ reasoning_tokens: Count })))
})

const Text = Schema.Struct({ type: Schema.Literal("output_text"), text: Schema.String })
const Refusal = Schema.Struct({ type: Schema.Literal("refusal"), refusal: Schema.String })
const Other = Schema.Struct({ type: Schema.String })

const items = ["message", "reasoning", "function_call"]
const Item = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("message"),
    content: Schema.Array(Schema.Union([Text, Refusal, Other])),
    phase: Schema.optional(Schema.NullOr(Schema.String))
  }),
  Schema.Struct({
    type: Schema.Literal("reasoning"),
    id: Schema.String,
    summary: Schema.optional(Schema.NullOr(Schema.Array(Schema.Struct({ text: Schema.String })))),
    encrypted_content: Schema.optional(Schema.NullOr(Schema.String))
  }),
  Schema.Struct({
    type: Schema.Literal("function_call"),
    call_id: Schema.String,
    name: Schema.String,
    arguments: Schema.String
  })
])

const Whole = Schema.Struct({
  id: Schema.String,
  model: Schema.String,
  status: Schema.optional(Schema.NullOr(Schema.String)),
  output: Schema.Array(Schema.Unknown),
  incomplete_details: Schema.optional(Schema.NullOr(Schema.Struct({
    reason: Schema.optional(Schema.NullOr(Schema.String))
  }))),
  error: Schema.optional(Schema.Unknown),
  usage: Schema.optional(Schema.NullOr(Usage))
})

const At = { output_index: Schema.Natural }

const events = [
  "response.created",
  "response.output_item.added",
  "response.output_text.delta",
  "response.refusal.delta",
  "response.reasoning_summary_text.delta",
  "response.function_call_arguments.delta",
  "response.output_item.done",
  "response.completed",
  "response.incomplete",
  "response.failed"
]
const Event = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("response.created"),
    response: Schema.Struct({ id: Schema.String, model: Schema.String })
  }),
  Schema.Struct({
    type: Schema.Literals(["response.output_item.added", "response.output_item.done"]),
    item: Schema.Unknown,
    ...At
  }),
  Schema.Struct({
    type: Schema.Literals([
      "response.output_text.delta",
      "response.refusal.delta",
      "response.reasoning_summary_text.delta",
      "response.function_call_arguments.delta"
    ]),
    delta: Schema.String,
    ...At
  }),
  Schema.Struct({
    type: Schema.Literals(["response.completed", "response.incomplete", "response.failed"]),
    response: Whole
  })
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
    () => Failure.invalidAnswer("the answer does not have the shape of the Responses API")
  )
