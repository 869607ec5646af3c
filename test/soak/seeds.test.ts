/** A hundred thousand seeds of the simulator: each holds. */
import { assert, describe, it } from "@effect/vitest"
import { simulate } from "../simulator/Simulation.ts"

const total = 100_000
const share = 10_000
/** Seeds of one share that may fail before it is given up. */
const maxFailures = 5

describe("simulated seeds, at length", () => {
  for (let from = 1; from <= total; from += share) {
    it(`from ${from} to ${from + share - 1}`, () => {
      const failed: Array<{ readonly seed: number; readonly findings: ReadonlyArray<string> }> = []
      for (let seed = from; seed < from + share && failed.length < maxFailures; seed++) {
        const { findings } = simulate(seed)
        if (findings.length > 0) failed.push({ seed, findings })
      }
      assert.deepStrictEqual(failed, [], "again: npm run test:seeds -- --seeds 1 --from SEED --trace")
    })
  }
})
