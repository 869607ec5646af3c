/**
 * The state of runs in a workspace, beside their rows: working memories and the threads of graphs. What acts leave in
 * memory is said by their outcomes; what a commit of checkpoints comes to is the rows that name them.
 */
import { Result } from "effect"
import type { Digest, Log, Row } from "../audit/index.ts"
import * as Checkpoint from "./Checkpoint.ts"
import { maxEntries } from "./Memory.ts"
import { type Checkpoint as Commit, type Finish, Rejected } from "./Store.ts"
import * as Threads from "./Threads.ts"

/** The part of a workspace that is the state of runs. */
export interface Space extends Threads.Space {
  /** Of each session, the payload that each key of its memory holds. */
  readonly memories: Map<string, Map<string, Digest.Hash>>
  readonly dirty: Threads.Space["dirty"] & {
    /** By session: keys of its memory. */
    readonly memories: Map<string, Set<string>>
    /** Sessions that ended: nothing of their state is needed any more. */
    readonly ended: Set<string>
  }
}

/** What must be loaded of it. */
export interface Reads {
  /** Sessions whose working memory is needed. */
  readonly memories: ReadonlyArray<string>
  /** Checkpoints with the writes that wait on them; without their texts. */
  readonly places: ReadonlyArray<{ readonly session: string } & Checkpoint.Place>
  /** Threads of which everything is needed; without its texts. */
  readonly threads: ReadonlyArray<{ readonly session: string; readonly thread: string }>
}

/** Nothing. */
export const nothing: Reads = { memories: [], places: [], threads: [] }

/** What a commit must see of it. */
export const reads = (commit: Commit | Finish): Reads =>
  commit._tag === "Checkpoint"
    ? { memories: [commit.session], ...Threads.reads(commit) }
    : { ...nothing, memories: leftBy(commit).length === 0 ? [] : [commit.session] }

/** The working memory after an act. */
export const remembering = (
  space: Space,
  commit: Finish
): Result.Result<Map<string, Digest.Hash>, Rejected> => {
  const memory = new Map(space.memories.get(commit.session))
  for (const [key, hash] of leftBy(commit)) {
    if (hash === null) memory.delete(key)
    else memory.set(key, hash)
  }
  const detail = `a session remembers ${maxEntries} entries at most`
  return memory.size > maxEntries ? Result.fail(new Rejected({ why: "memory_full", detail })) : Result.succeed(memory)
}

/** Keeps it. */
export const remember = (space: Space, commit: Finish, memory: Map<string, Digest.Hash>): void => {
  const keys = leftBy(commit).map(([key]) => key)
  if (keys.length === 0) return
  space.memories.set(commit.session, memory)
  space.dirty.memories.set(commit.session, new Set([...space.dirty.memories.get(commit.session) ?? [], ...keys]))
}

/** The working memory that a session starts with. */
export const begin = (space: Space, session: string, memory: ReadonlyMap<string, Digest.Hash>): void => {
  if (memory.size === 0) return
  space.memories.set(session, new Map(memory))
  space.dirty.memories.set(session, new Set(memory.keys()))
}

/** A session that has ended goes on from nothing: its rows say what it came to. */
export const drop = (space: Space, session: string): void => {
  space.threads.delete(session)
  space.memories.delete(session)
  space.dirty.memories.delete(session)
  for (const [key, changed] of space.dirty.threads) if (changed.session === session) space.dirty.threads.delete(key)
  space.dirty.ended.add(session)
}

/** Why a commit of checkpoints cannot be saved, whatever its session says. */
export const unfit = ({ changes }: Commit): Rejected | undefined => {
  if (changes.length === 0) return new Rejected({ why: "stale", detail: "there is nothing to save" })
  const length = changes.reduce((length, change) => length + Checkpoint.lengthOf(change), 0)
  if (length <= Checkpoint.maxCommitLength) return undefined
  const detail = `${length} characters of state, ${Checkpoint.maxCommitLength} at most`
  return new Rejected({ why: "too_large", detail })
}

/** A row to write, and what is to be done once it has its number. */
export interface Named {
  readonly body: Row.Body
  readonly whenAt: (seq: number) => void
}

/** Applies changes; gives the rows that say so. */
export const save = (
  digest: Digest.Digest["Service"],
  space: Space,
  { changes, epoch, session }: Commit,
  { actor }: Log.Summary
): ReadonlyArray<Named> => {
  const touched = Threads.apply(digest, space, session, changes)
  const memory = Checkpoint.memoryHash(digest, space.memories.get(session) ?? new Map())
  const forgotten = changes.flatMap((change): ReadonlyArray<Named> => {
    if (change._tag !== "Forgotten") return []
    const detail = `checkpoints of thread ${change.thread}`
    return [{ body: { kind: "noted", what: "forgotten", by: actor, detail }, whenAt: () => undefined }]
  })
  return [
    ...forgotten,
    ...touched.map(({ isSaved, parent, place, state }): Named => ({
      body: { kind: "checkpoint", thread: place.thread, ns: place.ns, id: place.id, parent, epoch, state, memory },
      whenAt: (seq) => isSaved ? Threads.name(space, session, place, seq) : undefined
    }))
  ]
}

/** Drops what the commit says is to be dropped. */
export const compact = (space: Space, { changes, keep, session }: Commit): void => {
  if (keep === null) return
  for (const thread of new Set(changes.map((change) => change.thread))) Threads.compact(space, session, thread, keep)
}

// internal

/** What an act leaves in working memory. */
const leftBy = ({ outcome: { body } }: Finish): ReadonlyArray<readonly [key: string, hash: Digest.Hash | null]> =>
  body.kind === "outcome" ? Object.entries(body.memory ?? {}) : []
