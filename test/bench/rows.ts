/**
 * Durable audited rows on PostgreSQL: what the log writes with group commit, beside bare rows of the same content written
 * in groups of the same size. Both take turns on one new database.
 */
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { performance } from "node:perf_hooks"
import { NodeDigest } from "../../layers/node/index.ts"
import { PostgresClient } from "../../layers/postgres/index.ts"
import { Migrate, SqlStore } from "../../layers/sql/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Store } from "../../src/governor/index.ts"
import * as C from "../governor/commits.ts"

/** Prints one figure. */
export type Report = (name: string, value: number, unit: string, wanted?: string) => void

/** Sessions that write at the same time. */
const sessions = 512
/** Bare rows in one transaction, as many as the log groups at most, and transactions at once. */
const group = 256
const underWay = 3

/** Measures on the server at `url`, in a database that is removed at the end. */
export const onServer = (url: string, report: Report, isQuick: boolean) =>
  Effect.gen(function*() {
    const database = `bench_${randomUUID().replaceAll("-", "")}`
    const admin = PostgresClient.layer(Redacted.make(url))
    const run = (statement: string) =>
      Effect.provide(Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)), Layer.fresh(admin))
    const own = new URL(url)
    own.pathname = `/${database}`
    const log = SqlStore.layer.pipe(
      Layer.provide(Layer.effectDiscard(Migrate.migrate)),
      Layer.provide(NodeDigest.layer),
      Layer.provideMerge(PostgresClient.layer(Redacted.make(own.href)))
    )
    yield* Effect.acquireUseRelease(
      run(`create database ${database}`),
      () => Effect.provide(measured(report, isQuick), log),
      () => Effect.orDie(run(`drop database ${database} with (force)`))
    )
  })

// internal

const measured = Effect.fnUntraced(function*(report: Report, isQuick: boolean) {
  const acts = isQuick ? 4 : 12
  const turns = isQuick ? 3 : 7
  const open = yield* Effect.forEach(Array.from({ length: sessions }), opened, { concurrency: "unbounded" })
  const bare = yield* bareOf(open)
  const takes: Record<"bare" | "notes" | "acts", Array<number>> = { bare: [], notes: [], acts: [] }
  for (let turn = 0; turn <= turns; turn++) {
    const rates = {
      bare: yield* rate(2 * sessions * acts, bare(2 * sessions * acts)),
      notes: yield* rate(sessions * acts, all(open, (session) => notes(session, acts))),
      acts: yield* rate(2 * sessions * acts, all(open, (session) => paid(session, turn, acts)))
    }
    // The first turn warms up.
    if (turn > 0) { for (const kind of ["bare", "notes", "acts"] as const) takes[kind].push(rates[kind]) }
  }
  const middle = (kind: keyof typeof takes) => takes[kind].toSorted((a, b) => a - b)[Math.floor(turns / 2)] ?? 0
  const title = `PostgreSQL, ${sessions} sessions`
  report(`${title}: bare rows, ${group} an INSERT`, middle("bare"), "per s")
  report(`${title}: durable audited rows, group commit`, middle("notes"), "per s", "≥ 10000")
  report(`${title}: durable audited rows / bare rows`, middle("notes") / middle("bare"), "ratio")
  report(`${title}: rows of paid acts, with act, account and text`, middle("acts"), "per s")
  report(`${title}: rows of paid acts / bare rows`, middle("acts") / middle("bare"), "ratio")
})

const rate = Effect.fnUntraced(function*<A, E, R>(rows: number, effect: Effect.Effect<A, E, R>) {
  const start = performance.now()
  yield* effect
  return rows * 1000 / (performance.now() - start)
})

const all = <A, E, R>(open: ReadonlyArray<Log.Summary>, one: (session: Log.Summary) => Effect.Effect<A, E, R>) =>
  Effect.forEach(open, one, { concurrency: "unbounded", discard: true })

/** Tokens are as long as real ones. */
const opened = Effect.fnUntraced(function*() {
  const store = yield* Store.Store
  const id = C.sessionId(C.fresh("bench"))
  const open = C.open(id, [{ id: `session:${id}`, ceiling: 1e12 }])
  yield* store.commit({ ...open, session: { ...open.session, token: "t".repeat(600) } })
  return (yield* store.commit(C.claim(id))).session
})

const notes = Effect.fnUntraced(function*(session: Log.Summary, count: number) {
  const store = yield* Store.Store
  for (let n = 0; n < count; n++) {
    yield* store.commit(C.append(session, { row: C.note(`line ${n} ${"x".repeat(80)}`) }))
  }
})

const paid = Effect.fnUntraced(function*(session: Log.Summary, turn: number, count: number) {
  const store = yield* Store.Store
  for (let n = 0; n < count; n++) {
    const key = `#${turn}.${n}`
    const text = (what: string) => [C.payloadOf(`${what} of ${session.id} ${key}`)]
    yield* store.commit(C.begin(session, key, { reserve: 3, payloads: text("arguments") }))
    yield* store.commit({ ...C.finish(session, key, 2), payloads: text("result") })
  }
})

/** Rows as the log has them, into a table of the same make, with nothing else in their transactions. */
const bareOf = Effect.fnUntraced(function*(open: ReadonlyArray<Log.Summary>) {
  const sql = yield* SqlClient.SqlClient
  const log = yield* Log.Log
  const [row] = open[0] === undefined ? [] : yield* log.rows(open[0].id)
  yield* sql`create table bare_rows (like aosiq_rows including all)`
  let written = 0
  const insert = (rows: ReadonlyArray<unknown>) =>
    sql`insert into bare_rows (session, seq, at, key, body, prev, hash)
      select session, seq, at, key, body, prev, hash from json_to_recordset(${JSON.stringify(rows)}::json)
        as x(session text, seq int, at bigint, key text, body text, prev text, hash text)`
  return (count: number) =>
    Effect.forEach(
      Array.from({ length: Math.ceil(count / group) }),
      () =>
        Effect.suspend(() => {
          const seq = ++written
          const body = JSON.stringify(row?.body ?? null)
          return insert(open.slice(0, group).map(({ id }) => ({ ...row, session: id, seq, body })))
        }),
      { concurrency: underWay, discard: true }
    )
})
