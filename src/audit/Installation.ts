/**
 * The chain of what belongs to no session: standing rules, and whatever else people decide for a whole installation. It
 * is a chain like any other, anchored and verified with the rest, and no actor ever runs in it.
 */
import { Claims } from "../capability/index.ts"

/** Its name; sessions have others. */
export const id: Claims.SessionId = Claims.SessionId.make("installation")

/** What its genesis row names as actor and caller. */
export const actor = "aosiq"
