/** The HTTP door, put together over the services of the process that holds the data; a server listens for it elsewhere. */
import { Clock, Effect, Layer, Schedule } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import { McpHttp, Offer } from "../../door/mcp/index.ts"
import { Governor, Store } from "../../governor/index.ts"
import { Desk, Requests } from "../../operator/index.ts"
import * as Answers from "./Answers.ts"
import { Api } from "./Api.ts"
import * as Entry from "./Entry.ts"
import * as Handlers from "./Handlers.ts"
import { counting, type Limits, standard } from "./Limits.ts"
import * as Repeats from "./Repeats.ts"

/** How the MCP server is kept; the rest of it follows from the limits. */
export type McpPlaces = Pick<McpHttp.Options, "hosts" | "origins" | "version">

/**
 * Serves the API at `/v1`, its definition at `/openapi.json`, and a page to read it at `/docs`; and the MCP server at `/mcp`.
 */
export const layer = (
  limits: Partial<Limits> = {},
  places: McpPlaces = { hosts: [], origins: [], version: "0" }
) => {
  const all = { ...standard, ...limits }
  return Layer.unwrap(Effect.gen(function*() {
    const { mode } = yield* Governor
    const store = yield* Store.Store
    const ready = Effect.match(store.record({ kind: "caller", id: "" }), {
      onFailure: () => "the log does not answer",
      onSuccess: () => null
    })
    const routes = Layer.merge(
      HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(Layer.provide(Handlers.layer(ready))),
      HttpApiScalar.layer(Api, { path: "/docs" })
    ).pipe(Layer.provide(Layer.merge(Entry.layer(all), Repeats.layer(all))))
    const mcp = McpHttp.routes(Offer.layer(yield* Desk.Desk), yield* McpHttp.entrance, {
      ...places,
      depth: all.depth,
      take: counting(all)
    })
    const app = yield* HttpRouter.toHttpEffect(Layer.merge(routes, mcp))
    return Layer.merge(HttpServer.serve(Answers.all(mode, all)(app)), forgetting)
  }))
}

// internal

/** Keys are not remembered for ever. */
const forgetting = Layer.effectDiscard(Effect.gen(function*() {
  const requests = yield* Requests.Requests
  const forget = Effect.flatMap(Clock.currentTimeMillis, (now) => requests.forget(now - Requests.keptMs))
  yield* Effect.ignore(forget, { log: "Warn" }).pipe(Effect.repeat(Schedule.spaced("1 hour")), Effect.forkScoped)
}))
