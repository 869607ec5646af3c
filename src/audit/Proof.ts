/**
 * What an auditor can check of one session without seeing the others: that a head is in the tree that a checkpoint
 * signs (inclusion), and that a later checkpoint only added to an earlier one (growth). Hashes are hex.
 * Source: RFC 9162 §2.1.3, §2.1.4.
 */
import { Result, Schema } from "effect"
import { Base64, Hex } from "effect/encoding"
import type { Claims } from "../capability/index.ts"
import * as Anchor from "./Anchor.ts"
import { type Digest, Hash } from "./Digest.ts"
import * as Merkle from "./Merkle.ts"
import * as Note from "./Note.ts"
import type { Tools } from "./Testimony.ts"

/** That `leaf` is at `index` of the tree of `checkpoint`, a signed note. */
export const Inclusion = Schema.Struct({
  leaf: Anchor.Leaf,
  index: Schema.Natural,
  path: Schema.Array(Hash),
  checkpoint: Schema.String
})
export type Inclusion = typeof Inclusion.Type

/** That the tree of `later` begins with that of `earlier`; both are signed notes. */
export const Growth = Schema.Struct({ earlier: Schema.String, later: Schema.String, path: Schema.Array(Hash) })
export type Growth = typeof Growth.Type

/**
 * Shows that the newest head of a session is in the newest of `anchors`, which are all from number 0 on; `undefined`
 * when they do not follow each other, or do not know the session.
 */
export const inclusion = (
  digest: Digest["Service"],
  anchors: ReadonlyArray<Anchor.Checked>,
  session: Claims.SessionId
): Inclusion | undefined => {
  const leaves = leavesOf(digest, anchors)
  const all = anchors.flatMap(({ anchor }) => anchor.leaves)
  const index = all.findLastIndex((leaf) => typeof leaf !== "string" && leaf.session === session)
  const leaf = all[index]
  const checkpoint = anchors.at(-1)?.anchor.checkpoint
  const proof = leaves === undefined ? undefined : Merkle.inclusion(digest, leaves, index)
  return leaf === undefined || typeof leaf === "string" || checkpoint === undefined || proof === undefined
    ? undefined
    : { leaf, index, path: proof.map(toHex), checkpoint }
}

/** The checkpoint, when one of `keys` signed it and the leaf is in its tree; otherwise what is wrong. */
export const checkInclusion = (
  tools: Tools,
  proof: Inclusion,
  keys: ReadonlyArray<Note.Key>
): Result.Result<Note.Checkpoint, string> =>
  Result.flatMap(open(tools, proof.checkpoint, keys), (checkpoint) => {
    const claim = {
      leaf: Anchor.leafHash(tools.digest, proof.leaf),
      index: proof.index,
      size: checkpoint.size,
      root: rootOf(checkpoint),
      proof: proof.path.map(fromHex)
    }
    return Merkle.isIncluded(tools.digest, claim)
      ? Result.succeed(checkpoint)
      : Result.fail("the leaf is not in the tree of the checkpoint")
  })

/**
 * Shows that the newest of `anchors`, which are all from number 0 on, added to the tree of number `since`; `undefined`
 * when they do not follow each other, or there is no such number.
 */
export const growth = (
  digest: Digest["Service"],
  anchors: ReadonlyArray<Anchor.Checked>,
  since: number
): Growth | undefined => {
  const leaves = leavesOf(digest, anchors)
  const earlier = anchors[since]
  const later = anchors.at(-1)
  const proof = leaves === undefined || earlier === undefined
    ? undefined
    : Merkle.consistency(digest, leaves, earlier.after.size)
  return earlier === undefined || later === undefined || proof === undefined
    ? undefined
    : { earlier: earlier.anchor.checkpoint, later: later.anchor.checkpoint, path: proof.map(toHex) }
}

/** The later checkpoint, when `keys` signed both and it only added to the earlier one; otherwise what is wrong. */
export const checkGrowth = (
  tools: Tools,
  proof: Growth,
  keys: ReadonlyArray<Note.Key>
): Result.Result<Note.Checkpoint, string> =>
  Result.gen(function*() {
    const earlier = yield* open(tools, proof.earlier, keys)
    const later = yield* open(tools, proof.later, keys)
    const claim = {
      earlier: { size: earlier.size, root: rootOf(earlier) },
      later: { size: later.size, root: rootOf(later) },
      proof: proof.path.map(fromHex)
    }
    return earlier.origin === later.origin && Merkle.isConsistent(tools.digest, claim)
      ? later
      : yield* Result.fail("the later checkpoint does not add to the earlier one")
  })

// internal

const toHex = (hash: Merkle.Hash): Hash => Hash.make(Hex.encode(hash))
const fromHex = (hash: Hash): Merkle.Hash => Result.getOrElse(Hex.decode(hash), () => new Uint8Array())
const rootOf = ({ root }: Note.Checkpoint): Merkle.Hash => Result.getOrElse(Base64.decode(root), () => new Uint8Array())

const leavesOf = (
  digest: Digest["Service"],
  anchors: ReadonlyArray<Anchor.Checked>
): ReadonlyArray<Merkle.Hash> | undefined =>
  anchors.every((anchor, i) => Anchor.follows(digest, anchors[i - 1], anchor))
    ? anchors.flatMap(({ anchor }) => anchor.leaves).map((leaf) => Anchor.leafHash(digest, leaf))
    : undefined

const open = (
  tools: Tools,
  text: string,
  keys: ReadonlyArray<Note.Key>
): Result.Result<Note.Checkpoint, string> =>
  Result.mapError(
    Result.gen(function*() {
      const note = yield* Note.decode(text)
      yield* Note.verified(tools, note, keys)
      return yield* Note.parseCheckpoint(note.text)
    }),
    Note.explain
  )
