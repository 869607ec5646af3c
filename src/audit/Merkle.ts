/**
 * The Merkle tree of a transparency log: a root stands for every leaf and their order; a proof shows that one leaf is
 * in the tree (inclusion), or that a later tree only added to an earlier one (consistency), without the other leaves.
 *
 * Leaves enter as their hashes (`leaf` makes one from bytes). Every hash is 32 bytes of SHA-256; leaves count from 0.
 * Source: RFC 9162 §2.1, the same tree as RFC 6962 §2.1.
 */
import { Bytes } from "effect"
import type { Digest } from "./Digest.ts"

/** A hash of a leaf or of a node, 32 bytes. */
export type Hash = Uint8Array
/** Hashes in the order in which a proof uses them. */
export type Proof = ReadonlyArray<Hash>

/**
 * All that is needed of a tree to add to it: the roots of the perfect subtrees that `size` splits into, largest first.
 */
export interface Frontier {
  readonly size: number
  readonly nodes: ReadonlyArray<Hash>
}

/** The tree without leaves. */
export const empty: Frontier = { size: 0, nodes: [] }

/** The hash of a leaf: `SHA-256(0x00 ‖ data)`. */
export const leaf = (digest: Digest["Service"], data: Uint8Array): Hash =>
  digest.sha256Bytes(Bytes.concat([zero, data]))

/** The hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`. */
export const node = (digest: Digest["Service"], left: Hash, right: Hash): Hash =>
  digest.sha256Bytes(Bytes.concat([one, left, right]))

/** The tree with one more leaf, in as many hashes as the old size ends in binary ones. */
export const append = (digest: Digest["Service"], tree: Frontier, leaf: Hash): Frontier => {
  const nodes = [...tree.nodes]
  let last = leaf
  for (let rest = tree.size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
    const left = nodes.pop()
    if (left !== undefined) last = node(digest, left, last)
  }
  return { size: tree.size + 1, nodes: [...nodes, last] }
}

/** The tree with `leaves` added. */
export const grow = (digest: Digest["Service"], tree: Frontier, leaves: ReadonlyArray<Hash>): Frontier =>
  leaves.reduce((grown, leaf) => append(digest, grown, leaf), tree)

/** The root of a tree; of the empty one, the hash of nothing. */
export const root = (digest: Digest["Service"], tree: Frontier): Hash => {
  const [last, ...rest] = tree.nodes.toReversed()
  return last === undefined
    ? digest.sha256Bytes(new Uint8Array())
    : rest.reduce((right, left) => node(digest, left, right), last)
}

/** Whether a frontier that came from outside has as many nodes, each a hash, as its size asks for. */
export const isFrontier = (tree: Frontier): boolean => {
  let peaks = 0
  for (let rest = tree.size; rest > 0; rest = Math.floor(rest / 2)) peaks += rest % 2
  return isIndex(0, tree.size + 1) && tree.nodes.length === peaks && tree.nodes.every(isHash)
}

/** Shows that the leaf at `index` is in the tree of `leaves`; `undefined` when there is none at that index. */
export const inclusion = (
  digest: Digest["Service"],
  leaves: ReadonlyArray<Hash>,
  index: number
): Proof | undefined => {
  if (!isIndex(index, leaves.length)) return undefined
  const proof: Array<Hash> = []
  let [from, to] = [0, leaves.length]
  while (to - from > 1) {
    const middle = from + split(to - from)
    const isLeft = index < middle
    proof.unshift(isLeft ? subroot(digest, leaves, middle, to) : subroot(digest, leaves, from, middle))
    if (isLeft) to = middle
    else from = middle
  }
  return proof
}

/** Whether `proof` shows that `leaf` is at `index` of the tree of `size` leaves with this `root`. */
export const isIncluded = (
  digest: Digest["Service"],
  claim: {
    readonly leaf: Hash
    readonly index: number
    readonly size: number
    readonly root: Hash
    readonly proof: Proof
  }
): boolean => {
  const { index, leaf, proof, size } = claim
  if (!isIndex(index, size) || !isHash(leaf)) return false
  const steps = climb(index, size - 1, proof)
  return steps !== undefined && same(fold(digest, leaf, steps), claim.root)
}

