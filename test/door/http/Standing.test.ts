/** How a session stands by the rows after a decision: each row that ends a run, and none from before it. */
import { assert, describe, it } from "@effect/vitest"
import type { Row } from "../../../src/audit/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import { endOf } from "../../../src/door/http/Standing.ts"

const session = Claims.SessionId.make("ses_1")
const end = (...about: Parameters<typeof endOf>): object => endOf(...about) ?? {}
const rows = (
  ...bodies: ReadonlyArray<{ readonly kind: Row.Row["body"]["kind"]; readonly [field: string]: unknown }>
) => bodies.map((body) => ({ body })) as unknown as ReadonlyArray<Row.Row> // No more of a row is looked at.

describe("how a session stands after a decision", () => {
  it("is not known while it runs, or by the wait that the decision was about", () => {
    assert.isUndefined(endOf(session, "running", rows({ kind: "suspended", ticket: "T1" })))
    assert.isUndefined(endOf(session, "waiting", rows()))
    assert.isUndefined(endOf(session, "waiting", rows({ kind: "decided" }, { kind: "started" })))
  })

  it("is by the last row that ends a run", () => {
    const waits = rows({ kind: "sleeping", until: 7 }, { kind: "suspended", ticket: "T2" })
    assert.deepInclude(end(session, "waiting", waits), { _tag: "Waiting", ticket: "T2" })
    const lost = rows({ kind: "suspended", ticket: null, unknown: "ses_1/4" })
    assert.deepInclude(end(session, "waiting", lost), { _tag: "Unsettled", unknown: "ses_1/4" })
    for (const kind of ["sleeping", "restarted"] as const) {
      assert.deepInclude(end(session, "waiting", rows({ kind, until: 7 })), { _tag: "Sleeping", until: 7 })
    }
    assert.deepInclude(end(session, "paused", rows()), { _tag: "Paused" })
    assert.deepInclude(end(session, "succeeded", rows()), { _tag: "Succeeded" })
    const ended = rows({ kind: "ended", status: "failed", reason: "no", result: null, stop: "budget" })
    assert.deepInclude(end(session, "failed", ended), { _tag: "Failed", detail: "no", stop: "budget", partial: null })
    assert.deepInclude(end(session, "abandoned", ended), { _tag: "Failed", abandoned: true })
    assert.deepInclude(end(session, "cancelled", ended), { _tag: "Cancelled", detail: "no" })
  })
})
