/** A real server: what is read, what the login may not see, and what must not happen while reading. */
import { PgClient } from "@effect/sql-pg"
import { assert, it } from "@effect/vitest"
import { Clock, Effect, Exit, Layer, Redacted, Schedule } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import * as net from "node:net"
import {
  layerMetrics,
  layerSettings,
  type Options,
  presentMs,
  readOnly
} from "../../../layers/postgres/PostgresSource.ts"
import { Metrics, type Series, Settings, type Signal, type Window } from "../../../src/agents/advisor/Source.ts"
import { connect, describeOnServers, freshLogin, freshName } from "./realServer.ts"

const client = (url: URL) => PgClient.layer({ url: Redacted.make(url.href), maxConnections: 1 })

const read = (url: URL, signals: ReadonlyArray<Signal> = [], options: Options = {}, window: Window = {}) =>
  Effect.flatMap(Metrics, (metrics) => metrics.read({ signals, window })).pipe(
    Effect.provide(Layer.provide(layerMetrics(options), client(url)))
  )

const readSettings = (url: URL) =>
  Effect.flatMap(Settings, (settings) => settings.read).pipe(
    Effect.provide(Layer.provide(layerSettings(), client(url)))
  )

const values = (series: ReadonlyArray<Series>, signal: Signal): Record<string, number> =>
  Object.fromEntries(
    series.filter((one) => one.signal === signal).map(({ points, resource }) => [resource, points[0]?.value ?? NaN])
  )

const database = (url: URL): string => url.pathname.slice(1)

/** Holds a transaction open in which `statement` ran; gives the number of its session. */
const hold = Effect.fnUntraced(function*(url: URL, statement: string) {
  const sql = yield* connect(url)
  yield* sql.unsafe("begin")
  const [row] = yield* sql.unsafe<{ readonly pid: number }>("select pg_backend_pid() as pid")
  yield* sql.unsafe(statement)
  return row?.pid ?? NaN
})

/** Hands over what a session counted so far, which it would otherwise do when it has been idle for long enough. */
const report = (sql: SqlClient) =>
  Effect.andThen(sql.unsafe("select pg_stat_force_next_flush()"), sql.unsafe("select 1"))

/** Repeats `effect` until `done`, for at most ten seconds. */
const until = <A, E, R>(effect: Effect.Effect<A, E, R>, done: (value: A) => boolean) =>
  effect.pipe(
    Effect.repeat({ until: done, schedule: Schedule.spaced("50 millis") }),
    Effect.timeout("10 seconds")
  )

describeOnServers("a healthy database", ({ freshDatabase }) => {
  it.live("is read without a gap, once, now, and in range", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const before = yield* Clock.currentTimeMillis
      const { gaps, series } = yield* read(url)
      const after = yield* Clock.currentTimeMillis
      assert.deepStrictEqual(gaps, [])
      for (const { points, signal, unit } of series) {
        assert.strictEqual(points.length, 1)
        for (const { at, value } of points) {
          assert.isTrue(at >= before && at <= after, signal)
          assert.isTrue(value >= 0 && value <= (unit === "ratio" ? 1 : Number.MAX_VALUE), signal)
        }
      }
      const keys = series.map(({ resource, signal }) => `${signal} ${resource}`)
      assert.strictEqual(new Set(keys).size, keys.length)

      const one = (signal: Signal, resource = "database"): number => values(series, signal)[resource] ?? NaN
      assert.isTrue(one("db.connections") >= 1 && one("db.connections") <= one("db.connections_max"))
      assert.isAbove(one("db.size_bytes", database(url)), 1_000_000)
      assert.isAbove(one("db.wal_bytes"), 0)
      assert.isAtLeast(one("db.commits", database(url)), 0)
      assert.isAtLeast(one("db.deadlocks", database(url)), 0)
      assert.isAtLeast(one("db.longest_transaction"), 0)
    }))

  it.live("answers only what was asked", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const { gaps, series } = yield* read(url, ["db.connections", "db.lock_waiters", "disk.used_ratio"])
      assert.deepStrictEqual(series.map(({ signal }) => signal).toSorted(), ["db.connections", "db.lock_waiters"])
      assert.deepStrictEqual(gaps, [])
      assert.deepStrictEqual(yield* read(url, ["disk.used_ratio"]), { series: [], gaps: [] })
    }))

  it.live("has only the present", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const now = yield* Clock.currentTimeMillis
      const past = yield* read(url, [], {}, { from: 0, to: now - 2 * presentMs })
      assert.deepStrictEqual(past.series, [])
      assert.match(past.gaps[0]?.detail ?? "", /only be read as it is now/)
      const present = yield* read(url, ["db.connections"], {}, { from: now - 1000, to: now })
      assert.strictEqual(present.series.length, 1)
    }))
})

