/**
 * A PostgreSQL server (14 or newer) as a source of evidence: its sessions, locks, sizes and settings as they are now.
 *
 * One read-only transaction with a statement timeout and a lock timeout reads everything; each part stands in its own
 * savepoint, so that what the login may not see, or cannot see in time, is a gap and the rest is kept. A login that is
 * a member of `pg_monitor` sees everything. Statement texts arrive without their literals. What concerns the server as
 * a whole has the resource `database`. Do not read inside a transaction of your own: the timeouts would stay with it.
 */
import { Clock, Duration, Effect, Fiber, Layer, Result, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import {
  type Gap,
  Metrics,
  type Series,
  Setting,
  Settings,
  Signal,
  SourceError,
  type Unit,
  Unreachable,
  type Window
} from "../../src/agents/advisor/Source.ts"

/** Bounds of one reading; everything has a default. */
export interface Options {
  /** Of each statement, enforced by the server; default 3 seconds. */
  readonly statementTimeout?: Duration.Input
  /** Of waiting for a lock, enforced by the server; default 1 second. */
  readonly lockTimeout?: Duration.Input
  /** Of the whole reading, for a server that does not answer at all; default 1 minute. */
  readonly timeout?: Duration.Input
}

/** A window that ended this recently still asks for the present: whoever set it was reading a clock just before. */
export const presentMs = 60_000
/** Characters of a statement that are kept. */
export const statementLength = 200

/**
 * `Metrics` of the server behind `SqlClient`. Counters (deadlocks, commits) count since the server's statistics were
 * reset. Fails with `Unreachable` when there is no connection.
 */
export const layerMetrics = (options: Options = {}): Layer.Layer<Metrics, never, SqlClient.SqlClient> =>
  Layer.effect(
    Metrics,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const read = Effect.fn("PostgresSource.metrics")(
        function*(query: { readonly signals: ReadonlyArray<Signal>; readonly window: Window }) {
          const at = yield* Clock.currentTimeMillis
          if (!isPresent(query.window, at)) return { series: [], gaps: [onlyPresent] }
          const wanted = (signal: Signal): boolean => query.signals.length === 0 || query.signals.includes(signal)
          const asked = parts.filter((part) => keysOf(part).some(wanted))
          if (asked.length === 0) return { series: [], gaps: [] }
          const answers = yield* readOnly(sql, options)(Effect.forEach(asked, (part) => readPart(sql, part, at)))
          return {
            series: answers.flatMap(({ series }) => series.filter(({ signal }) => wanted(signal))),
            gaps: answers.flatMap(({ gaps }) => gaps)
          }
        },
        bounded(options)
      )
      return Metrics.of({ read })
    })
  )

/**
 * `Settings` of the server that differ from what it would start with: the baseline is the built-in default. Values that
 * may hold credentials are redacted. Fails with `Unreachable` when there is no connection.
 */
export const layerSettings = (options: Options = {}): Layer.Layer<Settings, never, SqlClient.SqlClient> =>
  Layer.effect(
    Settings,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const read = readOnly(sql, options)(readSettings(sql)).pipe(bounded(options))
      return Settings.of({ read })
    })
  )

/** Runs `effect` in one transaction that cannot write, in which no statement outlives the timeouts of `options`. */
export const readOnly = (sql: SqlClient.SqlClient, options: Options = {}) => {
  const statementMs = String(Duration.toMillis(options.statementTimeout ?? "3 seconds"))
  const lockMs = String(Duration.toMillis(options.lockTimeout ?? "1 second"))
  // Names then mean the catalogue's own, whatever the database defines under the same names.
  const begin = sql`select
    pg_catalog.set_config('search_path', 'pg_catalog', true),
    pg_catalog.set_config('statement_timeout', ${statementMs}, true),
    pg_catalog.set_config('lock_timeout', ${lockMs}, true)`
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    sql.withTransaction(Effect.andThen(begin, effect)).pipe(
      Effect.provideService(SqlClient.BeginTransaction, "BEGIN TRANSACTION READ ONLY")
    )
}

/**
 * A statement without its literals and comments, on one line of at most `statementLength` characters, so that one
 * statement with many values is one statement and no value is quoted. A literal that was cut off is masked to the end.
 */
