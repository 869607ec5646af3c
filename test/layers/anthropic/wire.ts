/** The Messages API's wire format. */
import { Effect, Redacted } from "effect"
import { Anthropic } from "../../../layers/anthropic/index.ts"
import { type Question, type Refusal, type Reply, type Said, usual, type Wire } from "../../backend/Wire.ts"
import { block, closing, type Event, key, message } from "./fakeMessages.ts"

const reasons = {
  stop: "end_turn",
  length: "max_tokens",
  filter: "refusal",
  refusal: "refusal",
  odd: "something_new"
} as const

const stopOf = ({ calls, stop }: Said) =>
  stop !== undefined ? reasons[stop] : calls === undefined ? "end_turn" : "tool_use"

const usageOf = ({ used = usual }: Said) => ({
  input_tokens: used.fresh,
  cache_read_input_tokens: used.cacheRead,
  cache_creation_input_tokens: used.cacheWrite,
  output_tokens: used.answer + used.reasoning,
  output_tokens_details: { thinking_tokens: used.reasoning }
})

/** An answer's blocks of content, whole. */
const content = ({ calls = [], text, thought }: Said) => [
  ...(thought === undefined ? [] : [{ type: "thinking", thinking: thought, signature: "sig" }]),
  ...(text === undefined ? [] : [{ type: "text", text }]),
  ...calls.map(({ id, name, params }) => ({ type: "tool_use", id, name, input: params }))
]

/** An answer as the events of a stream. */
export const events = (said: Said): ReadonlyArray<Event> => {
  const half = Math.ceil((said.text ?? "").length / 2)
  const blocks = [
    ...(said.thought === undefined ? [] : [
      [{ type: "thinking", thinking: "", signature: "" }, [
        { type: "thinking_delta", thinking: said.thought },
        { type: "signature_delta", signature: "sig" }
      ]] as const
    ]),
    ...(said.text === undefined ? [] : [
      [
        { type: "text", text: "" },
        [said.text.slice(0, half), said.text.slice(half)].map((text) => ({ type: "text_delta", text }))
      ] as const
    ]),
    ...(said.calls ?? []).map(({ id, name, params }) =>
      [
        { type: "tool_use", id, name, input: {} },
        [{ type: "input_json_delta", partial_json: typeof params === "string" ? params : JSON.stringify(params) }]
      ] as const
    )
  ]
  return [
    {
      type: "message_start",
      message: message([], { stop_reason: null, usage: { ...usageOf(said), output_tokens: 1 } })
    },
    ...blocks.flatMap(([start, deltas], index) => block(index, start, deltas)),
    ...closing(stopOf(said), usageOf(said))
  ]
}

const frame = (event: Event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`

const refused: { readonly [R in Refusal]: readonly [number, string, (text: string) => string] } = {
  rate: [429, "rate_limit_error", (text) => text],
  overloaded: [529, "overloaded_error", (text) => text],
  failed: [500, "api_error", (text) => text],
  tooLong: [400, "invalid_request_error", (text) => `prompt is too long: 250000 tokens > 200000 maximum (${text})`],
  unauthorized: [401, "authentication_error", (text) => text],
  quota: [400, "invalid_request_error", (text) => `Your credit balance is too low (${text})`],
  filtered: [400, "invalid_request_error", (text) => `Output blocked by content filtering policy (${text})`]
}

/** A body of the Messages API, read. */
export const read = (body: Record<string, any>): Question => {
  const parts: ReadonlyArray<Record<string, any>> = body["messages"].flatMap(({ content }: { content: unknown }) =>
    content
  )
  const results = parts.filter(({ type }) => type === "tool_result")
  return {
    system: body["system"],
    texts: parts.flatMap(({ text, type }) => type === "text" ? [text] : []),
    tools: (body["tools"] ?? []).map(({ description, input_schema, name }: Record<string, any>) => ({
      name,
      description,
      schema: input_schema
    })),
    images: parts.flatMap(({ source, type }) => type === "image" ? [source.data] : []),
    calls: parts.filter(({ type }) => type === "tool_use").map(({ id, input, name }) => ({
      name,
      params: input,
      result: results.find(({ tool_use_id }) => tool_use_id === id)?.["content"]
    })),
    schema: body["output_config"]?.format?.schema,
    maxOutputTokens: body["max_tokens"]
  }
}

export const wire: Wire = {
  name: "anthropic",
  model: "claude-sonnet-5",
  make: (url, options) =>
    Anthropic.make({ ...options, model: "claude-sonnet-5", apiKey: Redacted.make(key), baseUrl: url }),
  whole: (said) => json(message(content(said), { stop_reason: stopOf(said), usage: usageOf(said) })),
  stream: (said) => ({
    headers: { "content-type": "text/event-stream; charset=utf-8" },
    pieces: events(said).map(frame)
  }),
  noise: frame({ type: "something_new" }),
  malformed: (text) => `event: content_block_start\ndata: {${text}\n\n`,
  refuse: (refusal, text) => {
    const [status, type, words] = refused[refusal]
    return json({ type: "error", error: { type, message: words(text) } }, status)
  },
  question: ({ body }) => Effect.sync(() => read(body)),
  ends: { stop: "stop", length: "length", filter: "content-filter", refusal: "content-filter", odd: "other" },
  counts: { cacheRead: true, cacheWrite: true, reasoning: true, refusals: true },
  counter: { path: /^\/v1\/messages\/count_tokens$/, reply: (tokens) => json({ input_tokens: tokens }) },
  thinks: true,
  filters: true,
  saysWhen: true,
  ids: true,
  promptMs: 60,
  key
}

const json = (value: unknown, status = 200): Reply => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value)
})
