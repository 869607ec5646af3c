/**
 * Where a saver hands in what is to be kept, and gets it back. Changes are saved in the order in which they were asked
 * for; those of one turn of the event loop in one commit, so that what a step's task left and the checkpoint after it
 * cost one. What comes back was checked against the rows that name it.
 *
 * LangGraph writes the checkpoint after a step even when what one of its tasks left could not be saved. Here that
 * checkpoint is refused: nothing steps over a loss.
 */
import { Effect, Queue, Result, Schema, type Scope } from "effect"
import { Chain, Digest, Log, type Row } from "../../src/audit/index.ts"
import { Checkpoint, type Entered, Store } from "../../src/governor/index.ts"

/** What is kept under a place cannot be there: a name is missing, or is no text. Nothing was saved. */
export class Misplaced extends Schema.TaggedError<Misplaced>()("Misplaced", { detail: Schema.String }) {}
/** It has no written form. Nothing was saved. */
export class Unwritable extends Schema.TaggedError<Unwritable>()("Unwritable", { detail: Schema.String }) {}
/** Something that it builds on was not saved. Nor was it. */
export class Lost extends Schema.TaggedError<Lost>()("Lost", { detail: Schema.String }) {}
/** What is stored is not what the log says. It was not handed on. */
export class Altered extends Schema.TaggedError<Altered>()("Altered", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The log could not be read. */
export class Unread extends Schema.TaggedError<Unread>()("Unread", { detail: Schema.String, remedy: Schema.String }) {}
/** The one error of checkpoints. */
export class CheckpointError extends Schema.TaggedError<CheckpointError>()("CheckpointError", {
  reason: Schema.Union([Misplaced, Unwritable, Lost, Altered, Unread, Store.Rejected, Store.Unavailable])
}) {
  override get message(): string {
    const { reason } = this
    return `${reason._tag}: ${reason.detail}`
  }
}

/** What a change is about: known at once, while its texts are still being written. */
export type About =
  | { readonly _tag: "Saved"; readonly place: Checkpoint.Place; readonly parent: string | null }
  | { readonly _tag: "Written"; readonly place: Checkpoint.Place; readonly task: string }
  | { readonly _tag: "Forgotten" }

/** A change, or why there is none. */
export type Written = Result.Result<Checkpoint.Change, CheckpointError>

/** See the header. */
export interface Desk {
  /** Resolves when the change is in the log, rejects with a `CheckpointError` when it is not. */
  readonly save: (about: About, change: Promise<Written>) => Promise<void>
  /** Checkpoints as they are after everything that was asked for before; newest first. */
  readonly read: (query: Checkpoint.Query) => Effect.Effect<ReadonlyArray<Checkpoint.Kept>, CheckpointError>
}

/** The desk of one run of a session. */
export const make = Effect.fnUntraced(function*(
  session: Entered,
  keep: number
): Effect.fn.Return<Desk, never, Store.Store | Log.Log | Digest.Digest | Scope.Scope> {
  const store = yield* Store.Store
  const log = yield* Log.Log
  const digest = yield* Digest.Digest
  const waiting = yield* Queue.unbounded<Waiting>()
  const losses = new Losses()
  // A run starts by clearing up after the one before it.
  let sinceCompaction = keep
  let isOver = false

  const commit = Effect.fnUntraced(function*(changes: ReadonlyArray<Checkpoint.Change>) {
    if (changes.length === 0) return
    const isDue = sinceCompaction >= keep
    yield* Effect.mapError(
      store.commit({
        _tag: "Checkpoint",
        session: session.id,
        epoch: session.epoch,
        changes,
        keep: isDue ? keep : null
      }),
      ({ reason }) => new CheckpointError({ reason })
    )
    sinceCompaction = (isDue ? 0 : sinceCompaction) + changes.filter((change) => change._tag === "Saved").length
  })

  /** Saves together what can be saved, and tells each how it went. */
  const settle = Effect.fnUntraced(function*(entries: ReadonlyArray<Waiting>) {
    const written = yield* Effect.promise(() => Promise.all(entries.map(({ change }) => change)))
    const going: Array<Waiting> = []
    const changes: Array<Checkpoint.Change> = []
    for (const [index, entry] of entries.entries()) {
      const result = losses.before(entry.about) ?? written[index]
      if (result !== undefined && Result.isFailure(result)) {
        losses.add(entry.about)
        entry.reject(result.failure)
      } else {
        going.push(entry)
        if (result !== undefined) changes.push(result.success)
      }
    }
    // A store that broke down has not answered, and nobody may wait for it.
    const saved = yield* Effect.result(Effect.catchDefect(commit(changes), (defect) => Effect.fail(brokenDown(defect))))
    for (const { about, reject, resolve } of going) {
      if (Result.isSuccess(saved)) {
        losses.remove(about)
        resolve()
      } else {
        losses.add(about)
        reject(saved.failure)
      }
    }
  })

  // What was asked for before the end of the run is still saved.
  yield* Effect.addFinalizer(() => {
    isOver = true
    return Effect.flatMap(Queue.clear(waiting), settle)
  })

  yield* Effect.uninterruptibleMask((restore) =>
    restore(Queue.take(waiting)).pipe(
      // What is asked for in this turn of the event loop goes with it.
      Effect.tap(Effect.yieldNow),
      Effect.flatMap((first) => Effect.map(Queue.clear(waiting), (rest) => [first, ...rest])),
      Effect.flatMap(settle)
    )
  ).pipe(Effect.forever, Effect.forkScoped)

  const enqueue = (about: About | null, change: Waiting["change"]): Promise<void> =>
    new Promise((resolve, reject) => {
      if (isOver) reject(over)
      else Queue.offerUnsafe(waiting, { about, change, resolve, reject })
    })

  const examined = Effect.fnUntraced(function*(query: Checkpoint.Query) {
    const found = yield* Effect.mapError(
      store.checkpoints(session.id, query),
      ({ reason }) => new CheckpointError({ reason })
    )
    if (found.length === 0) return Result.succeed(found)
    const from = found.reduce((least, { seq }) => Math.min(least, seq), Infinity)
    const summary = yield* Effect.mapError(log.session(session.id), unread)
    const rows = yield* Effect.mapError(log.rows(session.id, from), unread)
    const end = summary._tag === "Some" ? summary.value : undefined
    const newest = query.id === undefined && query.before === undefined && query.limit === 1 ? found[0] : undefined
    const wrong = chainDamage(digest, rows, from, end) ?? found.map((kept) =>
      damage(digest, rows, kept)
    ).find(isText) ??
      (newest === undefined ? undefined : missing(rows, newest))
    return wrong === undefined ? Result.succeed(found) : Result.fail(wrong)
  })

  const read = Effect.fnUntraced(function*(query: Checkpoint.Query) {
    yield* Effect.promise(() => enqueue(null, nothing).catch(() => undefined))
    let wrong = ""
    // What is being written meanwhile may look altered once, and not again.
    for (let attempt = 0; attempt < maxReads; attempt++) {
      const result = yield* examined(query)
      if (Result.isSuccess(result)) return result.success
      wrong = result.failure
    }
    const body: Row.Body = { kind: "noted", what: "altered", by: session.actor.name, detail: wrong }
    const note = { _tag: "Append", session: session.id, epoch: session.epoch, row: { key: null, body } } as const
    yield* Effect.ignore(store.commit({ ...note, payloads: [], status: null, result: null }))
    const remedy = "restore the checkpoints of the session from a backup, then resume it"
    return yield* new CheckpointError({ reason: new Altered({ detail: wrong, remedy }) })
  })

  return { save: enqueue, read }
})

// internal

/** Reads before what does not fit is called altered. */
const maxReads = 3

/** A change on its way; one without `about` only waits for those before it. */
interface Waiting {
  readonly about: About | null
  readonly change: Promise<Written | undefined>
  readonly resolve: () => void
  readonly reject: (error: CheckpointError) => void
}

const nothing = Promise.resolve(undefined)
const over = new CheckpointError({ reason: new Lost({ detail: "the run is over" }) })

/** What was not saved, for as long as it was not saved after all. */
class Losses {
  readonly #checkpoints = new Set<string>()
  /** Tasks by the checkpoint whose step they belong to. */
  readonly #tasks = new Map<string, Set<string>>()

  /** Why a change may not be saved any more. */
  before(about: About | null): Result.Result<never, CheckpointError> | undefined {
    if (about === null || about._tag === "Forgotten") return undefined
    const { id, ns, thread } = about.place
    const on = about._tag === "Saved" ? about.parent : id
    if (on === null) return undefined
    const key = keyOf({ thread, ns, id: on })
    const isLost = this.#checkpoints.has(key) || (about._tag === "Saved" && (this.#tasks.get(key)?.size ?? 0) > 0)
    if (!isLost) return undefined
    return Result.fail(new CheckpointError({ reason: new Lost({ detail: `not all of checkpoint ${on} was saved` }) }))
  }

  add(about: About | null): void {
    if (about === null || about._tag === "Forgotten") return
    const key = keyOf(about.place)
    if (about._tag === "Saved") this.#checkpoints.add(key)
    else this.#tasks.set(key, (this.#tasks.get(key) ?? new Set()).add(about.task))
  }

  remove(about: About | null): void {
    if (about === null || about._tag === "Forgotten") return
    const key = keyOf(about.place)
    if (about._tag === "Saved") this.#checkpoints.delete(key)
    else this.#tasks.get(key)?.delete(about.task)
  }
}

const keyOf = ({ id, ns, thread }: Checkpoint.Place): string => JSON.stringify([thread, ns, id])

const unread = (error: Log.LogError) =>
  new CheckpointError({ reason: new Unread({ detail: error.detail, remedy: error.remedy }) })

const brokenDown = (defect: unknown) =>
  new CheckpointError({
    reason: new Store.Unavailable({ detail: String(defect), remedy: "look at the database", maybe: true })
  })

const isText = (text: string | undefined): text is string => text !== undefined

/** What is wrong with the rows from `from` on: they must hold, and lead to where the control block says they end. */
const chainDamage = (
  digest: Digest.Digest["Service"],
  rows: ReadonlyArray<Row.Row>,
  from: number,
  end: Log.Summary | undefined
): string | undefined => {
  let head: Chain.Head | undefined
  for (const row of rows) {
    const { hash, prev, ...content } = row
    const follows = head === undefined ? row.seq === from : row.seq === head.seq && prev === head.hash
    if (!follows || Chain.hash(digest, prev, content) !== hash) return `row ${row.seq} does not hold`
    head = Chain.after(row)
    if (end?.seq === head.seq && end.head !== head.hash) return `row ${row.seq} is not the last of its chain`
  }
  return end === undefined || head === undefined || head.seq < end.seq ? `rows from ${from} on are missing` : undefined
}

/** What is wrong with a checkpoint, in the light of the rows from the one on that should name it. */
const damage = (
  digest: Digest.Digest["Service"],
  rows: ReadonlyArray<Row.Row>,
  kept: Checkpoint.Kept
): string | undefined => {
  const naming = rows.findLast(({ body }) =>
    body.kind === "checkpoint" && body.thread === kept.thread && body.ns === kept.ns && body.id === kept.id
  )
  const what = `checkpoint ${kept.id}`
  if (naming === undefined) return `${what}: no row names it`
  const state = naming.body.kind === "checkpoint" ? naming.body.state : undefined
  return state === Checkpoint.keptHash(digest, kept) ? undefined : `${what}: it is not what row ${naming.seq} names`
}

/** The newest checkpoint of a graph is never dropped: one that a row names after it must be there. */
const missing = (rows: ReadonlyArray<Row.Row>, { id, ns, thread }: Checkpoint.Kept): string | undefined => {
  const newer = rows.find(({ body }) =>
    body.kind === "checkpoint" && body.thread === thread && body.ns === ns && body.id > id
  )
  return newer === undefined ? undefined : `row ${newer.seq} names a checkpoint after ${id}, and it is not there`
}
