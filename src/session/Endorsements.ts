/**
 * What people vouch for in a session that goes on: a source or a value, for acts, and until a time. It takes who may approve,
 * and as many of them as approve an act; each is a row in the chain of the session. It lets through what the policy on labels
 * would ask a person about, and nothing that cannot be undone: that takes a ticket.
 */
import { Clock, Context, Effect, Layer, Option, Schema } from "effect"
import { Gate, Person } from "../approval/index.ts"
import { Digest, Log } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"
import { Flowing, Store, Transition } from "../governor/index.ts"
import { Flow, Redact } from "../trust/index.ts"
import { outside } from "./Outside.ts"

/** There is no such session, or it is over. */
export class NoSuchSession extends Schema.TaggedError<NoSuchSession>()("NoSuchSession", {
  session: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** This cannot be vouched for, or not by this person. Nothing was changed. */
export class NotEndorsed extends Schema.TaggedError<NotEndorsed>()("NotEndorsed", {
  session: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** An actor tried to vouch. People do, at the doors of the runtime. Nothing was changed. */
export class InsideActor extends Schema.TaggedError<InsideActor>()("InsideActor", {
  session: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The log did not answer. */
export class Unrecorded extends Schema.TaggedError<Unrecorded>()("Unrecorded", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The one error of this module. */
export class EndorseError extends Schema.TaggedError<EndorseError>()("EndorseError", {
  reason: Schema.Union([NoSuchSession, NotEndorsed, InsideActor, Unrecorded])
}) {
  override get message(): string {
    return `${this.reason.detail}; ${this.reason.remedy}`
  }
}

/** What one person vouches for. */
export interface Order {
  readonly session: Claims.SessionId
  readonly terms: Flow.Terms
  readonly by: string
  readonly reason: string
}

/** How it stands after that. */
export interface Endorsed {
  readonly session: Claims.SessionId
  readonly terms: Digest.Hash
  /** Whether enough people have vouched for the very same. */
  readonly holds: boolean
  /** Whether the session waits, and is due to be run again. */
  readonly isDue: boolean
}

/** The desk where people vouch. */
export class Endorsements extends Context.Service<Endorsements, {
  readonly make: (order: Order) => Effect.Effect<Endorsed, EndorseError>
}>()("aosiq/session/Endorsements") {}

/** The longest that something is vouched for: thirty days, as a rule stands. */
export const maxLifetimeMs = 2_592_000_000
/** Rows of one session by which something is vouched for: each act that would be stopped is held against all of them. */
export const maxEndorsed = 200
/** Characters of a value, and of a reason. */
export const maxText = 2000

/** The desk over a store, with the gate's rules. */
export const layer: Layer.Layer<Endorsements, never, Store.Store | Log.Log | Digest.Digest | Gate.Gate> = Layer.effect(
  Endorsements,
  Effect.gen(function*() {
    const store = yield* Store.Store
    const log = yield* Log.Log
    const digest = yield* Digest.Digest
    const { policy } = yield* Gate.Gate
    const asPerson = outside((session) =>
      new EndorseError({
        reason: new InsideActor({
          session,
          detail: `session ${session} may not vouch for anything here`,
          remedy: "people do, with aosiq endorse"
        })
      })
    )

    const make = Effect.fnUntraced(function*({ by, reason, session, terms }: Order) {
      const refuse = (detail: string, remedy: string) => fail(new NotEndorsed({ session, detail, remedy }))
      const name = Person.normalise(by)
      const fault = Person.fault(name)
      if (fault !== null) return yield* refuse(fault, "say who vouches")
      const now = yield* Clock.currentTimeMillis
      const wrong = unfit(terms, now)
      if (wrong !== null) return yield* refuse(wrong, "see aosiq endorse --help")
      const summary = Option.getOrUndefined(yield* Effect.mapError(log.session(session), unrecorded))
      if (summary === undefined || Transition.isOver(summary.status)) {
        const detail = summary === undefined
          ? `there is no session ${session}`
          : `session ${session} is ${summary.status}`
        return yield* fail(new NoSuchSession({ session, detail, remedy: "see aosiq sessions" }))
      }
      if (!policy.requesterMayApprove && Person.isSame(name, summary.caller)) {
        return yield* refuse("the requester may not vouch for what it asked about", "another person has to")
      }
      const rows = yield* Effect.mapError(log.rows(session), unrecorded)
      const before = rows.flatMap(({ body }) => body.kind === "endorsed" ? [body] : [])
      if (before.length >= maxEndorsed) {
        return yield* refuse(`${before.length} were made in this session already`, "approve single acts instead")
      }
      const text = digest.canonical(yield* Effect.orDie(Schema.encodeEffect(codec)(terms)))
      const hash = digest.sha256(text)
      if (before.some((other) => other.terms === hash && Person.isSame(other.by, name))) {
        return yield* refuse(
          `${name} has vouched for it already`,
          "another person has to agree, if it does not hold yet"
        )
      }
      const isDue = summary.status === "waiting"
      const said = Redact.words(reason, maxText)
      const body = { kind: "endorsed", by: name, reason: said, terms: hash, until: Date.parse(terms.until) } as const
      const { row } = yield* Effect.mapError(
        store.commit({
          _tag: "Append",
          session,
          epoch: null,
          row: { key: null, body },
          payloads: [{ hash, text }],
          status: null,
          result: null,
          ...(isDue ? { wakeAt: now } : {})
        }),
        unrecorded
      )
      const holds = Flowing.agreedIn([...rows, row], summary.caller, policy).some(({ terms }) => terms === hash)
      return { session, terms: hash, holds, isDue: isDue && holds }
    })

    return Endorsements.of({ make: (order) => asPerson(make(order)) })
  })
)

// internal

const codec = Schema.toCodecJson(Flow.Terms)

/** Why the terms are none; `null` when they are. */
const unfit = ({ for: uses, source, until, value }: Flow.Terms, now: number): string | null => {
  if ((source === undefined) === (value === undefined)) return "it is either a source or a value that is vouched for"
  if (uses.tools.length === 0) return "no act is named that it is for"
  if ([value ?? []].flat().some((one) => one.length > maxText)) return `a value has at most ${maxText} characters`
  const end = Date.parse(until)
  if (Number.isNaN(end) || end <= now || end > now + maxLifetimeMs) return "it is for up to thirty days from now"
  return null
}

const fail = (reason: EndorseError["reason"]) => Effect.fail(new EndorseError({ reason }))

const unrecorded = (error: Store.StoreError | Log.LogError): EndorseError => {
  const detail = error instanceof Log.LogError ? error.detail : error.reason.detail
  return new EndorseError({ reason: new Unrecorded({ detail, remedy: "try again" }) })
}
