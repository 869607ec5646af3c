/** Texts that no database keeps, at every place of every body: over a real one none comes that far. */
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { HttpDoor } from "../../../layers/http/index.ts"
import { KeySet } from "../../../layers/jose/index.ts"
import { core, digest } from "../../../layers/presets/Core.ts"
import { Mailbox } from "../../../src/session/index.ts"
import { inMemory, logOn, migrated } from "../../layers/sql/databases.ts"
import { call, client } from "../mcp/world.ts"
import { endpoints } from "./endpoints.ts"
import { lengths, make, operations, requestsOf } from "./requests.ts"
import { address, ask, letIn, shopOn } from "./world.ts"

/** The whole runtime over a database in the memory of this process. */
const runtime = Layer.unwrap(Effect.map(
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped({ prefix: "aosiq-keys-" })),
  (folder) =>
    core(Mailbox.layerLocal).pipe(
      Layer.provideMerge(logOn(migrated(inMemory))),
      Layer.provideMerge(Layer.merge(digest, KeySet.layer(folder)))
    )
)).pipe(Layer.provideMerge(NodeServices.layer))
const world = HttpDoor.layer({ port: 0, limits: { perSecond: 1e6, burst: 1e6 } }).pipe(
  Layer.provideMerge(shopOn(runtime))
)

const unkept = ["\u0000", "half\ud800", "\udc00half"]
/** What is kept by its hash, and may hold any text. */
const hashed: Readonly<Record<string, string>> = { "/sessions": "input", "/unknown/settle": "result" }

/** JSON with the text in place of each text of it, and as the name of one more member of each object. */
const spoiled = (json: unknown, text: string): ReadonlyArray<{ readonly first?: string; readonly body: unknown }> => {
  if (typeof json === "string") return [{ body: text }]
  if (typeof json !== "object" || json === null) return []
  const inside = Object.entries(json).flatMap(([first, one]) =>
    spoiled(one, text).map(({ body }) => ({
      first,
      body: Array.isArray(json) ? json.with(Number(first), body) : { ...json, [first]: body }
    }))
  )
  return Array.isArray(json) ? inside : [...inside, { body: { ...json, [text]: "x" } }]
}

layer(world, { excludeTestServices: true, timeout: "120 seconds" })("a text that cannot be kept", (it) => {
  it.effect("is refused wherever it is in the body of a request, before anything is done", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("nora", "admin")
      const target = yield* make("nora")
      const examples = endpoints.flatMap(({ example, method, path }) =>
        example === null
          ? []
          : [[method, path.replace("/v1", "").replaceAll(/\{[a-z]+\}/gi, "0".repeat(64)), example] as const]
      )
      const asked = operations.flatMap((operation) => requestsOf(operation, target))
        .flatMap(([, method, path, body]) => body === undefined ? [] : [[method, path, body] as const])
      const before = yield* lengths
      let count = 0
      for (const [method, path, whole] of [...examples, ...asked]) {
        for (const { body, first } of unkept.flatMap((text) => spoiled(whole, text))) {
          if (first !== undefined && first === hashed[path]) continue
          const { json, status, text } = yield* ask(token, method, `${url}/v1${path}`, body)
          assert.strictEqual(status, 400, `${path} ${JSON.stringify(body)} ${text}`)
          assert.strictEqual(json.detail, "the body holds a text that cannot be kept", text)
          count++
        }
      }
      assert.isAbove(count, 300)
      assert.strictEqual(yield* lengths, before)
    }))

  it.effect("is held in the input of a session and in what an act came to", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("otto", "operator")
      const approver = yield* letIn("grace", "approver")
      const opened = (actor: string, order: string) =>
        Effect.map(ask(token, "POST", `${url}/v1/sessions`, { actor, input: { order } }), ({ json, status, text }) => {
          assert.strictEqual(status, 201, text)
          return `${url}/v1/sessions/${json.id}`
        })
      const until = (session: string, is: string) =>
        Effect.repeat(ask(token, "GET", session), { until: ({ json }) => json.status === is })
      for (const text of unkept) yield* Effect.flatMap(opened("Clerk", text), (one) => until(one, "succeeded"))
      const session = yield* opened("Shop", "lost-\u0000")
      yield* until(session, "waiting")
      const { json: { items } } = yield* ask(token, "GET", `${url}/v1/approvals?state=proposed`)
      const ticket = items.find((one: { readonly session: string }) => session.endsWith(one.session))
      const decision = { tickets: [{ id: ticket.id, binding: ticket.binding }], approve: true, reason: "" }
      assert.strictEqual((yield* ask(approver, "POST", `${url}/v1/approvals/decide`, decision)).status, 200)
      const { json: { items: [{ id: unknown }] } } = yield* Effect.repeat(ask(token, "GET", `${url}/v1/unknown`), {
        until: ({ json }) => json.items.length > 0
      })
      const word = { unknown, choice: "done", reason: "seen", result: "paid\u0000" }
      const settled = yield* ask(token, "POST", `${url}/v1/unknown/settle`, word)
      assert.strictEqual(settled.status, 200, settled.text)
      yield* until(session, "succeeded")
      assert.strictEqual((yield* ask(token, "GET", `${session}/result`)).json.result, "paid\u0000")
    }))

  it.effect("is refused in what tools of MCP keep", () =>
    Effect.gen(function*() {
      const one = yield* client(yield* letIn("maud", "admin"))
      const { session } = yield* make("maud")
      const before = yield* lengths
      for (const text of unkept) {
        const decision = { tickets: [{ id: "T0", binding: "0".repeat(64) }], approve: true }
        for (
          const { error } of [
            yield* call(one, "session_cancel", { session, reason: text }),
            yield* call(one, "approval_decide", { ...decision, reason: text })
          ]
        ) assert.include(error, "a text without U+0000")
      }
      assert.strictEqual(yield* lengths, before)
    }))
})
