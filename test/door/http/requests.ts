/** Every operation of the API as a request, and what the requests are about: a session that waits, a schedule, a dead letter. */
import { Effect, Option } from "effect"
import { Digest, Log } from "../../../src/audit/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import { Store } from "../../../src/governor/index.ts"
import { Permits } from "../../../src/operator/index.ts"
import { DeadLetter, Dispatch, Schedule, Schedules } from "../../../src/session/index.ts"
import { ceiling } from "./world.ts"

/** What a request is about. */
export interface Target {
  readonly session: string
  readonly schedule: string
  readonly letter: string
  /** A name that nobody has had. */
  readonly fresh: string
  readonly caller: string
}
/** Which endpoint, and how it is asked. */
export type Request = readonly [endpoint: string, method: string, path: string, body?: unknown]

const hash = "0".repeat(64)
const holds = ceiling("tool:refund", "tool:look")
const input = { order: "o" }
const definition = (name: string, caller: string): Schedule.Definition => ({
  name: Schedule.Name.make(name),
  actor: "Clerk",
  input,
  grant: holds,
  caller,
  when: { kind: "at", instants: [4_000_000_000_000] },
  overlap: "skip",
  catchUp: "none",
  jitterMs: 0
})

/** Each operation as it is asked for by HTTP. */
const requests: { readonly [O in Permits.Operation]: (target: Target) => Request | ReadonlyArray<Request> } = {
  agents_list: () => ["agents.list", "GET", "/agents"],
  alerts_list: () => ["audit.alerts", "GET", "/audit/alerts"],
  approval_decide: () => [
    "approvals.decide",
    "POST",
    "/approvals/decide",
    { tickets: [{ id: "T0", binding: hash }], approve: true, reason: "" }
  ],
  approval_show: () => ["approvals.show", "GET", "/approvals/T0"],
  approvals_list: () => ["approvals.list", "GET", "/approvals"],
  audit_export: () => ["audit.export", "GET", "/audit/export"],
  audit_keys: () => ["audit.keys", "GET", "/audit/keys"],
  audit_query: () => ["audit.query", "GET", "/audit/rows?since=0"],
  audit_verify: () => ["audit.verify", "POST", "/audit/verify"],
  caller_add: ({ fresh }) => ["callers.add", "POST", "/callers", { name: fresh, role: "viewer", ceiling: holds }],
  caller_bind: ({ fresh }) => [
    "callers.bind",
    "POST",
    `/callers/${fresh}/bind`,
    { knownBy: { kind: "subject", issuer: "https://login.example", subject: fresh } }
  ],
  caller_revoke: ({ fresh }) => ["callers.revoke", "POST", `/callers/${fresh}/revoke`, { reason: "" }],
  caller_rotate: ({ fresh }) => ["callers.rotate", "POST", `/callers/${fresh}/rotate`, { overlapMs: 0 }],
  caller_self: () => ["callers.self", "GET", "/self"],
  callers_list: () => ["callers.list", "GET", "/callers"],
  cost_summary: () => ["cost.accounts", "GET", "/cost"],
  dead_letter: ({ letter }) => ["deadLetters.show", "GET", `/dead-letters/${letter}`],
  dead_letter_decide: ({ letter }) => [
    ["deadLetters.replay", "POST", `/dead-letters/${letter}/replay`, { reason: "" }],
    ["deadLetters.drop", "POST", `/dead-letters/${letter}/drop`, { reason: "" }]
  ],
  dead_letters_list: () => ["deadLetters.list", "GET", "/dead-letters"],
  endorsement_revoke: ({ session }) => [
    "endorsements.revoke",
    "POST",
    `/sessions/${session}/endorsements/${hash}/revoke`,
    { reason: "" }
  ],
  endorsements_list: () => ["endorsements.list", "GET", "/endorsements"],
  mcp_approve: () => [
    "mcp.approve",
    "POST",
    "/mcp/approve",
    { server: "files", tool: "write", definition: hash, reason: "" }
  ],
  mcp_servers: () => ["mcp.servers", "GET", "/mcp/servers"],
  mcp_tools: () => ["mcp.tools", "GET", "/mcp/tools?server=files"],
  mcp_withdraw: () => ["mcp.withdraw", "POST", "/mcp/withdraw", { server: "files", tool: "write", reason: "" }],
  policy_coverage: () => [
    ["policy.coverage", "GET", "/policy/coverage"],
    ["policy.compare", "POST", "/policy/coverage", { policy: { version: 1, rules: [] } }]
  ],
  proposals_get: ({ session }) => ["proposals.show", "GET", `/proposals/${session}`],
  proposals_list: () => ["proposals.list", "GET", "/proposals"],
  rule_approve: () => ["rules.approve", "POST", "/rules/R0/approve", { binding: hash, reason: "" }],
  rule_make: () => ["rules.make", "POST", "/rules", {
    terms: {
      actor: "Shop",
      act: "refund",
      capabilities: ["tool:refund"],
      where: [],
      definition: null,
      maxUses: 1,
      expiresAt: 4_000_000_000_000
    },
    reason: ""
  }],
  rule_revoke: () => ["rules.revoke", "POST", "/rules/R0/revoke", { reason: "" }],
  rules_list: () => ["rules.list", "GET", "/rules"],
  schedule_add: ({ caller, fresh }) => ["schedules.add", "POST", "/schedules", definition(fresh, caller)],
  schedule_control: ({ schedule }) => [
    ["schedules.pause", "POST", `/schedules/${schedule}/pause`],
    ["schedules.resume", "POST", `/schedules/${schedule}/resume`],
    ["schedules.remove", "POST", `/schedules/${schedule}/remove`]
  ],
  schedule_history: ({ schedule }) => ["schedules.history", "GET", `/schedules/${schedule}/history`],
  schedule_run: ({ schedule }) => ["schedules.run", "POST", `/schedules/${schedule}/run`],
  schedules_list: () => ["schedules.list", "GET", "/schedules"],
  session_control: ({ session }) => [
    ["sessions.pause", "POST", `/sessions/${session}/pause`, { reason: "" }],
    ["sessions.resume", "POST", `/sessions/${session}/resume`, { reason: "" }],
    ["sessions.cancel", "POST", `/sessions/${session}/cancel`, { reason: "" }]
  ],
  session_dispatch: () => ["sessions.dispatch", "POST", "/sessions", { actor: "Shop", input }],
  session_endorse: ({ session }) => ["sessions.endorse", "POST", `/sessions/${session}/endorse`, {
    terms: { value: "a@b", for: { tools: ["refund"] }, until: "2090-01-01T00:00Z" },
    reason: "known"
  }],
  session_fork: ({ session }) => ["sessions.fork", "POST", `/sessions/${session}/fork`, {}],
  session_result: ({ session }) => ["sessions.result", "GET", `/sessions/${session}/result`],
  session_revoke: ({ session }) => ["sessions.revoke", "POST", `/sessions/${session}/revoke`, { reason: "" }],
  session_rows: ({ session }) => ["sessions.rows", "GET", `/sessions/${session}/rows`],
  session_show: ({ session }) => ["sessions.status", "GET", `/sessions/${session}`],
  session_tape: ({ session }) => ["sessions.tape", "GET", `/sessions/${session}/tape`],
  sessions_list: () => ["sessions.list", "GET", "/sessions"],
  unknown_list: () => ["unknown.list", "GET", "/unknown"],
  unknown_settle: ({ session }) => [
    "unknown.settle",
    "POST",
    "/unknown/settle",
    { unknown: `${session}/3`, choice: "done", reason: "seen" }
  ]
}
/** All of them. */
export const operations = Object.keys(Permits.permits) as ReadonlyArray<Permits.Operation>
const isOne = (found: Request | ReadonlyArray<Request>): found is Request => typeof found[0] === "string"
/** One operation by each of its endpoints. */
export const requestsOf = (operation: Permits.Operation, target: Target): ReadonlyArray<Request> => {
  const found = requests[operation](target)
  return isOne(found) ? [found] : found
}

