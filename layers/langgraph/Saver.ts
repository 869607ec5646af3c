/**
 * LangGraph's checkpoints in the log's own database: our `BaseCheckpointSaver`, bound to one session that was entered.
 * Thread state with the writes that wait, the control block and the working memory are saved with the row that names
 * their hashes, in one commit; what is read was checked against that row.
 *
 * Run graphs with `durability: "sync"`: a step then starts when the one before it is saved.
 */
import type { RunnableConfig } from "@langchain/core/runnables"
import {
  BaseCheckpointSaver,
  type ChannelVersions,
  type Checkpoint as GraphCheckpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  compareWritesSortKeys,
  copyCheckpoint,
  maxChannelVersion,
  type PendingWrite,
  TASKS,
  WRITES_IDX_MAP,
  writesSortKey
} from "@langchain/langgraph-checkpoint"
import { Effect, FiberSet, Predicate, Result, type Scope } from "effect"
import type { Digest, Log } from "../../src/audit/index.ts"
import { Checkpoint, type Entered, type Store } from "../../src/governor/index.ts"
import { type About, CheckpointError, type Desk, make as desk, Misplaced, Unwritable, type Written } from "./Desk.ts"

/** What may be chosen about a saver. */
export interface Options {
  /** Checkpoints kept of each graph, at least; up to twice as many lie there between two clearings. */
  readonly keep?: number | undefined
}

/** A saver for one run of `session`; what it reads and writes is that session's. */
export const make = Effect.fnUntraced(function*(
  session: Entered,
  options: Options = {}
): Effect.fn.Return<Saver, never, Store.Store | Log.Log | Digest.Digest | Scope.Scope> {
  const own = yield* desk(session, Math.max(1, options.keep ?? Checkpoint.keptCheckpoints))
  return new Saver(own, yield* FiberSet.makeRuntimePromise<never, unknown, CheckpointError>())
})

/** See the header. */
export class Saver extends BaseCheckpointSaver {
  /** Whether a checkpoint was handed in. */
  hasSaved = false
  readonly #desk: Desk
  readonly #run: <A>(effect: Effect.Effect<A, CheckpointError>) => Promise<A>

  constructor(own: Desk, run: <A>(effect: Effect.Effect<A, CheckpointError>) => Promise<A>) {
    super()
    this.#desk = own
    this.#run = run
  }

  /** The newest checkpoint of the outermost graph of a thread. */
  latest(thread: string): Effect.Effect<CheckpointTuple | undefined, CheckpointError> {
    return Effect.flatMap(this.#desk.read({ thread, ns: "", limit: 1 }), ([kept]) =>
      kept === undefined
        ? Effect.succeed(undefined)
        : Effect.tryPromise({ try: () => this.#tuple(kept), catch: unwritable }))
  }

  async put(
    config: RunnableConfig,
    checkpoint: GraphCheckpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions
  ): Promise<RunnableConfig> {
    const { id: parent, ns, thread } = placeOf(config)
    if (thread === undefined) throw misplaced("thread_id")
    this.hasSaved = true
    const place = { thread, ns, id: checkpoint.id }
    const changed = Object.keys(newVersions).filter((channel) => Object.hasOwn(checkpoint.channel_values, channel))
    // Written at once: the graph goes on and may change what it handed in.
    const texts = Promise.all([
      this.#dump({ ...copyCheckpoint(checkpoint), channel_values: {} }),
      this.#dump(metadata),
      ...changed.map((channel) => this.#dump(checkpoint.channel_values[channel]))
    ])
    await this.#save({ _tag: "Saved", place, parent: parent ?? null }, texts, ([state, meta, ...values]) => ({
      _tag: "Saved",
      ...place,
      parent: parent ?? null,
      within: ns === "" ? null : metadata.parents?.[""] ?? null,
      needs: needsOf(checkpoint, metadata),
      state: state ?? nothing,
      metadata: meta ?? nothing,
      versions: Object.fromEntries(
        Object.entries(checkpoint.channel_versions).map(([channel, version]) => [channel, String(version)])
      ),
      values: Object.fromEntries(changed.map((channel, index) => [channel, values[index] ?? nothing]))
    }))
    return at(place)
  }

  async putWrites(config: RunnableConfig, writes: Array<PendingWrite>, task: string, path = ""): Promise<void> {
    const { id, ns, thread } = placeOf(config)
    if (thread === undefined) throw misplaced("thread_id")
    if (id === undefined) throw misplaced("checkpoint_id")
    const place = { thread, ns, id }
    const texts = Promise.all(writes.map(([, value]) => this.#dump(value)))
    await this.#save({ _tag: "Written", place, task }, texts, (values) => ({
      _tag: "Written",
      ...place,
      task,
      path,
      writes: writes.map(([channel], index) => ({
        index: WRITES_IDX_MAP[channel] ?? index,
        channel,
        value: values[index] ?? nothing
      }))
    }))
  }

