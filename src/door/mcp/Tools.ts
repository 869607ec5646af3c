/**
 * The eleven tools of the MCP server. Each is one operation of the desk, or a few of them for one purpose; what a caller may
 * not ask for, it does not see. Instants are epoch milliseconds, money micro-dollars.
 */
import { Context, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { Ticket } from "../../approval/index.ts"
import { Digest, Finding } from "../../audit/index.ts"
import { Capability, Claims } from "../../capability/index.ts"
import { Asker, Operations, type Permits } from "../../operator/index.ts"
import * as Name from "../Name.ts"

const name = Name.Name
const session = Name.Session.annotate({ description: "Id of a session" })
const reason = Schema.String.check(Schema.isMaxLength(2000), Name.isKept).annotate({
  description: "Why; it is recorded"
})

/** The longest that a dispatch waits for its session, seconds. */
export const maxWaitSeconds = 45
/** Items of one swarm at the most. */
export const maxItems = 50
/** Rows that one look at the record gives: unless asked for otherwise, and at the most. */
export const standardRows = 50
export const maxRows = 200
/** Tickets of one answer at the most. */
export const maxTickets = 100

/** Why a tool did nothing: the kind of the refusal, what did not happen, and what would help. */
export class ToolError extends Schema.TaggedError<ToolError>()("ToolError", {
  kind: Operations.Kind,
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return this.remedy === "" ? `${this.kind}: ${this.detail}` : `${this.kind}: ${this.detail}\nremedy: ${this.remedy}`
  }
}

/** How a session stands. */
export const Standing = Schema.Struct({
  session: Operations.SessionView,
  /** What it ended with; `null` while it has not, or if it ended without. */
  result: Schema.NullOr(Schema.Json),
  /** Tickets of it and of all below it that wait for people, the oldest. */
  waitsFor: Schema.Array(Ticket.TicketId)
})
export type Standing = typeof Standing.Type

/** A row of the record, with what happened under `body`. */
export const RowView = Schema.Struct({
  session: Claims.SessionId,
  seq: Schema.Natural,
  at: Schema.Natural,
  kind: Schema.String,
  body: Schema.Json,
  hash: Digest.Hash
})
export type RowView = typeof RowView.Type

const order = {
  actor: name.annotate({ description: "Name of the agent or job, as agents_list has it" }),
  capabilities: Schema.optionalKey(
    Schema.Array(Capability.Name).annotate({ description: "Less than you may hand on; all that it needs unless given" })
  ),
  lifetimeSeconds: Schema.optionalKey(Schema.Natural),
  key: Schema.optionalKey(name.annotate({ description: "The same key is the same session: for asking again" }))
}
const budget = Schema.Natural.annotate({ description: "The most it may cost, micro-dollars" })

const swarm = {
  inputs: Schema.NonEmptyArray(Schema.Json).check(Schema.isMaxLength(maxItems)).annotate({
    description: "One session is opened for each"
  }),
  budgetMicroUsd: Schema.Natural.annotate({
    description: "The most that all of them may cost together, micro-dollars; each gets an equal share"
  })
}

/** What a tool does to the world, as clients are told. */
interface Hints {
  readonly title: string
  /** Whether it changes nothing. */
  readonly isReadOnly?: boolean
  /** Whether it may end, begin or allow what cannot be taken back. */
  readonly isDestructive?: boolean
  /** Whether asking twice does no more than asking once. */
  readonly isIdempotent?: boolean
  /** Whether what it starts acts on the world outside. */
  readonly isOpen?: boolean
}
const hints = (
  { isDestructive = false, isIdempotent = false, isOpen = false, isReadOnly = false, title }: Hints
): Context.Context<Tool.Title> =>
  Context.make(Tool.Title, title).pipe(
    Context.add(Tool.Readonly, isReadOnly),
    Context.add(Tool.Destructive, isDestructive),
    Context.add(Tool.Idempotent, isIdempotent || isReadOnly),
    Context.add(Tool.OpenWorld, isOpen),
    // An argument that is misspelt is an error, and not left out.
    Context.add(Tool.Strict, true)
  )
const looks = (title: string) => hints({ title, isReadOnly: true })

const common = { failure: ToolError, dependencies: [Asker.Asker] }
const nothing = Tool.EmptyParams

const AgentsList = Tool.make("agents_list", {
  ...common,
  description:
    "The agents and jobs that can be dispatched: what each is for, what it needs, and the JSON Schema of its input",
  parameters: nothing,
  success: Schema.Struct({ agents: Schema.Array(Operations.AgentView) })
}).annotateMerge(looks("List agents"))

const SessionDispatch = Tool.make("session_dispatch", {
  ...common,
  description: "Starts a session of an agent in your name, with no more than your ceiling. It runs on by itself; " +
    `waitSeconds waits for it to end or to need people, and tells its progress. A call that is cancelled while it waits ` +
    "cancels the session.",
  parameters: Schema.Struct({
    ...order,
    input: Schema.Json.annotate({ description: "As the input schema of the agent has it" }),
    budgetMicroUsd: Schema.optionalKey(budget),
    waitSeconds: Schema.optionalKey(
      Schema.Natural.check(Schema.isLessThanOrEqualTo(maxWaitSeconds)).annotate({
        description: "How long to wait for it; not at all unless given"
      })
    )
  }),
  success: Standing
}).annotateMerge(hints({ title: "Dispatch a session", isOpen: true }))

const SwarmDispatch = Tool.make("swarm_dispatch", {
  ...common,
  description:
    "Starts one session of an agent for each input, in your name. The budget is shared out evenly: all together " +
    "cost no more. Each runs by itself, and one that cannot be opened keeps none of the others from it.",
  parameters: Schema.Struct({ ...order, ...swarm }),
  success: Schema.Struct({
    sessions: Schema.Array(Schema.Struct({ item: Schema.Natural, session: Operations.SessionView })),
    /** Items for which none was opened, and why. */
    refused: Schema.Array(
      Schema.Struct({
        item: Schema.Natural,
        kind: Operations.Kind,
        detail: Schema.String,
        remedy: Schema.String
      })
    )
  })
}).annotateMerge(hints({ title: "Dispatch many sessions", isOpen: true }))

const SessionStatus = Tool.make("session_status", {
  ...common,
  description: "How a session stands, what it ended with, and the tickets on which it waits for people",
  parameters: Schema.Struct({ session }),
  success: Standing
}).annotateMerge(looks("Session status"))

const SessionCancel = Tool.make("session_cancel", {
  ...common,
  description: "Ends a session and all below it, for good. What was done already stays done.",
  parameters: Schema.Struct({ session, reason }),
  success: Schema.Struct({ session: Operations.SessionView })
}).annotateMerge(hints({ title: "Cancel a session", isDestructive: true, isIdempotent: true }))

const ProposalGet = Tool.make("proposal_get", {
  ...common,
  description: "The proposals that a session and those below it ended with, each claim with the evidence it stands on",
  parameters: Schema.Struct({ session }),
  success: Schema.Struct({ proposals: Schema.Array(Operations.ProposalView) })
}).annotateMerge(looks("Get proposals"))

const ApprovalsList = Tool.make("approvals_list", {
  ...common,
  description: "Acts that wait for people, or did: the exact arguments, the reasons of the actor, the evidence. " +
    `${maxTickets} at the most: of those that wait the oldest, oldest first; of others the latest, latest first.`,
  parameters: Schema.Struct({
    state: Schema.optionalKey(Ticket.State.annotate({ description: "Those in this state; proposed unless given" })),
    session: Schema.optionalKey(session.annotate({ description: "Those of this session and of all below it" }))
  }),
  success: Schema.Struct({ tickets: Schema.Array(Ticket.Ticket) })
}).annotateMerge(looks("List approvals"))

const ApprovalDecide = Tool.make("approval_decide", {
  ...common,
  description:
    "Approves or denies acts, in your name and on the record. An approval lets the act run, once, and it cannot " +
    "be undone; a denial is final for the same act in that session. Decide only what a person told you to decide.",
  parameters: Schema.Struct({
    tickets: Schema.NonEmptyArray(
      Schema.Struct({
        id: name,
        binding: Digest.Hash.annotate({
          description: "The binding under which it was shown: what is another by now stays"
        })
      })
    ).check(Schema.isMaxLength(maxItems)),
    approve: Schema.Boolean,
    reason
  }),
  success: Schema.Struct({
    decided: Operations.DecisionsView.fields.decided,
    undecided: Operations.DecisionsView.fields.undecided
  })
}).annotateMerge(hints({ title: "Decide approvals", isDestructive: true, isOpen: true }))

const AuditQuery = Tool.make("audit_query", {
  ...common,
  description: "Rows of the record, oldest first: of a session, a caller or a kind, from an instant on",
  parameters: Schema.Struct({
    since: Schema.optionalKey(
      Schema.Natural.annotate({ description: "Epoch milliseconds; from the start unless given" })
    ),
    session: Schema.optionalKey(session),
    caller: Schema.optionalKey(name),
    kind: Schema.optionalKey(name.annotate({ description: "Such as intent, outcome, ended" })),
    limit: Schema.optionalKey(
      Schema.Natural.check(Schema.isBetween({ minimum: 1, maximum: maxRows })).annotate({
        description: `${standardRows} unless given, ${maxRows} at the most`
      })
    )
  }),
  success: Schema.Struct({ rows: Schema.Array(RowView) })
}).annotateMerge(looks("Query the record"))

const AuditVerify = Tool.make("audit_verify", {
  ...common,
  description:
    "Anchors what was recorded up to now and verifies all of the record: what was found, and what could not be " +
    "looked at",
  parameters: nothing,
  success: Finding.Report
}).annotateMerge(hints({ title: "Verify the record", isIdempotent: true }))

const CostSummary = Tool.make("cost_summary", {
  ...common,
  description: "Accounts with their ceilings, and what is reserved and spent of them, in micro-dollars",
  parameters: nothing,
  success: Schema.Struct({ accounts: Schema.Array(Operations.AccountView) })
}).annotateMerge(looks("Cost summary"))

/** All of them. */
export const tools = Toolkit.make(
  AgentsList,
  SessionDispatch,
  SwarmDispatch,
  SessionStatus,
  SessionCancel,
  ProposalGet,
  ApprovalsList,
  ApprovalDecide,
  AuditQuery,
  AuditVerify,
  CostSummary
)

/** The operation that a tool asks for; by the table of permits it is seen or not. */
export const operationOf: { readonly [Name in keyof typeof tools.tools]: Permits.Operation } = {
  agents_list: "agents_list",
  session_dispatch: "session_dispatch",
  swarm_dispatch: "session_dispatch",
  session_status: "session_show",
  session_cancel: "session_control",
  proposal_get: "proposals_get",
  approvals_list: "approvals_list",
  approval_decide: "approval_decide",
  audit_query: "audit_query",
  audit_verify: "audit_verify",
  cost_summary: "cost_summary"
}
