/**
 * One row of a session's chain. The chain is the audit record, the journal a re-run is answered from, and the store of
 * evidence: nothing is done that has no row, and nothing recorded is done twice.
 *
 * A row carries hashes and redacted previews; whole arguments and results lie beside it as payloads, addressed by their
 * hash, so that erasing one leaves the chain verifiable. `seq` counts from 0; `at` is epoch milliseconds.
 */
import { Schema } from "effect"
import { Claims } from "../capability/index.ts"
import { Hash } from "./Digest.ts"

/** Version of the format of rows, bundles and anchors; not the package's. */
export const version = 1

/** Binds the session: who runs, under which token, in which mode. Always row 0, and nowhere else. */
export const Genesis = Schema.Struct({
  kind: Schema.Literal("genesis"),
  actor: Schema.NonEmptyString,
  token: Claims.TokenId,
  parent: Schema.NullOr(Claims.SessionId),
  caller: Schema.NonEmptyString,
  mode: Schema.Literals(["enforced", "warn", "disabled"]),
  input: Hash,
  definition: Hash,
  /** The policy on labels that it was opened under; absent in chains from before there was one. */
  policy: Schema.optionalKey(Hash),
  /** Of a child: groups whose data its parent had seen. Absent when there are none. */
  readers: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Of a child: its parent had read a stranger's text, so that its input may be a stranger's too. */
  trust: Schema.optionalKey(Schema.Literal("untrusted")),
  /** Of a fork: the row up to which it has the past of another session. */
  origin: Schema.optionalKey(Schema.Struct({ session: Claims.SessionId, seq: Schema.Natural, hash: Hash }))
})
/** An act is about to start. Durable before it does. */
export const Intent = Schema.Struct({
  kind: Schema.Literal("intent"),
  act: Schema.NonEmptyString,
  capabilities: Schema.Array(Schema.String),
  token: Claims.TokenId,
  schema: Hash,
  args: Hash,
  argsPreview: Schema.String,
  reservedMicroUsd: Schema.Natural,
  ticket: Schema.NullOr(Schema.String),
  /** The standing rule that approved it, and which of its uses this is, from 1; absent when none did. */
  rule: Schema.optionalKey(Schema.Struct({ id: Schema.NonEmptyString, use: Schema.Natural })),
  /** Groups that its results are for; from here on the session has seen their data. Absent when there are none. */
  readers: Schema.optionalKey(Schema.Array(Schema.String))
})
/** What detectors found in a result: by which rule, in what form, and in which field, at UTF-16 offsets into its text. */
export const Found = Schema.Struct({
  rule: Schema.NonEmptyString,
  strength: Schema.Literals(["weak", "strong"]),
  via: Schema.NonEmptyString,
  path: Schema.String,
  start: Schema.Natural,
  end: Schema.Natural,
  /** What weighed most in a passage, the heaviest first. */
  because: Schema.optionalKey(Schema.Array(Schema.String))
})
/** All that is kept of what they found. */
export const Detected = Schema.Struct({
  findings: Schema.Array(Found),
  /** Findings beside these. */
  more: Schema.Natural,
  /** Characters of the result that nobody looked at. */
  unread: Schema.Natural,
  /** Whether it is enough to say that somebody tried: then the result is untrusted, whatever its tool declares. */
  isSuspicious: Schema.Boolean
})
export type Detected = typeof Detected.Type
/** How the act ended, as far as the actor and its tools can tell. */
export const Outcome = Schema.Struct({
  kind: Schema.Literal("outcome"),
  act: Schema.NonEmptyString,
  intent: Schema.Natural,
  status: Schema.Literals(["succeeded", "failed", "timed_out", "interrupted", "crashed"]),
  result: Schema.NullOr(Hash),
  resultPreview: Schema.String,
  trust: Schema.Literals(["trusted", "untrusted"]),
  /** What each field of the result is, where they differ. */
  fields: Schema.optionalKey(Schema.Struct({
    rest: Schema.Literals(["trusted", "untrusted"]),
    fields: Schema.Record(Schema.NonEmptyString, Schema.Literals(["trusted", "untrusted", "reference"]))
  })),
  /** Absent when detectors found nothing, and of model calls. */
  detected: Schema.optionalKey(Detected),
  costMicroUsd: Schema.Natural,
  computeMs: Schema.Natural,
  /** What the act left in the session's working memory: the payload of each key, `null` for one it cleared. */
  memory: Schema.optionalKey(Schema.Record(Schema.String, Schema.NullOr(Hash))),
  /** Tokens of a model call, none where a model only counted; absent for everything else. */
  usage: Schema.optionalKey(Schema.Struct({
    backend: Schema.String,
    model: Schema.String,
    input: Schema.Natural,
    output: Schema.Natural,
    cacheRead: Schema.Natural,
    cacheWrite: Schema.Natural
  }))
})
/** An act was refused and did not run; or, in warn mode, ran all the same (`ran`). */
export const Refusal = Schema.Struct({
  kind: Schema.Literal("refusal"),
  act: Schema.NonEmptyString,
  layer: Schema.NonEmptyString,
  reason: Schema.String,
  args: Schema.NullOr(Hash),
  ran: Schema.Boolean
})
/** An act waits for people. */
export const Proposed = Schema.Struct({
  kind: Schema.Literal("proposed"),
  act: Schema.NonEmptyString,
  ticket: Schema.NonEmptyString,
  binding: Hash,
  shown: Hash,
  args: Hash
})
/** Somebody decided about a ticket, or its time ran out. */
export const Decided = Schema.Struct({
  kind: Schema.Literal("decided"),
  ticket: Schema.NonEmptyString,
  decision: Schema.Literals(["approved", "denied", "expired"]),
  by: Schema.NonEmptyString,
  reason: Schema.String
})
/** A standing rule was made, approved by one more person, or revoked. Only in the chain of the installation. */
export const Ruled = Schema.Struct({
  kind: Schema.Literal("ruled"),
  rule: Schema.NonEmptyString,
  what: Schema.Literals(["made", "approved", "revoked"]),
  by: Schema.NonEmptyString,
  reason: Schema.String,
  /** Hash of the terms, a payload. */
  terms: Hash,
  maxUses: Schema.Natural,
  expiresAt: Schema.Natural,
  /** Uses by then: what uses it further is later than this row, whatever clocks say. */
  uses: Schema.Natural
})
/** A person vouched for a source or a value in this session. */
export const Endorsed = Schema.Struct({
  kind: Schema.Literal("endorsed"),
  by: Schema.NonEmptyString,
  reason: Schema.String,
  /** Hash of what is vouched for, for what and until when, a payload. */
  terms: Hash,
  /** When it ends, epoch milliseconds. */
  until: Schema.Natural
})
/** A run of the actor began: the first, or one after a crash or a decision. `epoch` fences older writers. */
export const Started = Schema.Struct({ kind: Schema.Literal("started"), epoch: Schema.Natural })
/** The session has moved away from what it was asked for, and is paused for people to look at it. */
export const Drifted = Schema.Struct({
  kind: Schema.Literal("drifted"),
  /** How far, by then. */
  score: Schema.Finite,
  /** From where on people look. */
  threshold: Schema.Finite,
  /** Acts since the beginning, or since people last looked. */
  steps: Schema.Natural
})
/** The run ended to wait for people; the session holds nothing until they decide. */
export const Suspended = Schema.Struct({
  kind: Schema.Literal("suspended"),
  /** `null` when it waits for something else than an approval. */
  ticket: Schema.NullOr(Schema.NonEmptyString),
  /** Stamp of the intent whose outcome was lost, when an operator must say what became of it. */
  unknown: Schema.optionalKey(Schema.NonEmptyString)
})
/** The run reached a timer: whatever follows it waits until this instant, in every re-run. */
export const Timer = Schema.Struct({ kind: Schema.Literal("timer"), args: Hash, until: Schema.Natural })
/** The run ended to wait for a timer; the session holds nothing until then. */
export const Sleeping = Schema.Struct({ kind: Schema.Literal("sleeping"), until: Schema.Natural })
/** The run broke down and the session is run again, not before `until`; till then it holds nothing. */
export const Restarted = Schema.Struct({
  kind: Schema.Literal("restarted"),
  /** Which restart of its window it is, from 1. */
  restart: Schema.Natural,
  until: Schema.Natural,
  /** `seq` of the outcome that the run broke down of: the act is asked for anew. `null` when it was no act. */
  again: Schema.NullOr(Schema.Natural),
  reason: Schema.String
})
/** The session was given up after its restarts, and set aside as a dead letter until an operator decides. */
export const Escalated = Schema.Struct({
  kind: Schema.Literal("escalated"),
  restarts: Schema.Natural,
  letter: Schema.NonEmptyString,
  reason: Schema.String
})
/** An act whose outcome was lost: it may or may not have happened. Settled only by a person or a probe. */
export const Unknown = Schema.Struct({
  kind: Schema.Literal("unknown"),
  act: Schema.NonEmptyString,
  intent: Schema.Natural
})
/**
 * What is held to have become of an attempt whose outcome was lost, and what it cost. `done` and `not_done` close the
 * act; `retry` lets it be done once more.
 */