  async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const { id, ns, thread } = placeOf(config)
    if (thread === undefined) return undefined
    const [kept] = await this.#run(this.#desk.read({ thread, ns, id, limit: 1 }))
    return kept === undefined ? undefined : this.#tuple(kept)
  }

  async *list(config: RunnableConfig, options: CheckpointListOptions = {}): AsyncGenerator<CheckpointTuple> {
    const { before, filter = {}, limit } = options
    const { id, thread } = placeOf(config)
    const ns = textIn(config, "checkpoint_ns")
    const wanted = Object.entries(filter)
    const found = await this.#run(this.#desk.read({
      thread,
      ns,
      id,
      before: before === undefined ? undefined : textIn(before, "checkpoint_id"),
      limit: wanted.length === 0 ? limit : undefined
    }))
    const tuples = await Promise.all(found.map((kept) => this.#tuple(kept)))
    const fitting = tuples.filter(({ metadata }) => {
      const members = new Map<string, unknown>(Object.entries(metadata ?? {}))
      return wanted.every(([name, value]) => members.get(name) === value)
    })
    yield* fitting.slice(0, limit)
  }

  async deleteThread(thread: string): Promise<void> {
    await this.#save({ _tag: "Forgotten" }, Promise.resolve([]), () => ({ _tag: "Forgotten", thread }))
  }

  #save<Texts>(about: About, texts: Promise<Texts>, change: (texts: Texts) => Checkpoint.Change): Promise<void> {
    return this.#desk.save(
      about,
      texts.then((texts) => checked(change(texts)), (cause: unknown) => Result.fail(unwritable(cause)))
    )
  }

  async #dump(value: unknown): Promise<Checkpoint.Blob> {
    const [type, bytes] = await this.serde.dumpsTyped(value)
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return { type, text: text.toString(type === "json" ? "utf8" : "base64") }
  }

  async #load<A>({ text, type }: Checkpoint.Blob): Promise<A> {
    return await this.serde.loadsTyped(type, type === "json" ? text : new Uint8Array(Buffer.from(text, "base64")))
  }

  async #tuple(kept: Checkpoint.Kept): Promise<CheckpointTuple> {
    const { ns, parent, thread } = kept
    const checkpoint = await this.#load<GraphCheckpoint>(kept.state)
    checkpoint.channel_values = Object.fromEntries(
      await Promise.all(
        Object.entries(kept.channels).flatMap(([channel, [, hash]]) => {
          const value = hash === null ? undefined : kept.values[hash]
          return value === undefined ? [] : [this.#load<unknown>(value).then((value) => [channel, value] as const)]
        })
      )
    )
    if (checkpoint.v < 4 && parent !== null) await this.#addSends(checkpoint, { thread, ns, id: parent })
    const writes = kept.writes.toSorted((a, b) => compareWritesSortKeys(sortKey(a), sortKey(b)))
    return {
      config: at(kept),
      checkpoint,
      metadata: await this.#load<CheckpointMetadata>(kept.metadata),
      ...(parent === null ? {} : { parentConfig: at({ thread, ns, id: parent }) }),
      pendingWrites: await Promise.all(
        writes.map(async ({ channel, task, value }): Promise<[string, string, unknown]> => [
          task,
          channel,
          await this.#load<unknown>(value)
        ])
      )
    }
  }

  /** Before version 4, what a step sent to tasks of the next one stood among the writes of the checkpoint before. */
  async #addSends(checkpoint: GraphCheckpoint, place: Checkpoint.Place): Promise<void> {
    const [parent] = await this.#run(this.#desk.read({ ...place }))
    const sends = parent?.writes.filter((write) => write.channel === TASKS) ?? []
    const versions = Object.values(checkpoint.channel_versions)
    checkpoint.channel_values[TASKS] = await Promise.all(sends.map((write) => this.#load<unknown>(write.value)))
    checkpoint.channel_versions[TASKS] = versions.length > 0
      ? maxChannelVersion(...versions)
      : this.getNextVersion(undefined)
  }
}

// internal

const nothing: Checkpoint.Blob = { type: "json", text: "null" }

const sortKey = ({ index, path, task }: Checkpoint.KeptWrite) => writesSortKey(path, task, index)

const misplaced = (name: string) =>
  new CheckpointError({ reason: new Misplaced({ detail: `configurable has no ${name}` }) })

const unwritable = (cause: unknown) =>
  cause instanceof CheckpointError ? cause : new CheckpointError({
    reason: new Unwritable({ detail: cause instanceof Error ? cause.message : String(cause) })
  })

const at = ({ id, ns, thread }: Checkpoint.Place): RunnableConfig => ({
  configurable: { thread_id: thread, checkpoint_ns: ns, checkpoint_id: id }
})

/** A member of `configurable`, which anybody may have filled in. */
const textIn = (config: RunnableConfig, name: string): string | undefined => {
  const value: unknown = config.configurable?.[name]
  return Predicate.isString(value) && value !== "" || (value === "" && name === "checkpoint_ns") ? value : undefined
}

const placeOf = (config: RunnableConfig) => ({
  thread: textIn(config, "thread_id"),
  ns: textIn(config, "checkpoint_ns") ?? "",
  id: textIn(config, "checkpoint_id")
})

/** The ancestors from which a channel that is kept as a series of changes is put together again. */
const needsOf = ({ v }: GraphCheckpoint, metadata: CheckpointMetadata): number => {
  const counters = Object.values(metadata.counters_since_delta_snapshot ?? {}).map(([, steps]) => steps)
  return Math.max(v < 4 ? 1 : 0, ...counters)
}

/** Names that a database cannot hold would fail there, and take the connection with them. */
const checked = (change: Checkpoint.Change): Written => {
  const wrong = namesOf(change).find((name) => !name.isWellFormed() || name.includes("\0"))
  return wrong === undefined
    ? Result.succeed(change)
    : Result.fail(new CheckpointError({ reason: new Misplaced({ detail: `${JSON.stringify(wrong)} is no name` }) }))
}

const namesOf = (change: Checkpoint.Change): ReadonlyArray<string> => {
  switch (change._tag) {
    case "Saved":
      return [change.thread, change.ns, change.id, change.parent ?? "", ...Object.keys(change.versions)]
    case "Written": {
      const { id, ns, path, task, thread, writes } = change
      return [thread, ns, id, task, path, ...writes.map((write) => write.channel)]
    }
    case "Forgotten":
      return [change.thread]
  }
}
