/**
 * Threads in a workspace: what a change of a checkpoint does to them, and what is dropped because nothing needs it any
 * more. Loaded entries may come without their texts: to save, to name and to drop, their hashes are enough.
 */
import type { Digest } from "../audit/index.ts"
import * as Checkpoint from "./Checkpoint.ts"

/** A checkpoint by what is needed of it here. */
export interface Entry extends Checkpoint.Place, Checkpoint.Links {
  readonly channels: Readonly<Record<string, Checkpoint.Channel>>
  readonly base: Digest.Hash
  /** The row that named it first; newer ones name it with writes that came later. */
  readonly seq: number
  readonly texts: { readonly state: Checkpoint.Blob; readonly metadata: Checkpoint.Blob } | undefined
}

/** A write that waits. */
export interface WriteEntry {
  readonly ns: string
  readonly id: string
  readonly task: string
  readonly path: string
  readonly index: number
  readonly channel: string
  readonly hash: Digest.Hash
  readonly value: Checkpoint.Blob | undefined
}

/** One thread of one session. */
export interface Thread {
  readonly session: string
  readonly thread: string
  readonly checkpoints: Map<string, Entry>
  /** By checkpoint, then by task and index. */
  readonly writes: Map<string, Map<string, WriteEntry>>
  readonly values: Map<Digest.Hash, Checkpoint.Blob | undefined>
}

/** What changed in a thread, by key. What is not there any more was dropped. */
export interface Changed {
  readonly session: string
  readonly thread: string
  readonly checkpoints: Set<string>
  readonly writes: Set<string>
  readonly values: Set<Digest.Hash>
}

/** The part of a workspace that threads are in. */
export interface Space {
  readonly threads: Map<string, Map<string, Thread>>
  readonly dirty: { readonly threads: Map<string, Changed> }
}

/** A checkpoint that a commit changed, and what a row says of it. */
export interface Touched {
  readonly place: Checkpoint.Place
  readonly parent: string | null
  readonly state: Digest.Hash
  /** Whether it was saved itself, and not only writes that wait on it. */
  readonly isSaved: boolean
}

/** What a commit must see of its session's threads: all of one, where something may be dropped. */
export const reads = (
  commit: { readonly session: string; readonly changes: ReadonlyArray<Checkpoint.Change>; readonly keep: number | null }
): {
  readonly places: ReadonlyArray<{ readonly session: string } & Checkpoint.Place>
  readonly threads: ReadonlyArray<{ readonly session: string; readonly thread: string }>
} => {
  const { changes, keep, session } = commit
  if (keep !== null || changes.some((change) => change._tag === "Forgotten")) {
    const names = new Set(changes.map((change) => change.thread))
    return { places: [], threads: [...names].map((thread) => ({ session, thread })) }
  }
  const places = changes.flatMap((change) => {
    if (change._tag === "Forgotten") return []
    const { id, ns, thread } = change
    const parent = change._tag === "Saved" && change.parent !== null ? [{ session, thread, ns, id: change.parent }] : []
    return [{ session, thread, ns, id }, ...parent]
  })
  return { places, threads: [] }
}

/** The thread, empty if there is none. */
export const thread = (space: Space, session: string, name: string): Thread => {
  const own = space.threads.get(session) ?? new Map<string, Thread>()
  space.threads.set(session, own)
  const known = own.get(name)
  if (known !== undefined) return known
  const fresh = { session, thread: name, checkpoints: new Map(), writes: new Map(), values: new Map() }
  own.set(name, fresh)
  return fresh
}

/** Puts a checkpoint where it belongs. */
export const putEntry = (thread: Thread, entry: Entry): void =>
  void thread.checkpoints.set(placeKey(entry.ns, entry.id), entry)

/** Puts a write where it belongs. */
export const putWrite = (thread: Thread, write: WriteEntry): void => {
  const place = placeKey(write.ns, write.id)
  const waiting = thread.writes.get(place) ?? new Map<string, WriteEntry>()
  thread.writes.set(place, waiting)
  waiting.set(taskKey(write.task, write.index), write)
}

