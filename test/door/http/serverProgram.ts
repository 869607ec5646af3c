/**
 * A server in a process of its own, over a database that others share: `serverProgram.ts URL FOLDER`, the folder with the keys.
 * Says where it listens; it ends when its input does.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer, Redacted } from "effect"
import { writeSync } from "node:fs"
import { HttpDoor } from "../../../layers/http/index.ts"
import { KeySet } from "../../../layers/jose/index.ts"
import { PostgresClient } from "../../../layers/postgres/index.ts"
import { core, digest } from "../../../layers/presets/Core.ts"
import { Memory } from "../../../layers/presets/index.ts"
import { Migrate, SqlStore } from "../../../layers/sql/index.ts"
import { Mailbox } from "../../../src/session/index.ts"
import { address } from "./world.ts"

const [url = "", folder = ""] = process.argv.slice(2)

const runtime = Memory.layerDesk.pipe(
  Layer.provideMerge(core(Mailbox.layerLocal)),
  Layer.provideMerge(SqlStore.layer.pipe(Layer.provide(Layer.effectDiscard(Migrate.migrate)))),
  Layer.provideMerge(PostgresClient.layer(Redacted.make(url))),
  Layer.provideMerge(Layer.merge(digest, KeySet.layer(folder))),
  Layer.provideMerge(NodeServices.layer)
)

NodeRuntime.runMain(
  Effect.gen(function*() {
    const at = yield* address
    writeSync(1, `${at}\n`)
    yield* Effect.callback<void>((resume) => {
      process.stdin.once("end", () => resume(Effect.void)).resume()
    })
  }).pipe(
    Effect.provide(
      Layer.provideMerge(HttpDoor.layer({ port: 0, limits: { perSecond: 1e6, burst: 1e6, failures: 1e6 } }), runtime)
    )
  )
)
