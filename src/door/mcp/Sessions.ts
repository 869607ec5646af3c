/**
 * Sessions of the protocol over HTTP: whose each is, and how long it is kept. They carry no authority, for every request shows
 * its token; but one caller's are none of another's, and nobody fills the memory with them.
 */
import { Effect } from "effect"
import { type Follower, follower } from "./Following.ts"
import type { News } from "./News.ts"

/** How many of one caller are kept, and of all; how long one that nobody uses. */
export const maxOfOne = 64
export const maxOfAll = 4096
export const idleMs = 3_600_000

/** Keeps them; `end` ends one in the server of the protocol. What they follow is of this news. */
export const make = (news: News, end: (id: string) => Effect.Effect<void>) => {
  // In the order of their last use.
  const known = new Map<string, { readonly caller: string; readonly at: number; readonly follower: Follower }>()
  const forget = (id: string) => Effect.andThen(Effect.sync(() => known.delete(id)), end(id))
  return {
    /** Whether it is this caller's; if so, it was used now. */
    isOf: (id: string, caller: string, now: number): boolean => {
      const session = known.get(id)
      if (session?.caller !== caller) return false
      known.delete(id)
      known.set(id, { ...session, at: now })
      return true
    },
    /** Ends those that nobody uses, and the oldest where there would be too many. */
    makeRoom: (caller: string, now: number): Effect.Effect<void> => {
      const all = [...known]
      const idle = all.flatMap(([id, { at }]) => now - at > idleMs ? [id] : [])
      const own = all.flatMap(([id, session]) => session.caller === caller ? [id] : [])
      const tooMany = [
        ...own.slice(0, Math.max(0, own.length - maxOfOne + 1)),
        ...all.slice(0, Math.max(0, all.length - maxOfAll + 1)).map(([id]) => id)
      ]
      return Effect.forEach(new Set([...idle, ...tooMany]), forget, { discard: true })
    },
    begun: (id: string, caller: string, now: number): void => {
      known.set(id, { caller, at: now, follower: follower(news) })
    },
    followerOf: (id: string): Follower | undefined => known.get(id)?.follower,
    ended: (id: string): void => {
      known.delete(id)
    },
    size: (): number => known.size
  }
}