/** Applies changes in order; tells which checkpoints they touched, as they are after all of them. */
export const apply = (
  digest: Digest.Digest["Service"],
  space: Space,
  session: string,
  changes: ReadonlyArray<Checkpoint.Change>
): ReadonlyArray<Touched> => {
  const places = new Map<string, { readonly place: Checkpoint.Place; readonly isSaved: boolean }>()
  for (const change of changes) {
    const own = thread(space, session, change.thread)
    const changed = changedIn(space, own)
    if (change._tag === "Forgotten") {
      forget(own, changed)
      for (const [key, { place }] of places) if (place.thread === change.thread) places.delete(key)
      continue
    }
    if (change._tag === "Saved") save(digest, own, changed, change)
    else write(digest, own, changed, change)
    const key = JSON.stringify([change.thread, change.ns, change.id])
    places.set(key, { place: change, isSaved: change._tag === "Saved" || places.get(key)?.isSaved === true })
  }
  return [...places.values()].map(({ isSaved, place }) => {
    const own = thread(space, session, place.thread)
    const entry = own.checkpoints.get(placeKey(place.ns, place.id))
    const writes = [...(own.writes.get(placeKey(place.ns, place.id)) ?? new Map<string, WriteEntry>()).values()]
    const state = Checkpoint.stateHash(digest, entry?.base ?? null, writes)
    return { place, parent: entry?.parent ?? null, state, isSaved }
  })
}

/** Says which row named a checkpoint. */
export const name = (space: Space, session: string, place: Checkpoint.Place, seq: number): void => {
  const own = thread(space, session, place.thread)
  const key = placeKey(place.ns, place.id)
  const entry = own.checkpoints.get(key)
  if (entry === undefined) return
  own.checkpoints.set(key, { ...entry, seq })
  changedIn(space, own).checkpoints.add(key)
}

/**
 * Drops what nothing needs: of each graph all but the newest `keep` checkpoints and those that they cannot be read
 * without; graphs that belong to a step whose checkpoint is gone; writes and values that nothing names. The thread must
 * be loaded whole.
 */
export const compact = (space: Space, session: string, name: string, keep: number): void => {
  const own = thread(space, session, name)
  const changed = changedIn(space, own)
  const outermost = needed(own, graphOf(own, ""), keep)
  const kept = new Set(outermost.keys())
  const newest = new Map<string, string>()
  for (const ns of new Set([...own.checkpoints.values()].map((entry) => entry.ns))) {
    const graph = graphOf(own, ns)
    newest.set(ns, graph[0]?.id ?? "")
    if (ns === "") continue
    const alive = graph.filter(({ within }) =>
      !isOfOneStep(ns) || within === null || kept.has(placeKey("", within)) || outermost.size === 0
    )
    for (const key of needed(own, alive, keep).keys()) kept.add(key)
  }
  for (const key of own.checkpoints.keys()) {
    if (kept.has(key)) continue
    own.checkpoints.delete(key)
    changed.checkpoints.add(key)
  }
  for (const [key, waiting] of own.writes) {
    const [first] = waiting.values()
    // Writes may come before the checkpoint that they belong to, never long after it.
    const isEarly = first !== undefined && first.id > (newest.get(first.ns) ?? "")
    if (!kept.has(key) && !isEarly) dropWrites(own, changed, key)
  }
  const named = new Set([...own.checkpoints.values()].flatMap((entry) => valuesOf(entry)))
  for (const hash of own.values.keys()) {
    if (named.has(hash)) continue
    own.values.delete(hash)
    changed.values.add(hash)
  }
}

