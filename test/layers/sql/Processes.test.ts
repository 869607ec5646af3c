import { assert, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import * as PostgresClient from "../../../layers/postgres/Client.ts"
import { Log } from "../../../src/audit/index.ts"
import { Store } from "../../../src/governor/index.ts"
import * as C from "../../governor/commits.ts"
import { start } from "../pglite/processes.ts"
import { describeOnServers } from "../postgres/realServer.ts"
import { logOn, migrated } from "./databases.ts"

const program = new URL("serverProgram.ts", import.meta.url)
const count = 60

describeOnServers("two processes on one PostgreSQL", ({ freshDatabase }) => {
  it.live("write one chain without a gap while a session runs and people decide", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      yield* Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const session = yield* C.opened([{ id: "session:shared", ceiling: 1000 }])
        const filed = Array.from({ length: count }, (_, n) => C.ticket(session, C.fresh("T"), { proposedAt: n }))
        for (const ticket of filed) yield* store.commit(C.propose(session, ticket, count))

        const roles = ["runner", "operator"]
        const programs = yield* Effect.forEach(
          roles,
          (role) => start(program, [url.href, role, session.id, String(count)])
        )
        yield* Effect.forEach(programs, (each) => each.said((line) => line === "ready"))
        yield* Effect.forEach(programs, (each) => each.close("go\n"))
        for (const each of programs) {
          assert.deepStrictEqual(yield* each.ended, { code: 0, signal: null })
          assert.lengthOf(each.lines, count + 1)
        }

        const rows = yield* log.rows(session.id)
        assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(yield* log.session(session.id))), [])
        const kinds = rows.slice(2 + count).map((row) => row.body.kind)
        const number = (kind: string) => kinds.filter((each) => each === kind).length
        assert.deepStrictEqual(
          { intent: number("intent"), outcome: number("outcome"), decided: number("decided") },
          { intent: count, outcome: count, decided: count }
        )
        // They did write at the same time: neither waited for the other to end.
        assert.isBelow(kinds.indexOf("intent"), kinds.lastIndexOf("decided"))
        assert.isBelow(kinds.indexOf("decided"), kinds.lastIndexOf("intent"))
        assert.deepStrictEqual(yield* store.accounts, [
          { id: "session:shared", ceiling: 1000, reserved: 0, spent: 2 * count }
        ])
        const states = (yield* store.tickets(session.id)).map((ticket) => ticket.state)
        assert.deepStrictEqual(states, filed.map((_, n) => n % 2 === 0 ? "approved" : "denied"))
      }).pipe(Effect.provide(logOn(migrated(PostgresClient.layer(Redacted.make(url.href))))))
    }), 60_000)
})
