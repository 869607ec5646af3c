/** Governed calls beside bare ones, in one run. Times are printed as ratios and never asserted. */
import { Effect, Layer, Schema } from "effect"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

const Add = Tool.make("add", {
  description: "adds",
  capabilities: ["tool:add"],
  params: Schema.Struct({ a: Schema.Finite, b: Schema.Finite }),
  success: Schema.Finite
})
const bare = ({ a, b }: { a: number; b: number }) => Effect.sync(() => a + b)
const times: Array<number> = []
const Loop = DeterministicActor.make("Loop", {
  description: "loops", input: Schema.Int, output: Schema.Finite, tools: [Add],
  run: (n) => Effect.gen(function*() {
    let sum = 0
    for (let i = 0; i < n; i++) {
      const t = performance.now()
      sum = yield* Tool.call(Add, { a: sum, b: 1 })
      times.push(performance.now() - t)
    }
    return sum
  })
})
const app = Actor.layer(Loop).pipe(Layer.provideMerge(Tool.layer(Add, bare)), Layer.provideMerge(Memory.layer()))
const q = (xs: Array<number>, p: number) => xs.toSorted((a, b) => a - b)[Math.floor(xs.length * p)]!
await Effect.runPromise(Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const grant = Grant.make(["tool:add"])
  yield* dispatch.start(Loop, 2000, { grant, caller: "bench" })
  times.length = 0
  yield* dispatch.start(Loop, 20000, { grant, caller: "bench" })
  console.log("governed p50", q(times, .5), "p99", q(times, .99))
  const b: Array<number> = []
  for (let i = 0; i < 20000; i++) { const t = performance.now(); yield* bare({ a: 1, b: 1 }); b.push(performance.now() - t) }
  console.log("bare p50", q(b, .5), "p99", q(b, .99))
}).pipe(Effect.provide(app)) as any)
