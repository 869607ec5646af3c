/**
 * One start that a schedule came to: by its time, or by hand. It is kept before anything is started, and the name of its
 * session follows from it, so that starting it again after a crash starts nothing twice.
 *
 * waiting → opening → opened | dead; waiting → skipped. A dead one that is replayed is waiting again. Instants are epoch
 * milliseconds.
 */
import { Option, Schema } from "effect"
import { Digest } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import type { Store } from "../governor/index.ts"
import { Name, type Overlap } from "./Schedule.ts"

export const State = Schema.Literals(["waiting", "opening", "opened", "skipped", "dead"])
export type State = typeof State.Type

export const Firing = Schema.Struct({
  id: Schema.NonEmptyString,
  schedule: Name,
  /** Id of the schedule, which a name that is used again does not share. */
  owner: Schema.NonEmptyString,
  instant: Schema.Natural,
  /** Not before this: the instant, put off by chance. */
  notBefore: Schema.Natural,
  session: Claims.SessionId,
  /** Hash of the definition that is started, a payload. */
  terms: Digest.Hash,
  /** Who started it by hand; `null` when its time had come. */
  by: Schema.NullOr(Schema.String),
  state: State,
  /** The session that it ends before it starts its own. */
  ends: Schema.NullOr(Claims.SessionId),
  /** Attempts that came to nothing. */
  attempts: Schema.Natural,
  /** Why it was left out or could not be started. */
  detail: Schema.String
})
export type Firing = typeof Firing.Type

/** Firings of one schedule that may wait for the one before; more are left out. */
export const maxQueued = 100
/** Settled firings of one schedule that are kept; the chain keeps what was said of the older ones. */
export const maxKept = 1000

/** Names the firing of a schedule, by its id, at an instant that it came to by itself. */
export const keyOf = (owner: string, instant: number): Store.RecordKey => ({
  kind: "firing",
  id: `${owner}@${instant}`
})

/** A firing that has its place and nothing else yet. */
export const make = (
  digest: Digest.Digest["Service"],
  parts: Pick<Firing, "schedule" | "owner" | "instant" | "notBefore" | "terms" | "by">
): Firing => {
  const { id: own } = keyOf(parts.owner, parts.instant)
  const id = parts.by === null ? own : `${own}/manual`
  const session = Claims.SessionId.make(`ses_${digest.sha256(id).slice(0, 26)}`)
  return { ...parts, id, session, state: "waiting", ends: null, attempts: 0, detail: "" }
}

/** What meets a firing whose turn it may be. */
export interface Meeting {
  /** Session of the start before, if it has not come to its end. */
  readonly running: Claims.SessionId | null
  /** Firings that wait before it. */
  readonly queued: number
  readonly now: number
}

/** The firing after a look at what it meets; the same one while it has to wait. */
export const admit = (firing: Firing, overlap: Overlap, { now, queued, running }: Meeting): Firing => {
  const skip = (detail: string): Firing => ({ ...firing, state: "skipped", detail })
  if (queued >= maxQueued) return skip(`${queued} others wait already`)
  if (now < firing.notBefore) return firing
  if (overlap === "queue") return running === null && queued === 0 ? { ...firing, state: "opening" } : firing
  if (running === null) return { ...firing, state: "opening" }
  if (overlap === "skip") return skip(`${running} has not come to its end`)
  return { ...firing, state: "opening", ends: running }
}

/** The firing as it is kept, from the version that was read; 0 makes it. */
export const keep = (firing: Firing, version = 0): Store.Change => ({
  kind: "firing",
  id: firing.id,
  version,
  next: { owner: firing.owner, state: firing.state, at: firing.notBefore, value: encode(firing) }
})

/** A kept firing; nothing when it is none. */
export const read = ({ value, version }: Store.Kept): Option.Option<{ firing: Firing; version: number }> =>
  Option.map(decode(value), (firing) => ({ firing, version }))

// internal

const encode = Schema.encodeSync(Schema.toCodecJson(Firing))
const decode = Schema.decodeUnknownOption(Schema.toCodecJson(Firing))
