/** What a parent's act is told of a child that did not come to its end. */
import type { Actor } from "../actor/index.ts"
import type { Ticket } from "../approval/index.ts"
import { Log } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"
import { GovernorError, Refusal } from "../governor/index.ts"
import type { DispatchError } from "./Ended.ts"

/** A child that could not be recorded: the parent's act did not come to an outcome. */
export const lost = (child: Actor.AnyClass) => (error: DispatchError | Log.LogError) => {
  const detail = error instanceof Log.LogError ? error.detail : error.message
  return new GovernorError({
    act: child.tool.name,
    reason: new Refusal.LogUnavailable({ ran: true, detail, remedy: "resume the session" })
  })
}

export const paused = (session: Claims.SessionId) =>
  new Refusal.Refused({ layer: "session", detail: `session ${session} is paused`, remedy: "let it go on" })

export const waiting = (child: Actor.AnyClass, ticket: Ticket.TicketId) =>
  new GovernorError({
    act: child.tool.name,
    reason: new Refusal.AwaitingApproval({ ticket, remedy: `aosiq approvals approve ${ticket}` })
  })

export const unsettled = (child: Actor.AnyClass, unknown: string) =>
  new GovernorError({
    act: child.tool.name,
    reason: new Refusal.AwaitingSettlement({
      unknown,
      detail: `an act of ${child.name} may have taken effect`,
      remedy: `an operator says what became of it: aosiq unknown show ${unknown}`
    })
  })