export const Settled = Schema.Struct({
  kind: Schema.Literal("settled"),
  act: Schema.NonEmptyString,
  intent: Schema.Natural,
  choice: Schema.Literals(["retry", "done", "not_done"]),
  /** Who knows: a person, the tool's probe, or the Governor by what the tool declares. */
  from: Schema.Literals(["operator", "probe", "governor"]),
  by: Schema.NonEmptyString,
  reason: Schema.String,
  args: Schema.NullOr(Hash),
  /** The result that the actor goes on with; `null` when none is known. */
  result: Schema.NullOr(Hash),
  /** What detectors found in that. */
  detected: Schema.optionalKey(Detected),
  costMicroUsd: Schema.Natural
})
/**
 * What ended a run that would have gone on: money, a bound on its steps or tokens, going round in circles, or refusals and
 * rejections without end.
 */
export const Stop = Schema.Literals([
  "budget",
  "steps",
  "tokens",
  "repetition",
  "cycle",
  "no_evidence",
  "rejections"
])
export type Stop = typeof Stop.Type
/** A claim of the actor about its own work: a proposal, or that it gives up. */
export const Ended = Schema.Struct({
  kind: Schema.Literal("ended"),
  status: Schema.Literals(["succeeded", "failed", "abandoned", "cancelled"]),
  result: Schema.NullOr(Hash),
  reason: Schema.String,
  stop: Schema.optionalKey(Stop),
  /** What it had come to by then, a payload: unfinished, and nobody has checked it. */
  partial: Schema.optionalKey(Hash)
})
/** A schedule was made or changed, or came to an instant. Only in the chain of the installation. */
export const Scheduled = Schema.Struct({
  kind: Schema.Literal("scheduled"),
  schedule: Schema.NonEmptyString,
  what: Schema.Literals([
    "made",
    "paused",
    "resumed",
    "removed",
    /** Its actor is to be started, and nothing can keep it from that but an operator. */
    "fired",
    /** The session is there. */
    "opened",
    /** It waits for its turn. */
    "queued",
    /** It is left out. */
    "skipped"
  ]),
  by: Schema.NonEmptyString,
  /** Of a firing: which. */
  instant: Schema.NullOr(Schema.Natural),
  session: Schema.NullOr(Claims.SessionId),
  /** Hash of the definition, a payload. */
  terms: Hash,
  detail: Schema.String
})
/** What could not be processed was set aside, or an operator decided about it. */
export const Letter = Schema.Struct({
  kind: Schema.Literal("letter"),
  letter: Schema.NonEmptyString,
  what: Schema.Literals(["filed", "replayed", "dropped"]),
  about: Schema.Literals(["firing", "message", "session"]),
  session: Schema.NullOr(Claims.SessionId),
  by: Schema.NonEmptyString,
  reason: Schema.String
})
/**
 * Somebody was let in as a caller, was given another token, is known by something else as well, has another role or ceiling, or
 * is let in no more. Only in the chain of the installation.
 */
