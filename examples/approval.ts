/** An act that cannot be undone: it waits for a person, runs once, and is not run again however often it is resumed. */
import { Actor, Approvals, DeterministicActor, Dispatch, Grant, Tool } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"

const Refund = Tool.make("refund", {
  description: "Pays money back to a customer",
  capabilities: ["tool:refund"],
  reversible: false,
  params: Schema.Struct({ order: Schema.String, euros: Schema.Natural }),
  success: Schema.String
})

const Complaints = DeterministicActor.make("Complaints", {
  description: "Settles a complaint",
  input: Schema.String,
  output: Schema.String,
  tools: [Refund],
  run: (order) =>
    Tool.call(Refund, { order, euros: 40 }, {
      reasons: { text: "the parcel was lost", evidence: [] }
    })
})

const paid: Array<string> = []
const refund = Tool.layer(Refund, ({ euros, order }) =>
  Effect.sync(() => {
    paid.push(order)
    return `${euros} euros paid for ${order}`
  }))

const app = Actor.layer(Complaints).pipe(
  Layer.provide(refund),
  Layer.provideMerge(Memory.layer({ requesterMayApprove: false }))
)

const program = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const approvals = yield* Approvals.Approvals

  const grant = Grant.make(["tool:refund"])
  const first = yield* dispatch.start(Complaints, "order 7", { grant, caller: "shop" })
  if (first._tag !== "Waiting") return yield* Effect.die("the refund did not wait")
  console.log(`waiting; refunds so far: ${paid.length}`)

  const [ticket] = yield* approvals.list
  console.log(`a person reads: ${ticket?.shown.args}, because ${ticket?.shown.reasons}`)
  yield* approvals.decide({ ticket: first.ticket, by: "ada", approve: true, reason: "the carrier confirmed it" })

  const second = yield* dispatch.resume(first.session)
  console.log(second._tag === "Succeeded" ? `succeeded: ${second.output}` : second._tag)
  yield* dispatch.resume(first.session)
  console.log(`refunds in the end: ${paid.length}`)
})

await Effect.runPromise(Effect.provide(program, app))
