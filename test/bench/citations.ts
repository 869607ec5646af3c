/**
 * Fabricated and altered citations of recorded results, and true ones beside them: how many of each the verifier lets
 * pass. A part of `npm run bench:trust`.
 */
import { Effect } from "effect"
import { layer, read, results } from "../evidence/recorded.ts"
import { type Tally, trial } from "../evidence/trial.ts"

const seed = 20_261_126
const amount = 10_000
/** Of some kinds the results have little: more are asked for than are wanted. */
const margin = 1.1

const sum = (tallies: ReadonlyMap<string, Tally>) => ({
  of: [...tallies.values()].reduce((total, { made }) => total + made, 0),
  wrong: [...tallies.values()].reduce((total, { wrong }) => total + wrong.length, 0)
})

/** Runs it. */
export const citations = async () => {
  const all = results()
  if (all.length === 0) return null
  const wanted = { true: amount * margin, false: amount * margin, seed }
  const began = performance.now()
  const found = await Effect.runPromise(
    Effect.scoped(Effect.provide(Effect.flatMap(read(all), (world) => trial(world, wanted)), layer(all)))
  )
  const ofEach = (tallies: ReadonlyMap<string, Tally>) =>
    Object.fromEntries([...tallies].map(([kind, { made, wrong }]) => [kind, { of: made, wrong: wrong.length }]))
  return {
    results: all.length,
    false: { ...sum(found.false), ways: ofEach(found.false) },
    true: { ...sum(found.true), kinds: ofEach(found.true) },
    examples: [...found.false.values(), ...found.true.values()].flatMap(({ wrong }) => wrong).slice(0, 20),
    seconds: Math.round((performance.now() - began) / 1000)
  }
}

/** The figures in words. */
export const told = (found: Awaited<ReturnType<typeof citations>>): ReadonlyArray<string> =>
  found === null ? ["citations: no recorded results are there"] : [
    `false citations of ${found.results} recorded results let pass: ${found.false.wrong} of ${found.false.of}`,
    ...Object.entries(found.false.ways).map(([way, { of, wrong }]) => `  ${way}: ${wrong} of ${of}`),
    `true citations rejected: ${found.true.wrong} of ${found.true.of}`,
    ...Object.entries(found.true.kinds).map(([kind, { of, wrong }]) => `  ${kind}: ${wrong} of ${of}`)
  ]