describeOnServers("what takes room", ({ freshDatabase }) => {
  it.live("names its biggest tables and their dead rows", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const sql = yield* connect(url)
      yield* sql.unsafe(
        `create table "Odd name" with (autovacuum_enabled = off) as select generate_series(1, 10000) as n`
      )
      yield* sql.unsafe(`delete from "Odd name" where n <= 5000`)
      yield* report(sql)
      const { series } = yield* until(
        read(url, ["other:db.table_bytes", "other:db.table_dead_ratio"]),
        ({ series }) => (values(series, "other:db.table_dead_ratio")[`public."Odd name"`] ?? 0) > 0
      )
      assert.isAbove(values(series, "other:db.table_bytes")[`public."Odd name"`] ?? 0, 300_000)
      assert.strictEqual(values(series, "other:db.table_dead_ratio")[`public."Odd name"`], 0.5)
    }))

  it.live("shows what a forgotten replication slot holds back", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const sql = yield* connect(url)
      const slot = freshName()
      yield* Effect.acquireRelease(
        sql`select 1 from pg_create_physical_replication_slot(${slot}, true)`,
        () => Effect.orDie(sql`select 1 from pg_drop_replication_slot(${slot})`)
      )
      const { series } = yield* read(url, ["other:db.slot_retained_bytes", "other:db.slot_inactive"])
      assert.strictEqual(values(series, "other:db.slot_inactive")[slot], 1)
      assert.isAtLeast(values(series, "other:db.slot_retained_bytes")[slot] ?? -1, 0)
    }))
})

describeOnServers("sessions in trouble", ({ freshDatabase }) => {
  it.live("shows who waits, who blocks, for how long, and no literal of either", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const blocker = yield* hold(url, "select pg_advisory_xact_lock(8215551234567), 'hunter2' as password -- hunter3")
      for (const _ of [1, 2]) {
        // A scope of its own: a waiting connection cannot be closed before its statement is interrupted.
        yield* Effect.forkScoped(
          Effect.scoped(hold(url, "select pg_advisory_xact_lock(8215551234567), 'swordfish' as password"))
        )
      }
      const waiting = "select pg_advisory_xact_lock(?), ? as password"
      // Two sessions run the same statement: one series, their sessions added up.
      const { series } = yield* until(
        read(url),
        ({ series }) =>
          values(series, "db.load_by_statement")[waiting] === 2 &&
          values(series, "other:db.blocking_sessions")[`${waiting} (${blocker})`] === 2
      )
      assert.isAtLeast(values(series, "db.lock_waiters")["database"] ?? 0, 2)
      assert.isAbove(values(series, "other:db.longest_lock_wait")["database"] ?? 0, 0)
      assert.isAtLeast(values(series, "db.load")["database"] ?? 0, 2)
      assert.isAtLeast(values(series, "db.load_by_wait")["Lock:advisory"] ?? 0, 2)
      assert.isAtLeast(values(series, "db.load_by_user")[url.username] ?? 0, 2)
      assert.isAbove(values(series, "other:db.statement_age")[waiting] ?? 0, 0)
      assert.isAtLeast(values(series, "db.connections_idle_in_transaction")["database"] ?? 0, 1)
      assert.isAbove(values(series, "other:db.longest_idle_in_transaction")["database"] ?? 0, 0)
      assert.isAbove(values(series, "db.longest_transaction")["database"] ?? 0, 0)
      assert.notMatch(series.map(({ resource }) => resource).join(), /hunter|swordfish|8215551234567/)
    }))

  it.live("counts a deadlock", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const one = yield* connect(url)
      const two = yield* connect(url)
      for (const [sql, key] of [[one, 1], [two, 2]] as const) {
        yield* sql.unsafe("begin")
        yield* sql.unsafe(`select pg_advisory_xact_lock(${key})`)
      }
      yield* Effect.all([
        Effect.exit(one.unsafe("select pg_advisory_xact_lock(2)")),
        Effect.exit(two.unsafe("select pg_advisory_xact_lock(1)"))
      ], { concurrency: 2 })
      yield* Effect.forEach([one, two], (sql) => Effect.andThen(sql.unsafe("rollback"), report(sql)))
      const { series } = yield* until(
        read(url, ["db.deadlocks"]),
        ({ series }) => (values(series, "db.deadlocks")[database(url)] ?? 0) > 0
      )
      assert.strictEqual(values(series, "db.deadlocks")[database(url)], 1)
    }))
})

