/**
 * What the anchors say, as far as they hold: each on its own, each against the one before it, and all against
 * checkpoints that were seen earlier.
 */
import { Result } from "effect"
import type { Claims } from "../capability/index.ts"
import * as Anchor from "./Anchor.ts"
import type { Digest } from "./Digest.ts"
import type { Finding } from "./Finding.ts"
import * as Note from "./Note.ts"
import type { Verifier } from "./Signer.ts"

/** What hashes and checks signatures. */
export interface Tools {
  readonly digest: Digest["Service"]
  readonly verifier: Verifier["Service"]
}

/** What the anchors say. */
export interface Witness {
  readonly findings: ReadonlyArray<Finding>
  /** Heads by session, of anchors that hold. */
  readonly leaves: ReadonlyMap<Claims.SessionId, ReadonlyArray<Anchor.Leaf>>
  /** Leaves of which only a hash is there. */
  readonly withheld: number
  /** The newest anchor that holds. */
  readonly last: Anchor.Checked | undefined
  /** Anchors that are there, sound or not. */
  readonly count: number
}

/** Hears the anchors. Without keys, signatures are *not* checked. */
export const hear = (
  tools: Tools,
  stored: ReadonlyArray<Anchor.Stored>,
  terms: { readonly keys: ReadonlyArray<Note.Key>; readonly seen?: ReadonlyArray<string> | undefined }
): Witness => {
  const keys = terms.keys.length === 0 ? undefined : terms.keys
  const findings: Array<Finding> = []
  const sound: Array<Anchor.Checked> = []
  for (const one of stored) {
    const checked = Anchor.check(tools, one, keys)
    if (Result.isSuccess(checked)) sound.push(checked.success)
    else findings.push(ofAnchor("anchor_altered", Anchor.numberOf(one.name) ?? null, `${one.name}: ${checked.failure}`))
  }
  sound.sort((a, b) => a.anchor.sequence - b.anchor.sequence)
  const altered = new Set(findings.map((finding) => finding.seq))
  for (const [at, next] of sound.entries()) {
    const broken = gapBefore(tools, sound[at - 1], next, altered)
    if (broken !== undefined) findings.push(broken)
  }
  for (const text of terms.seen ?? []) {
    const lost = unmet(tools, sound, text, keys)
    if (lost !== undefined) findings.push(lost)
  }
  const leaves = sound.flatMap(({ anchor }) => anchor.leaves)
  const withheld = leaves.filter((leaf) => typeof leaf === "string").length
  return { findings, leaves: bySession(leaves), withheld, last: sound.at(-1), count: stored.length }
}

/** A finding about an anchor, or about anchors as a whole. */
export const ofAnchor = (kind: Finding["kind"], seq: number | null, detail: string): Finding => ({
  kind,
  session: null,
  seq,
  detail
})

// internal

/** What is wrong between an anchor and the one before it; numbers that stand for an altered anchor are not missing. */
const gapBefore = (
  { digest }: Tools,
  previous: Anchor.Checked | undefined,
  next: Anchor.Checked,
  altered: ReadonlySet<number | null>
): Finding | undefined => {
  const { sequence } = next.anchor
  const due = previous === undefined ? 0 : previous.anchor.sequence + 1
  if (sequence < due) {
    const isSame = previous !== undefined && Anchor.encode(previous.anchor) === Anchor.encode(next.anchor)
    return isSame ? undefined : ofAnchor("anchor_forked", sequence, `two anchors have number ${sequence}`)
  }
  if (sequence === due) return joint(digest, previous, next)
  for (let number = due; number < sequence; number++) {
    if (!altered.has(number)) {
      return ofAnchor("anchor_missing", number, `after number ${due - 1} comes number ${sequence}`)
    }
  }
  return undefined
}

/** What is wrong between two anchors that follow each other by number. */
const joint = (
  digest: Digest["Service"],
  previous: Anchor.Checked | undefined,
  next: Anchor.Checked
): Finding | undefined => {
  const { sequence } = next.anchor
  if (Anchor.follows(digest, previous, next)) return undefined
  // Leaves can be hidden in `before` without the key, but then the sizes no longer meet.
  return next.before.size === (previous?.after.size ?? 0)
    ? ofAnchor("anchor_forked", sequence, `number ${sequence} does not add to the tree of the anchor before it`)
    : ofAnchor("anchor_altered", sequence, `number ${sequence} does not have the leaves that were added since`)
}

/** A checkpoint that was seen earlier, and that the anchors do not lead to. */
const unmet = (
  tools: Tools,
  sound: ReadonlyArray<Anchor.Checked>,
  text: string,
  keys: ReadonlyArray<Note.Key> | undefined
): Finding | undefined => {
  const seen = Result.flatMap(Note.decode(text), (note) =>
    Result.flatMap(
      keys === undefined ? Result.succeed([]) : Note.verified(tools, note, keys),
      () => Note.parseCheckpoint(note.text)
    ))
  if (Result.isFailure(seen)) {
    return ofAnchor("anchor_altered", null, `the checkpoint seen earlier: ${Note.explain(seen.failure)}`)
  }
  const { root, size } = seen.success
  if (sound.some(({ checkpoint }) => checkpoint.size === size && checkpoint.root === root)) return undefined
  return sound.some(({ checkpoint }) => checkpoint.size === size)
    ? ofAnchor("anchor_forked", null, `another tree of ${size} leaves was signed than the one seen earlier`)
    : ofAnchor("anchor_missing", null, `a tree of ${size} leaves was seen earlier, and no anchor here signs it`)
}

const bySession = (leaves: ReadonlyArray<Anchor.Leaf | string>): Witness["leaves"] => {
  const sessions = new Map<Claims.SessionId, Array<Anchor.Leaf>>()
  for (const leaf of leaves) {
    if (typeof leaf === "string") continue
    const own = sessions.get(leaf.session)
    if (own === undefined) sessions.set(leaf.session, [leaf])
    else own.push(leaf)
  }
  return sessions
}
