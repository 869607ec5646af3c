/** The endpoints, each by its operation: a request is turned into one call of the desk, and its answer into a page. */
import { Effect, Layer, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type Asker, Desk, May, type Operations } from "../../operator/index.ts"
import type { StillIn } from "./Access.ts"
import { Api } from "./Api.ts"
import * as Events from "./Events.ts"
import * as Page from "./Page.ts"
import * as Problem from "./Problem.ts"

/** All of them, over the desk. `ready` says what is not there that the server needs; nothing when it can work. */
export const layer = (ready: Effect.Effect<string | null>) =>
  Layer.mergeAll(
    system(ready),
    agents,
    sessions,
    proposals,
    approvals,
    rules,
    audit,
    cost,
    schedules,
    letters,
    unknowns,
    callers,
    mcp
  )

// internal

/** What an operation came to, as the API says it. */
const told = <A, R>(self: Effect.Effect<A, Operations.OperationError, R>): Effect.Effect<A, Problem.Problem, R> =>
  Effect.mapError(self, Problem.of)

/** A page of what an operation lists. */
const paged = <A, R>(
  self: Effect.Effect<ReadonlyArray<A>, Operations.OperationError, R>,
  placeOf: (item: A) => string,
  ask: Page.Ask
) =>
  Effect.flatMap(told(self), (list) =>
    Page.leads(list, placeOf, ask)
      ? Effect.succeed(Page.cut(list, placeOf, ask))
      : Effect.fail(new Problem.Malformed({ detail: "the cursor leads nowhere", remedy: "begin with the first page" })))

const byId = ({ id }: { readonly id: string }) => id
const byName = ({ name }: { readonly name: string }) => name

const system = (ready: Effect.Effect<string | null>) =>
  HttpApiBuilder.group(Api, "system", (handlers) =>
    handlers.handleAll({
      health: () => Effect.succeed({ status: "up" }),
      ready: () =>
        Effect.map(ready, (detail) => detail === null ? { status: "ready" } : { status: "not_ready", detail })
    }))

const agents = HttpApiBuilder.group(
  Api,
  "agents",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({ list: ({ query }) => paged(desk.agents_list(), byName, query) })
  })
)

const sessions = HttpApiBuilder.group(
  Api,
  "sessions",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    const control = (action: "cancel" | "pause" | "resume") =>
    (request: {
      readonly params: { readonly session: Operations.SessionView["id"] }
      readonly payload: { readonly reason: string }
    }) => told(desk.session_control({ ...request.params, ...request.payload, action }))
    return handlers.handleAll({
      list: ({ query: { actor, caller, since, status, ...page } }) =>
        paged(
          Effect.map(desk.sessions_list(since === undefined ? {} : { since }), (list) =>
            list.toReversed().filter((session) =>
              (status === undefined || session.status === status) &&
              (caller === undefined || session.caller === caller) &&
              (actor === undefined || session.actor === actor)
            )),
          byId,
          page
        ),
      dispatch: ({ headers, payload }) => {
        const key = headers["idempotency-key"]
        return told(desk.session_dispatch({ ...payload, ...key === undefined ? {} : { key } }))
      },
      status: ({ params }) => told(desk.session_show(params)),
      result: ({ params }) =>
        told(
          Effect.andThen(desk.session_show(params), Effect.map(desk.session_result(params), (result) => ({ result })))
        ),
      rows: ({ params, query: { from = 0, limit = Page.standard } }) =>
        told(Effect.map(
          Effect.andThen(desk.session_show(params), desk.session_rows({ ...params, from })),
          (rows) => ({ items: rows.slice(0, limit), next: rows.length > limit ? from + limit : null })
        )),
      tape: ({ params }) => told(desk.session_tape(params)),
      events: ({ headers, params }) => {
        const last = headers["last-event-id"]
        const events = Events.of(desk, params.session, last === undefined ? 0 : last + 1)
        // A session that is not there is answered before the stream begins. A stream that breaks off is resumed.
        return told(Effect.andThen(
          desk.session_show(params),
          Effect.map(
            Effect.context<Asker.Asker | StillIn>(),
            (context) => Stream.orDie(Stream.provideContext(events, context))
          )
        ))
      },
      endorse: ({ params, payload }) => told(desk.session_endorse({ ...params, ...payload, wait: false })),
      fork: ({ headers, params, payload }) => {
        const key = headers["idempotency-key"]
        return told(desk.session_fork({ ...params, ...payload, ...key === undefined ? {} : { key } }))
      },
      cancel: control("cancel"),
      pause: control("pause"),
      resume: control("resume"),
      revoke: ({ params, payload }) => told(desk.session_revoke({ ...params, ...payload }))
    })
  })
)

