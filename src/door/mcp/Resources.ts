/** What can be read without a tool: proposals, acts that wait, and the record of a session; as JSON. */
import { Effect, Layer, Option, Schema } from "effect"
import { McpSchema, McpServer } from "effect/ai"
import type { Claims } from "../../capability/index.ts"
import type { Operations, Permits } from "../../operator/index.ts"
import * as Name from "../Name.ts"
import { rowView } from "./Handlers.ts"
import { maxTickets } from "./Tools.ts"
import * as Visible from "./Visible.ts"
import type { Work } from "./Work.ts"

/** Rows of one reading of a record, the latest. */
const maxRows = 1000
/** Sessions that are looked at for proposals and for completions, the latest. */
const maxSessions = 500
/** Ids that a completion gives. */
const maxCompletions = 100

/** Type of all of them. */
export const mimeType = "application/json"

/** Where they are. */
export const uris = {
  proposals: "aosiq://proposals",
  approvals: "aosiq://approvals",
  proposal: (session: string) => `aosiq://proposals/${session}`,
  audit: (session: string) => `aosiq://sessions/${session}/audit`
} as const

/** What a URI stands for: the operation that reads it, and about which session; `null` for none of them. */
export const placeOf = (
  uri: string
): { readonly operation: Permits.Operation; readonly session: Claims.SessionId | null } | null => {
  if (uri === uris.approvals) return { operation: "approvals_list", session: null }
  if (uri === uris.proposals) return { operation: "proposals_list", session: null }
  const [, proposal, record] = /^aosiq:\/\/(?:proposals\/([^/]+)|sessions\/([^/]+)\/audit)$/.exec(uri) ?? []
  const session = Option.getOrNull(decodeSession(proposal ?? record))
  return session === null ? null : { operation: proposal === undefined ? "session_rows" : "proposals_get", session }
}

const decodeSession = Schema.decodeUnknownOption(Name.Session)
const SessionParam = McpSchema.param("session", Name.Session)

/** They, over the operations. */
export const layer = (work: Work) => {
  const sessions = completing(work)
  return Layer.mergeAll(
    Visible.hidden(
      "proposals_list",
      McpServer.resource({
        uri: uris.proposals,
        name: "proposals",
        description:
          `What agents ended with for people, the latest first, and where each can be read: of the latest ${maxSessions} ` +
          "sessions that ended with something",
        mimeType,
        content: read(
          uris.proposals,
          Effect.map(
            work.proposals_list({ latest: maxSessions }),
            (list) => list.map((one) => ({ ...one, uri: uris.proposal(one.session) }))
          )
        )
      })
    ),
    Visible.hidden(
      "approvals_list",
      McpServer.resource({
        uri: uris.approvals,
        name: "approvals",
        description: `Acts that wait for people: the ${maxTickets} oldest, oldest first`,
        mimeType,
        content: read(uris.approvals, waiting(work))
      })
    ),
    Visible.hidden(
      "proposals_get",
      McpServer.resource`aosiq://proposals/${SessionParam}`({
        name: "proposal",
        description: "The proposals of a session and of those below it, each claim with its evidence",
        mimeType,
        completion: { session: sessions },
        content: (uri, session) => read(uri, work.proposals_get({ session }))
      })
    ),
    Visible.hidden(
      "session_rows",
      McpServer.resource`aosiq://sessions/${SessionParam}/audit`({
        name: "audit",
        description: `The record of a session: its latest ${maxRows} rows, oldest first`,
        mimeType,
        completion: { session: sessions },
        content: (uri, session) => read(uri, record(work, session))
      })
    )
  )
}

/** The acts that wait for people. */
export const waiting = (work: Work) => work.approvals_list({ state: "proposed", limit: maxTickets })

/** Ids of sessions that begin so, the latest first. */
export const completing = (work: Work) => (input: string) =>
  Effect.map(
    work.sessions_list({ latest: maxSessions }),
    (list) => list.flatMap(({ id }) => id.startsWith(input) ? [id] : []).toReversed().slice(0, maxCompletions)
  )

/** The record of a session. */
export const record = (work: Work, session: Operations.SessionView["id"]) =>
  // A session that is not there has no rows, and is refused.
  Effect.flatMap(work.session_show({ session }), ({ rows: length }) => {
    const left = Math.max(0, length - maxRows)
    return Effect.map(
      work.session_rows({ session, from: left, limit: maxRows }),
      (rows) => ({ session, rows: rows.map(rowView), left })
    )
  })

// internal

const read = <A, E, R>(uri: string, content: Effect.Effect<A, E, R>) =>
  Effect.map(content, (found) => ({ contents: [{ uri, mimeType, text: encode(found) }] }))

const encode = (value: unknown): string => JSON.stringify(value, null, 2)
