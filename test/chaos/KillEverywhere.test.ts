/** A process killed at every boundary of its work, over and over on the same data: nothing lost, nothing done twice. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, type Layer, Redacted } from "effect"
import type { SqlClient } from "effect/sql"
import { PgliteClient } from "../../layers/pglite/index.ts"
import { PostgresClient } from "../../layers/postgres/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Store } from "../../src/governor/index.ts"
import * as C from "../governor/commits.ts"
import { start } from "../layers/pglite/processes.ts"
import { describeOnServer, freshDatabase } from "../layers/postgres/realServer.ts"
import { logOn } from "../layers/sql/databases.ts"
import { freePort } from "./ports.ts"
import * as World from "./world.ts"

const program = new URL("runnerProgram.ts", import.meta.url)
/** More boundaries than there are: the first process that outlives its own is the last. */
const enough = 200

/** One process, until it dies at the boundary or has nothing left to do; gives where it died. */
const runUntilDead = Effect.fnUntraced(function*(order: {
  readonly folder: string
  readonly url: string | null
  readonly ship: ReadonlyArray<string>
  readonly dieAt: number | null
}) {
  const process = yield* start(program, [
    JSON.stringify({ ...order, port: yield* freePort, packMs: 5, approves: true, stays: false })
  ])
  const { code } = yield* process.ended
  const [died] = process.lines.filter((line) => line.startsWith("{\"died\"")).map((line) =>
    JSON.parse(line) as { readonly died: string }
  )
  if (died === undefined) assert.strictEqual(code, 0, process.lines.join("\n"))
  return died?.died
}, Effect.scoped)

/** Kills a process at one boundary after the other, each with an order of its own; then lets one finish it all. */
const killEverywhere = Effect.fnUntraced(function*(
  place: { readonly folder: string; readonly url: string | null }
) {
  const died: Array<string> = []
  for (let dieAt = 0; dieAt < enough; dieAt++) {
    const where = yield* runUntilDead({ ...place, ship: [`order ${dieAt}`], dieAt })
    if (where === undefined) break
    died.push(where)
  }
  assert.strictEqual(yield* runUntilDead({ ...place, ship: [], dieAt: null }), undefined)
  return died
})

// The chain of the installation stands: nothing runs in it.
const ends = ["succeeded", "failed", "standing"]

/** No ticket let an act begin twice. */
const usedOnce = Effect.fnUntraced(function*(sessions: ReadonlyArray<Log.Summary>) {
  const log = yield* Log.Log
  const uses = new Map<string, number>()
  for (const session of sessions) {
    for (const { body } of yield* log.rows(session.id)) {
      if (body.kind === "intent" && body.ticket !== null) uses.set(body.ticket, (uses.get(body.ticket) ?? 0) + 1)
    }
  }
  for (const [ticket, times] of uses) assert.strictEqual(times, 1, `ticket ${ticket}`)
})

/** Holds the log against what the tools did. */
const audit = Effect.fnUntraced(function*(file: string) {
  const log = yield* Log.Log
  const store = yield* Store.Store
  const effects = World.effects(file)
  const sessions = yield* log.sessions
  const spent = new Map<string, number>()
  const held = new Map<string, number>()
  for (const session of sessions) {
    const rows = yield* log.rows(session.id)
    assert.deepStrictEqual(C.faults(rows, session), [])
    assert.include(ends, session.status, session.id)
    assert.deepStrictEqual((yield* store.lost(session.id)).filter(({ repeat }) => repeat !== "always"), [])
    const open = new Map<number, number>()
    for (const { body, seq } of rows) {
      if (body.kind === "intent") open.set(seq, body.reservedMicroUsd)
      if (body.kind !== "outcome" && body.kind !== "settled") continue
      open.delete(body.intent)
      for (const id of session.accounts) spent.set(id, (spent.get(id) ?? 0) + body.costMicroUsd)
    }
    for (const amount of open.values()) {
      for (const id of session.accounts) held.set(id, (held.get(id) ?? 0) + amount)
    }
    // What an operator settled as done was done, too.
    const done = rows.flatMap(({ body }) =>
      body.kind === "outcome" && body.status === "succeeded" || body.kind === "settled" && body.choice === "done"
        ? [body.act]
        : []
    )
    if (session.actor === "Shipper" && session.status === "succeeded") {
      assert.includeMembers([...done], ["spawn_Clerk", "pack", "ship", "look"])
    }
  }
  for (const { id, reserved, spent: drawn } of yield* store.accounts) {
    assert.deepStrictEqual({ id, spent: drawn, reserved }, {
      id,
      spent: spent.get(id) ?? 0,
      reserved: held.get(id) ?? 0
    })
  }
  const shipped = effects.filter((line) => line.startsWith("ship "))
  assert.lengthOf(new Set(shipped), shipped.length, "something was shipped twice")
  yield* usedOnce(sessions)
  const succeeded = sessions.filter(({ actor, status }) => actor === "Shipper" && status === "succeeded").length
  return { shippers: sessions.filter(({ actor }) => actor === "Shipper").length, succeeded, shipped: shipped.length }
})

const audited = <E>(client: Layer.Layer<SqlClient.SqlClient, E>, file: string) =>
  audit(file).pipe(Effect.provide(logOn(client)))

const folder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped({ prefix: "aosiq-chaos-" }))
describe("a process on an embedded database, killed", () => {
  it.live("at every boundary, leaves nothing undone and nothing done twice", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const died = yield* killEverywhere({ folder: path, url: null })
      const found = yield* audited(PgliteClient.layer(path), `${path}/effects`)
      assert.isAtLeast(found.shippers, died.filter((where) => where !== "before Open").length)
      console.log(`embedded: died ${died.join(", ")}; ${JSON.stringify(found)}`)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 1_800_000)
})

describeOnServer("a runner on PostgreSQL, killed", () => {
  it.live("at every boundary, leaves nothing undone and nothing done twice", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const url = yield* freshDatabase
      const died = yield* killEverywhere({ folder: path, url: url.href })
      const found = yield* audited(PostgresClient.layer(Redacted.make(url.href)), `${path}/effects`)
      assert.isAtLeast(found.shippers, died.filter((where) => where !== "before Open").length)
      console.log(`PostgreSQL: died ${died.join(", ")}; ${JSON.stringify(found)}`)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 1_800_000)
})
