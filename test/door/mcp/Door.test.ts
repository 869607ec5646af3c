/** The door of the MCP server by HTTP: who is let in from where; resources and prompts; progress and cancelling. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option } from "effect"
import { request as httpRequest } from "node:http"
import { Log } from "../../../src/audit/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import { Sessions } from "../../../src/door/mcp/index.ts"
import { Dispatch } from "../../../src/session/index.ts"
import { address, ceiling, done, letIn, send, served } from "../http/world.ts"
import { call, client } from "./world.ts"

const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } }
})
const json = { "content-type": "application/json", accept: "application/json, text/event-stream" }
const post = (url: string, headers: Record<string, string>, body = initialize) =>
  send(url, { method: "POST", headers: { ...json, ...headers }, body })

/** A request with a host of one's own choice, which `fetch` would not send. */
const from = (url: string, headers: Record<string, string>) =>
  Effect.callback<number>((resume) => {
    const request = httpRequest(url, { method: "POST", headers: { ...json, ...headers } }, (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode ?? 0))
    })
    request.end(initialize)
  })

layer(served({ perSecond: 1, burst: 30 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "the rate of a caller",
  (it) => {
    it.effect(
      "counts each message of a batch, and nothing of a batch is done that is too much",
      () =>
        Effect.gen(function*() {
          const url = `${yield* address}/mcp`
          const authorization = `Bearer ${yield* letIn("batches", "operator")}`
          const begun = yield* post(url, { authorization }, initialize.replace("2025-11-25", "2025-03-26"))
          const mine = { authorization, "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" }
          const batch = (order: string) =>
            JSON.stringify(Array.from({ length: 20 }, (_, id) => ({
              jsonrpc: "2.0",
              id,
              method: "tools/call",
              params: { name: "session_dispatch", arguments: { actor: "Clerk", input: { order }, waitSeconds: 20 } }
            })))
          const first = yield* post(url, mine, batch("within"))
          assert.strictEqual(first.status, 200, first.text)
          assert.lengthOf(done.filter((one) => one === "look within"), 20)
          // 30 at once, and one a second after that: 9 are left, and a few.
          const second = yield* post(url, mine, batch("beyond"))
          assert.strictEqual(second.status, 429)
          assert.notInclude(done, "look beyond")
        }),
      30_000
    )
  }
)

layer(served({ perSecond: 10_000, burst: 10_000 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "the door",
  (it) => {
    it.effect(
      "is closed to nobody, to a token in a URL, to what was withdrawn, and to the token of an actor",
      () =>
        Effect.gen(function*() {
          const url = `${yield* address}/mcp`
          const token = yield* letIn("url", "admin")
          const dispatch = yield* Dispatch.Dispatch
          const log = yield* Log.Log
          const session = Claims.SessionId.make("ses_agent")
          const grant = { names: ["tool:refund"] as const, terms: ceiling("tool:refund") }
          yield* dispatch.open({ session, actor: "Shop", input: { order: "z" }, grant, caller: "url" })
          yield* Effect.repeat(log.session(session), {
            until: Option.exists(({ status }) => status === "waiting")
          })
          const actors = Option.getOrThrow(yield* log.session(session)).token
          const decide = JSON.stringify({
            jsonrpc: "2.0",
            id: 1,
            method: "tools/call",
            params: { name: "approval_decide", arguments: { tickets: [], approve: true, reason: "" } }
          })
          const rows = (yield* log.rows(session)).length
          for (
            const [path, headers] of [
              [url, {}],
              [`${url}?token=${token}&access_token=${token}`, {}],
              [url, { authorization: token }],
              [url, { authorization: `Basic ${token}` }],
              [url, { authorization: `Bearer ${actors}` }],
              [url, { authorization: `Bearer aosiq_${"0".repeat(12)}_${"x".repeat(43)}` }]
            ] as const
          ) {
            for (const body of [initialize, decide]) {
              const { headers: answered, status } = yield* post(path, headers, body)
              assert.strictEqual(status, 401)
              assert.include(answered.get("www-authenticate"), "Bearer")
            }
          }
          assert.strictEqual((yield* log.rows(session)).length, rows)
          assert.notInclude(done, "refund z")
        }),
      30_000
    )

    it.effect("is closed to pages of others, and to names that were bent to this machine", () =>
      Effect.gen(function*() {
        const url = `${yield* address}/mcp`
        const authorization = `Bearer ${yield* letIn("pages", "viewer")}`
        const { host, port } = new URL(url)
        assert.strictEqual(yield* from(url, { authorization, host: "evil.example" }), 403)
        assert.strictEqual(yield* from(url, { authorization, host: `127.0.0.1@evil.example:${port}` }), 403)
        assert.strictEqual(yield* from(url, { authorization, origin: "http://evil.example" }), 403)
        assert.strictEqual(yield* from(url, { authorization, origin: "null" }), 403)
        assert.strictEqual(yield* from(url, { authorization, host, origin: `http://${host}` }), 200)
        assert.strictEqual(yield* from(url, { authorization, host: `localhost:${port}` }), 200)
      }))

    it.effect("keeps the sessions of one caller from another, and only so many", () =>
      Effect.gen(function*() {
        const url = `${yield* address}/mcp`
        const mine = { authorization: `Bearer ${yield* letIn("one", "operator")}` }
        const other = { authorization: `Bearer ${yield* letIn("two", "operator")}` }
        const begin = Effect.map(post(url, mine), ({ headers }) => headers.get("mcp-session-id") ?? "")
        const list = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list", params: {} })
        const first = yield* begin
        const asked = (headers: Record<string, string>, id: string) =>
          Effect.map(post(url, { ...headers, "mcp-session-id": id }, list), ({ status }) => status)
        assert.strictEqual(yield* asked(mine, first), 200)
        assert.strictEqual(yield* asked(other, first), 404)
        const stolen = yield* send(url, { method: "DELETE", headers: { ...other, "mcp-session-id": first } })
        assert.strictEqual(stolen.status, 404)
        assert.strictEqual(yield* asked(mine, first), 200)
        const last = (yield* Effect.replicateEffect(begin, Sessions.maxOfOne)).at(-1) ?? ""
        assert.strictEqual(yield* asked(mine, first), 404)
        assert.strictEqual(yield* asked(mine, last), 200)
        const ended = yield* send(url, { method: "DELETE", headers: { ...mine, "mcp-session-id": last } })
        assert.strictEqual(ended.status, 204)
        assert.strictEqual(yield* asked(mine, last), 404)
      }), 30_000)

    it.effect("refuses what goes too deep, is too long or comes in too many pieces", () =>
      Effect.gen(function*() {
        const url = `${yield* address}/mcp`
        const mine = { authorization: `Bearer ${yield* letIn("deep", "operator")}` }
        const deep = yield* post(
          url,
          mine,
          `{"jsonrpc":"2.0","id":1,"method":"x","params":${"[".repeat(5000)}${"]".repeat(5000)}}`
        )
        assert.strictEqual(deep.json.error.code, -32_700)
        assert.strictEqual((yield* post(url, mine, `"${"x".repeat(1_100_000)}"`)).status, 413)
        const ping = { jsonrpc: "2.0", id: 1, method: "ping" }
        assert.strictEqual((yield* post(url, mine, JSON.stringify(Array.from({ length: 21 }, () => ping)))).status, 400)
      }))

    it.effect("shows resources and prompts, each as JSON and for those who may ask", () =>
      Effect.gen(function*() {
        const operator = yield* client(yield* letIn("reader", "operator"))
        const approver = yield* client(yield* letIn("prompter", "approver"))
        const { data } = yield* call(operator, "session_dispatch", {
          actor: "Shop",
          input: { order: "r" },
          waitSeconds: 20
        })
        const { id } = data.session
        const { resources } = yield* Effect.promise(() => operator.listResources())
        assert.deepStrictEqual(resources.map(({ mimeType, uri }) => [uri, mimeType]).toSorted(), [
          ["aosiq://approvals", "application/json"],
          ["aosiq://proposals", "application/json"]
        ])
        const { resourceTemplates } = yield* Effect.promise(() => operator.listResourceTemplates())
        assert.deepStrictEqual(resourceTemplates.map(({ uriTemplate }) => uriTemplate).toSorted(), [
          "aosiq://proposals/{session}",
          "aosiq://sessions/{session}/audit"
        ])
        const read = (uri: string) =>
          Effect.promise(async () => {
            const { contents: [content] } = await operator.readResource({ uri })
            assert.strictEqual(content?.mimeType, "application/json")
            return JSON.parse(content !== undefined && "text" in content ? content.text : "null")
          })
        assert.isTrue((yield* read("aosiq://approvals")).some(({ session }: { session: string }) => session === id))
        assert.deepStrictEqual(yield* read("aosiq://proposals"), [])
        assert.deepStrictEqual(yield* read(`aosiq://proposals/${id}`), [])
        assert.strictEqual((yield* read(`aosiq://sessions/${id}/audit`)).rows[0].kind, "genesis")
        const error = yield* Effect.promise(() =>
          operator.readResource({ uri: "aosiq://proposals/ses_none" }).catch(String)
        )
        assert.include(String(error), "there is no session ses_none")
        const completed = yield* Effect.promise(() =>
          operator.complete({
            ref: { type: "ref/resource", uri: "aosiq://sessions/{session}/audit" },
            argument: { name: "session", value: id.slice(0, -2) }
          })
        )
        assert.include(completed.completion.values, id)

        const names = (one: typeof operator) =>
          Effect.promise(async () => (await one.listPrompts()).prompts.map(({ name }) => name).toSorted())
        assert.deepStrictEqual(yield* names(operator), ["explain_session"])
        assert.deepStrictEqual(yield* names(approver), ["explain_session", "review_approvals"])
        const review = yield* Effect.promise(() => approver.getPrompt({ name: "review_approvals" }))
        assert.include(JSON.stringify(review.messages[1]), id)
        const hidden = yield* Effect.promise(() => operator.getPrompt({ name: "review_approvals" }).catch(String))
        assert.include(String(hidden), "-32602")
        const explain = yield* Effect.promise(() =>
          operator.getPrompt({ name: "explain_session", arguments: { session: id } })
        )
        assert.include(JSON.stringify(explain.messages[1]), "genesis")
      }).pipe(Effect.scoped), 30_000)

    it.effect("tells progress while a dispatch waits", () =>
      Effect.gen(function*() {
        const mine = yield* client(yield* letIn("progress", "operator"))
        const told: Array<{ readonly progress: number; readonly message?: string | undefined }> = []
        const { data } = yield* call(
          mine,
          "session_dispatch",
          { actor: "Clerk", input: { order: "p" }, waitSeconds: 20 },
          { onprogress: (one) => told.push(one) }
        )
        assert.strictEqual(data.session.status, "succeeded")
        assert.deepStrictEqual(told.map(({ progress }) => progress), told.map((_, at) => at + 1))
        assert.include(told.map(({ message }) => message), "look succeeded")
      }).pipe(Effect.scoped), 30_000)
  }
)
