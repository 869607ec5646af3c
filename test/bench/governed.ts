/** What looking at results costs a governed call in memory, by turns with and without detectors in one run. */
import { Effect, Layer, Schema } from "effect"
import { performance } from "node:perf_hooks"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Received } from "../../src/governor/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

const Read = Tool.make("read", {
  description: "Reads a text.",
  capabilities: ["tool:read"],
  params: Schema.Struct({ from: Schema.Int, length: Schema.Int }),
  success: Schema.String
})
const times: Array<number> = []
const Reader = DeterministicActor.make("Reader", {
  description: "Reads, many times.",
  input: Schema.Struct({ rounds: Schema.Int, length: Schema.Int }),
  output: Schema.Int,
  tools: [Read],
  run: ({ length, rounds }) =>
    Effect.gen(function*() {
      for (let round = 0; round < rounds; round++) {
        const begun = performance.now()
        yield* Tool.call(Read, { from: round * 997, length })
        times.push(performance.now() - begun)
      }
      return rounds
    })
})

/** Medians in milliseconds, and their ratio, for results of one length. */
export interface Cost {
  readonly length: number
  readonly withMs: number
  readonly withoutMs: number
  readonly ratio: number
}

/** The cost for each length, over pieces of `text`. */
export const costs = (
  text: string,
  lengths: ReadonlyArray<number>,
  rounds: number
): Effect.Effect<ReadonlyArray<Cost>> => {
  const actors = Actor.layer(Reader).pipe(
    Layer.provide(Tool.layer(Read, ({ from, length }) => {
      const start = from % Math.max(1, text.length - length)
      return Effect.succeed(text.slice(start, start + length).toWellFormed())
    }))
  )
  const grant = Grant.make(["tool:read"], { lifetimeSeconds: 3600 })
  const run = (isLooking: boolean, length: number) =>
    Effect.gen(function*() {
      times.length = 0
      const dispatch = yield* Dispatch.Dispatch
      yield* dispatch.start(Reader, { rounds, length }, { grant, caller: "bench" })
      return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
    }).pipe(
      Effect.provide(actors.pipe(
        Layer.provideMerge(
          isLooking ? Memory.layer() : Memory.layer().pipe(Layer.provide(Layer.succeed(Received.Current, () => [])))
        )
      )),
      Effect.orDie
    )
  return Effect.forEach(lengths, (length) =>
    Effect.gen(function*() {
      const turns: Array<readonly [number, number]> = []
      for (let turn = 0; turn < 4; turn++) turns.push([yield* run(true, length), yield* run(false, length)])
      const [withMs, withoutMs] = [0, 1].map((at) => Math.min(...turns.slice(1).map((turn) => turn[at] ?? 0)))
      return { length, withMs: withMs ?? 0, withoutMs: withoutMs ?? 0, ratio: (withMs ?? 0) / (withoutMs || 1) }
    }))
}
