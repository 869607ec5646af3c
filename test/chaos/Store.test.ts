/** The log in SQL while its database has a bad day: nothing acknowledged is lost, and nothing happens twice. */
import { layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { endure } from "./endure.ts"
import { describeOnOwnServer, make, type OwnServer } from "./ownServer.ts"
import * as Troubles from "./troubles.ts"

class Server extends Context.Service<Server, OwnServer>()("aosiq/test/chaos/Store.test/Server") {}

describeOnOwnServer("the log in SQL", () => {
  layer(Layer.effect(Server, make({ max_connections: "20" })), { excludeTestServices: true, timeout: "60 seconds" })(
    (it) => {
      for (const trouble of Troubles.all) {
        it.effect(
          `endures ${trouble.name}`,
          () =>
            Effect.flatMap(
              Server,
              (server) =>
                endure(server, trouble, { seed: 1, sessions: 24, acts: 6, strikes: trouble.strikes, withinMs: 60_000 })
            ),
          120_000
        )
      }
    }
  )
})
