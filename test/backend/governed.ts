/** One model call as an act of an actor, with prices that are easy to count: a micro-dollar a token in, ten a token out. */
import { Effect, Layer, Result, Schema } from "effect"
import { Prompt } from "effect/ai"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Backend } from "../../src/backend/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Prices } from "../../src/cost/index.ts"
import { Store } from "../../src/governor/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

const prices = Layer.succeed(Prices.Prices, {
  asOf: "2026-01-01",
  price: (_, __, { input, output }) => Result.succeed(input + 10 * output)
})

const Weather = Tool.make("weather", {
  description: "the weather in a city",
  capabilities: [],
  params: Schema.Struct({ city: Schema.String }),
  success: Schema.String
})

/** Makes the call; gives its turn or the kind of its error, what was reserved for it, and the account after it. */
export const governed = (
  backend: Backend.Backend<Backend.Name>,
  way: "whole" | "streamed",
  hear: (piece: Backend.Heard) => Effect.Effect<void> = () => Effect.void,
  budgetMicroUsd = 10_000_000
) =>
  Effect.gen(function*() {
    let turn: Backend.Turn | undefined
    let error: string | undefined
    const Ask = Tool.make("ask", {
      description: "",
      capabilities: [`backend:${backend.name}`],
      params: Schema.Unknown,
      success: Schema.Unknown
    })
    const Asker = DeterministicActor.make("Asker", {
      description: "asks once",
      input: Schema.Null,
      output: Schema.Null,
      tools: [Ask],
      run: () =>
        Effect.gen(function*() {
          const request = { prompt: Prompt.make("Hi"), tools: [Weather] }
          const call = way === "whole"
            ? Backend.generate(backend, request)
            : Backend.stream(backend, request, hear)
          yield* Effect.match(call, {
            onFailure: (failed) => {
              error = failed._tag === "UnknownModel" ? failed._tag : failed.reason._tag
            },
            onSuccess: ({ value }) => {
              turn = value
            }
          })
          return null
        })
    })
    const grant = Grant.make([`backend:${backend.name}`], { budgetMicroUsd })
    const { session } = yield* Dispatch.Dispatch.use((dispatch) =>
      dispatch.start(Asker, null, { grant, caller: "ada" })
    ).pipe(Effect.provide(Actor.layer(Asker).pipe(Layer.provide(prices))))
    const rows = yield* Log.Log.use((log) => log.rows(session))
    const model = `model:${backend.name}`
    const reserved = rows.flatMap(({ body }) =>
      body.kind === "intent" && body.act === model ? [body.reservedMicroUsd] : []
    )[0] ?? 0
    const accounts = yield* Store.Store.use((store) => store.accounts)
    return { turn, error, reserved, rows, account: accounts.find(({ id }) => id === `session:${session}`) }
  }).pipe(Effect.provide(Memory.layer()))
