/**
 * A ticket stands for one act that cannot be undone, waiting for people. It is bound to everything the decision depended
 * on; if any of it drifts, the ticket no longer fits and a new one is needed. A ticket is consumed once, in the same
 * transaction as the intent of its act.
 *
 * proposed → approved → executing → succeeded | failed | unknown; proposed | approved → denied | expired. A decision about
 * a lost outcome leads from unknown to succeeded or failed, or back to approved for one more try of the same act. Instants are
 * epoch milliseconds.
 */
import { Schema } from "effect"
import { Digest } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"

/** Short enough to be typed by hand. */
export const TicketId = Schema.NonEmptyString.pipe(Schema.brand("TicketId"))
export type TicketId = typeof TicketId.Type

export const State = Schema.Literals([
  "proposed",
  "approved",
  "denied",
  "expired",
  "executing",
  "succeeded",
  "failed",
  "unknown"
])
export type State = typeof State.Type

/** What an approval is bound to. Its hash is the ticket's `binding`. */
export const Binding = Schema.Struct({
  session: Claims.SessionId,
  actor: Schema.String,
  act: Schema.String,
  /** Hash of the tool's definition. */
  schema: Digest.Hash,
  /** Hash of the canonical arguments. */
  args: Digest.Hash,
  /** Hash of the session's token; with the arguments, where secrets were taken out of what is kept of them. */
  token: Digest.Hash,
  /** Hash of the rules on approvals and of the policy on labels. */
  policy: Digest.Hash,
  /** Hash of what the approver was shown. */
  shown: Digest.Hash
})
export type Binding = typeof Binding.Type

/** A stamp that the actor cites, and what stands there. */
export const Cited = Schema.Struct({
  stamp: Schema.String,
  /** The act behind it; `null` when it leads to none, and then `preview` says why. */
  act: Schema.NullOr(Schema.String),
  /** The start of the result, secrets redacted. */
  preview: Schema.String,
  trust: Schema.Literals(["trusted", "untrusted"])
})
export type Cited = typeof Cited.Type

/** What the approver sees; hashed into the binding, so that nobody approves one thing and gets another. */
export const Shown = Schema.Struct({
  act: Schema.String,
  description: Schema.String,
  /** The exact arguments, secrets redacted. */
  args: Schema.String,
  /** For whom the session runs. */
  caller: Schema.String,
  /** The actor's own words, untrusted. */
  reasons: Schema.String,
  /** What the actor cites, resolved; untrusted unless it says otherwise. */
  evidence: Schema.Array(Cited),
  estimateMicroUsd: Schema.Natural,
  /** What of the arguments is not what the rules on labels ask, and where it comes from. Absent when there is none. */
  provenance: Schema.optionalKey(Schema.Array(Schema.String))
})
export type Shown = typeof Shown.Type

/** One decision by one person. */
export const Vote = Schema.Struct({
  by: Schema.NonEmptyString,
  approve: Schema.Boolean,
  reason: Schema.String,
  at: Schema.Natural
})
export type Vote = typeof Vote.Type

export const Ticket = Schema.Struct({
  id: TicketId,
  session: Claims.SessionId,
  /** Where in its run the act was asked for. */
  key: Schema.NullOr(Schema.String),
  act: Schema.String,
  args: Digest.Hash,
  /** The rest of what `binding` is the hash of. */
  bound: Schema.Struct({ actor: Schema.String, schema: Digest.Hash, token: Digest.Hash, policy: Digest.Hash }),
  binding: Digest.Hash,
  shown: Shown,
  requester: Schema.String,
  state: State,
  votes: Schema.Array(Vote),
  proposedAt: Schema.Natural,
  expiresAt: Schema.Natural,
  /** When it was approved, denied or expired. */
  decidedAt: Schema.NullOr(Schema.Natural),
  /** Key of the lost attempt that it was approved again for; it serves no other act then. */
  again: Schema.optionalKey(Schema.String)
})
export type Ticket = typeof Ticket.Type

/** The hash of all that the ticket is bound to, computed anew; another than `binding` in a ticket that was altered. */
export const bindingOf = (
  digest: Digest.Digest["Service"],
  ticket: Pick<Ticket, "session" | "act" | "args" | "bound" | "shown">
): Digest.Hash =>
  digest.sha256(digest.canonical(
    {
      session: ticket.session,
      act: ticket.act,
      args: ticket.args,
      ...ticket.bound,
      shown: digest.sha256(digest.canonical(ticket.shown))
    } satisfies typeof Binding.Encoded
  ))

/** Whether the ticket still waits at `now`. */
export const isOpen = (ticket: Ticket, now: number): boolean => ticket.state === "proposed" && now < ticket.expiresAt

/** Whether an act may consume the ticket at `now`. An approval does not outlive the ticket. */
export const isUsable = (ticket: Ticket, now: number): boolean => ticket.state === "approved" && now < ticket.expiresAt

/** Whether its time has run out and nobody has said so yet. */
export const isOverdue = (ticket: Ticket, now: number): boolean =>
  (ticket.state === "proposed" || ticket.state === "approved") && now >= ticket.expiresAt

/** Whether the ticket may serve an act that repeats the attempt at `after`, or repeats nothing. */
export const serves = (ticket: Ticket, after: string | null): boolean =>
  ticket.again === undefined || ticket.again === after

/** The ticket of a lost attempt, good for one more try of it at `after`, until `expiresAt`. */
export const renew = (ticket: Ticket, after: string, expiresAt: number): Ticket => ({
  ...ticket,
  state: "approved",
  again: after,
  expiresAt
})

/** The session at the root of the tree that `session` is in. Children are named after their parents. */
export const rootOf = (session: string): string => session.split(".", 1)[0] ?? session

/** Why the session of a ticket is to be run again; a decision that replaces another is another reason. */
export const reasonOf = ({ id, state }: Pick<Ticket, "id" | "state">): string =>
  state === "approved" ? `ticket/${id}` : `ticket/${id}/${state}`
