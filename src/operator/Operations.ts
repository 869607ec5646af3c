/**
 * What operators do, as one typed list of operations: served by the process that holds the data, called by every door.
 * Each name is a request; there is no second way to decide a ticket or to verify the log.
 */
import { DateTime, Effect, Option, Result, Schema, Stream } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Rule, Ticket } from "../approval/index.ts"
import {
  Alerts,
  type Anchor,
  Anchoring,
  Bundle,
  type Cosigning,
  Digest,
  Finding,
  Log,
  Note,
  Row,
  type Signer,
  Verify
} from "../audit/index.ts"
import { Tape } from "../backend/index.ts"
import { Claims } from "../capability/index.ts"
import { Evidence } from "../evidence/index.ts"
import { Store } from "../governor/index.ts"
import { Bridge, type McpError, McpViews } from "../mcp/index.ts"
import {
  Approvals,
  DeadLetter,
  DeadLetters,
  Dispatch,
  Endorsements,
  Firing,
  Rules,
  Schedule,
  Schedules,
  Unknowns
} from "../session/index.ts"
import { Flow } from "../trust/index.ts"
import { explain } from "./Explain.ts"
import * as Proposals from "./Proposals.ts"

/** The operation was not carried out. */
export class OperationError extends Schema.TaggedError<OperationError>()("OperationError", {
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return this.remedy === "" ? this.detail : `${this.detail}; ${this.remedy}`
  }
}

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

/** A proposal, and what stands behind each of its claims, looked at anew. */
export const ProposalView = Proposals.ProposalView
export type ProposalView = Proposals.ProposalView

/** What was vouched for, and how its session went on. */
export const EndorsedView = Schema.Struct({
  session: Claims.SessionId,
  terms: Digest.Hash,
  /** Whether enough people have vouched for the very same. */
  holds: Schema.Boolean,
  /** `null` when the session did not wait. */
  run: Schema.NullOr(RunView)
})
export type EndorsedView = typeof EndorsedView.Type

/** The verdict on a log or a bundle. */
export type Report = Finding.Report

const error = OperationError

const scheduled = { schedule: Schema.NonEmptyString, by: Schema.NonEmptyString }
const toolOrder = {
  server: Schema.NonEmptyString,
  tool: Schema.NonEmptyString,
  by: Schema.NonEmptyString,
  reason: Schema.String
}
/** Tickets that one decision may be about. */
const maxBatch = 1000
/** Sessions that go on at the same time after a decision. */
const maxRuns = 4

