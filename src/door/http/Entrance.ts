/**
 * Who makes a request, found out in one place for everything that this server serves. Whoever serves something else than the
 * API under the same address asks here too, so that the same limits hold.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import type { Asker } from "../../operator/index.ts"
import { Callers } from "../../session/index.ts"
import { counting, type Limits } from "./Limits.ts"
import * as Problem from "./Problem.ts"

/** Somebody who was let in. */
export interface Entered {
  readonly asker: Asker.Identity
  /** Whether they still are: for answers that take long. Who cannot be asked for it just now still is. */
  readonly isIn: Effect.Effect<boolean>
}

/** Lets requests in. */
export class Entrance extends Context.Service<Entrance, {
  /** Who makes the request; a problem to answer it with when nobody does who is let in, or does too often. */
  readonly enter: Effect.Effect<Entered, Problem.Problem, HttpServerRequest.HttpServerRequest>
}>()("aosiq/door/http/Entrance") {}

/** Over the callers of the installation. */
export const layer = (limits: Limits): Layer.Layer<Entrance, never, Callers.Callers> =>
  Layer.effect(
    Entrance,
    Effect.gen(function*() {
      const callers = yield* Callers.Callers
      const take = counting(limits)
      const enter = Effect.gen(function*() {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        const token = Redacted.make(bearerIn(headers.authorization))
        const { ceiling, name, role } = yield* Effect.mapError(callers.authenticate(token), turnedAway)
        const seconds = take(name, yield* Clock.currentTimeMillis)
        if (seconds > 0) {
          return yield* new Problem.TooMany({
            detail: `${name} asks more than ${limits.perSecond} times a second`,
            remedy: `ask again in ${seconds} s`,
            retryAfterSeconds: seconds
          })
        }
        const isIn = Effect.match(callers.authenticate(token), {
          onFailure: ({ reason }) => reason._tag !== "NotKnown",
          onSuccess: () => true
        })
        return { asker: { name, role, ceiling }, isIn }
      })
      return Entrance.of({ enter })
    })
  )

// internal

/** The token of an `Authorization` header; empty when it has none. Source: RFC 6750 §2.1. */
const bearerIn = (header: string | undefined): string => /^bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? ""

const turnedAway = ({ reason }: Callers.CallerError): Problem.Problem => {
  if (reason._tag === "InsideActor") return new Problem.Refused({ detail: "actors are not let in" })
  const { detail, remedy } = reason
  return reason._tag === "Unrecorded"
    ? new Problem.Unavailable({ detail, remedy })
    : new Problem.Unauthenticated({ detail, remedy })
}
