/** What comes over standard input: messages, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Lines } from "../../../src/door/mcp/index.ts"

describe("lines", () => {
  const bounds = { line: 100, depth: 4, batch: 2 }
  const message = fc.record({
    jsonrpc: fc.constant("2.0"),
    id: fc.nat(),
    method: fc.constantFrom("ping", "tools/list")
  })
    .map((one) => JSON.stringify(one))
  const line = fc.oneof(
    message,
    fc.string(),
    fc.json(),
    fc.nat(300).map((n) => "x".repeat(n)),
    fc.nat(10).map((n) => "[".repeat(n) + "]".repeat(n))
  ).map((text) => text.replaceAll("\n", ""))

  it("pass messages and nothing else, however they are cut to pieces", () =>
    fc.assert(fc.property(fc.array(line), fc.array(fc.nat(50)), (lines, cuts) => {
      const text = lines.map((one) => `${one}\n`).join("")
      const whole = Lines.splitting(bounds)(text)
      const split = Lines.splitting(bounds)
      let at = 0
      const pieces = [...cuts, text.length].flatMap((size) => split(text.slice(at, at += size)))
      assert.deepStrictEqual(pieces, whole)
      for (const one of whole) {
        if ("answer" in one) assert.property(JSON.parse(one.answer), "error")
        else {
          assert.isAtMost(one.pass.length, bounds.line + 1)
          const parsed = JSON.parse(one.pass)
          for (const each of [parsed].flat()) assert.strictEqual(each.jsonrpc, "2.0")
        }
      }
    })))
})
