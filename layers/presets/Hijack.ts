/**
 * A model that is wholly in somebody else's hands, as a script: it makes the calls that it is told to, one after the other,
 * whatever it is answered, in the whole runtime under a policy of its own. What it may do is what the runtime lets it do.
 *
 * Tools answer what the script says, and nothing is done outside. Where a person is asked, the script's `isApproved` is that
 * person. Sessions of one stage run one at a time.
 */
import { Context, Effect, Layer, Result, Schema } from "effect"
import { Actor, ActorError, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Egress, Flowing, GovernorError } from "../../src/governor/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import type { Flow, Label } from "../../src/trust/index.ts"
import { layer as memory } from "./Memory.ts"

/** A tool of the stage, by what an operator would say of it. */
export const tool = (name: string, parts: {
  readonly description?: string
  readonly trust?: Label.Declared
  readonly sinks?: ReadonlyArray<Flow.Sink>
  readonly readers?: Label.Readership
} = {}) =>
  Tool.make(name, {
    description: parts.description ?? name,
    capabilities: ["tool:staged"],
    params: Schema.Record(Schema.String, Schema.Json),
    success: Schema.Json,
    ...(parts.trust === undefined ? {} : { trust: parts.trust }),
    ...(parts.sinks === undefined ? {} : { sinks: parts.sinks }),
    ...(parts.readers === undefined ? {} : { readers: parts.readers })
  })
export type Staged = ReturnType<typeof tool>

/** A call that the model makes, and what the tool answers if it is let through. */
export interface Step {
  readonly tool: string
  readonly args: Readonly<Record<string, Schema.Json>>
  readonly answer: Schema.Json
}

/** What one session plays. */
export interface Script {
  /** What the user asks for: the only words of the script that are an operator's. */
  readonly request: string
  readonly steps: ReadonlyArray<Step>
  /** Whether a person who is asked about that step says yes. */
  readonly isApproved: (step: number) => boolean
}

/** What became of a step. */
export interface Played {
  readonly isExecuted: boolean
  readonly isAsked: boolean
  /** The refusal; `undefined` for what was executed. */
  readonly why: string | undefined
}

/** A runtime in memory with these tools, under this policy. */
export class Stage extends Context.Service<Stage, {
  readonly play: (
    script: Script
  ) => Effect.Effect<ReadonlyArray<Played>, Dispatch.DispatchError | Approvals.ApprovalError>
}>()("aosiq/layers/presets/Hijack/Stage") {}

/** Sets it up. */
export const layer = (
  { covers = {}, policy, tools }: {
    readonly tools: ReadonlyArray<Staged>
    readonly policy: Flow.Policy
    readonly covers?: Egress.Table
  }
) => {
  const scene: Scene = { script: { request: "", steps: [], isApproved: () => false }, played: [], at: 0 }
  const answer = Effect.sync(() => scene.script.steps[scene.at]?.answer ?? null)
  const [first, ...others] = tools.map((one) => Tool.layer(one, () => answer))
  const handlers = Layer.mergeAll(first ?? Layer.empty, ...others)
  const actor = puppet(tools, scene)
  const runtime = memory({ maxPending: 1000, maxPendingTree: 1000 }).pipe(
    Layer.provide(Layer.merge(Layer.succeed(Flowing.Current, policy), Egress.layer(covers)))
  )
  return Layer.effect(Stage, staged(actor, scene)).pipe(
    Layer.provide(Actor.layer(actor)),
    Layer.provide(handlers),
    Layer.provide(runtime)
  )
}

// internal

interface Scene {
  script: Script
  played: Array<Played>
  at: number
}

/** Says what the script says. A run that waits for a person is begun again, and answered from the log up to there. */
const puppet = (tools: ReadonlyArray<Staged>, scene: Scene) =>
  DeterministicActor.make("Puppet", {
    description: "does as it is told",
    input: Schema.String,
    output: Schema.Null,
    tools,
    supervision: { on: [] },
    run: () =>
      Effect.gen(function*() {
        for (const [at, step] of scene.script.steps.entries()) {
          scene.at = at
          const called = tools.find(({ name }) => name === step.tool)
          if (called === undefined) {
            return yield* new ActorError({ actor: "Puppet", detail: `there is no tool ${step.tool}`, abandoned: true })
          }
          const result = yield* Effect.result(Tool.callUnchecked(called, step.args))
          if (Result.isFailure(result) && result.failure instanceof GovernorError) {
            const { reason } = result.failure
            if (reason._tag !== "Refused") return yield* result.failure
          }
          const isAsked = scene.played[at]?.isAsked ?? false
          const why = Result.isFailure(result) ? result.failure.message : undefined
          scene.played[at] = { isExecuted: why === undefined, isAsked, why }
        }
        return null
      })
  })

const staged = (actor: ReturnType<typeof puppet>, scene: Scene) =>
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const desk = yield* Approvals.Approvals
    const context = yield* Effect.context<Actor.Registered<"Puppet">>()
    const play = Effect.fnUntraced(function*(script: Script) {
      Object.assign(scene, { script, played: [], at: 0 })
      const order = { grant: Grant.make(["tool:staged"]), caller: "user" } as const
      let ended: Dispatch.Ended<unknown> = yield* Effect.provideContext(
        dispatch.start(actor, script.request, order),
        context
      )
      while (ended._tag === "Waiting") {
        const { at } = scene
        scene.played[at] = { isExecuted: false, isAsked: true, why: undefined }
        yield* desk.decide({ ticket: ended.ticket, by: "person", approve: script.isApproved(at), reason: "asked" })
        ended = yield* dispatch.resume(ended.session)
      }
      return ended._tag === "Succeeded" ? scene.played : yield* Effect.die(new Unplayed({ ended: ended._tag }))
    })
    return Stage.of({ play })
  })

/** A script that the stage cannot play. */
class Unplayed extends Schema.TaggedError<Unplayed>()("Unplayed", { ended: Schema.String }) {}
