/** Reasoning on LangGraph: whatever the shape, every act is governed; and a run can be stopped anywhere and go on. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { awaitAllCallbacks } from "@langchain/core/callbacks/promises"
import { END, START, StateGraph } from "@langchain/langgraph"
import { Deferred, Effect, Exit, Fiber, Layer, Schema } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { LangGraph } from "../../layers/langgraph/index.ts"
import { Actor, Agent } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as W from "./world.ts"

const Seeker = Agent.make("Seeker", {
  description: "seeks",
  input: Schema.String,
  output: Schema.String,
  tools: [W.Look],
  backends: ["scripted"],
  instructions: "seek",
  task: (question) => question
})
const grant = Grant.make(["tool:look", "backend:scripted"])

/** Runs `use` with the agent registered on a graph of the given shape. */
const on = <A, E, R>(
  model: W.Model,
  shape: LangGraph.Shape,
  use: (start: Effect.Effect<Dispatch.Ended<string>, Dispatch.DispatchError>) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const agent = yield* Agent.on(Seeker, model.backend)
    return yield* Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const services = yield* Effect.context<Actor.Registered<"Seeker">>()
      const start = dispatch.start(agent, "the secret question", { grant, caller: "test" })
      return yield* use(Effect.provideContext(start, services))
    }).pipe(Effect.provide(Actor.layer(agent).pipe(Layer.provide(LangGraph.layer(shape)))))
  })

const turns = () => W.turns({ calls: [W.look("a")] }, { calls: [W.look("b")] }, W.conclude("there"))

beforeEach(() => {
  W.done.length = 0
  W.revive()
})

describe("a shape of one's own", () => {
  /** Thinks twice before it acts on the second thought, and notes where it went. */
  const doubting = (visited: Array<string>): LangGraph.Shape => (nodes, route) =>
    new StateGraph(LangGraph.State)
      .addNode("first", (state) => (visited.push("first"), nodes.think(state)))
      .addNode("again", (state) => (visited.push("again"), nodes.act(state)))
      .addNode("look", (state) => (visited.push("look"), nodes.think(state)))
      .addNode("conclude", nodes.conclude)
      .addEdge(START, "first")
      .addEdge("first", "again")
      .addConditionalEdges("again", (state) => route(state) === END ? END : "look", ["look", END])
      .addConditionalEdges("look", (state) => route(state) === "conclude" ? "conclude" : "again", ["conclude", "again"])
      .addEdge("conclude", END)
      .compile()

  it.live("orders the same governed steps otherwise", () =>
    Effect.gen(function*() {
      const visited: Array<string> = []
      const { ended, rows } = yield* on(yield* turns(), doubting(visited), (start) =>
        Effect.gen(function*() {
          const ended = yield* start
          return { ended, rows: yield* W.rows(ended.session) }
        }))
      assert.deepInclude(ended, { _tag: "Succeeded", output: "there" })
      assert.deepStrictEqual(visited, ["first", "again", "look", "again", "look"])
      assert.deepStrictEqual(W.succeeded(rows), ["model:scripted", "look", "model:scripted", "look", "model:scripted"])
      assert.strictEqual(W.bodies(rows, "intent").length, 5)
    }).pipe(Effect.provide(W.app)))

  it.live("does not get past a refusal", () =>
    Effect.gen(function*() {
      const model = yield* W.turns({ calls: [W.call("deploy", { version: "v1" })] }, W.conclude("there"))
      yield* on(model, doubting([]), (start) => start)
      assert.deepStrictEqual(W.done, [])
      assert.include(JSON.stringify(model.prompts[1]), "there is no tool deploy")
    }).pipe(Effect.provide(W.app)))

  const faulty: ReadonlyArray<readonly [string, LangGraph.Shape, RegExp]> = [
    [
      "never ends",
      (nodes) =>
        new StateGraph(LangGraph.State).addNode("think", nodes.think).addEdge(START, "think").addEdge("think", "think")
          .compile(),
      /[Rr]ecursion/
    ],
    ["cannot be built", () => {
      throw new Error("no such node")
    }, /no such node/],
    ["breaks down", () => ({ invoke: () => Promise.reject(new Error("out of paper")) }), /out of paper/],
    [
      "ends without a conclusion",
      () => new StateGraph(LangGraph.State).addNode("idle", (state) => state).addEdge(START, "idle").compile(),
      /the graph ended without a conclusion/
    ],
    [
      "keeps no state",
      (nodes) => ({
        invoke: async (state) =>
          state === null ? assert.fail("there is nothing to go on from") : await nodes.think(state)
      }),
      /the graph keeps no state/
    ]
  ]
  for (const [name, shape, why] of faulty) {
    it.live(`that ${name} is an honest failure`, () =>
      Effect.gen(function*() {
        const ended = yield* on(yield* W.model(() => ({ calls: [W.look("a")] })), shape, (start) => start)
        assert.strictEqual(ended._tag, "Failed")
        assert.match(ended._tag === "Failed" ? ended.detail : "", why)
      }).pipe(Effect.provide(W.app)))
  }
})

