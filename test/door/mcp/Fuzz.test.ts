/**
 * Requests to the MCP server that nobody should send, by seed: whatever comes, it answers in the words of the protocol, stays up,
 * and keeps nothing. AOSIQ_FUZZ says how many (300), AOSIQ_SEED which.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fc from "fast-check"
import { HttpDoor } from "../../../layers/http/index.ts"
import { Log } from "../../../src/audit/index.ts"
import { address, type Answer, letIn, runtime, send } from "../http/world.ts"

const runs = Number(process.env["AOSIQ_FUZZ"] ?? 300)
const seed = Number(process.env["AOSIQ_SEED"] ?? 4711)

const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("\u0000", "\ud800", "../../etc", "__proto__", "constructor", "'; drop table x")
)
const id = fc.oneof(fc.nat(), fc.string({ maxLength: 8 }), fc.constantFrom(null, -1, 1e308, 0.5, [], {}, true))
const method = fc.oneof(
  fc.constantFrom(
    "initialize",
    "ping",
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "prompts/list",
    "resources/read",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "resources/subscribe",
    "subscriptions/listen",
    "server/discover",
    "notifications/cancelled",
    "notifications/initialized",
    "sampling/createMessage"
  ),
  text
)
const name = fc.oneof(
  fc.constantFrom(
    "agents_list",
    "session_dispatch",
    "swarm_dispatch",
    "session_status",
    "session_cancel",
    "proposal_get",
    "approvals_list",
    "approval_decide",
    "audit_query",
    "cost_summary"
  ),
  text
)
const args = fc.oneof(
  fc.jsonValue(),
  fc.record({
    actor: fc.oneof(fc.constant("Clerk"), text),
    input: fc.jsonValue(),
    session: text,
    inputs: fc.array(fc.jsonValue(), { maxLength: 60 }),
    budgetMicroUsd: fc.oneof(fc.integer(), fc.double()),
    tickets: fc.jsonValue(),
    approve: fc.boolean(),
    reason: text,
    limit: fc.integer()
  }, { requiredKeys: [] })
)
const params = fc.oneof(
  fc.jsonValue(),
  fc.record({
    uri: fc.oneof(text, text.map((one) => `aosiq://sessions/${one}/audit`)),
    name,
    ref: fc.jsonValue(),
    argument: fc.jsonValue(),
    requestId: id,
    level: text,
    protocolVersion: fc.oneof(fc.constantFrom("2025-11-25", "2025-03-26", "2026-07-28"), text),
    capabilities: fc.jsonValue(),
    clientInfo: fc.jsonValue(),
    _meta: fc.jsonValue()
  }, { requiredKeys: [] })
)
const called = fc.record({
  jsonrpc: fc.constant("2.0"),
  id: fc.nat(),
  method: fc.constant("tools/call"),
  params: fc.record({ name, arguments: args })
})
const message = fc.oneof(
  called,
  fc.record({ jsonrpc: fc.oneof({ weight: 5, arbitrary: fc.constant("2.0") }, text), id, method, params }, {
    requiredKeys: []
  }),
  fc.record({ jsonrpc: fc.constant("2.0"), id, result: fc.jsonValue() }),
  fc.record({ jsonrpc: fc.constant("2.0"), id, error: fc.jsonValue() })
)
const body = fc.oneof(
  { weight: 10, arbitrary: message.map((one) => JSON.stringify(one)) },
  { weight: 2, arbitrary: fc.array(message, { maxLength: 30 }).map((all) => JSON.stringify(all)) },
  fc.json(),
  message.map((one) => JSON.stringify(one).slice(0, -1)),
  fc.nat(5000).map(deep),
  fc.nat(60).map((n) => `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":${deep(n)}}}`),
  fc.nat(200_000).map((length) => `{"jsonrpc":"2.0","id":1,"method":"${"x".repeat(length)}"}`),
  fc.constant(`"${"x".repeat(1_100_000)}"`),
  fc.uint8Array({ maxLength: 500 }),
  text
)
const request = fc.record({
  body,
  method: fc.oneof({ weight: 8, arbitrary: fc.constant("POST") }, fc.constantFrom("GET", "DELETE", "PUT", "OPTIONS")),
  type: fc.oneof(
    { weight: 8, arbitrary: fc.constant("application/json") },
    fc.constantFrom("text/plain", "application/json; charset=utf-16", "x")
  ),
  accept: fc.oneof(
    { weight: 8, arbitrary: fc.constant("application/json, text/event-stream") },
    fc.constantFrom("*/*", "application/json", "text/event-stream;q=0")
  ),
  session: fc.constantFrom("mine", "mine", "mine", "none", "old", "other"),
  version: fc.constantFrom(undefined, "2025-11-25", "2025-03-26", "2026-07-28", "1999-01-01", "%")
})

