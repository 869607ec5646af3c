/** The Responses API's wire format. */
import { Effect, Redacted } from "effect"
import { OpenAi } from "../../../layers/openai/index.ts"
import { type Refusal, type Reply, type Said, usual, type Wire } from "../../backend/Wire.ts"

/** Looks like a key; belongs to nobody. */
export const key = "sk-test-0123456789abcdefghijklmnop"

/** An answer's items of output, whole. */
const items = ({ calls = [], stop, text, thought }: Said) => [
  ...(thought === undefined ? [] : [{
    type: "reasoning",
    id: "rs_1",
    summary: [{ type: "summary_text", text: thought }],
    encrypted_content: "sealed"
  }]),
  ...(text === undefined ? [] : [{
    type: "message",
    id: "msg_1",
    role: "assistant",
    status: "completed",
    phase: "final_answer",
    content: [
      stop === "refusal" ? { type: "refusal", refusal: text } : { type: "output_text", text, annotations: [] }
    ]
  }]),
  ...calls.map(({ id, name, params }) => ({
    type: "function_call",
    id: `fc_${id}`,
    call_id: id,
    name,
    arguments: typeof params === "string" ? params : JSON.stringify(params),
    status: "completed"
  }))
]

const details = { length: "max_output_tokens", filter: "content_filter", odd: "something_new" } as const

/** A whole response. */
export const whole = (said: Said) => {
  const { stop = "stop", used = usual } = said
  const reason = stop === "stop" || stop === "refusal" ? undefined : details[stop]
  return {
    id: "resp_1",
    object: "response",
    created_at: 1,
    model: "gpt-5.5-2026-05-01",
    status: reason === undefined ? "completed" : "incomplete",
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    output: items(said),
    usage: {
      input_tokens: used.fresh + used.cacheRead + used.cacheWrite,
      input_tokens_details: { cached_tokens: used.cacheRead, cache_write_tokens: used.cacheWrite },
      output_tokens: used.answer + used.reasoning,
      output_tokens_details: { reasoning_tokens: used.reasoning },
      total_tokens: used.fresh + used.answer
    }
  }
}

/** Event types and what they hold beside. */
export type Event = { readonly type: string } & Record<string, unknown>

/** An answer as the events of a stream. */
export const events = (said: Said): ReadonlyArray<Event> => {
  const response = whole(said)
  const halves = (text: string) => [text.slice(0, Math.ceil(text.length / 2)), text.slice(Math.ceil(text.length / 2))]
  const inner = (item: Record<string, any>, output_index: number): ReadonlyArray<Event> => {
    const at = { output_index, item_id: item["id"], content_index: 0 }
    switch (item["type"]) {
      case "message": {
        const [part] = item["content"]
        const type = part.type === "refusal" ? "response.refusal.delta" : "response.output_text.delta"
        return [
          { type: "response.content_part.added", part: { type: part.type }, ...at },
          ...halves(part.text ?? part.refusal).map((delta) => ({ type, delta, ...at }))
        ]
      }
      case "reasoning":
        return [{ type: "response.reasoning_summary_text.delta", delta: item["summary"][0].text, ...at }]
      default:
        return halves(item["arguments"]).map((delta) => ({
          type: "response.function_call_arguments.delta",
          delta,
          ...at
        }))
    }
  }
  const empty = (item: Record<string, any>) => ({ ...item, content: [], summary: [], arguments: "" })
  const all: ReadonlyArray<Event> = [
    { type: "response.created", response: { ...response, status: "in_progress", output: [], usage: null } },
    { type: "response.in_progress", response: { ...response, status: "in_progress", output: [], usage: null } },
    ...response.output.flatMap((item, output_index) => [
      { type: "response.output_item.added", output_index, item: empty(item) },
      ...inner(item, output_index),
      { type: "response.output_item.done", output_index, item }
    ]),
    { type: `response.${response.status}`, response }
  ]
  return all.map((event, sequence_number) => ({ ...event, sequence_number }))
}

/** An event as it is sent. */
export const frame = (event: Event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`

const refused: { readonly [R in Refusal]: readonly [number, string, string | null] } = {
  rate: [429, "requests", "rate_limit_exceeded"],
  overloaded: [503, "server_error", "slow_down"],
  failed: [500, "server_error", "server_error"],
  tooLong: [400, "invalid_request_error", "context_length_exceeded"],
  unauthorized: [401, "invalid_request_error", "invalid_api_key"],
  quota: [429, "insufficient_quota", "insufficient_quota"],
  filtered: [400, "invalid_request_error", "content_policy_violation"]
}

export const wire: Wire = {
  name: "openai",
  model: "gpt-5.5",
  make: (url, options) => OpenAi.make({ ...options, model: "gpt-5.5", apiKey: Redacted.make(key), baseUrl: url }),
  whole: (said) => json(whole(said)),
  stream: (said) => ({
    headers: { "content-type": "text/event-stream; charset=utf-8" },
    pieces: events(said).map(frame)
  }),
  noise: frame({ type: "response.something_new" }),
  malformed: (text) => `event: response.output_item.added\ndata: {${text}\n\n`,
  refuse: (refusal, text) => {
    const [status, type, code] = refused[refusal]
    return json({ error: { message: text, type, param: null, code } }, status)
  },
  question: ({ body }) =>
    Effect.sync(() => {
      const input: ReadonlyArray<Record<string, any>> = body["input"]
      const users = input.filter(({ role }) => role === "user").flatMap(({ content }) => content)
      return {
        system: body["instructions"],
        texts: users.flatMap(({ text, type }) => type === "input_text" ? [text] : []),
        tools: (body["tools"] ?? []).map(({ description, name, parameters }: Record<string, any>) => ({
          name,
          description,
          schema: parameters
        })),
        images: users.flatMap(({ image_url, type }) =>
          type === "input_image" ? [image_url.replace("data:image/png;base64,", "")] : []
        ),
        calls: input.filter(({ type }) => type === "function_call").map((call) => ({
          name: call["name"],
          params: JSON.parse(call["arguments"]),
          result: input.find(({ call_id, type }) => type === "function_call_output" && call_id === call["call_id"])
            ?.["output"]
        })),
        schema: body["text"]?.format.schema,
        maxOutputTokens: body["max_output_tokens"]
      }
    }),
  ends: { stop: "stop", length: "length", filter: "content-filter", refusal: "content-filter", odd: "other" },
  counts: { cacheRead: true, cacheWrite: true, reasoning: true, refusals: true },
  counter: {
    path: /^\/responses\/input_tokens$/,
    reply: (tokens) => json({ object: "response.input_tokens", input_tokens: tokens })
  },
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
