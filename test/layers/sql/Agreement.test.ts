import { layer } from "@effect/vitest"
import type { Layer } from "effect"
import type { Log } from "../../../src/audit/index.ts"
import type { Store } from "../../../src/governor/index.ts"
import { agrees } from "../../governor/agreement.ts"
import { describeOnServers } from "../postgres/realServer.ts"
import { inMemory, logOn, migrated, on } from "./databases.ts"

const agreement = <E>(name: string, log: Layer.Layer<Store.Store | Log.Log, E>, histories: number) =>
  layer(log, { timeout: "60 seconds" })(name, (it) => {
    it.effect("does what the transition says, whatever happens", () => agrees(histories), 60_000)
  })

agreement("the store in SQL", logOn(migrated(inMemory)), 60)
describeOnServers("a real server", (server) => agreement("the store in SQL", logOn(migrated(on(server))), 60))
