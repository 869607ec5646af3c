/**
 * The operations of a runtime elsewhere, over the typed client, in the name of a token's caller: what stands in for the desk
 * where the data is not. Lists are whole and in the desk's order; a decision whose sessions are waited for is followed in
 * their rows, for the API answers before they go on. What a run that failed had come to stays there: `partial` is `null`.
 */
import { Effect, Option, Schema, Stream } from "effect"
import { Ticket } from "../../approval/index.ts"
import { Claims } from "../../capability/index.ts"
import { type Desk, Operations } from "../../operator/index.ts"
import type { Client } from "./Client.ts"
import { max } from "./Page.ts"
import * as Problem from "./Problem.ts"
import * as Standing from "./Standing.ts"

/** The request did not get there, its caller was not let in, or the answer makes no sense here. */
export class RemoteError extends Schema.TaggedError<RemoteError>()("RemoteError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** How an operation elsewhere fails. */
export type Failure = Operations.OperationError | RemoteError

/** The operations, each by its endpoint. */
export const make = (client: Client): Desk.Shape<Failure, never> => ({
  ...looking(client),
  ...running(client),
  ...deciding(client),
  ...admitting(client)
})

/** How the server stands. */
export const ready = (client: Client) => told(client.system.ready({}))

/** A failure of the client, as the desk says it, or why there is no answer. */
export const failed = (error: unknown): Failure => {
  if (error instanceof Problem.TooMany) return remote(error.detail ?? "asked too often", error.remedy ?? "")
  if (error instanceof Problem.Unauthenticated) {
    return remote(
      error.detail ?? "who asks is not known",
      "give the token of a caller: in AOSIQ_TOKEN, or in a file with --token-file"
    )
  }
  if (error instanceof Problem.Malformed) {
    const places = (error.errors ?? []).map(({ message, path }) => `${path.join("/")}: ${message}`)
    const detail = [error.detail ?? "the request is malformed", ...places].join("; ")
    return new Operations.OperationError({ kind: "invalid", detail, remedy: error.remedy ?? "" })
  }
  for (const [type, kind] of kinds) {
    if (error instanceof type) {
      const { detail, remedy, title } = error
      return new Operations.OperationError({ kind, detail: detail ?? title, remedy: remedy ?? "" })
    }
  }
  return unanswered(error)
}

// internal

type Remote = Desk.Shape<Failure, never>

/** Sessions that are followed at the same time. */
const maxFollowed = 4

const kinds = [
  [Problem.Refused, "refused"],
  [Problem.Missing, "not_found"],
  [Problem.Conflict, "conflict"],
  [Problem.Invalid, "invalid"],
  [Problem.Unavailable, "unavailable"]
] as const

const remote = (detail: string, remedy: string) => new RemoteError({ detail, remedy })

const unanswered = (error: unknown): RemoteError => {
  const { reason } = { reason: undefined, ...error as { readonly reason?: { readonly _tag?: string } } } // Any error.
  return reason?._tag === "TransportError"
    ? remote("the server does not answer", "see that `aosiq serve` runs there, and that the URL is its own")
    : remote(
      "the server's answer is none of this API",
      "see that the URL is that of `aosiq serve`, of the version of this program"
    )
}

const told = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, Failure, R> => Effect.mapError(self, failed)

interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly next: string | null
}

/** Every page of a list, one after the other. */
const whole = <A, E>(
  ask: (page: { readonly cursor?: string; readonly limit: number }) => Effect.Effect<Page<A>, E>
): Effect.Effect<ReadonlyArray<A>, Failure> =>
  Stream.paginate(
    "",
    (cursor) =>
      Effect.map(
        ask({ ...cursor === "" ? {} : { cursor }, limit: max }),
        ({ items, next }) => [items, Option.fromNullOr(next)] as const
      )
  ).pipe(Stream.runCollect, told)

const items = <A, E>(self: Effect.Effect<{ readonly items: ReadonlyArray<A> }, E>) =>
  told(Effect.map(self, ({ items }) => items))

