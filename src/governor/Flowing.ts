/**
 * The gate on labels: what a session knows is read back from its log, the arguments of an act are traced into it, and the
 * policy says whether they may go where the act takes them. What does not may wait for a person, or is refused by `policy`.
 * Such a refusal stands for its place in the run: a re-run is told the same, whatever was read since.
 *
 * What would be stopped is looked at once more with what people vouched for in this session meanwhile.
 */
import { Clock, Context, Effect, Option, Result, Schema } from "effect"
import { type Gate, Person } from "../approval/index.ts"
import type { Digest, Log, Row } from "../audit/index.ts"
import { Flow, Label, Trace } from "../trust/index.ts"
import type { Action } from "./Action.ts"
import { type Call, type Flowed, keyOf, type Named, unavailable } from "./Call.ts"
import type * as Mode from "./Mode.ts"
import { type GovernorError, Refused } from "./Refusal.ts"
import type { Refusals } from "./Refusals.ts"
import { knowledgeOf, type Known, type Read, refusedAt } from "./Session.ts"

/** The policy in force; read once, where the Governor is built. */
export const Current = Context.Reference<Flow.Policy>("aosiq/governor/Flowing/Current", {
  defaultValue: () => Flow.standard
})

/** The hash of a policy, as it stands in sessions and tickets. */
export const hashOf = (digest: Digest.Digest["Service"], policy: Flow.Policy): Digest.Hash =>
  digest.sha256(digest.canonical(Schema.encodeSync(Schema.toCodecJson(Flow.Policy))(policy)))

/** How the act is named by which a program vouches for a value; see `Endorse`. */
export const endorsing = "aosiq/endorse"

/** What the gate stands on. */
export interface Parts {
  readonly log: Log.Log["Service"]
  readonly digest: Digest.Digest["Service"]
  readonly policy: Flow.Policy
  readonly mode: Mode.Mode
  /** The people who may vouch for something are those who may approve. */
  readonly gate: Option.Option<Gate.Gate["Service"]>
  readonly refusals: Refusals
}

/** `look` says what the rules come to; `admit` also holds to it. */
export const make = ({ digest, gate, log, mode, policy, refusals }: Parts) => {
  /** A text of the log, if it is still what was recorded. */
  const text = (action: Named, hash: Digest.Hash) =>
    Effect.map(
      Effect.catch(log.payload(hash), (error) => unavailable(action, error, false)),
      Option.flatMap((text) => digest.sha256(text) === hash ? parsed(text) : Option.none())
    )

  /** What one result adds to what was known before it. */
  const sourcesOf = Effect.fnUntraced(function*(
    action: Named,
    { args, declared, result, stamp, tool }: Read,
    before: Trace.Context
  ): Effect.fn.Return<ReadonlyArray<Trace.Source>, GovernorError> {
    if (result === null || tool === endorsing) return []
    const json = yield* text(action, result)
    if (Option.isNone(json)) return []
    const sources = Trace.result({ from: stamp, tool, declared }, json.value)
    const asked = args === null || before.integrity !== "untrusted" ? Option.none() : yield* text(action, args)
    const echo = Option.isNone(asked) ? [] : Trace.strangeIn(before, asked.value)
    return echo.length === 0 ? sources : sources.map((source) => ({ ...source, echo }))
  })

  const startOf = Effect.fnUntraced(function*(action: Named, { input, isStrange }: Known) {
    const json = yield* text(action, input)
    const request = Option.isNone(json) ? [] : Trace.request(json.value, isStrange ? "untrusted" : "operator")
    return Trace.contextOf(request, isStrange)
  })

  /** What the session's own program vouched for among these. */
  const vouchedIn = (action: Named, read: ReadonlyArray<Read>) =>
    Effect.map(
      Effect.forEach(
        read.filter(({ tool }) => tool === endorsing),
        ({ result }) => result === null ? Effect.succeedNone : text(action, result)
      ),
      (all) => all.flatMap((json) => Option.toArray(Option.flatMap(json, Schema.decodeUnknownOption(Flow.Endorsement))))
    )

  /** What each run knew when it was last asked, and how its program vouched; what it reads since is added. */
  const asked = new WeakMap<ReadonlyArray<Read>, Asked>()

  const askedOf = Effect.fnUntraced(function*(action: Named, known: Known): Effect.fn.Return<Asked, GovernorError> {
    const last = asked.get(known.read)
    const fresh = known.read.slice(last?.count ?? 0)
    let context = last?.context ?? (yield* startOf(action, known))
    for (const read of fresh) {
      const sources = yield* sourcesOf(action, read, context)
      // What was erased taints as it did before, and vouches for nothing.
      const isErased = read.result !== null && sources.length === 0 && Label.overall(read.declared) === "untrusted"
      context = Trace.extended(context, sources, isErased)
    }
    const vouched = [...last?.vouched ?? [], ...(yield* vouchedIn(action, fresh))]
    const next = { context, count: (last?.count ?? 0) + fresh.length, vouched }
    asked.set(known.read, next)
    return known.isWithin ? { ...next, context: Trace.extended(context, [], true) } : next
  })

  /** What people had vouched for when each run was last asked, and from which row on to look for more. */
  const endorsements = new WeakMap<
    ReadonlyArray<Read>,
    { readonly rows: ReadonlyArray<Row.Row>; readonly next: number }
  >()

  /** What people vouched for while it runs: as many of them as must agree to an act, about the very same. */
  const vouchedBy = Effect.fnUntraced(function*(action: Named, { session }: Call, known: Known) {
    if (Option.isNone(gate)) return []
    const last = endorsements.get(known.read) ?? { rows: [], next: 0 }
    const fresh = yield* Effect.catch(log.rows(session.id, last.next), (error) => unavailable(action, error, false))
    const rows = [...last.rows, ...fresh.filter(({ body }) => body.kind === "endorsed")]
    endorsements.set(known.read, { rows, next: (fresh.at(-1)?.seq ?? last.next - 1) + 1 })
    const agreed = agreedIn(rows, session.caller, gate.value.policy)
    const all = yield* Effect.forEach(agreed, ({ by, terms }) =>
      Effect.map(
        text(action, terms),
        (json) => Option.map(Option.flatMap(json, decodeTerms), (terms) => ({ ...terms, name: by, by, reason: by }))
      ))
    return all.flatMap(Option.toArray)
  })

  const judge = Effect.fnUntraced(function*(action: Sinking, call: Call) {
    const sinks = sinksOf(action)
    if (sinks.length === 0 || Flow.rulesFor(policy, { tool: action.name, sinks }).length === 0) return passed
    const known = knowledgeOf(call.session)
    const { context, vouched } = yield* askedOf(action, known)
    const endorsed = [...policy.endorsed ?? [], ...vouched]
    const at = yield* Clock.currentTimeMillis
    const sinking = { tool: action.name, sinks, args: call.json, at }
    const verdict = Flow.decide({ ...policy, endorsed }, sinking, context)
    if (verdict.decision === "pass" && verdict.shadow.length === 0) return verdict
    const more = yield* vouchedBy(action, call, known)
    return more.length === 0 ? verdict : Flow.decide({ ...policy, endorsed: [...endorsed, ...more] }, sinking, context)
  })

  const look = (action: Sinking, call: Call): Effect.Effect<Flowed, GovernorError> =>
    Effect.map(judge(action, call), flowed)

  /** Holds to what the rules say, and keeps what a person must be asked. */
  const admit = Effect.fnUntraced(function*(action: Sinking, call: Call): Effect.fn.Return<void, GovernorError> {
    if (mode === "disabled") return
    const before = refusedAt(call.session, keyOf(call))
    if (before !== undefined && before.act === action.name && before.args === call.hash) {
      return yield* refusals.refuse(action, call, new Refused({ layer: "policy", detail: before.reason, remedy }))
    }
    const verdict = yield* judge(action, call)
    if (verdict.shadow.length > 0) {
      yield* refusals.violation(action, call, "policy", `in shadow: ${said(verdict.shadow)}`)
    }
    call.flow = flowed(verdict)
    if (verdict.decision !== "refuse") return
    const detail = said(verdict.findings)
    yield* refusals.refuse(action, call, new Refused({ layer: "policy", detail, remedy }))
  })

  return { admit, look }
}

