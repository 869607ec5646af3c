/**
 * An anchor says, signed and kept elsewhere, how far every chain had come: whoever later rewrites a chain in the
 * database contradicts it. One tree spans all sessions; each anchor adds a leaf for every session whose head moved, and
 * signs the root as a checkpoint.
 *
 * An anchor stands on its own: `before` is the frontier of the tree it added to, so that its leaves can be checked
 * against its root even when an earlier anchor is lost. Anchors are numbered from 0, `at` is epoch milliseconds, `seq`
 * of a leaf is the length of the chain, hashes are hex.
 */
import { Context, Effect, Layer, Result, Schema } from "effect"
import { Base64, Hex } from "effect/encoding"
import { Claims } from "../capability/index.ts"
import * as Cosignature from "./Cosignature.ts"
import { type Digest, Hash } from "./Digest.ts"
import * as Merkle from "./Merkle.ts"
import * as Note from "./Note.ts"
import { version } from "./Row.ts"
import type { Verifier } from "./Signer.ts"

/** This session's chain had the head `hash` when it was `seq` rows long. */
export const Leaf = Schema.Struct({ session: Claims.SessionId, seq: Schema.Natural, hash: Hash })
export type Leaf = typeof Leaf.Type

/** One anchor. A leaf may be withheld: then its hash in the tree stands for it. */
export const Anchor = Schema.Struct({
  v: Schema.Literal(version),
  sequence: Schema.Natural,
  at: Schema.Natural,
  before: Schema.Array(Hash),
  leaves: Schema.NonEmptyArray(Schema.Union([Leaf, Hash])),
  /** A signed note; its text is the checkpoint of the tree with these leaves. */
  checkpoint: Schema.String
})
export type Anchor = typeof Anchor.Type

/** What the place where something is kept says of it: *its word*, for whoever rules the place can say anything. */
export const Keeping = Schema.Struct({
  /** Where it lies, such as `s3://bucket/key`. */
  place: Schema.String,
  /** The version that was read, which is the earliest; null where there are no versions. */
  version: Schema.NullOr(Schema.String),
  /** Until when nobody may remove it, epoch milliseconds; null when somebody may. */
  lockedUntil: Schema.NullOr(Schema.Natural),
  /** Another text was written over it. */
  overwritten: Schema.Boolean,
  /** It was removed from sight; this version is still there. */
  hidden: Schema.Boolean
})
export type Keeping = typeof Keeping.Type

/** An anchor as it is kept: *not yet verified*, and perhaps no anchor at all. */
export interface Stored {
  readonly name: string
  readonly text: string
  /** Lines of witnesses beside it, at most one of each key. */
  readonly cosignatures: ReadonlyArray<string>
  /** `null` where the place has nothing to say. */
  readonly keeping: Keeping | null
}

/** What is kept under a name, without reading it. */
export type Named = Pick<Stored, "name"> & {
  readonly keeping: Pick<Keeping, "hidden" | "overwritten"> | null
}

/** An anchor that holds in itself, with the trees before and after it. */
export interface Checked {
  readonly anchor: Anchor
  readonly checkpoint: Note.Checkpoint
  readonly before: Merkle.Frontier
  readonly after: Merkle.Frontier
}