export const normaliseStatement = (statement: string): string => {
  const masked = statement.replaceAll(statementToken, (_, comment?: string, identifier?: string) => {
    if (comment !== undefined) return " "
    return identifier ?? "?"
  })
  const line = masked.replaceAll(/\s+/g, " ").replaceAll(/\?(?:\s*,\s*\?)+/g, "?, ...").trim()
  return line.length > statementLength ? `${line.slice(0, statementLength - 3)}...` : line
}

// internal

// A comment inside a comment is not followed: the rest of the text goes with it.
const statementToken = new RegExp(
  [
    String.raw`(--[^\n]*|/\*(?:(?!/\*)[\s\S])*?\*/|/\*[\s\S]*)`,
    String.raw`("(?:[^"]|"")*(?:"|$))`,
    String.raw`(?<![\w$])[eE]'(?:\\[\s\S]|''|[^'\\])*(?:'|\\?$)`,
    String.raw`(?:[bBxXnN]|[uU]&)?'(?:''|[^'])*(?:'|$)`,
    String.raw`\$(\w*)\$[\s\S]*?(?:\$\3\$|$)`,
    String.raw`(?<![\w$])\d[\w.]*`
  ].join("|"),
  "g"
)

const isPresent = ({ from, to }: Window, now: number): boolean =>
  (from === undefined || from <= now + presentMs) && (to === undefined || to >= now - presentMs)

const gap = (origin: string, detail: string, remedy: string): Gap => ({ source: `postgres:${origin}`, detail, remedy })

const onlyPresent = gap(
  "window",
  "this server can only be read as it is now",
  "ask for a window that includes the present, or read the past through Prometheus"
)

const monitor = "grant pg_monitor to the login"

/** What could not be read, as a gap; a lost connection stays an error. */
const failure = (origin: string, error: SqlError | Schema.SchemaError): Effect.Effect<Gap, SqlError> => {
  if (error._tag === "SchemaError") {
    return Effect.succeed(gap(origin, "the server answered in an unexpected form", "use PostgreSQL 14 or newer"))
  }
  switch (error.reason._tag) {
    case "ConnectionError":
    case "AuthenticationError":
      return Effect.fail(error)
    case "AuthorizationError":
      return Effect.succeed(gap(origin, "the login may not read it", monitor))
    case "LockTimeoutError":
      return Effect.succeed(
        gap(origin, "a lock did not become free in time", "find who holds it among the blocking sessions")
      )
    case "StatementTimeoutError":
      return Effect.succeed(gap(origin, "the server did not answer in time", "raise the statement timeout"))
    default:
      return Effect.succeed(gap(origin, `the server refused (${error.reason._tag})`, "use PostgreSQL 14 or newer"))
  }
}

/** The time limit does not wait for the transaction to end: over a dead connection that would take for ever. */
const bounded = (options: Options) => <A, R>(effect: Effect.Effect<A, SqlError, R>): Effect.Effect<A, SourceError, R> =>
  Effect.gen(function*() {
    const reading = yield* Effect.forkDetach(effect)
    const abandon = Effect.forkDetach(Fiber.interrupt(reading))
    return yield* Fiber.join(reading).pipe(
      Effect.mapError((error) => unreachable(`no usable connection (${error.reason._tag})`)),
      Effect.timeoutOrElse({
        duration: options.timeout ?? "1 minute",
        orElse: () => Effect.andThen(abandon, Effect.fail(unreachable("the server did not answer in time")))
      }),
      Effect.onInterrupt(() => abandon)
    )
  })

const unreachable = (detail: string): SourceError =>
  new SourceError({
    source: "postgres",
    reason: new Unreachable({ detail, remedy: "check that the server runs, accepts connections and knows the login" })
  })

/** A row of a part; a `null` value says that the login may not see what `resource` names. */
const Row = Schema.Struct({
  signal: Signal,
  resource: Schema.String,
  value: Schema.NullOr(Schema.Finite)
})
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))

