/**
 * What the bridge adds to a call of an MCP server: a governed call by an actor in memory, beside the official client alone and
 * beside a governed call of a tool of this process, by turns in one run. Client and bridge each have a process of the same
 * server, over standard input and output.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { Effect, Layer, Schema } from "effect"
import { performance } from "node:perf_hooks"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Bridge, Mcp, McpContent } from "../../src/mcp/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as S from "../mcp/strangers.ts"
import * as W from "../mcp/world.ts"
import type { Report } from "./rows.ts"

/** Prints what the bridge adds. */
export const overhead = (report: Report, isQuick: boolean) =>
  Effect.gen(function*() {
    const strangers = yield* S.make(S.tool("echo"))
    const program = strangers.program("silent")
    const client = yield* connected(program)
    const bare = (args: Record<string, unknown>) =>
      Effect.promise(() => client.callTool({ name: "echo", arguments: args }))
    const rounds = isQuick ? 200 : 1000
    yield* Effect.gen(function*() {
      yield* W.approveAll("strangers")
      const echo = yield* Effect.flatMap(Bridge, (bridge) => bridge.tool("strangers", "echo"))
      const { Caller, Local } = callers(echo)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const order = { caller: "bench", grant: Grant.make(["mcp:strangers@echo", "tool:local"], terms) }
        const [own, local, theirs] = [series(), series(), series()]
        for (let turn = 0; turn <= turns; turn++) {
          const isWarm = turn > 0
          yield* own.add(timesIn(dispatch.start(Caller, rounds, order)), isWarm)
          yield* local.add(timesIn(dispatch.start(Local, rounds, order)), isWarm)
          yield* theirs.add(timesOf(rounds, bare), isWarm)
        }
        const [whole, governed, plain] = [own.told(), local.told(), theirs.told()]
        report("MCP: bare call by the SDK, p50", plain.ms, "ms")
        report("MCP: governed call of a tool of this process, p50", governed.ms, "ms")
        report("MCP: bridged and governed call, p50", whole.ms, "ms")
        report("MCP: bridged call, added to the bare one, p50", whole.ms - plain.ms, "ms")
        report("MCP: bridged call, added to the governed one, p50", whole.ms - governed.ms, "ms")
        report("MCP: bridged call, added to both, p50", whole.ms - plain.ms - governed.ms, "ms")
        report("MCP: bridged call / bare call, p50", whole.ms / plain.ms, "ratio")
        report("MCP: bare call, processor time of this process", plain.workMs, "ms")
        report("MCP: governed call, processor time of this process", governed.workMs, "ms")
        report("MCP: bridged call, processor time of this process", whole.workMs, "ms")
        report("MCP: bridged call / both, processor time", whole.workMs / (plain.workMs + governed.workMs), "ratio")
      }).pipe(Effect.provide(
        Layer.mergeAll(Actor.layer(Caller), Actor.layer(Local)).pipe(
          Layer.provide(Layer.merge(Mcp.layer(echo), Tool.layer(Near, () => Effect.succeed(answer))))
        )
      ))
    }).pipe(Effect.provide(W.runtime({ strangers: { ...program, tools: { echo: { readOnly: true } } } })))
  }).pipe(Effect.scoped)

// internal

const turns = 3
const terms = { lifetimeSeconds: 3600 }

/** What the bridged tool is here: the same answer, out of this process. */
const Near = Tool.make("local", {
  description: "answers",
  capabilities: ["tool:local"],
  params: Schema.Json,
  success: McpContent.Result
})
const answer: McpContent.Result = { content: [{ type: "text", text: "{\"round\":1}" }], structured: null, cut: false }

/** An actor that calls the bridged tool many times, and one that calls the other. */
const callers = (echo: Mcp.GovernedOf<"strangers", "echo">) => {
  const shared = { input: Schema.Int, output: Schema.Array(Schema.Finite) }
  return {
    Caller: DeterministicActor.make("Caller", {
      ...shared,
      description: "calls a tool of a server many times",
      tools: [echo],
      run: (calls) => timesOf(calls, (args) => Effect.orDie(Tool.call(echo, args)))
    }),
    Local: DeterministicActor.make("Local", {
      ...shared,
      description: "calls a tool of this process many times",
      tools: [Near],
      run: (calls) => timesOf(calls, (args) => Effect.orDie(Tool.call(Near, args)))
    })
  }
}

const middle = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** Times of calls of one kind, and what they took of the processor. */
const series = () => {
  const times: Array<number> = []
  let workedUs = 0
  return {
    add: <E, R>(calls: Effect.Effect<ReadonlyArray<number>, E, R>, isCounted: boolean) =>
      Effect.gen(function*() {
        const before = process.cpuUsage()
        const took = yield* calls
        const { system, user } = process.cpuUsage(before)
        if (!isCounted) return
        times.push(...took)
        workedUs += user + system
      }),
    told: () => ({ ms: middle(times), workMs: workedUs / 1000 / times.length })
  }
}

/** What a session measured. */
const timesIn = <E, R>(run: Effect.Effect<Dispatch.Ended<ReadonlyArray<number>>, E, R>) =>
  Effect.flatMap(
    run,
    (ended) => ended._tag === "Succeeded" ? Effect.succeed(ended.output) : Effect.die(new Error(JSON.stringify(ended)))
  )

/** Calls so many times, one after the other, and gives how long each took. */
const timesOf = <E, R>(count: number, call: (args: Record<string, number>) => Effect.Effect<unknown, E, R>) =>
  Effect.gen(function*() {
    const times: Array<number> = []
    for (let round = 0; round < count; round++) {
      const start = performance.now()
      yield* call({ round })
      times.push(performance.now() - start)
    }
    return times
  })

/** The official client on a process of its own, for as long as the scope is open. */
const connected = (program: ReturnType<typeof W.own>) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ name: "bench", version: "1" })
      await client.connect(new StdioClientTransport(program))
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )
