/** What must survive a database's bad days, on any server: the log alone, and whole sessions over it. */
import { layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { endure } from "./endure.ts"
import type { Make, OwnServer } from "./ownServer.ts"
import * as Sessions from "./sessions.ts"
import type * as Troubles from "./troubles.ts"

/** How long a run is: seeds for each trouble, and how many times it strikes as often as in a short one. */
export interface Length {
  readonly troubles: ReadonlyArray<Troubles.Trouble>
  readonly seeds: ReadonlyArray<number>
  readonly times: number
}

/** Nothing acknowledged is lost, and nothing happens twice. */
export const logSuite = (make: Make, length: Length): void =>
  each(
    make,
    length,
    (server, trouble, measure) => endure(server, trouble, { ...measure, sessions: 24, acts: 6 })
  )

/** Each session goes to its end, and does everything once. A cluster wants more than one connection. */
export const sessionSuite = (make: Make, length: Length): void =>
  each(
    make,
    length,
    (server, trouble, measure) => Sessions.endure(server, trouble, { ...measure, sessions: 8 })
  )

// internal

class Server extends Context.Service<Server, OwnServer>()("aosiq/test/chaos/DatabaseSuite/Server") {}

/** The longest that a short run may take, milliseconds. */
const shortMs = 60_000

const each = <E>(
  make: Make,
  { seeds, times, troubles }: Length,
  one: (
    server: OwnServer,
    trouble: Troubles.Trouble,
    measure: { readonly seed: number; readonly strikes: number; readonly withinMs: number }
  ) => Effect.Effect<void, E>
) => {
  // Few connections, so that they can be exhausted.
  const server = Layer.effect(Server, make({ max_connections: "20" }))
  layer(server, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
    for (const trouble of troubles) {
      for (const seed of seeds) {
        const measure = { seed, strikes: trouble.strikes * times, withinMs: shortMs * times }
        it.effect(
          `${trouble.name}, seed ${seed}`,
          () => Effect.flatMap(Server, (server) => one(server, trouble, measure)),
          2 * shortMs * times
        )
      }
    }
  })
}
