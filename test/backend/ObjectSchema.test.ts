/** Arguments as vendors take them: an object at the top, that admits all that the tool admits. */
import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import { Tool } from "effect/ai"
import * as fc from "fast-check"
import { Advice } from "../../src/agents/advisor/index.ts"
import { ObjectSchema } from "../../src/backend/index.ts"

const of = (schema: Schema.Codec<unknown, unknown>) => ObjectSchema.of(Tool.getJsonSchemaFromSchema(schema))
const propertiesOf = (schema: unknown): Record<string, any> => (schema as Record<string, any>)["properties"] ?? {}

describe("a schema", () => {
  it("of an object stays what it is; one of nothing in particular is an object's", () => {
    assert.deepInclude(Option.getOrThrow(of(Schema.Struct({ city: Schema.String }))), {
      type: "object",
      required: ["city"]
    })
    assert.deepStrictEqual(Option.getOrThrow(of(Schema.Struct({}))), { type: "object" })
  })

  it("with a name is looked up", () => {
    class Place extends Schema.Class<Place>("Place")({ city: Schema.String }) {}
    assert.deepInclude(Option.getOrThrow(of(Place)), { type: "object", properties: { city: { type: "string" } } })
  })

  it("of what is no object has no form that a vendor takes", () => {
    const others = [
      Schema.String,
      Schema.Array(Schema.String),
      Schema.Union([Schema.Struct({ a: Schema.String }), Schema.String])
    ]
    for (const schema of others) assert.isTrue(Option.isNone(of(schema)))
  })

  it("of several objects is one that says which properties go together", () => {
    const schema = Option.getOrThrow(of(Schema.Union([
      Schema.Struct({ kind: Schema.Literal("move"), to: Schema.String }),
      Schema.Struct({ kind: Schema.Literal("wait"), ms: Schema.Int, why: Schema.optionalKey(Schema.String) })
    ])))
    assert.deepStrictEqual(Object.keys(propertiesOf(schema)), ["kind", "to", "ms", "why"])
    assert.deepStrictEqual(propertiesOf(schema)["kind"], { type: "string", enum: ["move", "wait"] })
    assert.deepStrictEqual(schema["required"], ["kind"])
    assert.strictEqual(
      schema["description"],
      "One of: kind \"move\", to; or kind \"wait\", ms, why (optional)."
    )
  })

  it("of the advisor's proposal is one, without the property that three of its kinds must not have", () => {
    const schema = Option.getOrThrow(of(Advice.Advice))
    assert.strictEqual(schema.type, "object")
    assert.deepStrictEqual(propertiesOf(schema)["outcome"].enum, ["fault", "out_of_scope", "no_fault", "inconclusive"])
    assert.strictEqual(propertiesOf(schema)["actions"].type, "array")
    assert.notInclude(JSON.stringify(schema), "{\"not\":{}}")
  })

  it("of several objects admits what each of them admits", () => {
    const kinds = { text: Schema.String, count: Schema.Int, flag: Schema.Boolean }
    const field = fc.constantFrom("text", "count", "flag")
    const member = fc.dictionary(
      fc.constantFrom("a", "b", "c", "d"),
      fc.record({ kind: field, optional: fc.boolean() })
    )
    fc.assert(fc.property(fc.array(member, { minLength: 1, maxLength: 4 }), (members) => {
      const structs = members.map((fields) =>
        Schema.Struct(Object.fromEntries(
          Object.entries(fields).map(([name, { kind, optional }]) => [
            name,
            optional ? Schema.optionalKey(kinds[kind]) : kinds[kind]
          ])
        ))
      )
      const schema = Option.getOrThrow(of(Schema.Union(structs)))
      const [properties, required] = [propertiesOf(schema), (schema["required"] ?? []) as ReadonlyArray<string>]
      for (const [index, fields] of members.entries()) {
        // An empty struct is anything but nothing: it has no properties to look for.
        for (const name of required) assert.isFalse(fields[name]?.optional ?? true, `${name} of ${index}`)
        for (const [name, { kind }] of Object.entries(fields)) {
          const type = { text: "string", count: "integer", flag: "boolean" }[kind]
          assert.include(JSON.stringify(properties[name]), `"type":"${type}"`)
        }
      }
    }))
  })
})