/** Where anchors are kept could not be read or written; nothing was appended. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** Another anchor has this number already; it was not overwritten. Taking the anchor again gives it the next number. */
export class Taken extends Schema.TaggedError<Taken>()("Taken", { sequence: Schema.Natural, remedy: Schema.String }) {}
/** The anchors that are kept do not hold, so that nothing was signed on top of them. */
export class Inconsistent extends Schema.TaggedError<Inconsistent>()("Inconsistent", {
  name: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The one error of this module; nothing was appended. */
export class AnchorError extends Schema.TaggedError<AnchorError>()("AnchorError", {
  reason: Schema.Union([Unavailable, Taken, Inconsistent])
}) {}

/** Keeps anchors, and co-signatures beside them: somewhere else than the log, under other credentials. */
export class Anchors extends Context.Service<Anchors, {
  /** Stores an anchor durably under its name. Never overwrites; fails with `Taken` when its number is in use. */
  readonly append: (anchor: Anchor) => Effect.Effect<void, AnchorError>
  /** Stores a co-signature of the anchor of that name durably; of each key the first is kept. */
  readonly cosign: (name: string, line: string) => Effect.Effect<void, AnchorError>
  /**
   * What is kept under the number `from` or later, or under no number, by name: gaps and damage are for the verifier.
   */
  readonly list: (from: number) => Effect.Effect<ReadonlyArray<Stored>, AnchorError>
  /** The names under which anything is kept, in order; reads none of it. */
  readonly names: Effect.Effect<ReadonlyArray<Named>, AnchorError>
}>()("aosiq/audit/Anchor/Anchors") {}

/** The name to keep an anchor under: its number in ten digits, and the first 16 hex digits of its root. */
export const nameOf = (anchor: Anchor): string => {
  const note = Result.flatMap(Note.decode(anchor.checkpoint), ({ text }) => Note.parseCheckpoint(text))
  const root = Result.match(note, { onFailure: () => "", onSuccess: ({ root }) => Hex.encode(bytesOf(root)) })
  return `${String(anchor.sequence).padStart(10, "0")}-${root.slice(0, 16)}`
}

/** The number in a name; `undefined` when the name is not one that `nameOf` gives. */
export const numberOf = (name: string): number | undefined =>
  /^[0-9]{10,16}-[0-9a-f]{16}$/.test(name) ? Number.parseInt(name, 10) : undefined

/** Those of `stored` that `Anchors.list` is asked for. */
export const from = (stored: ReadonlyArray<Stored>, from: number): ReadonlyArray<Stored> =>
  stored.filter(({ name }) => (numberOf(name) ?? from) >= from).toSorted(byName)

/** Orders anchors as `Anchors.list` gives them. */
export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0

/** The checkpoint of an anchor with co-signatures under it: still a signed note, for anybody's tools. */
export const cosigned = (checkpoint: string, cosignatures: ReadonlyArray<string>): string =>
  checkpoint + cosignatures.map((line) => `${line}\n`).join("")

/** The anchor as text; one text for one anchor. */
export const encode = (anchor: Anchor): string => Schema.encodeSync(Text)(anchor)

/** Reads an anchor; *not yet verified*. Refuses every text but the one that `encode` gives. */
export const decode = (text: string): Result.Result<Anchor, string> => {
  const anchor = Schema.decodeUnknownResult(Text)(text)
  return Result.isSuccess(anchor) && encode(anchor.success) === text
    ? Result.succeed(anchor.success)
    : Result.fail("it is not written as an anchor")
}

/** A frontier as an anchor's `before`. */
export const frontierOf = (tree: Merkle.Frontier): ReadonlyArray<Hash> =>
  tree.nodes.map((node) => Hash.make(Hex.encode(node)))

/** The hash of a leaf in the tree. */
export const leafHash = (digest: Digest["Service"], leaf: Leaf | Hash): Merkle.Hash =>
  typeof leaf === "string"
    ? Result.getOrElse(Hex.decode(leaf), () => new Uint8Array())
    : Merkle.leaf(digest, utf8.encode(digest.canonical({ session: leaf.session, seq: leaf.seq, hash: leaf.hash })))

/** The checkpoint to sign for `leaves` on top of the tree `before`. */
export const checkpointOf = (
  digest: Digest["Service"],
  draft: {
    readonly origin: string
    readonly sequence: number
    readonly at: number
    readonly before: Merkle.Frontier
    readonly leaves: ReadonlyArray<Leaf | Hash>
  }
): { readonly checkpoint: Note.Checkpoint; readonly after: Merkle.Frontier } => {
  const after = Merkle.grow(digest, draft.before, draft.leaves.map((leaf) => leafHash(digest, leaf)))
  const root = Base64.encode(Merkle.root(digest, after))
  return { after, checkpoint: { origin: draft.origin, size: after.size, root, extensions: extensionsOf(draft) } }
}

/**
 * Whether a stored anchor holds in itself: it is whole, its name is its own, one of `keys` signed its checkpoint, and
 * its root is that of its leaves on top of `before`. Without keys, signatures are *not* checked. Fails with what is
 * wrong.
 */
export const check = (
  tools: { readonly digest: Digest["Service"]; readonly verifier: Verifier["Service"] },
  stored: Pick<Stored, "name" | "text">,
  keys: ReadonlyArray<Note.Key> | undefined
): Result.Result<Checked, string> =>
  Result.gen(function*() {
    const anchor = yield* decode(stored.text)
    if (nameOf(anchor) !== stored.name) return yield* Result.fail("it stands under a name that is not its own")
    const note = yield* Result.mapError(Note.decode(anchor.checkpoint), Note.explain)
    const signers = keys === undefined
      ? undefined
      : yield* Result.mapError(Note.verified(tools, note, keys), Note.explain)
    const signed = yield* Result.mapError(Note.parseCheckpoint(note.text), Note.explain)
    if (signers?.every((key) => key.name !== signed.origin) === true) {
      return yield* Result.fail(`it was signed for ${signed.origin}, by another name`)
    }
    const before = { size: signed.size - anchor.leaves.length, nodes: anchor.before.map(hashBytes) }
    if (!Merkle.isFrontier(before)) return yield* Result.fail("its leaves are not as many as its signed size says")
    const { after, checkpoint } = checkpointOf(tools.digest, { ...anchor, origin: signed.origin, before })
    return Note.formatCheckpoint(checkpoint) === note.text
      ? { anchor, checkpoint, before, after }
      : yield* Result.fail("its leaves, number or time are not those of the signed checkpoint")
  })

/** Whether `next` adds to the very tree that `previous` signed (or to the empty one), and has the next number. */
export const follows = (digest: Digest["Service"], previous: Checked | undefined, next: Checked): boolean =>
  next.anchor.sequence === (previous === undefined ? 0 : previous.anchor.sequence + 1) &&
  isOn(digest, previous?.after ?? Merkle.empty, next)

/** Whether `next` adds to the tree `before`, whatever its number. */
export const isOn = (digest: Digest["Service"], before: Merkle.Frontier, next: Checked): boolean =>
  next.before.size === before.size &&
  Merkle.same(Merkle.root(digest, next.before), Merkle.root(digest, before))

/** Keeps anchors in memory: for tests, and for runs whose record may go with the process. */
export const layerMemory: Layer.Layer<Anchors> = Layer.effect(
  Anchors,
  Effect.sync(() => {
    const kept = new Map<number, Omit<Stored, "cosignatures">>()
    const lines = new Map<string, Map<string, string>>()
    const stored = () =>
      [...kept.values()].map((one) => ({ ...one, cosignatures: [...lines.get(one.name)?.values() ?? []] }))
    return Anchors.of({
      append: (anchor) =>
        Effect.suspend(() => {
          if (kept.has(anchor.sequence)) return taken(anchor)
          kept.set(anchor.sequence, { name: nameOf(anchor), text: encode(anchor), keeping: null })
          return Effect.void
        }),
      cosign: (name, line) =>
        Effect.sync(() => {
          const slot = Cosignature.slotOf(line)
          const own = lines.get(name) ?? new Map<string, string>()
          if (slot !== undefined && !own.has(slot)) lines.set(name, own.set(slot, line))
        }),
      list: (first) => Effect.sync(() => from(stored(), first)),
      names: Effect.sync(() => stored().map(({ name }) => ({ name, keeping: null })).toSorted(byName))
    })
  })
)

/** Refuses an anchor whose number is in use. */
export const taken = ({ sequence }: Anchor): Effect.Effect<never, AnchorError> =>
  Effect.fail(new AnchorError({ reason: new Taken({ sequence, remedy: "take the anchor again" }) }))

// internal

const utf8 = new TextEncoder()
const Text = Schema.fromJsonString(Anchor)

const bytesOf = (base64: string): Uint8Array => Result.getOrElse(Base64.decode(base64), () => new Uint8Array())
const hashBytes = (hash: Hash): Uint8Array => Result.getOrElse(Hex.decode(hash), () => new Uint8Array())

/** Signed with the root, for neither number nor time are in the tree. */
const extensionsOf = (draft: { readonly sequence: number; readonly at: number }): ReadonlyArray<string> => [
  `number ${draft.sequence}`,
  `time ${draft.at}`
]
