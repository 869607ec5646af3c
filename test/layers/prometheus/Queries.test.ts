/** The default queries name signals of the vocabulary, in units that fit. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { defaultQueries } from "../../../layers/prometheus/index.ts"
import { unitOf } from "../../../layers/prometheus/Queries.ts"
import { Signal, signals, Unit } from "../../../src/agents/advisor/Source.ts"

describe("defaultQueries", () => {
  it("covers machines, databases, requests and queues, in the vocabulary", () => {
    const names = Object.keys(defaultQueries)
    assert.isTrue(names.every(Schema.is(Signal)))
    for (const one of ["disk.used_ratio", "db.connections", "request.error_ratio", "queue.depth"]) {
      assert.include(names, one)
    }
  })

  it("has balanced brackets and quotes", () => {
    for (const [signal, query] of Object.entries(defaultQueries)) {
      const text = typeof query === "string" ? query : (query?.promql ?? "")
      const count = (character: string) => text.split(character).length - 1
      assert.strictEqual(count("("), count(")"), signal)
      assert.strictEqual(count("{"), count("}"), signal)
      assert.strictEqual(count("\"") % 2, 0, signal)
    }
  })
})

describe("unitOf", () => {
  it("knows every signal of the vocabulary", () => {
    for (const signal of signals) assert.isTrue(Schema.is(Unit)(unitOf(signal)) && unitOf(signal) !== "raw", signal)
  })
  it("is raw for the rest", () => {
    assert.strictEqual(unitOf("other:anything"), "raw")
    assert.strictEqual(unitOf("other:toString"), "raw")
  })
})
