/** Secrets in the logs that the command reads: none is in what it prints or writes. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { diskIncident } from "../door/incident.ts"
import { files, folder, run } from "../door/program.ts"
import { nowhereIn, planted } from "./planted.ts"

describe("a secret in a log that the command reads", () => {
  it.live(
    "is in nothing that it prints, as text or JSON, nor in the bundle that it writes",
    () =>
      Effect.gen(function*() {
        const cwd = yield* folder
        const lines = planted.map(({ secret }) =>
          `2026-11-18T11:34:00.000Z ERROR write failed: ${secret.split("\n").join(" ")}`
        )
        const incident = yield* files(`${cwd}/incident`, {
          ...diskIncident,
          "logs/app.log": `${diskIncident["logs/app.log"]}\n${lines.join("\n")}\n`
        })
        const first = yield* run({ cwd }, "start", "--once", "--json", "--case", incident, "--ticket", "saved.md")
        assert.strictEqual(first.code, 0, first.err)
        const listed = yield* run({ cwd }, "approvals", "list", "--json")
        const ticket = /"id": "(T[0-9A-Z]{8})"/.exec(listed.out)?.[1] ?? ""
        const all = [
          first,
          listed,
          yield* run({ cwd }, "approvals", "list"),
          yield* run({ cwd }, "approvals", "show", ticket),
          yield* run({ cwd }, "approvals", "show", ticket, "--json"),
          yield* run({ cwd }, "audit", "findings"),
          yield* run({ cwd }, "audit", "findings", "--json"),
          yield* run({ cwd }, "audit", "export", "bundle.jsonl")
        ]
        for (const { code, err, out } of all) {
          assert.strictEqual(code, 0, err)
          nowhereIn("what it prints", out + err)
        }
        const exported = yield* Effect.promise(() =>
          import("node:fs/promises").then((fs) => fs.readFile(`${cwd}/bundle.jsonl`, "utf8"))
        )
        assert.include(exported, "[redacted:")
        nowhereIn("the bundle", exported)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    300_000
  )
})