/** What a definition says of its effects, and what follows from the rest of it. */
export const sinksOf = (
  { reversible, sinks = [] }: { readonly sinks?: ReadonlyArray<Flow.Sink> | undefined; readonly reversible: boolean }
): ReadonlyArray<Flow.Sink> => reversible ? sinks : [...new Set([...sinks, "irreversible" as const])]

/** The terms that as many people agreed to as the policy wants, none of them the one who asked where that may not be. */
export const agreedIn = (
  rows: ReadonlyArray<Row.Row>,
  caller: string,
  policy: Pick<Gate.Gate["Service"]["policy"], "approvers" | "requesterMayApprove">
): ReadonlyArray<{ readonly terms: Digest.Hash; readonly by: string }> => {
  const endorsed = rows.flatMap(({ body }) => body.kind === "endorsed" ? [body] : [])
  return [...Map.groupBy(endorsed, ({ terms }) => terms)].flatMap(([terms, all]) => {
    const people: Array<string> = []
    for (const { by } of all) {
      const isRequester = !policy.requesterMayApprove && Person.isSame(by, caller)
      if (!isRequester && !people.some((other) => Person.isSame(by, other))) people.push(by)
    }
    return people.length < policy.approvers ? [] : [{ terms, by: people.join(", ") }]
  })
}

// internal

const decodeTerms = Schema.decodeUnknownOption(Schema.toCodecJson(Flow.Terms))

/** How far a run was looked at. */
interface Asked {
  /** Results of it that were. */
  readonly count: number
  readonly context: Trace.Context
  /** What its own program vouched for in them. */
  readonly vouched: ReadonlyArray<Flow.Endorsement>
}

/** What is no JSON tells nothing. */
const parsed = (text: string): Option.Option<Schema.Json> =>
  Result.getSuccess(Result.try(() => JSON.parse(text) as Schema.Json))

type Sinking = Named & Pick<Action<never, never, never, never>, "sinks" | "reversible">

const passed: Flow.Verdict = { decision: "pass", findings: [], shadow: [] }

const flowed = ({ decision, findings }: Flow.Verdict): Flowed => ({
  isAsked: decision === "approve",
  provenance: findings.map(Flow.explain)
})

/** As many as a row can be read with. */
const maxSaid = 5
const said = (findings: ReadonlyArray<Flow.Finding>): string => {
  const more = findings.length - maxSaid
  return findings.slice(0, maxSaid).map(Flow.explain).join("; ") + (more > 0 ? `; and ${more} more` : "")
}

const remedy =
  "approve: have the rule ask a person instead; endorse: let an operator vouch for the value or its source; " +
  "narrow: ask with values of the request alone; isolate: leave it to a session that has not read a stranger's text"
