/** The verifier over results that others recorded: true claims hold, and what one thing was altered of does not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { layer, read, results } from "./recorded.ts"
import { type Tally, trial } from "./trial.ts"

const all = results().filter((_, index) => index % 3 === 0)
const wrongIn = (tallies: ReadonlyMap<string, Tally>) =>
  [...tallies].flatMap(([kind, { wrong }]) => wrong.map(({ stated }) => `${kind}: ${JSON.stringify(stated.claim)}`))

describe.skipIf(all.length === 0)("claims about recorded results", () => {
  it.live("hold when they are true, and none that was altered does", () =>
    Effect.gen(function*() {
      const found = yield* trial(yield* read(all), { true: 400, false: 810, seed: 7 })
      assert.deepStrictEqual(wrongIn(found.true), [])
      assert.deepStrictEqual(wrongIn(found.false), [])
      for (const [kind, { made }] of [...found.true, ...found.false]) assert.isAbove(made, 0, kind)
    }).pipe(Effect.provide(layer(all))), 120_000)
})