const world = HttpDoor.layer({ port: 0, limits: { perSecond: 1e6, burst: 1e6, timeMs: 5000 } }).pipe(
  Layer.provideMerge(runtime)
)
// oxlint-disable-next-line no-restricted-globals -- a request as any client sends it
const fetched = (url: string, init: RequestInit) => fetch(url, init)
/** A stream that is left once it has begun. */
const opened = (url: string, init: RequestInit) =>
  Effect.promise(async (): Promise<Answer> => {
    const abort = new AbortController()
    const { headers, status } = await fetched(url, { ...init, signal: abort.signal })
    abort.abort()
    return { status, headers, text: "", json: undefined }
  })
const initialize = (protocolVersion: string) =>
  JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion, capabilities: {}, clientInfo: { name: "fuzz", version: "1" } }
  })

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("the MCP server, whatever it is sent", (it) => {
  it.effect("answers in the words of the protocol", () =>
    Effect.gen(function*() {
      const url = `${yield* address}/mcp`
      const authorization = `Bearer ${yield* letIn("fuzz", "operator")}`
      const headers = {
        authorization,
        "content-type": "application/json",
        accept: "application/json, text/event-stream"
      }
      const begin = (version: string, more: Record<string, string> = headers) =>
        Effect.map(
          send(url, { method: "POST", headers: more, body: initialize(version) }),
          (answer) => answer.headers.get("mcp-session-id") ?? ""
        )
      const stranger = { ...headers, authorization: `Bearer ${yield* letIn("stranger", "operator")}` }
      const sessions = {
        mine: yield* begin("2025-11-25"),
        old: yield* begin("2025-03-26"),
        other: yield* begin("2025-11-25", stranger),
        none: undefined
      }
      const statuses = new Map<number, number>()
      const property = fc.asyncProperty(request, (one) =>
        Effect.runPromise(Effect.gen(function*() {
          const session = sessions[one.session as keyof typeof sessions]
          const bodiless = one.method !== "POST" && one.method !== "PUT"
          const verb = one.method === "DELETE" && one.session !== "other" ? "GET" : one.method
          const answer = yield* (verb === "GET" ? opened : send)(url, {
            method: verb,
            headers: {
              authorization,
              "content-type": one.type,
              accept: one.accept,
              ...session === undefined ? {} : { "mcp-session-id": session },
              ...one.version === undefined ? {} : { "mcp-protocol-version": one.version }
            },
            ...bodiless ? {} : { body: typeof one.body === "string" ? one.body : Buffer.from(one.body) }
          })
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
          if (one.session === "other") assert.notInclude([200, 202, 204], answer.status)
          if (answer.status === 500) assert.match(answer.json.id, /^err_/)
          assert.notStrictEqual(answer.status, 500, `${JSON.stringify(one).slice(0, 2000)}: ${answer.text}`)
          assert.notStrictEqual(answer.status, 503, `${JSON.stringify(one).slice(0, 2000)}: ${answer.text}`)
          if (answer.status === 200 && answer.json !== undefined) {
            for (const each of [answer.json].flat()) assert.strictEqual(each.jsonrpc, "2.0")
          }
        })))
      globalThis.gc?.()
      const before = process.memoryUsage().heapUsed
      const began = performance.now()
      yield* Effect.promise(() => fc.assert(property, { numRuns: runs, seed }))
      globalThis.gc?.()
      const grown = process.memoryUsage().heapUsed - before
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      if (process.env["AOSIQ_FUZZ"] !== undefined) {
        process.stdout.write(`${runs} requests in ${seconds} s, heap +${grown} B, ${JSON.stringify([...statuses])}\n`)
      }
      assert.isBelow(grown, 300_000_000)
      for (const status of [200, 400, 404]) assert.isAbove(statuses.get(status) ?? 0, 0, `${status}`)
      // It is up, and its callers' sessions with it.
      const ping = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" })
      const session = { "mcp-session-id": yield* begin("2025-11-25") }
      const alive = yield* send(url, { method: "POST", headers: { ...headers, ...session }, body: ping })
      assert.deepStrictEqual(alive.json.result, {})
      const log = yield* Log.Log
      assert.isFalse((yield* log.sessions).some(({ actor }) => actor === "__proto__"))
    }), 36_000_000)
})
