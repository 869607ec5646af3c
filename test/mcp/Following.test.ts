/** Actors that follow approvals: there once their tools are approved, made anew when others are, and never under a run. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Schedule, Schema } from "effect"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Claims, Grant } from "../../src/capability/index.ts"
import { Bridge, Mcp } from "../../src/mcp/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as S from "./strangers.ts"
import * as W from "./world.ts"

const changed = S.tool("echo", { description: "does echo, and more" })
const readOnly = { echo: { readOnly: true } } as const

/** Calls its tool, once `gate` is open. */
const keeper = (gate: Effect.Effect<void>) => (echo: Mcp.GovernedOf<"strangers", "echo">) =>
  Actor.layer(DeterministicActor.make("Keeper", {
    description: echo.description,
    input: Schema.String,
    output: Schema.String,
    tools: [echo],
    supervision: { on: [] },
    run: (input) =>
      Effect.gen(function*() {
        if (input === "waits") yield* gate
        yield* Effect.catchTag(Tool.call(echo, { input }), "McpError", Effect.die)
        return echo.description
      })
  }))

/** Starts the keeper by its name, and gives how that ended. */
const ask = Effect.fnUntraced(function*(input: string) {
  const dispatch = yield* Dispatch.Dispatch
  const session = Claims.SessionId.make(`ses_${input}`)
  yield* dispatch.open({ session, actor: "Keeper", input, grant: Grant.make(["mcp:strangers@echo"]), caller: "ada" })
  return yield* dispatch.resume(session)
})

const described = Effect.map(
  Effect.flatMap(Actor.Registry, (registry) => registry.get("Keeper")),
  (keeper) => keeper?.class.description
)
const until = (wanted: string) =>
  Effect.timeout(
    Effect.repeat(described, { until: (it) => it === wanted, schedule: Schedule.spaced("50 millis") }),
    "20 seconds"
  )

describe("actors that follow approvals", () => {
  it.live(
    "appear once approved elsewhere, and are made anew when another definition is; runs keep their tools",
    () =>
      Effect.gen(function*() {
        const strangers = yield* S.make(S.tool("echo"))
        const servers: W.Servers = { strangers: { ...strangers.program(), tools: readOnly } }
        const gate = yield* Deferred.make<void>()
        yield* Effect.gen(function*() {
          const operator = yield* W.elsewhere(servers)
          const approve = Effect.provideContext(W.approveAll("strangers"), operator)
          yield* Layer.build(Mcp.following(["strangers@echo"], keeper(Deferred.await(gate))))
          assert.isUndefined(yield* described)
          assert.include((yield* Effect.flip(ask("early"))).message, "Keeper")

          yield* approve
          yield* until("does echo")
          assert.deepInclude(yield* ask("first"), { _tag: "Succeeded", output: "does echo" })

          const running = yield* Effect.forkChild(ask("waits"))
          strangers.list(changed)
          yield* Effect.sleep(300)
          // Nobody has approved it: it is refused, and no actor is made of it.
          assert.deepInclude(yield* ask("refused"), { _tag: "Failed" })
          assert.strictEqual(yield* described, "does echo")
          yield* approve
          yield* until("does echo, and more")
          assert.deepInclude(yield* ask("second"), { _tag: "Succeeded", output: "does echo, and more" })

          // A run that began before has the tool that it began with, which is approved no longer.
          yield* Deferred.succeed(gate, undefined)
          const ended = yield* Fiber.join(running)
          assert.deepInclude(ended, { _tag: "Failed" })
          assert.include(JSON.stringify(ended), "another definition since")
        }).pipe(Effect.scoped, Effect.provide(W.runtime(servers)))
        assert.deepStrictEqual(strangers.calls(), ["echo {\"input\":\"first\"}", "echo {\"input\":\"second\"}"])
      }).pipe(Effect.scoped),
    60_000
  )

  it.live("are there at once where all is approved, and end with their layer", () =>
    Effect.gen(function*() {
      const strangers = yield* S.make(S.tool("echo"))
      yield* Effect.gen(function*() {
        yield* W.approveAll("strangers")
        const following = Mcp.following(["strangers@echo"], keeper(Effect.void))
        yield* Effect.provide(
          Effect.gen(function*() {
            assert.strictEqual(yield* described, "does echo")
            assert.strictEqual((yield* ask("one"))._tag, "Succeeded")
          }),
          following
        )
        assert.notInclude((yield* Tool.provided).map(({ name }) => name), "mcp__strangers__echo")
        // Nobody looks any more.
        strangers.list(changed)
        yield* Effect.sleep(300)
        yield* W.approveAll("strangers")
        yield* Effect.sleep(1200)
        assert.strictEqual(yield* described, "does echo")
      }).pipe(Effect.provide(W.runtime({ strangers: { ...strangers.program(), tools: readOnly } })))
    }).pipe(Effect.scoped), 60_000)

  it.live("are none of a tool that the settings do not let in, and nothing is started", () =>
    Effect.gen(function*() {
      const strangers = yield* S.make(S.tool("echo"))
      yield* Effect.gen(function*() {
        for (const ref of ["strangers@other", "nobody@echo"] as const) {
          const refused = yield* Effect.flip(Layer.build(Mcp.following([ref], () => Layer.empty)))
          assert.strictEqual(refused.reason._tag, "NotListed")
        }
      }).pipe(Effect.scoped, Effect.provide(W.runtime({ strangers: { ...strangers.program(), tools: readOnly } })))
      assert.deepStrictEqual(strangers.pids(), [])
    }).pipe(Effect.scoped))
})

describe("waiting for an approval", () => {
  it.live(
    "ends when its waiter has enough, whatever it is at, and leaves a bridge that works",
    () =>
      Effect.gen(function*() {
        const strangers = yield* S.make(S.tool("echo"))
        yield* Effect.gen(function*() {
          const bridge = yield* Bridge
          for (const ms of [1, 50, 700]) {
            assert.strictEqual((yield* Effect.timeoutOption(bridge.next("strangers", "echo"), ms))._tag, "None")
          }
          yield* W.approveAll("strangers")
          const echo = yield* bridge.next("strangers", "echo")
          // While the server is asked anew, too, for what it does not say.
          strangers.list(changed)
          yield* Effect.sleep(300)
          yield* W.approveAll("strangers")
          strangers.list(S.tool("echo"))
          for (const ms of [1, 20, 700]) {
            yield* Effect.timeoutOption(bridge.next("strangers", "echo", echo), ms)
          }
          strangers.list(changed)
          yield* Effect.sleep(300)
          const clerk = yield* W.clerk(yield* bridge.next("strangers", "echo", echo))
          assert.strictEqual((yield* clerk.call({}))._tag, "Result")
          assert.lengthOf(strangers.pids(), 1)
        }).pipe(
          Effect.scoped,
          Effect.provide(W.runtime({ strangers: { ...strangers.program(), tools: readOnly } }))
        )
      }).pipe(Effect.scoped),
    60_000
  )
})
