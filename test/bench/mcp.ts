/**
 * What the bridge adds to a call of an MCP server: a governed call by an actor in memory, beside the official client alone, by
 * turns in one run. Each has a process of the same server, over standard input and output.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { Effect, Layer, Schema } from "effect"
import { performance } from "node:perf_hooks"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Bridge, Mcp } from "../../src/mcp/index.ts"
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
      const Caller = DeterministicActor.make("Caller", {
        description: "calls a tool many times",
        input: Schema.Int,
        output: Schema.Array(Schema.Finite),
        tools: [echo],
        run: (calls) => timesOf(calls, (args) => Effect.orDie(Tool.call(echo, args)))
      })
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const grant = Grant.make(["mcp:strangers@echo"], { lifetimeSeconds: 3600 })
        const [own, theirs]: [Array<number>, Array<number>] = [[], []]
        for (let turn = 0; turn <= turns; turn++) {
          const ended = yield* dispatch.start(Caller, rounds, { grant, caller: "bench" })
          if (ended._tag !== "Succeeded") return yield* Effect.die(new Error(JSON.stringify(ended)))
          const plain = yield* timesOf(rounds, bare)
          if (turn === 0) continue // Warms up.
          own.push(...ended.output)
          theirs.push(...plain)
        }
        report("MCP: bare call by the SDK, p50", middle(theirs), "ms")
        report("MCP: bridged and governed call, p50", middle(own), "ms")
        report("MCP: bridged call, added, p50", middle(own) - middle(theirs), "ms")
        report("MCP: bridged call / bare call, p50", middle(own) / middle(theirs), "ratio")
      }).pipe(Effect.provide(Actor.layer(Caller).pipe(Layer.provide(Mcp.layer(echo)))))
    }).pipe(Effect.provide(W.runtime({ strangers: { ...program, tools: { echo: { readOnly: true } } } })))
  }).pipe(Effect.scoped)

// internal

const turns = 3

const middle = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

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