/** What to save and what to delete of the changes of a workspace. */
export const changesOf = (space: Space) => {
  const found = {
    saved: [] as Array<Entry & { readonly session: string }>,
    writes: [] as Array<WriteEntry & { readonly session: string; readonly thread: string }>,
    values: [] as Array<Owned & { readonly hash: Digest.Hash; readonly value: Checkpoint.Blob }>,
    droppedCheckpoints: [] as Array<Owned & { readonly ns: string; readonly id: string }>,
    droppedWrites: [] as Array<
      Owned & { readonly ns: string; readonly id: string; readonly task: string; readonly index: number }
    >,
    droppedValues: [] as Array<Owned & { readonly hash: Digest.Hash }>
  }
  for (const { checkpoints, session, thread: name, values, writes } of space.dirty.threads.values()) {
    const own = space.threads.get(session)?.get(name)
    const owner = { session, thread: name }
    for (const key of checkpoints) {
      const entry = own?.checkpoints.get(key)
      const [ns, id] = JSON.parse(key) as [string, string] // As `placeKey` wrote it.
      if (entry === undefined) found.droppedCheckpoints.push({ ...owner, ns, id })
      else found.saved.push({ ...entry, session })
    }
    for (const key of writes) {
      const [ns, id, task, index] = JSON.parse(key) as [string, string, string, number] // As `writeKey` wrote it.
      const write = own?.writes.get(placeKey(ns, id))?.get(taskKey(task, index))
      if (write === undefined) found.droppedWrites.push({ ...owner, ns, id, task, index })
      else found.writes.push({ ...write, ...owner })
    }
    for (const hash of values) {
      const value = own?.values.get(hash)
      if (value !== undefined) found.values.push({ ...owner, hash, value })
      else if (own?.values.has(hash) !== true) found.droppedValues.push({ ...owner, hash })
    }
  }
  return found
}

/** The checkpoints of a session, read from a workspace that holds their texts; newest first. */
export const read = (
  space: Space,
  session: string,
  query: Checkpoint.Query
): ReadonlyArray<Checkpoint.Kept> =>
  [...(space.threads.get(session)?.values() ?? [])]
    .flatMap((own) => [...own.checkpoints.values()].map((entry) => ({ entry, own })))
    .filter(({ entry }) =>
      (query.thread === undefined || entry.thread === query.thread) &&
      (query.ns === undefined || entry.ns === query.ns) &&
      (query.id === undefined || entry.id === query.id) &&
      (query.before === undefined || entry.id < query.before)
    )
    .toSorted((a, b) => older(a.entry, b.entry))
    .slice(0, query.limit)
    .flatMap(({ entry, own }) => {
      const { base: _, texts, ...rest } = entry
      if (texts === undefined) return []
      const values = valuesOf(entry).flatMap((hash) => {
        const value = own.values.get(hash)
        return value === undefined ? [] : [[hash, value] as const]
      })
      const waiting = [...(own.writes.get(placeKey(entry.ns, entry.id))?.values() ?? [])]
      const writes = waiting.flatMap(({ channel, index, path, task, value }) =>
        value === undefined ? [] : [{ channel, index, path, task, value }]
      )
      return [{ ...rest, ...texts, values: Object.fromEntries(values), writes: inOrder(writes) }]
    })

/** Writes as they are read: by task and index. */
export const inOrder = <W extends { readonly task: string; readonly index: number }>(
  writes: ReadonlyArray<W>
): ReadonlyArray<W> => writes.toSorted((a, b) => a.task < b.task ? -1 : a.task > b.task ? 1 : a.index - b.index)

// internal

interface Owned {
  readonly session: string
  readonly thread: string
}

const placeKey = (ns: string, id: string): string => JSON.stringify([ns, id])
const taskKey = (task: string, index: number): string => `${index} ${task}`
const writeKey = ({ id, index, ns, task }: WriteEntry): string => JSON.stringify([ns, id, task, index])

/** The namespace of a graph that one task of a step ran names that task; state that outlives the step does not. */
const isOfOneStep = (ns: string): boolean => ns.includes(":")

