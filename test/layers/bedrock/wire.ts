/** Converse's wire format: JSON, and event streams in binary frames. */
import { Effect, Redacted } from "effect"
import { crc32 } from "node:zlib"
import { Bedrock } from "../../../layers/bedrock/index.ts"
import { type Refusal, type Reply, type Said, usual, type Wire } from "../../backend/Wire.ts"

/** Looks like a key; belongs to nobody. */
export const key = "test/0123456789+abcdefghijklmnopqrstuvwx"

/** Frames one event of a stream. Source: application/vnd.amazon.eventstream. */
export const frame = (type: string, payload: unknown, kind: "event" | "exception" = "event"): Buffer => {
  const header = (name: string, value: string) => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(Buffer.byteLength(value))
    return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7]), length, Buffer.from(value)])
  }
  const headers = Buffer.concat([
    header(`:${kind}-type`, type),
    header(":content-type", "application/json"),
    header(":message-type", kind)
  ])
  const body = typeof payload === "string" ? Buffer.from(payload) : Buffer.from(JSON.stringify(payload))
  const word = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes
  }
  const prelude = Buffer.concat([word(16 + headers.length + body.length), word(headers.length)])
  const head = Buffer.concat([prelude, word(crc32(prelude)), headers, body])
  return Buffer.concat([head, word(crc32(head))])
}

const reasons = {
  stop: "end_turn",
  length: "max_tokens",
  filter: "guardrail_intervened",
  refusal: "content_filtered",
  odd: "something_new"
} as const

const stopOf = ({ calls, stop }: Said) =>
  stop !== undefined ? reasons[stop] : calls === undefined ? "end_turn" : "tool_use"

const usageOf = ({ used = usual }: Said) => ({
  inputTokens: used.fresh,
  cacheReadInputTokens: used.cacheRead,
  cacheWriteInputTokens: used.cacheWrite,
  outputTokens: used.answer,
  totalTokens: used.fresh + used.answer
})

const whole = (said: Said) => ({
  output: {
    message: {
      role: "assistant",
      content: [
        ...(said.thought === undefined ? [] : [
          { reasoningContent: { reasoningText: { text: said.thought, signature: "sig" } } }
        ]),
        ...(said.text === undefined ? [] : [{ text: said.text }]),
        ...(said.calls ?? []).map(({ id, name, params }) => ({ toolUse: { toolUseId: id, name, input: params } }))
      ]
    }
  },
  stopReason: stopOf(said),
  usage: usageOf(said),
  metrics: { latencyMs: 5 }
})

/** The events of a streamed answer, by type and payload. */
export const events = (said: Said): ReadonlyArray<readonly [string, object]> => {
  const half = Math.ceil((said.text ?? "").length / 2)
  const blocks: ReadonlyArray<{ readonly start?: object; readonly deltas: ReadonlyArray<object> }> = [
    ...(said.thought === undefined ? [] : [
      { deltas: [{ reasoningContent: { text: said.thought } }, { reasoningContent: { signature: "sig" } }] }
    ]),
    ...(said.text === undefined ? [] : [
      { deltas: [said.text.slice(0, half), said.text.slice(half)].map((text) => ({ text })) }
    ]),
    ...(said.calls ?? []).map(({ id, name, params }) => ({
      start: { toolUse: { toolUseId: id, name } },
      deltas: [{ toolUse: { input: typeof params === "string" ? params : JSON.stringify(params) } }]
    }))
  ]
  return [
    ["messageStart", { role: "assistant" }],
    ...blocks.flatMap(({ deltas, start }, contentBlockIndex): ReadonlyArray<readonly [string, object]> => [
      ...(start === undefined ? [] : [["contentBlockStart", { start, contentBlockIndex }] as const]),
      ...deltas.map((delta) => ["contentBlockDelta", { delta, contentBlockIndex }] as const),
      ["contentBlockStop", { contentBlockIndex }]
    ]),
    ["messageStop", { stopReason: stopOf(said) }],
    ["metadata", { usage: usageOf(said), metrics: { latencyMs: 5 } }]
  ]
}

const refused: { readonly [R in Refusal]: readonly [number, string, (text: string) => string] } = {
  rate: [429, "ThrottlingException", (text) => text],
  overloaded: [503, "ServiceUnavailableException", (text) => text],
  failed: [500, "InternalServerException", (text) => text],
  tooLong: [400, "ValidationException", (text) => `Input is too long for requested model. ${text}`],
  unauthorized: [403, "UnrecognizedClientException", (text) => text],
  quota: [400, "ServiceQuotaExceededException", (text) => text],
  filtered: [400, "ValidationException", (text) => `Output blocked by content filtering policy. ${text}`]
}

export const wire: Wire = {
  name: "bedrock",
  model: "amazon.nova-pro-v1:0",
  make: (url, options) =>
    Bedrock.make({
      ...options,
      model: "amazon.nova-pro-v1:0",
      baseUrl: url,
      region: "eu-west-1",
      credentials: { accessKeyId: "AKIATEST", secretAccessKey: Redacted.make(key) }
    }),
  whole: (said) => json(whole(said)),
  stream: (said) => ({
    headers: { "content-type": "application/vnd.amazon.eventstream" },
    pieces: events(said).map(([type, payload]) => frame(type, payload))
  }),
  noise: frame("somethingNew", {}),
  malformed: (text) => frame("contentBlockDelta", `{${text}`),
  refuse: (refusal, text) => {
    const [status, type, words] = refused[refusal]
    return json({ message: words(text) }, status, { "x-amzn-errortype": `${type}:http://internal.amazon.com/` })
  },
  question: ({ body }) =>
    Effect.sync(() => {
      const blocks: ReadonlyArray<Record<string, any>> = body["messages"].flatMap(({ content }: { content: unknown }) =>
        content
      )
      const results = blocks.flatMap(({ toolResult }) => toolResult === undefined ? [] : [toolResult])
      return {
        system: body["system"]?.[0].text,
        texts: blocks.flatMap(({ text }) => text === undefined ? [] : [text]),
        tools: (body["toolConfig"]?.tools ?? []).map(({ toolSpec }: Record<string, any>) => ({
          name: toolSpec.name,
          description: toolSpec.description,
          schema: toolSpec.inputSchema.json
        })),
        images: blocks.flatMap(({ image }) => image === undefined ? [] : [image.source.bytes]),
        calls: blocks.flatMap(({ toolUse }) =>
          toolUse === undefined ? [] : [{
            name: toolUse.name,
            params: toolUse.input,
            result: results.find(({ toolUseId }) => toolUseId === toolUse.toolUseId)?.content[0].text
          }]
        ),
        schema: body["outputConfig"] === undefined
          ? undefined
          : JSON.parse(body["outputConfig"].textFormat.structure.jsonSchema.schema),
        maxOutputTokens: body["inferenceConfig"]?.maxTokens
      }
    }),
  ends: { stop: "stop", length: "length", filter: "content-filter", refusal: "content-filter", odd: "other" },
  counts: { cacheRead: true, cacheWrite: true, reasoning: false, refusals: true },
  counter: { path: /\/count-tokens$/, reply: (tokens) => json({ inputTokens: tokens }) },
  thinks: true,
  filters: true,
  saysWhen: true,
  ids: true,
  promptMs: 60,
  key
}

const json = (value: unknown, status = 200, more: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { "content-type": "application/json", "x-amzn-requestid": "req-1", ...more },
  body: JSON.stringify(value)
})
