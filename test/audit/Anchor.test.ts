import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { Anchor } from "../../src/audit/index.ts"
import { anchors, suite } from "./AnchorsSuite.ts"
import { anchorOf, hashOf, keys, storedOf, stranger, tools } from "./worlds.ts"

suite("memory", Anchor.layerMemory)

describe("Anchor", () => {
  const chain = anchors(5)
  const [first, second, third] = chain
  assert.isDefined(first)
  assert.isDefined(second)
  assert.isDefined(third)
  const why = (stored: Anchor.Stored) =>
    Result.match(Anchor.check(tools, stored, keys), { onFailure: (detail) => detail, onSuccess: () => "holds" })

  it("holds in itself, whatever came before it", () => {
    for (const one of chain) {
      const checked = Result.getOrThrow(Anchor.check(tools, storedOf(one), keys))
      assert.deepStrictEqual(checked, { ...one, checkpoint: checked.checkpoint })
    }
    assert.isTrue(Anchor.follows(tools.digest, undefined, first))
    assert.isTrue(Anchor.follows(tools.digest, first, second))
    assert.isFalse(Anchor.follows(tools.digest, first, third))
    assert.isFalse(Anchor.follows(tools.digest, second, first))
    assert.isFalse(Anchor.follows(tools.digest, undefined, second))
  })

  it("says what is wrong with it", () => {
    const { anchor } = third
    const of = (change: Partial<Anchor.Anchor>): Anchor.Stored => {
      const changed = { ...anchor, ...change }
      return { ...storedOf(third), name: Anchor.nameOf(changed), text: Anchor.encode(changed) }
    }
    const [leaf] = anchor.leaves
    assert.notTypeOf(leaf, "string")
    const stored = storedOf(third)
    const other = storedOf(anchorOf(stranger, { ...anchor, before: third.before }, anchor.leaves))
    assert.strictEqual(why(stored), "holds")
    assert.strictEqual(why({ ...stored, text: ` ${stored.text}` }), "it is not written as an anchor")
    assert.strictEqual(
      why({ ...stored, text: stored.text.replace("{", "{\"x\":1,") }),
      "it is not written as an anchor"
    )
    assert.strictEqual(why({ ...stored, name: "0000000002" }), "it stands under a name that is not its own")
    const unlike = "its leaves, number or time are not those of the signed checkpoint"
    assert.strictEqual(why(of({ sequence: 7 })), unlike)
    assert.strictEqual(why(of({ at: anchor.at + 1 })), unlike)
    assert.strictEqual(why(of({ leaves: [hashOf("x")] })), unlike)
    assert.strictEqual(why(of({ before: [hashOf("x")] })), unlike)
    assert.strictEqual(why(of({ before: [] })), "its leaves are not as many as its signed size says")
    assert.strictEqual(why(of({ leaves: [leaf, leaf, leaf] })), "its leaves are not as many as its signed size says")
    assert.include(why(other), "none of the given keys")
    assert.isTrue(Result.isSuccess(Anchor.check(tools, other, undefined)))
  })

  it("holds with leaves withheld", () => {
    const [leaf] = third.anchor.leaves
    const hidden = Anchor.frontierOf({ size: 1, nodes: [Anchor.leafHash(tools.digest, leaf)] })
    const withheld = { ...third.anchor, leaves: hidden as never }
    assert.strictEqual(why(storedOf({ ...third, anchor: withheld })), "holds")
  })

  it("reads numbers from the names it gives, and from no others", () => {
    assert.strictEqual(Anchor.numberOf(Anchor.nameOf(third.anchor)), 2)
    assert.match(Anchor.nameOf(third.anchor), /^0000000002-[0-9a-f]{16}$/)
    for (const name of ["", "2-0000000000000000", "0000000002", "0000000002-xyz", "0000000002-00000000000000000"]) {
      assert.isUndefined(Anchor.numberOf(name))
    }
  })
})