const older = (a: Checkpoint.Place, b: Checkpoint.Place): number =>
  a.id !== b.id
    ? (a.id < b.id ? 1 : -1)
    : JSON.stringify([a.thread, a.ns]) < JSON.stringify([b.thread, b.ns])
    ? -1
    : 1

const graphOf = (own: Thread, ns: string): ReadonlyArray<Entry> =>
  [...own.checkpoints.values()].filter((entry) => entry.ns === ns).toSorted(older)

const valuesOf = (entry: Entry): ReadonlyArray<Digest.Hash> =>
  Object.values(entry.channels).flatMap(([, hash]) => hash ?? [])

const changedIn = (space: Space, { session, thread }: Thread): Changed => {
  const key = JSON.stringify([session, thread])
  const known = space.dirty.threads.get(key)
  if (known !== undefined) return known
  const fresh = { session, thread, checkpoints: new Set<string>(), writes: new Set<string>(), values: new Set<never>() }
  space.dirty.threads.set(key, fresh)
  return fresh
}

const own = <A>(record: Readonly<Record<string, A>> | undefined, key: string): A | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined

const save = (digest: Digest.Digest["Service"], thread: Thread, changed: Changed, change: Checkpoint.Saved) => {
  const { id, metadata, needs, ns, parent, state, within } = change
  const key = placeKey(ns, id)
  const before = [
    thread.checkpoints.get(key),
    parent === null ? undefined : thread.checkpoints.get(placeKey(ns, parent))
  ]
  const channels = Object.fromEntries(
    Object.entries(change.versions).map(([channel, version]): [string, Checkpoint.Channel] => {
      const value = own(change.values, channel)
      if (value !== undefined) {
        const hash = Checkpoint.blobHash(digest, value)
        thread.values.set(hash, value)
        changed.values.add(hash)
        return [channel, [version, hash]]
      }
      const same = before.map((entry) => own(entry?.channels, channel)).find((known) => known?.[0] === version)
      return [channel, same ?? [version, null]]
    })
  )
  const parts = { thread: thread.thread, ns, id, parent, within, needs, channels }
  const base = Checkpoint.baseHash(digest, { ...parts, state, metadata })
  thread.checkpoints.set(key, { ...parts, base, seq: 0, texts: { state, metadata } })
  changed.checkpoints.add(key)
}

const write = (digest: Digest.Digest["Service"], thread: Thread, changed: Changed, change: Checkpoint.Written) => {
  const { id, ns, path, task } = change
  const place = placeKey(ns, id)
  for (const { channel, index, value } of change.writes) {
    if (index >= 0 && thread.writes.get(place)?.has(taskKey(task, index)) === true) continue
    const entry = { ns, id, task, path, index, channel, hash: Checkpoint.blobHash(digest, value), value }
    putWrite(thread, entry)
    changed.writes.add(writeKey(entry))
  }
}

const dropWrites = (thread: Thread, changed: Changed, place: string) => {
  for (const write of thread.writes.get(place)?.values() ?? []) changed.writes.add(writeKey(write))
  thread.writes.delete(place)
}

const forget = (thread: Thread, changed: Changed) => {
  for (const key of thread.checkpoints.keys()) changed.checkpoints.add(key)
  for (const place of thread.writes.keys()) dropWrites(thread, changed, place)
  for (const hash of thread.values.keys()) changed.values.add(hash)
  thread.checkpoints.clear()
  thread.values.clear()
}

/** The newest `keep` of a graph, given newest first, with all that they need. */
const needed = (thread: Thread, graph: ReadonlyArray<Entry>, keep: number): ReadonlyMap<string, Entry> => {
  const kept = new Map<string, Entry>()
  for (const entry of graph.slice(0, keep)) {
    let next: Entry | undefined = entry
    for (let hops = 0; next !== undefined && hops <= entry.needs; hops++) {
      kept.set(placeKey(next.ns, next.id), next)
      next = next.parent === null ? undefined : thread.checkpoints.get(placeKey(next.ns, next.parent))
    }
  }
  return kept
}
