/** Who is let in, how often, and with what kind of body: what is found out before an operation is asked for. */
import { Clock, Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { Asker } from "../../operator/index.ts"
import { Callers } from "../../session/index.ts"
import { Access, StillIn } from "./Access.ts"
import { counting, isDeeper, type Limits } from "./Limits.ts"
import * as Problem from "./Problem.ts"

/** Over the callers of the installation. */
export const layer = (limits: Limits): Layer.Layer<Access, never, Callers.Callers> =>
  Layer.effect(
    Access,
    Effect.gen(function*() {
      const callers = yield* Callers.Callers
      const take = counting(limits)
      return Access.of({
        bearer: (effect, { credential }) =>
          Effect.gen(function*() {
            const { ceiling, name, role } = yield* Effect.mapError(callers.authenticate(credential), turnedAway)
            const seconds = take(name, yield* Clock.currentTimeMillis)
            if (seconds > 0) {
              return yield* new Problem.TooMany({
                detail: `${name} asks more than ${limits.perSecond} times a second`,
                remedy: `ask again in ${seconds} s`,
                retryAfterSeconds: seconds
              })
            }
            yield* shallow(limits.depth)
            const isIn = Effect.match(callers.authenticate(credential), {
              onFailure: ({ reason }) => reason._tag !== "NotKnown",
              onSuccess: () => true
            })
            return yield* effect.pipe(
              Effect.provideService(Asker.Asker, { name, role, ceiling }),
              Effect.provideService(StillIn, { isIn })
            )
          })
      })
    })
  )

// internal

const turnedAway = ({ reason }: Callers.CallerError): Problem.Problem => {
  if (reason._tag === "InsideActor") return new Problem.Refused({ detail: "actors are not let in" })
  const { detail, remedy } = reason
  return reason._tag === "Unrecorded"
    ? new Problem.Unavailable({ detail, remedy })
    : new Problem.Unauthenticated({ detail, remedy })
}

/** A body that goes too deep is not read any further: what decodes it calls itself for each level. */
const shallow = (levels: number) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (request.method !== "POST") return
    const text = yield* Effect.orDie(request.text)
    if (isDeeper(text, levels)) {
      return yield* new Problem.Malformed({
        detail: `the body goes deeper than ${levels} levels`,
        remedy: "send it flatter"
      })
    }
  })
