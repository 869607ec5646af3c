/**
 * Actors that follow what operators approve: made of the tools as they are approved now, registered, and made and registered
 * anew when another definition of one of them is. Runs that begin after that have the new tools; a run under way keeps its own.
 */
import { Cause, Effect, Layer, Option, Schedule } from "effect"
import type { Tool } from "../tool/index.ts"
import { Bridge, freshMs, type GovernedOf, layer } from "./Bridge.ts"
import type { AnyGoverned } from "./Governed.ts"
import type { McpError } from "./McpError.ts"

/** A tool, as in its capability: `SERVER@TOOL`, the tool's name encoded. */
export type Ref = `${string}@${string}`

/** The tools of references, in their order. */
export type Followed<Refs extends ReadonlyArray<Ref>> = {
  readonly [At in keyof Refs]: Refs[At] extends `${infer S}@${infer T}` ? GovernedOf<S, T> : never
}

/**
 * Registers the actors that are made of the tools once all of them are approved: at once if they are, else when they are.
 * Fails when the settings do not let one of them in.
 *
 * Gotchas: what the actors need is provided below, and built once. Classes are known by name here: whoever starts them by
 * theirs says it to `Dispatch.open`. What was made stays until the layer ends, for runs that have not.
 */
export const following = <const Refs extends ReadonlyArray<Ref>, Out, Needs>(
  refs: Refs,
  actors: (...tools: Followed<Refs>) => Layer.Layer<Out, never, Needs>
): Layer.Layer<never, McpError, Bridge | Exclude<Needs, Tool.HandlerOf<Followed<Refs>[number]>>> =>
  Layer.effectDiscard(
    Effect.gen(function*() {
      const bridge = yield* Bridge
      const context = yield* Effect.context<Bridge | Exclude<Needs, Tool.HandlerOf<Followed<Refs>[number]>>>()
      const scope = yield* Effect.scope
      const made = new Map<Ref, AnyGoverned>()

      const register = Effect.suspend(() => {
        const tools = refs.flatMap((ref) => made.get(ref) ?? [])
        // All are there, in the order of the references.
        const all = actors(...tools as unknown as Followed<Refs>).pipe(Layer.provide(layer(...tools)))
        return Effect.provideContext(Layer.buildWithScope(all, scope), context)
      })

      const look = Effect.gen(function*() {
        let isDue = false
        for (const ref of refs) {
          const [server = "", tool = ""] = ref.split("@", 2)
          const next = yield* bridge.renewed(server, tool, made.get(ref))
          if (Option.isSome(next)) {
            made.set(ref, next.value)
            isDue = true
          }
        }
        if (isDue && refs.every((ref) => made.has(ref))) yield* register
      })

      yield* look
      const warn = (cause: Cause.Cause<McpError>) => Effect.logError("actors were not made anew", cause)
      yield* look.pipe(
        Effect.catchCauseIf((cause) => !Cause.hasInterrupts(cause), warn),
        Effect.repeat(Schedule.spaced(freshMs)),
        Effect.delay(freshMs),
        Effect.forkIn(scope)
      )
    })
  ) as never // A scope is there where a layer is built, and everything else is taken from `context`.
