/**
 * The state of a run between two of its steps, kept so that it can go on from there: what a graph's channels hold, what
 * the tasks of the step under way have left so far, and which of all that is still needed.
 *
 * A checkpoint stands in a thread of a session, in one graph of it (`ns`, empty for the outermost), under an id that
 * sorts by age. What its parts mean is known to whoever wrote them: here they are texts with a type. Values of channels
 * are kept once, under their hash; a checkpoint names those that it consists of.
 */
import type { Digest } from "../audit/index.ts"

/** Characters of all texts in one commit at most. */
export const maxCommitLength = 8_000_000
/** Checkpoints of one graph that are kept when nobody says otherwise. */
export const keptCheckpoints = 4

/** Something serialised. A type other than `json` says that the text is base 64. */
export interface Blob {
  readonly type: string
  readonly text: string
}

/** Where a checkpoint stands in its session. */
export interface Place {
  readonly thread: string
  readonly ns: string
  readonly id: string
}

/** A channel by its version and the hash of its value; `null` when it holds none. */
export type Channel = readonly [version: string, value: Digest.Hash | null]

/** What is said of a checkpoint besides its texts. */
export interface Links {
  readonly parent: string | null
  /** The checkpoint of the outermost graph in whose step this one was made; `null` in the outermost. */
  readonly within: string | null
  /** How many of its ancestors it cannot be read without. */
  readonly needs: number
}

/** A checkpoint, whole. */
export interface Saved extends Place, Links {
  readonly _tag: "Saved"
  readonly state: Blob
  readonly metadata: Blob
  /** The version of each channel. */
  readonly versions: Readonly<Record<string, string>>
  /** Values that changed; those of other channels are its parent's. */
  readonly values: Readonly<Record<string, Blob>>
}
/** What one task left, to be applied when its step ends. */
export interface Written extends Place {
  readonly _tag: "Written"
  readonly task: string
  readonly path: string
  readonly writes: ReadonlyArray<Write>
}
/** One write. One with an index from 0 is never replaced, one below 0 always. */
export interface Write {
  readonly index: number
  readonly channel: string
  readonly value: Blob
}
/** A thread is not needed any more. */
export interface Forgotten {
  readonly _tag: "Forgotten"
  readonly thread: string
}
export type Change = Saved | Written | Forgotten

/** A write as it is kept. */
export interface KeptWrite extends Write {
  readonly task: string
  readonly path: string
}

/** A checkpoint as it is read. *Not yet verified*: `keptHash` of it must be what the newest row that names it says. */
export interface Kept extends Place, Links {
  /** The row that named it first; no older one does. */
  readonly seq: number
  readonly state: Blob
  readonly metadata: Blob
  readonly channels: Readonly<Record<string, Channel>>
  /** The values that its channels name, by hash. */
  readonly values: Readonly<Record<string, Blob>>
  readonly writes: ReadonlyArray<KeptWrite>
}

/** Which checkpoints to read, newest first; of all threads and graphs of the session, unless told. */
export interface Query {
  readonly thread?: string | undefined
  readonly ns?: string | undefined
  readonly id?: string | undefined
  /** Older than this one. */
  readonly before?: string | undefined
  readonly limit?: number | undefined
}

type Service = Digest.Digest["Service"]

/** The hash of one text with its type. */
export const blobHash = (digest: Service, blob: Blob): Digest.Hash => digest.sha256(`${blob.type}\n${blob.text}`)

/** The hash of a checkpoint without the writes that wait. */
export const baseHash = (
  digest: Service,
  parts: Place & Links & {
    readonly state: Blob
    readonly metadata: Blob
    readonly channels: Readonly<Record<string, Channel>>
  }
): Digest.Hash => {
  const { channels, id, needs, ns, parent, thread, within } = parts
  return digest.sha256(digest.canonical({
    thread,
    ns,
    id,
    parent,
    within,
    needs,
    state: blobHash(digest, parts.state),
    metadata: blobHash(digest, parts.metadata),
    channels
  }))
}

/** What a row names as `state`: the checkpoint, `null` if there is none, and the writes that wait. */
export const stateHash = (
  digest: Service,
  base: Digest.Hash | null,
  writes: ReadonlyArray<{ readonly task: string; readonly path: string; readonly index: number } & WriteHash>
): Digest.Hash =>
  digest.sha256(digest.canonical({
    base,
    writes: writes.toSorted((a, b) => compare(a.task, b.task) || a.index - b.index)
      .map(({ channel, hash, index, path, task }) => [task, index, path, channel, hash])
  }))

/** What became of the values that a checkpoint was read with: their hash, whatever they were filed under. */
export const keptHash = (digest: Service, kept: Kept): Digest.Hash =>
  stateHash(
    digest,
    baseHash(digest, {
      ...kept,
      channels: Object.fromEntries(
        Object.entries(kept.channels).map(([channel, [version, hash]]) => {
          const value = hash === null ? undefined : kept.values[hash]
          return [channel, [version, value === undefined ? null : blobHash(digest, value)]]
        })
      )
    }),
    kept.writes.map((write) => ({ ...write, hash: blobHash(digest, write.value) }))
  )

/** The hash of a working memory: of the payload that each key holds. */
export const memoryHash = (digest: Service, memory: ReadonlyMap<string, Digest.Hash>): Digest.Hash =>
  digest.sha256(digest.canonical(Object.fromEntries(memory)))

/** All texts of a change together. */
export const lengthOf = (change: Change): number => {
  switch (change._tag) {
    case "Saved":
      return [change.state, change.metadata, ...Object.values(change.values)].reduce(plus, 0)
    case "Written":
      return change.writes.map((write) => write.value).reduce(plus, 0)
    case "Forgotten":
      return 0
  }
}

// internal

interface WriteHash {
  readonly channel: string
  readonly hash: Digest.Hash
}

const plus = (length: number, blob: Blob) => length + blob.text.length
const compare = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0
