/** Every kind of content, within bounds. */
import { assert, describe, it } from "@effect/vitest"
import { Result, type Schema } from "effect"
import * as fc from "fast-check"
import { NodeDigest } from "../../layers/node/index.ts"
import { McpContent } from "../../src/mcp/index.ts"

const bounds = { maxResultBytes: 1000, keepBytes: 4 }
const read = (json: Schema.Json, parts: Partial<McpContent.Bounds> = {}) =>
  McpContent.read(NodeDigest.digest, json, { ...bounds, ...parts })
const itemsOf = (...content: ReadonlyArray<Schema.Json>) => Result.getOrThrow(read({ content })).result.content

describe("content", () => {
  it("is told by kind; bytes by type, size and hash, and kept only when they are few", () => {
    const sha256 = "a665a45920422f9d417e4867efdc4fb8a04a1f3fff1fa07e998e86f7f7a27ae3"
    const kept = { mimeType: "image/png", bytes: 3, sha256, data: "MTIz" }
    assert.deepStrictEqual(itemsOf({ type: "image", data: "MTIz", mimeType: "image/png" }), [{
      type: "image",
      ...kept
    }])
    const [left] = itemsOf({ type: "audio", data: "MTIzNDU2", mimeType: "audio/wav" })
    assert.deepInclude(left, { type: "audio", bytes: 6, data: null })
    assert.deepStrictEqual(
      itemsOf(
        { type: "resource_link", uri: "file:///etc/passwd", name: "p", size: 3 },
        { type: "resource", resource: { uri: "a:b", text: "t" } },
        { type: "resource", resource: { uri: "a:c", blob: "MTIz", mimeType: "x/y" } },
        { type: "image", data: "not base64!", mimeType: "image/png" }
      ),
      [
        { type: "link", uri: "file:///etc/passwd", name: "p" },
        { type: "document", uri: "a:b", mimeType: "text/plain", text: "t" },
        { type: "file", uri: "a:c", ...kept, mimeType: "x/y" },
        { type: "other", kind: "image" }
      ]
    )
  })

  it("is never more than its bound, whatever comes, and says when it was cut", () => {
    const part = fc.oneof(
      fc.record({ type: fc.constant("text"), text: fc.string({ unit: "binary", maxLength: 600 }) }),
      fc.record({ type: fc.constant("image"), data: fc.base64String({ maxLength: 400 }), mimeType: fc.string() }),
      fc.record({ type: fc.constant("resource_link"), uri: fc.string({ maxLength: 300 }), name: fc.string() }),
      fc.jsonValue()
    )
    fc.assert(fc.property(fc.array(part, { maxLength: 30 }), fc.integer({ min: 1, max: 2000 }), (content, most) => {
      const { result } = Result.getOrThrow(read({ content } as Schema.Json, { maxResultBytes: most, keepBytes: 100 }))
      const said = result.content.flatMap((item) => Object.entries(item)).filter(([key]) => !fixed.has(key))
      const size = said.reduce((sum, [, value]) => sum + Buffer.byteLength(String(value ?? "")), 0)
      assert.isAtMost(size, most)
      for (const [, value] of said) assert.isTrue(String(value).isWellFormed())
    }))
    const { result } = Result.getOrThrow(
      read({ content: Array.from({ length: 1000 }, () => ({ type: "text", text: "" })) })
    )
    assert.isTrue(result.cut)
    assert.lengthOf(result.content, McpContent.maxItems)
  })

  it("is cut between characters", () => {
    const { result } = Result.getOrThrow(read({ content: [{ type: "text", text: "aü€𝄞".repeat(400) }] }))
    assert.isTrue(result.cut)
    const [item] = result.content
    assert.isTrue(item?.type === "text" && "aü€𝄞".repeat(400).startsWith(item.text))
  })

  it("that is structured is whole or not at all", () => {
    assert.isTrue(Result.isFailure(read({ content: [], structuredContent: { a: "x".repeat(2000) } })))
    assert.isTrue(Result.isFailure(read({ structuredContent: {} })))
    assert.isTrue(Result.isFailure(read([])))
  })
})

/** Fields that are not a stranger's words: a kind, a size, a hash. */
const fixed = new Set(["type", "bytes", "sha256"])
