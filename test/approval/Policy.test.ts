import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { Policy, Ticket } from "../../src/approval/index.ts"
import * as C from "../governor/commits.ts"

const vote = (by: string, approve: boolean): Ticket.Vote => ({ by, approve, reason: "", at: 1 })
const session = C.summary(C.sessionId("ses"))
const filed = C.ticket(session, "T", { requester: "ada" })
const two = { ...Policy.standard, approvers: 2 }

describe("an approval policy", () => {
  it("opens a ticket when as many approved as it asks for", () => {
    assert.strictEqual(Policy.tally(Policy.standard, []), "proposed")
    assert.strictEqual(Policy.tally(Policy.standard, [vote("ada", true)]), "approved")
    assert.strictEqual(Policy.tally(two, [vote("ada", true)]), "proposed")
    assert.strictEqual(Policy.tally(two, [vote("ada", true), vote("grace", true)]), "approved")
  })

  it("takes one denial as final, whoever else approves", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 6 }), fc.integer({ min: 1, max: 6 }), (votes, approvers) => {
        const cast = votes.map((approve, index) => vote(`person ${index}`, approve))
        const state = Policy.tally({ ...Policy.standard, approvers }, cast)
        const denied = votes.includes(false)
        assert.strictEqual(state, denied ? "denied" : votes.length >= approvers ? "approved" : "proposed")
      })
    )
  })

  it("objects to the requester only where it says so, and to a second vote always", () => {
    assert.isNull(Policy.objection(Policy.standard, filed, vote("ada", true)))
    const strict = { ...Policy.standard, requesterMayApprove: false }
    assert.match(Policy.objection(strict, filed, vote("ada", true)) ?? "", /requester/)
    assert.match(Policy.objection(strict, filed, vote("ada", false)) ?? "", /requester/)
    assert.isNull(Policy.objection(strict, filed, vote("grace", true)))
    const once = { ...filed, votes: [vote("grace", true)] }
    assert.match(Policy.objection(two, once, vote("grace", true)) ?? "", /already/)
    assert.isNull(Policy.objection(two, once, vote("edsger", true)))
  })
})

describe("a ticket", () => {
  it("waits while it is proposed, and can be used while it is approved, until its time runs out", () => {
    for (const state of Ticket.State.literals) {
      const ticket = { ...filed, state, expiresAt: 100 }
      assert.strictEqual(Ticket.isOpen(ticket, 99), state === "proposed", state)
      assert.strictEqual(Ticket.isUsable(ticket, 99), state === "approved", state)
      assert.isFalse(Ticket.isOpen(ticket, 100))
      assert.isFalse(Ticket.isUsable(ticket, 100))
    }
  })
})
