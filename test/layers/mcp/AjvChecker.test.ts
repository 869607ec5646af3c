/** Checks of schemas that strangers wrote. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, type Schema } from "effect"
import { Script } from "node:vm"
import { vi } from "vitest"
import * as AjvChecker from "../../../layers/mcp/AjvChecker.ts"
import { McpChecker } from "../../../src/mcp/index.ts"

const compile = (schema: Schema.Json) =>
  Effect.map(McpChecker, (checker) => checker.compile(schema)).pipe(Effect.provide(AjvChecker.layer))

const check = (schema: Schema.Json, value: Schema.Json) =>
  Effect.map(compile(schema), (made) => Result.getOrThrow(made)(value))

const failure = (schema: Schema.Json) =>
  Effect.map(compile(schema), Result.match({ onFailure: ({ detail }) => detail, onSuccess: () => "it was made" }))

const draft = (name: string) => `http://json-schema.org/${name}/schema#`

/** A schema whose meaning unfolds to two to the power of `count`. */
const fan = (count: number): Schema.Json => ({
  $defs: Object.fromEntries([
    ...Array.from({ length: count }, (_, at): readonly [string, Schema.Json] => {
      const $ref = `#/$defs/d${at + 1}`
      return [`d${at}`, { allOf: [{ $ref }, { $ref }] }]
    }),
    [`d${count}`, { type: ["number", "string"] }]
  ]),
  $ref: "#/$defs/d0"
})

describe("a check", () => {
  it.effect("is made of three dialects, and of the newest when none is named", () =>
    Effect.gen(function*() {
      for (const name of [undefined, draft("draft-07"), draft("draft/2019-09"), draft("draft/2020-12")]) {
        const schema = { ...(name === undefined ? {} : { $schema: name }), type: "object", required: ["a"] }
        assert.isUndefined(yield* check(schema, { a: 1 }))
        assert.include(yield* check(schema, {}), "required")
      }
      assert.include(yield* check({ prefixItems: [{ type: "string" }] }, [1]), "/0")
      assert.include(yield* failure({ $schema: draft("draft-04"), type: "object" }), "dialect")
      assert.include(yield* failure({ $schema: 7, type: "object" }), "dialect")
    }))

  it.effect("is not made of what is no schema, or leads out of itself", () =>
    Effect.gen(function*() {
      assert.include(yield* failure({ type: "objekt" }), "no schema")
      assert.include(yield* failure({ type: "object", properties: 7 }), "no schema")
      assert.include(yield* failure({ $ref: "https://evil.example/a.json" }), "can't resolve reference")
      assert.include(yield* failure({ pattern: "(" }), "regular expression")
      assert.include(yield* failure({ $ref: "#/nowhere" }), "can't resolve reference")
      assert.strictEqual(yield* failure({ type: "object", "x-ours": 1, format: "of-ours" }), "it was made")
    }))

  it.effect("does not see names that a value inherits, and says nothing of the value", () =>
    Effect.gen(function*() {
      assert.include(yield* check({ type: "object", required: ["toString"] }, {}), "required")
      const said = yield* check({ type: "object", properties: { key: { const: "a" } } }, { key: "s3cr3t" })
      assert.include(said, "/key")
      assert.notInclude(said, "s3cr3t")
    }))

  it.effect("has a watchdog where schema and value do not bound it, and none where they do", () =>
    Effect.gen(function*() {
      const watched = vi.spyOn(Script.prototype, "runInContext")
      const uses = (schema: Schema.Json, value: Schema.Json) =>
        Effect.map(compile(schema), (made) => {
          const check = Result.getOrThrow(made)
          watched.mockClear()
          check(value)
          return watched.mock.calls.length
        })
      const text = { type: "object", properties: { a: { type: "string", maxLength: 9 } }, additionalProperties: false }
      assert.strictEqual(yield* uses(text, { a: "b" }), 0)
      assert.strictEqual(yield* uses({ type: "array", items: { anyOf: [text, { const: 1 }] } }, [1, { a: "b" }]), 0)
      // What is larger than milliseconds' worth is watched, and so is each keyword that sizes do not bound.
      assert.strictEqual(yield* uses({ type: "string", title: "t".repeat(5000) }, "x".repeat(5000)), 1)
      for (
        const part of [
          { pattern: "a" },
          { patternProperties: { "^a": {} } },
          { uniqueItems: true },
          { $ref: "#/$defs/d" },
          { $dynamicRef: "#/$defs/d" }
        ]
      ) {
        assert.strictEqual(yield* uses({ $defs: { d: {} }, ...part }, "a"), 1)
        assert.strictEqual(yield* uses({ $defs: { d: {} }, not: { not: { allOf: [part] } } }, "a"), 1)
      }
      watched.mockRestore()
    }))

  it.live("ends, whatever its schema unfolds to and its pattern makes of a text", () =>
    Effect.gen(function*() {
      assert.include(yield* check(fan(40), 1), "longer than")
      assert.include(yield* check({ pattern: "^(a+)+$" }, `${"a".repeat(60)}!`), "longer than")
      // The one after is as good as any.
      assert.isUndefined(yield* check({ pattern: "^a+$" }, "aaa"))
    }), 60_000)
})