export const Admitted = Schema.Struct({
  kind: Schema.Literal("admitted"),
  caller: Schema.NonEmptyString,
  what: Schema.Literals(["added", "rotated", "bound", "changed", "revoked"]),
  by: Schema.NonEmptyString,
  /** Which token, subject or certificate it is about, by what of it is no secret; `null` for all that there are. */
  credential: Schema.NullOr(Schema.NonEmptyString),
  /** Hash of the role and the ceiling, a payload. */
  terms: Hash,
  detail: Schema.String
})
/**
 * The definition of a tool of another program was approved, was stopped because it is another by now, or its approval was
 * taken back. Only in the chain of the installation.
 */
export const Pinned = Schema.Struct({
  kind: Schema.Literal("pinned"),
  server: Schema.NonEmptyString,
  tool: Schema.NonEmptyString,
  what: Schema.Literals(["approved", "stopped", "withdrawn"]),
  by: Schema.NonEmptyString,
  reason: Schema.String,
  /** Hash of the definition that this is about, a payload. */
  definition: Hash,
  /** Hash of the one that was approved before; `null` when none was. */
  was: Schema.NullOr(Hash)
})
/**
 * The state of a run was saved: of its graph (`state`, with the writes that wait), of its working memory, and of its
 * control block, which is `epoch` beside the row's own `seq` and `prev`. Its bytes may be gone by now: only the newest
 * are kept, and none after the end of the session.
 */
