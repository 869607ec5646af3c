/** Whom data is for: labels join, nothing that is not covered goes, and the table is read as it is written or not at all. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Result } from "effect"
import * as fc from "fast-check"
import { Egress } from "../../src/governor/index.ts"

const reader = fc.constantFrom("clinic", "staff", "board", "eu", "press")
const readers = fc.array(reader, { maxLength: 4 })
const labels = fc.array(readers, { maxLength: 6 })
const check = (property: fc.IProperty<never> | fc.IPropertyWithHooks<any>) => fc.assert(property, { numRuns: 2000 })

describe("a decision", () => {
  it("admits exactly what is covered in full", () => {
    check(fc.property(labels, readers, (all, covered) => {
      const { readers, uncovered } = Egress.decide(all, covered)
      const expected = new Set(all.flat())
      assert.deepStrictEqual(new Set(readers), expected)
      assert.deepStrictEqual(new Set(uncovered), new Set([...expected].filter((one) => !covered.includes(one))))
    }))
  })

  it("does not depend on order, repetition or how labels were joined before", () => {
    check(fc.property(labels, labels, readers, (some, others, covered) => {
      const joined = Egress.decide([...some, ...others], covered)
      assert.deepStrictEqual(Egress.decide([...others, ...some, ...some], covered), joined)
      const [left, right] = [Egress.decide(some, []), Egress.decide(others, [])]
      assert.deepStrictEqual(Egress.decide([right.readers, left.readers], covered), joined)
    }))
  })

  it("never admits more for more labels, nor less for more cover", () => {
    check(fc.property(labels, readers, readers, readers, (all, covered, label, cover) => {
      const before = Egress.decide(all, covered).uncovered
      const labelled = Egress.decide([...all, label], covered).uncovered
      assert.isTrue(before.every((one) => labelled.includes(one)))
      const wider = Egress.decide(all, [...covered, ...cover]).uncovered
      assert.isTrue(wider.every((one) => before.includes(one)))
    }))
  })

  it("admits data for nobody in particular everywhere", () => {
    assert.deepStrictEqual(Egress.decide([[], []], []), { readers: [], uncovered: [] })
  })
})

describe("a table", () => {
  it.effect("is read as it is written", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Egress.parse(" ollama=clinic,staff.eu  claude-code=staff\n"), {
        ollama: ["clinic", "staff.eu"],
        "claude-code": ["staff"]
      })
      assert.deepStrictEqual(yield* Egress.parse(""), {})
      for (const none of ["toString", "__proto__", "constructor", "openai"]) {
        assert.deepStrictEqual(Egress.coveredBy(yield* Egress.parse("ollama=clinic"), none), [])
      }
    }))

  for (
    const text of ["ollama", "ollama=", "=clinic", "ollama=clinic,", "ollama=a=b", "ollama=a ollama=b", "ollama:a"]
  ) {
    it.effect(`that says ${text} is refused, and nothing is covered by a part of it`, () =>
      Effect.gen(function*() {
        const refused = yield* Effect.result(Egress.parse(text))
        assert.isTrue(Result.isFailure(refused))
        if (Result.isFailure(refused)) assert.include(refused.failure.message, "write it like")
      }))
  }

  it.effect("comes from the environment, else from the layer, else covers nothing", () =>
    Effect.gen(function*() {
      const under = (env: Record<string, string>) =>
        Effect.provideService(Egress.fromConfig, ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env))
      assert.deepStrictEqual(yield* under({}), {})
      const own = Egress.layer({ ollama: ["clinic"] })
      assert.deepStrictEqual(yield* Effect.provide(under({}), own), { ollama: ["clinic"] })
      assert.deepStrictEqual(yield* Effect.provide(under({ AOSIQ_COVERS: "openai=press" }), own), { openai: ["press"] })
    }))
})
