/**
 * What operators do, as one typed list of operations: served by the process that holds the data, called by every door.
 * Each name is a request; there is no second way to decide a ticket or to verify the log.
 */
import { DateTime, Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Rule, Ticket } from "../approval/index.ts"
import { Alerts, Digest, Finding, Log, Row } from "../audit/index.ts"
import { Capability, Claims } from "../capability/index.ts"
import { McpViews } from "../mcp/index.ts"
import { Proposal } from "../proposal/index.ts"
import {
  Caller,
  DeadLetter,
  type Dispatch,
  Endorsements,
  Firing,
  KnownBy,
  Schedule,
  Unknowns
} from "../session/index.ts"
import { Flow } from "../trust/index.ts"
import { Asked, Identity } from "./Asker.ts"
import { Kind, OperationError } from "./OperationError.ts"
import * as Proposals from "./Proposals.ts"

export { Kind, OperationError }

/** A session as operators see it. Instants are epoch milliseconds, money micro-dollars. */
export const SessionView = Schema.Struct({
  id: Claims.SessionId,
  actor: Schema.String,
  status: Log.Status,
  parent: Schema.NullOr(Claims.SessionId),
  caller: Schema.String,
  rows: Schema.Natural,
  startedAt: Schema.Natural
})
export type SessionView = typeof SessionView.Type

/** How a session stands after a decision let it go on. */
export const RunView = Schema.Struct({
  session: Claims.SessionId,
  status: Schema.Literals(["succeeded", "waiting", "unsettled", "sleeping", "paused", "cancelled", "failed"]),
  /** The next ticket, the act whose outcome is unknown, when it goes on, or why it ended. */
  detail: Schema.String,
  /** The actor's result, as JSON. */
  result: Schema.NullOr(Schema.Json),
  /** What stopped it, where it would have gone on. */
  stop: Schema.NullOr(Row.Stop),
  /** What it had come to by then, as JSON: unfinished, and nobody has checked it. */
  partial: Schema.NullOr(Schema.Json)
})
export type RunView = typeof RunView.Type

/** An act whose outcome was lost, as operators see it. */
export type UnknownOutcome = Unknowns.UnknownOutcome

/** An account as it stands. */
export const AccountView = Schema.Struct({
  id: Schema.String,
  ceiling: Schema.Natural,
  reserved: Schema.Natural,
  spent: Schema.Natural
})

/** A firing of a schedule, and how its session stands; `null` when there is none. */
export const FiringView = Schema.Struct({ firing: Firing.Firing, status: Schema.NullOr(Log.Status) })
/** What came of the decisions about several tickets. Each ticket and each session stands for itself. */
export const DecisionsView = Schema.Struct({
  decided: Schema.Array(Ticket.Ticket),
  /** Tickets that were not decided, and why. */
  undecided: Schema.Array(Schema.Struct({ ticket: Schema.String, detail: Schema.String, remedy: Schema.String })),
  /** How the sessions stand that could go on. */
  runs: Schema.Array(RunView),
  /** Sessions that should have gone on and could not. */
  stalled: Schema.Array(
    Schema.Struct({ session: Claims.SessionId, detail: Schema.String, remedy: Schema.String })
  )
})
export type DecisionsView = typeof DecisionsView.Type

/** A ticket with the accounts that its act draws on, as they stand now: they are shown, and no decision is bound to them. */
export const TicketView = Schema.Struct({ ticket: Ticket.Ticket, accounts: Schema.Array(AccountView) })
export type TicketView = typeof TicketView.Type

/** A standing rule, how it stands now, and every act that it approved. */
export const RuleView = Schema.Struct({
  rule: Rule.Rule,
  standing: Schema.String,
  uses: Schema.Array(Rule.Use)
})
export type RuleView = typeof RuleView.Type

/** An actor that can be dispatched: what it is for, what it needs and takes. */
export const AgentView = Schema.Struct({
  name: Schema.String,
  description: Schema.String,
  capabilities: Schema.Array(Schema.String),
  backends: Schema.Array(Schema.String),
  /** JSON Schema of its input and its result. */
  input: Schema.Json,
  output: Schema.Json
})
export type AgentView = typeof AgentView.Type

/** What a session ended with for people, in short. */
export const ProposalSummary = Schema.Struct({
  session: Claims.SessionId,
  actor: Schema.String,
  caller: Schema.String,
  title: Schema.String,
  severity: Proposal.Severity,
  confidence: Proposal.Confidence
})
export type ProposalSummary = typeof ProposalSummary.Type

