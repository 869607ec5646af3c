/** `aosiq unknown`: what an operator sees and says of an act whose process was killed in the middle of it. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Option, Scope } from "effect"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, vi } from "vitest"
import { PgliteClient } from "../../layers/pglite/index.ts"
import { Log, type Row } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { Store } from "../../src/governor/index.ts"
import * as C from "../governor/commits.ts"
import { logOn, migrated } from "../layers/sql/databases.ts"
import { diskIncident } from "./incident.ts"
import { copyData, type Ended, files, folder, run } from "./program.ts"

// Processes start slowly on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const scope = Scope.makeUnsafe()
/** Data in which `save_ticket` was approved and begun, and nothing is known of how it ended. */
let data: string
let session: string
let id: string

/** As a process leaves it that is killed after the intent, once the next one took the session. */
const begun = Effect.gen(function*() {
  const store = yield* Store.Store
  const log = yield* Log.Log
  const [ticket] = yield* store.tickets(Claims.SessionId.make(session))
  if (ticket === undefined) return yield* Effect.die(new Error("nothing waits"))
  yield* store.commit(C.decide(ticket, true))
  const { session: now } = yield* store.commit(C.claim(ticket.session))
  const rows = yield* log.rows(ticket.session)
  const key = rows.find(({ body }) => body.kind === "proposed")?.key ?? ""
  const body: typeof Row.Intent.Type = {
    kind: "intent",
    act: ticket.act,
    capabilities: ["tool:save_ticket"],
    token: C.tokenId("tok"),
    schema: C.hashOf("as it was"),
    args: ticket.args,
    argsPreview: "",
    reservedMicroUsd: 30,
    ticket: ticket.id
  }
  const parts = { ticket: { id: ticket.id, binding: ticket.binding }, reserve: 30, repeat: "never" } as const
  const { row } = yield* store.commit(C.begin(now, key, { ...parts, intent: { key, body }, payloads: [] }))
  yield* store.commit(C.claim(ticket.session))
  return `${session}/${row.seq}`
})

beforeAll(() =>
  Effect.runPromise(
    Effect.gen(function*() {
      const cwd = yield* folder
      data = join(cwd, ".aosiq")
      const incident = yield* files(join(cwd, "incident"), diskIncident)
      const first = yield* run({ cwd }, "start", "--once", "--json", "--case", incident, "--ticket", "saved.md")
      assert.strictEqual(first.code, 0, first.err)
      session = JSON.parse(first.out).session
      id = yield* Effect.provide(begun, logOn(migrated(PgliteClient.layer(data))))
    }).pipe(Scope.provide(scope), Effect.provide(NodeServices.layer))
  )
)
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const place = Effect.gen(function*() {
  const cwd = yield* folder
  yield* copyData(data, join(cwd, ".aosiq"))
  return cwd
})
const fine = (ended: Ended) => {
  assert.strictEqual(ended.code, 0, ended.err)
  return ended.out
}

describe("aosiq unknown", () => {
  it.live("lists and shows it, and takes no word that cannot count", () =>
    Effect.gen(function*() {
      const cwd = yield* place
      const list = fine(yield* run({ cwd }, "unknown", "list"))
      assert.match(list, new RegExp(`^${id} +save_ticket +\\S+ \\S+ +\\$0\\.00003 +a person$`, "m"))
      const shown = fine(yield* run({ cwd }, "unknown", "show", id))
      for (const text of ["save_ticket", `session    ${session}`, "ticket     T", "key        ", "saved.md"]) {
        assert.include(shown, text)
      }
      const refusals = [
        [["unknown", "retry", id], 2, "reason"],
        [["unknown", "done", id, "--reason", "x", "--result", "{"], 2, "result"],
        [["unknown", "not-done", id, "--reason", "x", "--cost", "-1"], 2, "cost"],
        [["unknown", "done", `${session}/0`, "--reason", "x"], 1, "its outcome is not open"],
        // Nobody has the tool as it was when the act began.
        [["unknown", "done", id, "--reason", "x", "--result", "{\"path\":\"a\",\"bytes\":1}"], 1, "has no handler"]
      ] as const
      for (const [words, code, why] of refusals) {
        const refused = yield* run({ cwd }, ...words)
        assert.strictEqual(refused.code, code, refused.out + refused.err)
        assert.include(refused.out + refused.err, why)
      }
      const json = JSON.parse(fine(yield* run({ cwd }, "unknown", "list", "--json")))
      assert.lengthOf(json, 1)
      assert.deepInclude(json[0], { id, session, act: "save_ticket", reservedMicroUsd: 30, reversible: false })
      assert.deepStrictEqual(readdirSync(join(cwd)), [".aosiq"])
    }))

  it.live("not-done and done let it go on without doing anything", () =>
    Effect.gen(function*() {
      for (const [word, told] of [["not-done", "was not done"], ["done", "was done"]] as const) {
        const cwd = yield* place
        const said = fine(yield* run({ cwd }, "unknown", word, id, "--reason", "looked", "--by", "ada"))
        assert.include(said, `${id} ${told}, says ada`)
        assert.include(said, `session ${session} went on`)
        const costs = JSON.parse(fine(yield* run({ cwd }, "cost", "--json")))
        const own = costs.find((account: { readonly id: string }) => account.id === `session:${session}`)
        assert.deepInclude(own, { reserved: 0, spent: word === "done" ? 30 : 0 })
        assert.isFalse(existsSync(join(data, "..", "saved.md")))
      }
    }))

  it.live("retry does it, once, and its session goes on to its end", () =>
    Effect.gen(function*() {
      const cwd = yield* place
      const words = ["unknown", "retry", id, "--reason", "there is no file", "--by", "ada", "--cost", "0.00001"]
      const said = fine(yield* run({ cwd }, ...words))
      assert.include(said, `${id} is done again, says ada`)
      assert.include(said, `session ${session} went on and succeeded`)
      const again = yield* run({ cwd }, ...words)
      assert.strictEqual(again.code, 1)
      assert.isTrue(existsSync(join(data, "..", "saved.md")))
      yield* Effect.gen(function*() {
        const log = yield* Log.Log
        const rows = yield* log.rows(Claims.SessionId.make(session))
        const settled = rows.flatMap(({ body }) => body.kind === "settled" ? [body] : [])
        assert.lengthOf(settled, 1)
        assert.deepInclude(settled[0], { choice: "retry", by: "ada", reason: "there is no file", costMicroUsd: 10 })
        assert.lengthOf(rows.filter(({ body }) => body.kind === "intent" && body.act === "save_ticket"), 2)
        const now = Option.getOrThrow(yield* log.session(Claims.SessionId.make(session)))
        assert.deepStrictEqual(C.faults(rows, now), [])
      }).pipe(Effect.provide(logOn(migrated(PgliteClient.layer(join(cwd, ".aosiq"))))))
    }))
})
