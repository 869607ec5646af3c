/** Who must agree before an act that cannot be undone runs. */
import type { Ticket, Vote } from "./Ticket.ts"

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
}

/** One approver, who may be the requester; a day to decide; at most twenty waiting. */
export const standard: Policy = {
  version: "1",
  approvers: 1,
  requesterMayApprove: true,
  lifetimeMs: 86_400_000,
  maxPending: 20
}

/** Why a vote does not count, or `null` when it does. */
export const objection = (policy: Policy, ticket: Ticket, vote: Vote): string | null => {
  if (!policy.requesterMayApprove && vote.by === ticket.requester) return "the requester may not decide"
  if (ticket.votes.some((cast) => cast.by === vote.by)) return `${vote.by} has already decided`
  return null
}

/** The state of a ticket after its votes: one denial is final, `approvers` approvals open it. */
export const tally = (policy: Policy, votes: ReadonlyArray<Vote>): "approved" | "denied" | "proposed" => {
  if (votes.some((vote) => !vote.approve)) return "denied"
  return votes.length >= policy.approvers ? "approved" : "proposed"
}
