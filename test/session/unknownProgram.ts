/**
 * A process of its own on a data folder: `unknownProgram.ts FOLDER BANK STEP`. The bank is a file that its tools only append
 * to: `call ORDER` when a payment is asked for, `paid ORDER` when it is made.
 *
 *   pay      starts one session for each order and stops inside the payment, some before it is made and some after
 *   recover  lets the sessions go on that the process before left behind, and says how each stands
 *   decide   says what became of the acts that are open, and stops before it wakes any session
 *
 * Says `ready` when it did, and waits to be killed.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer, Schema } from "effect"
import { appendFileSync, readFileSync, writeSync } from "node:fs"
import { Embedded } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { CostModel, MicroUsd } from "../../src/cost/index.ts"
import { Approvals, Dispatch, Unknowns } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { type Choice, orders } from "./unknownOrders.ts"

const [folder = "", bank = "", step = ""] = process.argv.slice(2)

const say = (line: string) => Effect.sync(() => void writeSync(1, `${line}\n`))
const book = (line: string) => Effect.sync(() => appendFileSync(bank, `${line}\n`, { flush: true }))
const booked = (line: string) => Effect.sync(() => readFileSync(bank, "utf8").split("\n").includes(line))

const common = {
  capabilities: ["tool:pay"],
  reversible: false,
  params: Schema.Struct({ order: Schema.String, stops: Schema.String }),
  success: Schema.String,
  timeoutMs: 600_000,
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(10))
} as const
const Plain = Tool.make("pay_plain", { ...common, description: "pays" })
const Keyed = Tool.make("pay_keyed", { ...common, description: "pays once a key", idempotent: true })
const Probed = Tool.make("pay_probed", { ...common, description: "pays, and can be looked up", probe: true })

/** Stops here, in the process that pays. */
const stop = (isHere: boolean) => isHere && step === "pay" ? Effect.andThen(say("stopped"), Effect.never) : Effect.void

/** One payment; a bank that knows keys makes it once for each. */
const pay = (isKnown: (order: string, key: string) => Effect.Effect<boolean>) =>
(
  { order, stops }: { readonly order: string; readonly stops: string },
  permit: { readonly idempotencyKey: string }
) =>
  Effect.gen(function*() {
    yield* book(`call ${order}`)
    yield* stop(stops === "before")
    if (!(yield* isKnown(order, permit.idempotencyKey))) {
      yield* book(`key ${permit.idempotencyKey}`)
      yield* book(`paid ${order}`)
    }
    yield* stop(stops === "after")
    return `receipt of ${order}`
  })

const never = () => Effect.succeed(false)
const handlers = Layer.mergeAll(
  Tool.layer(Plain, pay(never)),
  Tool.layer(Keyed, pay((_, key) => booked(`key ${key}`))),
  Tool.layer(Probed, pay(never), ({ order }, { idempotencyKey }) =>
    Effect.map(
      booked(`key ${idempotencyKey}`),
      (isPaid) => isPaid ? { _tag: "Done", result: `receipt of ${order}` } : { _tag: "NotDone" }
    ))
)

const Payer = DeterministicActor.make("Payer", {
  description: "pays an order",
  input: Schema.Struct({ kind: Schema.String, order: Schema.String, stops: Schema.String }),
  output: Schema.String,
  tools: [Plain, Keyed, Probed],
  run: ({ kind, order, stops }) =>
    Effect.gen(function*() {
      if (kind === "plain") return yield* Tool.call(Plain, { order, stops })
      if (kind === "keyed") return yield* Tool.call(Keyed, { order, stops })
      return yield* Tool.call(Probed, { order, stops })
    }).pipe(
      Effect.catch((error) =>
        error.reason._tag === "Settled" ? Effect.succeed(error.reason.detail) : Effect.fail(error)
      )
    )
})

const start = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const approvals = yield* Approvals.Approvals
  for (const { kind, order, stops } of orders) {
    const first = yield* dispatch.start(Payer, { kind, order, stops }, {
      grant: Grant.make(["tool:pay"]),
      caller: "ada"
    })
    if (first._tag !== "Waiting") return yield* Effect.die(new Error(first._tag))
    yield* approvals.decide({ ticket: first.ticket, by: "grace", approve: true, reason: "" })
    yield* say(`session ${order} ${first.session}`)
    yield* Effect.forkDetach(dispatch.resume(first.session))
  }
})

const recover = Effect.gen(function*() {
  for (const ended of yield* (yield* Dispatch.Dispatch).recover) {
    yield* say(`ended ${JSON.stringify(ended)}`)
  }
  for (const open of yield* (yield* Unknowns.Unknowns).list) yield* say(`open ${JSON.stringify(open)}`)
})

const decide = Effect.gen(function*() {
  const desk = yield* Unknowns.Unknowns
  for (const open of yield* desk.list) {
    const { order } = JSON.parse(open.args) as { readonly order: string }
    const choice = orders.find((each) => each.order === order)?.choice as Choice
    yield* desk.settle({ unknown: open.id, choice, by: "grace", reason: `grace: ${choice}` })
  }
})

NodeRuntime.runMain(
  Effect.gen(function*() {
    yield* step === "pay" ? start : step === "recover" ? recover : decide
    yield* say("ready")
    return yield* Effect.never
  }).pipe(
    Effect.provide(
      Actor.layer(Payer).pipe(
        Layer.provide(handlers),
        Layer.provideMerge(Embedded.layer(folder)),
        Layer.provideMerge(NodeServices.layer)
      )
    )
  )
)
