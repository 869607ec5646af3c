/** That a notice comes: of a proposal, of what waits for people and was decided, over HTTP and over standard input and output. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Queue, Sink, Stdio, Stream } from "effect"
import { RpcTest } from "effect/rpc"
import { HttpDoor } from "../../../layers/http/index.ts"
import { Actor } from "../../../src/actor/index.ts"
import { McpStdio } from "../../../src/door/mcp/index.ts"
import { Asker, Desk, Operations } from "../../../src/operator/index.ts"
import { letIn, runtime } from "../http/world.ts"
import { call, client, follow, heard, until, Writer } from "./world.ts"

const served = HttpDoor.layer({ port: 0, limits: { perSecond: 10_000, burst: 10_000 } }).pipe(
  Layer.provideMerge(Layer.merge(Desk.layerMessages, Asker.layerOwnerOrCaller("local"))),
  Layer.provideMerge(Actor.layer(Writer)),
  Layer.provideMerge(runtime)
)

const [approvals, proposals] = ["aosiq://approvals", "aosiq://proposals"]
const spaced = Effect.sleep("1200 millis")

/** The server over standard input and output, in the name of whoever has `token`: what it said, and a way to say something. */
const spoken = Effect.fnUntraced(function*(token: string) {
  const lines = yield* Queue.unbounded<string>()
  const said: Array<string> = []
  const decoder = new TextDecoder()
  const output = () =>
    Sink.forEach((piece: string | Uint8Array) =>
      Effect.sync(() => void said.push(typeof piece === "string" ? piece : decoder.decode(piece)))
    )
  const stdio = Stdio.layerTest({ stdin: Stream.encodeText(Stream.fromQueue(lines)), stdout: output })
  const operations = yield* RpcTest.makeClient(Operations.Operations)
  yield* Effect.forkScoped(Effect.provide(McpStdio.serve(operations, { token }, "1"), stdio))
  const say = (method: string, params: object, id?: number) =>
    Queue.offer(lines, `${JSON.stringify({ jsonrpc: "2.0", ...id !== undefined && { id }, method, params })}\n`)
  const told = (text: string) => said.join("").split(text).length - 1
  const asked = (id: number, method: string, params: object) =>
    Effect.andThen(say(method, params, id), until(() => new RegExp(`"id":"?${id}\\b`).test(said.join(""))))
  yield* asked(1, "initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "t", version: "1" }
  })
  yield* say("notifications/initialized", {})
  return { asked, told }
})

layer(served, { excludeTestServices: true, timeout: "60 seconds" })("a notice", (it) => {
  it.effect(
    "comes of proposals when a session ends with one, and not when it ends with something else",
    () =>
      Effect.gen(function*() {
        const mine = yield* client(yield* letIn("proposals", "viewer"))
        const runs = yield* client(yield* letIn("writes", "operator"))
        const told = heard(mine)
        assert.strictEqual(yield* follow(mine, proposals), "")
        yield* call(runs, "session_dispatch", { actor: "Clerk", input: { order: "p" }, waitSeconds: 20 })
        yield* spaced
        assert.deepStrictEqual(told, [])
        const ended = yield* call(runs, "session_dispatch", { actor: "Writer", input: { order: "p" }, waitSeconds: 20 })
        assert.strictEqual(ended.data.session.status, "succeeded")
        yield* until(() => told.length > 0)
        yield* spaced
        assert.deepStrictEqual(told, [proposals])
      }).pipe(Effect.scoped),
    30_000
  )

  it.effect(
    "comes of approvals when an act begins to wait, and when it is decided, and at no other time",
    () =>
      Effect.gen(function*() {
        const mine = yield* client(yield* letIn("waits", "viewer"))
        const runs = yield* client(yield* letIn("asks", "operator"))
        const decides = yield* client(yield* letIn("decides", "approver"))
        const told = heard(mine)
        assert.strictEqual(yield* follow(mine, approvals), "")
        const { data } = yield* call(runs, "session_dispatch", {
          actor: "Shop",
          input: { order: "a" },
          waitSeconds: 20
        })
        yield* until(() => told.length > 0)
        yield* spaced
        assert.deepStrictEqual(told, [approvals])
        const session = data.session.id
        const [{ binding, id }] = (yield* call(decides, "approvals_list", { session })).data.tickets
        yield* call(decides, "approval_decide", { tickets: [{ id, binding }], approve: true, reason: "fine" })
        yield* until(() => told.length > 1)
        yield* call(runs, "session_dispatch", { actor: "Clerk", input: { order: "a" }, waitSeconds: 20 })
        yield* spaced
        assert.deepStrictEqual(told, [approvals, approvals])
      }).pipe(Effect.scoped),
    30_000
  )

  it.effect("comes over standard input and output, until it is wanted no more", () =>
    Effect.gen(function*() {
      const runs = yield* client(yield* letIn("begins", "operator"))
      const { asked, told } = yield* spoken(yield* letIn("reads", "viewer"))
      const writes = call(runs, "session_dispatch", { actor: "Writer", input: { order: "s" }, waitSeconds: 20 })
      const notice = "notifications/resources/updated"
      yield* writes
      yield* spaced
      assert.strictEqual(told(notice), 0)
      yield* asked(2, "resources/subscribe", { uri: proposals })
      yield* asked(3, "resources/subscribe", { uri: approvals })
      yield* writes
      yield* until(() => told(notice) > 0)
      assert.deepStrictEqual([told(`"uri":"${proposals}"`), told(`"uri":"${approvals}"`)], [1, 0])
      yield* call(runs, "session_dispatch", { actor: "Shop", input: { order: "s" }, waitSeconds: 20 })
      yield* until(() => told(`"uri":"${approvals}"`) > 0)
      yield* asked(4, "resources/unsubscribe", { uri: proposals })
      yield* writes
      yield* spaced
      assert.strictEqual(told(notice), 2)
    }).pipe(Effect.scoped), 30_000)
})