/** The operations. */
export class Operations extends RpcGroup.make(
  Rpc.make("approvals_list", { success: Schema.Array(Ticket.Ticket), error }),
  Rpc.make("approval_show", { payload: { ticket: Schema.NonEmptyString }, success: TicketView, error }),
  Rpc.make("approval_decide", {
    payload: {
      /** Each with the binding under which it was shown: one that is another by now is not decided. */
      tickets: Schema.NonEmptyArray(Schema.Struct({ id: Schema.NonEmptyString, binding: Digest.Hash })).pipe(
        Schema.check(Schema.isMaxLength(maxBatch))
      ),
      approve: Schema.Boolean,
      reason: Schema.String,
      by: Schema.NonEmptyString
    },
    success: DecisionsView,
    error
  }),
  Rpc.make("rules_list", { success: Schema.Array(RuleView), error }),
  Rpc.make("rule_make", {
    payload: { terms: Rule.Terms, reason: Schema.String, by: Schema.NonEmptyString },
    success: Rule.Rule,
    error
  }),
  Rpc.make("rule_approve", {
    payload: {
      rule: Schema.NonEmptyString,
      binding: Digest.Hash,
      reason: Schema.String,
      by: Schema.NonEmptyString
    },
    success: Rule.Rule,
    error
  }),
  Rpc.make("rule_revoke", {
    payload: { rule: Schema.NonEmptyString, reason: Schema.String, by: Schema.NonEmptyString },
    success: Rule.Rule,
    error
  }),
  Rpc.make("unknown_list", { success: Schema.Array(Unknowns.UnknownOutcome), error }),
  Rpc.make("unknown_settle", {
    payload: {
      unknown: Schema.NonEmptyString,
      choice: Schema.Literals(["retry", "done", "not_done"]),
      by: Schema.NonEmptyString,
      reason: Schema.String,
      result: Schema.optionalKey(Schema.Json),
      costMicroUsd: Schema.optionalKey(Schema.Natural)
    },
    /** How its session went on; `null` when it is over. */
    success: Schema.NullOr(RunView),
    error
  }),
  /** All, or those with a row of `since` (epoch milliseconds) or later. */
  Rpc.make("sessions_list", {
    payload: { since: Schema.optionalKey(Schema.Natural) },
    success: Schema.Array(SessionView),
    error
  }),
  Rpc.make("session_rows", {
    payload: { session: Claims.SessionId, from: Schema.optionalKey(Schema.Natural) },
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
    payload: { session: Claims.SessionId, by: Schema.NonEmptyString, reason: Schema.String },
    success: SessionView,
    error
  }),
  Rpc.make("session_control", {
    payload: {
      session: Claims.SessionId,
      action: Schema.Literals(["cancel", "pause", "resume"]),
      by: Schema.NonEmptyString,
      reason: Schema.String
    },
    success: SessionView,
    error
  }),
  Rpc.make("session_endorse", {
    payload: { session: Claims.SessionId, terms: Flow.Terms, by: Schema.NonEmptyString, reason: Schema.String },
    success: EndorsedView,
    error
  }),
  Rpc.make("schedules_list", { success: Schema.Array(Schedule.Schedule), error }),
  Rpc.make("schedule_add", {
    payload: { definition: Schedule.Definition, by: Schema.NonEmptyString },
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
      by: Schema.NonEmptyString,
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
  Rpc.make("cost_summary", { success: Schema.Array(AccountView), error })
) {}

/** The operations, over the services of the process that holds the data. */
export const layer = (keys: ReadonlyArray<Note.Key>) =>
  Operations.toLayer(Effect.gen(function*() {
    const approvals = yield* Approvals.Approvals
    const endorsements = yield* Endorsements.Endorsements
    const unknowns = yield* Unknowns.Unknowns
    const rules = yield* Rules.Rules
    const dispatch = yield* Dispatch.Dispatch
    const schedules = yield* Schedules.Schedules
    const letters = yield* DeadLetters.DeadLetters
    const bridge = yield* Bridge
    const store = yield* Store.Store
    const log = yield* Log.Log
    const alerts = yield* Alerts.Alerts
    const anchoring = yield* Anchoring.Anchoring
    const digest = yield* Digest.Digest
    const evidence = yield* Evidence.Evidence
    const verifying = yield* Effect.context<
      Anchor.Anchors | Cosigning.Witnesses | Digest.Digest | Log.Log | Signer.Verifier
    >()

    /** The one way in which a decision lets a session go on. */
    const resumed = (session: Claims.SessionId, reason: string) =>
      Effect.flatMap(dispatch.resume(session, reason), view(log))

    return Operations.of({
      approvals_list: () => Effect.mapError(approvals.list, failed),
      approval_show: ({ ticket }) => Effect.mapError(approvals.show(ticket), failed),
      approval_decide: (batch) =>
        Effect.gen(function*() {
          const all = yield* Effect.mapError(approvals.decideAll(batch), failed)
          const decided = all.flatMap(({ result }) => Result.isSuccess(result) ? [result.success] : [])
          const due = decided.filter(({ state }) => state !== "proposed")
            .map((ticket) => [Ticket.rootOf(ticket.session), Ticket.reasonOf(ticket)] as const)
          const ends = yield* Effect.forEach(
            new Map(due),
            ([root, reason]) => Effect.result(went(resumed(Claims.SessionId.make(root), reason), root)),
            { concurrency: maxRuns }
          )
          return {
            decided,
            undecided: all.flatMap(({ result, ticket }) =>
              Result.isFailure(result) ? [{ ticket, ...undecided(result.failure) }] : []
            ),
            runs: ends.flatMap((end) => Result.isSuccess(end) ? [end.success] : []),
            stalled: ends.flatMap((end) => Result.isFailure(end) ? [end.failure] : [])
          }
        }),
      unknown_list: () => Effect.mapError(unknowns.list, failed),
      unknown_settle: (settlement) =>
        Effect.gen(function*() {
          const woken = yield* Effect.mapError(unknowns.settle(settlement), failed)
          if (Option.isNone(woken)) return null
          const { reason, session } = woken.value
          return yield* Effect.mapError(resumed(session, reason), stalled(`${settlement.unknown} is settled`))
        }),
      rules_list: () => Effect.mapError(rules.list, failed),
      rule_make: (order) => Effect.mapError(rules.make(order), failed),
      rule_approve: (vote) => Effect.mapError(rules.approve(vote), failed),
      rule_revoke: (order) => Effect.mapError(rules.revoke(order), failed),
      sessions_list: ({ since }) =>
        Effect.mapError(
          Effect.map(since === undefined ? log.sessions : log.since(since), (sessions) => sessions.map(sessionView)),
          failed
        ),
      session_rows: ({ from, session }) => Effect.mapError(log.rows(session, from), failed),
      session_result: ({ session }) => Effect.mapError(resultOf(log, session), failed),
      proposals_get: ({ session }) => Effect.mapError(Proposals.of(log, evidence, session), failed),
      session_tape: ({ session }) =>
        Tape.record(session).pipe(
          Effect.map(Tape.write),
          Effect.provideService(Log.Log, log),
          Effect.mapError(failed)
        ),
      session_revoke: ({ by, reason, session }) =>
        Effect.gen(function*() {
          const [genesis] = yield* Effect.mapError(log.rows(session), failed)
          if (genesis?.body.kind !== "genesis") {
            const remedy = "see: aosiq sessions"
            return yield* new OperationError({ detail: `there is no session ${session}`, remedy })
          }
          const { token } = genesis.body
          const row: Row.Draft = { key: null, body: { kind: "noted", what: "revoked", by, detail: reason } }
          const done = yield* Effect.mapError(store.commit({ _tag: "Revoke", token, session, row }), failed)
          return sessionView(done.session)
        }),
      session_control: ({ action, by, reason, session }) => {
        const order = { session, by, reason }
        const done = action === "cancel"
          ? dispatch.cancel(order)
          : action === "pause"
          ? dispatch.pause(order)
          : dispatch.unpause(order)
        return Effect.mapBoth(done, { onFailure: failed, onSuccess: sessionView })
      },
      session_endorse: (order) =>
        Effect.gen(function*() {
          const { isDue, ...done } = yield* Effect.mapError(endorsements.make(order), failed)
          const run = isDue ? resumed(order.session, `endorsed/${order.session}/${done.terms}`) : Effect.succeed(null)
          return { ...done, run: yield* Effect.mapError(run, stalled("it is vouched for")) }
        }),
      schedules_list: () => Effect.mapError(schedules.list, failed),
      schedule_add: ({ by, definition }) => Effect.mapError(schedules.add(definition, by), failed),
      schedule_control: ({ action, ...order }) => Effect.mapError(schedules[action](order), failed),
      schedule_run: (order) => Effect.mapError(schedules.run(order), failed),
      schedule_history: ({ limit, schedule }) => Effect.mapError(schedules.history(schedule, limit), failed),
      dead_letters_list: ({ open }) => Effect.mapError(letters.list(open), failed),
      dead_letter: ({ letter }) => Effect.mapError(letters.show(letter), failed),
      dead_letter_decide: ({ action, ...decision }) => Effect.mapError(letters[action](decision), failed),
      mcp_servers: () => bridge.servers,
      mcp_tools: ({ server }) => Effect.mapError(bridge.shelf(server), failed),
      mcp_approve: (order) => Effect.mapError(bridge.approve(order), failed),
      mcp_withdraw: (order) => Effect.mapError(bridge.withdraw(order), failed),
      alerts_list: () => alerts.list,
      audit_keys: () => Effect.sync(() => keys.map((key) => Note.formatKey(digest, key))),
      audit_verify: () =>
        Effect.gen(function*() {
          // What happened up to now is anchored first, so that the verdict covers it. On top of anchors that do not hold
          // nothing is: then the verdict says so.
          yield* Effect.catchIf(anchoring.take, isInconsistent, () => Effect.undefined)
          return yield* Verify.online({ keys, sessions: "all" })
        }).pipe(Effect.provideContext(verifying), Effect.mapError(failed)),
      audit_export: ({ payloads }) =>
        Stream.provideContext(Bundle.write({ sessions: "all", payloads, keys }), verifying).pipe(
          Stream.mapError(failed)
        ),
      cost_summary: () => Effect.mapError(store.accounts, failed)
    })
  }))

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

const sessionView = ({ actor, caller, id, parent, seq, startedAt, status }: Log.Summary): SessionView => ({
  actor,
  caller,
  id,
  parent,
  rows: seq,
  startedAt,
  status
})

type Failure =
  | Approvals.ApprovalError
  | McpError
  | Endorsements.EndorseError
  | Unknowns.UnknownError
  | Rules.RuleError
  | Dispatch.DispatchError
  | Schedules.ScheduleError
  | DeadLetters.DeadLetterError
  | Log.LogError
  | Store.StoreError
  | Anchoring.AnchoringError
  | Bundle.BundleError
  | Tape.TapeError

const isInconsistent = (error: Anchoring.AnchoringError): boolean =>
  error._tag === "AnchorError" && error.reason._tag === "Inconsistent"

const failed = (cause: Failure): OperationError => new OperationError(explain(cause))

/** The decision stands, and its session could not go on. */
const stalled = (decided: string) => (cause: Failure): OperationError => {
  const { detail, remedy } = explain(cause)
  return new OperationError({ detail: `${decided}, but its session did not go on: ${detail}`, remedy })
}
/** Why a ticket was not decided, beside its name. */
const undecided = (error: Approvals.ApprovalError) =>
  error.reason._tag === "NotDecidable"
    ? { detail: error.reason.detail, remedy: error.reason.remedy }
    : explain(error)

/** A session that could not go on: the decision stands all the same. */
const went = <A, E extends Failure>(run: Effect.Effect<A, E>, root: string) =>
  Effect.mapError(run, (cause) => ({ session: Claims.SessionId.make(root), ...explain(cause) }))

const view = (log: Log.Log["Service"]) => (ended: Dispatch.Ended<unknown>): Effect.Effect<RunView, Log.LogError> =>
  Effect.map(
    ended._tag === "Succeeded" ? resultOf(log, ended.session) : Effect.succeed(null),
    (result) => ({ ...standing(ended), result })
  )

/** The result as the log keeps it. */
const resultOf = Effect.fnUntraced(function*(log: Log.Log["Service"], id: Claims.SessionId) {
  const session = yield* log.session(id)
  if (Option.isNone(session) || session.value.result === null) return null
  const text = yield* log.payload(session.value.result)
  return Option.isNone(text) ? null : JSON.parse(text.value) as Schema.Json // Canonical JSON of our own.
})
