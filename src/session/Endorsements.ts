/**
 * What people vouch for in a session that goes on: a source or a value, for acts, and until a time. It takes who may approve,
 * and as many of them as approve an act; each is a row in the chain of the session. It lets through what the policy on labels
 * would ask a person about, and nothing that cannot be undone: that takes a ticket.
 */
import { Clock, Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { Gate, Person } from "../approval/index.ts"
import { Digest, Log, type Row } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
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
/** Nothing stands there that could be taken back. Nothing was changed. */
export class NoSuchEndorsement extends Schema.TaggedError<NoSuchEndorsement>()("NoSuchEndorsement", {
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
  reason: Schema.Union([NoSuchSession, NotEndorsed, NoSuchEndorsement, InsideActor, Unrecorded])
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

/** What one person takes back, whoever vouched for it. */
export interface Revocation {
  readonly session: Claims.SessionId
  readonly terms: Digest.Hash
  readonly by: string
  readonly reason: string
}

/** Who did something, when (epoch milliseconds), and why. */
const Said = Schema.Struct({ by: Schema.String, reason: Schema.String, at: Schema.Natural })

/** What was vouched for in a session, and how that stands. */
export const View = Schema.Struct({
  session: Claims.SessionId,
  terms: Digest.Hash,
  /** What it says; `null` where that was erased. */
  what: Schema.NullOr(Flow.Terms),
  people: Schema.Array(Said),
  /** Epoch milliseconds. */
  until: Schema.Natural,
  /** `open`: more people have to vouch for the same. */
  standing: Schema.Literals(["holds", "open", "ended", "revoked"]),
  revoked: Schema.NullOr(Said)
})
export type View = typeof View.Type

/** The desk where people vouch. */
export class Endorsements extends Context.Service<Endorsements, {
  readonly make: (order: Order) => Effect.Effect<Endorsed, EndorseError>
  /** From here on nothing is let through by it, here and below; an act that has begun comes to its end. */
  readonly revoke: (order: Revocation) => Effect.Effect<View, EndorseError>
  /** Of one session; or of all that go on, the latest first. */
  readonly list: (session?: Claims.SessionId) => Effect.Effect<ReadonlyArray<View>, EndorseError>
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

    /** What was vouched for in a session, and taken back, in order. */
    const vouching = (session: Claims.SessionId) =>
      Effect.forEach(["endorsed", "unendorsed"], (kind) => log.trail({ since: 0, session, kind, limit: maxEndorsed }))
        .pipe(
          Effect.mapBoth({
            onFailure: unrecorded,
            onSuccess: (rows) => rows.flat().toSorted((a, b) => a.seq - b.seq)
          })
        )
    const goingOn = Stream.paginate(
      undefined as Log.SessionPlace | undefined,
      (after) =>
        Effect.map(log.page({ newest: true, isOver: false, limit: atOnce, after }), (found) => {
          const last = found.length < atOnce ? undefined : found.at(-1)
          return [found, Option.fromUndefinedOr(last)] as const
        })
    ).pipe(Stream.runCollect, Effect.mapError(unrecorded))

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
      const rows = yield* vouching(session)
      const before = Flowing.standing(rows).map(({ body }) => body)
      const made = rows.filter(({ body }) => body.kind === "endorsed").length
      if (made >= maxEndorsed) {
        return yield* refuse(`${made} were made in this session already`, "approve single acts instead")
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

    const viewed = Effect.fnUntraced(function*(
      { caller, id: session }: Pick<Log.Summary, "id" | "caller">,
      rows: ReadonlyArray<Row.Row>
    ): Effect.fn.Return<ReadonlyArray<View>, EndorseError> {
      const now = yield* Clock.currentTimeMillis
      const agreed = new Set(Flowing.agreedIn(rows, caller, policy).map(({ terms }) => terms))
      const stands = new Set(Flowing.standing(rows).map(({ body }) => body.terms))
      const made = rows.flatMap(({ at, body }) => body.kind === "endorsed" ? [{ at, body }] : [])
      const taken = rows.flatMap(({ at, body }) => body.kind === "unendorsed" ? [{ at, body }] : [])
      return yield* Effect.forEach(
        Map.groupBy(made, ({ body }) => body.terms),
        ([terms, all]) =>
          Effect.gen(function*() {
            const text = yield* Effect.mapError(log.payload(terms), unrecorded)
            const until = Math.max(...all.map(({ body }) => body.until))
            const last = taken.findLast(({ body }) => body.terms === terms)
            const standing = !stands.has(terms)
              ? "revoked"
              : until <= now
              ? "ended"
              : agreed.has(terms)
              ? "holds"
              : "open"
            return {
              session,
              terms,
              what: Option.getOrNull(Option.flatMap(Log.whole(digest, terms)(text), decodeText)),
              people: all.map(said),
              until,
              standing,
              revoked: standing !== "revoked" || last === undefined ? null : said(last)
            } as const
          })
      )
    })

    const revoke = Effect.fnUntraced(function*({ by, reason, session, terms }: Revocation) {
      const name = Person.normalise(by)
      const fault = Person.fault(name)
      if (fault !== null) return yield* fail(new NotEndorsed({ session, detail: fault, remedy: "say who revokes" }))
      const summary = Option.getOrUndefined(yield* Effect.mapError(log.session(session), unrecorded))
      const rows = yield* vouching(session)
      if (summary === undefined || !Flowing.standing(rows).some(({ body }) => body.terms === terms)) {
        const detail = `nobody vouches for ${terms.slice(0, 12)} in ${session}`
        return yield* fail(new NoSuchEndorsement({ session, detail, remedy: "see aosiq endorsements list" }))
      }
      const body = { kind: "unendorsed", by: name, reason: Redact.words(reason, maxText), terms } as const
      const { row } = yield* Effect.mapError(
        store.commit({
          _tag: "Append",
          session,
          epoch: null,
          row: { key: null, body },
          payloads: [],
          status: null,
          result: null
        }),
        unrecorded
      )
      const views = yield* viewed(summary, [...rows, row])
      const view = views.find((one) => one.terms === terms)
      return view ?? (yield* Effect.die("what was taken back was vouched for"))
    })

    const list = Effect.fnUntraced(function*(session?: Claims.SessionId) {
      const wanted = session === undefined
        ? yield* goingOn
        : Option.toArray(yield* Effect.mapError(log.session(session), unrecorded))
      const found = yield* Effect.forEach(
        wanted,
        (summary) => Effect.flatMap(vouching(summary.id), (rows) => viewed(summary, rows))
      )
      return found.flat()
    })

    return Endorsements.of({
      make: (order) => asPerson(make(order)),
      revoke: (order) => asPerson(revoke(order)),
      list
    })
  })
)

// internal

/** Sessions that are read at the same time. */
const atOnce = 200

const codec = Schema.toCodecJson(Flow.Terms)
const decodeText = Schema.decodeUnknownOption(Schema.fromJsonString(codec))

const said = (
  { at, body: { by, reason } }: {
    readonly at: number
    readonly body: { readonly by: string; readonly reason: string }
  }
) => ({ by, reason, at })

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
