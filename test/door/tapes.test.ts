/** `aosiq record` and `aosiq replay`: a diagnosis on tape, and again from it, in processes that have no model and no case. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { vi } from "vitest"
import { diskIncident } from "./incident.ts"
import { files, folder, run } from "./program.ts"

vi.setConfig({ testTimeout: 240_000 })

describe("a diagnosis on tape", () => {
  it.live("is the same twice, plays back to the last call without its case, and a change of it is named", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const secret = `AKIA${"Q".repeat(16)}`
      const incident = yield* files(join(cwd, "case"), diskIncident)
      const symptom = ["--symptom", `disk full, key ${secret}`]
      const ticket = join(cwd, "tickets", "one.md")
      const started = yield* run(
        { cwd },
        "start",
        "--once",
        "--json",
        "--case",
        incident,
        "--ticket",
        ticket,
        ...symptom
      )
      assert.strictEqual(started.code, 0, started.err)
      const { approvals, session } = JSON.parse(started.out)
      const early = yield* run({ cwd }, "record", session, "--out", "early.tape")
      assert.strictEqual(early.code, 0, early.err)
      const approved = yield* run({ cwd }, "approvals", "approve", approvals[0].id)
      assert.strictEqual(approved.code, 0, approved.err)
      const saved = readFileSync(ticket, "utf8")

      for (const name of ["one.tape", "two.tape"]) {
        const recorded = yield* run({ cwd }, "record", session, "--out", name)
        assert.strictEqual(recorded.code, 0, recorded.err)
        assert.match(recorded.out, /^\d+ calls of models and tools in \w+\.tape; secrets were taken out/)
      }
      const tape = readFileSync(join(cwd, "one.tape"), "utf8")
      assert.strictEqual(readFileSync(join(cwd, "two.tape"), "utf8"), tape)
      assert.notInclude(tape, secret)
      assert.notInclude(tape, session)
      assert.include(tape, `"act":"save_ticket"`)
      const over = yield* run({ cwd }, "record", session, "--out", "one.tape")
      assert.strictEqual(over.code, 1)
      assert.include(over.err, "it exists already, and is not overwritten")

      const elsewhere = yield* folder
      writeFileSync(join(elsewhere, "one.tape"), tape)
      const replayed = yield* run({ cwd: elsewhere }, "replay", "one.tape", "--json")
      assert.strictEqual(replayed.code, 0, replayed.err)
      assert.deepInclude(JSON.parse(replayed.out), { actor: "Diagnosis", status: "succeeded", difference: null })
      assert.isFalse(existsSync(join(elsewhere, ".aosiq")))
      assert.strictEqual(readFileSync(ticket, "utf8"), saved)

      const waiting = yield* run({ cwd }, "replay", "early.tape")
      assert.strictEqual(waiting.code, 0, waiting.err)
      assert.include(waiting.out, "every call is the same as on the tape")
      assert.match(waiting.out, /^it ended waiting: T\w+$/m)

      writeFileSync(join(elsewhere, "odd.tape"), tape.replace("\"act\":\"read_settings\"", "\"act\":\"read_minds\""))
      const odd = yield* run({ cwd: elsewhere }, "replay", "odd.tape")
      assert.strictEqual(odd.code, 1)
      assert.match(odd.err, /error: the replay is not what was recorded: \w+ at \S+ is missing/)
      writeFileSync(join(elsewhere, "none.tape"), "{}")
      const none = yield* run({ cwd: elsewhere }, "replay", "none.tape")
      assert.strictEqual(none.code, 1)
      assert.include(none.err, "line 1 is not the header of an aosiq-tape of version 1")
    }).pipe(Effect.provide(NodeServices.layer)))
})
