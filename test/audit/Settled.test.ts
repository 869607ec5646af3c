/** Rows about lost outcomes keep their format: the golden chain is written and read as it was. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { Row } from "../../src/audit/index.ts"
import * as Inspect from "../../src/audit/Inspect.ts"
import { Claims } from "../../src/capability/index.ts"
import { digest, hashOf, Writer } from "./worlds.ts"

const id = Claims.SessionId.make("payments-1")

const written = (): ReadonlyArray<Row.Row> => {
  const writer = new Writer()
  writer.open(id, null)
  const args = hashOf("args")
  const settled = { kind: "settled", act: "pay", intent: 2, args, result: null } as const
  writer.append(id, null, { kind: "suspended", ticket: null, unknown: "payments-1/2" })
  writer.append(id, "#0", {
    ...settled,
    choice: "retry",
    from: "operator",
    by: "ada",
    reason: "a second letter does no harm",
    costMicroUsd: 30
  })
  writer.append(id, "#0~1", {
    ...settled,
    choice: "done",
    from: "probe",
    by: "pay",
    reason: "its probe found that it took effect",
    result: hashOf("result"),
    costMicroUsd: 0
  })
  writer.append(id, "#1", {
    ...settled,
    args: null,
    choice: "not_done",
    from: "governor",
    by: "governor",
    reason: "",
    costMicroUsd: 0
  })
  writer.append(id, null, { kind: "suspended", ticket: "t-1" })
  return writer.world().rows.get(id) ?? []
}

describe("the golden chain of lost outcomes", () => {
  // A changed file is another format: add a file, and keep this one.
  const golden = readFileSync(`${import.meta.dirname}/golden/settled-1.jsonl`, "utf8")

  it("is what is still written, byte for byte", () => {
    assert.strictEqual(written().map((row) => `${digest.canonical({ ...row })}\n`).join(""), golden)
  })

  it("keeps verifying", () => {
    const rows = golden.trimEnd().split("\n").map((line) => JSON.parse(line))
    assert.strictEqual(Inspect.session(digest, rows), undefined)
    const edited = rows.with(2, { ...rows[2], body: { ...rows[2].body, unknown: "payments-1/3" } })
    assert.deepInclude(Inspect.session(digest, edited), { kind: "edited", seq: 2 })
  })
})
