/** Who must agree before an act that cannot be undone runs. */
import { Result } from "effect"
import * as Person from "./Person.ts"
import * as Ticket from "./Ticket.ts"

/** The rules a decision is judged by. They are bound into every ticket: changing any of them voids what is pending. */
export interface Policy {
  readonly version: string
  /** Distinct people who must approve. */
  readonly approvers: number
  /** Whether the one who asked may approve. */
  readonly requesterMayApprove: boolean
  /** How long a ticket waits, milliseconds. */
  readonly lifetimeMs: number
  /** Tickets of one session that may wait at once. */
  readonly maxPending: number
  /** Tickets that may wait at once in a session, its parents and all their children together. */
  readonly maxPendingTree: number
}

/** One approver, who may be the requester; a day to decide; at most twenty waiting, sixty in a tree of sessions. */
export const standard: Policy = {
  version: "1",
  approvers: 1,
  requesterMayApprove: true,
  lifetimeMs: 86_400_000,
  maxPending: 20,
  maxPendingTree: 60
}

/** Why a vote does not count, or `null` when it does. Whoever approved may still deny. */
export const objection = (
  policy: Policy,
  ticket: Pick<Ticket.Ticket, "requester" | "votes">,
  vote: Pick<Ticket.Vote, "by" | "approve">
): string | null => {
  const fault = Person.fault(vote.by)
  if (fault !== null) return fault
  if (!policy.requesterMayApprove && Person.isSame(vote.by, ticket.requester)) return "the requester may not decide"
  const before = ticket.votes.find((cast) => Person.isSame(cast.by, vote.by) && (vote.approve || !cast.approve))
  return before === undefined ? null : `${before.by} has already decided`
}

/** The state of a ticket after its votes: one denial is final, `approvers` approvals open it. */
export const tally = (policy: Policy, votes: ReadonlyArray<Ticket.Vote>): "approved" | "denied" | "proposed" => {
  if (votes.some((vote) => !vote.approve)) return "denied"
  return votes.length >= policy.approvers ? "approved" : "proposed"
}

/**
 * The ticket after one more vote, or why it takes none. A denial also stops what was approved, for as long as the act has
 * not begun: whichever of two people is faster, the denial holds.
 */
export const judge = (
  policy: Policy,
  ticket: Ticket.Ticket,
  vote: Ticket.Vote
): Result.Result<Ticket.Ticket, string> => {
  const why = closed(ticket, vote) ?? objection(policy, ticket, vote)
  if (why !== null) return Result.fail(why)
  const votes = [...ticket.votes, vote]
  const state = tally(policy, votes)
  const decidedAt = state === "proposed" ? null : vote.at
  return Result.succeed({ ...ticket, votes, state, decidedAt })
}

// internal

const closed = (ticket: Ticket.Ticket, vote: Ticket.Vote): string | null => {
  if (Ticket.isOverdue(ticket, vote.at)) return settled.expired
  if (ticket.state === "proposed") return null
  return ticket.state === "approved" && !vote.approve ? null : settled[ticket.state]
}

/** Why a ticket in that state is not decided again. */
const settled: { readonly [S in Exclude<Ticket.State, "proposed">]: string } = {
  approved: "it was approved already",
  denied: "it was denied already",
  expired: "its time ran out",
  executing: "it was approved already, and its act is under way",
  succeeded: "it was approved already, and its act ran",
  failed: "it was approved already, and its act failed",
  unknown: "it was approved already, and whether its act took effect is not known"
}
