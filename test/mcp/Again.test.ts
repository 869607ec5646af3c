/** Actors that could not be made of what is approved: whole or not at all, tried again at growing distances, and no older. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Digest } from "../../src/audit/index.ts"
import { Bridge, Mcp, McpContent, McpError } from "../../src/mcp/index.ts"
import { Tool } from "../../src/tool/index.ts"

/** The tool, as it is made of one definition. */
const toolOf = (description: string): Mcp.AnyGoverned => ({
  ...Tool.make("mcp__strangers__echo", {
    description,
    capabilities: ["mcp:strangers@echo"],
    params: Schema.Json,
    success: McpContent.Result,
    failure: McpError
  }),
  origin: {
    server: "strangers",
    tool: "echo",
    pinnable: { definition: { name: "echo", inputSchema: {} }, hash: Digest.Hash.make("0".repeat(64)), text: "{}" },
    checks: { input: () => undefined, output: undefined }
  }
})

/** A bridge whose operators approve what a test says, actors of which one breaks while it is told to, and a count. */
const world = Effect.gen(function*() {
  let tool = toolOf("first")
  const state = { isBroken: false, isLookedAt: true, tries: 0, open: 0 }
  const bridge = Layer.mock(Bridge, {
    renewed: (_server: string, _tool: string, before?: Mcp.AnyGoverned) =>
      state.isLookedAt
        ? Effect.succeed(before === tool ? Option.none() : Option.some(tool as never)) // Its name is the right one.
        : Effect.die("the log does not answer")
  })
  const keeper = (echo: Mcp.AnyGoverned) =>
    Actor.layer(DeterministicActor.make("Keeper", {
      description: echo.description,
      input: Schema.Json,
      output: Schema.Json,
      tools: [],
      run: Effect.succeed
    }))
  const beside = Layer.effectDiscard(
    Effect.andThen(
      Effect.acquireRelease(Effect.sync(() => state.open++), () => Effect.sync(() => state.open--)),
      Effect.suspend(() => {
        state.tries++
        return state.isBroken ? Effect.die("the other actor needs what is not there") : Effect.void
      })
    )
  )
  // The other one is made after the keeper, so that a keeper is there when it breaks.
  const following = Mcp.following(
    ["strangers@echo"],
    (echo) => beside.pipe(Layer.provideMerge(keeper(echo)))
  )
  const registry = yield* Layer.build(Layer.merge(Actor.layerRegistry, Layer.mock(Actor.Spawner, {})))
  yield* Layer.build(following).pipe(Effect.provideContext(registry), Effect.provide(bridge))
  const description = Effect.map(
    Effect.flatMap(Actor.Registry, (registry) => registry.get("Keeper")),
    (keeper) => keeper?.class.description
  ).pipe(Effect.provideContext(registry))
  const approve = (description: string) =>
    Effect.sync(() => {
      tool = toolOf(description)
    })
  return { state, description, approve }
})

describe("actors that cannot be made of what is approved", () => {
  it.effect("are tried again, later each time, and registered whole once they can be", () =>
    Effect.gen(function*() {
      const { approve, description, state } = yield* world
      assert.strictEqual(yield* description, "first")
      state.isBroken = true
      yield* approve("second")
      const triedBy: Array<number> = []
      for (const ms of [500, 500, 1000, 2000, 4000]) {
        yield* TestClock.adjust(ms)
        triedBy.push(state.tries - 1)
        // What was made beside the one that broke is not registered, and is open no longer.
        assert.deepStrictEqual([yield* description, state.open], ["first", 1])
      }
      assert.deepStrictEqual(triedBy, [1, 2, 3, 4, 5])
      yield* TestClock.adjust("10 minutes")
      const before = state.tries
      yield* TestClock.adjust(Mcp.longestWaitMs * 10)
      assert.strictEqual(state.tries - before, 10)

      state.isBroken = false
      yield* TestClock.adjust(Mcp.longestWaitMs)
      assert.deepStrictEqual([yield* description, state.open], ["second", 2])
      const made = state.tries
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(state.tries, made)
    }))

  it.effect("are left for those of the next definition, which does not wait for them", () =>
    Effect.gen(function*() {
      const { approve, description, state } = yield* world
      state.isBroken = true
      yield* approve("second")
      yield* TestClock.adjust("10 minutes")
      state.isBroken = false
      yield* approve("third")
      yield* TestClock.adjust(1000)
      assert.strictEqual(yield* description, "third")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual([yield* description, state.open], ["third", 2])
    }))

  it.effect("are made once what is approved can be looked at", () =>
    Effect.gen(function*() {
      const { approve, description, state } = yield* world
      state.isLookedAt = false
      yield* approve("second")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* description, "first")
      state.isLookedAt = true
      yield* TestClock.adjust(1000)
      assert.strictEqual(yield* description, "second")
    }))

  it.effect("are tried no more once their layer has ended", () =>
    Effect.gen(function*() {
      const state = yield* Effect.scoped(
        Effect.gen(function*() {
          const { approve, state } = yield* world
          state.isBroken = true
          yield* approve("second")
          yield* TestClock.adjust("1 minute")
          return state
        })
      )
      const { tries } = state
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual([state.tries, state.open], [tries, 0])
    }))
})