export const Checkpoint = Schema.Struct({
  kind: Schema.Literal("checkpoint"),
  thread: Schema.NonEmptyString,
  /** Which graph of the thread; empty for the outermost. */
  ns: Schema.String,
  id: Schema.NonEmptyString,
  /** The checkpoint that it follows. */
  parent: Schema.NullOr(Schema.String),
  epoch: Schema.Natural,
  state: Hash,
  memory: Hash
})
/**
 * Something an operator must be able to see later: a revocation, a change of mode or of the policy on labels, a pause, stored state that is not what
 * this log says, checkpoints dropped on request, a session that goes on from here under another name.
 */
export const Noted = Schema.Struct({
  kind: Schema.Literal("noted"),
  what: Schema.Literals([
    "mode",
    "policy",
    "revoked",
    "nondeterminism",
    "paused",
    "resumed",
    "altered",
    "forgotten",
    "forked"
  ]),
  by: Schema.NonEmptyString,
  detail: Schema.String
})

export const Body = Schema.Union([
  Genesis,
  Intent,
  Outcome,
  Refusal,
  Proposed,
  Decided,
  Ruled,
  Endorsed,
  Started,
  Drifted,
  Suspended,
  Timer,
  Sleeping,
  Restarted,
  Escalated,
  Unknown,
  Settled,
  Ended,
  Scheduled,
  Letter,
  Admitted,
  Pinned,
  Checkpoint,
  Noted
])
export type Body = typeof Body.Type

/** Where an act stands in a run: `path#ordinal`, the same in every re-run. `null` for rows that are not acts. */
export const Key = Schema.NullOr(Schema.String)

/** What the hash covers. */
export const Content = Schema.Struct({
  v: Schema.Literal(version),
  session: Claims.SessionId,
  seq: Schema.Natural,
  at: Schema.Natural,
  key: Key,
  body: Body
})
export type Content = typeof Content.Type

/** A sealed row: `hash = SHA-256(prev ‖ canonical(content))`. */
export const Row = Schema.Struct({ ...Content.fields, prev: Hash, hash: Hash })
export type Row = typeof Row.Type

/** A row before the log gave it its place. */
export interface Draft {
  readonly key: string | null
  readonly body: Body
}

/** How a claim cites a row: `session/seq`. */
export type Stamp = `${string}/${number}`
export const stamp = (row: { readonly session: string; readonly seq: number }): Stamp => `${row.session}/${row.seq}`

/** The stamps that a text names, once each; whether they lead anywhere is not looked at. */
export const stampsIn = (text: string): ReadonlyArray<string> => [...new Set(text.match(/\bses_[\w.]+\/\d+\b/g))]