describeOnServers("a login without rights", ({ freshDatabase }) => {
  it.live("gets what it may see, and a gap with a remedy for each thing it may not", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const closed = yield* freshDatabase
      const login = yield* freshLogin(url)
      const admin = yield* connect(closed)
      yield* admin.unsafe(`revoke connect on database ${database(closed)} from public`)
      const { gaps, series } = yield* read(login)
      const about = (origin: string) => gaps.find(({ source }) => source === `postgres:${origin}`)
      assert.match(about("pg_stat_activity")?.detail ?? "", /may not see: sessions of other users \(\d+\)/)
      assert.match(about("pg_database_size")?.detail ?? "", /may not see: /)
      assert.match(about("pg_ls_waldir")?.detail ?? "", /may not read it/)
      for (const { remedy } of gaps) assert.strictEqual(remedy, "grant pg_monitor to the login")
      assert.isAbove(values(series, "db.size_bytes")[database(url)] ?? 0, 0)
      assert.isUndefined(values(series, "db.size_bytes")[database(closed)])
      // The administrator's session is hidden, yet it takes a place.
      assert.isAtLeast(values(series, "db.connections")["database"] ?? 0, 2)

      const settings = yield* readSettings(login)
      assert.match(settings.gaps[0]?.remedy ?? "", /pg_read_all_settings/)
      assert.isTrue(settings.settings.some(({ key }) => key === "listen_addresses"))
    }))

  it.live("sees everything as a member of pg_monitor", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const login = yield* freshLogin(url)
      const admin = yield* connect(url)
      yield* admin.unsafe(`grant pg_monitor to ${login.username}`)
      assert.deepStrictEqual((yield* read(login)).gaps, [])
      assert.deepStrictEqual((yield* readSettings(login)).gaps, [])
    }))
})

describeOnServers("reading does no harm", ({ freshDatabase }) => {
  it.live("cannot write", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const sql = yield* connect(url)
      yield* sql.unsafe("create table public.notes (text text)")
      const exit = yield* Effect.exit(readOnly(sql)(sql.unsafe("insert into public.notes values ('x')")))
      assert.isTrue(Exit.isFailure(exit))
      assert.match(String(exit), /read-only transaction/)
      assert.deepStrictEqual(yield* sql.unsafe("select * from notes"), [])
    }))

  it.live("stops a statement and a wait for a lock in time, and leaves no timeout behind", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const sql = yield* connect(url)
      const bounds = { statementTimeout: "300 millis", lockTimeout: "100 millis" } as const
      const slow = yield* Effect.flip(readOnly(sql, bounds)(sql.unsafe("select pg_sleep(30)")))
      assert.strictEqual(slow.reason._tag, "StatementTimeoutError")
      yield* hold(url, "select pg_advisory_xact_lock(1)")
      const locked = yield* Effect.flip(readOnly(sql, bounds)(sql.unsafe("select pg_advisory_xact_lock(1)")))
      assert.strictEqual(locked.reason._tag, "LockTimeoutError")
      const [after] = yield* sql.unsafe<{ readonly timeout: string }>(
        "select current_setting('statement_timeout') as timeout"
      )
      assert.strictEqual(after?.timeout, "0")
    }))

  it.live("reports a locked table and reads the rest", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const sql = yield* connect(url)
      yield* sql.unsafe("create table big (n int)")
      yield* hold(url, "lock table big in access exclusive mode")
      const { gaps, series } = yield* read(url, [], { lockTimeout: "100 millis" })
      assert.deepStrictEqual(gaps.map(({ detail, source }) => [source, detail]), [
        ["postgres:pg_stat_user_tables", "a lock did not become free in time"]
      ])
      assert.isAtLeast(values(series, "db.connections")["database"] ?? 0, 2)
      const slow = yield* read(url, ["other:db.table_bytes"], {
        lockTimeout: "1 minute",
        statementTimeout: "200 millis"
      })
      assert.match(slow.gaps[0]?.detail ?? "", /did not answer in time/)
    }))

  it.live("is not fooled by what a database defines under the catalogue's names", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const sql = yield* connect(url)
      yield* sql.unsafe("create schema trap")
      yield* sql.unsafe("create table trap.stolen (text text)")
      yield* sql.unsafe(`create function trap.current_setting(text) returns text language sql as $$
        insert into trap.stolen values ('called'); select '7' $$`)
      yield* sql.unsafe(
        "create view trap.pg_database as select 'forged'::name as datname, 1::oid as oid, true as datallowconn"
      )
      yield* sql.unsafe(`alter database ${database(url)} set search_path = trap, pg_catalog`)
      const { gaps, series } = yield* read(url)
      assert.deepStrictEqual(gaps, [])
      assert.isUndefined(values(series, "db.size_bytes")["forged"])
      assert.notStrictEqual(values(series, "db.connections_max")["database"], 7)
      assert.deepStrictEqual(yield* sql.unsafe("select * from trap.stolen"), [])
    }))
})