const looking = (client: Client) => {
  const session_show: Remote["session_show"] = (params) => told(client.sessions.status({ params }))
  return {
    agents_list: () => whole((query) => client.agents.list({ query })),
    alerts_list: () => whole((query) => client.audit.alerts({ query })),
    approval_show: ({ ticket }) => told(client.approvals.show({ params: { ticket } })),
    approvals_list: ({ limit, newest = false, state, within }) =>
      Effect.map(
        whole((query) => client.approvals.list({ query: { ...query, ...state && { state } } })),
        (all) =>
          (newest ? all.toReversed() : all)
            .filter(({ session }) => within === undefined || `${session}.`.startsWith(`${within}.`)).slice(0, limit)
      ),
    audit_export: ({ payloads }) =>
      Stream.unwrap(client.audit.export({ query: { payloads: payloads ? "with" : "without" } })).pipe(
        Stream.decodeText,
        Stream.splitLines,
        Stream.map((line) => `${line}\n`),
        Stream.mapError(failed)
      ),
    audit_keys: () => items(client.audit.keys({})),
    audit_query: (query) => items(client.audit.query({ query })),
    audit_verify: () => told(client.audit.verify({ headers: {} })),
    caller_self: () => told(client.callers.self({})),
    cost_summary: () => whole((query) => client.cost.accounts({ query })),
    endorsements_list: (which) => whole((query) => client.endorsements.list({ query: { ...query, ...which } })),
    policy_coverage: ({ policy }) =>
      items(
        policy === undefined ? client.policy.coverage({}) : client.policy.compare({ headers: {}, payload: { policy } })
      ),
    dead_letter: ({ letter }) => told(client.deadLetters.show({ params: { letter } })),
    dead_letters_list: ({ open }) =>
      whole((query) => client.deadLetters.list({ query: { ...query, open: open ? "only" : "all" } })),
    mcp_servers: () => whole((query) => client.mcp.servers({ query })),
    mcp_tools: ({ server }) => whole((query) => client.mcp.tools({ query: { ...query, server } })),
    proposals_get: ({ session }) => items(client.proposals.show({ params: { session } })),
    proposals_list: ({ latest }) =>
      Effect.map(whole((query) => client.proposals.list({ query })), (all) => all.slice(0, latest)),
    rules_list: () => whole((query) => client.rules.list({ query })),
    schedule_history: ({ limit, schedule }) =>
      items(client.schedules.history({ params: { schedule }, query: { limit: Math.min(limit, max) } })),
    schedules_list: () => whole((query) => client.schedules.list({ query })),
    session_result: ({ session }) =>
      told(Effect.map(client.sessions.result({ params: { session } }), ({ result }) => result)),
    session_rows: ({ from = 0, limit = Infinity, session }) =>
      Stream.paginate(from, (from) =>
        Effect.map(
          client.sessions.rows({ params: { session }, query: { from, limit: Math.min(limit, max) } }),
          ({ items, next }) => [items, Option.fromNullOr(next)] as const
        )).pipe(Stream.take(limit), Stream.runCollect, told),
    session_show,
    session_tape: (params) => told(client.sessions.tape({ params })),
    // The API lists the latest first.
    sessions_list: ({ latest, ...since }) =>
      Effect.map(
        whole((query) => client.sessions.list({ query: { ...query, ...since } })),
        (list) => list.slice(0, latest).toReversed()
      ),
    unknown_list: () => whole((query) => client.unknown.list({ query }))
  } satisfies Partial<Remote>
}

const running = (client: Client) =>
  ({
    dead_letter_decide: ({ action, letter, reason }) =>
      told(client.deadLetters[action]({ params: { letter }, headers: {}, payload: { reason } })),
    schedule_add: ({ definition }) => told(client.schedules.add({ headers: {}, payload: definition })),
    schedule_control: ({ action, schedule }) => told(client.schedules[action]({ params: { schedule }, headers: {} })),
    schedule_run: ({ schedule }) => told(client.schedules.run({ params: { schedule }, headers: {} })),
    session_control: ({ action, reason, session }) =>
      told(client.sessions[action]({ params: { session }, headers: {}, payload: { reason } })),
    session_dispatch: ({ key, ...payload }) =>
      told(client.sessions.dispatch({ headers: key === undefined ? {} : { "idempotency-key": key }, payload })),
    session_fork: ({ key, session, ...payload }) =>
      told(client.sessions.fork({
        params: { session },
        headers: key === undefined ? {} : { "idempotency-key": key },
        payload
      })),
    session_revoke: ({ reason, session }) =>
      told(client.sessions.revoke({ params: { session }, headers: {}, payload: { reason } }))
  }) satisfies Partial<Remote>

