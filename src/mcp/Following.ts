/**
 * Actors that follow what operators approve: made of the tools as they are approved now, registered, and made and registered
 * anew when another definition of one of them is. Runs that begin after that have the new tools; a run under way keeps its own.
 */
import { Cause, Context, Effect, Exit, FiberHandle, Layer, Option, Schedule, Scope } from "effect"
import { Actor } from "../actor/index.ts"
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

/** The longest wait before actors that could not be made are tried again, milliseconds; the first is `freshMs`. */
export const longestWaitMs = 60_000

/**
 * Registers the actors that are made of the tools once all of them are approved: at once if they are, else when they are.
 * All of them are registered, or none is: what could not be made is tried again, oftener at first than later, until it can be
 * or another definition is approved. Fails when the settings do not let one of them in.
 *
 * Gotchas: what the actors need is provided below, and built once. Classes are known by name here: whoever starts them by
 * theirs says it to `Dispatch.open`. What was made stays until the layer ends: nothing says when the last run of a class that
 * was replaced has ended, and an operator who settles an act of it needs its tools.
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
      let isDue = false

      /** The tools, when one of them is another than it was and all are there. */
      const look = Effect.gen(function*() {
        for (const ref of refs) {
          const [server = "", tool = ""] = ref.split("@", 2)
          const next = yield* bridge.renewed(server, tool, made.get(ref))
          if (Option.isSome(next)) {
            made.set(ref, next.value)
            isDue = true
          }
        }
        const tools = refs.flatMap((ref) => made.get(ref) ?? [])
        if (!isDue || tools.length < refs.length) return Option.none()
        isDue = false
        return Option.some(tools)
      })

      const register = (tools: ReadonlyArray<AnyGoverned>) => {
        // All are there, in the order of the references.
        const all = actors(...tools as unknown as Followed<Refs>).pipe(Layer.provide(layer(...tools)))
        return Effect.provideContext(whole(all, scope), context)
      }

      const first = yield* look
      if (Option.isSome(first)) yield* register(first.value)
      const later = yield* FiberHandle.make<void, Cause.Cause<never>>()
      /** Nobody waits any more for what was to be made of the tools before. */
      const follow = (tools: ReadonlyArray<AnyGoverned>) =>
        Effect.andThen(FiberHandle.clear(later), FiberHandle.run(later, again(Effect.suspend(() => register(tools)))))
      yield* look.pipe(
        Effect.flatMap(Option.match({ onNone: () => Effect.void, onSome: follow })),
        Effect.catchCauseIf(isBroken, warn),
        Effect.repeat(Schedule.spaced(freshMs)),
        Effect.delay(freshMs),
        Effect.forkIn(scope)
      )
    })
  ) as never // A scope is there where a layer is built, and everything else is taken from `context`.

// internal

const isBroken = <E>(cause: Cause.Cause<E>) => !Cause.hasInterrupts(cause)
const warn = <E>(cause: Cause.Cause<E>) => Effect.logError("actors were not made anew", cause)

const again = <R>(make: Effect.Effect<void, never, R>): Effect.Effect<void, Cause.Cause<never>, R> =>
  Effect.retry(Effect.sandbox(Effect.tapCauseIf(make, isBroken, warn)), {
    while: (cause) => isBroken(cause),
    schedule: Schedule.min([Schedule.exponential(freshMs), Schedule.spaced(longestWaitMs)])
  })

/** Builds actors, and registers them once all of them are built; of what could not be built, nothing is left. */
const whole = <Out, R>(actors: Layer.Layer<Out, never, R>, scope: Scope.Scope): Effect.Effect<void, never, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const own = yield* Scope.fork(scope)
      const registry = yield* Effect.serviceOption(Actor.Registry)
      const waiting: Array<Effect.Effect<void>> = []
      let isBuilt = false
      const held = Option.map(registry, (registry) =>
        Actor.Registry.of({
          ...registry,
          add: (actor) =>
            Effect.suspend(() => {
              if (isBuilt) return registry.add(actor)
              waiting.push(registry.add(actor))
              return Effect.void
            })
        }))
      yield* restore(Layer.buildWithScope(actors, own)).pipe(
        Effect.updateContext((there: Context.Context<R>): Context.Context<R> =>
          Option.match(held, { onNone: () => there, onSome: (held) => Context.add(there, Actor.Registry, held) })
        ),
        Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
      )
      isBuilt = true
      yield* Effect.all(waiting, { discard: true })
    })
  )
