/**
 * One run of a session: taken over from whoever ran it before, run until it ends or waits, and concluded in its chain.
 * A run is started by a message and says nothing back: how the session stands is read from the log.
 */
import { Cause, Context, Effect, Exit, Layer, Option, type Schema } from "effect"
import { Actor, ActorError } from "../actor/index.ts"
import { Ticket } from "../approval/index.ts"
import { Digest, Log, type Row } from "../audit/index.ts"
import { Capability, type Claims } from "../capability/index.ts"
import { enter, type Entered, Governor, type GovernorError, Refusal, Store, within } from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import { Redact } from "../trust/index.ts"
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

/** Runs sessions, and tells how they stand. */
export class Runs extends Context.Service<Runs, {
  /** Runs the session until it ends or waits; one that has ended, or is paused, is left alone. */
  readonly run: (id: Claims.SessionId) => Effect.Effect<void, DispatchError>
  /** How the session stands when no run of it is under way. */
  readonly standing: (id: Claims.SessionId) => Effect.Effect<Ended<unknown>, DispatchError>
}>()("aosiq/session/Runs") {}

/** Runs over a store, a log and the actors of this process. */
export const layer: Layer.Layer<
  Runs,
  never,
  Store.Store | Log.Log | Digest.Digest | Governor | Actor.Registry
> = Layer.effect(
  Runs,
  Effect.gen(function*() {
    const store = yield* Store.Store
    const log = yield* Log.Log
    const digest = yield* Digest.Digest
    const governor = yield* Governor
    const registry = yield* Actor.Registry
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
      if (input._tag === "Failure") return yield* failed(entered, input.failure.message)
      const body = summary.parent === null ? runnable.run(input.success) : bounded(runnable, input.success)
      const exit = yield* Effect.exit(within(entered)(body))
      yield* conclude(runnable.class, entered, exit)
    })

    /** A session that goes on in another mode than it began, or last went on, says so in its chain. */
    const noteMode = Effect.fnUntraced(function*(session: Entered) {
      if (session.epoch === 1) return
      const rows = yield* Effect.mapError(log.rows(session.id), unrecorded)
      const modes = rows.flatMap(({ body }) =>
        body.kind === "genesis" ? [body.mode] : body.kind === "noted" && body.what === "mode" ? [body.detail] : []
      )
      if (modes.at(-1) === governor.mode) return
      yield* append(session, { kind: "noted", what: "mode", by: session.caller, detail: governor.mode }, {})
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
          if (body.kind === "sleeping") return { _tag: "Sleeping", session, until: body.until }
        } else if (body.kind === "ended" && summary.status !== "running") {
          return summary.status === "cancelled"
            ? { _tag: "Cancelled", session, detail: body.reason }
            : { _tag: "Failed", session, detail: body.reason, abandoned: summary.status === "abandoned" }
        }
      }
      const detail = `session ${session} is ${summary.status} and has not come to an end`
      return yield* failWith(new Unrecorded({ detail, remedy: "resume the session" }))
    })

    const stored = Effect.fnUntraced(function*(schema: Plain, hash: Digest.Hash) {
      const text = yield* Effect.mapError(log.payload(hash), unrecorded)
      if (Option.isNone(text) || digest.sha256(text.value) !== hash) {
        const detail = `the payload ${hash} was erased or altered`
        return yield* failWith(new Unrecorded({ detail, remedy: "restore it from a backup" }))
      }
      const json = JSON.parse(text.value) as Schema.Json // Hash-checked above.
      return yield* Effect.mapError(Tool.codec(schema).decode(json), (detail) => failWith(new BadInput({ detail })))
    })

    const conclude = Effect.fnUntraced(function*(
      actor: Actor.AnyClass,
      session: Entered,
      exit: Exit.Exit<unknown, ActorError | GovernorError>
    ): Effect.fn.Return<void, DispatchError> {
      if (Exit.isSuccess(exit)) {
        const encoded = yield* Effect.result(Tool.codec(actor.output).encode(exit.value))
        if (encoded._tag === "Failure") return yield* failed(session, `its result does not fit: ${encoded.failure}`)
        const text = digest.canonical(encoded.success)
        const result = digest.sha256(text)
        const body: Row.Body = { kind: "ended", status: "succeeded", result, reason: "" }
        return yield* append(session, body, { status: "succeeded", payloads: [{ hash: result, text }], result })
      }
      const error = Cause.findErrorOption(exit.cause)
      if (Option.isNone(error)) {
        // A run that is interrupted has not ended: it goes on from its log.
        if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
        return yield* failed(session, `it broke down: ${Redact.preview(String(Cause.squash(exit.cause)))}`)
      }
      if (error.value instanceof ActorError) return yield* failed(session, error.value.detail, error.value.abandoned)
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
        case "Refused":
          if (reason.layer === "session") return yield* stopped(session)
      }
      return yield* failed(session, error.value.message)
    })

    /** The session takes no more acts of this run: an operator stopped it, or another run took over. */
    const stopped = Effect.fnUntraced(function*(session: Entered) {
      const { epoch, status } = yield* summaryOf(session.id)
      if (status === "running" || epoch !== session.epoch) {
        return yield* failWith(new Superseded({ session: session.id }))
      }
    })

    const failed = (session: Entered, reason: string, abandoned = false) => {
      const status = abandoned ? "abandoned" as const : "failed" as const
      return append(session, { kind: "ended", status, result: null, reason: Redact.redact(reason) }, { status })
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
        wakeAt: change.wakeAt
      }).pipe(
        Effect.asVoid,
        Effect.catch((error) =>
          error.reason._tag === "Rejected" && error.reason.why === "fenced"
            ? stopped(session)
            : Effect.fail(unrecorded(error))
        )
      )

    return Runs.of({ run, standing })
  })
)

// internal

interface Change {
  readonly status?: Log.Status
  readonly payloads?: ReadonlyArray<Store.Payload>
  readonly result?: Digest.Hash
  readonly wakeAt?: number
}

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
