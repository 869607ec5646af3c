/**
 * A process is killed in the middle of payments that cannot be undone, and others go on from its folder. A file that the
 * tools only append to is the judge: no payment is asked for again but by a probe's word, a key's or a person's.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option } from "effect"
import { appendFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { PgliteClient } from "../../layers/pglite/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { Store } from "../../src/governor/index.ts"
import * as C from "../governor/commits.ts"
import { type Program, start } from "../layers/pglite/processes.ts"
import { logOn, migrated } from "../layers/sql/databases.ts"
import { orders } from "./unknownOrders.ts"

const program = new URL("unknownProgram.ts", import.meta.url)

/** How often each order was asked to be paid, and was paid. */
const judge = (bank: string) => {
  const lines = readFileSync(bank, "utf8").split("\n")
  const times = (line: string) => lines.filter((each) => each === line).length
  return Object.fromEntries(orders.map(({ order }) => [order, [times(`call ${order}`), times(`paid ${order}`)]]))
}

const told = (program: Program, what: string) =>
  program.lines.flatMap((line) =>
    line.startsWith(`${what} `) ? [JSON.parse(line.slice(what.length + 1)) as Record<string, unknown>] : []
  )

const killed = (program: Program) => Effect.andThen(program.kill("SIGKILL"), program.ended)

describe("a process killed in the middle of acts that cannot be undone", () => {
  it.live("leaves no act that is done again, unless a probe, a key or a person lets it", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const home = yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-unknown-" })
      const [folder, bank] = [join(home, "data"), join(home, "bank")]
      appendFileSync(bank, "")

      const paying = yield* start(program, [folder, bank, "pay"])
      yield* paying.said((_) => paying.lines.filter((line) => line === "stopped").length === orders.length)
      yield* killed(paying)
      const before = judge(bank)
      for (const { order, stops } of orders) {
        assert.deepStrictEqual(before[order], [1, stops === "after" ? 1 : 0], order)
      }
      const sessions = new Map(paying.lines.flatMap((line) => {
        const [what, order = "", id = ""] = line.split(" ")
        return what === "session" ? [[order, id] as const] : []
      }))

      // The next process resolves what the tools can tell, and touches nothing else.
      const second = yield* start(program, [folder, bank, "recover"])
      yield* second.said((line) => line === "ready")
      const ended = new Map(told(second, "ended").map((each) => [each["session"], each]))
      for (const { kind, order, stops } of orders) {
        const end = ended.get(sessions.get(order))
        if (kind === "plain") {
          assert.deepInclude(end, { _tag: "Unsettled" }, order)
          assert.deepStrictEqual(judge(bank)[order], before[order], order)
        } else {
          assert.deepInclude(end, { _tag: "Succeeded", output: `receipt of ${order}` }, order)
          const calls = kind === "keyed" || stops === "before" ? 2 : 1
          assert.deepStrictEqual(judge(bank)[order], [calls, 1], order)
        }
      }
      assert.sameMembers(told(second, "open").map(({ session }) => session), [...sessions.values()].slice(0, 4))
      const after = judge(bank)
      yield* killed(second)

      // A person decides, and that process dies before any session was woken.
      const third = yield* start(program, [folder, bank, "decide"])
      yield* third.said((line) => line === "ready")
      yield* killed(third)
      assert.deepStrictEqual(judge(bank), after)

      // The words are taken up once, by whichever process comes next; and by no other after it.
      const fourth = yield* start(program, [folder, bank, "recover"])
      yield* fourth.said((line) => line === "ready")
      yield* killed(fourth)
      const fifth = yield* start(program, [folder, bank, "recover"])
      yield* fifth.said((line) => line === "ready")
      yield* killed(fifth)
      assert.deepStrictEqual([told(fifth, "ended"), told(fifth, "open")], [[], []])
      assert.deepStrictEqual(
        new Map(told(fourth, "ended").map((each) => [each["session"], each["output"]])),
        new Map([
          [sessions.get("plain-before-retry"), "receipt of plain-before-retry"],
          [sessions.get("plain-after-retry"), "receipt of plain-after-retry"],
          [sessions.get("plain-after-done"), "grace: done"],
          [sessions.get("plain-before-not-done"), "grace: not_done"]
        ])
      )
      assert.deepStrictEqual(judge(bank), {
        ...after,
        "plain-before-retry": [2, 1],
        // The one payment that was made twice is the one that a person had made again.
        "plain-after-retry": [2, 2]
      })

      yield* Effect.gen(function*() {
        const log = yield* Log.Log
        const store = yield* Store.Store
        const costs: Array<number> = []
        for (const id of sessions.values()) {
          const session = Claims.SessionId.make(id)
          const rows = yield* log.rows(session)
          const now = Option.getOrThrow(yield* log.session(session))
          assert.deepStrictEqual(C.faults(rows, now), [])
          assert.strictEqual(now.status, "succeeded")
          for (const { body } of rows) {
            if (body.kind === "outcome" || body.kind === "settled") costs.push(body.costMicroUsd)
          }
        }
        const accounts = yield* store.accounts
        assert.deepStrictEqual(accounts.filter(({ reserved }) => reserved !== 0), [])
        const caller = accounts.find(({ id }) => id === "caller:ada")
        assert.strictEqual(caller?.spent, costs.reduce((sum, cost) => sum + cost, 0))
        assert.deepStrictEqual(yield* store.lost(), [])
      }).pipe(Effect.provide(logOn(migrated(PgliteClient.layer(folder)))))
    }).pipe(Effect.provide(NodeServices.layer)), 240_000)
})
