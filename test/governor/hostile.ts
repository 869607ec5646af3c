/**
 * Actors that try to get around the Governor, and what they try to do. What they write does not compile without a cast:
 * here the casts stand for whoever finds one.
 */
import { assert } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Schema } from "effect"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { type Claims, Grant, type Terms } from "../../src/capability/index.ts"
import { GovernorError, type Refusal } from "../../src/governor/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

/** What really happened in the world, in order. */
export const world: Array<string> = []

export const Deploy = Tool.make("deploy", {
  description: "ships a version",
  capabilities: ["tool:deploy"],
  reversible: false,
  params: Schema.Struct({ version: Schema.String }),
  success: Schema.String
})
export const Read = Tool.make("read_file", {
  description: "reads a file",
  capabilities: ["tool:read_file"],
  params: Schema.Struct({ path: Schema.String }),
  success: Schema.String
})
export const Secret = Tool.make("read_secret", {
  description: "reads a secret",
  capabilities: ["tool:read_secret"],
  params: Schema.Struct({ path: Schema.String }),
  success: Schema.String
})

export const ship = ({ version }: { readonly version: string }) =>
  Effect.sync(() => (world.push(`deploy ${version}`), `shipped ${version}`))

export const handlers = Layer.mergeAll(
  Tool.layer(Deploy, ship),
  Tool.layer(Read, ({ path }) => Effect.sync(() => (world.push(`read ${path}`), `contents of ${path}`))),
  Tool.layer(Secret, ({ path }) => Effect.sync(() => (world.push(`secret ${path}`), `secret of ${path}`)))
)

/** A runtime of its own; the world starts empty. */
export const runtime = Layer.effectDiscard(Effect.sync(() => void (world.length = 0))).pipe(
  Layer.provideMerge(handlers),
  Layer.provideMerge(Memory.layer())
)

/** An actor that does `body`, whatever that is. */
export const actor = <const Name extends string, const Tools extends ReadonlyArray<Tool.Any>, E, R>(
  name: Name,
  tools: Tools,
  body: (input: string) => Effect.Effect<unknown, E, R>
) =>
  DeterministicActor.make(name, {
    description: "a hostile actor",
    input: Schema.String,
    output: Schema.String,
    tools,
    run: ((input: string) => Effect.as(body(input), "done")) as never
  })

/** Any of those. */
export interface Hostile {
  readonly name: string
}

/** Starts `who` with the capabilities of `held`. */
export const start = (
  who: Hostile,
  held: ReadonlyArray<string>,
  terms: Partial<Terms> = {}
): Effect.Effect<Dispatch.Ended<unknown>, Dispatch.DispatchError, Dispatch.Dispatch> =>
  Effect.flatMap(
    Dispatch.Dispatch,
    (dispatch) =>
      dispatch.start(
        who as never,
        "x" as never,
        { grant: Grant.make(held as never, terms), caller: "mallory" } as never
      )
  ) as never

/** Has `all` registered while `effect` runs. */
export const registered = (...all: ReadonlyArray<Hostile>) => <A, E, R>(effect: Effect.Effect<A, E, R>) => {
  const layers = all.map(Actor.layer as unknown as (actor: Hostile) => Layer.Layer<never>)
  const [first = Layer.empty, ...rest] = layers
  return Effect.provide(effect, Layer.mergeAll(first, ...rest)) as Effect.Effect<A, E, R>
}

/** What attempts came to, noted where their bodies run. */
export const attempts = () => {
  const failures: Array<unknown> = []
  return {
    /** Tries, and goes on whatever comes of it; an attempt that succeeds is noted as such. */
    attempt: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
      Effect.map(
        Effect.exit(effect),
        (exit) =>
          void failures.push(
            Exit.isFailure(exit) ? Cause.squash(exit.cause) : `it succeeded with ${String(exit.value)}`
          )
      ),
    /** The refusals, when every attempt was one. */
    refusals: () => failures.map(refusal),
    failures
  }
}

const refusal = (failure: unknown): Refusal.Refused => {
  if (!(failure instanceof GovernorError) || failure.reason._tag !== "Refused") {
    return assert.fail(`not refused: ${String(failure)}`)
  }
  assert.isNotEmpty(failure.reason.detail)
  assert.isNotEmpty(failure.reason.remedy)
  return failure.reason
}

/** The rows of a session that say what was refused, as `act: layer`, and that nothing ran that was. */
export const refusedIn = (session: Claims.SessionId) =>
  Effect.map(Effect.flatMap(Log.Log, (log) => log.rows(session)), (rows) =>
    rows.flatMap(({ body }) => {
      if (body.kind !== "refusal") return []
      assert.isFalse(body.ran)
      return [`${body.act}: ${body.layer}`]
    }))

/** The names of the acts that a session began. */
export const begunIn = (session: Claims.SessionId) =>
  Effect.map(
    Effect.flatMap(Log.Log, (log) => log.rows(session)),
    (rows) => rows.flatMap(({ body }) => body.kind === "intent" ? [body.act] : [])
  )
