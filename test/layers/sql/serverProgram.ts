/**
 * A process of its own on a server's log: `serverProgram.ts URL ROLE SESSION COUNT`. As `runner` it runs that many acts of
 * the session, one after the other; as `operator` it files and decides tickets meanwhile. Says how many went through.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Option, Redacted } from "effect"
import { writeSync } from "node:fs"
import { NodeDigest } from "../../../layers/node/index.ts"
import * as PostgresClient from "../../../layers/postgres/Client.ts"
import { SqlStore } from "../../../layers/sql/index.ts"
import { Log } from "../../../src/audit/index.ts"
import { Store } from "../../../src/governor/index.ts"
import * as C from "../../governor/commits.ts"

const [url = "", role = "", name = "", count = "0"] = process.argv.slice(2)

const log = SqlStore.layer.pipe(
  Layer.provide([PostgresClient.layer(Redacted.make(url)), NodeDigest.layer])
)

const say = (line: string) => writeSync(1, `${line}\n`)

NodeRuntime.runMain(
  Effect.gen(function*() {
    const store = yield* Store.Store
    const log = yield* Log.Log
    const session = Option.getOrThrow(yield* log.session(C.sessionId(name)))
    const tickets = yield* store.tickets(session.id)
    say("ready")
    yield* Effect.callback<void>((resume) => {
      process.stdin.once("data", () => resume(Effect.void))
    })
    for (let n = 0; n < Number(count); n++) {
      if (role === "runner") {
        yield* store.commit(C.begin(session, `#${n}`, { reserve: 3 }))
        yield* store.commit(C.finish(session, `#${n}`, 2))
      } else {
        const ticket = tickets[n]
        if (ticket !== undefined) yield* store.commit(C.decide(ticket, n % 2 === 0))
      }
      say(String(n))
    }
    process.stdin.destroy()
  }).pipe(Effect.provide(log))
)
