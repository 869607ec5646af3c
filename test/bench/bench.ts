/**
 * What governing costs, beside what it is compared with, in one run: a bare call in memory, a bare INSERT in each
 * database. Shared machines are noisy, so the ratios are the figures; the absolute ones only say on what.
 *
 * `npm run bench` prints all; `-- --quick` takes a tenth of the time; `-- --backends` prints what a model call costs beside
 * the vendor's SDK, and nothing else; `-- --http` what the door by HTTP adds; `-- --mcp` what the bridge to MCP servers adds;
 * `-- --json` prints JSON. PostgreSQL is measured when AOSIQ_TEST_POSTGRES_URL names one.
 */
import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Layer, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { performance } from "node:perf_hooks"
import { KeySet } from "../../layers/jose/index.ts"
import { PgliteClient } from "../../layers/pglite/index.ts"
import { PostgresClient } from "../../layers/postgres/index.ts"
import { core, digest } from "../../layers/presets/Core.ts"
import { Memory } from "../../layers/presets/index.ts"
import { Migrate, SqlStore } from "../../layers/sql/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Dispatch, Mailbox } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as Backends from "./backends.ts"
import * as Cluster from "./cluster.ts"
import * as Http from "./http.ts"
import * as McpBridge from "./mcp.ts"
import * as Rows from "./rows.ts"
import * as Steps from "./steps.ts"

const isQuick = process.argv.includes("--quick")
const isOfBackends = process.argv.includes("--backends")
const isOfHttp = process.argv.includes("--http")
const isOfMcp = process.argv.includes("--mcp")
const isJson = process.argv.includes("--json")
/** Sessions that work side by side. */
const sessions = 16

const Add = Tool.make("add", {
  description: "Adds two numbers.",
  capabilities: ["tool:add"],
  params: Schema.Struct({ a: Schema.Finite, b: Schema.Finite }),
  success: Schema.Finite
})
const bare = ({ a, b }: { readonly a: number; readonly b: number }) => Effect.sync(() => a + b)

const times: Array<number> = []
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.ensuring(effect, Effect.sync(() => times.push(performance.now() - start)))
  })

const Loop = DeterministicActor.make("Loop", {
  description: "Adds one, many times.",
  input: Schema.Int,
  output: Schema.Finite,
  tools: [Add],
  run: (rounds) =>
    Effect.gen(function*() {
      let sum = 0
      for (let round = 0; round < rounds; round++) sum = yield* timed(Tool.call(Add, { a: sum, b: 1 }))
      return sum
    })
})
const actors = Actor.layer(Loop).pipe(Layer.provide(Tool.layer(Add, bare)))
const grant = Grant.make(["tool:add"], { lifetimeSeconds: 3600 })
const work = (rounds: number) =>
  Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.start(Loop, rounds, { grant, caller: "bench" }))

const percentile = (values: ReadonlyArray<number>, share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0

interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly wanted: string
}
const figures: Array<Figure> = []
const report = (name: string, value: number, unit: string, wanted = "") => {
  figures.push({ name, value, unit, wanted })
  if (!isJson) {
    console.log(`${name.padEnd(52)} ${value.toFixed(value < 10 ? 4 : 0).padStart(12)} ${unit.padEnd(10)} ${wanted}`)
  }
}

/** Blocks of calls whose CPU time is compared: in the best one the least of something else ran beside them. */
const blocks = 10
const cpuMs = () => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1000
}

const inMemory = Effect.gen(function*() {
  const rounds = isQuick ? 3000 : 30_000
  yield* work(rounds / 3) // Warms up.
  times.length = 0
  yield* work(rounds)
  const governed = [...times]
  times.length = 0
  for (let round = 0; round < rounds; round++) yield* timed(bare({ a: round, b: 1 }))
  const plain = [...times]
  report("memory: bare call p50", percentile(plain, 0.5), "ms")
  report("memory: governed call p50", percentile(governed, 0.5), "ms")
  report("memory: governed over bare, p50", percentile(governed, 0.5) - percentile(plain, 0.5), "ms", "≤ 0.05")
  report("memory: governed over bare, p99", percentile(governed, 0.99) - percentile(plain, 0.99), "ms", "≤ 0.3")
  const spent: Array<number> = []
  for (let block = 0; block < blocks; block++) {
    const begun = cpuMs()
    yield* work(rounds / blocks)
    spent.push((cpuMs() - begun) * blocks / rounds)
  }
  report("memory: governed call, CPU, best of ten", Math.min(...spent), "ms")
}).pipe(Effect.provide(actors.pipe(Layer.provideMerge(Memory.layer()))))

const seconds = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const start = performance.now()
  yield* effect
  return (performance.now() - start) / 1000
})

