/** An embedded runtime with the advisor on it, over the sources that an order names. */
import { NodeServices } from "@effect/platform-node"
import { ConfigProvider, Context, Effect, Layer, Ref } from "effect"
import { HttpServer } from "effect/http"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { type Advice, baseline } from "../../src/agents/advisor/index.ts"
import { type Order, type RunnerOrder, RuntimeError, type ServeOrder } from "../../src/door/cli/index.ts"
import { ready } from "../../src/door/http/index.ts"
import { Dispatch, Schedules } from "../../src/session/index.ts"
import { request as readRequest } from "../casefolder/index.ts"
import { HttpDoor } from "../http/index.ts"
import { OidcIssuers } from "../oidc/index.ts"
import { acquire } from "../pglite/index.ts"
import { AdvisorPreset, Distributed, Embedded } from "../presets/index.ts"
import { SqlRequests } from "../sql/index.ts"
import * as Backends from "./Backends.ts"
import * as Sources from "./Sources.ts"

export { subject } from "./Sources.ts"

/** What a process that only serves operators can diagnose: this host, by rules. */
export const standard: Order = {
  symptom: undefined,
  caseFolder: undefined,
  logs: [],
  config: undefined,
  baseline: undefined,
  prometheus: undefined,
  postgres: undefined,
  backend: "offline",
  model: undefined,
  fallbacks: [],
  ticket: null,
  budgetMicroUsd: 0,
  prices: undefined
}

/**
 * Runs for as long as the scope is open; `diagnose` starts the diagnosis in the name of a caller, and `sweeping` what
 * schedules come to.
 */
export const boot = Effect.fnUntraced(function*(folder: string, order: Order) {
  const request = yield* Effect.provideContext(requestOf(order), yield* Layer.build(NodeServices.layer))
  const backend = yield* Backends.of(order)
  const { diagnosis, layer } = yield* AdvisorPreset.make(backend)
  const context = yield* Layer.build(
    Embedded.layerControl(folder).pipe(
      Layer.provideMerge(layer),
      Layer.provideMerge(Embedded.layer(folder)),
      Layer.provide(Sources.layer(order)),
      Layer.provideMerge(NodeServices.layer),
      Layer.provide(pricesOf(order))
    )
  )
  const dispatch = yield* Effect.provideContext(Dispatch.Dispatch, context)
  const grant = AdvisorPreset.grant(order.budgetMicroUsd)
  const diagnose = (caller: string) =>
    Effect.provideContext(
      dispatch.start(diagnosis, { request, ticket: order.ticket }, { grant, caller }),
      context
    )
  return { context, dispatch, diagnose, sweeping: Effect.provideContext(Schedules.sweeping, context) }
})

/** The same, at work: what was left behind goes on, and schedules start what is due. */
export const working = Effect.fnUntraced(
  function*(folder: string, reasoning: Omit<ServeOrder, "host" | "port" | "mcp" | "tls">) {
    const { context, dispatch, sweeping } = yield* boot(folder, { ...standard, ...reasoning })
    yield* Effect.forkScoped(sweeping)
    yield* Effect.forkScoped(
      Effect.ignore(dispatch.recover, { log: "Warn", message: "not every earlier session could go on" })
    )
    return context
  }
)

/** The same, with its door by HTTP open. */
export const serve = Effect.fnUntraced(function*(folder: string, { host, mcp, port, tls, ...reasoning }: ServeOrder) {
  const context = yield* working(folder, reasoning)
  const server = yield* Layer.build(
    HttpDoor.layer({ host, port, mcp, tls }).pipe(
      Layer.provide(OidcIssuers.layerConfig),
      Layer.provide(SqlRequests.layer),
      Layer.provide(Layer.succeedContext(context))
    )
  )
  return { url: HttpDoor.urlOf(Context.get(server, HttpServer.HttpServer), tls) }
})

/**
 * Joins the runners over a database, with the same actors; operators reach it through the folder. Whoever asks for its health
 * is answered before it is up, and while it goes down.
 */
export const runner = Effect.fnUntraced(function*(folder: string, { database, health, place }: RunnerOrder) {
  const whether = yield* Ref.make<Effect.Effect<string | null>>(Effect.succeed("it is starting"))
  const url = health === undefined ? null : yield* standing(health, Effect.flatten(Ref.get(whether)))
  yield* acquire(folder)
  const { layer } = yield* AdvisorPreset.make(yield* baseline)
  const context = yield* Layer.build(
    Layer.merge(Embedded.layerControl(folder), Distributed.layerSchedules).pipe(
      Layer.provideMerge(layer),
      Layer.provideMerge(Distributed.layer({ folder, url: database, place })),
      Layer.provide(Sources.layer(standard)),
      Layer.provideMerge(NodeServices.layer)
    )
  )
  yield* Ref.set(whether, Effect.provideContext(ready, context))
  yield* Effect.addFinalizer(() => Ref.set(whether, Effect.succeed("it is going down")))
  return { health: url }
})

// internal

const standing = Effect.fnUntraced(
  function*(place: { readonly host: string; readonly port: number }, whether: Effect.Effect<string | null>) {
    const server = yield* Layer.build(HttpDoor.layerStanding(place, whether))
    return HttpDoor.urlOf(Context.get(server, HttpServer.HttpServer))
  }
)

/** The file of prices that was named, as the setting would name it. */
const pricesOf = ({ prices }: Order) =>
  prices === undefined
    ? Layer.empty
    : ConfigProvider.layerAdd(ConfigProvider.fromUnknown({ AOSIQ_PRICES: prices }), { asPrimary: true })

/** What was noticed: in the words of whoever starts, else as it was reported with the case. */
const requestOf = Effect.fnUntraced(function*({ caseFolder, symptom }: Order) {
  const title = symptom ?? "Is anything wrong, and what should people do about it?"
  if (caseFolder === undefined) return { title, description: "" }
  if (!existsSync(caseFolder)) {
    return yield* new RuntimeError({
      detail: `there is no case in ${caseFolder}`,
      remedy: "name its folder with --case"
    })
  }
  if (!existsSync(join(caseFolder, "alert.json"))) return { title, description: "" }
  const alert = yield* readRequest(caseFolder)
  return { title: symptom ?? alert.title, description: alert.description } satisfies typeof Advice.Request.Type
})
