/** An act that cannot be undone: it waits for a person, outlives the process it was asked in, and runs once. */
import { NodeServices } from "@effect/platform-node"
import { Actor, Approvals, DeterministicActor, Dispatch, Grant, Tool } from "aosiq"
import { Embedded } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

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
  run: (order) => Tool.call(Refund, { order, euros: 40 }, { reasons: { text: "the parcel was lost", evidence: [] } })
})

let refunds = 0
const refund = Tool.layer(Refund, ({ euros, order }) =>
  Effect.sync(() => {
    refunds++
    return `${euros} euros paid for ${order}`
  }))

const folder = mkdtempSync(join(tmpdir(), "aosiq-example-"))
/** A runtime over the folder; whoever asked may not approve. */
const runtime = Actor.layer(Complaints).pipe(
  Layer.provide(refund),
  Layer.provideMerge(Embedded.layer(folder, { requesterMayApprove: false })),
  Layer.provideMerge(NodeServices.layer)
)

const asked = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const ended = yield* dispatch.start(Complaints, "order 7", { grant: Grant.make(["tool:refund"]), caller: "shop" })
  console.log(`${ended._tag}; refunds so far: ${refunds}`)
  return ended.session
})

const session = await Effect.runPromise(Effect.provide(asked, runtime))

const decided = Effect.gen(function*() {
  const approvals = yield* Approvals.Approvals
  const dispatch = yield* Dispatch.Dispatch
  for (const { binding, id, shown } of yield* approvals.list) {
    console.log(`a person reads: ${shown.act} ${shown.args}, because ${shown.reasons}`)
    yield* approvals.decide({ ticket: id, binding, by: "ada", approve: true, reason: "the carrier confirmed it" })
  }
  const ended = yield* dispatch.resume(session)
  console.log(ended._tag === "Succeeded" ? `Succeeded: ${ended.output}` : ended._tag)
  yield* dispatch.resume(session)
  console.log(`refunds in the end: ${refunds}`)
})

// Another runtime over the same folder: nothing was held meanwhile.
await Effect.runPromise(Effect.provide(decided, runtime))
rmSync(folder, { recursive: true })
