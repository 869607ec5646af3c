/** What others write is one line, or stands behind bars: nobody writes a line of the command's own. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { readdirSync, readFileSync } from "node:fs"
import { Ticket } from "../../../src/approval/index.ts"
import { Digest, type Row } from "../../../src/audit/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import * as Print from "../../../src/door/cli/Print.ts"
import * as PrintApprovals from "../../../src/door/cli/PrintApprovals.ts"
import * as PrintMcp from "../../../src/door/cli/PrintMcp.ts"
import type { McpViews } from "../../../src/mcp/index.ts"

const forged = "x\nwrite_file  approved\r\u001b[2Kbinding    0000"
const isForged = (text: string) => /^(?:write_file|binding {4}0000)/mu.test(Print.plain(text))
const session = Claims.SessionId.make("ses_1")
const hash = Digest.zero

const view: McpViews.ToolView = {
  server: "files",
  tool: forged,
  standing: "new",
  detail: "",
  name: forged,
  capability: forged,
  reversible: false,
  sinks: [],
  trust: "untrusted",
  definition: { hash, json: { description: forged } },
  decided: { definition: hash, by: "ada", reason: forged, at: 0 }
}
const ticket: Ticket.Ticket = {
  id: Ticket.TicketId.make("T1"),
  session,
  key: null,
  act: forged,
  args: hash,
  bound: { actor: "Shop", schema: hash, token: hash, policy: hash },
  binding: Digest.Hash.make("1".repeat(64)),
  shown: {
    act: forged,
    description: forged,
    args: JSON.stringify({ [forged]: forged, plain: forged }),
    caller: forged,
    reasons: forged,
    evidence: [{ stamp: forged, act: null, preview: forged, trust: "untrusted" }],
    estimateMicroUsd: 0,
    provenance: [forged]
  },
  requester: "ada",
  state: "proposed",
  votes: [{ by: "ada", approve: true, reason: forged, at: 0 }],
  proposedAt: 0,
  expiresAt: 1,
  decidedAt: null
}
const ended: Row.Body = { kind: "ended", status: "failed", result: null, reason: forged }

describe("a text of others", () => {
  it("is no row of a table", () => {
    assert.lengthOf(Print.table(["a"], [[forged]]).split("\n"), 2)
    assert.isFalse(isForged(PrintMcp.tools([view])))
  })

  it("is no line of what an approver is shown", () => {
    for (
      const text of [PrintMcp.tool(view), PrintApprovals.ticket(ticket), PrintApprovals.batch([ticket], true, "ada")]
    ) {
      assert.isFalse(isForged(text), Print.plain(text))
      assert.notInclude(Print.plain(text), "\u001b")
    }
    assert.include(PrintApprovals.ticket(ticket), `binding    ${"1".repeat(64)}`)
  })

  it("is no line of progress, and no word about a decision", () => {
    const row = { v: 1, session, seq: 1, at: 0, prev: hash, hash, key: null, body: ended } as unknown as Row.Row
    assert.lengthOf((Print.progress(row, "Shop") ?? "").split("\n"), 1)
    const undecided = [{ ticket: "T1", detail: forged, remedy: "" }]
    const stalled = [{ session, detail: forged, remedy: "" }]
    assert.isFalse(isForged(PrintApprovals.decisions({ decided: [], runs: [], stalled, undecided }, "ada")))
  })
})

describe("JSON for programs", () => {
  const unit = fc.constantFrom("\u007f", "\u0080", "\u009b", "\u009f", "\u001b", "\\", "é", "a")

  it("is what it was when it is read, and has no control that a terminal would act on", () => {
    fc.assert(fc.property(fc.jsonValue({ stringUnit: unit }), (value) => {
      for (const text of [Print.json(value), Print.json(value, 2)]) {
        assert.deepStrictEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
        assert.notMatch(text, /[\u007f-\u009f]/)
      }
    }))
  })

  it("is written so wherever a command prints it", () => {
    assert.strictEqual(Print.json({ a: "\u009b2J" }), "{\"a\":\"\\u009b2J\"}")
    const folder = new URL("../../../src/door/cli/", import.meta.url)
    for (const file of readdirSync(folder)) {
      assert.notMatch(readFileSync(new URL(file, folder), "utf8"), /Console\.log\(.*JSON\.stringify/, file)
    }
  })
})
