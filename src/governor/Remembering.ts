/**
 * The labels of memory. What a handler keeps is made of its arguments, of what its tool reads and of what it has read from
 * memory; the label says the lowest of these. What is to come back as trusted must be: it is held to the policy on labels
 * as an act with the sink `memory`, and kept as what it is where the policy asks for less.
 */
import { Clock, Effect, Option, Schema } from "effect"
import { type Log, Row } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import { Flow, Label, Trace } from "../trust/index.ts"
import type { Action } from "./Action.ts"
import type { Call, Named } from "./Call.ts"
import type * as Flowing from "./Flowing.ts"
import { type GovernorError, Refused } from "./Refusal.ts"
import type { Refusals } from "./Refusals.ts"
import { knowledgeOf, see, taint, wholeOf } from "./Session.ts"
import type { Found, Keeper, Wanted } from "./Staging.ts"
import type { Change, Store } from "./Store.ts"

/** What it stands on. */
export interface Parts {
  readonly store: Store["Service"]
  readonly log: Log.Log["Service"]
  readonly policy: Flow.Policy
  readonly flowing: Pick<ReturnType<typeof Flowing.make>, "known">
  readonly refusals: Refusals
}

type Keeping = Named & Pick<Action<never, never, never, never>, "trust" | "readers" | "sinks" | "reversible">

/** An act that is about to run, and how much its session had read by then. */
interface Acting {
  readonly action: Keeping
  readonly call: Call
  readonly start: number
}

/** Gives the keeper of an act that is about to run. */
export const make = ({ flowing, log, policy, refusals, store }: Parts) => {
  /** What the handler may know, with the labels of it. */
  const known = Effect.fnUntraced(function*({ action, call, start }: Acting, read: ReadonlyArray<Row.MemoryLabel>) {
    const { context, endorsed } = yield* flowing.known(action, call)
    // Whoever was asked has agreed to these arguments.
    const isAgreed = action.sinks?.includes("memory") === true && call.flow?.isAsked === true
    const given = Label.leaves(call.json).map((leaf) =>
      Trace.source({
        ...leaf,
        from: "its arguments",
        tool: action.name,
        integrity: isAgreed ? "trusted" : Trace.trace(context, leaf).integrity,
        isReference: false,
        readers: Trace.readersOf(context, leaf)
      })
    )
    const since = knowledgeOf(call.session).read.slice(start)
    const trusts = [
      Label.overall(action.trust),
      ...read.map(({ trust }) => trust),
      ...since.map(({ declared }) => Label.overall(declared)),
      ...given.map(({ integrity }) => integrity)
    ]
    const readers = [
      Label.everyReader(action.readers),
      ...read.map(({ readers = [] }) => readers),
      ...since.map(({ readers }) => Label.everyReader(readers))
    ]
    return { endorsed, given, full: Trace.contextOf(given, trusts.includes("untrusted"), Label.joined(readers)) }
  })

  const label = Effect.fnUntraced(function*(
    acting: Acting,
    { json, key, trust }: Wanted,
    read: ReadonlyArray<Row.MemoryLabel>
  ): Effect.fn.Return<Row.MemoryLabel, GovernorError> {
    const { action, call } = acting
    const { endorsed, full, given } = yield* known(acting, read)
    const all = Label.leaves(json)
    const readers = Label.joined([wholeOf(call.session), ...all.map((leaf) => Trace.readersOf(full, leaf))])
    const kept = readers.length === 0 ? {} : { readers }
    if (trust === "untrusted") return { trust, ...kept }
    const at = yield* Clock.currentTimeMillis
    const asked: Flow.Asked = { tool: action.name, sinks: ["memory"], args: { value: json }, at }
    // The rules were asked about the arguments of an act that remembers; another value is another question.
    const isAsked = action.sinks?.includes("memory") === true &&
      all.every(({ value }) => given.some((one) => one.value === value))
    const verdict = isAsked ? undefined : Flow.decide({ ...policy, endorsed }, asked, full)
    const act = { name: `${action.name}, memory:write@${key}` }
    if (verdict !== undefined && verdict.shadow.length > 0) {
      yield* refusals.violation(act, call, "policy", `in shadow: ${verdict.shadow.map(Flow.explain).join("; ")}`)
    }
    if (verdict !== undefined && verdict.decision !== "pass") {
      const detail = verdict.findings.map(Flow.explain).join("; ")
      yield* refusals.refuse(act, call, new Refused({ layer: "policy", detail, remedy }))
    }
    const strict: Flow.Policy = { version: 1, rules: [asItIs], endorsed }
    return { trust: Flow.decide(strict, asked, full).findings.length === 0 ? "trusted" : "untrusted", ...kept }
  })

  return (action: Keeping, call: Call): Keeper => {
    const acting = { action, call, start: knowledgeOf(call.session).read.length }
    return {
      label: (wanted, read) => Effect.mapError(label(acting, wanted, read), ({ message }) => message),
      lasting: (key) => lasting(store, log, key),
      note: ({ readers = [], trust }) => {
        see(call.session, readers, false)
        if (trust === "untrusted") taint(call.session)
      }
    }
  }
}

/** What a result is declared after its handler has read memory. */
export const lowered = (declared: Label.Declared, read: ReadonlyArray<Row.MemoryLabel>): Label.Declared =>
  read.some(({ trust }) => trust === "untrusted") ? "untrusted" : declared

/** For whom the fields of a result are after that; `undefined` where nothing is to be told of them. */
export const widened = (
  readership: Label.Readership | undefined,
  read: ReadonlyArray<Row.MemoryLabel>
): Label.ReadersByField | undefined => {
  const more = Label.joined(read.map(({ readers = [] }) => readers))
  if (!Label.isByField(readership)) return more.length === 0 ? undefined : { rest: more, fields: {} }
  const fields = Object.entries(readership.fields).map(([path, readers]) => [path, Label.joined([readers, more])])
  return { rest: Label.joined([readership.rest, more]), fields: Object.fromEntries(fields) }
}

/** The record by which what outlives a session is found: the row that says what it is. */
export const pointer = (key: string, version: number, row: Row.Row): Change => ({
  kind: "memory",
  id: key,
  version,
  next: { owner: "", state: "kept", at: row.at, value: { session: row.session, seq: row.seq } }
})

// internal

const asItIs: Flow.Rule = { name: "as it is", sinks: ["memory"], arguments: { "*": "trusted" } }

const remedy =
  "let its own tool remember it, which a person can be asked about; or keep it under a key that is a stranger's"

const decodePointer = Schema.decodeUnknownOption(Schema.Struct({ session: Claims.SessionId, seq: Schema.Natural }))

const lasting = Effect.fnUntraced(function*(
  store: Store["Service"],
  log: Log.Log["Service"],
  key: string
): Effect.fn.Return<Found | undefined, string> {
  const unanswered = () => "the log did not answer"
  const record = yield* Effect.mapError(store.record({ kind: "memory", id: key }), unanswered)
  const found = Option.getOrUndefined(decodePointer(record?.value))
  if (found === undefined) return undefined
  const [row] = yield* Effect.mapError(log.rows(found.session, found.seq, 1), unanswered)
  const kept = row?.body.kind === "outcome" ? row.body.lasting?.[key] : undefined
  if (kept === undefined) return yield* Effect.fail(`${Row.stamp(found)} does not say what it is`)
  const { hash, ...label } = kept
  return hash === null ? undefined : { hash, label }
})
