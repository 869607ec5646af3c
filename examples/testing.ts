/** How an actor of one's own is tested: the whole runtime in memory, and questions to ask of what was recorded. */
import { assert, describe, it } from "@effect/vitest"
import { Actor, Approvals, CostModel, DeterministicActor, Dispatch, Grant, MicroUsd, Tool } from "aosiq"
import { acts, layer, refusals, spent, waiting } from "aosiq/testing"
import { Effect, Layer, Schema } from "effect"

const Size = Tool.make("size", {
  description: "Bytes of a mailbox",
  capabilities: ["tool:size"],
  params: Schema.Struct({ mailbox: Schema.String }),
  success: Schema.Natural,
  cost: CostModel.perCall(MicroUsd.fromUsd(0.01))
})
const Delete = Tool.make("delete", {
  description: "Deletes a mailbox",
  capabilities: ["tool:delete"],
  reversible: false,
  params: Schema.Struct({ mailbox: Schema.String }),
  success: Schema.String
})
const Leaver = DeterministicActor.make("Leaver", {
  description: "Deletes the mailbox of somebody who left",
  input: Schema.String,
  output: Schema.String,
  tools: [Size, Delete],
  run: (mailbox) => Effect.andThen(Tool.call(Size, { mailbox }), Tool.call(Delete, { mailbox }))
})

const deleted: Array<string> = []
const handlers = Layer.mergeAll(
  Tool.layer(Size, () => Effect.succeed(4096)),
  Tool.layer(Delete, ({ mailbox }) => Effect.sync(() => (deleted.push(mailbox), `${mailbox} is gone`)))
)
const app = Actor.layer(Leaver).pipe(Layer.provide(handlers), Layer.provideMerge(layer()))

const order = { grant: Grant.make(["tool:size", "tool:delete"]), caller: "hr" }

describe("Leaver", () => {
  it.effect("deletes nothing before somebody agreed", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const { session } = yield* dispatch.start(Leaver, "bob", order)
      assert.deepStrictEqual(yield* acts(session), ["size"])
      assert.lengthOf(yield* waiting, 1)
      assert.deepStrictEqual(deleted, [])
      assert.strictEqual(yield* spent(`session:${session}`), 10_000)
    }).pipe(Effect.provide(app)))

  it.effect("deletes nothing when somebody says no", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const approvals = yield* Approvals.Approvals
      const { session } = yield* dispatch.start(Leaver, "bob", order)
      for (const ticket of yield* waiting) {
        yield* approvals.decide({ ticket, by: "ada", approve: false, reason: "bob is back" })
      }
      const ended = yield* dispatch.resume(session)
      assert.strictEqual(ended._tag, "Failed")
      assert.deepStrictEqual(yield* refusals(session), ["delete: approval"])
      assert.deepStrictEqual(deleted, [])
    }).pipe(Effect.provide(app)))

  it.effect("does not start what it cannot pay for", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const poor = { ...order, grant: Grant.make(["tool:size", "tool:delete"], { budgetMicroUsd: 9_999 }) }
      const { session } = yield* dispatch.start(Leaver, "bob", poor)
      assert.deepStrictEqual(yield* acts(session), [])
      assert.deepStrictEqual(yield* refusals(session), ["size: budget"])
    }).pipe(Effect.provide(app)))
})
