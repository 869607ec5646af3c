/** The file that lets servers in: as a whole, or not at all. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { McpFile } from "../../../layers/mcp/index.ts"
import { McpSettings } from "../../../src/mcp/index.ts"

const parse = (settings: unknown) => McpFile.parse("mcp.yaml", JSON.stringify(settings))
const refused = (servers: object) => Effect.map(Effect.flip(parse({ version: 1, servers })), ({ message }) => message)

describe("the file of MCP servers", () => {
  it.effect("is read as the guide has it", () =>
    Effect.gen(function*() {
      const guide = readFileSync(join(import.meta.dirname, "../../../docs/guide/mcp.md"), "utf8")
      const [, text = ""] = /^```yaml\n(.*?)^```$/ms.exec(guide) ?? []
      const { servers } = yield* McpFile.parse("mcp.yaml", text)
      const files = servers["files"]
      assert.isTrue(files !== undefined && "command" in files)
      const issues = servers["tracker"]
      assert.isTrue(issues !== undefined && "url" in issues)
    }))

  it.effect("with a word that is not understood lets nobody in", () =>
    Effect.gen(function*() {
      const tools = { a: { readOnly: true } }
      assert.include(yield* refused({ files: { command: "x", tools, tols: 1 } }), "tols")
      assert.include(yield* refused({ files: { command: "x", tools: { a: { readonly: true } } } }), "readonly")
      assert.include(yield* refused({ "Odd Name": { command: "x", tools } }), "mcp.yaml")
      assert.include(yield* refused({ files: { tools } }), "mcp.yaml")
      assert.include(yield* refused({ files: { url: "ftp://files", tools } }), "mcp.yaml")
      assert.include(yield* refused({ files: { url: "https://ada:pw@files.example", tools } }), "mcp.yaml")
      assert.include(yield* refused({ files: { command: "x", url: "https://files.example", tools } }), "mcp.yaml")
      const error = yield* Effect.flip(McpFile.parse("mcp.yaml", "version: [1"))
      assert.include(error.message, "no YAML")
      const gone = yield* Effect.flip(McpFile.read("/nowhere/mcp.yaml")).pipe(Effect.provide(NodeServices.layer))
      assert.include(gone.message, "cannot be read")
    }))

  it.effect("lends no server a variable of the runtime's own", () =>
    Effect.gen(function*() {
      const inherit = ["PATH", "AOSIQ_KEYS"]
      assert.include(yield* refused({ files: { command: "x", inherit, tools: {} } }), "AOSIQ_")
    }))

  it("says the least where it says nothing: an approval for each call, results of a stranger, no tool unnamed", () => {
    const server: McpSettings.ServerSettings = { command: "x", tools: { a: {} } }
    const marks = McpSettings.marksOf(server, "a")
    assert.isDefined(marks)
    assert.isFalse(McpSettings.isReversible(marks ?? {}))
    assert.deepStrictEqual(McpSettings.sinksOf(server, {}), ["outbound"])
    assert.deepStrictEqual(McpSettings.sinksOf(server, { readOnly: true }), [])
    assert.deepStrictEqual(McpSettings.sinksOf({ url: "https://a.example", tools: {} }, { readOnly: true }), [
      "outbound"
    ])
    for (const name of ["b", "toString", "__proto__"]) assert.isUndefined(McpSettings.marksOf(server, name))
  })
})
