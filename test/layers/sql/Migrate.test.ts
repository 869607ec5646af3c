import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { readdirSync, readFileSync } from "node:fs"
import { digest } from "../../../layers/node/Digest.ts"
import { NodeDigest } from "../../../layers/node/index.ts"
import * as PostgresClient from "../../../layers/postgres/Client.ts"
import { Migrate, SqlStore } from "../../../layers/sql/index.ts"
import { Store } from "../../../src/governor/index.ts"
import { describeOnServers } from "../postgres/realServer.ts"
import { inMemory } from "./databases.ts"

const files = readdirSync(new URL("../../../migrations/", import.meta.url)).filter((name) => name.endsWith(".sql"))
  .toSorted()
const newest = Number(files.at(-1)?.slice(0, 4))

const migrate = Effect.provide(Migrate.migrate, NodeServices.layer)

const applied = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    sql<{ readonly id: number; readonly name: string; readonly checksum: string; readonly at: string }>`
      select id, name, checksum, applied_at::text as at from aosiq_migrations order by id`
)
const tables = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql<{ readonly name: string }>`
      select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
    (rows) => rows.map((row) => row.name)
  ))

/** A database in memory takes seconds to start: the cases follow one another on one. */
describe("migrations", () => {
  it.live("are applied once and in order, and refused when file and database disagree", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* migrate
      const first = yield* applied
      assert.deepStrictEqual(
        first.map(({ id, name }) => ({ id, name })),
        files.map((name) => ({ id: Number(name.slice(0, 4)), name }))
      )
      for (const { checksum } of first) assert.match(checksum, /^[0-9a-f]{64}$/)
      assert.includeMembers([...yield* tables], ["aosiq_rows", "aosiq_sessions", "aosiq_tickets", "aosiq_accounts"])

      // Again, and by four at a time.
      yield* migrate
      yield* Effect.all([migrate, migrate, migrate, migrate], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* applied, first)

      // A file that was changed after it was applied.
      yield* sql`update aosiq_migrations set checksum = 'another' where id = 1`
      const changed = yield* Effect.flip(migrate)
      assert.instanceOf(changed, Migrate.MigrationError)
      if (changed instanceof Migrate.MigrationError) {
        assert.include(changed.detail, files[0] ?? "no file")
        assert.include(changed.remedy, "new migration")
      }
      yield* sql`update aosiq_migrations set checksum = ${first[0]?.checksum ?? ""} where id = 1`
      yield* migrate

      // A database of a newer program.
      yield* sql`insert into aosiq_migrations ${sql.insert({ id: newest + 1, name: "later.sql", checksum: "x" })}`
      const before = yield* tables
      const newer = yield* Effect.flip(migrate)
      assert.instanceOf(newer, Migrate.MigrationError)
      if (newer instanceof Migrate.MigrationError) assert.include(newer.remedy, "newer program")
      assert.deepStrictEqual(yield* tables, before)
      yield* sql`delete from aosiq_migrations where id > ${newest}`

      // One that fails leaves nothing: the file asks for a table that is there already.
      yield* sql`delete from aosiq_migrations where id = 1`
      const rows = yield* applied
      yield* Effect.flip(migrate)
      assert.deepStrictEqual(yield* applied, rows)
    }).pipe(Effect.provide(inMemory)))
})

describe("acts from before a lost outcome could be settled", () => {
  it.live("keep their place: what held a ticket is not repeated, and arguments come from the record", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const [first = ""] = files
      const text = readFileSync(new URL(`../../../migrations/${first}`, import.meta.url), "utf8")
      yield* sql.unsafe(`do $old$ begin ${text}\nend $old$`).raw
      const hash = "a".repeat(64)
      const intent = JSON.stringify({ kind: "intent", act: "pay", args: hash })
      yield* sql`insert into aosiq_rows (session, seq, at, key, body, prev, hash)
        values ('ses', 2, 1, '#0', ${intent}, '', ''), ('ses', 3, 1, '#1', ${intent}, '', '')`
      const one = { session: "ses", name: "pay", reserved: 7, accounts: "[]", state: "unknown" }
      yield* sql`insert into aosiq_acts ${
        sql.insert([
          { ...one, key: "#0", intent: 2, ticket: "T1" },
          { ...one, key: "#1", intent: 3, ticket: null }
        ])
      }`
      yield* sql`create table aosiq_migrations (
        id int primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`
      yield* sql`insert into aosiq_migrations ${sql.insert({ id: 1, name: first, checksum: digest.sha256(text) })}`
      yield* migrate
      yield* Effect.gen(function*() {
        const store = yield* Store.Store
        const lost = yield* store.lost()
        assert.deepStrictEqual(lost.map(({ args, key, repeat }) => [key, repeat, args]), [
          ["#0", "never", hash],
          ["#1", "always", hash]
        ])
      }).pipe(
        Effect.provide(SqlStore.layer),
        Effect.provideService(SqlClient.SqlClient, sql),
        Effect.provide(NodeDigest.layer)
      )
    }).pipe(Effect.provide(inMemory)))
})

describeOnServers("migrations on a server", ({ freshDatabase }) => {
  it.live("are applied once when four processes start together", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      const own = () => Layer.fresh(PostgresClient.layer(Redacted.make(url.href)))
      yield* Effect.all(
        [1, 2, 3, 4].map(() => Effect.scoped(Effect.provide(migrate, own()))),
        { concurrency: "unbounded" }
      )
      const found = yield* Effect.provide(applied, own())
      assert.deepStrictEqual(found.map(({ name }) => name), files)
      assert.lengthOf(new Set(found.map(({ at }) => at)), 1)
    }))
})
