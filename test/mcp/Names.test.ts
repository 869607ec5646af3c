/** Names of tools, here and there: one to one, whatever a server calls its tools. */
import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import * as fc from "fast-check"
import { NodeDigest } from "../../layers/node/index.ts"
import { Capability } from "../../src/capability/index.ts"
import { McpNames } from "../../src/mcp/index.ts"

const { digest } = NodeDigest
/** Names that strangers might think of, and any text. */
const names = fc.oneof(
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.string({ unit: fc.constantFrom("a", "_", "-", ".", "/", "%", "*", "@", " ", "2", "F", "ü"), maxLength: 80 }),
  fc.constantFrom("..", ".", "a/../b", "%2E", "a*", "*", "a@b", "a b", "_", "__", "")
)

describe("the name of a tool", () => {
  it("stands in a capability, and is read back from there", () => {
    fc.assert(fc.property(names, (name) => {
      const resource = Option.getOrUndefined(McpNames.encode(name))
      if (resource === undefined) {
        // Too long to be a resource, or no text at all.
        assert.isTrue(name === "" || !name.isWellFormed() || encodeURIComponent(name).length > 80, name)
        return
      }
      assert.isTrue(Capability.isName(McpNames.capabilityOf("files", resource)), resource)
      assert.deepStrictEqual(McpNames.decode(resource), Option.some(name))
    }))
  })

  it("is decoded from its own encoding alone", () => {
    for (const text of ["%61", "a%2f", "%", "%ZZ", "a*", "a b", "..", ""]) {
      assert.deepStrictEqual(McpNames.decode(text), Option.none(), text)
    }
  })

  it("covers itself and no other in a grant", () => {
    fc.assert(fc.property(names, names, (one, other) => {
      const [a, b] = [McpNames.encode(one), McpNames.encode(other)].map(Option.getOrUndefined)
      if (a === undefined || b === undefined) return
      const [held, asked] = [McpNames.capabilityOf("files", a), McpNames.capabilityOf("files", b)]
      assert.strictEqual(Capability.covers(held, asked), one === other)
      assert.isTrue(Capability.covers("mcp:files", asked))
      assert.isFalse(Capability.covers("mcp:other", asked))
    }))
  })

  it("fits what vendors admit, and differs where tools do", () => {
    fc.assert(
      fc.property(names, names, fc.constantFrom("a", "files", "a-server-of-some-length"), (one, other, server) => {
        const [a, b] = [one, other].map((name) => McpNames.nameOf(digest, server, name))
        assert.match(a ?? "", /^[A-Za-z0-9_-]{1,64}$/)
        if (one.toWellFormed() !== other.toWellFormed()) assert.notStrictEqual(a, b)
      })
    )
    const long = McpNames.nameOf(digest, "files", "x".repeat(100))
    // A tool that calls itself what another is called here is another all the same.
    const posing = long.replace("mcp__files__", "")
    assert.notStrictEqual(McpNames.nameOf(digest, "files", posing), long)
    assert.strictEqual(McpNames.nameOf(digest, "files", "read_file"), "mcp__files__read_file")
  })
})
