/** The operations by which people decide: tickets, standing rules, outcomes that were lost. */
import { Effect, Option, Result } from "effect"
import { Ticket } from "../approval/index.ts"
import { Log } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import { Flowing, Governor, Store } from "../governor/index.ts"
import { Approvals, Dispatch, Endorsements, Rules, Unknowns } from "../session/index.ts"
import { Tool } from "../tool/index.ts"
import { Flow } from "../trust/index.ts"
import type { Desk } from "./Desk.ts"
import { explain } from "./Explain.ts"
import { failed } from "./Failure.ts"
import { check, may } from "./May.ts"
import { OperationError } from "./Operations.ts"
import * as Pages from "./Pages.ts"
import * as Seen from "./Seen.ts"

/** Sessions that go on at the same time after a decision. */
const maxRuns = 4

/** They, over the desks of the session room. */
export const make = Effect.gen(function*() {
  const approvals = yield* Approvals.Approvals
  const endorsements = yield* Endorsements.Endorsements
  const rules = yield* Rules.Rules
  const unknowns = yield* Unknowns.Unknowns
  const dispatch = yield* Dispatch.Dispatch
  const log = yield* Log.Log
  const { labels } = yield* Governor
  const seen = Seen.make(log)
  const tickets = Pages.ticketsOf(yield* Store.Store)

  /** The one way in which a decision lets a session go on. */
  const resumed = (session: Claims.SessionId, reason: string) =>
    Effect.flatMap(dispatch.resume(session, reason), seen.run)

  return {
    approvals_list: may(
      "approvals_list",
      ({ limit = Infinity, ...which }) => Effect.map(tickets({ ...which, limit }), ({ items }) => items)
    ),
    approval_show: may("approval_show", ({ ticket }) => Effect.mapError(approvals.show(ticket), failed)),
    approval_decide: may("approval_decide", ({ wait = true, ...batch }, { name: by }) =>
      Effect.gen(function*() {
        const all = yield* Effect.mapError(approvals.decideAll({ ...batch, by }), failed)
        const decided = all.flatMap(({ result }) => Result.isSuccess(result) ? [result.success] : [])
        const due = wait
          ? decided.filter(({ state }) => state !== "proposed")
            .map((ticket) => [Ticket.rootOf(ticket.session), Ticket.reasonOf(ticket)] as const)
          : []
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
      })),
    rules_list: may("rules_list", () => Effect.mapError(rules.list, failed)),
    rule_make: may("rule_make", (order, { name: by }) => Effect.mapError(rules.make({ ...order, by }), failed)),
    rule_approve: may("rule_approve", (vote, { name: by }) => Effect.mapError(rules.approve({ ...vote, by }), failed)),
    rule_revoke: may("rule_revoke", (order, { name: by }) => Effect.mapError(rules.revoke({ ...order, by }), failed)),
    session_endorse: may("session_endorse", ({ wait = true, ...order }, { name: by }) =>
      Effect.gen(function*() {
        const { isDue, ...done } = yield* Effect.mapError(endorsements.make({ ...order, by }), failed)
        const run = isDue && wait
          ? resumed(order.session, `endorsed/${order.session}/${done.terms}`)
          : Effect.succeed(null)
        return { ...done, run: yield* Effect.mapError(run, stalled("it is vouched for")) }
      })),
    endorsements_list: may("endorsements_list", ({ session }) => Effect.mapError(endorsements.list(session), failed)),
    endorsement_revoke: may(
      "endorsement_revoke",
      (order, { name: by }) => Effect.mapError(endorsements.revoke({ ...order, by }), failed)
    ),
    policy_coverage: may("policy_coverage", ({ policy = labels }) =>
      Effect.map(Tool.provided, (tools) => {
        const asked = tools.map((tool) => ({ tool: tool.name, sinks: Flowing.sinksOf(tool) }))
        return Flow.coverage(policy, asked).map((one) => ({
          ...one,
          sinks: asked.find(({ tool }) => tool === one.tool)?.sinks ?? []
        }))
      })),
    unknown_list: may("unknown_list", () => Effect.mapError(unknowns.list, failed)),
    unknown_settle: may(
      "unknown_settle",
      ({ wait = true, ...settlement }, { name: by }) =>
        Effect.gen(function*() {
          // A retry has an act done once more: it takes who may approve one.
          if (settlement.choice === "retry") yield* check("approval_decide")
          const woken = yield* Effect.mapError(unknowns.settle({ ...settlement, by }), failed)
          if (Option.isNone(woken) || !wait) return null
          const { reason, session } = woken.value
          return yield* Effect.mapError(resumed(session, reason), stalled(`${settlement.unknown} is settled`))
        }),
      ({ unknown }) => seen.ownerOf(Claims.SessionId.make(`${unknown}/`.slice(0, unknown.lastIndexOf("/")) || "none"))
    )
  } satisfies Partial<Desk["Service"]>
})

// internal

/** The decision stands, and its session could not go on. */
const stalled = (decided: string) => (cause: unknown): OperationError => {
  const { detail, kind, remedy } = failed(cause)
  return new OperationError({ kind, detail: `${decided}, but its session did not go on: ${detail}`, remedy })
}
/** Why a ticket was not decided, beside its name. */
const undecided = (error: Approvals.ApprovalError) =>
  error.reason._tag === "NotDecidable"
    ? { detail: error.reason.detail, remedy: error.reason.remedy }
    : explain(error)

/** A session that could not go on: the decision stands all the same. */
const went = <A, E>(run: Effect.Effect<A, E>, root: string) =>
  Effect.mapError(run, (cause) => ({ session: Claims.SessionId.make(root), ...explain(cause) }))
