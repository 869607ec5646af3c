/** The whole runtime in memory with MCP servers let in, and an actor that does what a test tells it over the bridge. */
import { Effect, Layer, Schema } from "effect"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { McpServers } from "../../layers/mcp/index.ts"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Installation, Log, type Row } from "../../src/audit/index.ts"
import { type Claims, Grant } from "../../src/capability/index.ts"
import { GovernorError, Refusal } from "../../src/governor/index.ts"
import { Bridge, Mcp, McpContent, McpError, McpSettings } from "../../src/mcp/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

export type Servers = McpSettings.Settings["servers"]

/** A runtime with these servers. */
export const runtime = (servers: Servers) =>
  Memory.layer().pipe(Layer.provide(Layer.succeed(McpSettings.Current, { version: 1, servers })))

/** An official server, as a program. */
export const official = (name: "everything" | "filesystem" | "memory", ...args: ReadonlyArray<string>) => {
  const { resolve } = createRequire(import.meta.url)
  const home = dirname(resolve(`@modelcontextprotocol/server-${name}/package.json`))
  return { command: process.execPath, args: [join(home, "dist/index.js"), ...args] }
}

/** A server of a test's own: the program beside this file, told how to behave. */
export const own = (name: string, ...args: ReadonlyArray<string>) => ({
  command: process.execPath,
  args: ["--conditions=aosiq-source", join(import.meta.dirname, `${name}.ts`), ...args]
})

/** The bridge of another process over the same log, with connections of its own. */
export const elsewhere = (servers: Servers) =>
  Layer.build(Layer.fresh(
    Mcp.layerBridge.pipe(
      Layer.provide(McpServers.layer),
      Layer.provide(Layer.succeed(McpSettings.Current, { version: 1, servers }))
    )
  ))

/** An operator approves all that a server has and the settings let in. */
export const approveAll = Effect.fnUntraced(function*(server: string) {
  const bridge = yield* Bridge
  for (const { definition, standing, tool } of yield* bridge.shelf(server)) {
    if (definition === null || standing === "not let in") continue
    yield* bridge.approve({ server, tool, definition: definition.hash, by: "ada", reason: "read it" })
  }
})

/** What a call came to, as the actor saw it. */
export const Seen = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Result"), result: McpContent.Result }),
  Schema.Struct({ _tag: Schema.Literal("Failure"), error: McpError }),
  Schema.Struct({ _tag: Schema.Literal("Refusal"), layer: Schema.String, detail: Schema.String })
])
export type Seen = typeof Seen.Type

let clerks = 0

/** An actor that calls one tool, for as long as the scope is open. */
export const clerk = Effect.fnUntraced(function*(
  tool: Mcp.AnyGoverned,
  granted: ReadonlyArray<string> = tool.capabilities,
  name = `Clerk${clerks++}`
) {
  const dispatch = yield* Dispatch.Dispatch
  const approvals = yield* Approvals.Approvals
  const actor = DeterministicActor.make(name, {
    description: "calls a tool once",
    input: Schema.Json,
    output: Seen,
    tools: [tool],
    supervision: { on: [] },
    run: (input) => seen(tool, input)
  })
  const registered = yield* Layer.build(Actor.layer(actor).pipe(Layer.provideMerge(Mcp.layer(tool))))
  // What a test grants may be less than the class needs: the compiler is put to the test elsewhere.
  const order = { grant: Grant.make(granted as ReadonlyArray<"mcp:any">), caller: "test" } as never
  const ask = (args: Schema.Json) => Effect.provideContext(dispatch.start(actor, args, order), registered)
  return {
    /** Calls it, in a session of its own. */
    ask,
    /** Calls it and gives what the actor saw. */
    call: (args: Schema.Json) => Effect.flatMap(ask(args), whole),
    /** Approves the one ticket that waits, and lets its session go on. */
    approve: Effect.gen(function*() {
      const [ticket, ...others] = (yield* approvals.list).filter(({ state }) => state === "proposed")
      if (ticket === undefined || others.length > 0) return yield* Effect.die("not one ticket waits")
      yield* approvals.decide({ ticket: ticket.id, by: "ada", reason: "fine", approve: true })
      return yield* Effect.provideContext(dispatch.resume(ticket.session), registered)
    })
  }
})

/** What the actor saw, of a run that came to its end. */
export const whole = (ended: { readonly _tag: string; readonly output?: unknown }): Effect.Effect<Seen> =>
  ended._tag === "Succeeded"
    ? Effect.succeed(ended.output as Seen) // The dispatcher decoded it with the class's own schema.
    : Effect.die(new Error(`the session did not succeed: ${JSON.stringify(ended)}`))

/** The text of a result, all of it. */
export const textOf = (seen: Seen): string =>
  seen._tag === "Result"
    ? seen.result.content.map((item) => "text" in item ? item.text : `(${item.type})`).join("\n")
    : `${seen._tag}: ${JSON.stringify(seen)}`

/** The rows of a session. */
export const rows = (session: Claims.SessionId) =>
  Effect.map(Effect.flatMap(Log.Log, (log) => log.rows(session)), (all) => all.map(({ body }) => body))

/** What was recorded about definitions. */
export const pinned = Effect.map(
  rows(Installation.id),
  (all) => all.filter((body): body is Extract<Row.Body, { readonly kind: "pinned" }> => body.kind === "pinned")
)

// internal

/** What an actor sees of a call, as an answer of its own. */
const seen = (tool: Mcp.AnyGoverned, input: Schema.Json): Effect.Effect<Seen, GovernorError> =>
  Tool.callUnchecked(tool, input).pipe(
    Effect.map(({ value }): Schema.Json => ({ _tag: "Result", result: value })),
    Effect.catch((error): Effect.Effect<Schema.Json, GovernorError> => {
      if (!(error instanceof GovernorError)) return Effect.succeed({ _tag: "Failure", error: error.failure })
      if (Refusal.endsRun(error.reason)) return Effect.fail(error)
      const layer = error.reason._tag === "Refused" ? error.reason.layer : error.reason._tag
      return Effect.succeed({ _tag: "Refusal", layer, detail: Refusal.explain(error.reason) })
    }),
    Effect.flatMap((json) => Effect.orDie(Schema.decodeUnknownEffect(Schema.toCodecJson(Seen))(json)))
  ) as never // What an erased tool requires is nobody's to check: it is what the class is given.
