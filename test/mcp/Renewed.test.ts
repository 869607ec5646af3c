/** What an operator approves in another process is noticed in one that runs on: a tool is made of it, and none changes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Bridge } from "../../src/mcp/index.ts"
import * as S from "./strangers.ts"
import * as W from "./world.ts"

const changed = S.tool("echo", { description: "does echo, and more" })

describe("a definition that an operator approved elsewhere", () => {
  it.live("makes a new tool, for an actor of the same name, and the one before stays stopped", () =>
    Effect.gen(function*() {
      const strangers = yield* S.make(S.tool("echo"))
      const servers: W.Servers = { strangers: { ...strangers.program(), tools: { echo: { readOnly: true } } } }
      yield* Effect.gen(function*() {
        const operator = yield* W.elsewhere(servers)
        const bridge = yield* Bridge
        const first = yield* Effect.forkChild(bridge.next("strangers", "echo"))
        yield* Effect.sleep(600)
        assert.isUndefined(first.pollUnsafe())
        yield* Effect.provideContext(W.approveAll("strangers"), operator)
        const before = yield* Fiber.join(first)
        const clerk = yield* W.clerk(before, before.capabilities, "Clerk")
        assert.strictEqual((yield* clerk.call({ n: 1 }))._tag, "Result")

        const waiting = yield* Effect.forkChild(bridge.next("strangers", "echo", before))
        strangers.list(changed)
        yield* Effect.sleep(300)
        assert.deepInclude(yield* clerk.call({ n: 2 }), { _tag: "Refusal", layer: "class" })
        yield* Effect.sleep(600)
        assert.isUndefined(waiting.pollUnsafe())
        yield* Effect.provideContext(W.approveAll("strangers"), operator)
        const after = yield* Effect.timeout(Fiber.join(waiting), 5000)
        assert.strictEqual(after.description, changed.description)
        assert.deepInclude(yield* clerk.call({ n: 3 }), { _tag: "Refusal", layer: "class" })
        const successor = yield* W.clerk(after, after.capabilities, "Clerk")
        assert.strictEqual((yield* successor.call({ n: 4 }))._tag, "Result")
      }).pipe(Effect.scoped, Effect.provide(W.runtime(servers)))
      assert.deepStrictEqual(strangers.calls(), ["echo {\"n\":1}", "echo {\"n\":4}"])
    }).pipe(Effect.scoped))

  it.live("does nothing here while the server says another one here", () =>
    Effect.gen(function*() {
      const [here, there] = [yield* S.make(S.tool("echo")), yield* S.make(changed)]
      const servers = (program: ReturnType<typeof here.program>): W.Servers => ({
        strangers: { ...program, tools: { echo: { readOnly: true } } }
      })
      yield* Effect.gen(function*() {
        const operator = yield* W.elsewhere(servers(there.program()))
        const bridge = yield* Bridge
        const waiting = yield* Effect.forkChild(bridge.next("strangers", "echo"))
        yield* Effect.provideContext(W.approveAll("strangers"), operator)
        yield* Effect.sleep(1200)
        assert.isUndefined(waiting.pollUnsafe())
        // Nobody was stopped by looking.
        assert.deepStrictEqual((yield* W.pinned).map(({ what }) => what), ["approved"])
        here.list(changed)
        assert.strictEqual((yield* Effect.timeout(Fiber.join(waiting), 5000)).description, changed.description)
      }).pipe(Effect.scoped, Effect.provide(W.runtime(servers(here.program()))))
    }).pipe(Effect.scoped))

  it.live("is asked for anew by a session that waited under the one before", () =>
    Effect.gen(function*() {
      const strangers = yield* S.make(S.tool("echo"))
      const servers: W.Servers = { strangers: { ...strangers.program(), tools: { echo: {} } } }
      yield* Effect.gen(function*() {
        yield* W.approveAll("strangers")
        const bridge = yield* Bridge
        const before = yield* bridge.tool("strangers", "echo")
        const clerk = yield* W.clerk(before, before.capabilities, "Clerk")
        assert.strictEqual((yield* clerk.ask({ n: 1 }))._tag, "Waiting")
        strangers.list(changed)
        yield* Effect.sleep(300)
        yield* W.approveAll("strangers")
        const after = yield* bridge.next("strangers", "echo", before)
        const successor = yield* W.clerk(after, after.capabilities, "Clerk")
        const again = yield* successor.approve
        assert.strictEqual(again._tag, "Waiting")
        assert.deepStrictEqual(strangers.calls(), [])
        assert.strictEqual((yield* Effect.flatMap(successor.approve, W.whole))._tag, "Result")
      }).pipe(Effect.scoped, Effect.provide(W.runtime(servers)))
      assert.deepStrictEqual(strangers.calls(), ["echo {\"n\":1}"])
    }).pipe(Effect.scoped))

  it.live("is not waited for when the settings let no such tool in", () =>
    Effect.gen(function*() {
      const bridge = yield* Bridge
      for (const [server, tool] of [["strangers", "other"], ["nobody", "echo"]] as const) {
        assert.strictEqual((yield* Effect.flip(bridge.next(server, tool))).reason._tag, "NotListed")
      }
    }).pipe(Effect.provide(W.runtime({ strangers: { ...W.own("server"), tools: { echo: {} } } }))))
})
