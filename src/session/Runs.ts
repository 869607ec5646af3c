/**
 * One run of a session: taken over from whoever ran it before, run until it ends or waits, and concluded in its chain.
 * A run is started by a message and says nothing back: how the session stands is read from the log.
 */
import { Cause, Clock, Context, Effect, Exit, Layer, Option, type Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Actor, ActorError, Supervision } from "../actor/index.ts"
import { Ticket } from "../approval/index.ts"
import { Digest, Installation, Log, type Row } from "../audit/index.ts"
import { Capability, type Claims } from "../capability/index.ts"
import {
  enter,
  type Entered,
  Governor,
  type GovernorError,
  Received,
  Refusal,
  Store,
  Transition,
  within
} from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import { Redact } from "../trust/index.ts"
import * as DeadLetter from "./DeadLetter.ts"
import {
  BadInput,
  type DispatchError,
  type Ended,
  failWith,
  NoSuchActor,
  NoSuchSession,
  Superseded,
  Unrecorded
} from "./Ended.ts"
import { why } from "./Installation.ts"

/** Runs sessions, and tells how they stand. */
export class Runs extends Context.Service<Runs, {
  /** Runs the session until it ends or waits; one that has ended, or is paused, is left alone. */
  readonly run: (id: Claims.SessionId) => Effect.Effect<void, DispatchError>
  /** How the session stands when no run of it is under way. */
  readonly standing: (id: Claims.SessionId) => Effect.Effect<Ended<unknown>, DispatchError>
  /** Whether an actor of that class is registered here. */
  readonly isKnown: (actor: string) => Effect.Effect<boolean>
  /** Pauses a session that nothing here can run, and files a dead letter about it. */
  readonly setAside: (id: Claims.SessionId, detail: string) => Effect.Effect<void, DispatchError>
}>()("aosiq/session/Runs") {}

/** Runs over a store, a log and the actors of this process. */
export const layer: Layer.Layer<
  Runs,
  never,
  Store.Store | Log.Log | Digest.Digest | Governor | Actor.Registry | SecureRandom.SecureRandom
