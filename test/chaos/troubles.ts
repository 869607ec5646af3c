/**
 * What befalls a database while it is used: to statements on their way, and beside them. A trouble is prepared first, so
 * that the log can be opened in peace, and then begins.
 */
import { Effect, type Scope } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { connect } from "../layers/postgres/realServer.ts"
import { type Dice, make as dice } from "./dice.ts"
import type { OwnServer, ServerFailed } from "./ownServer.ts"
import * as Proxy from "./proxy.ts"

/** How often a trouble struck so far. */
export type Times = Effect.Effect<number, SqlError.SqlError>

/** A trouble, to be thrown by dice. */
export interface Trouble {
  readonly name: string
  /** Connections of each log. */
  readonly connections: number
  /** Logs that write to the same database. */
  readonly logs: number
  /** How often it strikes in a short run. */
  readonly strikes: number
  /** What happens to statements on their way. */
  readonly underway?: (dice: Dice) => (statement: string) => Proxy.Fate
  /** What goes on beside them, for as long as the scope lasts. */
  readonly beside?: (
    server: OwnServer,
    dice: Dice
  ) => Effect.Effect<Times, SqlError.SqlError | ServerFailed, Scope.Scope>
}

/** A trouble that has not begun: where logs reach the server, and its beginning. */
export const prepare = Effect.fnUntraced(function*({ beside, underway }: Trouble, server: OwnServer, seed: number) {
  if (underway === undefined) return { url: server.app, begin: beside?.(server, dice(seed)) ?? Effect.succeed(never) }
  let hasBegun = false
  const decide = underway(dice(seed))
  const proxy = yield* Proxy.make(server.app, (statement) => hasBegun ? decide(statement) : "pass")
  const times = Effect.sync(() => [...proxy.spoilt.values()].reduce((sum, n) => sum + n, 0))
  return {
    url: proxy.url,
    begin: Effect.sync(() => {
      hasBegun = true
      return times
    })
  }
})

/** Crashes and restarts in mid-run. */
export const restart: Trouble = {
  name: "restarts in mid-run",
  connections: 5,
  logs: 1,
  strikes: 1,
  beside: (server, dice) => repeatedly(dice, { fromMs: 300, upToMs: 900 }, server.restart)
}

/** Back ends that are ended in mid-transaction. */
export const terminate: Trouble = {
  name: "back ends that are terminated",
  connections: 5,
  logs: 2,
  strikes: 10,
  beside: (server, dice) =>
    repeatedly(
      dice,
      { fromMs: 10, upToMs: 80 },
      server.asAdmin((sql) =>
        sql`select pg_terminate_backend(pid) from pg_stat_activity
          where usename = 'app' and state in ('active', 'idle in transaction') order by random() limit 1`
      )
    )
}

/** COMMIT is lost on its way, or its answer is. */
export const unknownCommit: Trouble = {
  name: "commits whose answer is lost, and commits that are lost",
  connections: 4,
  logs: 2,
  strikes: 6,
  underway: ({ happens, oneOf }) => (statement) =>
    statement === "COMMIT" && happens(0.25) ? oneOf(["lost", "unanswered"]) : "pass"
}

/** Any statement is lost, or its answer is. */
export const anyStatement: Trouble = {
  name: "connections that break at any statement",
  connections: 4,
  logs: 1,
  strikes: 6,
  underway: ({ happens, oneOf }) => () => happens(0.06) ? oneOf(["lost", "unanswered"]) : "pass"
}

/** A pool of one connection, which breaks now and then. */
export const poolOfOne: Trouble = { ...anyStatement, name: "a pool of one connection that breaks", connections: 1 }

/** Races that are lost at any statement of a transaction, COMMIT among them. */
export const injectedStorm: Trouble = {
  name: "a storm of 40001 and 40P01 at any statement",
  connections: 4,
  logs: 1,
  strikes: 10,
  underway: ({ happens, oneOf }) => (statement) =>
    /^\s*(?:COMMIT|select|with)/.test(statement) && happens(0.1) ? { error: oneOf(["40001", "40P01"]) } : "pass"
}

