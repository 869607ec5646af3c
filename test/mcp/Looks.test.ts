/** What a call costs does not grow with what else its server has: counted, in hashes and schemas that are made. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result, type Schema } from "effect"
import { Digest } from "../../src/audit/index.ts"
import { Bridge, Mcp, McpChecker, McpPeers, McpSettings } from "../../src/mcp/index.ts"
import * as S from "./strangers.ts"
import * as W from "./world.ts"

const servers: W.Servers = { many: { command: "none", tools: { "*": { readOnly: true } } } }

/** What ten calls of one tool of a server with so many make, and what the first look at it does. */
const spent = (count: number) =>
  Effect.gen(function*() {
    const tools = Array.from({ length: count }, (_, at) => S.tool(`t${at}`) as Schema.Json)
    const made = { texts: 0, schemas: 0 }
    const digest = yield* Digest.Digest
    const counting = Digest.Digest.of({
      ...digest,
      canonical: (value) => {
        made.texts++
        return digest.canonical(value)
      }
    })
    const checker = McpChecker.of({
      compile: () => {
        made.schemas++
        return Result.succeed(() => undefined)
      }
    })
    const peers = McpPeers.Peers.of({
      list: () => Effect.succeed({ generation: 1, tools }),
      call: () => Effect.succeed({ content: [{ type: "text", text: "done" }] }),
      status: () => Effect.succeed(McpPeers.idle)
    })
    const parts = Layer.mergeAll(
      Layer.succeed(Digest.Digest, counting),
      Layer.succeed(McpChecker, checker),
      Layer.succeed(McpPeers.Peers, peers),
      Layer.succeed(McpSettings.Current, { version: 1, servers })
    )
    const context = yield* Layer.build(Layer.fresh(Mcp.layerBridge.pipe(Layer.provide(parts))))
    return yield* Effect.gen(function*() {
      const bridge = yield* Bridge
      const [view] = yield* bridge.shelf("many")
      const first = { ...made }
      if (view?.definition === null || view === undefined) return yield* Effect.die("it is unfit")
      const order = { server: "many", tool: "t0", by: "ada", reason: "read it" }
      yield* bridge.approve({ ...order, definition: view.definition.hash })
      const clerk = yield* W.clerk(yield* bridge.tool("many", "t0"))
      const before = { ...made }
      for (let n = 0; n < 10; n++) assert.strictEqual((yield* clerk.call({ n }))._tag, "Result")
      return { first, calls: { texts: made.texts - before.texts, schemas: made.schemas - before.schemas } }
    }).pipe(Effect.provideContext(context))
  }).pipe(Effect.scoped, Effect.provide(W.runtime({})))

describe("a call", () => {
  it.live("reads no definition, however many its server has", () =>
    Effect.gen(function*() {
      const [few, many] = [yield* spent(1), yield* spent(300)]
      // A listing is read once, all of it.
      assert.deepStrictEqual([few.first, many.first], [{ texts: 1, schemas: 1 }, { texts: 300, schemas: 300 }])
      assert.deepStrictEqual([few.calls, many.calls], [{ texts: 0, schemas: 0 }, { texts: 0, schemas: 0 }])
    }), 60_000)
})