const deciding = (client: Client) => {
  const { following, lengthOf } = Standing.make(client)
  return {
    approval_decide: ({ wait = true, ...payload }) =>
      told(Effect.gen(function*() {
        // One that is not there is answered with the decision.
        const found = yield* Effect.forEach(wait ? payload.tickets : [], ({ id }) =>
          Effect.catchTag(client.approvals.show({ params: { ticket: id } }), "Missing", () =>
            Effect.succeed(null)))
        const sessions = found.flatMap((one) =>
          one === null ? [] : [Ticket.rootOf(one.ticket.session)]
        )
        const roots = [...new Set(sessions)].map((root) => Claims.SessionId.make(root))
        const before = new Map(yield* Effect.forEach(roots, lengthOf))
        const answer = yield* client.approvals.decide({ headers: {}, payload })
        const due = new Set(
          answer.decided.flatMap(({ session, state }) => state === "proposed" ? [] : [Ticket.rootOf(session)])
        )
        const runs = yield* Effect.forEach(
          [...before].filter(([root]) => due.has(root)),
          ([root, from]) => following(root, from),
          { concurrency: maxFollowed }
        )
        return { ...answer, runs, stalled: [] }
      })),
    endorsement_revoke: ({ reason, session, terms }) =>
      told(client.endorsements.revoke({ params: { session, terms }, headers: {}, payload: { reason } })),
    rule_approve: ({ rule, ...payload }) => told(client.rules.approve({ params: { rule }, headers: {}, payload })),
    rule_make: (payload) => told(client.rules.make({ headers: {}, payload })),
    rule_revoke: ({ reason, rule }) =>
      told(client.rules.revoke({ params: { rule }, headers: {}, payload: { reason } })),
    session_endorse: ({ session, wait = true, ...payload }) =>
      told(Effect.gen(function*() {
        const before = yield* client.sessions.status({ params: { session } })
        const done = yield* client.sessions.endorse({ params: { session }, headers: {}, payload })
        const isDue = wait && done.holds && before.status === "waiting"
        return { ...done, run: isDue ? yield* following(session, before.rows) : null }
      })),
    unknown_settle: ({ wait = true, ...payload }) =>
      told(Effect.gen(function*() {
        const root = Claims.SessionId.make(Ticket.rootOf(payload.unknown.slice(0, payload.unknown.lastIndexOf("/"))))
        const before = yield* client.sessions.status({ params: { session: root } })
        yield* client.unknown.settle({ headers: {}, payload })
        return wait && before.status === "waiting" ? yield* following(root, before.rows) : null
      }))
  } satisfies Partial<Remote>
}

const admitting = (client: Client) =>
  ({
    caller_add: ({ definition, ...shown }) =>
      told(client.callers.add({ headers: {}, payload: { ...definition, ...shown } })),
    caller_bind: ({ caller, ...payload }) => told(client.callers.bind({ params: { caller }, headers: {}, payload })),
    caller_revoke: ({ caller, ...payload }) =>
      told(client.callers.revoke({ params: { caller }, headers: {}, payload })),
    caller_rotate: ({ caller, ...payload }) =>
      told(client.callers.rotate({ params: { caller }, headers: {}, payload })),
    callers_list: () => whole((query) => client.callers.list({ query })),
    mcp_approve: (payload) => told(client.mcp.approve({ headers: {}, payload })),
    mcp_withdraw: (payload) => Effect.asVoid(told(client.mcp.withdraw({ headers: {}, payload })))
  }) satisfies Partial<Remote>
