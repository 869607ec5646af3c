/** A reasoning run whose process is killed: the next one goes on to the same end, and nothing is done or paid for twice. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { readFileSync } from "node:fs"
import { start } from "../layers/pglite/processes.ts"
import type { Order, Report } from "./killedProgram.ts"

const program = new URL("killedProgram.ts", import.meta.url)
const limit = 240_000

const decodeReport = (line: string) => (JSON.parse(line) as { readonly report: typeof Report.Type }).report

/** Kills one process where it hangs, has another go on, and gives how the run stands by then and what was asked. */
const killed = Effect.fnUntraced(function*(order: Omit<typeof Order.Type, "folder">) {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  const run = (hangs: typeof order.hangs) => start(program, [JSON.stringify({ ...order, folder, hangs })])
  const asked = () => readFileSync(`${folder}/asked`, "utf8").trimEnd().split("\n")
  const first = yield* run(order.hangs)
  yield* first.said((line) => line.includes("hanging"))
  yield* first.kill("SIGKILL")
  assert.strictEqual((yield* first.ended).signal, "SIGKILL")
  const before = asked()
  const second = yield* run(null)
  const report = decodeReport(yield* second.said((line) => line.includes("report")))
  assert.strictEqual((yield* second.ended).code, 0)
  // What was spent is what the chain says, on every account, and nothing is held.
  assert.deepStrictEqual(report.spent, report.spent.map(() => report.charged))
  assert.deepStrictEqual(report.reserved, report.reserved.map(() => 0))
  assert.deepStrictEqual(report.faults, [])
  return { report, before, after: asked().slice(before.length) }
}, (effect) => Effect.provide(Effect.scoped(effect), NodeServices.layer))

describe("a process that is killed", () => {
  it.live(
    "while a second opinion is given: it is asked for once more, nothing else is, and the proposal is accepted",
    () =>
      Effect.gen(function*() {
        const { after, before, report } = yield* killed({ how: "proposes", hangs: { who: "reviewer", at: 0 } })
        assert.deepStrictEqual(before, ["proposer", "look disk 93", "proposer", "reviewer"])
        assert.deepStrictEqual(after, ["reviewer"])
        assert.deepInclude(report, { status: "succeeded", stop: null })
        assert.nestedPropertyVal(report.result, "severity", "high")
        const done = ["model:scripted", "look", "model:scripted", "model:anthropic"]
        assert.deepStrictEqual(report.succeeded, done)
        assert.deepStrictEqual(report.begun, [...done, "model:anthropic"])
      }),
    limit
  )

  it.live(
    "when the loop guard has begun to say no: the next run is stopped by it at the same place",
    () =>
      Effect.gen(function*() {
        // The fifth question is answered by a call that goes round: it is not run. The sixth is in flight.
        const { after, before, report } = yield* killed({ how: "circles", hangs: { who: "proposer", at: 5 } })
        const looks = ["proposer", "look a", "proposer", "look b", "proposer", "look a", "proposer", "look b"]
        assert.deepStrictEqual(before, [...looks, "proposer", "proposer"])
        assert.deepStrictEqual(after, ["proposer", "proposer", "proposer"])
        assert.deepInclude(report, { status: "failed", stop: "cycle", result: null })
        assert.include(report.detail, "the same 2 calls were asked for in 2 rounds")
        assert.strictEqual(report.charged, 4 * 7)
        assert.lengthOf(report.succeeded.filter((act) => act === "look"), 4)
        assert.lengthOf(report.begun.filter((act) => act === "look"), 4)
      }),
    limit
  )
})
