/** The tools, carried out: each asks the desk in the name of its caller, and says what came of it. */
import { Effect, Result, Schema } from "effect"
import { Row } from "../../audit/index.ts"
import type { Operations } from "../../operator/index.ts"
import { maxRows, maxTickets, standardRows, ToolError, tools } from "./Tools.ts"
import * as Waiting from "./Waiting.ts"
import type { Work } from "./Work.ts"

/** Sessions of a swarm that are opened at the same time. */
const maxOpening = 4

/** They, over the operations. */
export const layer = (work: Work) =>
  tools.toLayer({
    agents_list: () => told(Effect.map(work.agents_list(), (agents) => ({ agents }))),
    session_dispatch: ({ waitSeconds = 0, ...order }) =>
      waitSeconds === 0
        ? told(Effect.flatMap(work.session_dispatch(order), ({ id }) => Waiting.standing(work, id)))
        : Effect.catchTag(
          Waiting.held(
            told(Effect.flatMap(work.session_dispatch(order), ({ id }) => Waiting.until(work, id, waitSeconds)))
          ),
          "TooManyStreams",
          ({ detail }) =>
            Effect.fail(new ToolError({ kind: "unavailable", detail, remedy: "end one, or leave waitSeconds out" }))
        ),
    swarm_dispatch: ({ budgetMicroUsd, inputs, key, ...order }) =>
      Effect.gen(function*() {
        const share = Math.floor(budgetMicroUsd / inputs.length)
        const all = yield* Effect.forEach(inputs, (input, item) =>
          Effect.result(work.session_dispatch({
            ...order,
            input,
            budgetMicroUsd: share,
            ...key === undefined ? {} : { key: `${key}/${item}` }
          })), { concurrency: maxOpening })
        return {
          sessions: all.flatMap((one, item) => Result.isSuccess(one) ? [{ item, session: one.success }] : []),
          refused: all.flatMap((one, item) => Result.isFailure(one) ? [{ item, ...reasonOf(one.failure) }] : [])
        }
      }),
    session_status: ({ session }) => told(Waiting.standing(work, session)),
    session_cancel: (order) =>
      told(Effect.map(work.session_control({ ...order, action: "cancel" }), (session) => ({ session }))),
    proposal_get: (about) => told(Effect.map(work.proposals_get(about), (proposals) => ({ proposals }))),
    approvals_list: ({ session, state = "proposed" }) =>
      told(Effect.map(
        work.approvals_list({
          state,
          newest: state !== "proposed",
          limit: maxTickets,
          ...session === undefined ? {} : { within: session }
        }),
        (tickets) => ({ tickets })
      )),
    // Its sessions go on by themselves: an answer that waited for them would take as long as they do.
    approval_decide: (batch) =>
      told(Effect.map(
        work.approval_decide({ ...batch, wait: false }),
        ({ decided, undecided }) => ({ decided, undecided })
      )),
    audit_query: ({ limit = standardRows, since = 0, ...about }) =>
      told(Effect.map(
        work.audit_query({ ...about, since, limit: Math.min(limit, maxRows) }),
        (rows) => ({ rows: rows.map(rowView) })
      )),
    audit_verify: () => told(work.audit_verify()),
    cost_summary: () => told(Effect.map(work.cost_summary(), (accounts) => ({ accounts })))
  })

/** A row as clients see it. */
export const rowView = ({ at, body, hash, seq, session }: Row.Row) => ({
  session,
  seq,
  at,
  kind: body.kind,
  body: encodeBody(body),
  hash
})

// internal

const encodeBody = (body: Row.Body): Schema.Json => Schema.encodeSync(Row.Body)(body)

const reasonOf = ({ detail, kind, remedy }: Operations.OperationError) => ({ kind, detail, remedy })

const told = <A, R>(self: Effect.Effect<A, Operations.OperationError, R>): Effect.Effect<A, ToolError, R> =>
  Effect.mapError(self, (error) => new ToolError(reasonOf(error)))
