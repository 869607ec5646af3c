/** A session starts no more children than its token admits, whoever asks: the child that is too many does not start. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { beforeEach } from "vitest"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { type Claims, defaultTerms, Grant } from "../../src/capability/index.ts"
import { branch } from "../../src/governor/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

const Step = Tool.make("step", {
  description: "takes a step",
  capabilities: ["tool:step"],
  params: Schema.String,
  success: Schema.String
})
const done: Array<string> = []

const Leaf = DeterministicActor.make("Leaf", {
  description: "takes a step",
  input: Schema.String,
  output: Schema.String,
  tools: [Step],
  run: (name) => Tool.call(Step, name)
})
/** Sends so many leaves, one after the other or side by side. */
const Branch = DeterministicActor.make("Branch", {
  description: "sends leaves",
  input: Schema.Struct({ name: Schema.String, leaves: Schema.Natural, together: Schema.Boolean }),
  output: Schema.Finite,
  tools: [Leaf.tool],
  run: ({ leaves, name, together }) =>
    Effect.map(
      Effect.forEach(
        Array.from({ length: leaves }, (_, index) => `${name}${index}`),
        (leaf) => branch(leaf)(Actor.spawn(Leaf, leaf)),
        { concurrency: together ? "unbounded" : 1 }
      ),
      (all) => all.length
    )
})
/** Sends branches, each with what its grant says. */
const Trunk = DeterministicActor.make("Trunk", {
  description: "sends branches",
  input: Schema.Struct({ branches: Schema.Natural, leaves: Schema.Natural, children: Schema.Natural }),
  output: Schema.Finite,
  tools: [Branch.tool],
  run: ({ branches, children, leaves }) =>
    Effect.gen(function*() {
      const own = yield* Actor.own("spawn:Leaf", "tool:step")
      const limits = { ...defaultTerms.limits, children, descendants: 1000 }
      const narrow = own.narrow(["spawn:Leaf", "tool:step"], { limits })
      const sent = yield* Effect.forEach(
        Array.from({ length: branches }, (_, index) => `b${index}-`),
        (name) => branch(name)(Actor.delegate(Branch, narrow, { name, leaves, together: false }))
      )
      return sent.reduce((sum, count) => sum + count, 0)
    })
})

const app = Actor.layer(Trunk).pipe(
  Layer.provideMerge(Actor.layer(Branch)),
  Layer.provideMerge(Actor.layer(Leaf)),
  Layer.provide(Tool.layer(Step, (name) => Effect.sync(() => (done.push(name), name)))),
  Layer.provideMerge(Memory.layer())
)

const grantOf = (limits: Partial<Claims.FanOut>) =>
  Grant.make(["spawn:Branch", "spawn:Leaf", "tool:step"], { limits: { ...defaultTerms.limits, ...limits } })
const sessions = Effect.flatMap(Log.Log, (log) => log.sessions)
const leaves = Effect.map(sessions, (all) => all.filter(({ actor }) => actor === "Leaf").length)

beforeEach(() => void (done.length = 0))

describe("a session's children", () => {
  const send = (limits: Partial<Claims.FanOut>, count: number, together = false) =>
    Effect.flatMap(
      Dispatch.Dispatch,
      (dispatch) =>
        dispatch.start(Branch, { name: "l", leaves: count, together }, { grant: grantOf(limits), caller: "ada" })
    )

  it.live("are as many as its token admits", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* send({ children: 3 }, 3), { _tag: "Succeeded", output: 3 })
      assert.deepStrictEqual(done, ["l0", "l1", "l2"])
    }).pipe(Effect.provide(app)))

  it.live("are not one more: it is refused with layer and remedy, and does not start", () =>
    Effect.gen(function*() {
      const ended = yield* send({ children: 3 }, 5)
      assert.deepInclude(ended, { _tag: "Failed" })
      if (ended._tag === "Failed") {
        assert.match(ended.detail, /spawn_Leaf: refused by token: .* has had 3 children.*; .*a grant that admits more/)
      }
      assert.deepStrictEqual(done, ["l0", "l1", "l2"])
      assert.strictEqual(yield* leaves, 3)
    }).pipe(Effect.provide(app)))

  it.live("are not one more when all are asked for at once", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* send({ children: 4 }, 12, true), { _tag: "Failed" })
      assert.isAtMost(done.length, 4)
      assert.strictEqual(yield* leaves, 4)
    }).pipe(Effect.provide(app)))

  it.live("are none for a token that admits none", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* send({ children: 0 }, 1), { _tag: "Failed" })
      assert.deepInclude(yield* send({ descendants: 0 }, 1), { _tag: "Failed" })
      assert.deepStrictEqual([done, yield* leaves], [[], 0])
    }).pipe(Effect.provide(app)))

  it.live("are sixty-four unless something else is said", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* send({}, 64), { _tag: "Succeeded", output: 64 })
      assert.deepInclude(yield* send({}, 65), { _tag: "Failed" })
      assert.strictEqual(yield* leaves, 128)
    }).pipe(Effect.provide(app)))
})

describe("a tree of sessions", () => {
  const grow = (limits: Partial<Claims.FanOut>, input: { branches: number; leaves: number; children: number }) =>
    Effect.flatMap(
      Dispatch.Dispatch,
      (dispatch) => dispatch.start(Trunk, input, { grant: grantOf(limits), caller: "ada" })
    )

  it.live("has no more below its root that live than its token admits, and those that ended make room", () =>
    Effect.gen(function*() {
      // Each branch and one leaf of it live at the same time: two.
      assert.deepInclude(yield* grow({ descendants: 2 }, { branches: 3, leaves: 4, children: 9 }), {
        _tag: "Succeeded",
        output: 12
      })
      done.length = 0
      assert.deepInclude(yield* grow({ descendants: 1 }, { branches: 3, leaves: 4, children: 9 }), { _tag: "Failed" })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(app)))

  it.live("is bounded below by what was handed down, and never by more", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* grow({ children: 5 }, { branches: 1, leaves: 3, children: 2 }), { _tag: "Failed" })
      assert.deepStrictEqual(done, ["b0-0", "b0-1"])
      done.length = 0
      // The grant asked for a thousand; what the parent holds is what the child gets.
      assert.deepInclude(yield* grow({ children: 2 }, { branches: 1, leaves: 3, children: 1000 }), { _tag: "Failed" })
      assert.deepStrictEqual(done, ["b0-0", "b0-1"])
    }).pipe(Effect.provide(app)))
})
