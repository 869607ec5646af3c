/** `aosiq mcp`: what operators see of servers and approve, in real processes over a folder. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import type { McpViews } from "../../src/mcp/index.ts"
import { official } from "../mcp/world.ts"
import { diskIncident } from "./incident.ts"
import { type Ended, files, folder, run, start } from "./program.ts"

const json = <A>({ out }: Ended): A => JSON.parse(out) as A

describe("aosiq mcp", () => {
  it.live("lists, shows, approves and withdraws; what was approved is in the record", () =>
    Effect.gen(function*() {
      const home = yield* folder
      yield* files(join(home, "incident"), diskIncident)
      yield* files(home, {
        "mcp.json": JSON.stringify({
          version: 1,
          servers: { notes: { ...official("memory"), tools: { read_graph: { readOnly: true }, create_entities: {} } } }
        })
      })
      const how = { cwd: home, env: { AOSIQ_MCP: join(home, "mcp.json") } }
      // Operators reach the process that is up; one of their own would have to load the runtime each time.
      const runtime = yield* start(how, "start", "--case", join(home, "incident"))
      yield* runtime.says("stays up")

      const [server] = json<ReadonlyArray<McpViews.ServerView>>(yield* run(how, "mcp", "list", "--json"))
      assert.deepInclude(server, { server: "notes", transport: "stdio" })
      assert.strictEqual(server?.status.state, "idle")

      const before = json<ReadonlyArray<McpViews.ToolView>>(yield* run(how, "mcp", "tools", "notes", "--json"))
      const standing = new Map(before.map(({ standing, tool }) => [tool, standing]))
      assert.strictEqual(standing.get("read_graph"), "new")
      assert.strictEqual(standing.get("delete_entities"), "not let in")

      const wrong = yield* run(how, "mcp", "approve", "notes", "read_graph", "--definition", "0".repeat(64))
      assert.strictEqual(wrong.code, 1)
      const usage = yield* run(how, "mcp", "approve", "notes")
      assert.strictEqual(usage.code, 2, usage.err)
      const closed = yield* run(how, "mcp", "approve", "notes", "delete_entities")
      assert.include(closed.err, "not let in")

      const approved = yield* run(how, "mcp", "approve", "notes", "--all", "--by", "ada", "--reason", "read them")
      assert.include(approved.out, "notes read_graph is approved as")
      const shown = yield* run(how, "mcp", "tools", "notes", "read_graph")
      assert.include(shown.out, "(approved)")
      assert.include(shown.out, "mcp:notes@read_graph")
      const withdrawn = yield* run(how, "mcp", "withdraw", "notes", "read_graph", "--by", "ada")
      assert.strictEqual(withdrawn.code, 0, withdrawn.err)
      const after = yield* run(how, "mcp", "tools", "notes")
      assert.match(after.out, /read_graph\s+withdrawn/)

      const verified = yield* run(how, "audit", "verify")
      assert.strictEqual(verified.code, 0, verified.err)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 600_000)

  it.live("starts nothing with a file that is not understood", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const settings = { version: 1, servers: { notes: { command: "node", tols: {}, tools: {} } } }
      yield* files(join(home, "incident"), diskIncident)
      yield* files(home, { "mcp.json": JSON.stringify(settings) })
      const how = { cwd: home, env: { AOSIQ_MCP: join(home, "mcp.json") } }
      const started = yield* run(how, "start", "--once", "--case", join(home, "incident"))
      assert.strictEqual(started.code, 1)
      assert.include(started.err, "mcp.json")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 300_000)
})