describe("a run that is interrupted", () => {
  const only = Effect.map(Effect.flatMap(Log.Log, (log) => log.sessions), ([session]) => session ?? assert.fail("none"))

  it.live("between two steps begins no other, and goes on when it is resumed", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      let isHeld = true
      /** The default shape with a stop after the first act. */
      const held: LangGraph.Shape = (nodes, route) =>
        LangGraph.thinkActConclude({
          ...nodes,
          act: async (state) => {
            const after = await nodes.act(state)
            if (isHeld) {
              Effect.runSync(Deferred.succeed(reached, undefined))
              await new Promise(() => {})
            }
            return after
          }
        }, route)
      const model = yield* turns()
      yield* on(model, held, (start) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(start)
          yield* Deferred.await(reached)
          assert.isTrue(Exit.hasInterrupts(yield* Fiber.interrupt(fiber).pipe(Effect.andThen(Fiber.await(fiber)))))
          const session = yield* only
          assert.strictEqual(session.status, "running")
          const before = yield* W.rows(session.id)
          assert.deepStrictEqual(W.succeeded(before), ["model:scripted", "look"])
          isHeld = false
          const dispatch = yield* Dispatch.Dispatch
          assert.deepInclude(yield* dispatch.resume(session.id), { _tag: "Succeeded", output: "there" })
          assert.deepStrictEqual(W.done, ["look a", "look b"])
          assert.strictEqual(model.prompts.length, 3)
        }))
    }).pipe(Effect.provide(W.app)))

  it.live("inside a step ends with the step, whose act is recorded as interrupted and done again", () =>
    Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      let isHeld = true
      let ended = 0
      /** Takes its time over the first look, also over being interrupted. */
      const slow = Tool.layer(W.Look, ({ at }) =>
        isHeld
          ? Deferred.succeed(begun, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Effect.andThen(Effect.sleep(50), Effect.sync(() => void ended++)))
          )
          : Effect.sync(() => (W.done.push(`look ${at}`), `seen ${at}`)))
      const model = yield* turns()
      yield* Effect.gen(function*() {
        yield* on(model, LangGraph.thinkActConclude, (start) =>
          Effect.gen(function*() {
            const fiber = yield* Effect.forkChild(start)
            yield* Effect.andThen(Deferred.await(begun), Effect.sleep(10))
            yield* Fiber.interrupt(fiber)
            assert.strictEqual(ended, 1, "the run did not end before its step")
            const session = yield* only
            const rows = yield* W.rows(session.id)
            assert.strictEqual(session.status, "running")
            assert.deepStrictEqual(
              W.bodies(rows, "outcome").map(({ act, status }) => `${act} ${status}`),
              ["model:scripted succeeded", "look interrupted"]
            )
            yield* Effect.sleep(100)
            assert.deepStrictEqual(yield* W.rows(session.id), rows, "nothing acts after the run has ended")
            isHeld = false
            const dispatch = yield* Dispatch.Dispatch
            assert.deepInclude(yield* dispatch.resume(session.id), { _tag: "Succeeded", output: "there" })
            assert.deepStrictEqual(W.done, ["look a", "look b"])
            assert.strictEqual(model.prompts.length, 3)
          }))
      }).pipe(Effect.provide(slow))
    }).pipe(Effect.provide(W.runtime)))
})

describe("a service that traces LangGraph, named by the environment", () => {
  /** Runs `use` and gives what the service was sent until nothing more was due. */
  const traced = <A, E, R>(sent: Array<string>, use: Effect.Effect<A, E, R>) =>
    Effect.andThen(use, Effect.promise(awaitAllCallbacks)).pipe(Effect.map(() => sent.splice(0)))

  const service = Effect.acquireRelease(
    Effect.promise(async () => {
      const sent: Array<string> = []
      const server = createServer((request, response) => {
        let body = ""
        request.on("data", (chunk: Buffer) => body += chunk.toString("latin1"))
        request.on("end", () => {
          sent.push(body)
          response.setHeader("content-type", "application/json")
          response.end("{}")
        })
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const { port } = server.address() as AddressInfo
      const names = {
        LANGSMITH_TRACING: "true",
        LANGSMITH_ENDPOINT: `http://127.0.0.1:${port}`,
        LANGSMITH_API_KEY: "made-up"
      }
      Object.assign(process.env, names)
      return { names, sent, server }
    }),
    ({ names, server }) =>
      Effect.sync(() => {
        for (const name of Object.keys(names)) delete process.env[name]
        server.close()
        server.closeAllConnections()
      })
  )

  it.live("is sent nothing of what an agent hears and says, though it would be of any other graph", () =>
    Effect.gen(function*() {
      const { sent } = yield* service
      const state: typeof LangGraph.State.State = {
        thread: {
          messages: [{ role: "user", content: "the secret question" }],
          step: 0,
          pending: [],
          rejections: 0,
          gathered: 0,
          conclusion: { output: "x" },
          gaveUp: null
        }
      }
      const bare = new StateGraph(LangGraph.State)
        .addNode("think", (state) => state)
        .addEdge(START, "think")
        .addEdge("think", END)
        .compile()
      assert.include((yield* traced(sent, Effect.promise(() => bare.invoke(state)))).join(), "the secret question")
      const model = yield* turns()
      assert.deepStrictEqual(yield* traced(sent, on(model, LangGraph.thinkActConclude, (start) => start)), [])
      assert.strictEqual(model.prompts.length, 3)
      assert.include((yield* traced(sent, Effect.promise(() => bare.invoke(state)))).join(), "the secret question")
    }).pipe(Effect.provide(W.app)))
})
