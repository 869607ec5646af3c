/** What cannot be undone needs an approval gate: without one, it does not run because it does not compile. */
// @effect-diagnostics missingEffectContext:off
import { Effect, Layer, Schema } from "effect"
import { Actor } from "../../src/actor/index.ts"
import { Gate } from "../../src/approval/index.ts"
import type { Digest } from "../../src/audit/index.ts"
import type { Governor, GovernorError } from "../../src/governor/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { Deploy, Read, Reader, Shipper } from "./definitions.ts"

/** A call of `T` in a program that has everything but a gate. */
type Ungated<T extends Tool.Any> = Effect.Effect<string, GovernorError, Exclude<Tool.Requirements<T>, Gate.Gate>>

declare const reversible: boolean
const wrapping = { description: "x", params: Schema.Struct({}), success: Schema.String }
const Undecided = Tool.make("undecided", { ...wrapping, capabilities: ["tool:deploy"], reversible })
const Wrapped = Tool.make("wrapped", { ...wrapping, capabilities: ["tool:deploy"] })

// --- a call ------------------------------------------------------------------

export const read: Ungated<typeof Read> = Tool.call(Read, { path: "a" })
// @ts-expect-error Type 'Gate' is not assignable to type
export const deploy: Ungated<typeof Deploy> = Tool.call(Deploy, { version: "v2" })
/** Not known to be reversible is irreversible. */
// @ts-expect-error Type 'Gate' is not assignable to type
export const undecided: Ungated<typeof Undecided> = Tool.call(Undecided, {})

// --- a layer -----------------------------------------------------------------

/** All that the actors need but a gate. */
declare const ungated: Layer.Layer<Governor | Digest.Digest | Actor.Registry | Actor.Spawner>

const handlers = Layer.merge(
  Tool.layer(Read, () => Effect.succeed("text")),
  Tool.layer(Deploy, () => Effect.succeed("shipped"))
)
const reader = Actor.layer(Reader).pipe(Layer.provide(handlers), Layer.provide(ungated))
const shipper = Actor.layer(Shipper).pipe(Layer.provide(reader), Layer.provide(handlers), Layer.provide(ungated))

export const reads = Effect.runFork(Layer.launch(reader))
export const ships = Effect.runFork(Layer.launch(Layer.provide(shipper, Gate.layer())))
// @ts-expect-error Type 'Gate' is not assignable to type 'never'
export const shipsUngated = Effect.runFork(Layer.launch(shipper))
/** Nor does it hide in the handler of a tool that can be undone. */
const wrapped = Tool.layer(Wrapped, () => Tool.call(Deploy, { version: "v2" })).pipe(
  Layer.provide(handlers),
  Layer.provide(ungated)
)
// @ts-expect-error Type 'Gate' is not assignable to type 'never'
export const wrapsUngated = Effect.runFork(Layer.launch(wrapped))
