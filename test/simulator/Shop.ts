/**
 * What the sessions of a simulation do: a shop's tools, each of which writes into the ledger, and actors that use them in
 * every way there is: one after the other, side by side, through children, across timers, with approval and without,
 * until the money runs out.
 */
import { Effect, Layer, Schema } from "effect"
import { Actor, DeterministicActor, Timer } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { CostModel, MicroUsd } from "../../src/cost/index.ts"
import { branch, GovernorError } from "../../src/governor/index.ts"
import { Tool } from "../../src/tool/index.ts"
import type { Answer, Ledger } from "./Ledger.ts"
import type { Process } from "./Machine.ts"
import type { Weather } from "./Weather.ts"

/** A tool's own failure. */
export class Sorry extends Schema.TaggedError<Sorry>()("Sorry", { why: Schema.String }) {}

// --- tools -------------------------------------------------------------------

const params = Schema.Struct({ order: Schema.String })
const success = Schema.String

/** Can be undone. */
export const Look = Tool.make("look", {
  description: "looks at an order",
  capabilities: ["tool:look"],
  params,
  success,
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(3)),
  timeoutMs: 5000
})
/** Can be undone, costs by the time it takes. */
export const Weigh = Tool.make("weigh", {
  description: "weighs an order",
  capabilities: ["tool:weigh"],
  params,
  success,
  cost: CostModel.computeMs(MicroUsd.MicroUsd.make(5)),
  timeoutMs: 4000
})
/** Can be undone, takes long. */
export const Pack = Tool.make("pack", {
  description: "packs an order",
  capabilities: ["tool:pack"],
  params,
  success,
  timeoutMs: 10_000
})
/** Can be undone, and fails at times. */
export const Quote = Tool.make("quote", {
  description: "asks for the price of an order",
  capabilities: ["tool:quote"],
  params,
  success,
  failure: Sorry,
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(2)),
  timeoutMs: 5000
})
/** Cannot be undone; if its outcome is lost, a person has to say what became of it. */
export const Ship = Tool.make("ship", {
  description: "ships an order",
  capabilities: ["tool:ship"],
  reversible: false,
  params,
  success,
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(11)),
  timeoutMs: 5000
})
/** Cannot be undone, and fails at times; a probe tells what became of it. */
export const Refund = Tool.make("refund", {
  description: "pays an order back",
  capabilities: ["tool:refund"],
  reversible: false,
  probe: true,
  params,
  success,
  failure: Sorry,
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(7)),
  timeoutMs: 3000
})
/** Cannot be undone, and may be asked for again under the same key. */
export const Charge = Tool.make("charge", {
  description: "charges for an order",
  capabilities: ["tool:charge"],
  reversible: false,
  idempotent: true,
  params,
  success,
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(5)),
  timeoutMs: 3000
})

/** Tools that nobody can undo. */
export const irreversible: ReadonlySet<string> = new Set([Ship.name, Refund.name, Charge.name])
/** What only tools do; the rest are children. */
export const tools: ReadonlySet<string> = new Set(
  [Look, Weigh, Pack, Quote, Ship, Refund, Charge].map(({ name }) => name)
)

/** The hands of one process. */
export interface Hands {
  readonly process: Process
  readonly ledger: Ledger
  readonly weather: () => Weather
}

/** The tools' handlers. */
export const handlers = (hands: Hands) =>
  Layer.mergeAll(
    Tool.layer(Look, ({ order }, permit) => done(hands, { tool: "look", order, permit, ms: 200 })),
    Tool.layer(Weigh, ({ order }, permit) => done(hands, { tool: "weigh", order, permit, ms: 3000 })),
    Tool.layer(Pack, ({ order }, permit) => done(hands, { tool: "pack", order, permit, ms: 8000 })),
    Tool.layer(Quote, ({ order }, permit) => mayFail(hands, { tool: "quote", order, permit, ms: 500 })),
    Tool.layer(Ship, ({ order }, permit) => done(hands, { tool: "ship", order, permit, ms: 2500 })),
    Tool.layer(
      Refund,
      ({ order }, permit) => mayFail(hands, { tool: "refund", order, permit, ms: 2500 }),
      (_, permit) => probed(hands, permit)
    ),
    Tool.layer(Charge, ({ order }, permit) => done(hands, { tool: "charge", order, permit, ms: 2500 }))
  )

