/**
 * What people do about acts whose outcome was lost: see which may have taken effect, find out, and say what became of
 * them. A decision about an attempt counts once; it settles the attempt's money, ends its ticket, and lets its session go
 * on.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Gate, Person } from "../approval/index.ts"
import { Digest, Log, type Row } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import { Lost, Received, Store } from "../governor/index.ts"
import { Tool } from "../tool/index.ts"
import { Redact } from "../trust/index.ts"

/** An act that may have taken effect, or not. Instants are epoch milliseconds, money micro-dollars. */
export const UnknownOutcome = Schema.Struct({
  /** Stamp of its intent: how it is named. */
  id: Schema.String,
  session: Claims.SessionId,
  act: Schema.String,
  /** Its arguments, secrets redacted; a preview of them when they were erased. */
  args: Schema.String,
  /** When it began. */
  begunAt: Schema.Natural,
  /** Since when its outcome is known to be lost. */
  since: Schema.Natural,
  /** What is known of how it ended. */
  detail: Schema.String,
  ticket: Schema.NullOr(Schema.String),
  /** By which the other side may know it. */
  idempotencyKey: Schema.String,
  /** What is held for it. */
  reservedMicroUsd: Schema.Natural,
  /** What can be undone is done again by itself when its session goes on; nobody has to decide. */
  reversible: Schema.Boolean
})
export type UnknownOutcome = typeof UnknownOutcome.Type

/** One person's word on it. */
export interface Settlement {
  /** Stamp of the intent. */
  readonly unknown: string
  readonly choice: "retry" | "done" | "not_done"
  readonly by: string
  readonly reason: string
  /** With `done`: what the act answered, as the tool's own schema has it. */
  readonly result?: Schema.Json | undefined
  /** What the attempt cost; unless given, nothing when it was not done, and else all that is held for it. */
  readonly costMicroUsd?: number | undefined
}

/** A session that a decision lets go on: the message that the decision left, to be told at once. */
export interface Due {
  readonly session: Claims.SessionId
  readonly reason: string
}

