/** The HTTP door, put together over the services of the process that holds the data; a server listens for it elsewhere. */
import { Clock, Effect, Layer, Schedule } from "effect"
import { HttpMiddleware, HttpRouter, HttpServer, HttpServerRespondable } from "effect/http"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import { McpHttp, News, Offer } from "../../door/mcp/index.ts"
import { Governor, type Mode, type Store } from "../../governor/index.ts"
import { Desk, Requests } from "../../operator/index.ts"
import { Issuers } from "../../session/index.ts"
import * as Streams from "../Streams.ts"
import * as Answers from "./Answers.ts"
import { Api, Standing } from "./Api.ts"
import * as Entrance from "./Entrance.ts"
import * as Entry from "./Entry.ts"
import * as Handlers from "./Handlers.ts"
import { type Limits, standard } from "./Limits.ts"
import { ready } from "./Ready.ts"
import * as Repeats from "./Repeats.ts"

/** How the MCP server is kept; the rest of it follows from the limits. */
export type McpPlaces = Pick<McpHttp.Options, "hosts" | "origins" | "version" | "isEncrypted">

/**
 * Serves the API at `/v1`, its definition at `/openapi.json`, and a page to read it at `/docs`; and the MCP server at `/mcp`.
 */
export const layer = (
  limits: Partial<Limits> = {},
  places: McpPlaces = { hosts: [], origins: [], version: "0", isEncrypted: false }
) => {
  const all = { ...standard, ...limits }
  return Layer.unwrap(Effect.gen(function*() {
    const { mode } = yield* Governor
    const whether = Effect.provideContext(ready, yield* Effect.context<Store.Store>())
    const routes = Layer.merge(
      HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(Layer.provide(Handlers.layer(whether))),
      HttpApiScalar.layer(Api, { path: "/docs", scalar: page })
    ).pipe(Layer.provide(Layer.merge(Entry.layer(all), Repeats.layer(all))))
    const mcp = mcpOf({ ...places, depth: all.depth })
    const app = yield* HttpRouter.toHttpEffect(
      Layer.provide(Layer.merge(routes, mcp), Layer.merge(Entrance.layer(all), Streams.layer(all.streams)))
    )
    return Layer.merge(HttpServer.serve(Answers.all(Api, mode, all)(app)), forgetting)
  })).pipe(Layer.provide(untraced))
}

/** Serves `/v1/health` and `/v1/ready` alone, for a process that serves no callers, and its definition. */
export const layerStanding = (whether: Effect.Effect<string | null>, mode: Mode.Mode) => {
  const routes = HttpApiBuilder.layer(Standing, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide(Handlers.system(whether))
  )
  return Layer.unwrap(Effect.map(
    HttpRouter.toHttpEffect(routes),
    (app) => HttpServer.serve(Answers.all(Standing, mode, standard)(app))
  ))
}

// internal

/** The page loads nothing from elsewhere and has no button that sends the definition there. Its reader shows a token. */
const page = {
  withDefaultFonts: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  telemetry: false,
  favicon: "data:,",
  authentication: { preferredSecurityScheme: "bearer" }
} as const

/** The MCP server, over the same desk and behind the same entrance. */
const mcpOf = (options: Omit<McpHttp.Options, "signIn">) =>
  Layer.unwrap(Effect.gen(function*() {
    const { enter } = yield* Entrance.Entrance
    const { hold } = yield* Streams.Streams
    const desk = yield* Desk.Desk
    const { signIn } = yield* Issuers.Current
    const entering = Effect.catch(
      enter,
      (problem) => Effect.flatMap(HttpServerRespondable.toResponse(problem), Effect.fail)
    )
    return McpHttp.routes(Offer.layer(desk), News.make(desk), { enter: entering, hold }, { ...options, signIn })
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