/** One statement that answers in rows of signal, resource and value. */
interface Part {
  /** The view it reads. */
  readonly origin: string
  readonly units: Readonly<Partial<Record<Signal, Unit>>>
  /** Its resources are `pid:statement`, the number of the session being optional. */
  readonly statements?: boolean
  readonly text: string
}

const keysOf = (part: Part): ReadonlyArray<Signal> => Object.keys(part.units).filter(Schema.is(Signal))

const readPart = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, part: Part, at: number) {
  const result = yield* sql.withTransaction(Effect.flatMap(sql.unsafe(part.text), decodeRows)).pipe(Effect.result)
  if (Result.isFailure(result)) return { series: [], gaps: [yield* failure(part.origin, result.failure)] }
  const hidden = result.success.filter(({ value }) => value === null).map(({ resource }) => resource)
  const totals = new Map<string, Series>()
  for (const { resource, signal, value } of result.success) {
    const unit = part.units[signal]
    if (value === null || unit === undefined) continue
    const name = part.statements === true ? titled(resource) : resource
    const key = `${signal} ${name}`
    // Different values made one statement of several: their sessions add up, of their ages the longest counts.
    const before = totals.get(key)?.points[0]?.value
    const merged = before === undefined ? value : unit === "seconds" ? Math.max(before, value) : before + value
    totals.set(key, { signal, resource: name, unit, origin: part.origin, points: [{ at, value: merged }] })
  }
  const gaps = hidden.length === 0 ? [] : [gap(part.origin, `the login may not see: ${listed(hidden)}`, monitor)]
  return { series: [...totals.values()], gaps }
})

const titled = (resource: string): string => {
  const colon = resource.indexOf(":")
  const text = normaliseStatement(resource.slice(colon + 1))
  return colon > 0 ? `${text} (${resource.slice(0, colon)})` : text
}

const listed = (names: ReadonlyArray<string>): string =>
  names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ")

/** Sessions of clients; of a session that is hidden from the login only its existence is known. */
const sessions = `sessions as (
  select *, query = '<insufficient privilege>' and state is null as hidden from pg_stat_activity
  where usesysid is not null and coalesce(backend_type, 'client backend') = 'client backend'
), others as (
  select *, clock_timestamp() as now from sessions where pid <> pg_backend_pid()
)`

