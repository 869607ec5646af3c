import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Option, Redacted, Result, Scope } from "effect"
import { SqlClient } from "effect/sql"
import * as PostgresClient from "../../../layers/postgres/Client.ts"
import { Policy } from "../../../src/approval/index.ts"
import type { Log } from "../../../src/audit/index.ts"
import { Store } from "../../../src/governor/index.ts"
import * as C from "../../governor/commits.ts"
import { connect, describeOnServers, type Server } from "../postgres/realServer.ts"
import { inMemory, logOn, migrated } from "./databases.ts"

/** A log of its own, as another process would have it. */
const separately = Effect.fnUntraced(function*(url: URL) {
  const database = PostgresClient.layer(Redacted.make(url.href))
  const memo = yield* Layer.makeMemoMap
  const context = yield* Layer.buildWithMemoMap(logOn(migrated(database)), memo, yield* Effect.scope)
  return { side: yield* Effect.provideContext(C.side, context), context }
})

/** Two logs on one new database, and a third connection that stands in their way. */
const twoOn = Effect.fnUntraced(function*({ freshDatabase }: Server) {
  const url = yield* freshDatabase
  const a = yield* separately(url)
  const b = yield* separately(url)
  return { a, b, url }
})

/** Holds what `statement` locks, until the effect it returns is run. */
const holding = Effect.fnUntraced(function*(url: URL, statement: string) {
  const other = yield* separately(url)
  const release = yield* Deferred.make<void>()
  const held = yield* Deferred.make<void>()
  const fiber = yield* Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql.withTransaction(Effect.gen(function*() {
      yield* sql.unsafe(statement)
      yield* Deferred.succeed(held, undefined)
      yield* Deferred.await(release)
    }))
  }).pipe(Effect.provideContext(other.context), Effect.forkScoped)
  yield* Deferred.await(held)
  return Effect.andThen(Deferred.succeed(release, undefined), Fiber.join(fiber))
})

