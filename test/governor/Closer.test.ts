/** A bound that does not fit: a closer one is asked for, after every other check, and nothing runs that does not fit it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Store } from "../../src/governor/index.ts"
import * as W from "./world.ts"

/** An act whose bound is above the thousand micro-dollars of its session, unless its closer one is. */
const asking = (mark: (name: string) => Effect.Effect<string>, closer: number, parts: W.Parts = {}) =>
  W.action("x", mark, {
    reserve: 5000,
    closer: Effect.as(mark("count"), closer),
    bill: () => ({ costMicroUsd: 7 }),
    ...parts
  })

const account = (session: string) =>
  Store.Store.use((store) => store.accounts).pipe(
    Effect.map((all) => all.find(({ id }) => id === `session:${session}`))
  )

describe("an act whose bound does not fit", () => {
  it.effect("runs on a closer one, and holds no more than that", () =>
    Effect.gen(function*() {
      const { done, mark } = W.marks()
      const { id } = yield* W.session()
      yield* W.run(id, W.act(asking(mark, 900)))
      assert.deepStrictEqual(done, ["count", "x"])
      assert.deepStrictEqual((yield* W.kind(id, "intent")).map(({ reservedMicroUsd }) => reservedMicroUsd), [900])
      assert.deepStrictEqual(yield* W.kind(id, "refusal"), [])
      assert.deepInclude(yield* account(id), { reserved: 0, spent: 7 })
    }).pipe(Effect.provide(W.world())))

  it.effect("is refused once and does not run, when the closer one does not fit either", () =>
    Effect.gen(function*() {
      const { done, mark } = W.marks()
      const { id } = yield* W.session()
      const refused = yield* W.run(id, W.refused(W.act(asking(mark, 1001))))
      assert.deepInclude({ ...refused }, { layer: "budget" })
      assert.deepStrictEqual(done, ["count"])
      assert.strictEqual((yield* W.kind(id, "refusal")).length, 1)
      assert.deepStrictEqual(yield* W.kind(id, "intent"), [])
      assert.deepInclude(yield* account(id), { reserved: 0, spent: 0 })
    }).pipe(Effect.provide(W.world())))

  it.effect("asks for none where the bound fits, where anything else refuses, or where it cannot be undone", () =>
    Effect.gen(function*() {
      const { done, mark } = W.marks()
      const { id } = yield* W.session()
      yield* W.run(
        id,
        Effect.gen(function*() {
          yield* W.act(asking(mark, 1, { reserve: 1000 }))
          assert.deepStrictEqual(done.splice(0), ["x"])
          const other = asking(mark, 1, { capabilities: ["tool:other"] })
          assert.deepInclude({ ...yield* W.refused(W.act(other)) }, { layer: "token" })
          const foreign = asking(mark, 1, { backend: "openai" })
          assert.deepInclude({ ...yield* W.refused(W.act(foreign)) }, { layer: "class" })
          const final = W.act(asking(mark, 1, { reversible: false }))
          assert.strictEqual((yield* W.stopped(final))._tag, "AwaitingApproval")
        })
      )
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(W.world())))

  it.effect("that has no room in warn mode either is a violation after its count, and runs", () =>
    Effect.gen(function*() {
      const { done, mark } = W.marks()
      const { id } = yield* W.session()
      yield* W.run(id, W.act(asking(mark, 2000)))
      assert.deepStrictEqual(done, ["count", "x"])
      assert.deepStrictEqual((yield* W.kind(id, "refusal")).map(({ layer, ran }) => [layer, ran]), [["budget", true]])
      assert.deepStrictEqual((yield* W.kind(id, "intent")).map(({ reservedMicroUsd }) => reservedMicroUsd), [2000])
    }).pipe(Effect.provide(W.world({ mode: "warn" }))))

  it.live("can be interrupted while the closer one is looked for", () =>
    Effect.gen(function*() {
      const { done, mark } = W.marks()
      const { id } = yield* W.session()
      const counting = Effect.andThen(mark("count"), Effect.never)
      const fiber = yield* Effect.forkChild(W.run(id, W.act(asking(mark, 1, { closer: counting }))))
      while (done.length === 0) yield* Effect.sleep(1)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(done, ["count"])
      assert.deepStrictEqual(yield* W.kind(id, "intent"), [])
    }).pipe(Effect.provide(W.world())))

  it.effect("pays a bill above what was reserved in full, and says both", () =>
    Effect.gen(function*() {
      const { mark } = W.marks()
      const { id } = yield* W.session()
      const refused = yield* W.run(
        id,
        Effect.andThen(
          W.act(asking(mark, 100, { bill: () => ({ costMicroUsd: 1500 }) })),
          W.refused(W.act(W.action("y", mark, { reserve: 1 })))
        )
      )
      assert.deepInclude(yield* account(id), { ceiling: 1000, reserved: 0, spent: 1500 })
      assert.strictEqual((yield* W.kind(id, "intent"))[0]?.reservedMicroUsd, 100)
      assert.strictEqual((yield* W.kind(id, "outcome"))[0]?.costMicroUsd, 1500)
      assert.include(refused.detail, "0 of 1000 left")
    }).pipe(Effect.provide(W.world())))
})