// --- actors ------------------------------------------------------------------

const input = Schema.Struct({ order: Schema.String, ms: Schema.Natural })
const output = Schema.Array(Schema.String)
const look = (order: string) => Tool.call(Look, { order })
const ship = (order: string) => Tool.call(Ship, { order })
const quote = (order: string) =>
  Effect.catchTag(Tool.call(Quote, { order }), "Sorry", ({ why }) => Effect.succeed(`no quote: ${why}`))
const refund = (order: string) =>
  Effect.catchTag(Tool.call(Refund, { order }), "Sorry", ({ why }) => Effect.succeed(`no refund: ${why}`))
const charge = (order: string) => Tool.call(Charge, { order })
const weigh = (order: string) => Tool.call(Weigh, { order })
const isSpent = (error: unknown) =>
  error instanceof GovernorError && error.reason._tag === "Refused" && error.reason.layer === "budget"

/** Looks, and asks for a price. */
export const Clerk = DeterministicActor.make("Clerk", {
  description: "looks at an order",
  input,
  output,
  tools: [Look, Quote],
  run: ({ order }) => Effect.all([look(order), quote(order)])
})
/** Ships. */
export const Courier = DeterministicActor.make("Courier", {
  description: "ships an order",
  input,
  output,
  tools: [Look, Ship],
  run: ({ order }) => Effect.all([look(order), ship(order)])
})
/** Waits between two looks. */
export const Waiter = DeterministicActor.make("Waiter", {
  description: "waits for an order",
  input,
  output,
  tools: [Look],
  run: ({ ms, order }) =>
    Effect.gen(function*() {
      const before = yield* look(order)
      yield* Timer.sleep(ms)
      return [before, yield* look(order)]
    })
})
/** Charges, pays back, and weighs. */
export const Cashier = DeterministicActor.make("Cashier", {
  description: "charges for an order and pays it back",
  input,
  output,
  tools: [Charge, Refund, Weigh],
  run: ({ order }) => Effect.all([weigh(order), charge(order), refund(order), weigh(order)])
})
/** A bit of everything, one after the other. */
export const Shipper = DeterministicActor.make("Shipper", {
  description: "has an order looked at, packs it and ships it",
  input,
  output,
  tools: [Clerk.tool, Pack, Ship, Look],
  run: ({ ms, order }) =>
    Effect.gen(function*() {
      const seen = yield* Actor.spawn(Clerk, { order, ms })
      const packed = yield* Tool.call(Pack, { order })
      yield* Timer.sleep(ms)
      const shipped = yield* ship(order)
      return [...seen, packed, shipped, yield* look(order)]
    })
})
/** Asks for the same irreversible act twice at once. */
export const Twins = DeterministicActor.make("Twins", {
  description: "ships an order twice",
  input,
  output,
  tools: [Ship],
  run: ({ order }) =>
    Effect.all([branch("left")(ship(order)), branch("right")(ship(order))], { concurrency: "unbounded" })
})
/** Works side by side, and gives up as soon as one part does. */
export const Lanes = DeterministicActor.make("Lanes", {
  description: "works on an order side by side",
  input,
  output,
  tools: [Look, Ship, Weigh],
  run: ({ ms, order }) =>
    Effect.map(
      Effect.all([
        branch("a")(Effect.all([look(`${order}/a`), look(`${order}/b`)])),
        branch("b")(Effect.all([look(`${order}/c`), ship(`${order}/c`)])),
        branch("c")(Effect.all([weigh(`${order}/d`), Effect.as(Timer.sleep(ms), "slept"), look(`${order}/d`)]))
      ], { concurrency: "unbounded" }),
      (parts) => parts.flat()
    )
})
/** Works side by side, and lets every part come to its end before it says how it went. */
export const Patient = DeterministicActor.make("Patient", {
  description: "works on an order side by side, to the end",
  input,
  output,
  tools: [Look, Ship, Refund, Charge],
  run: ({ order }) =>
    Effect.flatMap(
      Effect.all([
        branch("a")(Effect.all([look(`${order}/a`), ship(`${order}/a`)])),
        branch("b")(Effect.all([look(`${order}/b`), refund(`${order}/b`)])),
        branch("c")(Effect.all([charge(`${order}/c`), look(`${order}/c`)]))
      ], { concurrency: "unbounded", mode: "result" }),
      (results) => Effect.map(Effect.all(results.map(Effect.fromResult)), (parts) => parts.flat())
    )
})
/** Has children side by side. */
export const Family = DeterministicActor.make("Family", {
  description: "has three children work on an order",
  input,
  output,
  tools: [Clerk.tool, Courier.tool, Waiter.tool],
  run: ({ ms, order }) =>
    Effect.map(
      Effect.all([
        branch("a")(Actor.spawn(Clerk, { order: `${order}/a`, ms })),
        branch("b")(Actor.spawn(Courier, { order: `${order}/b`, ms })),
        branch("c")(Actor.spawn(Waiter, { order: `${order}/c`, ms }))
      ], { concurrency: "unbounded" }),
      (parts) => parts.flat()
    )
})
/** Has a child with children of its own, and goes on whatever becomes of it. */
export const Chief = DeterministicActor.make("Chief", {
  description: "has a shipper work on an order",
  input,
  output,
  tools: [Shipper.tool, Courier.tool, Look],
  run: ({ ms, order }) =>
    Effect.gen(function*() {
      const first = yield* Effect.catchTag(
        Actor.spawn(Shipper, { order: `${order}/a`, ms }),
        "ActorError",
        ({ detail }) => Effect.succeed([`given up: ${detail}`])
      )
      const second = yield* Actor.spawn(Courier, { order: `${order}/b`, ms })
      return [...first, ...second, yield* look(order)]
    })
})
/** Looks until its money runs out. */
export const Spender = DeterministicActor.make("Spender", {
  description: "looks at an order over and over",
  input,
  output,
  tools: [Look],
  run: ({ order }) =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      for (let turn = 0; turn < maxTurns; turn++) {
        const next = yield* Effect.catchIf(
          look(`${order}/${turn}`),
          (error) => isSpent(error),
          () => Effect.succeed(undefined)
        )
        if (next === undefined) break
        seen.push(next)
      }
      return seen
    })
})

