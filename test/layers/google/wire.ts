/** The Gemini API's wire format. */
import { Effect, Redacted } from "effect"
import { Gemini } from "../../../layers/google/index.ts"
import { type Refusal, type Reply, type Said, usual, type Wire } from "../../backend/Wire.ts"

/** Looks like a key; belongs to nobody. */
export const key = "AIzaTest0123456789abcdefghijklmnopqrstuv"

const reasons = {
  stop: "STOP",
  length: "MAX_TOKENS",
  filter: "SAFETY",
  refusal: "PROHIBITED_CONTENT",
  odd: "SOMETHING_NEW"
} as const

/** An answer, or a piece of one. */
export const chunk = (parts: ReadonlyArray<object>, more: object = {}) => ({
  candidates: [{ content: { role: "model", parts }, index: 0, ...more }],
  modelVersion: "gemini-3.5-flash",
  responseId: "resp_1"
})

const usageOf = ({ used = usual }: Said) => ({
  promptTokenCount: used.fresh + used.cacheRead,
  cachedContentTokenCount: used.cacheRead,
  candidatesTokenCount: used.answer,
  thoughtsTokenCount: used.reasoning,
  totalTokenCount: used.fresh + used.cacheRead + used.answer + used.reasoning
})

const callsOf = ({ calls = [] }: Said) =>
  calls.map(({ id, name, params }, index) => ({
    functionCall: { id, name, args: params },
    ...(index === 0 ? { thoughtSignature: "sealed" } : {})
  }))

const thoughtOf = ({ thought }: Said) => thought === undefined ? [] : [{ text: thought, thought: true }]

/** Pieces of a streamed answer. */
export const chunks = (said: Said): ReadonlyArray<object> => {
  const text = said.text ?? ""
  const half = Math.ceil(text.length / 2)
  return [
    ...thoughtOf(said).map((part) => chunk([part])),
    ...(said.text === undefined ? [] : [chunk([{ text: text.slice(0, half) }]), chunk([{ text: text.slice(half) }])]),
    ...callsOf(said).map((part) => chunk([part])),
    { ...chunk([], { finishReason: reasons[said.stop ?? "stop"] }), usageMetadata: usageOf(said) }
  ]
}

/** A piece as it is sent. */
export const frame = (value: unknown) => `data: ${JSON.stringify(value)}\r\n\r\n`

const refused: { readonly [R in Refusal]: readonly [number, string, (text: string) => string, object] } = {
  rate: [429, "RESOURCE_EXHAUSTED", (text) => text, { quotaId: "GenerateRequestsPerMinutePerProjectPerModel" }],
  overloaded: [503, "UNAVAILABLE", (text) => text, {}],
  failed: [500, "INTERNAL", (text) => text, {}],
  tooLong: [
    400,
    "INVALID_ARGUMENT",
    (text) => `The input token count (1200000) exceeds the maximum number of tokens allowed (1048576). ${text}`,
    {}
  ],
  unauthorized: [400, "INVALID_ARGUMENT", (text) => `API key not valid. ${text}`, { reason: "API_KEY_INVALID" }],
  quota: [429, "RESOURCE_EXHAUSTED", (text) => text, { quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }],
  filtered: [400, "INVALID_ARGUMENT", (text) => text, {}]
}

export const wire: Wire = {
  name: "gemini",
  model: "gemini-3.5-flash",
  make: (url, options) =>
    Gemini.make({ ...options, model: "gemini-3.5-flash", apiKey: Redacted.make(key), baseUrl: url }),
  whole: (said) => {
    const parts = [...thoughtOf(said), ...(said.text === undefined ? [] : [{ text: said.text }]), ...callsOf(said)]
    return json({
      ...chunk(parts, { finishReason: reasons[said.stop ?? "stop"] }),
      usageMetadata: usageOf(said)
    })
  },
  stream: (said) => ({ headers: { "content-type": "text/event-stream" }, pieces: chunks(said).map(frame) }),
  noise: frame({ modelVersion: "gemini-3.5-flash" }),
  malformed: (text) => `data: {${text}\r\n\r\n`,
  refuse: (refusal, text) => {
    const [code, status, words, detail] = refused[refusal]
    return json({ error: { code, status, message: words(text), details: [detail] } }, code)
  },
  question: ({ body }) =>
    Effect.sync(() => {
      const parts: ReadonlyArray<Record<string, any>> = body["contents"].flatMap(({ parts }: { parts: unknown }) =>
        parts
      )
      const results = parts.filter(({ functionResponse }) => functionResponse !== undefined)
      return {
        system: body["systemInstruction"]?.parts[0].text,
        texts: parts.flatMap(({ text, thought }) => text !== undefined && thought !== true ? [text] : []),
        tools: (body["tools"]?.[0].functionDeclarations ?? []).map((tool: Record<string, any>) => ({
          name: tool["name"],
          description: tool["description"],
          schema: tool["parametersJsonSchema"]
        })),
        images: parts.flatMap(({ inlineData }) => inlineData === undefined ? [] : [inlineData.data]),
        calls: parts.filter(({ functionCall }) => functionCall !== undefined).map(
          ({ functionCall: { args, id, name } }) => {
            const found = results.find(({ functionResponse }) => functionResponse.id === id)?.["functionResponse"]
            return { name, params: args, result: found?.response.output ?? found?.response.error }
          }
        ),
        schema: body["generationConfig"]?.responseJsonSchema,
        maxOutputTokens: body["generationConfig"]?.maxOutputTokens
      }
    }),
  ends: { stop: "stop", length: "length", filter: "content-filter", refusal: "content-filter", odd: "other" },
  counts: { cacheRead: true, cacheWrite: false, reasoning: true, refusals: true },
  counter: { path: /:countTokens$/, reply: (tokens) => json({ totalTokens: tokens }) },
  thinks: true,
  filters: false,
  saysWhen: true,
  ids: true,
  promptMs: 60,
  key
}

const json = (value: unknown, status = 200): Reply => ({
  status,
  headers: { "content-type": "application/json; charset=UTF-8" },
  body: JSON.stringify(value)
})
