/**
 * The write side of the log. Everything that changes durable state is a `Commit`: it commits as one transaction or not at
 * all, and an acknowledged commit is durable. What a commit *means* is in `Transition`; a store only loads, applies and
 * saves, so that memory, PGlite and PostgreSQL cannot disagree.
 */
import { Context, type Effect, Schema } from "effect"
import type { Policy, Rule, Ticket } from "../approval/index.ts"
import type { Digest, Log, Row } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"
import type { Change as CheckpointChange, Kept as KeptCheckpoint, Query as CheckpointQuery } from "./Checkpoint.ts"

/** Opens a session: control block, genesis row, its account. */
export interface Open {
  readonly _tag: "Open"
  readonly session: Log.Summary
  readonly genesis: Row.Draft
  /** Ceilings of the accounts that the session draws on; an account that exists keeps its own ceiling. */
  readonly accounts: ReadonlyArray<{ readonly id: string; readonly ceiling: number }>
  readonly payloads: ReadonlyArray<Payload>
  /** How many children the parent's token admits; the standard bounds unless set. Of no meaning without a parent. */
  readonly bounds?: Claims.FanOut | undefined
  /** Of a fork, whose genesis row names the same: what its origin's chain says of it, and the memory it starts with. */
  readonly origin?: Origin | undefined
}
/** See `Open`. */
export interface Origin {
  readonly session: Claims.SessionId
  readonly row: Row.Draft
  readonly memory: ReadonlyMap<string, Digest.Hash>
}
/**
 * Takes the session for one run: the epoch rises, every older run is fenced off, and each act that had begun and not
 * finished becomes `unknown`.
 */
export interface Claim {
  readonly _tag: "Claim"
  readonly session: Claims.SessionId
}
/** The first transaction of an act: reservation, ticket, intent. */
export interface Begin {
  readonly _tag: "Begin"
  readonly session: Claims.SessionId
  readonly epoch: number
  readonly key: string
  readonly intent: Row.Draft
  /** All tokens above the session's, root first, and last its own: none may be revoked. */
  readonly tokens: ReadonlyArray<Claims.TokenId>
  readonly accounts: ReadonlyArray<string>
  readonly reserve: number
  /** Consumes this ticket, whose binding must be the given hash. */
  readonly ticket: { readonly id: Ticket.TicketId; readonly binding: Digest.Hash } | null
  /** May the Governor do it again by itself when its outcome is lost. */
  readonly repeat: Act["repeat"]
  /** Key of the lost attempt that this one repeats, if that is open: closed in the same transaction. */
  readonly after: string | null
  /** Consumes one use of this rule, whose binding must be the given hash; the intent row gets the rule and the use. */
  readonly rule?: { readonly id: Rule.RuleId; readonly binding: Digest.Hash } | undefined
  readonly payloads: ReadonlyArray<Payload>
  /** Whether checks that fail refuse (`enforced`) or are passed over (`warn`, `disabled`). */
  readonly lenient: boolean
}
/**
 * The second transaction of an act: outcome, settlement, the ticket's end, what it leaves in working memory. An outcome
 * that leaves open whether an act took effect that cannot be undone leaves the rest of its reservation held, until it is
 * settled.
 */
export interface Finish {
  readonly _tag: "Finish"
  readonly session: Claims.SessionId
  readonly epoch: number
  readonly key: string
  readonly outcome: Row.Draft
  readonly spent: number
  readonly payloads: ReadonlyArray<Payload>
}
/**
 * Says what became of an act whose outcome was lost: its money is settled and its ticket ends, or it may be done once
 * more. Only one such decision about an attempt goes through.
 */
