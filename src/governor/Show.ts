/**
 * What an approver is shown of an act: the exact arguments, the actor's reasons, and what stands behind each stamp that it
 * cites. All of it comes from the act and from recorded rows, so that a later run of the session shows the same, to the
 * byte.
 */
import { Effect } from "effect"
import { Ticket } from "../approval/index.ts"
import type { Log, Row } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import { Redact } from "../trust/index.ts"
import type { Action } from "./Action.ts"

/** Characters of an actor's reasons that are shown; how many more there are is said. */
export const maxReasons = 4000
/** Stamps that an act may cite. */
export const maxCited = 50

/** Who asks, and with which arguments (canonical). */
export interface Asked {
  readonly session: { readonly id: Claims.SessionId; readonly caller: string }
  readonly text: string
}

/** Everything that is shown; hashed into the ticket. */
export const show = (
  log: Log.Log["Service"],
  action: Pick<Action<never, never, never, never>, "name" | "description" | "reserve" | "reasons">,
  { session, text }: Asked
): Effect.Effect<Ticket.Shown, Log.LogError> =>
  Effect.map(resolve(log, session.id, action.reasons?.evidence ?? []), (evidence) => ({
    act: action.name,
    description: action.description,
    args: Redact.redact(text),
    caller: session.caller,
    reasons: shorten(Redact.redact(action.reasons?.text ?? "")),
    evidence,
    estimateMicroUsd: action.reserve
  }))

// internal

const resolve = Effect.fnUntraced(function*(
  log: Log.Log["Service"],
  session: Claims.SessionId,
  stamps: ReadonlyArray<string>
) {
  const rows = new Map<string, ReadonlyArray<Row.Row>>()
  const cited: Array<Ticket.Cited> = []
  for (const stamp of stamps) {
    const slash = stamp.lastIndexOf("/")
    const where = stamp.slice(0, slash)
    if (Ticket.rootOf(where) !== Ticket.rootOf(session)) {
      cited.push(nothing(stamp, "it is not of this session, of one above it or of one below it"))
      continue
    }
    const known = rows.get(where) ?? (yield* log.rows(Claims.SessionId.make(where)))
    rows.set(where, known)
    cited.push(behind(stamp, known.find(({ seq }) => String(seq) === stamp.slice(slash + 1))))
  }
  return cited
})

const behind = (stamp: string, row: Row.Row | undefined): Ticket.Cited => {
  if (row?.body.kind !== "outcome") return nothing(stamp, "no act ended there")
  const { act, resultPreview, status, trust } = row.body
  if (status !== "succeeded") return nothing(stamp, `${act} ${status} there`)
  return { stamp: written(stamp), act, preview: resultPreview, trust }
}

const nothing = (stamp: string, preview: string): Ticket.Cited => ({
  stamp: written(stamp),
  act: null,
  preview,
  trust: "untrusted"
})

/** A stamp is whatever the actor wrote. */
const written = (stamp: string): string => Redact.preview(stamp).toWellFormed()

/** Half of a character has no canonical form. */
const shorten = (text: string): string => {
  if (text.length <= maxReasons) return text.toWellFormed()
  const start = text.slice(0, maxReasons).replace(/[\uD800-\uDBFF]$/, "").toWellFormed()
  return `${start}… (${text.length - start.length} characters more)`
}
