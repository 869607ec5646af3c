/**
 * How sessions are started and stopped by whoever does not wait for them: a schedule, an operator taking up what was set
 * aside. What is accepted here runs by itself, and how it stands is read from the log.
 */
import { Context, Effect, Layer, Option } from "effect"
import { Actor } from "../actor/index.ts"
import { Log } from "../audit/index.ts"
import { Capability, type Claims } from "../capability/index.ts"
import { Tool } from "../tool/index.ts"
import * as Dispatch from "./Dispatch.ts"
import { BadInput, type DispatchError, failWith, NoSuchActor, NotPossible } from "./Ended.ts"
import { unrecorded } from "./Runs.ts"

/** Starts and stops root sessions. */
export class Launcher extends Context.Service<Launcher, {
  /** Whether such a session could be opened now: the class is known, the input fits, the grant holds what it needs. */
  readonly check: (order: Pick<Dispatch.Opening, "actor" | "input" | "grant">) => Effect.Effect<void, DispatchError>
  /** Accepts a session; `false` when one of that name had been accepted before, which is no other. */
  readonly open: (order: Dispatch.Opening) => Effect.Effect<boolean, DispatchError>
  /** How the session stands; nothing when there is none. */
  readonly status: (id: Claims.SessionId) => Effect.Effect<Option.Option<Log.Status>, DispatchError>
  /** Ends the session with all below it; one that has ended stays as it is. */
  readonly cancel: (order: Dispatch.Control) => Effect.Effect<void, DispatchError>
  /** Lets a session go on that was set aside; one that is not paused stays as it is. */
  readonly wake: (order: Dispatch.Control) => Effect.Effect<void, DispatchError>
}>()("aosiq/session/Launcher") {}

/** Over the dispatcher. */
export const layer: Layer.Layer<Launcher, never, Dispatch.Dispatch | Log.Log | Actor.Registry> = Layer.effect(
  Launcher,
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const log = yield* Log.Log
    const registry = yield* Actor.Registry

    return Launcher.of({
      check: Effect.fnUntraced(function*({ actor, grant, input }) {
        const runnable = yield* registry.get(actor)
        if (runnable === undefined) return yield* failWith(new NoSuchActor({ actor, known: yield* registry.names }))
        const { capabilities, input: schema } = runnable.class
        const lacking = capabilities.filter(Capability.isName).filter((wanted) =>
          !grant.names.some((held) => Capability.covers(held, wanted))
        )
        if (lacking.length > 0) {
          const detail = `${actor} needs what the grant does not hold: ${lacking.join(", ")}`
          return yield* failWith(new NotPossible({ detail }))
        }
        yield* Effect.mapError(Tool.codec(schema).decode(input), (detail) => failWith(new BadInput({ detail })))
      }),
      open: dispatch.open,
      status: (id) =>
        Effect.mapBoth(log.session(id), { onFailure: unrecorded, onSuccess: Option.map(({ status }) => status) }),
      cancel: (order) => settled(dispatch.cancel(order)),
      wake: (order) => settled(dispatch.unpause(order))
    })
  })
)

// internal

/** What is not there, or not in that state, needs nothing to be done. */
const settled = (self: Effect.Effect<unknown, DispatchError>): Effect.Effect<void, DispatchError> =>
  Effect.catch(
    Effect.asVoid(self),
    (error) =>
      error.reason._tag === "NoSuchSession" || error.reason._tag === "NotPossible" ? Effect.void : Effect.fail(error)
  )
