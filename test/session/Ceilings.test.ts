/** The four ceilings: of a session, of its class, of its caller, of its parent; each stops what would pass it, and no other. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Schema } from "effect"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { CostModel, MicroUsd } from "../../src/cost/index.ts"
import { Store } from "../../src/governor/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

const done: Array<string> = []

const Step = Tool.make("step", {
  description: "takes a step, for ten micro-dollars",
  capabilities: ["tool:step"],
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(10)),
  params: Schema.String,
  success: Schema.String
})
const step = Tool.layer(Step, (name) => Effect.sync(() => (done.push(name), name)))

const walking = (steps: ReadonlyArray<string>) => Effect.as(Effect.forEach(steps, (one) => Tool.call(Step, one)), null)
const common = { input: Schema.Array(Schema.String), output: Schema.Null, tools: [Step] } as const
const Walker = DeterministicActor.make("Walker", { ...common, description: "walks", run: walking })
const Runner = DeterministicActor.make("Runner", { ...common, description: "runs", run: walking })
const Leader = DeterministicActor.make("Leader", {
  ...common,
  description: "has others walk, each a step",
  tools: [Walker.tool],
  run: (steps) => Effect.as(Effect.forEach(steps, (one) => Actor.spawn(Walker, [one])), null)
})

const app = (ceilings: Partial<Dispatch.Ceilings>) =>
  Actor.layer(Leader).pipe(
    Layer.provideMerge(Layer.mergeAll(Actor.layer(Walker), Actor.layer(Runner))),
    Layer.provideMerge(step),
    Layer.provideMerge(Memory.layer()),
    Layer.provide(Layer.succeed(Dispatch.CurrentCeilings, { caller: 1000, class: 1000, ...ceilings })),
    Layer.fresh
  )

const start = (
  actor: typeof Walker | typeof Runner | typeof Leader,
  steps: ReadonlyArray<string>,
  { budget = 1000, caller = "ada" }: { readonly budget?: number; readonly caller?: string } = {}
) =>
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const grant = Grant.make(["tool:step", "spawn:Walker"], { budgetMicroUsd: budget })
    // One of the three is registered as well as the others.
    const ended = yield* dispatch.start(actor as typeof Walker, steps, { grant, caller })
    return ended._tag === "Failed" ? { why: ended.detail, stop: ended.stop } : { why: "", stop: null }
  })

const spentOf = (id: string) =>
  Store.Store.use((store) => store.accounts).pipe(
    Effect.map((all) => all.find((account) => account.id === id)),
    Effect.map((account) => account === undefined ? undefined : [account.spent, account.reserved, account.ceiling])
  )

beforeEach(() => void done.splice(0))

describe("a ceiling", () => {
  it.live("of a session stops that session, and the next has its own", () =>
    Effect.gen(function*() {
      const first = yield* start(Walker, ["a", "b", "c"], { budget: 25 })
      assert.match(first.why, /refused by budget: session:ses_\w+: 10 micro-dollars wanted, 5 of 25 left/)
      assert.strictEqual(first.stop, "budget")
      assert.strictEqual((yield* start(Walker, ["d"], { budget: 25 })).why, "")
      assert.deepStrictEqual(done, ["a", "b", "d"])
    }).pipe(Effect.provide(app({}))))

  it.live("of a class stops all sessions of it, whoever calls, and no other class", () =>
    Effect.gen(function*() {
      yield* start(Walker, ["a", "b"], { caller: "ada" })
      const next = yield* start(Walker, ["c", "d"], { caller: "grace" })
      assert.match(next.why, /refused by budget: class:Walker: 10 micro-dollars wanted, 0 of 30 left/)
      assert.strictEqual((yield* start(Runner, ["e"])).why, "")
      assert.deepStrictEqual(done, ["a", "b", "c", "e"])
      assert.deepStrictEqual(yield* spentOf("class:Walker"), [30, 0, 30])
    }).pipe(Effect.provide(app({ class: 30 }))))

  it.live("of a caller stops all that the caller asks for, of whatever class, and no other caller", () =>
    Effect.gen(function*() {
      yield* start(Walker, ["a", "b"], { caller: "ada" })
      const next = yield* start(Runner, ["c", "d"], { caller: "ada" })
      assert.match(next.why, /refused by budget: caller:ada: 10 micro-dollars wanted, 5 of 35 left/)
      assert.strictEqual((yield* start(Walker, ["e"], { caller: "grace" })).why, "")
      assert.deepStrictEqual(done, ["a", "b", "c", "e"])
    }).pipe(Effect.provide(app({ caller: 35 }))))

  it.live("of a parent stops its children, who draw on it together", () =>
    Effect.gen(function*() {
      const led = yield* start(Leader, ["a", "b", "c"], { budget: 25 })
      assert.match(led.why, /refused by budget: session:ses_\w+: 10 micro-dollars wanted, 5 of 25 left/)
      assert.strictEqual(led.stop, "budget")
      assert.deepStrictEqual(done, ["a", "b"])
      assert.deepStrictEqual(yield* spentOf("class:Leader"), [20, 0, 1000])
      assert.deepStrictEqual(yield* spentOf("class:Walker"), [20, 0, 1000])
    }).pipe(Effect.provide(app({}))))

  it.live("of one account goes before those of its kind", () =>
    Effect.gen(function*() {
      assert.match((yield* start(Walker, ["a", "b"])).why, /class:Walker: 10 micro-dollars wanted, 5 of 15 left/)
      assert.strictEqual((yield* start(Runner, ["c", "d"])).why, "")
      assert.match((yield* start(Runner, ["e"], { caller: "grace" })).why, /caller:grace: 10 .* 0 of 0 left/)
      assert.strictEqual((yield* start(Runner, ["f"], { caller: "constructor" })).why, "")
      assert.deepStrictEqual(done, ["a", "c", "d", "f"])
    }).pipe(Effect.provide(app({ accounts: { "class:Walker": 15, "caller:grace": 0 } }))))

  it.live("that the environment names goes before the program's", () =>
    Effect.gen(function*() {
      const named = ConfigProvider.fromUnknown({ AOSIQ_CALLER_CEILING: "0.000015", AOSIQ_CLASS_CEILING: "2" })
      yield* Effect.gen(function*() {
        assert.match((yield* start(Walker, ["a", "b"])).why, /caller:ada: 10 micro-dollars wanted, 5 of 15 left/)
        assert.deepStrictEqual(yield* spentOf("class:Walker"), [10, 0, 2_000_000])
      }).pipe(Effect.provide(app({}).pipe(Layer.provide(ConfigProvider.layer(named)))))
      for (const AOSIQ_CALLER_CEILING of ["-1", "much", "1e99"]) {
        const wrong = ConfigProvider.layer(ConfigProvider.fromUnknown({ AOSIQ_CALLER_CEILING }))
        const exit = yield* Effect.exit(Layer.build(app({}).pipe(Layer.provide(wrong))).pipe(Effect.scoped))
        assert.strictEqual(exit._tag, "Failure", AOSIQ_CALLER_CEILING)
      }
    }))
})
