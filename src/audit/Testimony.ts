/**
 * What the anchors say, as far as they hold: each on its own, each against the one before it, all against checkpoints
 * that were seen earlier, and under which of them witnesses put their names.
 */
import { Result } from "effect"
import type { Claims } from "../capability/index.ts"
import * as Anchor from "./Anchor.ts"
import * as Cosignature from "./Cosignature.ts"
import type { Digest } from "./Digest.ts"
import type { Finding } from "./Finding.ts"
import * as Note from "./Note.ts"
import type { Verifier } from "./Signer.ts"

/** What hashes and checks signatures. */
export interface Tools {
  readonly digest: Digest["Service"]
  readonly verifier: Verifier["Service"]
}

/** How far a witness vouches for the tree: up to the anchor of that number, as of `at`, epoch seconds. */
export interface Vouched {
  readonly witness: Note.Key
  readonly last: { readonly sequence: number; readonly at: number } | undefined
}

/** What the anchors say. */
export interface Testimony {
  readonly findings: ReadonlyArray<Finding>
  /** Anchors that hold, by number. */
  readonly sound: ReadonlyArray<Anchor.Checked>
  /** Heads by session, of anchors that hold. */
  readonly leaves: ReadonlyMap<Claims.SessionId, ReadonlyArray<Anchor.Leaf>>
  /** Leaves of which only a hash is there. */
  readonly withheld: number
  /** The newest anchor that holds. */
  readonly last: Anchor.Checked | undefined
  /** Its checkpoint, with what the given witnesses signed under it. */
  readonly checkpoint: string | undefined
  /** Anchors that are there, sound or not. */
  readonly count: number
  /** Of each given witness. */
  readonly vouched: ReadonlyArray<Vouched>
  /** Anchors that lie where somebody may remove or overwrite them, as the place itself says. */
  readonly unlocked: number
}

/** Whom to believe. */
export interface Trust {
  readonly keys: ReadonlyArray<Note.Key>
  /** Keys of witnesses; co-signatures of others are passed over. */
  readonly witnesses?: ReadonlyArray<Note.Key> | undefined
  readonly seen?: ReadonlyArray<string> | undefined
}

/** Hears the anchors. Without keys, signatures are *not* checked. */
export const hear = (tools: Tools, stored: ReadonlyArray<Anchor.Stored>, trust: Trust): Testimony => {
  const keys = trust.keys.length === 0 ? undefined : trust.keys
  const findings: Array<Finding> = []
  const heard: Array<Heard> = []
  for (const one of stored) {
    findings.push(...disturbed(one))
    const checked = Anchor.check(tools, one, keys)
    if (Result.isSuccess(checked)) heard.push({ ...checked.success, stored: one })
    else findings.push(ofAnchor("anchor_altered", Anchor.numberOf(one.name) ?? null, `${one.name}: ${checked.failure}`))
  }
  heard.sort((a, b) => a.anchor.sequence - b.anchor.sequence)
  const altered = new Set(findings.flatMap(({ kind, seq }) => kind === "anchor_altered" ? [seq] : []))
  for (const [at, next] of heard.entries()) {
    const broken = gapBefore(tools, heard[at - 1], next, altered)
    if (broken !== undefined) findings.push(broken)
  }
  for (const text of trust.seen ?? []) {
    const lost = unmet(tools, heard, text, keys)
    if (lost !== undefined) findings.push(lost)
  }
  const signed = heard.map((one) => cosigned(tools, one, trust.witnesses ?? []))
  const leaves = heard.flatMap(({ anchor }) => anchor.leaves)
  const last = heard.at(-1)
  return {
    findings: [...findings, ...signed.flatMap(({ findings }) => findings)],
    sound: heard,
    leaves: bySession(leaves),
    withheld: leaves.filter((leaf) => typeof leaf === "string").length,
    last,
    checkpoint: last && Anchor.cosigned(last.anchor.checkpoint, signed.at(-1)?.lines ?? []),
    count: stored.length,
    vouched: (trust.witnesses ?? []).map((witness) => ({ witness, last: newestOf(heard, signed, witness) })),
    unlocked: stored.filter(({ keeping }) => keeping !== null && keeping.lockedUntil === null).length
  }
}

