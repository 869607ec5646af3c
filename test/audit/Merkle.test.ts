import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Base64, Hex } from "effect/encoding"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { NodeDigest } from "../../layers/node/index.ts"
import { Merkle } from "../../src/audit/index.ts"

const { digest } = NodeDigest
const bytes = (base64: string) => Result.getOrThrow(Base64.decode(base64))
const root = (leaves: ReadonlyArray<Merkle.Hash>) => Merkle.root(digest, Merkle.grow(digest, Merkle.empty, leaves))
const leavesOf = (size: number) => Array.from({ length: size }, (_, i) => Merkle.leaf(digest, Uint8Array.of(i, i >> 8)))

/** The eight leaves, and the roots over the first n of them, that implementations of the RFC are compared on. */
const reference = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
const referenceRoots = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
]

describe("Merkle", () => {
  it("gives the reference roots", () => {
    const leaves = reference.map((hex) => Merkle.leaf(digest, Result.getOrThrow(Hex.decode(hex))))
    for (const [size, expected] of referenceRoots.entries()) {
      assert.strictEqual(Hex.encode(root(leaves.slice(0, size))), expected)
    }
  })

  it("proves every leaf of every small tree, and only where it stands", () => {
    for (let size = 1; size <= 33; size++) {
      const leaves = leavesOf(size)
      const claim = { size, root: root(leaves) }
      for (const [index, leaf] of leaves.entries()) {
        const proof = Merkle.inclusion(digest, leaves, index)
        assert.isDefined(proof)
        assert.isTrue(Merkle.isIncluded(digest, { ...claim, leaf, index, proof }))
        assert.isFalse(Merkle.isIncluded(digest, { ...claim, leaf, index: (index + 1) % (size + 1), proof }))
        assert.isFalse(Merkle.isIncluded(digest, { ...claim, leaf: claim.root.map((byte) => byte ^ 1), index, proof }))
      }
      assert.isUndefined(Merkle.inclusion(digest, leaves, size))
      assert.isUndefined(Merkle.inclusion(digest, leaves, -1))
    }
  })

  it("proves that every small tree grew out of every smaller one, and not out of another", () => {
    for (let size = 1; size <= 33; size++) {
      const leaves = leavesOf(size)
      const later = { size, root: root(leaves) }
      for (let before = 1; before <= size; before++) {
        const proof = Merkle.consistency(digest, leaves, before)
        assert.isDefined(proof)
        const earlier = { size: before, root: root(leaves.slice(0, before)) }
        assert.isTrue(Merkle.isConsistent(digest, { earlier, later, proof }))
        const other = { size: before, root: root([...leaves.slice(1, before), Merkle.leaf(digest, later.root)]) }
        assert.isFalse(Merkle.isConsistent(digest, { earlier: other, later, proof }))
      }
      assert.isUndefined(Merkle.consistency(digest, leaves, 0))
      assert.isUndefined(Merkle.consistency(digest, leaves, size + 1))
    }
  })

  it("proves from the frontier and what was added alone, as it does from all leaves", () => {
    for (let size = 1; size <= 40; size++) {
      const leaves = leavesOf(size)
      for (let before = 1; before <= size; before++) {
        const frontier = Merkle.grow(digest, Merkle.empty, leaves.slice(0, before))
        const proof = Merkle.extension(digest, frontier, leaves.slice(before))
        assert.deepStrictEqual(proof, Merkle.consistency(digest, leaves, before))
      }
    }
    assert.isUndefined(Merkle.extension(digest, Merkle.empty, leavesOf(3)))
    assert.isUndefined(Merkle.extension(digest, { size: 2, nodes: [] }, leavesOf(3)))
  })

  it("hashes no more for that than was added, however large the tree", () => {
    let hashed = 0
    const counting = { ...digest, sha256Bytes: (bytes: Uint8Array) => (hashed++, digest.sha256Bytes(bytes)) }
    const size = 2 ** 40 + 12_345
    const peaks = [...size.toString(2)].filter((bit) => bit === "1").length
    const before = { size, nodes: leavesOf(peaks) }
    const added = leavesOf(1000)
    const proof = Merkle.extension(counting, before, added)
    assert.isAtMost(hashed, added.length)
    const earlier = { size, root: Merkle.root(digest, before) }
    const grown = Merkle.grow(digest, before, added)
    const later = { size: grown.size, root: Merkle.root(digest, grown) }
    assert.isTrue(Merkle.isConsistent(digest, { earlier, later, proof: proof ?? [] }))
    assert.isAtMost(proof?.length ?? 99, 63)
  })

  it("refuses a frontier of the wrong shape", () => {
    const tree = Merkle.grow(digest, Merkle.empty, leavesOf(6))
    assert.isTrue(Merkle.isFrontier(tree))
    assert.isFalse(Merkle.isFrontier({ ...tree, size: 7 }))
    assert.isFalse(Merkle.isFrontier({ ...tree, nodes: [...tree.nodes.slice(1), new Uint8Array(31)] }))
    assert.isFalse(Merkle.isFrontier({ size: -1, nodes: [] }))
  })
})

const vectors = join(import.meta.dirname, "../../../shared/data/crypto/merkle-rfc6962")
const isHere = existsSync(vectors)
if (!isHere) process.stderr.write(`the proof vectors of transparency-dev/merkle are not at ${vectors}: skipped\n`)

const Proof = Schema.NullOr(Schema.Array(Schema.String))
const Inclusion = Schema.fromJsonString(Schema.Struct({
  leafIdx: Schema.Finite,
  treeSize: Schema.Finite,
  root: Schema.String,
  leafHash: Schema.String,
  proof: Proof,
  wantErr: Schema.Boolean
}))
const Consistency = Schema.fromJsonString(Schema.Struct({
  size1: Schema.Finite,
  size2: Schema.Finite,
  root1: Schema.String,
  root2: Schema.String,
  proof: Proof,
  wantErr: Schema.Boolean
}))

const files = (folder: string) =>
  readdirSync(join(vectors, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(vectors, folder, name))

describe.skipIf(!isHere)("Merkle, against the proof vectors of transparency-dev/merkle", () => {
  it("judges all 196 as they ask, and there are no others", () => {
    let judged = 0
    const all = readdirSync(vectors, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"))
    assert.lengthOf(all, 196)
    for (const file of files("inclusion")) {
      const vector = Schema.decodeSync(Inclusion)(readFileSync(file, "utf8"))
      const isIncluded = Merkle.isIncluded(digest, {
        index: vector.leafIdx,
        size: vector.treeSize,
        root: bytes(vector.root),
        leaf: bytes(vector.leafHash),
        proof: (vector.proof ?? []).map(bytes)
      })
      assert.strictEqual(isIncluded, !vector.wantErr, file)
      judged++
    }
    for (const file of files("consistency")) {
      const vector = Schema.decodeSync(Consistency)(readFileSync(file, "utf8"))
      const isConsistent = Merkle.isConsistent(digest, {
        earlier: { size: vector.size1, root: bytes(vector.root1) },
        later: { size: vector.size2, root: bytes(vector.root2) },
        proof: (vector.proof ?? []).map(bytes)
      })
      assert.strictEqual(isConsistent, !vector.wantErr, file)
      judged++
    }
    assert.strictEqual(judged, 196)
  })
})
