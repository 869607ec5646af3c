/**
 * The HTTP API, as one definition: the server, the typed client and the OpenAPI document are made of it. Each endpoint is
 * one operation. Instants are epoch milliseconds, money micro-dollars.
 */
import { flow, Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Rule, Ticket } from "../../approval/index.ts"
import { Alerts, Digest, Finding, Log, Row } from "../../audit/index.ts"
import { Capability } from "../../capability/index.ts"
import { McpViews } from "../../mcp/index.ts"
import { Asker, Operations } from "../../operator/index.ts"
import { Caller, DeadLetter, Endorsements, Firing, KnownBy, Schedule, Unknowns } from "../../session/index.ts"
import { Flow } from "../../trust/index.ts"
import * as Name from "../Name.ts"
import { Access, Once, ToldOnce } from "./Access.ts"
import * as Described from "./Described.ts"
import * as Examples from "./Examples.ts"
import * as Page from "./Page.ts"

const name = Name.Name
const session = Name.Session
const reason = Schema.String.check(Schema.isMaxLength(2000))

/** The same key of the same caller is the same request: it is carried out once, and answered the same. */
const headers = { "idempotency-key": Schema.optionalKey(name) }

const get = HttpApiEndpoint.get
const paged = <S extends Schema.Constraint>(item: S) => ({ query: Page.query, success: Page.of(item) })

const system = HttpApiGroup.make("system").add(
  get("health", "/health", { success: Schema.Struct({ status: Schema.Literal("up") }) }),
  get("ready", "/ready", {
    success: [
      Schema.Struct({ status: Schema.Literal("ready") }),
      Schema.Struct({ status: Schema.Literal("not_ready"), detail: Schema.String }).pipe(HttpApiSchema.status(503))
    ]
  })
).annotateMerge(OpenApi.annotations({ description: "Whether the server is there, and whether it can work" }))

const agents = HttpApiGroup.make("agents").add(
  get("list", "/agents", paged(Operations.AgentView))
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "The actors that can be dispatched" }))

/** How long a stream of events says nothing at the most, ms: then comes a `beat`, for whoever passes it on or waits. */
export const beatMs = 15_000

/** What an event of a session says: a row, in order and without a gap; that nothing happened; or its end. */
export const Event = Schema.Union([
  Schema.Struct({ id: Schema.String, event: Schema.Literal("row"), data: Schema.fromJsonString(Row.Row) }),
  Schema.Struct({ event: Schema.Literal("beat"), data: Schema.String }),
  Schema.Struct({
    event: Schema.Literal("end"),
    data: Schema.fromJsonString(Schema.Struct({ status: Log.Status }))
  })
])
export type Event = typeof Event.Type

const control = <const Id extends "cancel" | "pause" | "resume" | "revoke">(id: Id) =>
  HttpApiEndpoint.post(id, `/sessions/:session/${id}`, {
    params: { session },
    headers,
    payload: Schema.Struct({ reason }),
    success: Operations.SessionView
  }).middleware(Once)

const sessions = HttpApiGroup.make("sessions").add(
  get("list", "/sessions", {
    query: {
      ...Page.query,
      status: Schema.optionalKey(Log.Status),
      caller: Schema.optionalKey(name),
      actor: Schema.optionalKey(name),
      since: Schema.optionalKey(Schema.Natural)
    },
    success: Page.of(Operations.SessionView)
  }),
  HttpApiEndpoint.post("dispatch", "/sessions", {
    headers,
    payload: Schema.Struct({
      actor: name,
      input: Schema.Json,
      capabilities: Schema.optionalKey(Schema.Array(Capability.Name)),
      budgetMicroUsd: Schema.optionalKey(Schema.Natural),
      lifetimeSeconds: Schema.optionalKey(Schema.Natural)
    }),
    success: Operations.SessionView.pipe(HttpApiSchema.status(201))
  }).middleware(Once),
  get("status", "/sessions/:session", { params: { session }, success: Operations.SessionView }),
  get("result", "/sessions/:session/result", {
    params: { session },
    success: Schema.Struct({ result: Schema.NullOr(Schema.Json) })
  }),
  get("rows", "/sessions/:session/rows", {
    params: { session },
    query: { from: Schema.optionalKey(Schema.Natural), limit: Page.query.limit },
    success: Schema.Struct({ items: Schema.Array(Row.Row), next: Schema.NullOr(Schema.Natural) })
  }),
  get("tape", "/sessions/:session/tape", {
    params: { session },
    success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/jsonl" }))
  }),
  get("events", "/sessions/:session/events", {
    params: { session },
    headers: { "last-event-id": Schema.optionalKey(Schema.Natural) },
    success: HttpApiSchema.StreamSse({ events: Event })
  }),
  HttpApiEndpoint.post("endorse", "/sessions/:session/endorse", {
    params: { session },
    headers,
    payload: Schema.Struct({ terms: Flow.Terms, reason }),
    success: Schema.Struct({ session, terms: Digest.Hash, holds: Schema.Boolean })
  }).middleware(Once),
  HttpApiEndpoint.post("fork", "/sessions/:session/fork", {
    params: { session },
    headers,
    payload: Schema.Struct(Operations.forkTerms),
    success: Operations.SessionView.pipe(HttpApiSchema.status(201))
  }).middleware(Once),
  control("cancel"),
  control("pause"),
  control("resume"),
  control("revoke")
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "Sessions: dispatch, look, stop, let go on" }))