/** The server itself fails what is written: as a lost race, as a full disk, as read-only. */
export const raisedStorm: Trouble = {
  name: "a storm that the server raises while writing and at COMMIT",
  connections: 4,
  logs: 1,
  strikes: 10,
  beside: (server) =>
    Effect.as(
      server.asAdmin((sql) =>
        Effect.all([
          sql.unsafe("create sequence struck"),
          sql.unsafe("grant all on sequence struck to app"),
          sql.unsafe(`create function strike() returns trigger language plpgsql as $$ declare
            codes text[] := array['40001', '40P01', '53100', '25006']; begin
            if random() < 0.05 then
              perform nextval('struck');
              raise exception 'a storm' using errcode = codes[1 + floor(random() * 4)];
            end if;
            return new; end $$`),
          sql.unsafe("create trigger strike before insert on aosiq_rows for each row execute function strike()"),
          sql.unsafe(`create constraint trigger strike_late after insert on aosiq_payloads
            deferrable initially deferred for each row execute function strike()`)
        ], { discard: true })
      ),
      numberOf(server, "select last_value::int as n from struck where is_called")
    )
}

/** Transactions of others that want the same rows in the other order. */
export const realDeadlocks: Trouble = {
  name: "real deadlocks with transactions that lock the other way round",
  connections: 4,
  logs: 1,
  strikes: 3,
  beside: (server, { whole }) => {
    const backwards = (sql: SqlClient.SqlClient) =>
      sql.withTransaction(Effect.gen(function*() {
        yield* sql`select 1 from aosiq_accounts where id like 'c%' order by id desc for update`
        yield* Effect.sleep(whole(20))
        yield* sql`select 1 from aosiq_sessions order by id desc for update`
      }))
    const loop = server.asAdmin((sql) =>
      Effect.andThen(
        sql.unsafe("set deadlock_timeout = '20ms'"),
        Effect.forever(Effect.andThen(Effect.ignore(backwards(sql)), Effect.sleep(5)))
      )
    )
    return Effect.as(Effect.forkScoped(loop), numberOf(server, `select deadlocks::int as n ${activity}`))
  }
}

/** Two logs on one database that refuses to serialise what they do. */
export const realSerialisation: Trouble = {
  name: "real serialisation failures between two logs",
  connections: 3,
  logs: 2,
  strikes: 10,
  beside: (server) =>
    Effect.as(
      server.asAdmin((sql) =>
        // Connections that are there already would go on as they were.
        Effect.andThen(
          sql.unsafe("alter database app set default_transaction_isolation = 'serializable'"),
          sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`
        )
      ),
      numberOf(server, `select xact_rollback::int as n ${activity}`)
    )
}

/** Others take every connection that the server has, again and again, and what the log has is ended. */
export const exhaustion: Trouble = {
  name: "a server without a free connection",
  connections: 3,
  logs: 1,
  strikes: 2,
  beside: (server, dice) => repeatedly(dice, { fromMs: 50, upToMs: 200 }, takeAll(server))
}

/** All of them. */
export const all: ReadonlyArray<Trouble> = [
  restart,
  terminate,
  unknownCommit,
  anyStatement,
  poolOfOne,
  injectedStorm,
  raisedStorm,
  realDeadlocks,
  realSerialisation,
  exhaustion
]

// internal

const never: Times = Effect.succeed(0)

const activity = "from pg_stat_database where datname = current_database()"

const numberOf = (server: OwnServer, statement: string): Times =>
  server.asAdmin((sql) => Effect.map(sql.unsafe<{ readonly n: number }>(statement), ([row]) => row?.n ?? 0))

/** Strikes again and again, each time some while after the last. */
const repeatedly = <E>(
  { whole }: Dice,
  { fromMs, upToMs }: { readonly fromMs: number; readonly upToMs: number },
  strike: Effect.Effect<unknown, E>
): Effect.Effect<Times, never, Scope.Scope> =>
  Effect.gen(function*() {
    let times = 0
    const once = Effect.gen(function*() {
      yield* Effect.sleep(fromMs + whole(upToMs - fromMs))
      yield* strike
      times++
    })
    // One that struck out is no reason to stop.
    yield* Effect.forkScoped(Effect.forever(Effect.ignore(once)))
    return Effect.sync(() => times)
  })

/** Takes connections until there is none left, and ends those of the log; lets go after a while. */
const takeAll = (server: OwnServer) =>
  Effect.scoped(Effect.gen(function*() {
    const one = Effect.flatMap(connect(server.app), (sql) => sql`select 1`)
    const all = Effect.ignore(Effect.forever(one))
    yield* all
    yield* server.asAdmin((sql) =>
      sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'aosiq'`
    )
    yield* all
    yield* Effect.sleep(300)
  }))
