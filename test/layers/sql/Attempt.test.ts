/** What becomes of a transaction whose connection fails it, and what its caller is told. */
import { assert, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { setTimeout } from "node:timers/promises"
import * as Attempt from "../../../layers/sql/Attempt.ts"
import { Claims } from "../../../src/capability/index.ts"
import { client } from "../../chaos/ownServer.ts"
import * as Proxy from "../../chaos/proxy.ts"
import * as C from "../../governor/commits.ts"
import { connect, describeOnServers, type Server } from "../postgres/realServer.ts"

/** A database behind a proxy, one row to write, and how often it was tried. */
const world = Effect.fnUntraced(function*({ freshDatabase }: Server, decide: (statement: string) => Proxy.Fate) {
  const direct = yield* freshDatabase
  const admin = yield* connect(direct)
  yield* admin`create table aosiq_rows (session text, seq int, hash text)`
  const proxy = yield* Proxy.make(direct, decide)
  const sql = yield* client(proxy.url, 2)
  const row = { session: Claims.SessionId.make("s"), seq: 0, hash: C.hashOf("row") }
  let tries = 0
  let isClosed = false
  const insert = Effect.gen(function*() {
    tries++
    const [begun] = yield* sql<{ readonly xid: string }>`select pg_current_xact_id()::text as xid`
    yield* sql`insert into aosiq_rows values (${row.session}, ${row.seq}, ${row.hash})`
    return { result: "written", trace: { xid: begun?.xid ?? "", row } }
  })
  const run = (body: typeof insert = insert) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (since) => Attempt.untilKnown(sql, body, { since, isClosed: () => isClosed })
    )
  return {
    insert,
    run,
    proxy,
    sql,
    close: () => isClosed = true,
    tries: () => tries,
    rows: Effect.map(admin`select 1 from aosiq_rows`, ({ length }) => length)
  }
})

/** Spoils the first cycle of `statement`, and no other. */
const first = (statement: string, fate: Proxy.Fate) => {
  let isDone = false
  return (found: string): Proxy.Fate => {
    if (isDone || found !== statement) return "pass"
    isDone = true
    return fate
  }
}

/** Lets time go by, a little each time, until `done`. */
const until = (done: () => boolean) =>
  Effect.repeat(
    Effect.andThen(
      TestClock.adjust("200 millis"),
      Effect.promise(() => setTimeout(20))
    ),
    { until: done }
  )

const joined = Effect.fnUntraced(function*<A, E>(fiber: Fiber.Fiber<A, E>) {
  yield* until(() => fiber.pollUnsafe() !== undefined)
  return yield* Fiber.join(fiber)
})

describeOnServers("a transaction", (server) => {
  it.live("is acknowledged when it was written and only the answer was lost", () =>
    Effect.gen(function*() {
      const { proxy, rows, run, tries } = yield* world(server, first("COMMIT", "unanswered"))
      assert.strictEqual(yield* run(), "written")
      assert.deepStrictEqual([tries(), yield* rows, proxy.spoilt.get("unanswered")], [1, 1, 1])
    }))

  it.live("is run again when COMMIT never arrived", () =>
    Effect.gen(function*() {
      const { proxy, rows, run, tries } = yield* world(server, first("COMMIT", "lost"))
      assert.strictEqual(yield* run(), "written")
      assert.deepStrictEqual([tries(), yield* rows, proxy.spoilt.get("lost")], [2, 1, 1])
    }))

  it.live("is run again when it lost a race, at COMMIT too", () =>
    Effect.gen(function*() {
      for (const error of ["40001", "40P01"]) {
        const { rows, run, tries } = yield* world(server, first("COMMIT", { error }))
        assert.strictEqual(yield* run(), "written")
        assert.deepStrictEqual([tries(), yield* rows], [2, 1])
      }
    }))

  it.effect("is looked up when the answer to COMMIT does not come", () =>
    Effect.gen(function*() {
      const { proxy, rows, run, tries } = yield* world(server, first("COMMIT", "silent"))
      const fiber = yield* Effect.forkChild(run())
      yield* until(() => proxy.spoilt.has("silent"))
      assert.strictEqual(yield* joined(fiber), "written")
      assert.deepStrictEqual([tries(), yield* rows], [1, 1])
      // A client that waits for COMMIT cannot be closed.
      yield* proxy.close
    }))

  it.effect("is ended on the server and run again when COMMIT does not get through", () =>
    Effect.gen(function*() {
      const { proxy, rows, run, tries } = yield* world(server, first("COMMIT", "stuck"))
      assert.strictEqual(yield* joined(yield* Effect.forkChild(run())), "written")
      assert.isAtLeast(tries(), 2)
      assert.strictEqual(yield* rows, 1)
      yield* proxy.close
    }))

  it.effect("is perhaps written when the server stays away after COMMIT, and that is said in time", () =>
    Effect.gen(function*() {
      const { proxy, run, tries } = yield* world(server, first("COMMIT", "silent"))
      const began = yield* Clock.currentTimeMillis
      const fiber = yield* Effect.forkChild(Effect.flip(run()))
      yield* until(() => proxy.spoilt.has("silent"))
      yield* proxy.close
      assert.strictEqual((yield* joined(fiber))._tag, "Maybe")
      assert.strictEqual(tries(), 1)
      assert.isBelow((yield* Clock.currentTimeMillis) - began, 90_000)
    }))

  it.effect("is not written when the server stays away before, and that is said in time", () =>
    Effect.gen(function*() {
      const { proxy, rows, run } = yield* world(server, () => "pass")
      yield* proxy.close
      const began = yield* Clock.currentTimeMillis
      assert.strictEqual((yield* joined(yield* Effect.forkChild(Effect.flip(run()))))._tag, "Away")
      assert.isAtLeast((yield* Clock.currentTimeMillis) - began, 30_000)
      assert.isBelow((yield* Clock.currentTimeMillis) - began, 60_000)
      assert.strictEqual(yield* rows, 0)
    }))

  it.live("is not run again when it fails for what it holds", () =>
    Effect.gen(function*() {
      const { rows, run, sql, tries } = yield* world(server, () => "pass")
      let runs = 0
      const broken = Effect.suspend(() => {
        runs++
        return Effect.andThen(sql`select 1 / 0`, Effect.die("not reached"))
      })
      assert.strictEqual((yield* Effect.flip(run(broken)))._tag, "Failed")
      assert.deepStrictEqual([runs, tries(), yield* rows], [1, 0, 0])
    }))

  it.live("is given up when it loses every race, or when the log is being closed", () =>
    Effect.gen(function*() {
      const { close, rows, run, tries } = yield* world(
        server,
        (statement) => statement === "COMMIT" ? { error: "40P01" } : "pass"
      )
      assert.strictEqual((yield* Effect.flip(run()))._tag, "Failed")
      const lost = tries()
      assert.isAbove(lost, 5)
      close()
      yield* Effect.flip(run())
      assert.deepStrictEqual([tries(), yield* rows], [lost + 1, 0])
    }))
})
