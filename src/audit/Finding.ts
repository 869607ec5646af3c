/** What a verification has to say: what is wrong, and what it could not look at. */
import { Schema } from "effect"
import { Claims } from "../capability/index.ts"

/** Kinds of damage, and what each says. */
export const kinds = {
  edited: "the row is not what was sealed here",
  reordered: "the row that belongs here stands elsewhere",
  inserted: "the row was not written here",
  deleted: "the row that belongs here is gone",
  duplicated: "the row stands here twice",
  forked: "two rows claim this place, and each has a following",
  moved: "the row is one of another session",
  bad_genesis: "the chain does not begin with its one genesis row, or not where that says",
  truncated: "the chain was longer",
  rewritten: "the chain contradicts an anchor",
  head_mismatch: "the chain does not end where the session's control block says",
  session_removed: "the session is gone",
  payload_altered: "the text beside the chain is not the one that the row names",
  unauthorised: "the act names a consent that the log does not hold",
  unknown_version: "the row is of a version that this verifier does not know",
  anchor_altered: "the anchor is not what was signed",
  anchor_missing: "the anchor is gone",
  anchor_forked: "two signed anchors contradict each other",
  anchor_overwritten: "another text was put in the anchor's place; the earliest was read",
  anchor_hidden: "the anchor was removed from sight; it is still there",
  cosignature_altered: "the witness did not sign this",
  witness_contradicts: "a witness signed another history than this one"
} as const

/** One kind of damage. */
export const Kind = Schema.Literals(Object.keys(kinds) as ReadonlyArray<keyof typeof kinds>)
export type Kind = typeof Kind.Type

/**
 * The first thing wrong with a session, or something wrong with an anchor. `seq` is the row's place in its session, or
 * the anchor's number when `session` is null. `detail` is for people.
 */
export const Finding = Schema.Struct({
  kind: Kind,
  session: Schema.NullOr(Claims.SessionId),
  seq: Schema.NullOr(Schema.Natural),
  detail: Schema.String
})
export type Finding = typeof Finding.Type

/** What a verification cannot see. */
export const gaps = [
  /** Without anchors, a chain rewritten as a whole looks like any other. */
  "no_anchors",
  /** The same for rows that no anchor covers yet, and for sessions begun since; later anchors may be gone, too. */
  "after_last_anchor",
  /** No key to check anchors with. */
  "no_keys",
  /** The keys came with what they are to vouch for. */
  "own_keys",
  /** Anchors lie where somebody may remove or overwrite them. */
  "anchors_unlocked",
  /** No key of a witness: whoever holds log, anchors and signing key together could have made them anew. */
  "no_witnesses",
  /** The same for rows that no co-signature of a witness covers yet. */
  "not_cosigned",
  /** A witness that was to be asked did not answer. */
  "witness_silent",
  /** Sessions that were left out of what was verified. */
  "other_sessions",
  /** Payloads erased: their rows stand, their texts are gone. */
  "payload_missing",
  /** Payloads that were left out of what was verified. */
  "payloads_left_out"
] as const

/**
 * What could not be checked, and why. `count` is of rows, or for payloads of payloads; null where nothing is counted.
 */
export const Unchecked = Schema.Struct({
  kind: Schema.Literals(gaps),
  count: Schema.NullOr(Schema.Natural),
  detail: Schema.String
})
export type Unchecked = typeof Unchecked.Type

/** How far a witness vouches: up to the anchor of that number, as of `at`; both null when it signed none of them. */
export const Vouched = Schema.Struct({
  witness: Schema.String,
  anchor: Schema.NullOr(Schema.Natural),
  /** Epoch milliseconds. */
  at: Schema.NullOr(Schema.Natural)
})
export type Vouched = typeof Vouched.Type

/** The outcome of a verification. Read `unchecked` before trusting `ok`. */
export const Report = Schema.Struct({
  /** Whether nothing was found; not whether everything could be looked at. */
  ok: Schema.Boolean,
  sessions: Schema.Natural,
  rows: Schema.Natural,
  anchors: Schema.Natural,
  findings: Schema.Array(Finding),
  unchecked: Schema.Array(Unchecked),
  /** Of each witness whose key was given. */
  witnesses: Schema.Array(Vouched),
  /** The newest checkpoint that held: keep it elsewhere, and the next verification misses no anchor up to it. */
  checkpoint: Schema.NullOr(Schema.String)
})
export type Report = typeof Report.Type