export interface Settle {
  readonly _tag: "Settle"
  readonly session: Claims.SessionId
  /** `null` when an operator decides; the epoch of the run that asked a probe. */
  readonly epoch: number | null
  readonly key: string
  /** `seq` of the intent that the decision is about. */
  readonly intent: number
  readonly decision: Pick<typeof Row.Settled.Type, "choice" | "by" | "reason" | "result" | "detected"> & {
    readonly from: "operator" | "probe"
  }
  /** What the lost attempt cost, micro-dollars; `null` for all that it still holds. */
  readonly spent: number | null
  readonly payloads: ReadonlyArray<Payload>
}
/** Appends one row that changes nothing else. */
export interface Append {
  readonly _tag: "Append"
  readonly session: Claims.SessionId
  /** `null` when an operator writes: the database orders it among the session's own rows. */
  readonly epoch: number | null
  readonly row: Row.Draft
  readonly payloads: ReadonlyArray<Payload>
  /** The session's new status, when the row changes it. */
  readonly status: Log.Status | null
  readonly result: Digest.Hash | null
  /** When the session's tree is to be run again, for a row that ends a run until then; epoch milliseconds. */
  readonly wakeAt?: number | undefined
  /** Records that change with the row, all of them or none. */
  readonly keep?: ReadonlyArray<Change> | undefined
}
/**
 * Saves the state of a run: checkpoints of its graph and writes that wait, with a row for each checkpoint that is touched,
 * which names its hash, that of the working memory and the control block.
 */
export interface Checkpoint {
  readonly _tag: "Checkpoint"
  readonly session: Claims.SessionId
  readonly epoch: number
  readonly changes: ReadonlyArray<CheckpointChange>
  /** Also drops all but so many checkpoints of each graph, and what nothing needs any more; `null` drops nothing. */
  readonly keep: number | null
}
/** Files a ticket and says so in the chain. */
export interface Propose {
  readonly _tag: "Propose"
  readonly session: Claims.SessionId
  readonly epoch: number
  readonly ticket: Ticket.Ticket
  readonly row: Row.Draft
  readonly payloads: ReadonlyArray<Payload>
  readonly maxPending: number
  /** Of the session, its parents and all their children together; without limit when left out. */
  readonly maxPendingTree?: number | undefined
}
/** Casts one vote on a ticket, judged by the policy at the time of the commit, and says so in the chain. */
export interface Decide {
  readonly _tag: "Decide"
  readonly session: Claims.SessionId
  readonly ticket: Ticket.TicketId
  /** The binding of what was shown: a ticket with another is not decided. */
  readonly binding: Digest.Hash
  readonly policy: Policy.Policy
  readonly vote: Omit<Ticket.Vote, "at">
}
/** Ends a ticket whose time has run out, and says so in the chain. */
export interface Expire {
  readonly _tag: "Expire"
  readonly session: Claims.SessionId
  readonly ticket: Ticket.TicketId
  /** Who noticed. */
  readonly by: string
}
/** Makes a standing rule, in the chain of the installation. */
export interface MakeRule {
  readonly _tag: "MakeRule"
  readonly rule: Rule.RuleId
  readonly terms: Rule.Terms
  readonly policy: Policy.Policy
  readonly vote: Omit<Ticket.Vote, "at">
}
/** Casts one more approval of a rule, judged by the policy at the time of the commit. */
export interface ApproveRule {
  readonly _tag: "ApproveRule"
  readonly rule: Rule.RuleId
  /** The binding of what was shown. */
  readonly binding: Digest.Hash
  readonly policy: Policy.Policy
  readonly vote: Omit<Ticket.Vote, "at">
}
/** Revokes a rule: no act begins by it any more. */
export interface RevokeRule {
  readonly _tag: "RevokeRule"
  readonly rule: Rule.RuleId
  readonly by: string
  readonly reason: string
}
/** Revokes a token and with it every token below. */
export interface Revoke {
  readonly _tag: "Revoke"
  readonly token: Claims.TokenId
  readonly session: Claims.SessionId
  readonly row: Row.Draft
}

/**
 * An operator stops a session with all below it, or lets it go on. It takes effect between two acts: one that is under
 * way comes to its outcome, and no other begins.
 */
export interface Control {
  readonly _tag: "Control"
  readonly session: Claims.SessionId
  readonly action: "cancel" | "pause" | "resume"
  readonly by: string
  readonly reason: string
  /** Epoch of the run that stops itself; an operator has none. */
  readonly run?: number | undefined
  /** What it stops itself for: a row of its own chain. */
  readonly cause?: Row.Body | undefined
}

export type Commit =
  | Open
  | Claim
  | Begin
  | Finish
  | Settle
  | Append
  | Checkpoint
  | Propose
  | Decide
  | Expire
  | MakeRule
  | ApproveRule
  | RevokeRule
  | Revoke
  | Control

