/**
 * Who follows what: for each session of the protocol, what it wants to hear of, and what it was told. A notice is numbered, and
 * the latest about each thing stands for those before: so a stream that was cut goes on after the number it came to.
 */
import { Duration, Effect, Semaphore } from "effect"
import type { Asker, Operations } from "../../operator/index.ts"
import * as News from "./News.ts"

/** What one session follows at the most. */
export const maxFollowed = 64
/** How often it is looked whether something changed. */
export const every = Duration.millis(500)

/** A notice about what is read at `uri`. */
export interface Notice {
  readonly number: number
  readonly uri: string
}

/** What one session follows. */
export interface Follower {
  readonly follow: (
    uri: string
  ) => Effect.Effect<void, News.Unfollowed | Operations.OperationError, Asker.Asker>
  readonly unfollow: (uri: string) => void
  /** The latest notices after a number, of what changed up to now. */
  readonly after: (number: number) => Effect.Effect<ReadonlyArray<Notice>, never, Asker.Asker>
  /** The number that a new stream goes on after: that of the last notice that was given out, or one that its client saw. */
  readonly from: (seen: string | undefined) => number
  /** Begins a stream, which is the only one from then on; says whether it still is. */
  readonly begin: () => () => boolean
}

/** Keeps one. */
export const follower = (news: News.News): Follower => {
  const told = new Map<string, number>()
  const gate = Semaphore.makeUnsafe(1)
  let count = 0
  let given = 0
  let streams = 0
  let before: News.Look | null = null

  const look = Effect.gen(function*() {
    const { changed, look } = yield* news.look(new Set(told.keys()), before)
    before = look
    for (const uri of changed) if (told.has(uri)) told.set(uri, ++count)
  })
  return {
    follow: (uri) =>
      Effect.gen(function*() {
        yield* news.admit(uri)
        if (!told.has(uri) && told.size >= maxFollowed) {
          return yield* new News.Unfollowed({ detail: `a session follows ${maxFollowed} resources at the most` })
        }
        told.set(uri, told.get(uri) ?? 0)
        // What changes from here on is news.
        yield* look
      }).pipe(Semaphore.withPermit(gate)),
    unfollow: (uri) => {
      told.delete(uri)
    },
    after: (number) =>
      Effect.gen(function*() {
        if (told.size === 0) return []
        // A log that does not answer has nothing new to say; the next look finds it.
        yield* Effect.ignore(look)
        const due = [...told].flatMap(([uri, latest]) => latest > number ? [{ uri, number: latest }] : [])
        given = Math.max(given, ...due.map(({ number }) => number))
        return due.toSorted((a, b) => a.number - b.number)
      }).pipe(Semaphore.withPermit(gate)),
    from: (seen) => seen !== undefined && /^\d{1,15}$/.test(seen) ? Math.min(Number(seen), given) : given,
    begin: () => {
      const own = ++streams
      return () => streams === own
    }
  }
}