const proposals = HttpApiBuilder.group(
  Api,
  "proposals",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({
      list: ({ query }) => paged(desk.proposals_list(), ({ session }) => session, query),
      show: ({ params }) => told(Effect.map(desk.proposals_get(params), (items) => ({ items })))
    })
  })
)

const approvals = HttpApiBuilder.group(
  Api,
  "approvals",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({
      list: ({ query: { state, ...page } }) =>
        paged(
          Effect.map(desk.approvals_list(), (list) =>
            list.filter((ticket) => state === undefined || ticket.state === state)),
          byId,
          page
        ),
      show: ({ params }) => told(desk.approval_show(params)),
      // Its sessions go on by themselves: an answer that waited for them would take as long as they do.
      decide: ({ payload }) => told(desk.approval_decide({ ...payload, wait: false }))
    })
  })
)

const rules = HttpApiBuilder.group(
  Api,
  "rules",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({
      list: ({ query }) => paged(desk.rules_list(), ({ rule }) => rule.id, query),
      make: ({ payload }) => told(desk.rule_make(payload)),
      approve: ({ params, payload }) => told(desk.rule_approve({ ...params, ...payload })),
      revoke: ({ params, payload }) => told(desk.rule_revoke({ ...params, ...payload }))
    })
  })
)

const audit = HttpApiBuilder.group(
  Api,
  "audit",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({
      query: ({ query }) => told(Effect.map(desk.audit_query(query), (items) => ({ items }))),
      verify: () => told(desk.audit_verify()),
      keys: () => told(Effect.map(desk.audit_keys(), (items) => ({ items }))),
      alerts: ({ query }) => paged(desk.alerts_list(), (alert) => JSON.stringify(alert), query),
      export: ({ query }) =>
        // Whoever may not have it is told so before the stream begins.
        told(Effect.andThen(
          May.check("audit_export"),
          Effect.map(Effect.context<Asker.Asker>(), (context) =>
            desk.audit_export({ payloads: query.payloads !== "without" }).pipe(
              Stream.provideContext(context),
              Stream.encodeText,
              Stream.orDie
            ))
        ))
    })
  })
)

const cost = HttpApiBuilder.group(
  Api,
  "cost",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({ accounts: ({ query }) => paged(desk.cost_summary(), byId, query) })
  })
)

const schedules = HttpApiBuilder.group(
  Api,
  "schedules",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    const control =
      (action: "pause" | "resume" | "remove") => ({ params }: { readonly params: { readonly schedule: string } }) =>
        told(desk.schedule_control({ ...params, action }))
    return handlers.handleAll({
      list: ({ query }) => paged(desk.schedules_list(), byId, query),
      add: ({ payload }) => told(desk.schedule_add({ definition: payload })),
      pause: control("pause"),
      resume: control("resume"),
      remove: control("remove"),
      run: ({ params }) => told(desk.schedule_run(params)),
      history: ({ params, query: { limit = Page.standard } }) =>
        told(Effect.map(desk.schedule_history({ ...params, limit }), (items) => ({ items })))
    })
  })
)

const letters = HttpApiBuilder.group(
  Api,
  "deadLetters",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({
      list: ({ query: { open, ...page } }) => paged(desk.dead_letters_list({ open: open !== "all" }), byId, page),
      show: ({ params }) => told(desk.dead_letter(params)),
      replay: ({ params, payload }) => told(desk.dead_letter_decide({ ...params, ...payload, action: "replay" })),
      drop: ({ params, payload }) => told(desk.dead_letter_decide({ ...params, ...payload, action: "drop" }))
    })
  })
)

const unknowns = HttpApiBuilder.group(
  Api,
  "unknown",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({
      list: ({ query }) => paged(desk.unknown_list(), byId, query),
      settle: ({ payload }) =>
        told(Effect.as(desk.unknown_settle({ ...payload, wait: false }), { settled: payload.unknown }))
    })
  })
)

const callers = HttpApiBuilder.group(
  Api,
  "callers",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({
      self: () => told(desk.caller_self()),
      list: ({ query }) => paged(desk.callers_list(), byName, query),
      add: ({ payload }) => told(desk.caller_add({ definition: payload })),
      rotate: ({ params, payload }) => told(desk.caller_rotate({ ...params, ...payload })),
      revoke: ({ params, payload }) => told(desk.caller_revoke({ ...params, ...payload }))
    })
  })
)

const mcp = HttpApiBuilder.group(
  Api,
  "mcp",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({
      servers: ({ query }) => paged(desk.mcp_servers(), ({ server }) => server, query),
      tools: ({ query: { server, ...page } }) => paged(desk.mcp_tools({ server }), ({ tool }) => tool, page),
      approve: ({ payload }) => told(desk.mcp_approve(payload)),
      withdraw: ({ payload }) => told(Effect.as(desk.mcp_withdraw(payload), { withdrawn: payload.tool }))
    })
  })
)