/**
 * A tree of sessions that is to be run again from `due` (epoch milliseconds) on. It is written by the commit that makes
 * it due and taken away by the run that follows, so that none can be lost between the two.
 */
export interface Wake {
  /** The root of the tree. */
  readonly session: Claims.SessionId
  /** What made it due; the same cause is one wake. */
  readonly reason: string
  readonly due: number
}

/** One attempt at an act, between its two transactions and after. */
export interface Act {
  readonly session: Claims.SessionId
  readonly key: string
  readonly name: string
  /** `seq` of the intent row. */
  readonly intent: number
  /** Hash of the canonical arguments. */
  readonly args: string
  /** What is still held of its reservation while it is `running` or `unknown`, micro-dollars. */
  readonly reserved: number
  readonly accounts: ReadonlyArray<string>
  readonly ticket: string | null
  /** `always`: it can be undone; `keyed`: under one idempotency key; `never`: only after a decision. */
  readonly repeat: "always" | "keyed" | "never"
  /**
   * running → finished | unknown; unknown → finished, when it is settled or done again by itself; unknown → retry by a
   * decision, and → finished when that is taken up.
   */
  readonly state: "running" | "finished" | "unknown" | "retry"
}

/** What is kept beside the sessions: schedules, their firings, dead letters; callers and their tokens; pinned definitions; memory. */
export const recordKinds = ["schedule", "firing", "dead_letter", "caller", "credential", "pin", "memory"] as const
export type RecordKind = (typeof recordKinds)[number]
/** Names one record. */
export interface RecordKey {
  readonly kind: RecordKind
  readonly id: string
}
/**
 * Something that an installation keeps beside its sessions. Whoever keeps it knows what `value` says; the store knows
 * what is to be found by, and that nothing is written over what was not read.
 */
export interface Kept extends RecordKey {
  /** Counts its changes, from 1. */
  readonly version: number
  /** What it belongs to; the empty text for what stands alone. */
  readonly owner: string
  readonly state: string
  /** The instant that it is listed by, epoch milliseconds. */
  readonly at: number
  readonly value: Schema.Json
}
/** A change of one record, from the version that was read; 0 is a record that is not there yet. */
export interface Change extends RecordKey {
  readonly version: number
  /** What it is from now on; `null` takes it away. */
  readonly next: Omit<Kept, keyof RecordKey | "version"> | null
}
/** Which records to list, oldest first unless `newest`. */
export interface RecordQuery {
  readonly kind: RecordKind
  readonly owner?: string | undefined
  readonly state?: string | undefined
  /** Those whose instant has come by then. */
  readonly until?: number | undefined
  readonly newest?: boolean | undefined
  /** Those after this place, in the order that is asked for. */
  readonly after?: { readonly at: number; readonly id: string } | undefined
  readonly offset?: number | undefined
  readonly limit: number
}

/** A text beside the chain, addressed by its hash. */
export interface Payload {
  readonly hash: Digest.Hash
  readonly text: string
}

/** What a commit leaves: its row (the last, if it wrote several), and the session as it is now. */
export interface Committed {
  readonly row: Row.Row
  readonly session: Log.Summary
  /** The ticket that was decided or ended, as it is now. */
  readonly ticket?: Ticket.Ticket
  /** The rule that was made, approved, revoked or used, as it is now. */
  readonly rule?: Rule.Rule
}

