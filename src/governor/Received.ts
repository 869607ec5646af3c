/**
 * What is done with a value before it is recorded and anybody goes on with it. Secrets are taken out of it, so that none
 * reaches a log, a model or an export: whoever asked gets what is recorded, in this run as in each that comes after. Then
 * detectors look at it, all of it in pieces, and give way to others between two. What they find is recorded with it, and what
 * is suspicious is a stranger's, whatever its tool declares; the value stays as it is.
 */
import { Cause, Context, Effect, Exit, Option, type Schema } from "effect"
import type { Row } from "../audit/index.ts"
import { Detect, Detected, Label, Redact } from "../trust/index.ts"
import type { Action, Codec } from "./Action.ts"
import type { Recordable } from "./Answers.ts"
import { GovernorError } from "./Refusal.ts"
import { isModel } from "./Session.ts"

/** What finds something in a text; read once, where the Governor is built. */
export const Current = Context.Reference<Detected.Scan>("aosiq/governor/Received/Current", {
  defaultValue: () => Detect.scan
})

/** The value without its secrets, and as it is decoded from that. A failure says why what is left does not fit. */
export const cleaned = <A>(
  codec: Codec<A>,
  json: Schema.Json,
  value: A
): Effect.Effect<{ readonly json: Schema.Json; readonly value: A }, string> => {
  const clean = Redact.json(json)
  return clean === json
    ? Effect.succeed({ json, value })
    : Effect.mapBoth(codec.decode(clean), {
      onFailure: (detail) => `it does not fit without the secrets in it: ${Redact.preview(detail)}`,
      onSuccess: (value) => ({ json: clean, value })
    })
}

/** How an act ended, without secrets: for the log, and for whoever asked. */
export const ended = <Args, A, E, R>(
  action: Action<Args, A, E, R>,
  result: Recordable,
  ran: Exit.Exit<A, E | GovernorError>
): Effect.Effect<{ readonly result: Recordable; readonly ran: Exit.Exit<A, E | GovernorError> }> => {
  const { json } = result
  if (json === undefined || isModel(action.capabilities)) return Effect.succeed({ result, ran })
  const error = Exit.isFailure(ran) ? Option.getOrUndefined(Cause.findErrorOption(ran.cause)) : undefined
  type Ended = Effect.Effect<{ readonly json: Schema.Json; readonly ran: Exit.Exit<A, E | GovernorError> }, string>
  const clean: Ended = Exit.isSuccess(ran)
    ? Effect.map(cleaned(action.success, json, ran.value), ({ json, value }) => ({ json, ran: Exit.succeed(value) }))
    : error === undefined || error instanceof GovernorError
    ? Effect.succeed({ json, ran })
    : Effect.map(cleaned(action.failure, json, error), ({ json, value }) => ({ json, ran: Exit.fail(value) }))
  return Effect.match(clean, {
    onFailure: (detail) => ({ result: { status: "crashed" as const, json: undefined, detail }, ran }),
    onSuccess: ({ json, ran }) => ({ result: { ...result, json }, ran })
  })
}

/** What detectors find in a value; `undefined` for nothing. */
export const look = Effect.fnUntraced(function*(
  scan: Detected.Scan,
  json: Schema.Json | undefined
): Effect.fn.Return<Row.Detected | undefined> {
  if (json === undefined) return undefined
  const { pieces, unread } = Detected.pieces(json)
  const [only] = pieces
  if (pieces.length === 1 && only !== undefined) return Detected.together([[only, scan(only.text)]], unread)
  const looked = yield* Effect.forEach(
    pieces,
    (piece) => Effect.andThen(Effect.yieldNow, Effect.sync(() => [piece, scan(piece.text)] as const))
  )
  return Detected.together(looked, unread)
})

/** What is recorded of how far a result is to be trusted. */
export const labelled = (
  declared: Label.Declared,
  readers: Label.ReadersByField | undefined,
  detected: Row.Detected | undefined
): Pick<typeof Row.Outcome.Type, "trust" | "fields" | "readers" | "detected"> => ({
  trust: detected?.isSuspicious === true ? "untrusted" : Label.overall(declared),
  ...(typeof declared === "string" || detected?.isSuspicious === true ? {} : { fields: declared }),
  ...(readers === undefined ? {} : { readers }),
  ...(detected === undefined ? {} : { detected })
})

/** What a result is taken for. */
export const declaredOf = (declared: Label.Declared, detected: Row.Detected | undefined): Label.Declared =>
  detected?.isSuspicious === true ? "untrusted" : declared

/** What an act's words are taken for: those of one that did not succeed have no fields. */
export const declaredBy = (
  status: typeof Row.Outcome.Type["status"],
  declared: Label.Declared,
  detected: Row.Detected | undefined
): Label.Declared => {
  const known = declaredOf(declared, detected)
  return status === "succeeded" ? known : Label.overall(known)
}
