/**
 * A process of its own on a data folder: `dataProgram.ts FOLDER SESSION`. Opens the log and the session and appends
 * until it is killed; says `ready`, and then the number of every row that was acknowledged.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { writeSync } from "node:fs"
import { NodeDigest } from "../../../layers/node/index.ts"
import { PgliteClient } from "../../../layers/pglite/index.ts"
import { Migrate, SqlStore } from "../../../layers/sql/index.ts"
import { Store } from "../../../src/governor/index.ts"
import * as C from "../../governor/commits.ts"

const [folder = "", name = ""] = process.argv.slice(2)

// Written at once: a line that waits in a buffer when the process is killed was never said.
const say = (line: string) => writeSync(1, `${line}\n`)

const log = SqlStore.layer.pipe(
  Layer.provide(Layer.effectDiscard(Migrate.migrate)),
  Layer.provide([PgliteClient.layer(folder), NodeDigest.layer, NodeServices.layer])
)

const program = Effect.gen(function*() {
  const store = yield* Store.Store
  const id = C.sessionId(name)
  yield* store.commit(C.open(id))
  const { session } = yield* store.commit(C.claim(id))
  say("ready")
  // Three at a time, so that most transactions carry more than one commit.
  const writer = (key: number) =>
    Effect.gen(function*() {
      for (let n = 0;; n++) {
        const { row } = yield* store.commit(C.begin(session, `#${key}.${n}`, { reserve: 1, accounts: [] }))
        say(String(row.seq))
      }
    })
  yield* Effect.all([writer(0), writer(1), writer(2)], { concurrency: "unbounded" })
})

NodeRuntime.runMain(
  Effect.tapError(Effect.provide(program, log), (error) => Effect.sync(() => say(JSON.stringify(error)))),
  { disableErrorReporting: true }
)