const parts: ReadonlyArray<Part> = [
  {
    origin: "pg_stat_activity",
    units: {
      "db.connections": "count",
      "db.connections_max": "count",
      "db.connections_active": "count",
      "db.connections_idle_in_transaction": "count",
      "other:db.connections_idle": "count",
      "db.load": "sessions",
      "db.longest_transaction": "seconds",
      "other:db.longest_idle_in_transaction": "seconds"
    },
    text: `with ${sessions}, one as (
      select
        (select count(*) from sessions) as connections,
        count(*) filter (where state = 'active') as active,
        count(*) filter (where state = 'idle') as idle,
        count(*) filter (where state like 'idle in transaction%') as in_transaction,
        coalesce(max(extract(epoch from now - xact_start)), 0) as longest,
        coalesce(max(extract(epoch from now - state_change)) filter (where state like 'idle in transaction%'), 0)
          as longest_idle,
        count(*) filter (where hidden) as hidden
      from others
    ), rows as (
      select v.* from one, lateral (values
        ('db.connections', 'database', connections::float8),
        ('db.connections_max', 'database', current_setting('max_connections')::float8),
        ('db.connections_active', 'database', active::float8),
        ('db.connections_idle_in_transaction', 'database', in_transaction::float8),
        ('other:db.connections_idle', 'database', idle::float8),
        ('db.load', 'database', active::float8),
        ('db.longest_transaction', 'database', longest::float8),
        ('other:db.longest_idle_in_transaction', 'database', longest_idle::float8)
      ) as v(signal, resource, value)
    )
    select * from rows
    union all select 'db.load', 'sessions of other users (' || hidden || ')', null from one where hidden > 0`
  },
  {
    origin: "pg_stat_activity.wait_event",
    units: { "db.load_by_wait": "sessions" },
    text: `with ${sessions}
      select 'db.load_by_wait' as signal, coalesce(wait_event_type || ':' || wait_event, 'CPU') as resource,
        count(*)::float8 as value
      from others where state = 'active' group by 2 order by 3 desc limit 20`
  },
  {
    origin: "pg_stat_activity.usename",
    units: { "db.load_by_user": "sessions", "other:db.connections_by_user": "count" },
    text: `with ${sessions}, users as (
        select coalesce(usename::text, 'unknown') as resource, count(*) as connected,
          count(*) filter (where state = 'active') as active
        from others group by 1 order by 2 desc limit 20
      )
      select 'db.load_by_user' as signal, resource, active::float8 as value from users where active > 0
      union all select 'other:db.connections_by_user', resource, connected::float8 from users`
  },
  {
    origin: "pg_stat_activity.query",
    units: { "db.load_by_statement": "sessions", "other:db.statement_age": "seconds" },
    statements: true,
    text: `with ${sessions}, statements as (
        select left(query, 4096) as resource, greatest(0, extract(epoch from now - query_start)) as age
        from others where state = 'active' order by query_start limit 100
      )
      select v.* from statements, lateral (values
        ('db.load_by_statement', ':' || resource, 1::float8),
        ('other:db.statement_age', ':' || resource, age::float8)
      ) as v(signal, resource, value)`
  },
  {
    origin: "pg_locks",
    units: { "db.lock_waiters": "count", "other:db.longest_lock_wait": "seconds" },
    text: `select v.* from (
        select count(distinct pid) as waiters,
          coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0) as longest
        from pg_locks where not granted
      ) as one, lateral (values
        ('db.lock_waiters', 'database', waiters::float8),
        ('other:db.longest_lock_wait', 'database', longest::float8)
      ) as v(signal, resource, value)`
  },
  {
    origin: "pg_blocking_pids",
    units: { "other:db.blocking_sessions": "count" },
    statements: true,
    text: `with waiting as (
        select distinct pid from pg_locks where not granted limit 100
      ), blocking as (
        select waiting.pid as waiter, blocker from waiting, lateral unnest(pg_blocking_pids(waiting.pid)) as blocker
      )
      select 'other:db.blocking_sessions' as signal,
        blocker || ':' || coalesce(left(max(query), 4096), 'prepared transaction') as resource,
        count(distinct waiter)::float8 as value
      from blocking left join pg_stat_activity on pg_stat_activity.pid = blocker
      group by blocker order by 3 desc limit 10`
  },
  {
    origin: "pg_stat_database",
    units: {
      "db.deadlocks": "count",
      "db.commits": "count",
      "other:db.rollbacks": "count",
      "other:db.temporary_bytes": "bytes",
      "other:db.cache_hit_ratio": "ratio",
      "other:db.transaction_ids_used_ratio": "ratio"
    },
    // Half of the 32-bit transaction numbers are usable before the server refuses to write.
    text: `select v.* from pg_stat_database s join pg_database d on d.oid = s.datid, lateral (values
        ('db.deadlocks', s.deadlocks::float8),
        ('db.commits', s.xact_commit::float8),
        ('other:db.rollbacks', s.xact_rollback::float8),
        ('other:db.temporary_bytes', s.temp_bytes::float8),
        ('other:db.cache_hit_ratio', s.blks_hit::float8 / nullif(s.blks_hit + s.blks_read, 0)),
        ('other:db.transaction_ids_used_ratio', least(1, age(d.datfrozenxid)::float8 / 2147483648))
      ) as n(signal, value), lateral (select n.signal, d.datname::text as resource, n.value) as v
      where v.value is not null order by d.datname limit 600`
  },
  {
    origin: "pg_database_size",
    units: { "db.size_bytes": "bytes" },
    // A database that is dropped meanwhile has no size; that is not the login's fault.
    text: `with visible as (
        select oid, datname::text as resource,
          has_database_privilege(oid, 'CONNECT') or pg_has_role('pg_read_all_stats', 'USAGE') as allowed
        from pg_database where datallowconn
      ), sized as (
        select resource, allowed, case when allowed then pg_database_size(oid)::float8 end as value from visible
      )
      select 'db.size_bytes' as signal, resource, value from sized
      where value is not null or not allowed order by value desc nulls first limit 100`
  },
  {
    origin: "pg_stat_user_tables",
    units: { "other:db.table_bytes": "bytes", "other:db.table_dead_ratio": "ratio" },
    // The page counts of the last vacuum choose the candidates; only those are measured, which takes a lock on each.
    text: `with candidates as (
        select t.*, c.relpages from pg_stat_user_tables t join pg_class c on c.oid = t.relid
        order by c.relpages desc, t.n_live_tup desc limit 50
      ), biggest as (
        select format('%I.%I', schemaname, relname) as resource, pg_total_relation_size(relid)::float8 as bytes,
          n_dead_tup::float8 / nullif(n_live_tup + n_dead_tup, 0) as dead
        from candidates order by 2 desc limit 10
      )
      select 'other:db.table_bytes' as signal, resource, bytes as value from biggest where bytes is not null
      union all select 'other:db.table_dead_ratio', resource, dead from biggest where dead is not null`
  },
  {
    origin: "pg_stat_replication",
    units: { "db.replication_lag": "seconds", "other:db.replication_lag_bytes": "bytes" },
    text: `with place as (
        select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn
      ), replicas as (
        select coalesce(nullif(application_name, ''), 'replica') || ' (' || pid || ')' as resource,
          state is null as hidden,
          coalesce(extract(epoch from replay_lag), 0)::float8 as lag, greatest(0, lsn - replay_lsn)::float8 as bytes
        from pg_stat_replication, place
      )
      select 'db.replication_lag' as signal, resource, case when not hidden then lag end as value from replicas
      union all select 'other:db.replication_lag_bytes', resource, bytes from replicas where bytes is not null
      union all select 'db.replication_lag', 'database', case
        when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
        else greatest(0, extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()))::float8 end
      where pg_is_in_recovery() and (pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
        or pg_last_xact_replay_timestamp() is not null)`
  },
  {
    origin: "pg_replication_slots",
    units: { "other:db.slot_retained_bytes": "bytes", "other:db.slot_inactive": "count" },
    text: `with place as (
        select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn
      )
      select v.* from pg_replication_slots s, place, lateral (values
        ('other:db.slot_retained_bytes', greatest(0, lsn - s.restart_lsn)::float8),
        ('other:db.slot_inactive', case when s.active then 0 else 1 end::float8)
      ) as n(signal, value), lateral (select n.signal, s.slot_name::text as resource, n.value) as v
      where v.value is not null limit 200`
  },
  {
    origin: "pg_ls_waldir",
    units: { "db.wal_bytes": "bytes" },
    text: `select 'db.wal_bytes' as signal, 'database' as resource, coalesce(sum(size), 0)::float8 as value
      from pg_ls_waldir()`
  }
]

