/** Rows about definitions of MCP servers keep their format: the golden chain is written and read as it was. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { Installation, type Row } from "../../src/audit/index.ts"
import * as Inspect from "../../src/audit/Inspect.ts"
import { McpPin } from "../../src/mcp/index.ts"
import { digest, hashOf, Writer } from "./worlds.ts"

const [first, second] = [hashOf("a definition"), hashOf("another")]
const pin: McpPin.Pin = {
  server: "files",
  tool: "write file/größe",
  state: "approved",
  definition: first,
  seen: null,
  by: "ada",
  reason: "read it",
  at: 1_700_000_000_000
}
const runtime = { by: "aosiq", reason: "the server says another definition" } as const

/** What the bridge records, in the order of a pin's life. */
const bodies: ReadonlyArray<Row.Body> = [
  McpPin.row(pin, { hash: first, text: "" }, null).body,
  McpPin.row({ ...pin, ...runtime, state: "stopped", seen: second }, { hash: second, text: "" }, first).body,
  McpPin.row({ ...pin, definition: second, reason: "" }, { hash: second, text: "" }, first).body,
  McpPin.row({ ...pin, definition: second, state: "withdrawn", reason: "no more" }, { hash: second, text: "" }, second)
    .body
]

const written = (): ReadonlyArray<Row.Row> => {
  const writer = new Writer()
  writer.open(Installation.id, null)
  for (const body of bodies) writer.append(Installation.id, null, body)
  return writer.world().rows.get(Installation.id) ?? []
}

describe("the golden chain of definitions", () => {
  // A changed file is another format: add a file, and keep this one.
  const golden = readFileSync(`${import.meta.dirname}/golden/pinned-1.jsonl`, "utf8")

  it("is what is still written, byte for byte", () => {
    assert.strictEqual(written().map((row) => `${digest.canonical({ ...row })}\n`).join(""), golden)
  })

  it("keeps verifying", () => {
    const rows = golden.trimEnd().split("\n").map((line) => JSON.parse(line))
    assert.strictEqual(Inspect.session(digest, rows), undefined)
    for (const change of [{ definition: second }, { was: second }, { what: "withdrawn" }, { by: "eve" }]) {
      const edited = rows.with(1, { ...rows[1], body: { ...rows[1].body, ...change } })
      assert.deepInclude(Inspect.session(digest, edited), { kind: "edited", seq: 1 })
    }
  })
})
