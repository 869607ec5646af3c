/** The HTTP door, put together over the services of the process that holds the data; a server listens for it elsewhere. */
import { Clock, Effect, Layer, Schedule } from "effect"
import { HttpMiddleware, HttpRouter, HttpServer, HttpServerRespondable } from "effect/http"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import { McpHttp, Offer } from "../../door/mcp/index.ts"
import { Governor, Store } from "../../governor/index.ts"
import { Desk, Requests } from "../../operator/index.ts"
import * as Answers from "./Answers.ts"
import { Api } from "./Api.ts"
import * as Entrance from "./Entrance.ts"
import * as Entry from "./Entry.ts"
import * as Handlers from "./Handlers.ts"
import { type Limits, standard } from "./Limits.ts"
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
      HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(Layer.provide(Handlers.layer(ready, all))),
      HttpApiScalar.layer(Api, { path: "/docs" })
    ).pipe(Layer.provide(Layer.merge(Entry.layer(all), Repeats.layer(all))))
    const mcp = mcpOf({ ...places, depth: all.depth })
    const app = yield* HttpRouter.toHttpEffect(Layer.provide(Layer.merge(routes, mcp), Entrance.layer(all)))
    return Layer.merge(HttpServer.serve(Answers.all(mode, all)(app)), forgetting)
  })).pipe(Layer.provide(untraced))
}

// internal

/** The MCP server, over the same desk and behind the same entrance. */
const mcpOf = (options: McpHttp.Options) =>
  Layer.unwrap(Effect.gen(function*() {
    const { enter } = yield* Entrance.Entrance
    const asker = Effect.matchEffect(enter, {
      onFailure: (problem) => Effect.flatMap(HttpServerRespondable.toResponse(problem), Effect.fail),
      onSuccess: ({ asker }) => Effect.succeed(asker)
    })
    return McpHttp.routes(Offer.layer(yield* Desk.Desk), asker, options)
  }))

/** Spans say where a request went: one that has a token in its URL, where none belongs, leaves no span. */
const untraced = Layer.succeed(HttpMiddleware.TracerDisabledWhen, ({ url }) => tokenLike.test(url))
/** A token of ours, or anything signed, as it stands or with its characters escaped. */
const tokenLike = /aosiq(?:_|%5f)|eyJ|[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}/i

/** Keys are not remembered for ever. */
const forgetting = Layer.effectDiscard(Effect.gen(function*() {
  const requests = yield* Requests.Requests
  const forget = Effect.flatMap(Clock.currentTimeMillis, (now) => requests.forget(now - Requests.keptMs))
  yield* Effect.ignore(forget, { log: "Warn" }).pipe(Effect.repeat(Schedule.spaced("1 hour")), Effect.forkScoped)
}))