/** A way to the server that can be cut, and the sockets of both its ends. */
const wire = (url: URL) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: URL; readonly cut: () => void; readonly open: ReadonlySet<net.Socket> }>(
      (resume) => {
        const open = new Set<net.Socket>()
        const listener = net.createServer((near) => {
          const far = net.connect(Number(url.port), url.hostname)
          for (const socket of [near, far]) {
            open.add(socket)
            socket.on("error", () => socket.destroy())
          }
          near.pipe(far)
          far.pipe(near)
        })
        listener.listen(0, "127.0.0.1", () => {
          const address = listener.address()
          const through = new URL(url)
          through.port = typeof address === "object" && address !== null ? String(address.port) : ""
          const cut = () => {
            listener.close()
            for (const socket of open) socket.destroy()
          }
          resume(Effect.succeed({ url: through, cut, open }))
        })
      }
    ),
    ({ cut }) => Effect.sync(cut)
  )

describeOnServers("a server that is gone", ({ freshDatabase }) => {
  it.live("is unreachable when the connection is lost", () =>
    Effect.gen(function*() {
      const line = yield* wire(yield* freshDatabase)
      const error = yield* Effect.gen(function*() {
        const metrics = yield* Metrics
        const settings = yield* Settings
        yield* metrics.read({ signals: ["db.connections"], window: {} })
        line.cut()
        const lost = yield* Effect.flip(settings.read)
        assert.strictEqual(lost.reason._tag, "Unreachable")
        return yield* Effect.flip(metrics.read({ signals: [], window: {} }))
      }).pipe(
        Effect.provide(Layer.provide(Layer.merge(layerMetrics(), layerSettings()), client(line.url)))
      )
      assert.strictEqual(error.source, "postgres")
      assert.strictEqual(error.reason._tag, "Unreachable")
      assert.match(error.reason.remedy, /check that the server runs/)
    }))

  it.live("is unreachable when nothing comes back", () =>
    Effect.gen(function*() {
      const line = yield* wire(yield* freshDatabase)
      const error = yield* Effect.gen(function*() {
        const metrics = yield* Metrics
        yield* metrics.read({ signals: ["db.connections"], window: {} })
        for (const socket of line.open) socket.unpipe().pause()
        const error = yield* Effect.flip(metrics.read({ signals: [], window: {} }))
        line.cut()
        return error
      }).pipe(Effect.provide(Layer.provide(layerMetrics({ timeout: "300 millis" }), client(line.url))))
      assert.strictEqual(error.reason._tag, "Unreachable")
      assert.match(error.reason.detail, /did not answer in time/)
    }))
})

describeOnServers("settings", ({ freshDatabase }) => {
  it.live("are those that differ from the built-in defaults, and not this session's own", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const sql = yield* connect(url)
      yield* sql.unsafe(`alter database ${database(url)} set work_mem = '5MB'`)
      const { gaps, settings } = yield* readSettings(url)
      assert.deepStrictEqual(gaps, [])
      assert.deepStrictEqual(settings.find(({ key }) => key === "work_mem"), {
        key: "work_mem",
        actual: "5120 kB",
        baseline: "4096 kB",
        isDecided: false,
        origin: "pg_settings (database)"
      })
      const keys = settings.map(({ key }) => key)
      for (const own of ["statement_timeout", "lock_timeout", "search_path", "application_name", "autovacuum"]) {
        assert.notInclude(keys, own)
      }
    }))

  it.live("never show a credential", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const sql = yield* connect(url)
      const reload = sql.unsafe("select pg_reload_conf()")
      yield* Effect.acquireRelease(
        sql.unsafe("alter system set primary_conninfo = 'host=10.0.0.1 password=hunter2'").pipe(Effect.andThen(reload)),
        () => Effect.orDie(Effect.andThen(sql.unsafe("alter system reset primary_conninfo"), reload))
      )
      const { settings } = yield* until(
        readSettings(url),
        ({ settings }) => settings.some(({ key }) => key === "primary_conninfo")
      )
      assert.strictEqual(settings.find(({ key }) => key === "primary_conninfo")?.actual, "[redacted]")
      assert.notInclude(JSON.stringify(settings), "hunter2")
    }))
})
