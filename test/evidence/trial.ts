/** Puts true and false claims about recorded results to the verifier, and counts what it says of them. */
import { Effect } from "effect"
import { Evidence } from "../../src/evidence/index.ts"
import { generator } from "./facts.ts"
import { forger, type Stated } from "./forging.ts"
import type { World } from "./recorded.ts"

/** What came of one kind of claims. */
export interface Tally {
  readonly made: number
  /** Those of which the verifier said what it should not: of true ones that they do not hold, of false ones that they do. */
  readonly wrong: ReadonlyArray<{ readonly stated: Stated; readonly objections: ReadonlyArray<string> }>
}

/** So many of each, evenly over their kinds; a kind of which no more can be made has fewer. */
export const trial = (world: World, wanted: { readonly true: number; readonly false: number; readonly seed: number }) =>
  Effect.gen(function*() {
    const evidence = yield* Evidence.Evidence
    const { forge, kinds, truth, ways } = forger(world, generator(wanted.seed))
    const put = Effect.fnUntraced(function*(made: ReadonlyArray<Stated>, holds: boolean) {
      const wrong: Array<Tally["wrong"][number]> = []
      for (let at = 0; at < made.length; at += batch) {
        const part = made.slice(at, at + batch)
        const verdicts = yield* evidence.examine(world.session, part.map(({ claim }) => claim))
        for (const [index, { objections }] of verdicts.entries()) {
          const stated = part[index]
          if (stated !== undefined && (objections.length === 0) !== holds) wrong.push({ stated, objections })
        }
      }
      return { made: made.length, wrong }
    })
    const tallies = (of: ReadonlyArray<string>, make: (kind: string) => Stated | null, total: number, holds: boolean) =>
      Effect.forEach(of, (kind, index) => {
        const share = Math.floor(total / of.length) + (index < total % of.length ? 1 : 0)
        const made = Array.from({ length: share }, () => make(kind)).filter((one) => one !== null)
        return Effect.map(put(made, holds), (tally) => [kind, tally] as const)
      })
    return {
      true: new Map(yield* tallies(kinds, truth, wanted.true, true)),
      false: new Map(yield* tallies(ways, forge, wanted.false, false))
    }
  })

/** Claims that are put together. */
const batch = 250