/** A caller as operators see it. Of its tokens only their ids are kept, and no secret. */
export const CallerView = Schema.Struct({
  ...Caller.Caller.fields,
  credentials: Schema.Array(Caller.CredentialView)
})
export type CallerView = typeof CallerView.Type

/** A caller with the token that it was given, if it was: told this once, and never again. */
export const GivenView = Schema.Struct({ ...CallerView.fields, token: Schema.NullOr(Schema.String) })
export type GivenView = typeof GivenView.Type

/** A proposal, and what stands behind each of its claims, looked at anew. */
export const ProposalView = Proposals.ProposalView
export type ProposalView = Proposals.ProposalView

/** What was vouched for, and how its session went on. */
export const EndorsedView = Schema.Struct({
  session: Claims.SessionId,
  terms: Digest.Hash,
  /** Whether enough people have vouched for the very same. */
  holds: Schema.Boolean,
  /** `null` when the session did not wait, or was not waited for. */
  run: Schema.NullOr(RunView)
})
export type EndorsedView = typeof EndorsedView.Type

/** A tool that does something to the world, and the rules that it is held to; none but the last resort without one. */
export const CoverageView = Schema.Struct({
  tool: Schema.String,
  sinks: Schema.Array(Flow.Sink),
  rules: Schema.Array(Schema.String)
})
export type CoverageView = typeof CoverageView.Type

/** The verdict on a log or a bundle. */
export type Report = Finding.Report

const error = OperationError

const scheduled = { schedule: Schema.NonEmptyString }
/** Whether to tell how the sessions went on that a decision lets go on; if not, they go on by themselves. */
const wait = Schema.optionalKey(Schema.Boolean)
const toolOrder = { server: Schema.NonEmptyString, tool: Schema.NonEmptyString, reason: Schema.String }
/** From where a fork goes on, and how much less than its origin and its caller it holds. */
export const forkTerms = {
  /** `seq` of the last row that is its past. */
  seq: Schema.optionalKey(Schema.Natural),
  /** Instead of `seq`: a checkpoint, as its row names it. */
  checkpoint: Schema.optionalKey(Schema.NonEmptyString),
  capabilities: Schema.optionalKey(Schema.Array(Capability.Name)),
  budgetMicroUsd: Schema.optionalKey(Schema.Natural),
  lifetimeSeconds: Schema.optionalKey(Schema.Natural)
}
/** Tickets that one decision may be about. */
const maxBatch = 1000
/** Rows that one look at the log gives at most. */
export const maxRows = 1000

