/** The command line's runtime on this machine: an embedded runtime in this process, or the socket of the one that runs. */
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer, type LogLevel, References, Result, Schedule } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { userInfo } from "node:os"
import { join } from "node:path"
import { type Advice, baseline } from "../../src/agents/advisor/index.ts"
import { Bundle, Note } from "../../src/audit/index.ts"
import type { Order } from "../../src/door/cli/index.ts"
import { Runtime, RuntimeError } from "../../src/door/cli/index.ts"
import { Explain, Operations } from "../../src/operator/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { request as readRequest } from "../casefolder/index.ts"
import { Control } from "../control/index.ts"
import { Ed25519, NodeDigest } from "../node/index.ts"
import { FolderError, holder } from "../pglite/index.ts"
import { AdvisorPreset, Embedded } from "../presets/index.ts"
import * as Sources from "./Sources.ts"

/** Who sits at the keyboard; by number where the system has no name for them. */
export const user = (): string => {
  const name = Result.try(() => userInfo().username)
  return `local:${Result.getOrElse(name, () => process.getuid?.() ?? "unknown")}`
}

/** The runtime of the command line. */
export const layer: Layer.Layer<Runtime> = Layer.succeed(Runtime, {
  open: (folder) =>
    Effect.gen(function*() {
      const other = yield* holderOf(folder)
      if (other === undefined) {
        if (!existsSync(join(folder, "pg"))) {
          return yield* new RuntimeError({
            detail: `there is no data in ${folder}`,
            remedy: "start there first with `aosiq start`, or name the folder with --data"
          })
        }
        yield* quietly(boot(folder, standard))
      }
      return yield* Control.connect(folder)
    }).pipe(
      // Whoever held the folder may be starting or stopping just now.
      Effect.retry({ while: isBusy, times: 50, schedule: Schedule.spaced("200 millis") }),
      Effect.mapError(explained)
    ),

  start: (folder, order) =>
    Effect.gen(function*() {
      const request = yield* Effect.provideContext(requestOf(order), yield* Layer.build(NodeServices.layer))
      const { context, diagnosis } = yield* boot(folder, order)
      const client = yield* Control.connect(folder)
      const dispatch = yield* Effect.provideContext(Dispatch.Dispatch, context)
      const grant = AdvisorPreset.grant(order.budgetMicroUsd)
      return {
        client,
        subject: Sources.subject(order),
        recover: Effect.mapBoth(dispatch.recover, {
          onFailure: explained,
          onSuccess: (runs) => runs.map(Operations.standing)
        }),
        diagnose: dispatch.start(diagnosis, { request, ticket: order.ticket }, { grant, caller: user() }).pipe(
          Effect.provideContext(context),
          Effect.mapError(explained)
        )
      }
    }).pipe(Effect.mapError(explained)),

  verifyBundle: (file, words) =>
    Effect.gen(function*() {
      const text = yield* Effect.try({
        try: () => readFileSync(file, "utf8"),
        catch: () =>
          new RuntimeError({ detail: `${file} cannot be read`, remedy: "name a bundle that this user may read" })
      })
      const keys = yield* Effect.forEach(words, (word) =>
        Effect.fromResult(Result.mapError(Note.parseKey(NodeDigest.digest, word), (error) =>
          new RuntimeError({
            detail: `${word} is not a key: ${Note.explain(error)}`,
            remedy: "give the key that the installation publishes, as aosiq audit export prints it"
          }))))
      return yield* Effect.provideContext(
        Effect.mapError(Bundle.verify(text, keys.length === 0 ? {} : { keys }), (error) =>
          new RuntimeError({
            detail: `${file} is not a whole bundle: ${Explain.explain(error).detail}`,
            remedy: "have it sent again, or written again with aosiq audit export"
          })),
        yield* Effect.scoped(Layer.build(Layer.merge(NodeDigest.layer, Ed25519.layerVerifier)))
      )
    })
})

// internal

/** What a process that only serves operators can diagnose: this host, by rules. */
const standard: Order = {
  symptom: undefined,
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

/** Advice about the installation is for `start`; an operator's command says only what went wrong, unless asked for more. */
const quietly = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(
    References.MinimumLogLevel,
    (level): Effect.Effect<A, E, R> =>
      Effect.provideService(effect, References.MinimumLogLevel, level === usual ? "Error" : level)
  )

const usual: LogLevel.LogLevel = "Info"

const holderOf = (folder: string) =>
  Effect.try({
    try: () => holder(folder),
    catch: () =>
      new RuntimeError({ detail: `${folder} cannot be read`, remedy: "name a folder of this user with --data" })
  })

const isBusy = (error: unknown): boolean =>
  error instanceof Control.ControlError || (error instanceof FolderError && error.holder !== null)

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

const explained = (error: unknown): RuntimeError =>
  error instanceof RuntimeError ? error : new RuntimeError(Explain.explain(error))
