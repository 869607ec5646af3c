/** What `aosiq start` says to do next, for every way in which a run can stop. */
import { assert, describe, it } from "@effect/vitest"
import { Agent } from "../../../src/actor/index.ts"
import { Ticket } from "../../../src/approval/index.ts"
import { Row } from "../../../src/audit/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import * as Next from "../../../src/door/cli/Next.ts"
import { Operations } from "../../../src/operator/index.ts"

const session = Claims.SessionId.make("ses_01HZXS4M2K8R7V9Q3T5W6Y0A1B")
const stops = Row.Stop.literals
const statuses = Operations.RunView.fields.status.literals
const steps = (status: (typeof statuses)[number], detail = "") =>
  Next.steps({ session, status, detail }, " --data x").join("\n")

describe("what to do next", () => {
  it("is something of its own for every stop, and starting again only where that can help", () => {
    const said = stops.map((stop) => Next.remedy(stop))
    assert.notInclude(said, "start it again")
    // Two ways of going round differ in what happened, and each stop has words of its own.
    assert.strictEqual(new Set(said).size, stops.length)
    for (const stop of stops) assert.notMatch(Next.remedy(stop), /^start it again$/)
    assert.include(Next.remedy("budget"), "a higher --budget")
    assert.include(Next.remedy("steps"), "less at once")
    assert.include(Next.remedy("tokens"), "smaller sources")
    assert.include(Next.remedy("repetition"), "over and over")
    assert.include(Next.remedy("cycle"), "in circles")
    assert.include(Next.remedy("no_evidence"), "a source that can tell more")
    assert.include(Next.remedy("rejections"), "second opinion")
    assert.include(Next.remedy(null), "the reason above")
  })

  it("is a command for whatever waits, and nothing for what is over", () => {
    const open = statuses.filter((status) => steps(status, "d") !== "")
    assert.sameMembers(open, ["unsettled", "sleeping", "paused", "cancelled"])
    assert.include(steps("unsettled", "ses_a/3"), "npx aosiq unknown show ses_a/3 --data x")
    assert.include(steps("sleeping", "2026-11-26T12:00:00.000Z"), "until 2026-11-26T12:00:00.000Z")
    for (const command of ["sessions resume", "sessions cancel"]) {
      assert.include(steps("paused"), `npx aosiq ${command} ${session}`)
    }
    assert.include(steps("paused"), "npx aosiq audit findings --data x")
    assert.include(steps("cancelled"), "does not go on")
  })

  it("is a decision for a ticket, and says what an accepted proposal is", () => {
    const id = Ticket.TicketId.make("apr_01HZXS4M2K8R7V9Q3T5W6Y0A1B")
    const asked = Next.decision({ act: "restart", id }, "").join("\n")
    assert.include(asked, "restart waits for a person. It has not run.")
    for (const command of ["show", "approve", "deny"]) assert.include(asked, `npx aosiq approvals ${command} ${id}`)
    const disagreed = Next.decision({ act: Agent.acceptName, id }, "").join("\n")
    assert.include(disagreed, "a second opinion disagrees")
    assert.notInclude(disagreed, Agent.acceptName)
  })
})
