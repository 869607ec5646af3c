/** The endpoints, each by its operation: a request is turned into one call of the desk, and its answer into a page. */
import { Effect, Layer, Option, type Schema, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Digest } from "../../audit/index.ts"
import { type Asker, Desk, May, type Operations, Pages } from "../../operator/index.ts"
import { Streams } from "../Streams.ts"
import { StillIn } from "./Access.ts"
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
    endorsements,
    policy,
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

/** Whether the server is there, and can work. */
export const system = (ready: Effect.Effect<string | null>) =>
  HttpApiBuilder.group(Api, "system", (handlers) =>
    handlers.handleAll({
      health: () => Effect.succeed({ status: "up" }),
      ready: () =>
        Effect.map(ready, (detail) => detail === null ? { status: "ready" } : { status: "not_ready", detail })
    }))

// internal

/** What an operation came to, as the API says it. */
const told = <A, R>(self: Effect.Effect<A, Operations.OperationError, R>): Effect.Effect<A, Problem.Problem, R> =>
  Effect.mapError(self, Problem.of)

/** Pages of the lists of one group, behind cursors. */
const paging = Effect.map(Digest.Digest, (digest) => {
  /** A page that is read from the store, by the place of the last item before it. */
  const paged = <A, S extends Schema.Codec<unknown, Schema.Json>, E, R>(
    list: Schema.Json,
    place: S,
    { cursor, limit = Page.standard }: Page.Ask,
    read: (ask: Pages.Ask<S["Type"]>) => Effect.Effect<Pages.Page<A, S["Type"]>, E | Problem.Problem, R>
  ) => {
    const cursors = Page.cursors(digest, list, place)
    const after = cursor === undefined ? Option.some(undefined) : cursors.read(cursor)
    return Option.isNone(after)
      ? Effect.fail(nowhere)
      : Effect.map(read({ after: after.value, limit }), ({ items, next }) => ({
        items,
        next: next === null ? null : cursors.write(next)
      }))
  }
  /** A page of what an operation lists as a whole: for lists that do not grow with what sessions do. */
  const short = <A, R>(
    list: Schema.Json,
    self: Effect.Effect<ReadonlyArray<A>, Operations.OperationError, R>,
    placeOf: (item: A) => string,
    ask: Page.Ask
  ) =>
    paged(
      list,
      Page.Name,
      ask,
      (ask) =>
        Effect.flatMap(told(self), (items) =>
          Option.match(Page.cut(items, placeOf, ask), {
            onNone: () => Effect.fail(nowhere),
            onSome: (page) => Effect.succeed(page)
          }))
    )
  return { paged, short }
})

/** What of a query is about its page. */
const asked = (cursor: string | undefined, limit: number | undefined): Page.Ask => ({
  ...cursor === undefined ? {} : { cursor },
  ...limit === undefined ? {} : { limit }
})

const nowhere = new Problem.Malformed({ detail: "the cursor leads nowhere", remedy: "begin with the first page" })

const byId = ({ id }: { readonly id: string }) => id
const byName = ({ name }: { readonly name: string }) => name

const agents = HttpApiBuilder.group(
  Api,
  "agents",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    const { short } = yield* paging
    return handlers.handleAll({ list: ({ query }) => short("agents", desk.agents_list(), byName, query) })
  })
)

const sessions = HttpApiBuilder.group(
  Api,
  "sessions",
  Effect.fnUntraced(function*(handlers) {
    const held = Events.held(yield* Streams)
    const desk = yield* Desk.Desk
    const pages = yield* Pages.Pages
    const { paged } = yield* paging
    const control = (action: "cancel" | "pause" | "resume") =>
    (request: {
      readonly params: { readonly session: Operations.SessionView["id"] }
      readonly payload: { readonly reason: string }
    }) => told(desk.session_control({ ...request.params, ...request.payload, action }))
    return handlers.handleAll({
      list: ({ query: { cursor, limit, ...filters } }) =>
        paged(
          ["sessions", filters],
          Page.Session,
          asked(cursor, limit),
          (ask) => told(pages.sessions({ ...filters, ...ask }))
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
          Effect.andThen(desk.session_show(params), desk.session_rows({ ...params, from, limit: limit + 1 })),
          (rows) => ({ items: rows.slice(0, limit), next: rows.length > limit ? from + limit : null })
        )),
      tape: ({ params }) => told(desk.session_tape(params)),
      events: ({ headers, params }) => {
        const last = headers["last-event-id"]
        const events = Events.of(desk, params.session, last === undefined ? 0 : last + 1)
        // A session that is not there is answered before the stream begins. A stream that breaks off is resumed.
        return Effect.andThen(
          Effect.andThen(told(desk.session_show(params)), held),
          Effect.map(
            Effect.context<Asker.Asker | StillIn>(),
            (context) => Stream.orDie(Stream.provideContext(events, context))
          )
        )
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

const endorsements = HttpApiBuilder.group(
  Api,
  "endorsements",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    const { short } = yield* paging
    return handlers.handleAll({
      list: ({ query: { session, ...page } }) =>
        short(
          ["endorsements", session ?? null],
          desk.endorsements_list(session === undefined ? {} : { session }),
          (one) => `${one.session} ${one.terms}`,
          page
        ),
      revoke: ({ params, payload }) => told(desk.endorsement_revoke({ ...params, ...payload }))
    })
  })
)

const policy = HttpApiBuilder.group(
  Api,
  "policy",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    return handlers.handleAll({
      coverage: () => told(Effect.map(desk.policy_coverage({}), (items) => ({ items }))),
      compare: ({ payload }) => told(Effect.map(desk.policy_coverage(payload), (items) => ({ items })))
    })
  })
)

const proposals = HttpApiBuilder.group(
  Api,
  "proposals",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    const pages = yield* Pages.Pages
    const { paged } = yield* paging
    return handlers.handleAll({
      list: ({ query }) => paged("proposals", Page.Session, query, (ask) => told(pages.proposals(ask))),
      show: ({ params }) => told(Effect.map(desk.proposals_get(params), (items) => ({ items })))
    })
  })
)

