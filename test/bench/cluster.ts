/** What sessions cost as entities of a cluster, beside bare entities over the same storage; and what they cost asleep. */
import { NodeServices } from "@effect/platform-node"
import { Duration, Effect, FileSystem, Layer, Schema } from "effect"
import { ClusterSchema, Entity } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { SqlClient, type SqlError } from "effect/sql"
import { performance } from "node:perf_hooks"
import { Runners } from "../../layers/cluster/index.ts"
import { KeySet } from "../../layers/jose/index.ts"
import { core, digest } from "../../layers/presets/Core.ts"
import { Migrate, SqlStore } from "../../layers/sql/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Cluster, Dispatch, Mailbox } from "../../src/session/index.ts"

/** Prints one figure. */
export type Report = (name: string, value: number, unit: string, wanted?: string) => void

/** Entities, and callers that send to them side by side. */
const entities = 64
const callers = 16

const Ping = Rpc.make("Ping", { payload: { reason: Schema.String }, primaryKey: ({ reason }) => reason })
  .annotate(ClusterSchema.Persisted, true)
const Bare = Entity.make("bench/Bare", [Ping])
const bare = Bare.toLayer(Effect.succeed(Bare.of({ Ping: () => Effect.void })))

const Echo = DeterministicActor.make("Echo", {
  description: "Gives back what it was given.",
  input: Schema.Int,
  output: Schema.Int,
  tools: [],
  run: Effect.succeed
})
const order = { grant: Grant.make([]), caller: "bench" }

const seconds = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const start = performance.now()
  yield* effect
  return (performance.now() - start) / 1000
})

const scratch = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped({ prefix: "aosiq-bench-" }))

/** The runtime on a cluster of one over a database, with bare entities beside the actors. */
const over = <E, R>(client: Layer.Layer<SqlClient.SqlClient, E, R>) =>
  Layer.mergeAll(Actor.layer(Echo), bare).pipe(
    Layer.provideMerge(core(Cluster.layer)),
    Layer.provideMerge(Runners.layerSingle),
    Layer.provideMerge(SqlStore.layer.pipe(Layer.provide(Layer.effectDiscard(Migrate.migrate)))),
    Layer.provideMerge(client),
    Layer.provideMerge(Layer.mergeAll(digest, Layer.unwrap(Effect.map(scratch, KeySet.layer)))),
    Layer.provideMerge(NodeServices.layer)
  )

/** Messages to sessions against messages to bare entities, in turns. */
export const messages = <E, R>(
  name: string,
  client: Layer.Layer<SqlClient.SqlClient, E, R>,
  report: Report,
  isQuick: boolean
) =>
  Effect.gen(function*() {
    const mailbox = yield* Mailbox.Mailbox
    const dispatch = yield* Dispatch.Dispatch
    const toBare = yield* Bare.client
    const count = isQuick ? 160 : 1600
    const numbers = Array.from({ length: entities }, (_, number) => number)
    const sessions = yield* Effect.forEach(numbers, (n) => dispatch.start(Echo, n, order), { concurrency: callers })
    let sent = 0
    const all = <E2, R2>(send: (n: number, reason: string) => Effect.Effect<void, E2, R2>) =>
      seconds(Effect.forEach(
        Array.from({ length: count }),
        (_, n) => Effect.suspend(() => send(n % entities, `m${sent++}`)),
        { concurrency: callers, discard: true }
      ))
    const ours = (n: number, reason: string) =>
      mailbox.ask({ actor: "Echo", session: sessions[n]?.session ?? sessions[0]!.session, reason })
    const theirs = (n: number, reason: string) => toBare(`e${n}`).Ping({ reason })
    yield* all(theirs)
    let [own, other] = [0, 0]
    for (let round = 0; round < 3; round++) {
      other += yield* all(theirs)
      own += yield* all(ours)
    }
    report(`${name}: messages to bare entities`, 3 * count / other, "per s")
    report(`${name}: messages to sessions`, 3 * count / own, "per s")
    report(`${name}: messages to sessions / to bare entities`, other / own, "ratio", "≥ 0.9")
    const starts = yield* seconds(
      Effect.forEach(numbers, (n) => dispatch.start(Echo, n, order), { concurrency: callers, discard: true })
    )
    report(`${name}: sessions opened, run and ended`, entities / starts, "per s")
  }).pipe(Effect.provide(over(client)))

/** How long the runtime takes to come up, and what it holds then, over a database with `count` sessions that wait. */
const upWith = <E, R>(client: Layer.Layer<SqlClient.SqlClient, E, R>) =>
  Effect.gen(function*() {
    const start = performance.now()
    const dispatch = yield* Effect.provide(
      Effect.tap(Dispatch.Dispatch, (dispatch) => dispatch.start(Echo, 1, order)),
      over(client)
    )
    return dispatch === undefined ? 0 : performance.now() - start
  })

/** The middle of some takes: one alone says more about the machine. */
const often = <E, R>(take: Effect.Effect<number, E, R>) =>
  Effect.map(
    Effect.forEach(Array.from({ length: takes }), () => take),
    (found) => found.toSorted((a, b) => a - b)[Math.floor(takes / 2)] ?? 0
  )
const takes = 7

/** Sessions asleep: rows and nothing else. */
export const asleep = <R>(
  name: string,
  client: Layer.Layer<SqlClient.SqlClient, SqlError.SqlError, R>,
  report: Report,
  isQuick: boolean
) =>
  Effect.gen(function*() {
    const count = isQuick ? 10_000 : 100_000
    yield* upWith(client)
    const few = yield* often(upWith(client))
    yield* Effect.provide(lay(count), client)
    const many = yield* often(upWith(client))
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    const after = yield* Effect.provide(
      Effect.andThen(Effect.sleep(Duration.seconds(3)), Effect.sync(() => process.memoryUsage().rss)),
      over(client)
    )
    report(`${name}: start-up with ${count} sessions asleep / with none`, many / few, "ratio", "≈ 1")
    report(`${name}: memory of a runtime over ${count} sessions asleep`, (after - before) / 2 ** 20, "MiB", "< 1024")
    report(`${name}: whole process with ${count} sessions asleep`, after / 2 ** 20, "MiB", "< 1024")
  })

/** Sessions that wait for a ticket, as a session before them was written. */
const lay = (count: number) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`
      insert into aosiq_sessions
        (id, actor, parent, caller, accounts, status, epoch, seq, head, token, input, result, started_at)
      select 'ses_asleep' || n, s.actor, null, s.caller, s.accounts, 'waiting', 1, s.seq, s.head, s.token, s.input, null, n
      from generate_series(1, ${count}) n, (select * from aosiq_sessions limit 1) s`
    yield* sql`analyze aosiq_sessions`
  })