const onDatabase = (name: string, wanted: number) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rounds = isQuick ? 40 : 300
    yield* sql`create table if not exists bench_rows (id int, body text)`
    const insert = Effect.forEach(
      Array.from({ length: rounds }),
      (_, id) => sql`insert into bench_rows (id, body) values (${id}, ${"x".repeat(300)})`,
      { discard: true }
    )
    const side = <A, E, R>(one: Effect.Effect<A, E, R>) =>
      Effect.forEach(Array.from({ length: sessions }), () => one, { concurrency: "unbounded", discard: true })
    yield* side(work(5)) // Warms up.
    const inserts = sessions * rounds / (yield* seconds(side(insert)))
    const calls = sessions * rounds / (yield* seconds(side(work(rounds))))
    report(`${name}: bare INSERT, ${sessions} at once`, inserts, "per s")
    report(`${name}: governed calls, ${sessions} sessions`, calls, "per s", `≥ ${wanted}`)
    report(`${name}: governed call / bare INSERT`, calls / inserts, "ratio")
    yield* sql`drop table bench_rows`
  })

/** Rounds in which both savers take their turns, after one that warms up; their medians are compared. */
const turns = 5

const median = (values: ReadonlyArray<number>) => percentile(values, 0.5)

const stepsOn = (name: string, official?: Effect.Success<ReturnType<typeof Steps.postgresSaver>>) =>
  Effect.gen(function*() {
    const rounds = isQuick ? 40 : 200
    for (const side of [1, sessions]) {
      const [own, theirs]: [Array<number>, Array<number>] = [[], []]
      for (let turn = 0; turn <= turns; turn++) {
        own.push(yield* Steps.ours(side, rounds))
        if (official !== undefined) theirs.push(yield* Steps.official(official, side, rounds))
      }
      report(`${name}: LangGraph steps, ${side} at once`, median(own.slice(1)), "per s")
      if (official === undefined) continue
      report(`${name}: the same with LangGraph's own saver`, median(theirs.slice(1)), "per s")
      const ratios = own.map((value, turn) => value / (theirs[turn] ?? NaN))
      report(`${name}: our step / theirs, ${side} at once`, median(ratios.slice(1)), "ratio", "≥ 1")
    }
  })

const over = <E, R>(client: Layer.Layer<SqlClient.SqlClient, E, R>) =>
  actors.pipe(
    Layer.provideMerge(core(Mailbox.layerLocal)),
    Layer.provideMerge(
      SqlStore.layer.pipe(Layer.provide(Layer.effectDiscard(Migrate.migrate)), Layer.provideMerge(client))
    ),
    Layer.provideMerge(Layer.mergeAll(digest, Layer.unwrap(Effect.map(scratch, KeySet.layer)))),
    Layer.provideMerge(NodeServices.layer)
  )
const scratch = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped({ prefix: "aosiq-bench-" }))

const pglite = Effect.flatMap(
  scratch,
  (folder) =>
    Effect.andThen(onDatabase("PGlite", 500), stepsOn("PGlite")).pipe(
      Effect.provide(over(PgliteClient.layer(folder)))
    )
)

const dropSchema = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`drop schema ${sql(Steps.schema)} cascade`)

const url = process.env["AOSIQ_TEST_POSTGRES_URL"]
const postgres = url === undefined
  ? Effect.sync(() =>
    console.error("PostgreSQL is not measured: AOSIQ_TEST_POSTGRES_URL is not set (see test/services)")
  )
  : Effect.andThen(
    onDatabase("PostgreSQL", 1000),
    Effect.flatMap(Steps.postgresSaver(url), (saver) => stepsOn("PostgreSQL", saver)).pipe(
      Effect.ensuring(Effect.ignore(dropSchema))
    )
  ).pipe(
    Effect.scoped,
    Effect.provide(over(PostgresClient.layer(Redacted.make(url)))),
    Effect.andThen(Rows.onServer(url, report, isQuick))
  )

const clusterOnPglite = Effect.flatMap(
  scratch,
  (folder) => Cluster.messages("PGlite", PgliteClient.layer(folder), report, isQuick)
)
/** In a database of its own, for the cluster's tables are not ours to empty. */
const clusterOnPostgres = (server: string) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const name = `aosiq_bench_${process.pid}`
    yield* Effect.acquireRelease(
      sql.unsafe(`create database ${name}`),
      () => Effect.orDie(sql.unsafe(`drop database ${name} with (force)`))
    )
    const own = new URL(server)
    own.pathname = `/${name}`
    const client = PostgresClient.layer(Redacted.make(own.href))
    yield* Cluster.messages("PostgreSQL", client, report, isQuick)
    yield* Cluster.asleep("PostgreSQL", client, report, isQuick)
  }).pipe(Effect.scoped, Effect.provide(PostgresClient.layer(Redacted.make(server))))

await Effect.runPromise(
  Effect.scoped(Effect.gen(function*() {
    if (isOfMcp) return yield* McpBridge.overhead(report, isQuick)
    if (!isOfHttp) yield* Backends.overhead(report, isQuick)
    if (isOfBackends) return
    yield* Http.overhead(report, isQuick)
    if (isOfHttp) return
    yield* McpBridge.overhead(report, isQuick)
    yield* inMemory
    yield* pglite
    yield* postgres
    yield* clusterOnPglite
    if (url !== undefined) yield* clusterOnPostgres(url)
  })).pipe(Effect.provide(NodeServices.layer))
)
if (isJson) console.log(JSON.stringify(figures, null, 2))
