import { assert, describe, it } from "@effect/vitest"
import { Option, Result, Schema } from "effect"
import fc from "fast-check"
import { digest } from "../../layers/node/Digest.ts"
import { Policy, Rule } from "../../src/approval/index.ts"
import type { Capability } from "../../src/capability/index.ts"
import * as C from "../governor/commits.ts"

const made = (parts: Partial<Rule.Terms> = {}, policy = Policy.standard): Rule.Rule => {
  const { terms } = C.makeRule("R", parts)
  return Rule.make(digest, policy, {
    id: C.ruleId("R"),
    terms,
    vote: { by: "grace", approve: true, reason: "", at: 1 }
  })
}

const asked = (parts: Partial<Rule.Asked> = {}): Rule.Asked => ({
  actor: "Tester",
  act: "act",
  capabilities: ["tool:act"],
  definition: C.hashOf("definition"),
  args: { order: "A-1", euros: 40, to: { country: "FR" }, lines: [{ sku: "x" }, null] },
  caller: "ada",
  ...parts
})

const admits = (terms: Partial<Rule.Terms>, act: Partial<Rule.Asked> = {}) =>
  Rule.admits(digest, made(terms), asked(act))

describe("a standing rule", () => {
  it("admits the act it names, for the class it names, and no other", () => {
    assert.isTrue(admits({}))
    assert.isTrue(admits({ actor: "Tester", act: "*", definition: C.hashOf("definition") }))
    assert.isFalse(admits({ actor: "Other" }))
    assert.isFalse(admits({ act: "other" }))
    assert.isFalse(admits({ act: "ac" }))
    assert.isFalse(admits({ definition: C.hashOf("changed") }))
  })

  it("admits what its capabilities cover, in every capability of the act", () => {
    const over = (held: ReadonlyArray<Capability.Name>, wanted: ReadonlyArray<Capability.Name>) =>
      admits({ capabilities: held as unknown as Rule.Terms["capabilities"] }, { capabilities: wanted })
    assert.isTrue(over(["tool:act"], ["tool:act@eu"]))
    assert.isTrue(over(["net:fetch@*.example.com", "tool:act"], ["tool:act", "net:fetch@api.example.com"]))
    assert.isFalse(over(["tool:act@eu"], ["tool:act"]))
    assert.isFalse(over(["tool:act@eu"], ["tool:act@us"]))
    assert.isFalse(over(["net:fetch@*.example.com"], ["net:fetch@example.org"]))
    assert.isFalse(over(["tool:act"], ["tool:act", "net:fetch"]))
    // An act that exercises nothing is covered by nothing.
    assert.isFalse(over(["tool:act"], []))
  })

  it("admits arguments that are what it says, exactly", () => {
    const where = (at: string, ...oneOf: [Schema.Json, ...Array<Schema.Json>]) => admits({ where: [{ at, oneOf }] })
    assert.isTrue(where("/order", "A-1"))
    assert.isTrue(where("/order", "B-2", "A-1"))
    assert.isTrue(where("/to", { country: "FR" }))
    assert.isTrue(where("/to/country", "FR"))
    assert.isTrue(where("/lines/0/sku", "x"))
    assert.isTrue(where("/lines/1", null))
    assert.isTrue(where("/euros", 40.0))
    for (
      const [at, value] of [
        ["/order", "a-1"],
        ["/euros", "40"],
        ["/euros", 41],
        ["/to", { country: "FR", city: "x" }],
        ["/missing", null],
        ["/lines/2", null],
        ["/lines/00", { sku: "x" }],
        ["/lines/-", null],
        ["/lines/length", 2],
        ["/order/length", 3],
        ["/toString", "x"],
        ["/__proto__", {}],
        ["/constructor/name", "Object"]
      ] as const
    ) assert.isFalse(where(at, value), at)
    assert.isTrue(admits({ where: [{ at: "", oneOf: [asked().args] }] }))
    assert.isTrue(admits({ where: [{ at: "/a~1b/~0c", oneOf: [1] }] }, { args: { "a/b": { "~c": 1 } } }))
    assert.isFalse(admits({ where: [{ at: "/order", oneOf: ["A-1"] }, { at: "/euros", oneOf: [1] }] }))
  })

  it("admits nothing that one of its terms would not, whatever the others say", () => {
    const value = fc.constantFrom<Schema.Json>(0, 1, "0", null, { a: 0 }, [0])
    const constraint = fc.record({
      at: fc.constantFrom("", "/a", "/a/a", "/b", "/b/0"),
      oneOf: fc.array(value, { minLength: 1 })
    })
    fc.assert(fc.property(fc.array(constraint, { maxLength: 4 }), value, value, (where, a, b) => {
      const each = where as unknown as Rule.Terms["where"]
      const act = { args: { a, b } }
      assert.strictEqual(admits({ where: each }, act), each.every((one) => admits({ where: [one] }, act)))
    }))
  })

  it("is usable while it stands, its time has not come and its uses last", () => {
    const rule = made({ maxUses: 2, expiresAt: 100 })
    assert.isTrue(Rule.isUsable(rule, 99))
    assert.isFalse(Rule.isUsable(rule, 100))
    assert.isTrue(Rule.isUsable({ ...rule, uses: 1 }, 99))
    assert.isFalse(Rule.isUsable({ ...rule, uses: 2 }, 99))
    assert.isFalse(Rule.isUsable({ ...rule, state: "proposed" }, 99))
    assert.isFalse(Rule.isUsable({ ...rule, state: "revoked" }, 99))
    const told = [{ ...rule, uses: 2 }, { ...rule, state: "revoked" as const }, rule].map((one) =>
      Rule.standing(one, 1)
    )
    assert.deepStrictEqual(told, ["used up", "revoked", "standing"])
    assert.strictEqual(Rule.standing(rule, 100), "expired")
  })

  it("needs as many people as the policy, each once, and not the one who asked where that may not be", () => {
    const two = { ...Policy.standard, approvers: 2 }
    const rule = made({ expiresAt: 100 }, two)
    assert.strictEqual(rule.state, "proposed")
    const vote = (by: string) => Rule.approve(two, rule, { by, approve: true, reason: "", at: 2 })
    for (const by of ["grace", "GRACE", "local:grace", "gr\u0430ce", ""]) assert.isTrue(Result.isFailure(vote(by)), by)
    const stands = Result.getOrThrow(vote("ada"))
    assert.strictEqual(stands.state, "standing")
    assert.isTrue(Result.isFailure(Rule.approve(two, stands, { by: "barbara", approve: true, reason: "", at: 3 })))
    assert.isTrue(Result.isFailure(Rule.approve(two, rule, { by: "ada", approve: true, reason: "", at: 100 })))

    assert.isTrue(Rule.suffices(two, stands, "ada"))
    const strict = { ...two, requesterMayApprove: false }
    assert.isFalse(Rule.suffices(strict, stands, "Ada"))
    assert.isTrue(Rule.suffices(strict, stands, "barbara"))
    // Stricter than when it was made, or simply another.
    assert.isFalse(Rule.suffices({ ...two, approvers: 3 }, stands, "barbara"))
    assert.isFalse(Rule.suffices({ ...two, version: "2" }, stands, "barbara"))
  })

  it("is written with bounds", () => {
    const decode = Schema.decodeUnknownOption(Rule.Terms)
    const { terms } = made()
    assert.isTrue(Option.isSome(decode(terms)))
    for (
      const bad of [
        { maxUses: 0 },
        { maxUses: 1.5 },
        { maxUses: Rule.maxUses + 1 },
        { capabilities: [] },
        { capabilities: ["tool"] },
        { capabilities: ["tool:act@../etc"] },
        { where: [{ at: "order", oneOf: [1] }] },
        { where: [{ at: "/a~2", oneOf: [1] }] },
        { where: [{ at: "/a", oneOf: [] }] },
        { actor: "" },
        { act: "" },
        { definition: "abc" }
      ]
    ) assert.isTrue(Option.isNone(decode({ ...terms, ...bad })), JSON.stringify(bad))
  })
})
