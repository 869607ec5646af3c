/** Two servers in two processes over one PostgreSQL: who was kept out at one is kept out at both, and nobody else is meanwhile. */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, FileSystem, Layer, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { NodeDigest } from "../../../layers/node/index.ts"
import { PostgresClient } from "../../../layers/postgres/index.ts"
import { SqlStore } from "../../../layers/sql/index.ts"
import { Digest } from "../../../src/audit/index.ts"
import { Governor } from "../../../src/governor/index.ts"
import { Callers } from "../../../src/session/index.ts"
import { start } from "../../layers/pglite/processes.ts"
import { connect, describeOnServer } from "../../layers/postgres/realServer.ts"
import { ask, ceiling, letIn } from "./world.ts"

const program = new URL("serverProgram.ts", import.meta.url)

/** Callers over the database: for the first of them, who lets the others in. */
const callersOn = (url: string) =>
  Callers.layer.pipe(
    Layer.provide(Layer.succeed(Governor, {
      mode: "enforced",
      policy: Digest.zero,
      act: () => Effect.die("no act"),
      watch: () => Effect.void,
      sleep: () => Effect.void
    })),
    Layer.provide(SqlStore.layer.pipe(Layer.provide(PostgresClient.layer(Redacted.make(url))))),
    Layer.provide(NodeDigest.layer),
    Layer.provide(SecureRandom.layerWebCrypto)
  )

/** Two servers, and an admin. */
const both = (database: string) =>
  Effect.gen(function*() {
    const folder = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
    // One after the other: the first makes the tables and the keys.
    const one = yield* (yield* start(program, [database, `${folder}/keys`])).said((line) => line.startsWith("http"))
    const other = yield* (yield* start(program, [database, `${folder}/keys`])).said((line) => line.startsWith("http"))
    const admin = yield* Effect.provide(letIn("ann", "admin"), callersOn(database))
    return { one, other, admin }
  })

/** Every row of every table, as text. */
const everythingIn = (database: URL) =>
  Effect.scoped(Effect.gen(function*() {
    const sql = yield* connect(database)
    const tables = yield* sql.unsafe<{ readonly name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not like 'pg\\_%'"
    )
    const rows = yield* Effect.forEach(tables, ({ name }) =>
      sql.unsafe<{ readonly text: string }>(`select to_jsonb(t)::text as text from ${name} t`))
    return rows.flat().map(({ text }) =>
      text
    ).join("\n")
  }))

const self = (url: string, token: string) => Effect.map(ask(token, "GET", `${url}/v1/self`), ({ status }) => status)

describeOnServer("two servers over one PostgreSQL", ({ freshDatabase }) => {
  it.live("keep out whom one of them keeps out, within a second", () =>
    Effect.gen(function*() {
      const { admin, one, other } = yield* both((yield* freshDatabase).href)
      const figures: Array<number> = []
      const afterAnswer: Array<number> = []
      for (let round = 0; round < 6; round++) {
        const name = `caller-${round}x`
        const definition = { name, role: "viewer", ceiling: ceiling() }
        const { json: { token } } = yield* ask(admin, "POST", `${one}/v1/callers`, definition)
        // Both servers are asked all the time, as they would be: each believes what it read for as long as it may.
        const until = (url: string) =>
          Effect.andThen(
            Effect.repeat(self(url, token), { until: (status) => status === 401 }),
            Clock.currentTimeMillis
          )
        assert.strictEqual(yield* self(one, token), 200)
        assert.strictEqual(yield* self(other, token), 200)
        const asking = yield* Effect.forkChild(Effect.all([until(one), until(other)], { concurrency: 2 }))
        const begun = yield* Clock.currentTimeMillis
        const gone = yield* ask(admin, "POST", `${one}/v1/callers/${name}/revoke`, { reason: "lost" })
        assert.strictEqual(gone.status, 200)
        const answered = yield* Clock.currentTimeMillis
        const last = Math.max(...yield* Fiber.join(asking))
        figures.push(last - begun)
        afterAnswer.push(last - answered)
      }
      const said = (list: ReadonlyArray<number>) =>
        `median ${list.toSorted((a, b) => a - b)[list.length / 2]} ms, worst ${Math.max(...list)} ms`
      yield* Effect.log(
        `until two processes refused whom one revoked: from the order ${said(figures)}; from its answer ${
          said(afterAnswer)
        }`
      )
      assert.isBelow(Math.max(...afterAnswer), 1000)
    }).pipe(Effect.provide(NodeServices.layer), Effect.scoped), 240_000)

  it.live("change a token over under load, with no request refused", () =>
    Effect.gen(function*() {
      const database = yield* freshDatabase
      const { admin, one, other } = yield* both(database.href)
      const definition = { name: "busy", role: "viewer", ceiling: ceiling() }
      const first: string = (yield* ask(admin, "POST", `${one}/v1/callers`, definition)).json.token
      let token = first
      const seen = { good: 0, bad: 0 }
      const load = (url: string) =>
        Effect.forever(Effect.map(Effect.suspend(() => self(url, token)), (status) => {
          if (status === 200) seen.good++
          else seen.bad++
        }))
      const loads = yield* Effect.forkChild(
        Effect.all([one, other, one, other].map(load), { concurrency: "unbounded", discard: true })
      )
      const used = [first]
      for (let turn = 0; turn < 6; turn++) {
        const at = turn % 2 === 0 ? one : other
        const given = yield* ask(admin, "POST", `${at}/v1/callers/busy/rotate`, { overlapMs: 60_000 })
        assert.strictEqual(given.status, 200, given.text)
        // For a while both are in use, each at both servers.
        yield* Effect.sleep("150 millis")
        token = given.json.token
        used.push(token)
        yield* Effect.sleep("150 millis")
      }
      // Without an overlap the tokens before are over, and the new one is good at once.
      const last = yield* ask(admin, "POST", `${other}/v1/callers/busy/rotate`, { overlapMs: 0 })
      token = last.json.token
      yield* Effect.sleep(`${Callers.freshMs + 200} millis`)
      const exit = yield* Effect.exit(Fiber.interrupt(loads))
      assert.isTrue(Exit.isSuccess(exit))
      assert.isAbove(seen.good, 50)
      // A request that was under way with the token before may come to its server after the end of it, and no other.
      assert.isAtMost(seen.bad, 4)
      for (const old of used) {
        assert.strictEqual(yield* self(one, old), 401)
        assert.strictEqual(yield* self(other, old), 401)
      }
      // What the servers have kept holds the ids of the tokens, and none of their secrets.
      const kept = yield* everythingIn(database)
      for (const one of [admin, token, ...used]) {
        const [, id = "", secret = ""] = /^aosiq_([^_]+)_(.+)$/.exec(one) ?? []
        assert.isAbove(secret.length, 40)
        assert.include(kept, id)
        assert.notInclude(kept, secret)
      }
      yield* Effect.log(`${seen.good} requests while the token changed seven times, ${seen.bad} refused`)
    }).pipe(Effect.provide(NodeServices.layer), Effect.scoped), 240_000)
})
