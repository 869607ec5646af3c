/**
 * How a session stands that a decision let go on, found out by looking: the API answers a decision before its sessions run.
 * A run has come to rest when a row after the decision says so.
 */
import { Duration, Effect } from "effect"
import { Ticket } from "../../approval/index.ts"
import type { Log, Row } from "../../audit/index.ts"
import type { Claims } from "../../capability/index.ts"
import { Operations } from "../../operator/index.ts"
import type { Dispatch } from "../../session/index.ts"
import type { Client } from "./Client.ts"
import { max } from "./Page.ts"

/** Looks by the API. */
export const make = (client: Client) => {
  const rowsFrom = Effect.fnUntraced(function*(session: Claims.SessionId, from: number) {
    const found: Array<Row.Row> = []
    for (let next: number | null = from; next !== null;) {
      const page: RowsPage = yield* client.sessions.rows({ params: { session }, query: { from: next, limit: max } })
      found.push(...page.items)
      next = page.next
    }
    return found
  })

  return {
    /** A session with the length of its chain. */
    lengthOf: (session: Claims.SessionId) =>
      Effect.map(client.sessions.status({ params: { session } }), ({ rows }) => [session, rows] as const),

    /** Waits until it rests, by what its rows say from there on. */
    following: Effect.fnUntraced(function*(session: Claims.SessionId, from: number) {
      for (;;) {
        const { status } = yield* client.sessions.status({ params: { session } })
        // One that was over before has said so before.
        const ended = endOf(session, status, yield* rowsFrom(session, final.has(status) ? 0 : from))
        if (ended !== undefined) {
          const { result } = ended._tag === "Succeeded"
            ? yield* client.sessions.result({ params: { session } })
            : { result: null }
          return { ...Operations.standing(ended), result } satisfies Operations.RunView as Operations.RunView
        }
        yield* Effect.sleep(every)
      }
    })
  }
}

/** How a session of that status rests by these rows of its chain; nothing while it runs, or has not begun to. */
export const endOf = (
  session: Claims.SessionId,
  status: Log.Status,
  rows: ReadonlyArray<Row.Row>
): Dispatch.Ended<unknown> | undefined => {
  if (status === "running" || status === "standing") return undefined
  if (status === "paused") return { _tag: "Paused", session }
  if (status === "succeeded") return { _tag: "Succeeded", session, output: undefined }
  for (const { body } of rows.toReversed()) {
    if (status === "waiting") {
      if (body.kind === "suspended" && body.unknown !== undefined) {
        return { _tag: "Unsettled", session, unknown: body.unknown }
      }
      if (body.kind === "suspended" && body.ticket !== null) {
        return { _tag: "Waiting", session, ticket: Ticket.TicketId.make(body.ticket) }
      }
      if (body.kind === "sleeping" || body.kind === "restarted") return { _tag: "Sleeping", session, until: body.until }
    } else if (body.kind === "ended") {
      return status === "cancelled"
        ? { _tag: "Cancelled", session, detail: body.reason }
        : {
          _tag: "Failed",
          session,
          detail: body.reason,
          abandoned: status === "abandoned",
          stop: body.stop ?? null,
          partial: null
        }
    }
  }
  return undefined
}

// internal

/** A session in one of these is over. */
const final: ReadonlySet<string> = new Set(["succeeded", "failed", "abandoned", "cancelled"])
/** How often is looked. */
const every = Duration.millis(250)

interface RowsPage {
  readonly items: ReadonlyArray<Row.Row>
  readonly next: number | null
}