/** The actors that sessions are opened for; some more often. */
export const actors = [
  Clerk,
  Courier,
  Waiter,
  Cashier,
  Cashier,
  Cashier,
  Shipper,
  Twins,
  Lanes,
  Patient,
  Patient,
  Family,
  Chief,
  Spender
] as const

/** The actors, with the tools of one process. */
export const registered = (hands: Hands) =>
  Layer.mergeAll(
    Actor.layer(Chief),
    Actor.layer(Family),
    Actor.layer(Cashier),
    Actor.layer(Twins),
    Actor.layer(Lanes),
    Actor.layer(Patient),
    Actor.layer(Spender)
  ).pipe(
    Layer.provideMerge(Actor.layer(Shipper)),
    Layer.provideMerge(Layer.mergeAll(Actor.layer(Clerk), Actor.layer(Courier), Actor.layer(Waiter))),
    Layer.provide(handlers(hands))
  )

/** Authority over all of it; erased, for clients that pick their actor by chance. */
export const grantOf = (budgetMicroUsd: number, lifetimeSeconds: number): Grant<string> =>
  Grant.make(
    [
      "tool:look",
      "tool:weigh",
      "tool:pack",
      "tool:quote",
      "tool:ship",
      "tool:refund",
      "tool:charge",
      "spawn:Clerk",
      "spawn:Courier",
      "spawn:Waiter",
      "spawn:Shipper"
    ],
    { budgetMicroUsd, lifetimeSeconds }
  ) as unknown as Grant<string>