/** Waits until `count` backends of the database wait for a lock. */
const blocked = (count: number) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ readonly n: number }>`
      select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    return row?.n ?? 0
  }).pipe(Effect.repeat({ until: (n) => n >= count, times: 2000 }))

const results = <A, E, R>(...commits: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(commits.map(Effect.result), { concurrency: "unbounded" })
const whys = (all: ReadonlyArray<Result.Result<unknown, Store.StoreError>>) =>
  all.map((result) =>
    Result.isSuccess(result)
      ? "ok"
      : "why" in result.failure.reason
      ? result.failure.reason.why
      : result.failure.message
  )

const opened = (side: C.Side, ...accounts: ReadonlyArray<{ readonly id: string; readonly ceiling: number }>) =>
  C.opened(accounts.length === 0 ? undefined : accounts).pipe(Effect.provideService(Store.Store, side.store))

const chainOf = Effect.fnUntraced(function*(side: C.Side, session: Log.Summary) {
  const rows = yield* side.log.rows(session.id)
  assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(yield* side.log.session(session.id))), [])
  return rows
})

const tokenOf = (session: string) => C.tokenId(`tok_${session}`)
const revoked = (session: Log.Summary) => C.revoke(session, tokenOf(session.id))
const claimed = (session: Log.Summary) => C.claim(session.id)

/** Twenty thousand of everything, as a log has after a while. */
const fill = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const many = "from generate_series(1, 20000) n"
  yield* sql.unsafe(
    `insert into aosiq_sessions select 'old_' || n, 'Tester', null, 'ada', '[]'::json, 'succeeded', 1, 2,
    repeat('0', 64), repeat('t', 400), repeat('0', 64), null, n ${many}`
  )
  yield* sql.unsafe(`insert into aosiq_accounts select 'session:old_' || n, 1000, 0, 0 ${many}`)
  yield* sql.unsafe(`insert into aosiq_acts (session, key, name, intent, reserved, accounts, state)
    select 'old_' || n, '#0', 'act', 2, 0, '[]'::json, 'finished' ${many}`)
  yield* sql.unsafe(`insert into aosiq_tickets (id, session, state, ticket)
    select 'filed_' || n, 'old_' || n, 'succeeded', '{}'::json ${many}`)
  yield* sql.unsafe(`insert into aosiq_records select 'schedule', 'old_' || n, 1, '', 'on', n, null ${many}`)
  yield* sql.unsafe(`insert into aosiq_revoked select 'tok_old_' || n ${many}`)
  yield* sql.unsafe(`insert into aosiq_wakes select 'old_' || n, 'because', n ${many}`)
  yield* sql.unsafe(`insert into aosiq_checkpoints select 'old_' || n, 'main', '', '1', null, null, 0, '{}'::json,
    repeat('0', 64), 1, 'json', '1', 'json', '1' ${many}`)
  yield* sql.unsafe(`insert into aosiq_values select 'old_' || n, 'main', repeat('0', 64), 'json', '1' ${many}`)
  yield* sql.unsafe(`insert into aosiq_writes select 'old_' || n, 'main', '', '1', 't', 0, '', 'c', repeat('0', 64),
    'json', '1' ${many}`)
  yield* sql.unsafe(`insert into aosiq_memory select 'old_' || n, 'known', repeat('0', 64) ${many}`)
  yield* sql.unsafe("analyze")
})

/** How often each table was read from end to end; what a closed connection did is counted. */
const scans = Effect.fnUntraced(function*(url: URL) {
  const sql = yield* connect(url)
  return yield* sql<{ readonly table: string; readonly times: number }>`
    select relname as table, seq_scan::int as times from pg_stat_user_tables
    where relname like 'aosiq%' and relname <> 'aosiq_migrations' order by 1`
})

describeOnServers("two logs on one PostgreSQL", (server) => {
  const { freshDatabase } = server
  const two = twoOn(server)
  it.live("begin one place once, even when both waited for the session", () =>
    Effect.gen(function*() {
      const { a, b, url } = yield* two
      const session = yield* opened(a.side)
      const release = yield* holding(url, `select 1 from aosiq_sessions where id = '${session.id}' for update`)
      const begin = C.begin(session, "#0", { reserve: 10 })
      const both = yield* Effect.forkChild(results(a.side.store.commit(begin), b.side.store.commit(begin)))
      yield* Effect.provideContext(blocked(2), a.context)
      yield* release
      assert.sameMembers(whys(yield* Fiber.join(both)), ["ok", "already_begun"])
      assert.lengthOf((yield* chainOf(a.side, session)).filter((row) => row.body.kind === "intent"), 1)
    }))

  it.live("let no act begin after its token was revoked, even when it waited for the session", () =>
    Effect.gen(function*() {
      const { a, b, url } = yield* two
      const session = yield* opened(a.side)
      const token = C.tokenId("tok")
      const release = yield* holding(url, `select 1 from aosiq_sessions where id = '${session.id}' for update`)
      const revoking = yield* Effect.forkChild(b.side.store.commit(C.revoke(session, token)))
      yield* Effect.provideContext(blocked(1), a.context)
      const beginning = yield* Effect.forkChild(
        Effect.result(a.side.store.commit(C.begin(session, "#0", { tokens: [token] })))
      )
      yield* Effect.provideContext(blocked(2), a.context)
      yield* release
      yield* Fiber.join(revoking)
      assert.deepStrictEqual(whys([yield* Fiber.join(beginning)]), ["revoked"])
      assert.notInclude((yield* chainOf(a.side, session)).map((row) => row.body.kind), "intent")
    }))

  it.live("save no checkpoint of a run that was replaced while it waited for the session", () =>
    Effect.gen(function*() {
      const { a, b, url } = yield* two
      const session = yield* opened(a.side)
      yield* a.side.store.commit(C.checkpoint(session, [C.saved("1", null)]))
      const release = yield* holding(url, `select 1 from aosiq_sessions where id = '${session.id}' for update`)
      const claiming = yield* Effect.forkChild(b.side.store.commit(C.claim(session.id)))
      yield* Effect.provideContext(blocked(1), a.context)
      const saving = yield* Effect.forkChild(
        Effect.result(a.side.store.commit(C.checkpoint(session, [C.written("1", "t"), C.saved("2", "1")])))
      )
      yield* Effect.provideContext(blocked(2), a.context)
      yield* release
      yield* Fiber.join(claiming)
      assert.deepStrictEqual(whys([yield* Fiber.join(saving)]), ["fenced"])
      const [kept, ...others] = yield* a.side.store.checkpoints(session.id, {})
      assert.deepStrictEqual([kept?.id, kept?.writes, others], ["1", [], []])
      const kinds = (yield* chainOf(a.side, session)).map((row) => row.body.kind)
      assert.deepStrictEqual(kinds, ["genesis", "started", "checkpoint", "started"])
    }))

  it.live("begin no free act of a run that was replaced, or whose token was revoked, while it waited", () =>
    Effect.gen(function*() {
      const { a, b, url } = yield* two
      for (const [meanwhile, why] of [[claimed, "fenced"], [revoked, "revoked"]] as const) {
        const session = yield* opened(a.side)
        const release = yield* holding(url, `select 1 from aosiq_sessions where id = '${session.id}' for update`)
        const changing = yield* Effect.forkChild(b.side.store.commit(meanwhile(session)))
        yield* Effect.provideContext(blocked(1), a.context)
        const begin = C.begin(session, "#0", { tokens: [tokenOf(session.id)] })
        const beginning = yield* Effect.forkChild(Effect.result(a.side.store.commit(begin)))
        yield* Effect.provideContext(blocked(2), a.context)
        yield* release
        yield* Fiber.join(changing)
        assert.deepStrictEqual(whys([yield* Fiber.join(beginning)]), [why])
        assert.notInclude((yield* chainOf(a.side, session)).map((row) => row.body.kind), "intent")
      }
    }))

  it.live("save every checkpoint of a run while people write beside it, in one chain", () =>
    Effect.gen(function*() {
      const { a, b } = yield* two
      const session = yield* opened(a.side)
      const ids = Array.from({ length: 40 }, (_, id) => String(id + 10))
      const saving = Effect.forEach(ids, (id, index) =>
        a.side.store.commit(C.checkpoint(session, [C.saved(id, ids[index - 1] ?? null)], index % 4 === 0 ? 4 : null)))
      const writing = Effect.forEach(ids, () =>
        b.side.store.commit(C.append(session, { epoch: null })))
      yield* Effect.all([saving, writing], { concurrency: "unbounded" })
      const kinds = (yield* chainOf(a.side, session)).map((row) =>
        row.body.kind
      )
      assert.strictEqual(kinds.filter((kind) => kind === "checkpoint").length, ids.length)
      assert.strictEqual(kinds.filter((kind) => kind === "noted").length, ids.length)
      // They did come in each other's way.
      assert.isBelow(kinds.indexOf("noted"), kinds.lastIndexOf("checkpoint"))
      assert.isBelow(kinds.indexOf("checkpoint"), kinds.lastIndexOf("noted"))
    }), 60_000)

  it.live("lose no act to a claim that waited for the session", () =>
    Effect.gen(function*() {
      const { a, b, url } = yield* two
      const session = yield* opened(a.side)
      const release = yield* holding(url, `select 1 from aosiq_sessions where id = '${session.id}' for update`)
      const beginning = yield* Effect.forkChild(a.side.store.commit(C.begin(session, "#0")))
      yield* Effect.provideContext(blocked(1), a.context)
      const claiming = yield* Effect.forkChild(b.side.store.commit(C.claim(session.id)))
      yield* Effect.provideContext(blocked(2), a.context)
      yield* release
      yield* Fiber.join(beginning)
      yield* Fiber.join(claiming)
      const kinds = (yield* chainOf(a.side, session)).map((row) => row.body.kind)
      assert.deepStrictEqual(kinds, ["genesis", "started", "intent", "started", "unknown"])
    }))

  it.live("keep what one drew on an account that the other was opening", () =>
    Effect.gen(function*() {
      const { a, b, url } = yield* two
      const shared = { id: "caller:ada", ceiling: 100 }
      const busy = { id: "class:Busy", ceiling: 5 }
      yield* opened(a.side, busy)
      // The other looks before there is such an account, and then waits for one that there is.
      const release = yield* holding(url, `select 1 from aosiq_accounts where id = '${busy.id}' for update`)
      const opening = yield* Effect.forkChild(b.side.store.commit(C.open(C.sessionId("late"), [shared, busy])))
      yield* Effect.provideContext(blocked(1), a.context)
      const session = yield* opened(a.side, shared)
      yield* a.side.store.commit(C.begin(session, "#0", { reserve: 60 }))
      yield* release
      yield* Fiber.join(opening)
      assert.deepInclude(yield* a.side.store.accounts, { ...shared, reserved: 60, spent: 0 })
      const over = yield* results(b.side.store.commit(C.begin(session, "#1", { reserve: 41 })))
      assert.deepStrictEqual(whys(over), ["over_budget"])
    }))

  it.live("let acts that cost nothing pass by an account that is held, and no others", () =>
    Effect.gen(function*() {
      const { a, url } = yield* two
      const session = yield* opened(a.side, { id: "class:Busy", ceiling: 50 })
      const release = yield* holding(url, "select 1 from aosiq_accounts for update")
      yield* a.side.store.commit(C.begin(session, "#0"))
      yield* a.side.store.commit(C.finish(session, "#0"))
      const paid = yield* Effect.forkChild(a.side.store.commit(C.begin(session, "#1", { reserve: 20 })))
      yield* Effect.provideContext(blocked(1), a.context)
      assert.isUndefined(paid.pollUnsafe())
      yield* release
      yield* Fiber.join(paid)
      // One that reserved something gives it back, though it cost nothing in the end.
      yield* a.side.store.commit(C.finish(session, "#1", 0))
      assert.deepStrictEqual(yield* a.side.store.accounts, [{ id: "class:Busy", ceiling: 50, reserved: 0, spent: 0 }])
    }))

  it.live("read no table of a large log from end to end", () =>
    Effect.gen(function*() {
      const url = yield* freshDatabase
      yield* Effect.scoped(Effect.gen(function*() {
        const { context } = yield* separately(url)
        yield* Effect.provideContext(fill, context)
      }))
      const before = yield* scans(url)
      yield* Effect.scoped(Effect.gen(function*() {
        const { side } = yield* separately(url)
        const { store } = side
        yield* Effect.forEach(Array.from({ length: 12 }), () =>
          Effect.gen(function*() {
            const session = yield* opened(side)
            const filed = C.ticket(session, C.fresh("T"))
            yield* store.commit(C.propose(session, filed))
            yield* store.commit(C.decide(filed, true))
            const ticket = { id: filed.id, binding: filed.binding }
            yield* store.commit(C.begin(session, "#0", { reserve: 5, ticket }))
            yield* store.commit(C.finish(session, "#0", 3))
            for (const id of ["1", "2", "3"]) {
              yield* store.commit(C.checkpoint(session, [C.written(id, "t"), C.saved(id, null)], 1))
            }
            assert.lengthOf(yield* store.checkpoints(session.id, { thread: "main", limit: 1 }), 1)
            const record = { kind: "schedule" as const, id: C.fresh("daily") }
            const next = { owner: "", state: "on", at: 1, value: null }
            yield* store.commit(C.append(session, { keep: [{ ...record, version: 0, next }] }))
            yield* store.commit(C.append(session, { keep: [{ ...record, version: 1, next: { ...next, at: 2 } }] }))
            yield* store.commit(C.append(session, { keep: [{ ...record, version: 2, next: null }], wakeAt: 1 }))
            yield* store.commit(C.claim(session.id))
            yield* store.commit(C.control(session.id, "cancel"))
          }), { concurrency: 4 })
      }))
      assert.deepStrictEqual(yield* scans(url), before)
    }))

  it.live("open one session once", () =>
    Effect.gen(function*() {
      const { a, b, url } = yield* two
      const open = C.open(C.sessionId("one"), [{ id: "session:one", ceiling: 5 }])
      // Both look before either writes.
      const release = yield* holding(url, "lock table aosiq_rows in share mode")
      const both = yield* Effect.forkChild(results(a.side.store.commit(open), b.side.store.commit(open)))
      yield* Effect.provideContext(blocked(2), a.context)
      yield* release
      assert.sameMembers(whys(yield* Fiber.join(both)), ["ok", "session_exists"])
      yield* chainOf(a.side, open.session)
    }))

  it.live("hold one ceiling together", () =>
    Effect.gen(function*() {
      const { a, b } = yield* two
      const shared = { id: "caller:ada", ceiling: 500 }
      const sessions = yield* Effect.all([opened(a.side, shared), opened(b.side, shared)])
      const all = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, index) => index),
        (index) => {
          const { store } = index % 2 === 0 ? a.side : b.side
          const session = sessions[index % 2] ?? sessions[0]
          return Effect.result(store.commit(C.begin(session, `#${index}`, { reserve: 7 })))
        },
        { concurrency: "unbounded" }
      )
      assert.lengthOf(all.filter(Result.isSuccess), 71)
      assert.deepStrictEqual(yield* a.side.store.accounts, [{ ...shared, reserved: 497, spent: 0 }])
      yield* Effect.forEach(sessions, (session) => chainOf(b.side, session))
    }))

  it.live("count both of two people who decide at the same moment, and one person once", () =>
    Effect.gen(function*() {
      const { a, b, url } = yield* two
      const session = yield* opened(a.side)
      const filed = C.ticket(session, "T")
      yield* a.side.store.commit(C.propose(session, filed))
      const policy = { ...Policy.standard, approvers: 2 }
      const vote = (side: C.Side, by: string) => side.store.commit(C.decide(filed, true, by, { policy }))
      const release = yield* holding(url, `select 1 from aosiq_sessions where id = '${session.id}' for update`)
      const both = yield* Effect.forkChild(
        results(vote(a.side, "ada"), vote(b.side, "ADA "), vote(b.side, "local:ada"))
      )
      yield* Effect.provideContext(blocked(2), a.context)
      yield* release
      assert.sameMembers(whys(yield* Fiber.join(both)), ["ok", "undecidable", "undecidable"])
      const again = yield* holding(url, `select 1 from aosiq_sessions where id = '${session.id}' for update`)
      const last = yield* Effect.forkChild(results(vote(a.side, "grace"), vote(b.side, "barbara")))
      yield* Effect.provideContext(blocked(2), a.context)
      yield* again
      assert.sameMembers(whys(yield* Fiber.join(last)), ["ok", "undecidable"])
      const ticket = yield* b.side.store.ticket(filed.id)
      assert.deepInclude(ticket, { state: "approved" })
      assert.lengthOf(ticket?.votes ?? [], 2)
      assert.lengthOf((yield* chainOf(a.side, session)).filter((row) => row.body.kind === "decided"), 2)
    }))

  it.live(
    "begin no act beside a denial that was there first, and deny none that has begun",
    () =>
      Effect.gen(function*() {
        const { a, b, url } = yield* two
        for (let round = 0; round < 10; round++) {
          const session = yield* opened(a.side)
          const filed = C.ticket(session, C.fresh("T"))
          yield* a.side.store.commit(C.propose(session, filed))
          yield* a.side.store.commit(C.decide(filed, true, "ada"))
          const release = yield* holding(url, `select 1 from aosiq_sessions where id = '${session.id}' for update`)
          const use = { ticket: { id: filed.id, binding: filed.binding } }
          const both = yield* Effect.forkChild(results(
            a.side.store.commit(C.begin(session, "#0", use)),
            b.side.store.commit(C.decide(filed, false, "grace"))
          ))
          yield* Effect.provideContext(blocked(2), a.context)
          yield* release
          const [act, denial] = whys(yield* Fiber.join(both))
          assert.include([["ok", "undecidable"].join(), ["ticket_unusable", "ok"].join()], [act, denial].join())
          const kinds = (yield* chainOf(a.side, session)).map((row) => row.body.kind)
          assert.strictEqual(kinds.includes("intent"), act === "ok")
        }
      }),
    60_000
  )

  it.live("use a rule as often as it says, together", () =>
    Effect.gen(function*() {
      const { a, b } = yield* two
      const rule = yield* C.ruled({ maxUses: 25 }).pipe(Effect.provideService(Store.Store, a.side.store))
      const sessions = yield* Effect.all([opened(a.side), opened(b.side), opened(a.side), opened(b.side)])
      const all = yield* Effect.forEach(
        Array.from({ length: 400 }, (_, index) => index),
        (index) => {
          const { store } = index % 2 === 0 ? a.side : b.side
          const session = sessions[index % 4] ?? sessions[0]
          return Effect.result(store.commit(C.begin(session, `#${index}`, C.byRule(rule))))
        },
        { concurrency: "unbounded" }
      )
      assert.lengthOf(all.filter(Result.isSuccess), 25)
      assert.deepStrictEqual(new Set(whys(all)), new Set(["ok", "rule_unusable"]))
      const uses = yield* b.side.store.uses(rule.id)
      assert.deepStrictEqual(uses.map(({ use }) => use), Array.from({ length: 25 }, (_, index) => index + 1))
      yield* Effect.forEach(sessions, (session) => chainOf(b.side, session))
    }), 60_000)

  it.live("begin nothing by a rule after it was revoked, even when both waited for it", () =>
    Effect.gen(function*() {
      const { a, b, url } = yield* two
      for (let round = 0; round < 10; round++) {
        const rule = yield* C.ruled({ maxUses: 25 }).pipe(Effect.provideService(Store.Store, a.side.store))
        const session = yield* opened(a.side)
        const release = yield* holding(url, `select 1 from aosiq_rules where id = '${rule.id}' for update`)
        const both = yield* Effect.forkChild(results(
          a.side.store.commit(C.begin(session, "#0", C.byRule(rule))),
          b.side.store.commit(C.revokeRule(rule.id))
        ))
        yield* Effect.provideContext(blocked(2), a.context)
        yield* release
        const [act, revocation] = yield* Fiber.join(both)
        assert.deepStrictEqual(whys([revocation ?? Result.fail(new Error("missing") as never)]), ["ok"])
        const uses = yield* b.side.store.uses(rule.id)
        const kept = (yield* b.side.store.rules()).find(({ id }) => id === rule.id)
        // Whichever came first, the revocation says after how many uses it came.
        assert.strictEqual(uses.length, act !== undefined && Result.isSuccess(act) ? 1 : 0)
        assert.deepInclude(kept, { state: "revoked", uses: uses.length })
        assert.deepStrictEqual(whys(yield* results(a.side.store.commit(C.begin(session, "#1", C.byRule(rule))))), [
          "rule_unusable"
        ])
      }
    }), 60_000)

  it.live("file no ticket too many for a tree, in two of its sessions at once", () =>
    Effect.gen(function*() {
      const { a, b } = yield* two
      const root = yield* opened(a.side)
      const child = (side: C.Side, name: string) =>
        C.opened(undefined, `${root.id}.${name}`, root.id).pipe(Effect.provideService(Store.Store, side.store))
      const left = yield* child(a.side, "a")
      const right = yield* child(b.side, "b")
      const all = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, index) => index),
        (index) => {
          const [side, session] = index % 2 === 0 ? [a.side, left] as const : [b.side, right] as const
          return Effect.result(side.store.commit(C.propose(session, C.ticket(session, C.fresh("T")), 50, 7)))
        },
        { concurrency: "unbounded" }
      )
      assert.lengthOf(all.filter(Result.isSuccess), 7)
      assert.deepStrictEqual(new Set(whys(all)), new Set(["ok", "too_many_pending"]))
    }))

  it.live("end a ticket once, when it is ended and decided in both", () =>
    Effect.gen(function*() {
      const { a, b } = yield* two
      const session = yield* opened(a.side)
      const late = Array.from({ length: 30 }, () => C.ticket(session, C.fresh("T"), { expiresAt: 2 }))
      for (const filed of late) yield* a.side.store.commit(C.propose(session, filed, 50))
      const all = yield* Effect.forEach(late, (filed) =>
        results(
          a.side.store.commit(C.expire(filed)),
          b.side.store.commit(C.expire(filed)),
          b.side.store.commit(C.decide(filed, true))
        ), { concurrency: "unbounded" })
      for (const three of all) assert.lengthOf(three.filter(Result.isSuccess), 1)
      const decided = (yield* chainOf(b.side, session)).filter((row) => row.body.kind === "decided")
      assert.lengthOf(decided, 30)
      assert.isTrue(decided.every(({ body }) => body.kind === "decided" && body.decision === "expired"))
    }))

  it.live("write one chain for one session", () =>
    Effect.gen(function*() {
      const { a, b } = yield* two
      const session = yield* opened(a.side)
      yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => index),
        (index) => {
          const { store } = index % 2 === 0 ? a.side : b.side
          return store.commit(index % 2 === 0 ? C.begin(session, `#${index}`) : C.append(session, { epoch: null }))
        },
        { concurrency: "unbounded" }
      )
      assert.lengthOf(yield* chainOf(b.side, session), 102)
    }))

  it.live("write what they were about to on another connection when theirs breaks before the commit", () =>
    Effect.gen(function*() {
      const { a, b, url } = yield* two
      const session = yield* opened(a.side)
      const release = yield* holding(url, `select 1 from aosiq_sessions where id = '${session.id}' for update`)
      const fiber = yield* Effect.forkChild(a.side.store.commit(C.append(session)))
      yield* Effect.provideContext(blocked(1), b.context)
      yield* Effect.provideContext(
        Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql`select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`),
        b.context
      )
      // The old one is gone, and the new one waits in its place.
      yield* Effect.provideContext(blocked(1), b.context)
      yield* release
      yield* Fiber.join(fiber)
      assert.lengthOf(yield* chainOf(a.side, session), 3)
    }))
})

describe("the log in SQL", () => {
  it.live("answers what still waits when it is closed, and what comes after", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithMemoMap(logOn(migrated(inMemory)), yield* Layer.makeMemoMap, scope)
      const { store } = yield* Effect.provideContext(C.side, context)
      const session = yield* opened({ ...(yield* Effect.provideContext(C.side, context)) })
      const fibers = yield* Effect.forEach(
        Array.from({ length: 400 }, (_, index) => `#${index}`),
        (key) => Effect.forkChild(Effect.result(store.commit(C.begin(session, key))), { startImmediately: true })
      )
      yield* Scope.close(scope, Exit.void)
      const answers = yield* Effect.forEach(fibers, Fiber.join)
      const refused = answers.filter(Result.isFailure)
      assert.isAbove(refused.length, 0)
      for (const { failure } of refused) {
        assert.deepInclude(failure.reason, { _tag: "Unavailable", detail: "the log was closed", maybe: false })
      }
      const after = yield* Effect.flip(store.commit(C.append(session)))
      assert.deepInclude(after.reason, { _tag: "Unavailable", detail: "the log was closed" })
    }))
})