/** Shows that the tree of `leaves` begins with its first `size`; `undefined` when it has not that many, or for none. */
export const consistency = (
  digest: Digest["Service"],
  leaves: ReadonlyArray<Hash>,
  size: number
): Proof | undefined => {
  if (!isIndex(size - 1, leaves.length)) return undefined
  const proof: Array<Hash> = []
  let [from, to] = [0, leaves.length]
  // Until the old tree's right edge is a whole subtree: then all that is left is that subtree's root.
  while (to !== size) {
    const middle = from + split(to - from)
    const isLeft = size <= middle
    proof.unshift(isLeft ? subroot(digest, leaves, middle, to) : subroot(digest, leaves, from, middle))
    if (isLeft) to = middle
    else from = middle
  }
  // A verifier knows the old root already; it needs the subtree's only where that is a part of the old tree.
  return from === 0 ? proof : [subroot(digest, leaves, from, to), ...proof]
}

/**
 * Shows that the tree `before` with `added` leaves begins with `before`; `undefined` when that has none, or is none.
 * The proof is that of `consistency`, in as much work as leaves were added: of the older ones it names only what the
 * frontier holds.
 */
export const extension = (
  digest: Digest["Service"],
  before: Frontier,
  added: ReadonlyArray<Hash>
): Proof | undefined => {
  if (before.size === 0 || !isFrontier(before)) return undefined
  const proof: Array<Hash> = []
  const peaks = [...before.nodes]
  let [from, to] = [0, before.size + added.length]
  while (to !== before.size) {
    const middle = from + split(to - from)
    if (before.size <= middle) {
      proof.unshift(subroot(digest, added, middle - before.size, to - before.size))
      to = middle
    } else {
      // What is left of the middle is a perfect subtree of the old tree, and so its next peak.
      proof.unshift(...peaks.splice(0, 1))
      from = middle
    }
  }
  return from === 0 ? proof : [...peaks, ...proof]
}

/** Whether `proof` shows that the tree `later` only added leaves to the tree `earlier`, which is not empty. */
export const isConsistent = (
  digest: Digest["Service"],
  claim: {
    readonly earlier: { readonly size: number; readonly root: Hash }
    readonly later: { readonly size: number; readonly root: Hash }
    readonly proof: Proof
  }
): boolean => {
  const { earlier, later, proof } = claim
  if (!isIndex(earlier.size - 1, later.size)) return false
  if (earlier.size === later.size) return proof.length === 0 && same(earlier.root, later.root)
  if (proof.length === 0) return false

  let [position, last] = [earlier.size - 1, later.size - 1]
  while (position % 2 === 1) [position, last] = up(position, last)
  // An old tree that is one perfect subtree starts the climb itself; otherwise its last perfect subtree does.
  const [start = earlier.root, ...rest] = position === 0 ? [earlier.root, ...proof] : proof
  const steps = climb(position, last, rest)
  return steps !== undefined && isHash(start) &&
    same(fold(digest, start, steps.filter((step) => step.isLeft)), earlier.root) &&
    same(fold(digest, start, steps), later.root)
}

/** Whether two hashes are the same bytes. */
export const same = Bytes.Equivalence

// internal

const zero = Uint8Array.of(0)
const one = Uint8Array.of(1)

const isHash = (hash: Hash): boolean => hash.length === 32
const isIndex = (index: number, size: number): boolean =>
  Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size

/** One level towards the root; division, because shifts end at 32 bits. */
const up = (position: number, last: number): readonly [number, number] => [
  Math.floor(position / 2),
  Math.floor(last / 2)
]

interface Step {
  readonly sibling: Hash
  /** Whether the sibling stands to the left of the path. */
  readonly isLeft: boolean
}

/** The way from `position` to the root, along a level that ends at `last`; `undefined` when the proof does not fit. */
const climb = (position: number, last: number, proof: Proof): ReadonlyArray<Step> | undefined => {
  const steps: Array<Step> = []
  for (const sibling of proof) {
    if (last === 0 || !isHash(sibling)) return undefined
    const isLeft = position % 2 === 1 || position === last
    steps.push({ sibling, isLeft })
    // A node at the right edge without a sibling rises as it is.
    if (isLeft) { while (position % 2 === 0 && position !== 0) [position, last] = up(position, last) }
    ;[position, last] = up(position, last)
  }
  return last === 0 ? steps : undefined
}

const fold = (digest: Digest["Service"], start: Hash, steps: ReadonlyArray<Step>): Hash =>
  steps.reduce(
    (hash, { isLeft, sibling }) => isLeft ? node(digest, sibling, hash) : node(digest, hash, sibling),
    start
  )

/** The largest power of two below `size`, which is at least 2. */
const split = (size: number): number => {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

const subroot = (digest: Digest["Service"], leaves: ReadonlyArray<Hash>, from: number, to: number): Hash =>
  root(digest, grow(digest, empty, leaves.slice(from, to)))
