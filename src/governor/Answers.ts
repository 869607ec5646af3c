/** Acts that are answered from the log, and what the log keeps of how an act ended. */
import { Cause, Effect, Exit, Option, type Schema } from "effect"
import { type Digest, Log, Row } from "../audit/index.ts"
import { Label, Redact } from "../trust/index.ts"
import type { Action, Outcome } from "./Action.ts"
import { type Call, fail, type Named, unavailable, unknown } from "./Call.ts"
import * as Received from "./Received.ts"
import { endsRun, GovernorError, HandlerBroken, Settled, TimedOut } from "./Refusal.ts"
import type { Recorded } from "./Session.ts"

/** Answers out of one log. */
export const make = (log: Log.Log["Service"], digest: Digest.Digest["Service"]) => {
  /** A recorded result, if it is still what was recorded. */
  const kept = Effect.fnUntraced(function*(action: Named, call: Call, result: Digest.Hash | null) {
    const text = result === null
      ? Option.none<string>()
      : yield* log.payload(result).pipe(
        Effect.map(Log.whole(digest, result)),
        Effect.catch((error) => unavailable(action, error, false))
      )
    if (Option.isNone(text)) {
      return yield* unknown(action, call, "its recorded result was erased or altered")
    }
    return yield* Effect.orDie(Effect.try(() => JSON.parse(text.value) as Schema.Json)) // Hash-checked above.
  })

  const answer = Effect.fnUntraced(function*<Args, A, E, R>(
    action: Action<Args, A, E, R>,
    call: Call,
    { body, seq }: NonNullable<Recorded["outcome"]>,
    from: Recorded["from"]
  ): Effect.fn.Return<Outcome<A>, E | GovernorError> {
    if (body.status === "timed_out") return yield* fail(action, new TimedOut({ timeoutMs: action.timeoutMs }))
    if (body.status === "crashed") {
      return yield* fail(
        action,
        // What a session before this one broke down of is answered as it was: it is not asked for anew.
        new HandlerBroken({ detail: body.resultPreview, ...from === undefined ? { outcome: seq } : {} })
      )
    }
    const json = yield* kept(action, call, body.result)
    const broken = (detail: string) => fail(action, new HandlerBroken({ detail }))
    if (body.status === "failed") {
      return yield* Effect.flatMap(Effect.catch(action.failure.decode(json), broken), Effect.fail)
    }
    const value = yield* Effect.catch(action.success.decode(json), broken)
    return { value, stamp: Row.stamp({ session: from ?? call.session.id, seq }), trust: body.trust }
  })

  /** What somebody said of a lost outcome: the result they gave, or that there is none to go on with. */
  const said = Effect.fnUntraced(function*<Args, A, E, R>(
    action: Action<Args, A, E, R>,
    call: Call,
    { body, seq }: NonNullable<Recorded["settled"]>,
    from: Recorded["from"]
  ): Effect.fn.Return<Outcome<A>, GovernorError> {
    if (body.result !== null) {
      const json = yield* kept(action, call, body.result)
      const broken = (detail: string) => fail(action, new HandlerBroken({ detail }))
      const value = yield* Effect.catch(action.success.decode(json), broken)
      const trust = Label.overall(Received.declaredOf(action.trust, body.detected))
      return { value, stamp: Row.stamp({ session: from ?? call.session.id, seq }), trust }
    }
    const happened = body.choice === "done"
    const remedy = happened ? "go on without its result" : "ask for it again if it is still wanted"
    return yield* fail(action, new Settled({ happened, by: body.by, detail: body.reason, remedy }))
  })

  return { answer, said }
}

/** What is known of an attempt whose end was written. */
export const lostBy = ({ computeMs, resultPreview, status }: typeof Row.Outcome.Type): string =>
  status === "timed_out" ? `it ran out of time after ${computeMs} ms` : `it ${status}: ${resultPreview}`

/** Whether the run ends here in any case: it was interrupted, or an act inside the handler ended it. */
export const isOver = (cause: Cause.Cause<unknown>): boolean => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  return error === undefined ? Cause.hasInterruptsOnly(cause) : error instanceof GovernorError && endsRun(error.reason)
}

/** What the log keeps of how an act ended, before it is text. */
export interface Recordable {
  readonly status: (typeof Row.Outcome.Type)["status"]
  readonly json: Schema.Json | undefined
  readonly detail: string
}

/** What the log keeps of how an act ended. */
export const record = Effect.fnUntraced(function*<Args, A, E, R>(
  action: Action<Args, A, E, R>,
  ran: Exit.Exit<A, E | GovernorError>
): Effect.fn.Return<Recordable> {
  if (Exit.isSuccess(ran)) {
    return yield* Effect.match(action.success.encode(ran.value), {
      onFailure: (detail): Recordable => ({
        status: "crashed",
        json: undefined,
        detail: `its result does not fit: ${detail}`
      }),
      onSuccess: (json): Recordable => ({ status: "succeeded", json, detail: "" })
    })
  }
  const error = Cause.findErrorOption(ran.cause)
  if (Option.isSome(error)) {
    if (error.value instanceof GovernorError) {
      const status = error.value.reason._tag === "TimedOut" ? "timed_out" : "interrupted"
      return { status, json: undefined, detail: error.value.message }
    }
    return yield* Effect.match(action.failure.encode(error.value), {
      onFailure: (detail): Recordable => ({
        status: "crashed",
        json: undefined,
        detail: `its error does not fit: ${detail}`
      }),
      onSuccess: (json): Recordable => ({ status: "failed", json, detail: "" })
    })
  }
  return Cause.hasInterruptsOnly(ran.cause)
    ? { status: "interrupted", json: undefined, detail: "interrupted" }
    : { status: "crashed", json: undefined, detail: Redact.preview(String(Cause.squash(ran.cause))) }
})