const approvals = HttpApiBuilder.group(
  Api,
  "approvals",
  Effect.fnUntraced(function*(handlers) {
    const desk = yield* Desk.Desk
    const pages = yield* Pages.Pages
    const { paged } = yield* paging
    return handlers.handleAll({
      list: ({ query: { state, ...page } }) =>
        paged(
          ["approvals", state ?? null],
          Page.Instant,
          page,
          (ask) => told(pages.tickets({ ...ask, state }))
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
    const { short } = yield* paging
    return handlers.handleAll({
      list: ({ query }) => short("rules", desk.rules_list(), ({ rule }) => rule.id, query),
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
    const pages = yield* Pages.Pages
    const { paged, short } = yield* paging
    return handlers.handleAll({
      query: ({ query: { cursor, limit, ...filters } }) =>
        paged(
          ["rows", filters],
          Page.Row,
          asked(cursor, limit),
          (ask) => told(pages.rows({ ...filters, ...ask }))
        ),
      verify: () => told(desk.audit_verify()),
      keys: () => told(Effect.map(desk.audit_keys(), (items) => ({ items }))),
      alerts: ({ query }) => short("alerts", desk.alerts_list(), (alert) => JSON.stringify(alert), query),
      export: ({ query }) =>
        // Whoever may not have it is told so before the stream begins. One that was cut off has no last line.
        told(May.check("audit_export")).pipe(
          Effect.andThen(Effect.context<Asker.Asker | StillIn>()),
          Effect.map((context) =>
            desk.audit_export({ payloads: query.payloads !== "without" }).pipe(
              Stream.takeWhileEffect(() => Effect.flatMap(StillIn, ({ isIn }) => isIn)),
              Stream.provideContext(context),
              Stream.encodeText,
              Stream.orDie
            )
          )
        )
    })
  })
)

const cost = HttpApiBuilder.group(
  Api,
  "cost",
  Effect.fnUntraced(function*(handlers) {
    const pages = yield* Pages.Pages
    const { paged } = yield* paging
    return handlers.handleAll({
      accounts: ({ query }) => paged("accounts", Page.Name, query, (ask) => told(pages.accounts(ask)))
    })
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
    const { short } = yield* paging
    return handlers.handleAll({
      list: ({ query }) => short("schedules", desk.schedules_list(), byId, query),
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
    const pages = yield* Pages.Pages
    const { paged } = yield* paging
    return handlers.handleAll({
      list: ({ query: { open, ...page } }) =>
        paged(
          ["letters", open ?? null],
          Page.Instant,
          page,
          (ask) => told(pages.letters({ ...ask, isOpen: open !== "all" }))
        ),
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
    const { short } = yield* paging
    return handlers.handleAll({
      list: ({ query }) => short("unknown", desk.unknown_list(), byId, query),
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
    const { short } = yield* paging
    return handlers.handleAll({
      self: () => told(desk.caller_self()),
      list: ({ query }) => short("callers", desk.callers_list(), byName, query),
      add: ({ payload: { knownBy, ...definition } }) =>
        told(desk.caller_add({ definition, ...knownBy === undefined ? {} : { knownBy } })),
      bind: ({ params, payload }) => told(desk.caller_bind({ ...params, ...payload })),
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
    const { short } = yield* paging
    return handlers.handleAll({
      servers: ({ query }) => short("servers", desk.mcp_servers(), ({ server }) => server, query),
      tools: ({ query: { server, ...page } }) =>
        short(["tools", server], desk.mcp_tools({ server }), ({ tool }) => tool, page),
      approve: ({ payload }) => told(desk.mcp_approve(payload)),
      withdraw: ({ payload }) => told(Effect.as(desk.mcp_withdraw(payload), { withdrawn: payload.tool }))
    })
  })
)