> = Layer.effect(
  Runs,
  Effect.gen(function*() {
    const store = yield* Store.Store
    const log = yield* Log.Log
    const digest = yield* Digest.Digest
    const governor = yield* Governor
    const registry = yield* Actor.Registry
    const random = yield* SecureRandom.SecureRandom
    const services = Context.make(Store.Store, store).pipe(Context.add(Log.Log, log))

    const summaryOf = Effect.fnUntraced(function*(id: Claims.SessionId) {
      const summary = yield* Effect.mapError(log.session(id), unrecorded)
      return Option.isSome(summary) ? summary.value : yield* failWith(new NoSuchSession({ session: id }))
    })

    const runnableOf = Effect.fnUntraced(function*(actor: string) {
      return (yield* registry.get(actor)) ??
        (yield* failWith(new NoSuchActor({ actor, known: yield* registry.names })))
    })

    const run = Effect.fnUntraced(function*(id: Claims.SessionId) {
      const summary = yield* summaryOf(id)
      if (summary.status !== "running" && summary.status !== "waiting") return
      const runnable = yield* runnableOf(summary.actor)
      const input = yield* Effect.result(stored(runnable.class.input, summary.input))
      // What cannot be read now may be readable later; what does not fit never will.
      if (input._tag === "Failure" && input.failure.reason._tag !== "BadInput") return yield* input.failure
      const actor = { ...runnable.class, capabilities: runnable.class.capabilities.filter(Capability.isName) }
      const entered = yield* Effect.provideContext(enter(id, actor), services).pipe(
        // Somebody stopped or ended it a moment ago: there is nothing to run.
        Effect.catch((error) =>
          error.reason._tag === "Rejected" ? Effect.succeed(undefined) : Effect.fail(unrecorded(error))
        )
      )
      if (entered === undefined) return
      yield* noteMode(entered)
      if (input._tag === "Failure") return yield* giveUp(entered, "message", 0, input.failure.message)
      if (entered.epoch > runnable.class.supervision.maxFruitless) {
        const { fruitless } = Supervision.history(yield* Effect.mapError(log.rows(id), unrecorded))
        if (fruitless >= runnable.class.supervision.maxFruitless) {
          return yield* giveUp(entered, "message", fruitless, `its last ${fruitless} runs died and came to nothing`)
        }
      }
      const body = summary.parent === null ? runnable.run(input.success) : bounded(runnable, input.success)
      const exit = yield* Effect.exit(within(entered)(body))
      yield* conclude(runnable.class, entered, exit)
    })

    /** A session that goes on in another mode or under another policy than before says so in its chain. */
    const noteMode = Effect.fnUntraced(function*(session: Entered) {
      if (session.epoch === 1) return
      const rows = yield* Effect.mapError(log.rows(session.id), unrecorded)
      for (const what of ["mode", "policy"] as const) {
        const before = rows.flatMap(({ body }) =>
          body.kind === "genesis" ? [body[what]] : body.kind === "noted" && body.what === what ? [body.detail] : []
        )
        if (before.at(-1) === governor[what]) continue
        yield* append(session, { kind: "noted", what, by: session.caller, detail: governor[what] }, {})
      }
    })

    const standing = Effect.fnUntraced(function*(id: Claims.SessionId): Effect.fn.Return<
      Ended<unknown>,
      DispatchError
    > {
      const summary = yield* summaryOf(id)
      const session = summary.id
      if (summary.status === "paused") return { _tag: "Paused", session }
      if (summary.status === "succeeded" && summary.result !== null) {
        const runnable = yield* runnableOf(summary.actor)
        return { _tag: "Succeeded", session, output: yield* stored(runnable.class.output, summary.result) }
      }
      const rows = yield* Effect.mapError(log.rows(session), unrecorded)
      for (const { body } of rows.toReversed()) {
        if (summary.status === "waiting") {
          if (body.kind === "suspended" && body.unknown !== undefined) {
            return { _tag: "Unsettled", session, unknown: body.unknown }
          }
          if (body.kind === "suspended" && body.ticket !== null) {
            return { _tag: "Waiting", session, ticket: Ticket.TicketId.make(body.ticket) }
          }
          if (body.kind === "sleeping" || body.kind === "restarted") {
            return { _tag: "Sleeping", session, until: body.until }
          }
        } else if (body.kind === "ended" && summary.status !== "running") {
          return summary.status === "cancelled"
            ? { _tag: "Cancelled", session, detail: body.reason }
            : {
              _tag: "Failed",
              session,
              detail: body.reason,
              abandoned: summary.status === "abandoned",
              stop: body.stop ?? null,
              partial: body.partial === undefined ? null : Option.getOrNull(yield* kept(body.partial))
            }
        }
      }
      const detail = `session ${session} is ${summary.status} and has not come to an end`
      return yield* failWith(new Unrecorded({ detail, remedy: "resume the session" }))
    })

    /** A payload, if it is still what was recorded. */
    const kept = (hash: Digest.Hash) =>
      log.payload(hash).pipe(
        Effect.map(Log.whole(digest, hash)),
        Effect.mapBoth({
          onFailure: unrecorded,
          onSuccess: Option.map((text) => JSON.parse(text) as Schema.Json) // Hash-checked.
        })
      )

    const stored = Effect.fnUntraced(function*(schema: Plain, hash: Digest.Hash) {
      const json = yield* kept(hash)
      if (Option.isNone(json)) {
        const detail = `the payload ${hash} was erased or altered`
        return yield* failWith(new Unrecorded({ detail, remedy: "restore it from a backup" }))
      }
      return yield* Effect.mapError(
        Tool.codec(schema).decode(json.value),
        (detail) => failWith(new BadInput({ detail }))
      )
    })

    const conclude = Effect.fnUntraced(function*(
      actor: Actor.AnyClass,
      session: Entered,
      exit: Exit.Exit<unknown, ActorError | GovernorError>
    ): Effect.fn.Return<void, DispatchError> {
      if (Exit.isSuccess(exit)) {
        const codec = Tool.codec(actor.output)
        const encoded = yield* Effect.result(
          Effect.flatMap(codec.encode(exit.value), (json) => Received.cleaned(codec, json, exit.value))
        )
        if (encoded._tag === "Failure") {
          return yield* failed(session, { detail: `its result does not fit: ${encoded.failure}` })
        }
        const text = digest.canonical(encoded.success.json)
        const result = digest.sha256(text)
        const body: Row.Body = { kind: "ended", status: "succeeded", result, reason: "" }
        return yield* append(session, body, { status: "succeeded", payloads: [{ hash: result, text }], result })
      }
      const failure = Supervision.failureOf(exit.cause)
      if (failure !== undefined) return yield* broken(actor, session, failure)
      const error = Cause.findErrorOption(exit.cause)
      // A run that is interrupted has not ended: it goes on from its log.
      if (Option.isNone(error) || error.value instanceof ActorError) return yield* Effect.interrupt
      const { reason } = error.value
      switch (reason._tag) {
        case "AwaitingApproval":
          return yield* append(session, { kind: "suspended", ticket: reason.ticket }, { status: "waiting" })
        case "AwaitingSettlement":
          return yield* append(session, { kind: "suspended", ticket: null, unknown: reason.unknown }, {
            status: "waiting"
          })
        case "AwaitingTimer":
          return yield* append(session, { kind: "sleeping", until: reason.until }, {
            status: "waiting",
            wakeAt: reason.until
          })
        case "LogUnavailable":
          if ((yield* summaryOf(session.id)).epoch !== session.epoch) {
            return yield* failWith(new Superseded({ session: session.id }))
          }
          return yield* failWith(new Unrecorded({ detail: Refusal.explain(reason), remedy: "resume the session" }))
        case "Altered":
          // Nothing of it was run, and nothing of it is lost: a backup brings it back.
          return yield* failWith(new Unrecorded({ detail: reason.detail, remedy: reason.remedy }))
        default:
          return yield* stopped(session)
      }
    })

    /** What becomes of a session whose run failed is its class's to say. */
    const broken = Effect.fnUntraced(function*(
      { supervision }: Actor.AnyClass,
      session: Entered,
      failure: Supervision.Failure
    ) {
      if (!Supervision.isRepeatable(supervision, failure.kind)) {
        return yield* failed(session, failure)
      }
      const rows = yield* Effect.mapError(log.rows(session.id), unrecorded)
      const { restarts } = Supervision.history(rows)
      const now = yield* Clock.currentTimeMillis
      const chance = (yield* random.intBetween(0, maxChance)) / maxChance
      const decision = Supervision.decide(supervision, { restarts }, { kind: failure.kind, now, chance })
      switch (decision._tag) {
        case "Stop":
          return yield* failed(session, failure)
        case "Escalate":
          return yield* giveUp(session, "session", decision.restarts, failure.detail)
        case "Restart": {
          const { at: until, restart } = decision
          const { detail, outcome: again } = failure
          const body: Row.Body = { kind: "restarted", restart, until, again, reason: Redact.redact(detail) }
          return yield* append(session, body, { status: "waiting", wakeAt: until })
        }
      }
    })

    /** Nothing more is tried by itself: the parent of a child is told, and for a root an operator decides. */
    const giveUp = (session: Entered, kind: DeadLetter.DeadLetter["kind"], attempts: number, detail: string) =>
      Effect.gen(function*() {
        const count = attempts === 0 ? "given up" : `given up after ${attempts} attempts`
        if (session.id !== Transition.rootOf(session.id)) {
          return yield* failed(session, { detail: `${count}: ${detail}` })
        }
        const letter = yield* letterOf(session, kind, attempts, detail)
        yield* append(session, escalated(letter), { status: "paused", keep: [DeadLetter.keep(letter)] })
      })

    const letterOf = (
      session: Pick<Log.Summary, "id" | "epoch">,
      kind: DeadLetter.DeadLetter["kind"],
      attempts: number,
      detail: string
    ) =>
      Effect.map(Clock.currentTimeMillis, (at) =>
        DeadLetter.make(digest, {
          kind,
          subject: `${session.id}@${session.epoch}`,
          session: session.id,
          reason: Redact.redact(detail),
          payload: { session: session.id, run: session.epoch },
          at,
          attempts
        }))

    const setAside = Effect.fnUntraced(function*(id: Claims.SessionId, detail: string) {
      const summary = yield* summaryOf(id)
      if (summary.status !== "running" && summary.status !== "waiting") return
      const letter = yield* letterOf(summary, "message", 0, detail)
      // The letter first: a session that is paused without one would be forgotten.
      yield* store.commit({
        _tag: "Append",
        session: id,
        epoch: null,
        row: { key: null, body: escalated(letter) },
        payloads: [],
        status: null,
        result: null,
        keep: [DeadLetter.keep(letter)]
      }).pipe(Effect.catchIf((error) => why(error) === "stale", () => Effect.void), Effect.mapError(unrecorded))
      const pause = { _tag: "Control", action: "pause", session: id, by: Installation.actor, reason: detail } as const
      yield* store.commit(pause).pipe(
        Effect.catchIf((error) => why(error) === "stale", () => Effect.void),
        Effect.mapError(unrecorded)
      )
    })

    /** The session takes no more acts of this run: an operator stopped it, or another run took over. */
    const stopped = Effect.fnUntraced(function*(session: Entered) {
      const { epoch, status } = yield* summaryOf(session.id)
      if (status === "running" || epoch !== session.epoch) {
        return yield* failWith(new Superseded({ session: session.id }))
      }
    })

    const failed = (
      session: Entered,
      { abandoned, detail, partial, stop }: Partial<Supervision.Failure> & Pick<Supervision.Failure, "detail">
    ) => {
      const status = abandoned === true ? "abandoned" as const : "failed" as const
      const text = partial === undefined ? undefined : digest.canonical(Redact.json(partial))
      const payloads = text === undefined ? [] : [{ hash: digest.sha256(text), text }]
      const body: Row.Body = {
        kind: "ended",
        status,
        result: null,
        reason: Redact.redact(detail),
        ...(stop === undefined ? {} : { stop }),
        ...(payloads[0] === undefined ? {} : { partial: payloads[0].hash })
      }
      return append(session, body, { status, payloads })
    }

    /** An operator who stopped the session meanwhile has the last word. */
    const append = (session: Entered, body: Row.Body, change: Change) =>
      store.commit({
        _tag: "Append",
        session: session.id,
        epoch: session.epoch,
        row: { key: null, body },
        payloads: change.payloads ?? [],
        status: change.status ?? null,
        result: change.result ?? null,
        wakeAt: change.wakeAt,
        keep: change.keep
      }).pipe(
        Effect.asVoid,
        Effect.catch((error) =>
          error.reason._tag === "Rejected" && error.reason.why === "fenced"
            ? stopped(session)
            : Effect.fail(unrecorded(error))
        )
      )

    const isKnown = (actor: string) => Effect.map(registry.get(actor), (runnable) => runnable !== undefined)

    return Runs.of({ run, standing, isKnown, setAside })
  })
)

