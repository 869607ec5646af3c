/** Rows of schedules, dead letters and restarts keep their format: the golden chains are written and read as they were. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { Installation, type Row } from "../../src/audit/index.ts"
import * as Inspect from "../../src/audit/Inspect.ts"
import { Claims } from "../../src/capability/index.ts"
import { digest, hashOf, Writer } from "./worlds.ts"

const session = Claims.SessionId.make("nightly-1")

const written = (): ReadonlyArray<Row.Row> => {
  const writer = new Writer()
  writer.open(Installation.id, null)
  const about = { kind: "scheduled", schedule: "nightly", terms: hashOf("terms"), detail: "" } as const
  const firing = { ...about, by: "aosiq", instant: 1_767_225_600_000 }
  writer.append(Installation.id, null, { ...about, what: "made", by: "ada", instant: null, session: null })
  writer.append(Installation.id, null, { ...firing, what: "fired", session })
  writer.append(Installation.id, null, { ...firing, what: "opened", session })
  writer.append(Installation.id, null, { ...firing, what: "skipped", session: null, detail: "others wait already" })
  const letter = { kind: "letter", letter: "D0123456789", about: "firing", session } as const
  writer.append(Installation.id, null, {
    ...letter,
    what: "filed",
    by: "aosiq",
    reason: "no actor Night is registered"
  })
  writer.append(Installation.id, null, { ...letter, what: "replayed", by: "ada", reason: "it is back" })
  writer.open(session, null)
  writer.append(session, null, {
    kind: "restarted",
    restart: 1,
    until: 1_767_225_601_000,
    again: 3,
    reason: "it broke"
  })
  writer.append(session, null, { kind: "escalated", restarts: 5, letter: "DABCDEF0123", reason: "it broke" })
  const { rows } = writer.world()
  return [...rows.get(Installation.id) ?? [], ...rows.get(session) ?? []]
}

describe("the golden chains of schedules", () => {
  // A changed file is another format: add a file, and keep this one.
  const golden = readFileSync(`${import.meta.dirname}/golden/scheduled-1.jsonl`, "utf8")
  const rows: ReadonlyArray<Row.Row> = golden.trimEnd().split("\n").map((line) => JSON.parse(line))

  it("are what is still written, byte for byte", () => {
    assert.strictEqual(written().map((row) => `${digest.canonical({ ...row })}\n`).join(""), golden)
  })

  it("keep verifying, and no other word passes for theirs", () => {
    for (const id of [Installation.id, session]) {
      const own = rows.filter((row) => row.session === id)
      assert.strictEqual(Inspect.session(digest, own), undefined)
      const last = own.at(-1) ?? assert.fail("no rows")
      const edited = own.with(own.length - 1, { ...last, body: { ...last.body, reason: "another" } as Row.Body })
      assert.deepInclude(Inspect.session(digest, edited), { kind: "edited", seq: last.seq })
    }
  })
})