/** How long each chain was, as far as anchors up to a number say. */
export const covered = (
  sound: ReadonlyArray<Anchor.Checked>,
  until: number
): ReadonlyMap<Claims.SessionId, number> => {
  const lengths = new Map<Claims.SessionId, number>()
  for (const { anchor } of sound) {
    if (anchor.sequence > until) continue
    for (const leaf of anchor.leaves) {
      if (typeof leaf !== "string") lengths.set(leaf.session, Math.max(leaf.seq, lengths.get(leaf.session) ?? 0))
    }
  }
  return lengths
}

/** A finding about an anchor, or about anchors as a whole. */
export const ofAnchor = (kind: Finding["kind"], seq: number | null, detail: string): Finding => ({
  kind,
  session: null,
  seq,
  detail
})

// internal

/** An anchor that holds, and how it is kept. */
type Heard = Anchor.Checked & { readonly stored: Anchor.Stored }

/** What the place says was done to an anchor, whose earliest version was read all the same. */
const disturbed = ({ keeping, name }: Anchor.Stored): ReadonlyArray<Finding> => {
  const number = Anchor.numberOf(name) ?? null
  return [
    ...keeping?.overwritten === true
      ? [ofAnchor("anchor_overwritten", number, `${name}: later versions at ${keeping.place} say something else`)]
      : [],
    ...keeping?.hidden === true
      ? [ofAnchor("anchor_hidden", number, `${name}: a delete marker hides it at ${keeping.place}`)]
      : []
  ]
}

/** Which of the given witnesses signed under an anchor, and when. */
interface Signed {
  readonly findings: ReadonlyArray<Finding>
  readonly times: ReadonlyMap<Note.Key, number>
  readonly lines: ReadonlyArray<string>
}

const cosigned = (tools: Tools, one: Heard, witnesses: ReadonlyArray<Note.Key>): Signed => {
  const findings: Array<Finding> = []
  const times = new Map<Note.Key, number>()
  const lines: Array<string> = []
  const text = Note.formatCheckpoint(one.checkpoint)
  for (const line of one.stored.cosignatures) {
    const read = Cosignature.parse(line)
    // Somebody else's line, or no line at all: it neither helps nor harms.
    const key = Result.isFailure(read) ? undefined : Cosignature.keyOf(tools.digest, read.success, witnesses)
    if (Result.isFailure(read) || key === undefined) continue
    if (Cosignature.isOf(tools.verifier, text, read.success, key)) {
      times.set(key, Math.min(read.success.at, times.get(key) ?? read.success.at))
      lines.push(line)
    } else {
      const detail = `number ${one.anchor.sequence}: ${key.name} did not sign what stands over its co-signature`
      findings.push(ofAnchor("cosignature_altered", one.anchor.sequence, detail))
    }
  }
  return { findings, times, lines }
}

const newestOf = (
  heard: ReadonlyArray<Heard>,
  signed: ReadonlyArray<Signed>,
  witness: Note.Key
): Vouched["last"] => {
  const at = signed.findLastIndex(({ times }) => times.has(witness))
  const [one, time] = [heard[at], signed[at]?.times.get(witness)]
  return one === undefined || time === undefined ? undefined : { sequence: one.anchor.sequence, at: time }
}

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

const bySession = (leaves: ReadonlyArray<Anchor.Leaf | string>): Testimony["leaves"] => {
  const sessions = new Map<Claims.SessionId, Array<Anchor.Leaf>>()
  for (const leaf of leaves) {
    if (typeof leaf === "string") continue
    const own = sessions.get(leaf.session)
    if (own === undefined) sessions.set(leaf.session, [leaf])
    else own.push(leaf)
  }
  return sessions
}