let count = 0
/** A session that waits for people (or has ended, where nobody is asked), with a schedule and a dead letter, all of one caller. */
export const make = Effect.fnUntraced(function*(caller: string) {
  const dispatch = yield* Dispatch.Dispatch
  const store = yield* Store.Store
  const log = yield* Log.Log
  const digest = yield* Digest.Digest
  const schedules = yield* Schedules.Schedules
  const n = ++count
  const session = Claims.SessionId.make(`ses_matrix${n}`)
  yield* dispatch.open({ session, actor: "Shop", input, grant: { names: ["tool:refund"], terms: holds }, caller })
  yield* Effect.repeat(log.session(session), { until: Option.exists(({ status }) => status !== "running") })
  const letter = DeadLetter.make(digest, {
    kind: "session",
    subject: session,
    session,
    reason: "it broke down",
    payload: null,
    at: n,
    attempts: 1
  })
  yield* store.commit({
    _tag: "Append",
    session,
    epoch: null,
    row: { key: null, body: DeadLetter.row(letter, "filed", "aosiq", "") },
    payloads: [],
    status: null,
    result: null,
    keep: [DeadLetter.keep(letter)]
  })
  const schedule = `s${n}`
  yield* schedules.add(definition(schedule, caller), caller)
  const target: Target = { session, schedule, letter: letter.id, fresh: `f${n}`, caller }
  return target
})

/** How long every chain is: what leaves no row did nothing. */
export const lengths = Effect.flatMap(
  Log.Log,
  (log) => Effect.map(log.sessions, (list) => list.map(({ id, seq }) => `${id} ${seq}`).toSorted().join())
)
