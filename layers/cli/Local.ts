/** The command line's runtime on this machine: an embedded runtime in this process, or the socket of the one that runs. */
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer, Result } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { userInfo } from "node:os"
import { join } from "node:path"
import { type Advice, baseline } from "../../src/agents/advisor/index.ts"
import { Bundle, Note } from "../../src/audit/index.ts"
import type { Order } from "../../src/door/cli/index.ts"
import { Runtime, RuntimeError } from "../../src/door/cli/index.ts"
import { Explain } from "../../src/operator/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { request as readRequest } from "../casefolder/index.ts"
import { Control } from "../control/index.ts"
import { Ed25519, NodeDigest } from "../node/index.ts"
import { holder } from "../pglite/index.ts"
import { AdvisorPreset, Embedded } from "../presets/index.ts"
import * as Sources from "./Sources.ts"

/** Who sits at the keyboard. */
export const user = (): string => `local:${userInfo().username}`

/** The runtime of the command line. */
export const layer: Layer.Layer<Runtime> = Layer.succeed(Runtime, {
  open: (folder) =>
    Effect.gen(function*() {
      if (holder(folder) === undefined) {
        if (!existsSync(join(folder, "pg"))) {
          return yield* new RuntimeError({
            detail: `there is no data in ${folder}`,
            remedy: "start there first with `aosiq start`, or name the folder with --data"
          })
        }
        yield* boot(folder, standard)
      }
      return yield* Control.connect(folder)
    }).pipe(Effect.mapError(explained)),

  start: (folder, order) =>
    Effect.gen(function*() {
      const { context, diagnosis } = yield* boot(folder, order)
      const client = yield* Control.connect(folder)
      const request = order.caseFolder === undefined ? order.request : yield* Effect.provideContext(recorded(order.caseFolder), context)
      const diagnose = Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        yield* dispatch.recover
        const grant = AdvisorPreset.grant(order.budgetMicroUsd)
        return yield* dispatch.start(diagnosis, { request, ticket: order.ticket }, { grant, caller: user() })
      }).pipe(Effect.provideContext(context), Effect.mapError(explained))
      return { client, subject: Sources.subject(order), diagnose }
    }).pipe(Effect.mapError(explained)),

  verifyBundle: (file, words) =>
    Effect.gen(function*() {
      const text = yield* Effect.try({
        try: () => readFileSync(file, "utf8"),
        catch: () => new RuntimeError({ detail: `${file} cannot be read`, remedy: "name a bundle that this user may read" })
      })
      const keys = yield* Effect.forEach(words, (word) =>
        Effect.fromResult(Result.mapError(Note.parseKey(NodeDigest.digest, word), explained)))
      return yield* Effect.provideContext(
        Effect.mapError(Bundle.verify(text, keys.length === 0 ? {} : { keys }), explained),
        yield* Effect.scoped(Layer.build(Layer.merge(NodeDigest.layer, Ed25519.layerVerifier)))
      )
    })
})

// internal

/** What a process that only serves operators can diagnose: this host, by rules. */
const standard: Order = {
  request: { title: "", description: "" },
  caseFolder: undefined,
  logs: [],
  config: undefined,
  baseline: undefined,
  prometheus: undefined,
  postgres: undefined,
  backend: "offline",
  model: undefined,
  ticket: null,
  budgetMicroUsd: 0
}

/** The embedded runtime with the advisor on it, for as long as the scope is open. */
const boot = Effect.fnUntraced(function*(folder: string, order: Order) {
  const backend = yield* order.backend === "offline" ? baseline : anthropic(order)
  const { diagnosis, layer } = yield* AdvisorPreset.make(backend)
  const context = yield* Layer.build(
    Embedded.layerControl(folder).pipe(
      Layer.provideMerge(layer),
      Layer.provideMerge(Embedded.layer(folder)),
      Layer.provide(Sources.layer(order)),
      Layer.provideMerge(NodeServices.layer)
    )
  )
  return { context, diagnosis }
})

const anthropic = Effect.fnUntraced(function*(order: Order) {
  const { Anthropic } = yield* Effect.promise(() => import("../anthropic/index.ts"))
  return yield* Anthropic.make({ model: order.model ?? "claude-sonnet-5" })
})

const recorded = (folder: string) =>
  Effect.map(readRequest(folder), ({ description, title }): typeof Advice.Request.Type => ({ title, description }))

const explained = (error: unknown): RuntimeError =>
  error instanceof RuntimeError ? error : new RuntimeError(Explain.explain(error))
