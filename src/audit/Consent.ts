/**
 * Whether the acts that name a consent had one: a ticket that was approved before, in the same chain, and used once; or a
 * use of a standing rule that the chain of the installation knows, within its number and its time, and used once. Read
 * from rows alone, of chains that hold, so that a consent slipped into a database is no consent.
 */
import type { Claims } from "../capability/index.ts"
import type { Finding } from "./Finding.ts"
import * as Installation from "./Installation.ts"
import type { Row, Ruled } from "./Row.ts"

/** What one chain says of consent; little, beside the chain. */
export interface Traces {
  readonly session: Claims.SessionId
  /** The first act that names a ticket nobody had approved, or one that was used. */
  readonly finding: Finding | undefined
  readonly uses: ReadonlyArray<Used>
  readonly rules: ReadonlyMap<string, Known>
}

/** Reads a chain that holds. */
export const trace = (session: Claims.SessionId, rows: ReadonlyArray<Row>): Traces => {
  const tickets: Tickets = new Map()
  const rules = new Map<string, Known>()
  const uses: Array<Used> = []
  /** Tickets by the intents that used them. */
  const used = new Map<number, string>()
  let finding: Finding | undefined
  for (const { at, body, seq } of rows) {
    if (body.kind === "decided") tickets.set(body.ticket, body.decision)
    if (body.kind === "ruled" && session === Installation.id) rules.set(body.rule, learned(rules.get(body.rule), body))
    // An attempt whose outcome was lost may be made once more on its own ticket, where somebody said so.
    if (body.kind === "settled" && body.choice === "retry") renew(tickets, used.get(body.intent))
    if (body.kind !== "intent") continue
    if (body.rule !== undefined) uses.push({ ...body.rule, session, seq, at })
    if (body.ticket === null) continue
    const state = tickets.get(body.ticket)
    if (state !== "approved") finding ??= unauthorised(session, seq, `ticket ${body.ticket} ${said(state)}`)
    tickets.set(body.ticket, "used")
    used.set(seq, body.ticket)
  }
  return { session, finding, uses, rules }
}

/** What is wrong with the acts of all chains together, the first of each. Without the installation's chain, rules go unchecked. */
export const judge = (chains: ReadonlyArray<Traces>, isComplete: boolean): ReadonlyArray<Finding> => {
  const installation = chains.find(({ session }) => session === Installation.id)
  const known = installation?.rules ?? (isComplete ? new Map<string, Known>() : undefined)
  const seen = new Set<string>()
  return chains.flatMap(({ finding, uses }) => {
    const wrong = known === undefined ? undefined : uses.flatMap((use) => misuse(use, known.get(use.id), seen))[0]
    return [finding, wrong].filter((one) => one !== undefined)
  })
}

// internal

/** A use, as an intent names it. */
interface Used {
  readonly id: string
  readonly use: number
  readonly session: Claims.SessionId
  readonly seq: number
  readonly at: number
}

/** What was last said of each ticket. */
type Tickets = Map<string, "approved" | "denied" | "expired" | "used">

const renew = (tickets: Tickets, ticket: string | undefined) => {
  if (ticket !== undefined && tickets.get(ticket) === "used") tickets.set(ticket, "approved")
}

/** A rule, as the chain of the installation knows it. */
interface Known {
  readonly maxUses: number
  readonly expiresAt: number
  /** Uses before it was revoked; all that it has, unless it was. */
  readonly until: number
}

const learned = (before: Known | undefined, { expiresAt, maxUses, uses, what }: typeof Ruled.Type): Known => ({
  maxUses,
  expiresAt,
  until: what === "revoked" ? uses : before?.until ?? maxUses
})

const said = (state: "denied" | "expired" | "used" | undefined): string =>
  state === undefined ? "was approved by nobody" : state === "used" ? "was used before" : `was ${state}`

const unauthorised = (session: Claims.SessionId, seq: number, why: string): Finding => ({
  kind: "unauthorised",
  session,
  seq,
  detail: `the act at row ${seq} had no consent: ${why}`
})

const misuse = (
  { at, id, seq, session, use }: Used,
  rule: Known | undefined,
  seen: Set<string>
): ReadonlyArray<Finding> => {
  const wrong = (why: string) => [unauthorised(session, seq, `rule ${id} ${why}`)]
  if (rule === undefined) return wrong("was made by nobody")
  const name = `${id} ${use}`
  if (seen.has(name)) return wrong(`approved another act by its use ${use}`)
  seen.add(name)
  if (use < 1 || use > rule.maxUses) return wrong(`has ${rule.maxUses} uses, and this is use ${use}`)
  if (use > rule.until) return wrong(`was revoked after ${rule.until} uses, and this is use ${use}`)
  return at < rule.expiresAt ? [] : wrong("was out of time")
}