const endorsements = HttpApiGroup.make("endorsements").add(
  get("list", "/endorsements", {
    query: { ...Page.query, session: Schema.optionalKey(session) },
    success: Page.of(Endorsements.View)
  }),
  HttpApiEndpoint.post("revoke", "/sessions/:session/endorsements/:terms/revoke", {
    params: { session, terms: Digest.Hash },
    headers,
    payload: Schema.Struct({ reason }),
    success: Endorsements.View
  }).middleware(Once)
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "What people vouch for in sessions" }))

const covered = Schema.Struct({ items: Schema.Array(Operations.CoverageView) })
const policy = HttpApiGroup.make("policy").add(
  get("coverage", "/policy/coverage", { success: covered }),
  HttpApiEndpoint.post("compare", "/policy/coverage", {
    headers,
    payload: Schema.Struct({ policy: Flow.Policy }),
    success: covered
  }).middleware(Once)
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "The policy on labels in force" }))

const proposals = HttpApiGroup.make("proposals").add(
  get("list", "/proposals", paged(Operations.ProposalSummary)),
  get("show", "/proposals/:session", {
    params: { session },
    success: Schema.Struct({ items: Schema.Array(Operations.ProposalView) })
  })
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "What agents ended with, for people" }))

const approvals = HttpApiGroup.make("approvals").add(
  get("list", "/approvals", {
    query: { ...Page.query, state: Schema.optionalKey(Ticket.State) },
    success: Page.of(Ticket.Ticket)
  }),
  get("show", "/approvals/:ticket", { params: { ticket: name }, success: Operations.TicketView }),
  HttpApiEndpoint.post("decide", "/approvals/decide", {
    headers,
    payload: Schema.Struct({
      /** Each with the binding under which it was shown. */
      tickets: Schema.NonEmptyArray(Schema.Struct({ id: name, binding: Digest.Hash })).check(Schema.isMaxLength(1000)),
      approve: Schema.Boolean,
      reason
    }),
    success: Schema.Struct({
      decided: Operations.DecisionsView.fields.decided,
      undecided: Operations.DecisionsView.fields.undecided
    })
  }).middleware(Once)
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "Acts that wait for people" }))

const rules = HttpApiGroup.make("rules").add(
  get("list", "/rules", paged(Operations.RuleView)),
  HttpApiEndpoint.post("make", "/rules", {
    headers,
    payload: Schema.Struct({ terms: Rule.Terms, reason }),
    success: Rule.Rule.pipe(HttpApiSchema.status(201))
  }).middleware(Once),
  HttpApiEndpoint.post("approve", "/rules/:rule/approve", {
    params: { rule: name },
    headers,
    payload: Schema.Struct({ binding: Digest.Hash, reason }),
    success: Rule.Rule
  }).middleware(Once),
  HttpApiEndpoint.post("revoke", "/rules/:rule/revoke", {
    params: { rule: name },
    headers,
    payload: Schema.Struct({ reason }),
    success: Rule.Rule
  }).middleware(Once)
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "Approvals in advance" }))

const audit = HttpApiGroup.make("audit").add(
  get("query", "/audit/rows", {
    query: {
      since: Schema.Natural,
      session: Schema.optionalKey(session),
      caller: Schema.optionalKey(name),
      kind: Schema.optionalKey(name),
      cursor: Page.query.cursor,
      limit: Schema.optionalKey(Schema.Natural.check(Schema.isBetween({ minimum: 1, maximum: Operations.maxRows })))
    },
    success: Page.of(Row.Row)
  }),
  HttpApiEndpoint.post("verify", "/audit/verify", { headers, success: Finding.Report }).middleware(Once),
  get("keys", "/audit/keys", { success: Schema.Struct({ items: Schema.Array(Schema.String) }) }),
  get("alerts", "/audit/alerts", paged(Alerts.Alert)),
  get("export", "/audit/export", {
    query: { payloads: Schema.optionalKey(Schema.Literals(["with", "without"])) },
    success: HttpApiSchema.StreamUint8Array({ contentType: "application/jsonl" })
  })
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "The log, and what proves it" }))

const cost = HttpApiGroup.make("cost").add(
  get("accounts", "/cost", paged(Operations.AccountView))
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "What was spent, and on whose account" }))