// internal

const maxTurns = 20

interface Doing {
  readonly tool: string
  readonly order: string
  readonly permit: Admitted
  /** How long it takes at the most. */
  readonly ms: number
}

/** The part of a permit that a tool's other side is told. */
interface Admitted {
  readonly stamp: string
  readonly idempotencyKey: string
}

/** Does it at some moment between its beginning and its end. */
const happen = (hands: Hands, doing: Doing, answer: (number: number) => Answer) => {
  const { ledger, process } = hands
  const { dice } = process.machine
  const { order, permit: { idempotencyKey: key, stamp }, tool } = doing
  return Effect.gen(function*() {
    ledger.busy.add(stamp)
    const ms = dice.happens(hands.weather().toolSlow) ? dice.between(0, 15_000) : dice.between(0, doing.ms)
    const before = dice.between(0, ms)
    yield* process.boundary(`before ${tool}`)
    yield* Effect.sleep(before)
    yield* process.boundary(`at ${tool}`)
    const kept = tool === Charge.name ? ledger.known(key) : undefined
    const entry = kept ?? ledger.write({
      at: process.machine.now,
      process: process.name,
      tool,
      order,
      stamp,
      key,
      answer: ledger.isVoid({ key, stamp })
        ? { _tag: "failed", why: `${tool} came too late (${ledger.entries.length})` }
        : answer(ledger.entries.length)
    })
    process.machine.say(`${process.name} did ${tool} ${order} for ${stamp}: ${entry.answer._tag} (${entry.number})`)
    yield* process.boundary(`after ${tool}`)
    yield* Effect.sleep(ms - before)
    return entry.answer
  }).pipe(Effect.ensuring(Effect.sync(() => ledger.busy.delete(stamp))))
}

const valueOf = ({ order, tool }: Doing, number: number) => `${tool} ${order} (${number})`

const done = (hands: Hands, doing: Doing): Effect.Effect<string> =>
  Effect.flatMap(
    happen(hands, doing, (number) => {
      const breaks = hands.process.machine.dice.happens(hands.weather().toolBreaks)
      return { _tag: breaks ? "broke down" : "succeeded", value: valueOf(doing, number) }
    }),
    (answer) => answer._tag === "succeeded" ? Effect.succeed(answer.value) : Effect.die("the tool broke down")
  )

const mayFail = (hands: Hands, doing: Doing): Effect.Effect<string, Sorry> =>
  Effect.flatMap(
    happen(hands, doing, (number) =>
      hands.process.machine.dice.happens(hands.weather().toolFails)
        ? { _tag: "failed", why: `${doing.tool} was out of order (${number})` }
        : { _tag: "succeeded", value: valueOf(doing, number) }),
    (answer) => answer._tag === "failed" ? Effect.fail(new Sorry({ why: answer.why })) : Effect.succeed(answer.value)
  )

/** Looks whether it happened, and if not, sees to it that no attempt so far makes it happen any more. */
const probed = ({ ledger, process, weather }: Hands, { idempotencyKey, stamp }: Admitted) =>
  Effect.gen(function*() {
    const { dice } = process.machine
    yield* process.boundary("before probe")
    yield* Effect.sleep(dice.between(0, 100))
    if (dice.happens(weather().toolFails)) return { _tag: "Unknown" } as const
    const entry = ledger.known(idempotencyKey)
    if (entry === undefined) ledger.forbid(idempotencyKey, stamp)
    process.machine.say(`${process.name} found ${idempotencyKey.slice(0, 8)} ${entry === undefined ? "not " : ""}done`)
    yield* process.boundary("after probe")
    return entry === undefined || entry.answer._tag === "failed"
      ? { _tag: "NotDone" } as const
      : { _tag: "Done", result: entry.answer.value } as const
  })