/** The operations. */
export class Operations extends RpcGroup.make(
  /** Oldest first unless `newest`; all of them, or those that are named. */
  Rpc.make("approvals_list", {
    payload: {
      /** Those in this state. */
      state: Schema.optionalKey(Ticket.State),
      /** Those of this session, and of all below it. */
      within: Schema.optionalKey(Claims.SessionId),
      newest: Schema.optionalKey(Schema.Boolean),
      limit: Schema.optionalKey(Schema.Natural.check(Schema.isGreaterThan(0)))
    },
    success: Schema.Array(Ticket.Ticket),
    error
  }),
  Rpc.make("approval_show", { payload: { ticket: Schema.NonEmptyString }, success: TicketView, error }),
  Rpc.make("approval_decide", {
    payload: {
      /** Each with the binding under which it was shown: one that is another by now is not decided. */
      tickets: Schema.NonEmptyArray(Schema.Struct({ id: Schema.NonEmptyString, binding: Digest.Hash })).pipe(
        Schema.check(Schema.isMaxLength(maxBatch))
      ),
      approve: Schema.Boolean,
      reason: Schema.String,
      wait
    },
    success: DecisionsView,
    error
  }),
  Rpc.make("rules_list", { success: Schema.Array(RuleView), error }),
  Rpc.make("rule_make", {
    payload: { terms: Rule.Terms, reason: Schema.String },
    success: Rule.Rule,
    error
  }),
  Rpc.make("rule_approve", {
    payload: {
      rule: Schema.NonEmptyString,
      binding: Digest.Hash,
      reason: Schema.String
    },
    success: Rule.Rule,
    error
  }),
  Rpc.make("rule_revoke", {
    payload: { rule: Schema.NonEmptyString, reason: Schema.String },
    success: Rule.Rule,
    error
  }),
  Rpc.make("unknown_list", { success: Schema.Array(Unknowns.UnknownOutcome), error }),
  Rpc.make("unknown_settle", {
    payload: {
      unknown: Schema.NonEmptyString,
      choice: Schema.Literals(["retry", "done", "not_done"]),
      reason: Schema.String,
      result: Schema.optionalKey(Schema.Json),
      costMicroUsd: Schema.optionalKey(Schema.Natural),
      wait
    },
    /** How its session went on; `null` when it is over, or was not waited for. */
    success: Schema.NullOr(RunView),
    error
  }),
  /** All, or those with a row of `since` (epoch milliseconds) or later. */
  Rpc.make("sessions_list", {
    payload: {
      since: Schema.optionalKey(Schema.Natural),
      /** The latest so many. */
      latest: Schema.optionalKey(Schema.Natural)
    },
    success: Schema.Array(SessionView),
    error
  }),
  Rpc.make("session_show", { payload: { session: Claims.SessionId }, success: SessionView, error }),
  /** Opens a session and has it run; its token holds no more than the ceiling of who asks. */
  Rpc.make("session_dispatch", {
    payload: {
      actor: Schema.NonEmptyString,
      /** As the actor's schema has it. */
      input: Schema.Json,
      /** Less than the ceiling holds. */
      capabilities: Schema.optionalKey(Schema.Array(Capability.Name)),
      budgetMicroUsd: Schema.optionalKey(Schema.Natural),
      lifetimeSeconds: Schema.optionalKey(Schema.Natural),
      /** The same key of the same caller is the same session. */
      key: Schema.optionalKey(Schema.NonEmptyString)
    },
    success: SessionView,
    error
  }),
  /** Opens a session that goes on from a row of another: the last that will do, unless one is named. */
  Rpc.make("session_fork", {
    payload: {
      session: Claims.SessionId,
      ...forkTerms,
      /** The same key of the same caller is the same session. */
      key: Schema.optionalKey(Schema.NonEmptyString)
    },
    success: SessionView,
    error
  }),
  Rpc.make("session_rows", {
    payload: {
      session: Claims.SessionId,
      from: Schema.optionalKey(Schema.Natural),
      /** Rows at the most; all when left out. */
      limit: Schema.optionalKey(Schema.Natural)
    },
    success: Schema.Array(Row.Row),
    error
  }),
  Rpc.make("session_result", { payload: { session: Claims.SessionId }, success: Schema.NullOr(Schema.Json), error }),
  /** The proposals that a session and those below it ended with. */
  Rpc.make("proposals_get", {
    payload: { session: Claims.SessionId },
    success: Schema.Array(Proposals.ProposalView),
    error
  }),
  /** The traffic of a session and of all below it, as a tape; secrets are taken out. */
  Rpc.make("session_tape", { payload: { session: Claims.SessionId }, success: Schema.String, error }),
  Rpc.make("session_revoke", {
    payload: { session: Claims.SessionId, reason: Schema.String },
    success: SessionView,
    error
  }),
  Rpc.make("session_control", {
    payload: {
      session: Claims.SessionId,
      action: Schema.Literals(["cancel", "pause", "resume"]),
      reason: Schema.String
    },
    success: SessionView,
    error
  }),
  Rpc.make("session_endorse", {
    payload: { session: Claims.SessionId, terms: Flow.Terms, reason: Schema.String, wait },
    success: EndorsedView,
    error
  }),
  Rpc.make("endorsements_list", {
    /** Of one session; of all that go on without it. */
    payload: { session: Schema.optionalKey(Claims.SessionId) },
    success: Schema.Array(Endorsements.View),
    error
  }),
  Rpc.make("endorsement_revoke", {
    payload: { session: Claims.SessionId, terms: Digest.Hash, reason: Schema.String },
    success: Endorsements.View,
    error
  }),
  Rpc.make("policy_coverage", {
    /** A policy to look at; the one in force without it. */
    payload: { policy: Schema.optionalKey(Flow.Policy) },
    success: Schema.Array(CoverageView),
    error
  }),
  Rpc.make("schedules_list", { success: Schema.Array(Schedule.Schedule), error }),
  Rpc.make("schedule_add", {
    payload: { definition: Schedule.Definition },
    success: Schedule.Schedule,
    error
  }),
  Rpc.make("schedule_control", {
    payload: { ...scheduled, action: Schema.Literals(["pause", "resume", "remove"]) },
    success: Schedule.Schedule,
    error
  }),
  Rpc.make("schedule_run", { payload: scheduled, success: Firing.Firing, error }),
  Rpc.make("schedule_history", {
    payload: { schedule: Schema.NonEmptyString, limit: Schema.Natural },
    success: Schema.Array(FiringView),
    error
  }),
  Rpc.make("dead_letters_list", {
    payload: { open: Schema.Boolean },
    success: Schema.Array(DeadLetter.DeadLetter),
    error
  }),
  Rpc.make("dead_letter", { payload: { letter: Schema.NonEmptyString }, success: DeadLetter.DeadLetter, error }),
  Rpc.make("dead_letter_decide", {
    payload: {
      letter: Schema.NonEmptyString,
      action: Schema.Literals(["replay", "drop"]),
      reason: Schema.String
    },
    success: DeadLetter.DeadLetter,
    error
  }),
  /** Servers whose tools are let in, and how each stands. None is started for it. */
  Rpc.make("mcp_servers", { success: Schema.Array(McpViews.ServerView), error }),
  /** What a server says it has, and what was decided about it. */
  Rpc.make("mcp_tools", {
    payload: { server: Schema.NonEmptyString },
    success: Schema.Array(McpViews.ToolView),
    error
  }),
  Rpc.make("mcp_approve", {
    /** The definition as it was shown: one that is another by now is not approved. */
    payload: { ...toolOrder, definition: Digest.Hash },
    success: McpViews.ToolView,
    error
  }),
  Rpc.make("mcp_withdraw", { payload: toolOrder, success: Schema.Void, error }),
  Rpc.make("alerts_list", { success: Schema.Array(Alerts.Alert), error }),
  Rpc.make("audit_keys", { success: Schema.Array(Schema.String), error }),
  Rpc.make("audit_verify", { success: Finding.Report, error }),
  Rpc.make("audit_export", { payload: { payloads: Schema.Boolean }, success: Schema.String, error, stream: true }),
  /** Rows of sessions that moved since then, oldest first: of this session, caller or kind, if one is named. */
  Rpc.make("audit_query", {
    payload: {
      since: Schema.Natural,
      session: Schema.optionalKey(Claims.SessionId),
      caller: Schema.optionalKey(Schema.NonEmptyString),
      kind: Schema.optionalKey(Schema.NonEmptyString),
      limit: Schema.optionalKey(Schema.Natural)
    },
    success: Schema.Array(Row.Row),
    error
  }),
  Rpc.make("cost_summary", { success: Schema.Array(AccountView), error }),
  Rpc.make("agents_list", { success: Schema.Array(AgentView), error }),
  /** The latest first. */
  Rpc.make("proposals_list", {
    /** Those among what the latest so many sessions ended with; all when left out. */
    payload: { latest: Schema.optionalKey(Schema.Natural) },
    success: Schema.Array(ProposalSummary),
    error
  }),
  Rpc.make("caller_self", { success: Identity, error }),
  Rpc.make("callers_list", { success: Schema.Array(CallerView), error }),
  /** With a token; with none, when it is known by something else. */
  Rpc.make("caller_add", {
    payload: { definition: Caller.Definition, knownBy: Schema.optionalKey(KnownBy.KnownBy) },
    success: GivenView,
    error
  }),
  Rpc.make("caller_bind", {
    payload: { caller: Schema.NonEmptyString, knownBy: KnownBy.KnownBy },
    success: CallerView,
    error
  }),
  Rpc.make("caller_rotate", {
    payload: { caller: Schema.NonEmptyString, overlapMs: Schema.Natural },
    success: GivenView,
    error
  }),
  Rpc.make("caller_revoke", {
    payload: {
      caller: Schema.NonEmptyString,
      credential: Schema.optionalKey(Schema.NonEmptyString),
      reason: Schema.String
    },
    success: CallerView,
    error
  })
).middleware(Asked) {}

/** How a run stands, as operators see it. */
export const standing = (ended: Dispatch.Ended<unknown>): Omit<RunView, "result"> => {
  const { partial, stop } = ended._tag === "Failed" ? ended : { partial: null, stop: null }
  return { ...summed(ended), stop, partial }
}

// internal

const summed = (ended: Dispatch.Ended<unknown>): Pick<RunView, "session" | "status" | "detail"> => {
  const { session } = ended
  switch (ended._tag) {
    case "Succeeded":
      return { session, status: "succeeded", detail: "" }
    case "Waiting":
      return { session, status: "waiting", detail: ended.ticket }
    case "Unsettled":
      return { session, status: "unsettled", detail: ended.unknown }
    case "Sleeping":
      return { session, status: "sleeping", detail: DateTime.formatIso(DateTime.makeUnsafe(ended.until)) }
    case "Paused":
      return { session, status: "paused", detail: "" }
    case "Cancelled":
      return { session, status: "cancelled", detail: ended.detail }
    case "Failed":
      return { session, status: "failed", detail: ended.detail }
  }
}
