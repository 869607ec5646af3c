/** Claude Code's wire format: what it is started with, and the lines that it writes. */
import { Effect, Redacted } from "effect"
import { ClaudeCode } from "../../../layers/claude-code/index.ts"
import type { Asked } from "../../backend/Loopback.ts"
import type { Question, Refusal, Reply, Said, Wire } from "../../backend/Wire.ts"
import { events } from "../anthropic/wire.ts"
import { fakeClaude } from "./fakeClaude.ts"

/** Looks like a key; belongs to nobody. */
export const key = "sk-ant-test-0123456789abcdefghij"

/** A line as it is written. */
export const line = (value: unknown) => `${JSON.stringify(value)}\n`

const init = { type: "system", subtype: "init", tools: [], mcp_servers: [], model: "claude-sonnet-5" }

/** The last word of a run that had its one question answered. */
export const spent = {
  type: "result",
  subtype: "error_max_budget_usd",
  is_error: true,
  api_error_status: null,
  terminal_reason: "budget"
}

/** What it says of an answer that ended with a refusal. */
const refusal = { type: "system", subtype: "model_refusal_no_fallback", original_model: "claude-sonnet-5" }

/** The lines of an answer. The program keeps the end of the answer to itself and ends its run. */
export const lines = (said: Said): ReadonlyArray<object> => {
  const calls = said.calls?.map((call) => ({ ...call, name: `mcp__aosiq__${call.name}` }))
  const told = events(calls === undefined ? said : { ...said, calls })
  return [
    init,
    ...told.flatMap((event): ReadonlyArray<object> => {
      if (event.type === "message_stop") return []
      return event.type === "message_delta" && (said.stop === "refusal" || said.stop === "filter")
        ? [refusal]
        : [{ type: "stream_event", event, session_id: "s" }]
    }),
    spent
  ]
}

const refused: { readonly [R in Refusal]: readonly [number, string, (text: string) => string, string?] } = {
  rate: [429, "rate_limit", (text) => `API Error: Request rejected (429) · ${text}`],
  overloaded: [529, "server_error", (text) => `API Error: 529 ${text}`],
  failed: [500, "server_error", (text) => `API Error: 500 ${text}`],
  tooLong: [400, "invalid_request", (text) => `Prompt is too long · ${text}`, "prompt_too_long"],
  unauthorized: [401, "authentication_failed", (text) => `Invalid API key · ${text}`],
  quota: [400, "billing_error", (text) => `Credit balance is too low · ${text}`],
  filtered: [400, "unknown", (text) => `API Error: 400 Output blocked by content filtering policy ${text}`]
}

/** The tools that an MCP server offers. */
const offered = async (servers: Record<string, any>): Promise<Question["tools"]> => {
  const server = servers["aosiq"]
  if (server === undefined) return []
  const ask = async (id: number, method: string, params: object, session?: string) => {
    const response = await globalThis.fetch(server.url, {
      method: "POST",
      headers: {
        ...server.headers,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-11-25",
        ...(session === undefined ? {} : { "mcp-session-id": session })
      },
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params })
    })
    const text = await response.text()
    const json = text.startsWith("{") ? text : /^data: (.*)$/m.exec(text)?.[1] ?? "{}"
    return { result: JSON.parse(json).result, session: response.headers.get("mcp-session-id") ?? undefined }
  }
  const { session } = await ask(1, "initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "test", version: "1" }
  })
  const { result } = await ask(2, "tools/list", {}, session)
  return result.tools.map(({ description, inputSchema, name }: Record<string, any>) => ({
    name,
    description,
    schema: inputSchema
  }))
}

/** What a flag of the command line was given. */
export const flag = ({ body }: Asked, name: string): string | undefined => {
  const at = body["argv"].indexOf(name)
  return at === -1 ? undefined : body["argv"][at + 1]
}

export const wire: Wire = {
  name: "claude-code",
  model: "claude-sonnet-5",
  make: (url, options) =>
    Effect.flatMap(
      fakeClaude,
      (program) =>
        ClaudeCode.make({ ...options, program, model: "claude-sonnet-5", apiKey: Redacted.make(key), baseUrl: url })
    ),
  whole: (said) => written(lines(said).map(line).join("")),
  stream: (said) => ({ headers: { "content-type": "text/plain" }, pieces: lines(said).map(line) }),
  noise: line({ type: "system", subtype: "thinking_tokens", estimated_tokens: 1 }),
  malformed: (text) => `{${text}\n`,
  refuse: (refusal, text) => {
    const [status, error, words, terminal_reason = "completed"] = refused[refusal]
    return written(
      [
        init,
        { type: "assistant", message: { role: "assistant", model: "<synthetic>", content: [] }, error },
        {
          type: "result",
          subtype: "success",
          is_error: true,
          api_error_status: status,
          terminal_reason,
          result: words(text)
        }
      ].map(line).join(""),
      1
    )
  },
  question: (asked) =>
    Effect.promise(async () => {
      const { argv, servers, stdin, system } = asked.body
      const { content } = JSON.parse(stdin).message
      const texts: ReadonlyArray<string> = content.flatMap(({ text, type }: any) => type === "text" ? [text] : [])
      const told = texts.flatMap((text) => text.split("\n")).flatMap((text) =>
        text.startsWith("{\"role\"") ? [JSON.parse(text)] : []
      )
      const schema = flag(asked, "--json-schema")
      return {
        system,
        texts,
        tools: await offered(servers),
        images: content.flatMap(({ source, type }: any) => type === "image" ? [source.data] : []),
        calls: told.flatMap(({ calls = [] }) => calls).map((call: any) => ({
          name: call.name,
          params: call.arguments,
          result: told.find(({ id, role }) => role === "tool" && id === call.id)?.result
        })),
        schema: schema === undefined || !argv.includes("--json-schema") ? undefined : JSON.parse(schema),
        maxOutputTokens: Number(asked.body["env"].CLAUDE_CODE_MAX_OUTPUT_TOKENS)
      }
    }),
  ends: { stop: "stop", length: "length", filter: "content-filter", refusal: "content-filter", odd: "other" },
  counts: { cacheRead: true, cacheWrite: true, reasoning: true, refusals: false },
  counter: undefined,
  thinks: true,
  filters: true,
  saysWhen: false,
  ids: true,
  promptMs: 1500,
  key
}

const written = (body: string, exit = 0): Reply => ({
  status: 200,
  headers: { "content-type": "text/plain", "x-exit": String(exit) },
  body
})
