/** Ollama's wire format: lines of JSON. */
import { Effect } from "effect"
import { Ollama } from "../../../layers/ollama/index.ts"
import { type Refusal, type Reply, type Said, usual, type Wire } from "../../backend/Wire.ts"

/** Models here have neither filters nor refusals of their own: what they say is what they say. */
const reasons = { stop: "stop", length: "length", filter: "filtered", refusal: "stop", odd: "something_new" } as const

/** An answer, or a piece of one. */
export const chunk = (message: object, more: object = {}) => ({
  model: "llama3.3",
  created_at: "2026-01-01T00:00:00Z",
  message: { role: "assistant", content: "", ...message },
  done: false,
  ...more
})

const endOf = ({ stop = "stop", used = usual }: Said) => ({
  done: true,
  done_reason: reasons[stop],
  prompt_eval_count: used.fresh,
  eval_count: used.answer
})

const callsOf = ({ calls }: Said) =>
  calls === undefined
    ? {}
    : { tool_calls: calls.map(({ id, name, params }) => ({ id, function: { name, arguments: params } })) }

/** The pieces of a streamed answer. */
export const chunks = (said: Said): ReadonlyArray<object> => {
  const { text, thought } = said
  const half = Math.ceil((text ?? "").length / 2)
  return [
    ...(thought === undefined ? [] : [chunk({ thinking: thought })]),
    ...(text === undefined ? [] : [chunk({ content: text.slice(0, half) }), chunk({ content: text.slice(half) })]),
    ...(said.calls === undefined ? [] : [chunk(callsOf(said))]),
    chunk({}, endOf(said))
  ]
}

/** A piece as it is sent. */
export const frame = (value: unknown) => `${JSON.stringify(value)}\n`

const refused: { readonly [R in Refusal]: readonly [number, (text: string) => string] } = {
  rate: [429, (text) => text],
  overloaded: [503, (text) => `server busy, please try again. ${text}`],
  failed: [500, (text) => text],
  tooLong: [400, (text) => `prompt too long; exceeded max context length by 512 tokens (${text})`],
  unauthorized: [401, (text) => text],
  quota: [402, (text) => text],
  filtered: [400, (text) => text]
}

export const wire: Wire = {
  name: "ollama",
  model: "llama3.3",
  make: (url, options) => Ollama.make({ ...options, model: "llama3.3", baseUrl: url }),
  whole: (said) =>
    json(chunk({
      ...(said.thought === undefined ? {} : { thinking: said.thought }),
      content: said.text ?? "",
      ...callsOf(said)
    }, endOf(said))),
  stream: (said) => ({ headers: { "content-type": "application/x-ndjson" }, pieces: chunks(said).map(frame) }),
  noise: frame(chunk({})),
  malformed: (text) => `{${text}\n`,
  refuse: (refusal, text) => {
    const [status, words] = refused[refusal]
    return json({ error: words(text) }, status)
  },
  question: ({ body }) =>
    Effect.sync(() => {
      const messages: ReadonlyArray<Record<string, any>> = body["messages"]
      const results = messages.filter(({ role }) => role === "tool")
      return {
        system: messages.find(({ role }) => role === "system")?.["content"],
        texts: messages.flatMap(({ content, role }) => role === "user" ? [content] : []),
        tools: (body["tools"] ?? []).map((tool: Record<string, any>) => ({
          name: tool["function"].name,
          description: tool["function"].description,
          schema: tool["function"].parameters
        })),
        images: messages.flatMap(({ images = [] }) => images),
        calls: messages.flatMap(({ tool_calls = [] }) => tool_calls).map((
          { function: { arguments: params, name }, id }: any
        ) => ({
          name,
          params,
          result: results.find(({ tool_call_id }) => tool_call_id === id)?.["content"].replace("error: ", "")
        })),
        schema: body["format"],
        maxOutputTokens: body["options"]?.num_predict
      }
    }),
  ends: { stop: "stop", length: "length", filter: "other", refusal: "stop", odd: "other" },
  counts: { cacheRead: false, cacheWrite: false, reasoning: false, refusals: true },
  counter: undefined,
  thinks: true,
  filters: false,
  saysWhen: true,
  ids: true,
  promptMs: 60,
  key: undefined
}

const json = (value: unknown, status = 200): Reply => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8" },
  body: JSON.stringify(value)
})