const schedule = { params: { schedule: name }, headers }
const schedules = HttpApiGroup.make("schedules").add(
  get("list", "/schedules", paged(Schedule.Schedule)),
  HttpApiEndpoint.post("add", "/schedules", {
    headers,
    payload: Schedule.Definition,
    success: Schedule.Schedule.pipe(HttpApiSchema.status(201))
  }).middleware(Once),
  HttpApiEndpoint.post("pause", "/schedules/:schedule/pause", { ...schedule, success: Schedule.Schedule })
    .middleware(Once),
  HttpApiEndpoint.post("resume", "/schedules/:schedule/resume", { ...schedule, success: Schedule.Schedule })
    .middleware(Once),
  HttpApiEndpoint.post("remove", "/schedules/:schedule/remove", { ...schedule, success: Schedule.Schedule })
    .middleware(Once),
  HttpApiEndpoint.post("run", "/schedules/:schedule/run", { ...schedule, success: Firing.Firing }).middleware(Once),
  get("history", "/schedules/:schedule/history", {
    params: { schedule: name },
    query: { limit: Page.query.limit },
    success: Schema.Struct({ items: Schema.Array(Operations.FiringView) })
  })
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "What starts sessions by itself" }))

const decide = <const Id extends "replay" | "drop">(id: Id) =>
  HttpApiEndpoint.post(id, `/dead-letters/:letter/${id}`, {
    params: { letter: name },
    headers,
    payload: Schema.Struct({ reason }),
    success: DeadLetter.DeadLetter
  }).middleware(Once)
const letters = HttpApiGroup.make("deadLetters").add(
  get("list", "/dead-letters", {
    query: { ...Page.query, open: Schema.optionalKey(Schema.Literals(["only", "all"])) },
    success: Page.of(DeadLetter.DeadLetter)
  }),
  get("show", "/dead-letters/:letter", { params: { letter: name }, success: DeadLetter.DeadLetter }),
  decide("replay"),
  decide("drop")
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "What could not be processed" }))

const unknowns = HttpApiGroup.make("unknown").add(
  get("list", "/unknown", paged(Unknowns.UnknownOutcome)),
  HttpApiEndpoint.post("settle", "/unknown/settle", {
    headers,
    payload: Schema.Struct({
      /** Stamp of the intent. */
      unknown: name,
      choice: Schema.Literals(["retry", "done", "not_done"]),
      reason: Schema.NonEmptyString.check(Schema.isMaxLength(2000)),
      result: Schema.optionalKey(Schema.Json),
      costMicroUsd: Schema.optionalKey(Schema.Natural)
    }),
    success: Schema.Struct({ settled: name })
  }).middleware(Once)
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "Acts that may have taken effect" }))

const callers = HttpApiGroup.make("callers").add(
  get("self", "/self", { success: Asker.Identity }),
  get("list", "/callers", paged(Operations.CallerView)),
  HttpApiEndpoint.post("add", "/callers", {
    headers,
    payload: Schema.Struct({ ...Caller.Definition.fields, knownBy: Schema.optionalKey(KnownBy.KnownBy) }),
    success: Operations.GivenView.pipe(HttpApiSchema.status(201))
  }).middleware(ToldOnce),
  HttpApiEndpoint.post("bind", "/callers/:caller/bind", {
    params: { caller: name },
    headers,
    payload: Schema.Struct({ knownBy: KnownBy.KnownBy }),
    success: Operations.CallerView
  }).middleware(Once),
  HttpApiEndpoint.post("rotate", "/callers/:caller/rotate", {
    params: { caller: name },
    headers,
    payload: Schema.Struct({ overlapMs: Schema.Natural }),
    success: Operations.GivenView
  }).middleware(ToldOnce),
  HttpApiEndpoint.post("revoke", "/callers/:caller/revoke", {
    params: { caller: name },
    headers,
    payload: Schema.Struct({ credential: Schema.optionalKey(name), reason }),
    success: Operations.CallerView
  }).middleware(Once)
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "Who is let in" }))

const tool = { server: name, tool: name, reason }
const mcp = HttpApiGroup.make("mcp").add(
  get("servers", "/mcp/servers", paged(McpViews.ServerView)),
  get("tools", "/mcp/tools", { query: { ...Page.query, server: name }, success: Page.of(McpViews.ToolView) }),
  HttpApiEndpoint.post("approve", "/mcp/approve", {
    headers,
    payload: Schema.Struct({ ...tool, definition: Digest.Hash }),
    success: McpViews.ToolView
  }).middleware(Once),
  HttpApiEndpoint.post("withdraw", "/mcp/withdraw", {
    headers,
    payload: Schema.Struct(tool),
    success: Schema.Struct({ withdrawn: name })
  }).middleware(Once)
).middleware(Access).annotateMerge(OpenApi.annotations({ description: "Tools of MCP servers" }))

/** What of it is answered where nothing else of it is. */
export class Standing extends HttpApi.make("aosiq").add(system).prefix("/v1") {}

/** The definition. */
export class Api extends HttpApi.make("aosiq")
  .add(system, agents, sessions, endorsements, policy, proposals, approvals, rules, audit, cost, schedules, letters)
  .add(unknowns, callers, mcp)
  .prefix("/v1")
  .annotateMerge(OpenApi.annotations({
    title: "AOSIQ",
    version: "1",
    description: "A governed runtime for agents and jobs.",
    transform: flow(Described.within, Examples.within)
  }))
{}