/** There is no such act, or its outcome is not open (any more). Nothing was changed. */
export class NotOpen extends Schema.TaggedError<NotOpen>()("NotOpen", {
  unknown: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** This decision cannot be taken, or not by this person. Nothing was changed. */
export class NotSettled extends Schema.TaggedError<NotSettled>()("NotSettled", {
  unknown: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The log did not answer. */
export class Unrecorded extends Schema.TaggedError<Unrecorded>()("Unrecorded", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The one error of this module. */
export class UnknownError extends Schema.TaggedError<UnknownError>()("UnknownError", {
  reason: Schema.Union([NotOpen, NotSettled, Unrecorded])
}) {
  override get message(): string {
    const { reason } = this
    return reason._tag === "Unrecorded"
      ? `${reason.detail}; ${reason.remedy}`
      : `${reason.unknown}: ${reason.detail}; ${reason.remedy}`
  }
}

/** The desk where lost outcomes are settled. */
export class Unknowns extends Context.Service<Unknowns, {
  /** Every outcome that is open, by session. */
  readonly list: Effect.Effect<ReadonlyArray<UnknownOutcome>, UnknownError>
  /** Takes a decision; gives the session that it makes due, and why, unless the session is over. */
  readonly settle: (settlement: Settlement) => Effect.Effect<Option.Option<Due>, UnknownError>
}>()("aosiq/session/Unknowns") {}

/** The desk over a store, with the gate's rules. */
export const layer: Layer.Layer<Unknowns, never, Store.Store | Log.Log | Digest.Digest | Gate.Gate> = Layer.effect(
  Unknowns,
  Effect.gen(function*() {
    const store = yield* Store.Store
    const log = yield* Log.Log
    const digest = yield* Digest.Digest
    const { policy } = yield* Gate.Gate
    const scan = yield* Received.Current

    const list = Effect.gen(function*() {
      const open = yield* Effect.mapError(store.lost(), unrecorded)
      const bySession = [...Map.groupBy(open, ({ session }) => session)]
      const found = yield* Effect.forEach(bySession, ([session, acts]) =>
        Effect.flatMap(
          Effect.mapError(log.rows(session), unrecorded),
          (rows) => Effect.forEach(acts, (act) => describe(act, rows))
        ))
      return found.flat()
    })

    const describe = Effect.fnUntraced(function*(act: Store.Act, rows: ReadonlyArray<Row.Row>) {
      const intent = rows.find(({ seq }) => seq === act.intent)
      const end = rows.findLast(({ body, key }) =>
        key === act.key && (body.kind === "unknown" || body.kind === "outcome")
      )
      const body = intent?.body.kind === "intent" ? intent.body : undefined
      const text = body === undefined
        ? Option.none<string>()
        : yield* Effect.mapError(log.payload(body.args), unrecorded)
      const identity = {
        session: act.session,
        place: Lost.placeOf(act.key),
        act: act.name,
        args: body?.args ?? Digest.zero
      }
      const view: UnknownOutcome = {
        id: Lost.nameOf(act.session, act.intent),
        session: act.session,
        act: act.name,
        args: Option.match(text, { onNone: () => body?.argsPreview ?? "", onSome: Redact.redact }),
        begunAt: intent?.at ?? 0,
        since: end?.at ?? intent?.at ?? 0,
        detail: end?.body.kind === "outcome"
          ? `${end.body.status} after ${end.body.computeMs} ms: ${end.body.resultPreview}`
          : "its run ended before its outcome was written",
        ticket: act.ticket,
        idempotencyKey: Lost.idempotencyKey(digest, identity),
        reservedMicroUsd: act.reserved,
        reversible: act.repeat === "always"
      }
      return view
    })

    const settle = Effect.fnUntraced(function*(settlement: Settlement) {
      const { by, choice, reason, unknown } = settlement
      const { session, seq } = yield* named(unknown)
      const lost = yield* Effect.mapError(store.lost(session), unrecorded)
      const act = lost.find(({ intent }) => intent === seq)
      if (act === undefined) return yield* notOpen(unknown, "its outcome is not open, or not any more")
      const summary = yield* Effect.mapError(log.session(session), unrecorded)
      yield* permitted(settlement, Option.getOrUndefined(summary))
      const result = settlement.result === undefined ? undefined : yield* given(settlement, act)
      const said = {
        choice,
        from: "operator",
        by,
        reason: Redact.redact(reason),
        result: result?.hash ?? null
      } as const
      const { session: after } = yield* store.commit({
        _tag: "Settle",
        session,
        epoch: null,
        key: act.key,
        intent: act.intent,
        decision: result?.detected === undefined ? said : { ...said, detected: result.detected },
        spent: settlement.costMicroUsd ?? (choice === "not_done" ? 0 : null),
        payloads: result === undefined ? [] : [{ hash: result.hash, text: result.text }]
      }).pipe(
        Effect.catch((error) =>
          error.reason._tag === "Rejected" && error.reason.why === "stale"
            ? notOpen(unknown, error.reason.detail)
            : Effect.fail(unrecorded(error))
        )
      )
      const isOver = after.status !== "running" && after.status !== "waiting" && after.status !== "paused"
      return isOver ? Option.none() : Option.some({ session, reason: `settled/${Lost.nameOf(session, act.intent)}` })
    })

    /** A retry makes an act happen that cannot be undone: it takes who may approve one. */
    const permitted = Effect.fnUntraced(function*(
      { by, choice, costMicroUsd: cost = 0, reason, result, unknown }: Settlement,
      session: Log.Summary | undefined
    ) {
      if (by.trim() === "") return yield* refused(unknown, "nobody is named as deciding", "say who decides")
      if (!Number.isSafeInteger(cost) || cost < 0) {
        return yield* refused(unknown, `${cost} is no amount of micro-dollars`, "give a whole number, not below zero")
      }
      if (reason.trim() === "") return yield* refused(unknown, "no reason was given", "say what was found out, and how")
      if (result !== undefined && choice !== "done") {
        return yield* refused(unknown, "only an act that was done has a result", "leave the result out")
      }
      const isRequester = session !== undefined && Person.isSame(by, session.caller)
      if (choice === "retry" && !policy.requesterMayApprove && isRequester) {
        return yield* refused(unknown, "the requester may not decide about a retry", "another person has to decide")
      }
    })

    const given = Effect.fnUntraced(function*({ result = null, unknown }: Settlement, act: Store.Act) {
      const rows = yield* Effect.mapError(log.rows(act.session), unrecorded)
      const intent = rows.find(({ seq }) => seq === act.intent)?.body
      if (intent?.kind !== "intent") return yield* notOpen(unknown, "its intent is not in the log")
      const json = yield* Effect.catch(
        Effect.provideService(Tool.resultOf(act.name, intent.schema, result), Digest.Digest, digest),
        (detail) => refused(unknown, `the result does not fit: ${detail}`, "correct it, or settle without a result")
      )
      const text = digest.canonical(json)
      return { hash: digest.sha256(text), text, detected: yield* Received.look(scan, json) }
    })

    return Unknowns.of({ list, settle })
  })
)

// internal

const fail = (reason: UnknownError["reason"]) => Effect.fail(new UnknownError({ reason }))

const notOpen = (unknown: string, detail: string) =>
  fail(new NotOpen({ unknown, detail, remedy: "see aosiq unknown list" }))

const refused = (unknown: string, detail: string, remedy: string) => fail(new NotSettled({ unknown, detail, remedy }))

/** Session and place of an intent, from its stamp. */
const named = Effect.fnUntraced(function*(unknown: string) {
  const slash = unknown.lastIndexOf("/")
  const session = Schema.decodeUnknownOption(Claims.SessionId)(unknown.slice(0, Math.max(0, slash)))
  const seq = Number(unknown.slice(slash + 1))
  if (Option.isNone(session) || !Number.isSafeInteger(seq)) {
    return yield* notOpen(unknown, "it does not name an act, as SESSION/ROW does")
  }
  return { session: session.value, seq }
})

const unrecorded = (error: Store.StoreError | Log.LogError): UnknownError => {
  const { detail, remedy } = error instanceof Log.LogError
    ? error
    : error.reason._tag === "Unavailable"
    ? error.reason
    : { detail: error.reason.detail, remedy: "see aosiq unknown list" }
  return new UnknownError({ reason: new Unrecorded({ detail, remedy }) })
}
