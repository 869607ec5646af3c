/**
 * Whole sessions, as entities of a cluster, on a log under a trouble: a shipper spawns a clerk, packs, sleeps, asks people, ships and looks, for
 * money. What the tools did is in a file; it is held against what the log says.
 */
import { NodeServices } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { Clock, Effect, FileSystem, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { Runners } from "../../layers/cluster/index.ts"
import { KeySet } from "../../layers/jose/index.ts"
import { core, digest } from "../../layers/presets/Core.ts"
import { SqlStore } from "../../layers/sql/index.ts"
import { Approvals, Cluster, Dispatch } from "../../src/session/index.ts"
import * as C from "../governor/commits.ts"
import { log, type Measure, migrated } from "./endure.ts"
import type { Side } from "./load.ts"
import { client, type OwnServer } from "./ownServer.ts"
import * as Troubles from "./troubles.ts"
import * as World from "./world.ts"

/** Sessions run through the trouble, round after round, until it has struck often enough. */
export const endure = (server: OwnServer, trouble: Troubles.Trouble, measure: Omit<Measure, "acts">) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const file = `${yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-chaos-" })}/effects`
    yield* server.renew
    yield* Effect.scoped(migrated(server.app))
    const orders: Array<string> = []
    yield* Effect.scoped(Effect.gen(function*() {
      const { begin, url } = yield* Troubles.prepare(trouble, server, measure.seed)
      const context = yield* Layer.build(runtime(url, trouble.connections, file))
      const times = yield* begin
      const isOver = Effect.orElseSucceed(Effect.map(times, (n) => n >= measure.strikes), () => false)
      const began = yield* Clock.currentTimeMillis
      do {
        const round = Array.from({ length: measure.sessions }, (_, n) => `order ${orders.length + n}`)
        orders.push(...round)
        yield* Effect.provideContext(shipped(round), context)
        assert.isBelow((yield* Clock.currentTimeMillis) - began, measure.withinMs, "the trouble strikes too seldom")
      } while (!(yield* isOver))
    }))
    yield* Effect.scoped(Effect.flatMap(log(server.app, 2), (side) => agrees(side, orders, World.effects(file))))
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

// internal

const runtime = (url: URL, connections: number, file: string) =>
  World.actors(file).pipe(
    Layer.provideMerge(core(Cluster.layer)),
    Layer.provideMerge(Runners.layerSingle),
    Layer.provideMerge(SqlStore.layer),
    Layer.provideMerge(Layer.effect(SqlClient.SqlClient, client(url, connections))),
    Layer.provideMerge(Layer.mergeAll(digest, keys)),
    Layer.provideMerge(NodeServices.layer)
  )

const keys = Layer.unwrap(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return KeySet.layer(yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-keys-" }))
}))

/** Ships all orders side by side, while somebody approves whatever is asked. */
const shipped = Effect.fnUntraced(function*(orders: ReadonlyArray<string>) {
  const dispatch = yield* Dispatch.Dispatch
  const approvals = yield* Approvals.Approvals
  const approving = approvals.list.pipe(
    Effect.flatMap((tickets) =>
      Effect.forEach(
        tickets.filter(({ state }) => state === "proposed"),
        ({ id }) => approvals.decide({ ticket: id, by: "grace", approve: true, reason: "" })
      )
    ),
    Effect.repeat(Schedule.spaced("100 millis"))
  )
  const one = (order: string) =>
    dispatch.start(World.Shipper, { order, ms: 5 }, { grant: World.grant, caller: "ada" }).pipe(
      Effect.flatMap((first) =>
        Effect.repeat(dispatch.resume(first.session), {
          until: (ended) => ended._tag !== "Waiting" && ended._tag !== "Sleeping",
          schedule: Schedule.spaced("200 millis")
        })
      ),
      Effect.tap((ended) =>
        Effect.sync(() => assert.deepInclude(ended, { _tag: "Succeeded", output: `shipped ${order}` }))
      )
    )
  yield* Effect.raceFirst(
    Effect.forEach(orders, one, { concurrency: "unbounded", discard: true }),
    Effect.andThen(approving, Effect.never)
  )
})

const agrees = Effect.fnUntraced(function*(
  { log, store }: Side,
  orders: ReadonlyArray<string>,
  effects: ReadonlyArray<string>
) {
  const once = orders.flatMap((order) => [`look ${order}`, `pack ${order}`, `ship ${order}`, `look ${order}`])
  assert.deepStrictEqual(effects.toSorted(), once.toSorted())
  const spent = new Map<string, number>()
  const uses: Array<string> = []
  const sessions = yield* log.sessions
  assert.lengthOf(sessions, orders.length * 2)
  for (const session of sessions) {
    assert.strictEqual(session.status, "succeeded")
    const rows = yield* log.rows(session.id)
    assert.deepStrictEqual(C.faults(rows, session), [])
    const acts = rows.flatMap(({ body, key }) => body.kind === "intent" ? [`${key} ${body.act}`] : [])
    const outcomes = rows.flatMap(({ body, key }) => body.kind === "outcome" ? [`${key} ${body.act}`] : [])
    // A spawn whose child waited is interrupted, and done again when the child goes on.
    assert.deepStrictEqual(outcomes, acts)
    for (const { body } of rows) {
      if (body.kind === "intent" && body.ticket !== null) uses.push(body.ticket)
      if (body.kind !== "outcome") continue
      for (const id of session.accounts) spent.set(id, (spent.get(id) ?? 0) + body.costMicroUsd)
    }
  }
  const tickets = yield* store.tickets()
  assert.deepStrictEqual(uses.toSorted(), tickets.map(({ id }) => String(id)).toSorted())
  assert.deepStrictEqual(new Set(tickets.map(({ state }) => state)), new Set(["succeeded"]))
  for (const { id, reserved, spent: said } of yield* store.accounts) {
    assert.deepStrictEqual({ id, reserved, spent: said }, { id, reserved: 0, spent: spent.get(id) ?? 0 })
  }
})
