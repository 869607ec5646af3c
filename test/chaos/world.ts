/**
 * The world that runners of the chaos tests act on: tools that write each effect into a file at once, so that what was
 * done can be told from what was recorded, and actors that use them.
 */
import { Effect, Layer, Schema } from "effect"
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { Actor, DeterministicActor, Timer } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { CostModel, MicroUsd } from "../../src/cost/index.ts"
import { Tool } from "../../src/tool/index.ts"

const Order = Schema.Struct({ order: Schema.String })

/** Can be undone; costs three micro-dollars. */
export const Look = Tool.make("look", {
  description: "looks at an order",
  capabilities: ["tool:look"],
  params: Order,
  success: Schema.String,
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(3))
})
/** Takes a while, and can be undone. */
export const Pack = Tool.make("pack", {
  description: "packs an order",
  capabilities: ["tool:pack"],
  params: Schema.Struct({ order: Schema.String, ms: Schema.Natural }),
  success: Schema.String
})
/** Cannot be undone; costs eleven micro-dollars. */
export const Ship = Tool.make("ship", {
  description: "ships an order",
  capabilities: ["tool:ship"],
  reversible: false,
  params: Order,
  success: Schema.String,
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(11))
})

/** Looks at its order. */
export const Clerk = DeterministicActor.make("Clerk", {
  description: "looks at an order",
  input: Schema.String,
  output: Schema.String,
  tools: [Look],
  run: (order) => Tool.call(Look, { order })
})

/** Has a clerk look, packs, ships once people agree, and looks again. */
export const Shipper = DeterministicActor.make("Shipper", {
  description: "ships an order",
  input: Schema.Struct({ order: Schema.String, ms: Schema.Natural }),
  output: Schema.String,
  tools: [Clerk.tool, Pack, Ship, Look],
  run: ({ ms, order }) =>
    Effect.gen(function*() {
      yield* Actor.spawn(Clerk, order)
      yield* Tool.call(Pack, { order, ms })
      yield* Timer.sleep(1)
      const shipped = yield* Tool.call(Ship, { order })
      yield* Tool.call(Look, { order })
      return shipped
    })
})

export const grant = Grant.make(["tool:look", "tool:pack", "tool:ship", "spawn:Clerk"])

/** The tools, writing into `file`; `after` is called when an effect is done and its result on the way. */
export const handlers = (file: string, after: Effect.Effect<void>) => {
  const act = (what: string) => Effect.sync(() => appendFileSync(file, `${what}\n`)).pipe(Effect.andThen(after))
  return Layer.mergeAll(
    Tool.layer(Look, ({ order }) => Effect.as(act(`look ${order}`), `seen ${order}`)),
    Tool.layer(Pack, ({ ms, order }) => Effect.as(Effect.andThen(Effect.sleep(ms), act(`pack ${order}`)), "packed")),
    Tool.layer(Ship, ({ order }) => Effect.as(act(`ship ${order}`), `shipped ${order}`))
  )
}

/** The actors, with their tools. */
export const actors = (file: string, after: Effect.Effect<void> = Effect.void) =>
  Actor.layer(Shipper).pipe(Layer.provideMerge(Actor.layer(Clerk)), Layer.provide(handlers(file, after)))

/** What was done, in order. */
export const effects = (file: string): ReadonlyArray<string> =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").filter((line) => line !== "") : []
