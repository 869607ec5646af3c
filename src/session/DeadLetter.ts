/**
 * A dead letter is something that could not be processed and that nobody may lose: a firing whose actor is gone or whose
 * input does not fit any more, a message that no runner can take, a session that was given up. It stays as it is until
 * an operator replays or drops it. Instants are epoch milliseconds.
 *
 * open → replayed | dropped. What fails again after a replay is a letter of its own.
 */
import { Option, Schema } from "effect"
import type { Digest, Row } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import type { Store } from "../governor/index.ts"

/** What the letter is about. */
export const Kind = Schema.Literals(["firing", "message", "session"])
export type Kind = typeof Kind.Type

export const State = Schema.Literals(["open", "replayed", "dropped"])
export type State = typeof State.Type

export const DeadLetter = Schema.Struct({
  /** Short enough to be typed by hand. */
  id: Schema.NonEmptyString,
  kind: Kind,
  /** The session it was for, or is. */
  session: Schema.NullOr(Claims.SessionId),
  /** Why it could not be processed, in one sentence. */
  reason: Schema.String,
  /** What it was. */
  payload: Schema.Json,
  at: Schema.Natural,
  /** How often it was tried. */
  attempts: Schema.Natural,
  state: State,
  /** Who decided, why, and when; nothing while it is open. */
  by: Schema.NullOr(Schema.String),
  because: Schema.NullOr(Schema.String),
  decidedAt: Schema.NullOr(Schema.Natural)
})
export type DeadLetter = typeof DeadLetter.Type

/** A letter nobody has decided about. The same matter at the same attempt is the same letter. */
export const make = (
  digest: Digest.Digest["Service"],
  matter: Pick<DeadLetter, "kind" | "session" | "reason" | "payload" | "at" | "attempts"> & {
    /** What makes it this matter and no other. */
    readonly subject: string
  }
): DeadLetter => {
  const { subject, ...rest } = matter
  const hash = digest.sha256(digest.canonical([rest.kind, subject, rest.attempts]))
  return { ...rest, id: `D${hash.slice(0, 10).toUpperCase()}`, state: "open", by: null, because: null, decidedAt: null }
}

/** The row about a letter. */
export const row = (
  { id, kind, session }: DeadLetter,
  what: Extract<Row.Body, { readonly kind: "letter" }>["what"],
  by: string,
  reason: string
): Row.Body => ({ kind: "letter", letter: id, what, about: kind, session, by, reason })

/** The letter as it is kept, from the version that was read; 0 files it. */
export const keep = (letter: DeadLetter, version = 0): Store.Change => ({
  kind: "dead_letter",
  id: letter.id,
  version,
  // The kept text is what the schema encodes: all of it is JSON.
  next: { owner: letter.session ?? "", state: letter.state, at: letter.at, value: encode(letter) }
})

/** A kept letter; nothing when it is none. */
export const read = ({ value, version }: Store.Kept): Option.Option<{ letter: DeadLetter; version: number }> =>
  Option.map(decode(value), (letter) => ({ letter, version }))

// internal

const encode = Schema.encodeSync(Schema.toCodecJson(DeadLetter))
const decode = Schema.decodeUnknownOption(Schema.toCodecJson(DeadLetter))