const decodeSettings = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  ...Setting.fields,
  complete: Schema.Boolean
})))

// What this very session set for itself (source client and session) says nothing about the server: `reset_val` is what
// the setting is without it.
const settingsText = `select name as key,
    case when name ~ 'conninfo|passphrase|password|secret|_command$' and reset_val <> '' then '[redacted]'
      else concat_ws(' ', reset_val, unit) end as actual,
    case when boot_val is null then null else concat_ws(' ', boot_val, unit) end as baseline, false as "isDecided",
    'pg_settings (' || source || case when pending_restart then ', waits for a restart)' else ')' end as origin,
    pg_has_role('pg_read_all_settings', 'USAGE') as complete
  from pg_settings
  where source <> 'client' and (reset_val is distinct from boot_val or pending_restart)
  order by name`

const readSettings = Effect.fnUntraced(function*(sql: SqlClient.SqlClient) {
  const result = yield* sql.withTransaction(Effect.flatMap(sql.unsafe(settingsText), decodeSettings)).pipe(
    Effect.result
  )
  if (Result.isFailure(result)) return { settings: [], gaps: [yield* failure("pg_settings", result.failure)] }
  const settings = result.success.map(({ complete: _, ...setting }): Setting => setting)
  const complete = result.success.every(({ complete }) => complete)
  return {
    settings,
    gaps: complete
      ? []
      : [gap("pg_settings", "the login may not see all settings", "grant pg_read_all_settings to the login")]
  }
})
