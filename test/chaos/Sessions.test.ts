/** Whole sessions while their database has a bad day: each goes to its end, and does everything once. */
import { layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { describeOnOwnServer, make, type OwnServer } from "./ownServer.ts"
import { endure } from "./sessions.ts"
import * as Troubles from "./troubles.ts"

class Server extends Context.Service<Server, OwnServer>()("aosiq/test/chaos/Sessions.test/Server") {}

describeOnOwnServer("sessions", () => {
  layer(Layer.effect(Server, make({ max_connections: "20" })), { excludeTestServices: true, timeout: "60 seconds" })(
    (it) => {
      for (const trouble of Troubles.all.filter(({ logs }) => logs === 1)) {
        it.effect(
          `endure ${trouble.name}`,
          () =>
            Effect.flatMap(
              Server,
              (server) =>
                endure(server, trouble, { seed: 2, sessions: 8, acts: 0, strikes: trouble.strikes, withinMs: 60_000 })
            ),
          120_000
        )
      }
    }
  )
})
