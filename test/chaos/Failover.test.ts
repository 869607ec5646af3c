/** Runners on one PostgreSQL, of which one is lost: killed, or frozen past its lease and woken again. */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Clock, Effect, FileSystem, Redacted, Schedule } from "effect"
import { PostgresClient } from "../../layers/postgres/index.ts"
import { Log } from "../../src/audit/index.ts"
import * as C from "../governor/commits.ts"
import { start } from "../layers/pglite/processes.ts"
import { describeOnServer, freshDatabase } from "../layers/postgres/realServer.ts"
import { logOn } from "../layers/sql/databases.ts"
import { freePort } from "./ports.ts"
import * as World from "./world.ts"

const program = new URL("runnerProgram.ts", import.meta.url)
/** How long packing takes: a runner is lost meanwhile. */
const packMs = 3000
const orders = ["one", "two", "three", "four", "five", "six", "seven", "eight"]

const pair = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-failover-" })
  const url = yield* freshDatabase
  const runner = Effect.fnUntraced(function*(ship: ReadonlyArray<string>, approves: boolean) {
    const order = { folder, url: url.href, port: yield* freePort, ship, packMs, approves, stays: true, dieAt: null }
    const process = yield* start(program, [JSON.stringify(order)])
    yield* process.said((line) => line.includes("\"up\""))
    return process
  })
  const read = <A, E>(effect: Effect.Effect<A, E, Log.Log>) =>
    effect.pipe(Effect.provide(logOn(PostgresClient.layer(Redacted.make(url.href)))))
  return { file: `${folder}/effects`, read, runner }
})

const shippers = Effect.gen(function*() {
  const log = yield* Log.Log
  return (yield* log.sessions).filter(({ actor }) => actor === "Shipper")
})

/** Waits until `count` effects of a kind were done; gives how long that took, milliseconds. */
const until = (file: string, kind: string, count: number) =>
  Effect.gen(function*() {
    const started = yield* Clock.currentTimeMillis
    yield* Effect.repeat(
      Effect.sync(() => World.effects(file).filter((line) => line.startsWith(kind)).length >= count),
      { until: (isDone) => isDone, schedule: Schedule.spaced("50 millis") }
    )
    return (yield* Clock.currentTimeMillis) - started
  })

const whole = Effect.gen(function*() {
  const log = yield* Log.Log
  for (const session of yield* log.sessions) {
    const rows = yield* log.rows(session.id)
    assert.deepStrictEqual(C.faults(rows, session), [])
    assert.strictEqual(session.status, "succeeded", session.id)
    // Nobody but the newest run wrote: epochs rise along the chain.
    const epochs = rows.flatMap(({ body }) => body.kind === "started" ? [body.epoch] : [])
    assert.deepStrictEqual(epochs, epochs.toSorted((a, b) => a - b))
  }
})

const allEnded = Effect.repeat(
  Effect.map(
    shippers,
    (sessions) => sessions.length === orders.length && sessions.every((s) => s.status === "succeeded")
  ),
  { until: (isDone) => isDone, schedule: Schedule.spaced("200 millis") }
)

describeOnServer("two runners on one PostgreSQL", () => {
  it.live("one killed: its sessions go on in the other", () =>
    Effect.gen(function*() {
      const { file, read, runner } = yield* pair
      yield* runner([], true)
      const lost = yield* runner(orders, false)
      yield* until(file, "look", orders.length)
      yield* lost.kill("SIGKILL")
      const before = World.effects(file).filter((line) => line.startsWith("pack")).length
      const ms = yield* until(file, "pack", orders.length)
      console.log(
        `fail-over: all of ${orders.length - before} orders were packed ${ms - packMs} ms after a runner was `
          + "killed, beside the time that packing takes"
      )
      yield* read(allEnded)
      yield* read(whole)
      const shipped = World.effects(file).filter((line) => line.startsWith("ship"))
      assert.sameMembers([...shipped], orders.map((order) => `ship ${order}`))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 180_000)

  it.live("one frozen past its lease and woken: it does no harm", () =>
    Effect.gen(function*() {
      const { file, read, runner } = yield* pair
      const frozen = yield* runner(orders, false)
      yield* until(file, "look", orders.length)
      yield* frozen.kill("SIGSTOP")
      yield* runner([], true)
      yield* until(file, "ship", orders.length)
      yield* frozen.kill("SIGCONT")
      yield* read(allEnded)
      // Time for whatever the woken runner still tries.
      yield* Effect.sleep("6 seconds")
      yield* read(whole)
      const shipped = World.effects(file).filter((line) => line.startsWith("ship"))
      assert.sameMembers([...shipped], orders.map((order) => `ship ${order}`))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 180_000)
})
