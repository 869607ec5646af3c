/** Who is let in, and with what kind of body: what is found out before an operation is asked for. */
import { Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { Asker } from "../../operator/index.ts"
import * as Kept from "../Kept.ts"
import { Access, StillIn } from "./Access.ts"
import { Entrance } from "./Entrance.ts"
import { isDeeper, type Limits } from "./Limits.ts"
import * as Problem from "./Problem.ts"

/** By the entrance of the server. */
export const layer = ({ depth }: Pick<Limits, "depth">): Layer.Layer<Access, never, Entrance> =>
  Layer.effect(
    Access,
    Effect.map(Entrance, ({ enter }) =>
      Access.of({
        // The entrance reads the header itself: a token is one of several ways to show who asks.
        bearer: (effect, { endpoint, group }) =>
          Effect.gen(function*() {
            const { asker, isIn } = yield* enter
            yield* readable(depth, hashed.get(`${group.identifier}.${endpoint.identifier}`))
            return yield* effect.pipe(
              Effect.provideService(Asker.Asker, asker),
              Effect.provideService(StillIn, { isIn })
            )
          })
      }))
  )

// internal

/** Members of bodies that are kept as values of their own, by their hash: those may hold any text. */
const hashed: ReadonlyMap<string, string> = new Map([["sessions.dispatch", "input"], ["unknown.settle", "result"]])

/**
 * A body that goes too deep is not read any further: what decodes it calls itself for each level. Nor is one with a text that
 * cannot be kept.
 */
const readable = (levels: number, except: string | undefined) =>
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
    const fault = Kept.faultIn(text, except)
    if (fault !== null) {
      return yield* new Problem.Malformed({
        detail: "the body holds a text that cannot be kept",
        remedy: `send ${Kept.expected}`,
        errors: [{ path: ["body", ...fault.map((name) => name.toWellFormed())], message: `Expected ${Kept.expected}` }]
      })
    }
  })
