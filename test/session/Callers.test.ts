import { assert, describe, it } from "@effect/vitest"
import { Layer } from "effect"
import * as fc from "fast-check"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Capability, defaultTerms } from "../../src/capability/index.ts"
import { Caller } from "../../src/session/index.ts"
import { hashOf } from "../audit/worlds.ts"
import { suite } from "./CallersSuite.ts"

suite("callers in memory", MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer)))

const names = fc.constantFrom<Capability.Name>(
  "tool:a",
  "tool:b",
  "tool:b@x",
  "tool:b@x*",
  "memory:write@notes/*",
  "memory:write@notes/today",
  "backend:ollama"
)

describe("a caller", () => {
  it("hands on no more than its ceiling, whatever is asked for", () => {
    fc.assert(fc.property(
      fc.array(names),
      fc.option(fc.array(names), { nil: undefined }),
      fc.nat(),
      fc.option(fc.nat(), { nil: undefined }),
      fc.option(fc.nat(), { nil: undefined }),
      (held, capabilities, budget, budgetMicroUsd, lifetimeSeconds) => {
        const ceiling = { ...defaultTerms, capabilities: held, budgetMicroUsd: budget }
        const grant = Caller.grantFor(ceiling, { capabilities, budgetMicroUsd, lifetimeSeconds })
        assert.isTrue(grant.names.every((name) => held.some((one) => Capability.covers(one, name))))
        assert.isAtMost(grant.terms.budgetMicroUsd, budget)
        assert.isAtMost(grant.terms.lifetimeSeconds, ceiling.lifetimeSeconds)
        assert.isAtMost(grant.terms.depth, ceiling.depth)
      }
    ))
  })

  it("is known by all of a hash", () => {
    fc.assert(fc.property(fc.string(), fc.string(), (one, other) => {
      assert.strictEqual(Caller.isSameHash(hashOf(one), hashOf(other)), one === other)
    }))
  })
})