// internal

interface Change {
  readonly status?: Log.Status
  readonly payloads?: ReadonlyArray<Store.Payload>
  readonly result?: Digest.Hash
  readonly wakeAt?: number
  readonly keep?: ReadonlyArray<Store.Change>
}

/** Steps that chance is divided into. */
const maxChance = 2 ** 32

const escalated = ({ attempts, id, reason }: DeadLetter.DeadLetter): Row.Body => ({
  kind: "escalated",
  restarts: attempts,
  letter: id,
  reason
})

/** A child's run ends by itself: whoever waits for it may be gone. */
const bounded = ({ class: { name, timeoutMs }, run }: Actor.Runnable, input: unknown) =>
  Effect.timeoutOrElse(run(input), {
    duration: timeoutMs,
    orElse: () =>
      Effect.fail(new ActorError({ actor: name, detail: `ran longer than ${timeoutMs} ms`, abandoned: false }))
  })

/** What the log did not take, as an error of this room. */
export const unrecorded = (error: Store.StoreError | Log.LogError): DispatchError => {
  const { detail, remedy } = error instanceof Log.LogError
    ? error
    : error.reason._tag === "Unavailable"
    ? error.reason
    : { detail: error.reason.detail, remedy: "resume the session" }
  return failWith(new Unrecorded({ detail, remedy }))
}
