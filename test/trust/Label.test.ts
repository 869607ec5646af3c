/** Labels: they join downwards, and a field is what the closest path says. */
import { assert, describe, it } from "@effect/vitest"
import type { Schema } from "effect"
import * as fc from "fast-check"
import { Label } from "../../src/trust/index.ts"

const readers = fc.array(fc.constantFrom("clinic", "staff", "press"), { maxLength: 3 })
const label = fc.record({ integrity: fc.constantFrom(...Label.integrities), readers })
const declared = fc.constantFrom<Label.Trust>("trusted", "untrusted", "reference")
const path = fc.array(fc.constantFrom("a", "b", "*", "0"), { minLength: 1, maxLength: 3 }).map((names) =>
  names.join(".")
)

describe("labels", () => {
  it("join in any order, again and again, to the same", () => {
    fc.assert(fc.property(fc.array(label), fc.array(label), (some, others) => {
      const all = Label.join([...some, ...others])
      assert.deepStrictEqual(Label.join([...others, ...some, ...some]), all)
      assert.deepStrictEqual(Label.join([Label.join(some), Label.join(others)]), all)
      assert.deepStrictEqual(Label.join([all, Label.top]), all)
    }))
  })

  it("never rise by joining", () => {
    fc.assert(fc.property(fc.array(label, { minLength: 1 }), (all) => {
      const joined = Label.join(all)
      for (const one of all) {
        assert.isTrue(Label.isAtLeast(one.integrity, joined.integrity))
        assert.isTrue(one.readers.every((reader) => joined.readers.includes(reader)))
      }
    }))
  })
})

describe("fields", () => {
  const calendar: Label.Declared = {
    rest: "untrusted",
    fields: { "events.*.id": "trusted", "events.*": "untrusted", "owner": "trusted", "events.0.id": "reference" }
  }

  it("are what the closest path says, and what lies below it", () => {
    const at = (path: string) => Label.trustAt(calendar, path)
    assert.strictEqual(at("events.3.id"), "trusted")
    assert.strictEqual(at("events.0.id"), "reference")
    assert.strictEqual(at("events.3.description"), "untrusted")
    assert.strictEqual(at("owner.name"), "trusted")
    assert.strictEqual(at("anything"), "untrusted")
    assert.strictEqual(Label.trustAt("trusted", "anything"), "trusted")
  })

  it("are the stricter of two paths that are equally close, whichever comes first", () => {
    for (
      const fields of [{ "*.id": "trusted", "a.*": "untrusted" }, { "a.*": "untrusted", "*.id": "trusted" }] as const
    ) {
      assert.strictEqual(Label.trustAt({ rest: "trusted", fields }, "a.id"), "untrusted")
    }
  })

  it("are trusted as a whole only when each of them is", () => {
    fc.assert(fc.property(fc.dictionary(path, declared), fc.constantFrom("trusted", "untrusted"), (fields, rest) => {
      const every = [rest, ...Object.values(fields)].every((trust) => trust === "trusted")
      assert.strictEqual(Label.overall({ rest, fields }), every ? "trusted" : "untrusted")
    }))
  })

  it("have readers by the most exact path, and together those of paths that are equally close", () => {
    const readership = { rest: ["staff"], fields: { a: ["press"], "a.*": ["clinic"], "*.b": ["board"], "a.c": [] } }
    const at = (path: string) => Label.readersAt(readership, path)
    assert.deepStrictEqual(["x", "a", "a.d", "a.b", "a.c", "a.c.e"].map(at), [
      ["staff"],
      ["press"],
      ["clinic"],
      ["board", "clinic"],
      [],
      []
    ])
    assert.deepStrictEqual(Label.readersAt(["clinic"], "a.b"), ["clinic"])
    fc.assert(fc.property(fc.dictionary(path, readers), readers, path, (fields, rest, path) => {
      const every = Label.everyReader({ rest, fields })
      assert.isTrue(Label.readersAt({ rest, fields }, path).every((reader) => every.includes(reader)))
    }))
  })

  it("of a value are all that it says", () => {
    const value: Schema.Json = { a: [1, { b: "x" }, null, ""], c: false }
    assert.deepStrictEqual(Label.leaves(value), [
      { path: "a.0", value: 1 },
      { path: "a.1.b", value: "x" },
      { path: "c", value: false }
    ])
    assert.deepStrictEqual(Label.leaves("x"), [{ path: "", value: "x" }])
  })
})
