/** The grammar of capabilities, and what two of them have in common. */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import { Capability } from "../../src/capability/index.ts"
import { concretes, grants, patterns } from "./model.ts"

const { covers } = Capability
const path = (text: string): Capability.Name => `memory:read@${text}`

describe("the grammar", () => {
  it("accepts a kind, a name and a resource with one star, at an end", () => {
    for (
      const text of [
        ...Capability.kinds.map((kind) => `${kind}:x`),
        "tool:db_query",
        "tool:db_query@reporting_replica",
        "memory:write@notes/*",
        "memory:write@*",
        "net:fetch@*.example.com",
        "net:fetch@https://example.com:8080/a?b=c#d",
        "mcp:server.tool-2",
        `tool:a${"b".repeat(63)}`,
        `tool:a@${"r".repeat(255)}`,
        `tool:a@*${"r".repeat(255)}`,
        `tool:a@${"r".repeat(255)}*`,
        "memory:read@notes/..hidden",
        "memory:read@notes../a",
        "memory:read@...",
        "memory:read@a/./b",
        "kb:read@Größe"
      ]
    ) {
      assert.isTrue(Capability.isName(text), text)
      assert.isTrue(Result.isSuccess(Schema.decodeUnknownResult(Capability.Name)(text)), text)
    }
  })
})

describe("the grammar, strictly", () => {
  it("refuses everything else", () => {
    for (
      const text of [
        "",
        "tool",
        "tool:",
        ":x",
        "root:x",
        "Tool:x",
        "tool :x",
        " tool:x",
        "tool:x ",
        "tool:x\n",
        "tool:x@a\n",
        "tool:x y",
        "tool:1x",
        "tool:_x",
        "tool:*",
        "tool:x*",
        "*",
        "tool:x:y",
        `tool:a${"b".repeat(64)}`,
        "tool:x@",
        "tool:x@a b",
        "tool:x@a\tb",
        "tool:x@a\u00a0b",
        "tool:x@a\u2028b",
        "tool:x@a\ufeffb",
        "tool:x@a@b",
        "tool:x@@a",
        "tool:x@**",
        "tool:x@*a*",
        "tool:x@a*b",
        "tool:x@a**",
        "tool:x@*a*b",
        `tool:a@${"r".repeat(256)}`,
        `tool:a@${"r".repeat(256)}*`,
        "memory:read@..",
        "memory:read@../x",
        "memory:read@../*",
        "memory:read@notes/..",
        "memory:read@notes/../x",
        "memory:read@notes/../*",
        "memory:read@notes/../../x",
        "memory:read@/../x"
      ]
    ) {
      assert.isFalse(Capability.isName(text), text)
      assert.isTrue(Result.isFailure(Schema.decodeUnknownResult(Capability.Name)(text)), text)
    }
  })
})

describe("covers", () => {
  it("is yes for what is the same or narrower", () => {
    assert.isTrue(covers("tool:x", "tool:x"))
    assert.isTrue(covers("tool:x", "tool:x@a"))
    assert.isTrue(covers("tool:x", "tool:x@*"))
    assert.isTrue(covers("tool:x@*", "tool:x@a*"))
    assert.isTrue(covers("memory:write@notes/*", "memory:write@notes/a/b"))
    assert.isTrue(covers("memory:write@notes/*", "memory:write@notes/a/*"))
    assert.isTrue(covers("net:fetch@*.example.com", "net:fetch@api.example.com"))
    assert.isTrue(covers("net:fetch@*.example.com", "net:fetch@*.api.example.com"))
  })

  it("is no for what is wider or other", () => {
    assert.isFalse(covers("tool:x@*", "tool:x"))
    assert.isFalse(covers("tool:x@a", "tool:x"))
    assert.isFalse(covers("tool:x@a", "tool:x@*"))
    assert.isFalse(covers("tool:x@a", "tool:x@a*"))
    assert.isFalse(covers("tool:x@ab*", "tool:x@a*"))
    assert.isFalse(covers("tool:x", "tool:xy"))
    assert.isFalse(covers("tool:x", "memory:x"))
    assert.isFalse(covers("tool:x@a", "tool:x@A"))
    assert.isFalse(covers("memory:write@notes/*", "memory:write@notes"))
    assert.isFalse(covers("net:fetch@*.example.com", "net:fetch@example.com"))
    assert.isFalse(covers("net:fetch@*.example.com", "net:fetch@a.example.com.evil"))
    assert.isFalse(covers("net:fetch@a*", "net:fetch@*a"))
  })

  it("is no for a name that was put together at run time and is none", () => {
    for (
      const wrong of ["notes/../secrets", "notes/..", "notes/a b", "notes/*x", "notes/**", "notes/a@b", "notes/a\n"]
    ) {
      assert.isFalse(covers("memory:read@notes/*", path(wrong)), wrong)
      assert.isFalse(covers("memory:read", path(wrong)), wrong)
      assert.isFalse(covers(path(wrong), path(wrong)), wrong)
    }
    for (const wrong of ["../secrets", "..", ""]) assert.isFalse(covers("memory:read@*", path(wrong)), wrong)
  })
})

describe("intersect", () => {
  const pattern = fc.constantFrom(...patterns)

  it("has the same answer both ways, and a capability in common with itself", () => {
    for (const a of patterns) {
      assert.strictEqual(Capability.intersect(a, a), a)
      for (const b of patterns) assert.strictEqual(Capability.intersect(a, b), Capability.intersect(b, a), `${a} ${b}`)
    }
  })

  it("is never wider than either, and meets itself again", () => {
    for (const a of patterns) {
      for (const b of patterns) {
        const both = Capability.intersect(a, b)
        if (both === null) continue
        assert.isTrue(Capability.isName(both), both)
        for (const one of [a, b]) {
          assert.strictEqual(Capability.intersect(both, one), both)
          assert.isTrue(Capability.covers(one, both))
        }
        for (const thing of concretes) {
          assert.isTrue(!grants(both, thing) || (grants(a, thing) && grants(b, thing)), `${a} ${b} ${both} ${thing}`)
        }
      }
    }
  })

  it("covers a thing exactly when the pattern says so", () => {
    for (const held of patterns) {
      for (const thing of concretes) {
        assert.strictEqual(Capability.covers(held, thing), grants(held, thing), `${held} ${thing}`)
      }
    }
  })

  it("covers all of what it covers", () => {
    fc.assert(
      fc.property(pattern, pattern, pattern, (a, b, c) => {
        if (Capability.covers(a, b) && Capability.covers(b, c)) assert.isTrue(Capability.covers(a, c))
      }),
      { numRuns: 5000, seed: 11 }
    )
  })
})
