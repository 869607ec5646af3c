/** Acts whose outcome was lost: one that its tool can look up, and one that a person has to say something about. */
import { Actor, Approvals, DeterministicActor, Dispatch, Grant, Tool, Unknowns } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"

const Payout = Tool.make("payout", {
  description: "Pays a customer, through a bank that can be asked",
  capabilities: ["tool:payout"],
  reversible: false,
  probe: true,
  params: Schema.Struct({ order: Schema.String }),
  success: Schema.String
})
const Letter = Tool.make("letter", {
  description: "Sends a letter; the post does not say what it has",
  capabilities: ["tool:letter"],
  reversible: false,
  params: Schema.Struct({ order: Schema.String }),
  success: Schema.String
})

const Complaints = DeterministicActor.make("Complaints", {
  description: "Settles a complaint",
  input: Schema.String,
  output: Schema.String,
  tools: [Payout, Letter],
  run: (order) =>
    Effect.gen(function*() {
      const receipt = yield* Tool.call(Payout, { order })
      return `${receipt}; ${yield* Tool.call(Letter, { order })}`
    })
})

/** What the bank has booked, by key. */
const booked = new Map<string, string>()
const lost = Effect.die(new Error("the connection broke"))

const payout = Tool.layer(
  Payout,
  ({ order }, { idempotencyKey }) =>
    Effect.andThen(Effect.sync(() => booked.set(idempotencyKey, `paid ${order}`)), lost),
  (_, { idempotencyKey }) =>
    Effect.sync(() => {
      const result = booked.get(idempotencyKey)
      return result === undefined ? { _tag: "NotDone" } : { _tag: "Done", result }
    })
)
const letter = Tool.layer(Letter, () => lost)

const app = Actor.layer(Complaints).pipe(Layer.provide([payout, letter]), Layer.provideMerge(Memory.layer()))

const program = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const approvals = yield* Approvals.Approvals
  const grant = Grant.make(["tool:payout", "tool:letter"])
  let ended: Dispatch.Ended<unknown> = yield* dispatch.start(Complaints, "order 7", { grant, caller: "shop" })
  while (ended._tag === "Waiting") {
    yield* approvals.decide({ ticket: ended.ticket, by: "ada", approve: true, reason: "it is due" })
    ended = yield* dispatch.resume(ended.session)
  }
  console.log(`${ended._tag}; booked: ${[...booked.values()].join(", ")}`)

  const unknowns = yield* Unknowns.Unknowns
  for (const { act, args, detail, id } of yield* unknowns.list) {
    console.log(`a person finds out: ${act} ${args} ${detail.replace(/\d+ ms/, "n ms")}`)
    yield* unknowns.settle({ unknown: id, choice: "done", by: "ada", reason: "it arrived", result: "letter sent" })
  }
  const last = yield* dispatch.resume(ended.session)
  console.log(last._tag === "Succeeded" ? `Succeeded: ${last.output}` : last._tag)
})

await Effect.runPromise(Effect.provide(program, app))
