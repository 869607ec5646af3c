/**
 * Requests under a key are carried out once: asked again, they are answered as they were. What came to nothing leaves the
 * key free. A request that began and was never answered is not carried out again: what became of it, its caller has to look
 * up. A dispatch or a fork is the exception, for its key names the session that it opens.
 */
import { Cause, Clock, Effect, Exit, Layer, Option } from "effect"
import { HttpServerRequest, HttpServerRespondable, HttpServerResponse } from "effect/http"
import { Digest } from "../../audit/index.ts"
import { Asker, Requests } from "../../operator/index.ts"
import { Once, ToldOnce } from "./Access.ts"
import type { Limits } from "./Limits.ts"
import * as Problem from "./Problem.ts"

/** Says that an answer is a repeated one. */
export const header = "idempotent-replayed"

/** Both kinds, over what is kept of requests. */
export const layer = ({ timeMs }: Pick<Limits, "timeMs">) =>
  Layer.mergeAll(
    Layer.effect(Once, Effect.map(carryingOut(timeMs), (once) => Once.of(once(true)))),
    Layer.effect(ToldOnce, Effect.map(carryingOut(timeMs), (once) => ToldOnce.of(once(false))))
  )

// internal

/** What may be carried out again: its key names the session that it opens. */
const opens: ReadonlySet<string> = new Set(["dispatch", "fork"])

const carryingOut = (timeMs: number) =>
  Effect.gen(function*() {
    const requests = yield* Requests.Requests
    const digest = yield* Digest.Digest
    return (isKept: boolean) =>
    <E>(
      effect: Effect.Effect<HttpServerResponse.HttpServerResponse, E>,
      { endpoint }: { readonly endpoint: { readonly identifier: string } }
    ) =>
      Effect.gen(function*() {
        const { headers, method, text, url } = yield* HttpServerRequest.HttpServerRequest
        const key = headers["idempotency-key"]
        // One that is too long or empty is turned down where the request is decoded.
        if (key === undefined || key === "" || key.length > 200) return yield* effect
        const { name: caller } = yield* Asker.Asker
        const at = yield* Clock.currentTimeMillis
        const fingerprint = digest.sha256(JSON.stringify([method, url, yield* Effect.orDie(text)]))
        const request = { caller, key, fingerprint, at }
        const known = yield* Effect.mapError(requests.begin(request), unavailable)
        const isAgain = known._tag === "Begun" && known.fingerprint === fingerprint &&
          opens.has(endpoint.identifier) && at - known.at > timeMs
        if (known._tag !== "New" && !isAgain) return yield* again(known, request, timeMs)
        const exit = yield* Effect.exit(effect)
        const answer = Exit.isSuccess(exit) ? exit.value : yield* refusalIn(exit.cause)
        if (answer === undefined) {
          if (isNothingDone(exit)) yield* Effect.mapError(requests.release(request), unavailable)
          return yield* exit
        }
        yield* Effect.ignore(requests.finish(request, isKept ? kept(answer) : null), {
          log: "Warn",
          message: "an answer could not be kept: asked again, the request is told to have begun"
        })
        return answer
      })
  })

type Known = Exclude<Requests.Known, { readonly _tag: "New" }>

const again = (known: Known, { at, fingerprint }: Requests.Request, timeMs: number) => {
  if (known.fingerprint !== fingerprint) {
    const detail = "the key was used before, for another request"
    return Effect.fail(new Problem.Invalid({ detail, remedy: "take another key" }))
  }
  switch (known._tag) {
    case "Answered": {
      const { body, contentType, status } = known.answer
      return Effect.succeed(HttpServerResponse.text(body, { status, contentType, headers: { [header]: "true" } }))
    }
    case "Told":
      return Effect.fail(
        new Problem.Conflict({
          detail: "the request was carried out, and what it gave is told once",
          remedy: "ask anew, under another key"
        })
      )
    case "Begun":
      return Effect.fail(
        at - known.at <= timeMs
          ? new Problem.Conflict({ detail: "the request is under way", remedy: "ask again a little later" })
          : new Problem.Conflict({
            detail: "the request began, and whether it took effect is not known",
            remedy: "look how things stand, and use another key if it did not"
          })
      )
  }
}

/** What a request was refused with for good, as a response: the next one under its key is answered the same. */
const refusalIn = (cause: Cause.Cause<unknown>) => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  return error instanceof Problem.Missing || error instanceof Problem.Conflict || error instanceof Problem.Invalid
    ? HttpServerRespondable.toResponse(error)
    : Effect.undefined
}

/** A typed error says that nothing was done; a defect or an interruption says nothing of the kind. */
const isNothingDone = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Option.isSome(Cause.findErrorOption(exit.cause))

/** Answers to what has an effect are all whole, and never streams. */
const kept = ({ body, status }: HttpServerResponse.HttpServerResponse): Requests.Answer | null =>
  body._tag === "Uint8Array"
    ? { status, contentType: body.contentType, body: new TextDecoder().decode(body.body) }
    : null

const unavailable = ({ detail, remedy }: Requests.RequestsError) => new Problem.Unavailable({ detail, remedy })