/** A check inside the transaction said no; nothing was written. */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", {
  why: Schema.Literals([
    "over_budget",
    "revoked",
    "ancestor_revoked",
    "fenced",
    "ticket_unusable",
    "rule_unusable",
    "denied",
    "undecidable",
    "out_of_time",
    "already_begun",
    "not_begun",
    "too_many_pending",
    "no_such_session",
    "no_such_rule",
    "session_exists",
    "parent_stopped",
    "too_many_children",
    "stale",
    "too_large",
    "memory_full"
  ]),
  detail: Schema.String
}) {}
/** The store could not answer. Nothing was written, unless `maybe`: then the commit may have reached the disk. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  detail: Schema.String,
  remedy: Schema.String,
  maybe: Schema.Boolean
}) {}
/** The one error of the store. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  reason: Schema.Union([Rejected, Unavailable])
}) {}

/** Commits, durably and atomically; groups those of many sessions into one transaction where it can. */
export class Store extends Context.Service<Store, {
  readonly commit: (commit: Commit) => Effect.Effect<Committed, StoreError>
  readonly ticket: (id: Ticket.TicketId) => Effect.Effect<Ticket.Ticket | undefined, StoreError>
  /** Tickets of one session, or of all; oldest first. */
  readonly tickets: (session?: Claims.SessionId) => Effect.Effect<ReadonlyArray<Ticket.Ticket>, StoreError>
  /** Tickets, oldest first unless `newest`, page by page. */
  readonly ticketPage: (query: TicketQuery) => Effect.Effect<ReadonlyArray<Ticket.Ticket>, StoreError>
  /** Wakes that are due at `now`, the oldest first, at most `limit` of them; with the class that runs each. */
  readonly due: (
    now: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<Wake & { readonly actor: string }>, StoreError>
  /** Roots of trees that are running, or were when their process ended; the oldest first, at most `limit` of them. */
  readonly running: (
    limit: number
  ) => Effect.Effect<ReadonlyArray<{ readonly session: Claims.SessionId; readonly actor: string }>, StoreError>
  /** Roots that are running and whose last row is from before `before`, the quietest first, at most `limit` of them. */
  readonly quiet: (before: number, limit: number) => Effect.Effect<ReadonlyArray<Quiet>, StoreError>
  /** Acts whose outcome is open, `unknown`; of one session, or of all. */
  readonly lost: (session?: Claims.SessionId) => Effect.Effect<ReadonlyArray<Act>, StoreError>
  readonly record: (key: RecordKey) => Effect.Effect<Kept | undefined, StoreError>
  readonly records: (query: RecordQuery) => Effect.Effect<ReadonlyArray<Kept>, StoreError>
  /** Tickets whose time has run out at `at` and of which nobody has said so yet, the oldest first, at most `limit`. */
  readonly overdue: (at: number, limit: number) => Effect.Effect<ReadonlyArray<Ticket.Ticket>, StoreError>
  /** Standing rules, oldest first: all there ever were, or those that an act may use at `usableAt`. */
  readonly rules: (usableAt?: number) => Effect.Effect<ReadonlyArray<Rule.Rule>, StoreError>
  /** The acts that a rule approved, in order. */
  readonly uses: (rule: Rule.RuleId) => Effect.Effect<ReadonlyArray<Rule.Use>, StoreError>
  /** Checkpoints of a session, newest first; *not yet verified*. */
  readonly checkpoints: (
    session: Claims.SessionId,
    query: CheckpointQuery
  ) => Effect.Effect<ReadonlyArray<KeptCheckpoint>, StoreError>
  /** Accounts as they stand, by id. */
  readonly accounts: Effect.Effect<ReadonlyArray<AccountView>, StoreError>
  /** The same page by page: those after the id `after`. */
  readonly accountPage: (query: AccountQuery) => Effect.Effect<ReadonlyArray<AccountView>, StoreError>
}>()("aosiq/governor/Store") {}

/** Which tickets. */
export interface TicketQuery {
  /** Those after this place, in the order that is asked for. */
  readonly after?: Pick<Ticket.Ticket, "proposedAt"> & { readonly id: string } | undefined
  readonly limit: number
  readonly newest?: boolean | undefined
  /** Those that are kept in one of these states. */
  readonly states?: ReadonlyArray<Ticket.State> | undefined
  /** Those of this session, and of all below it. */
  readonly within?: Claims.SessionId | undefined
}
/** Which accounts: those after an id. */
export interface AccountQuery {
  readonly after?: string | undefined
  readonly limit: number
}

/** A run that has written nothing for some time: the last row of its session. */
export interface Quiet {
  readonly session: Claims.SessionId
  readonly actor: string
  readonly seq: number
  readonly at: number
}

/** An account, as operators see it. Micro-dollars. */
export interface AccountView {
  readonly id: string
  readonly ceiling: number
  readonly reserved: number
  readonly spent: number
}
