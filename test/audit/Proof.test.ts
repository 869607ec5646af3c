import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Anchor, Proof } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { hashOf, keys, stranger, tools, Writer } from "./worlds.ts"

const { digest } = tools
const ids = ["a", "b", "c", "d", "e"].map((id) => Claims.SessionId.make(id))

const anchored = (): ReadonlyArray<Anchor.Checked> => {
  const writer = new Writer()
  for (const id of ids) {
    writer.open(id, null)
    if (id !== "b") writer.anchor()
  }
  const [first] = ids
  if (first !== undefined) writer.append(first, null, { kind: "started", epoch: 2 })
  writer.anchor()
  return writer.checked
}

describe("Proof", () => {
  const anchors = anchored()

  it("shows an auditor one session without the others", () => {
    for (const id of ids) {
      const proof = Proof.inclusion(digest, anchors, id)
      assert.isDefined(proof)
      assert.strictEqual(proof.leaf.seq, id === "a" ? 3 : 2)
      assert.isTrue(Result.isSuccess(Proof.checkInclusion(tools, proof, keys)))
      for (const other of ids) if (other !== id) assert.notInclude(JSON.stringify(proof), `"${other}"`)
    }
  })

  it("refuses another leaf, another place, another signer", () => {
    const proof = Proof.inclusion(digest, anchors, Claims.SessionId.make("c"))
    assert.isDefined(proof)
    const refused = [
      { ...proof, leaf: { ...proof.leaf, hash: hashOf("other") } },
      { ...proof, leaf: { ...proof.leaf, seq: 1 } },
      { ...proof, index: proof.index + 1 },
      { ...proof, path: proof.path.slice(1) },
      { ...proof, checkpoint: proof.checkpoint.replace(/^number .*$/m, "number 9") }
    ]
    for (const one of refused) assert.isTrue(Result.isFailure(Proof.checkInclusion(tools, one, keys)))
    const other = [{ name: stranger.name, publicKey: stranger.publicKey }]
    assert.isTrue(Result.isFailure(Proof.checkInclusion(tools, proof, other)))
  })

  it("shows that each checkpoint grew out of every earlier one", () => {
    for (const since of anchors.keys()) {
      const proof = Proof.growth(digest, anchors, since)
      assert.isDefined(proof)
      assert.isTrue(Result.isSuccess(Proof.checkGrowth(tools, proof, keys)))
      const swapped = { ...proof, earlier: proof.later, later: proof.earlier }
      assert.strictEqual(Result.isSuccess(Proof.checkGrowth(tools, swapped, keys)), since === anchors.length - 1)
      assert.isTrue(Result.isFailure(Proof.checkGrowth(tools, { ...proof, path: [...proof.path, hashOf("x")] }, keys)))
    }
  })

  it("proves nothing from anchors that do not follow each other, or do not know the session", () => {
    const [, ...late] = anchors
    assert.isUndefined(Proof.inclusion(digest, late, Claims.SessionId.make("a")))
    assert.isUndefined(Proof.growth(digest, late, 0))
    assert.isUndefined(Proof.growth(digest, anchors, anchors.length))
    assert.isUndefined(Proof.inclusion(digest, anchors, Claims.SessionId.make("z")))
    assert.isUndefined(Proof.inclusion(digest, [], Claims.SessionId.make("a")))
  })
})
