/**
 * What the rules on labels cost an act: one with an effect and three arguments, through the Governor over a log in memory,
 * after as many reads of two kilobytes as said; with rules, and beside it the same act in the same session with none to hold
 * to. In CPU time and by turns, best of ten, so that what else runs here counts as little as it can.
 */
import { Effect, Layer } from "effect"
import { Flowing } from "../../src/governor/index.ts"
import type { Flow } from "../../src/trust/index.ts"
import { act, action, run, session, world } from "../governor/world.ts"

const rules: Flow.Policy = {
  version: 1,
  rules: [{ name: "to whom", sinks: ["outbound"], arguments: { "*": "trusted", args: "links" } }]
}
const acts = 20
const text = (at: number) => `${at}: ${"what was said to somebody, and by whom; ".repeat(50)}`

/** Microseconds of CPU that the process has used. */
const cpuUs = () => {
  const { system, user } = process.cpuUsage()
  return user + system
}

/** Microseconds of CPU of one act. */
const timed = Effect.fnUntraced(function*(isHeld: boolean, round: number) {
  const begun = cpuUs()
  for (let at = 0; at < acts; at++) {
    const name = `a summary of what was said, ${isHeld} ${round} ${at}`
    yield* act(action(name, () => Effect.succeed("sent"), isHeld ? { sinks: ["outbound"] } : {}))
  }
  return (cpuUs() - begun) / acts
})

const measure = Effect.fnUntraced(function*(reads: number) {
  const { id } = yield* session({}, { accounts: [] })
  const best = { held: Infinity, free: Infinity }
  yield* run(
    id,
    Effect.gen(function*() {
      for (let at = 0; at < reads; at++) {
        yield* act(action(text(at), () => Effect.succeed(text(at)), { trust: "untrusted" }))
      }
      for (let round = 0; round < 10; round++) {
        best.free = Math.min(best.free, yield* timed(false, round))
        best.held = Math.min(best.held, yield* timed(true, round))
      }
    })
  )
  return { reads, heldUs: best.held, freeUs: best.free, ratio: best.held / best.free }
})

/** Microseconds of CPU of an act with rules and without, by how much was read before. */
export const costs = () =>
  Effect.runPromise(
    Effect.forEach([1, 10, 100], measure).pipe(
      Effect.provide(world().pipe(Layer.provide(Layer.succeed(Flowing.Current, rules))))
    )
  )
