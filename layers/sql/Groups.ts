/**
 * Which of the waiting commits share a transaction. While one group is being written, what arrives waits and shares the
 * next; when enough waits, or a group takes long, further groups go ahead beside it. No two groups under way touch the
 * same tree of sessions, or an account or record that both say they change: they seldom wait for each other's locks, and
 * what belongs to one session is written in the order it came.
 */
import { Clock, Deferred, Effect, Fiber, Latch, Semaphore } from "effect"
import type { Scope } from "effect"
import { Store, Transition } from "../../src/governor/index.ts"

/** Commits in one transaction at most: bounds how long a group holds its locks. */
const maxGroup = 256
/** Groups under way at once, each on a connection of its own. */
const maxUnderWay = 3
/** Commits that may wait; more make their callers wait. */
const maxWaiting = 4096
/** Commits that are worth a further group beside one that is under way. */
const enough = 64
/** How long a commit waits for a group under way before it gets one of its own all the same, milliseconds. */
const stallMs = 50

/** A commit, and who waits for it. */
export interface Waiting {
  readonly commit: Store.Commit
  /** Since when, epoch milliseconds. */
  readonly since: number
  readonly done: Deferred.Deferred<Store.Committed, Store.StoreError>
}

/**
 * Hands groups to `write`, which must answer each of its commits. What still waits when the scope closes is told so;
 * what is under way is waited for, and `isClosed` tells it not to take long.
 */
export const make = Effect.fnUntraced(function*(
  write: (group: ReadonlyArray<Waiting>, isClosed: () => boolean) => Effect.Effect<void>
): Effect.fn.Return<(commit: Store.Commit) => Effect.Effect<Store.Committed, Store.StoreError>, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const room = Semaphore.makeUnsafe(maxWaiting)
  const wake = Latch.makeUnsafe(false)
  const busy = new Set<string>()
  const underWay = new Set<Fiber.Fiber<void>>()
  let waiting: ReadonlyArray<Entry> = []
  let arrivals: Array<Entry> = []
  let isClosed = false

  /** The next group, if one may start now. */
  const next = (): ReadonlyArray<Entry> => {
    if (underWay.size >= maxUnderWay) return []
    const { group, rest } = pick([...waiting, ...arrivals], busy)
    const [first] = group
    if (first === undefined) return []
    const isDue = clock.currentTimeMillisUnsafe() - first.since >= stallMs
    if (underWay.size > 0 && group.length < enough && !isDue) return []
    waiting = rest
    arrivals = []
    return group
  }

  const start = Effect.fnUntraced(function*(group: ReadonlyArray<Entry>) {
    const keys = group.flatMap((entry) => entry.keys)
    for (const key of keys) busy.add(key)
    const fiber = yield* Effect.forkDetach(write(group, () => isClosed))
    underWay.add(fiber)
    fiber.addObserver(() => {
      underWay.delete(fiber)
      for (const key of keys) busy.delete(key)
      wake.openUnsafe()
    })
  })

  const turn = Effect.gen(function*() {
    const isIdle = waiting.length === 0 && arrivals.length === 0
    yield* isIdle ? wake.await : Effect.timeoutOption(wake.await, stallMs)
    wake.closeUnsafe()
    // Callers that are about to commit come along.
    yield* Effect.yieldNow
    for (let group = next(); group.length > 0; group = next()) yield* start(group)
  })

  yield* Effect.acquireRelease(Effect.forkDetach(Effect.forever(turn)), (loop) =>
    Effect.gen(function*() {
      isClosed = true
      yield* Fiber.interrupt(loop)
      for (const { done } of [...waiting, ...arrivals]) yield* Deferred.completeWith(done, closed)
      waiting = []
      arrivals = []
      yield* Fiber.awaitAll([...underWay])
    }))

  return (commit) =>
    room.withPermit(Effect.suspend(() => {
      if (isClosed) return closed
      const done = Deferred.makeUnsafe<Store.Committed, Store.StoreError>()
      arrivals.push({ commit, since: clock.currentTimeMillisUnsafe(), done, keys: keysOf(commit) })
      wake.openUnsafe()
      return Deferred.await(done)
    }))
})

// internal

interface Entry extends Waiting {
  readonly keys: ReadonlyArray<string>
}

const closed = Effect.fail(
  new Store.StoreError({
    reason: new Store.Unavailable({ detail: "the log was closed", remedy: "start again", maybe: false })
  })
)

/** What a commit may lock, as far as it says so itself: trees by their roots, accounts, records and rules. */
const keysOf = (commit: Store.Commit): ReadonlyArray<string> => {
  const { accounts, records, rules, sessions, trees, whole } = Transition.reads(commit)
  return [
    ...[...sessions, ...trees, ...whole].map((id) => id.split(".", 1)[0] ?? id),
    ...commit._tag === "Begin" && commit.reserve === 0 ? [] : accounts,
    ...records.map(Transition.recordKey),
    ...rules.map((rule) => `rule ${rule}`)
  ]
}

/** The oldest that touch nothing busy, nor anything of an older one that has to wait. */
const pick = (entries: ReadonlyArray<Entry>, busy: ReadonlySet<string>) => {
  const group: Array<Entry> = []
  const rest: Array<Entry> = []
  const held = new Set<string>()
  for (const entry of entries) {
    const isFree = group.length < maxGroup && !entry.keys.some((key) => busy.has(key) || held.has(key))
    if (isFree) group.push(entry)
    else {
      rest.push(entry)
      for (const key of entry.keys) held.add(key)
    }
  }
  return { group, rest }
}
