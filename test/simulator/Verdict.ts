/**
 * Judges a simulation that has come to rest, from what is on the disk and what is in the ledger alone: chains are whole,
 * say of every act what the tools say, add up, and end for a reason that there was.
 */
import { Effect, Option } from "effect"
import { digest } from "../../layers/node/Digest.ts"
import type { Log, Row } from "../../src/audit/index.ts"
import { Transition } from "../../src/governor/index.ts"
import { faults } from "../governor/commits.ts"
import type { Disk } from "./Disk.ts"
import type { Answer, Entry, Ledger } from "./Ledger.ts"
import { irreversible, tools } from "./Shop.ts"

/** What is judged. */
export interface Case {
  readonly disk: Disk
  readonly ledger: Ledger
  /** Sessions that the database took. */
  readonly opened: ReadonlyArray<string>
  /** Whether clocks differed by more than tokens tolerate, or tokens were short-lived. */
  readonly isUntimely: boolean
}

/** What does not hold. */
export const verdict = ({ disk, isUntimely, ledger, opened }: Case): ReadonlyArray<string> => {
  const { sessions } = disk
  const known = new Set<string>(sessions.map(({ id }) => id))
  const entries = new Map(ledger.entries.map((entry) => [entry.stamp, entry]))
  const findings = opened.filter((id) => !known.has(id)).map((id) => `session ${id} was lost`)
  const drawn = new Map<string, Drawn>()
  for (const session of sessions) {
    const chain = {
      session,
      rows: disk.rows(session.id),
      children: sessions.filter(({ parent }) => parent === session.id)
    }
    const own = [
      ...faults(chain.rows, session),
      ...outcomes(disk, chain, entries),
      ...settlements(disk, chain, entries),
      ...ending(chain, isUntimely),
      ...given(disk, session, ledger)
    ]
    findings.push(...own.map((what) => `${session.id} (${session.actor}): ${what}`))
    for (const id of session.accounts) draw(drawn, id, chain.rows)
  }
  for (const { id, reserved, spent } of Effect.runSync(Effect.orDie(disk.store.accounts))) {
    const sum = drawn.get(id) ?? nothing
    if (sum.reserved !== reserved || sum.spent !== spent) {
      findings.push(
        `${id}: ${reserved} reserved and ${spent} spent, and its rows come to ${sum.reserved} and ${sum.spent}`
      )
    }
  }
  return findings
}

// internal

/** How sessions may fail here. */
const reasons: ReadonlyArray<RegExp> = [
  /refused by budget: /,
  /refused by (?:token|ancestor): token \S+ is revoked/,
  /refused by approval: denied by /,
  // The word fell between the look at the tickets and the asking for one.
  /refused by approval: \w+ was denied for these arguments in this session/,
  /refused by approval: ticket \S+ is /,
  /refused by approval: the time of ticket \S+ ran out/,
  /refused by approval: \d+ tickets of this session, those above it and those below them wait already/,
  /refused by approval: \d+ tickets of this session wait already/,
  /ran longer than \d+ ms/,
  /broke down: .*the tool broke down/,
  /its outcome was lost \d+ times/,
  /it was (?:not )?done, says /,
  /given up after \d+ attempts/,
  /cancelled by /
]
const untimely = /refused by token: (?:OutOfTime|expired|issued in the future)/

interface Drawn {
  readonly reserved: number
  readonly spent: number
}
const nothing: Drawn = { reserved: 0, spent: 0 }

interface Chain {
  readonly session: Log.Summary
  readonly rows: ReadonlyArray<Row.Row>
  readonly children: ReadonlyArray<Log.Summary>
}

/** Adds what the rows of a session draw on an account of its. */
const draw = (drawn: Map<string, Drawn>, account: string, rows: ReadonlyArray<Row.Row>) => {
  let { reserved, spent } = drawn.get(account) ?? nothing
  const held = new Map<number, number>()
  for (const { body, seq } of rows) {
    if (body.kind === "intent") held.set(seq, body.reservedMicroUsd)
    if (body.kind !== "outcome" && body.kind !== "settled") continue
    const left = (held.get(body.intent) ?? 0) - body.costMicroUsd
    spent += body.costMicroUsd
    // What may have happened, and cannot be undone, keeps what it held until somebody says what became of it.
    const isOpen = body.kind === "outcome" && body.status !== "succeeded" && body.status !== "failed"
    if (isOpen && irreversible.has(body.act)) held.set(body.intent, Math.max(0, left))
    else held.delete(body.intent)
  }
  for (const amount of held.values()) reserved += amount
  drawn.set(account, { reserved, spent })
}

/** Whether every outcome says what the tool said. */
const outcomes = (disk: Disk, { children, rows }: Chain, entries: ReadonlyMap<string, Entry>) =>
  rows.flatMap(({ body, seq, session }) => {
    if (body.kind === "noted" && body.what === "nondeterminism") return [`row ${seq}: ${body.detail}`]
    if (body.kind !== "outcome" || (body.status !== "succeeded" && body.status !== "failed")) return []
    if (body.act.startsWith("spawn_")) {
      const isGiven = body.status === "failed" || children.some(({ result }) => result === body.result)
      return isGiven ? [] : [`row ${seq}: no child ended with what ${body.act} is recorded to have given`]
    }
    if (!tools.has(body.act)) return []
    const answer = entryOf(rows, entries, session, body.intent)?.answer
    if (answer === undefined) return [`row ${seq}: ${body.act} has an outcome and was not done`]
    const told = answer._tag === "broke down" ? undefined : digest.canonical(answered(answer))
    const said = textOf(disk, body.result)
    return answer._tag === body.status && told === said
      ? []
      : [`row ${seq}: ${body.act} answered ${told}, and ${said} is recorded as ${body.status}`]
  })

const answered = (answer: Exclude<Answer, { readonly _tag: "broke down" }>) =>
  answer._tag === "succeeded" ? answer.value : { _tag: "Sorry", why: answer.why }

/** What was said of lost outcomes: what is said to be done was, and what is said not to be was not. */
const settlements = (disk: Disk, { rows }: Chain, entries: ReadonlyMap<string, Entry>) =>
  rows.flatMap(({ body, seq, session }) => {
    if (body.kind !== "settled" || body.from === "governor") return []
    if (body.choice !== "done") {
      const entry = entries.get(`${session}/${body.intent}`)
      const isDone = entry !== undefined && entry.answer._tag !== "failed"
      return isDone ? [`row ${seq}: ${body.act} is said not to have been done, and was`] : []
    }
    const answer = entryOf(rows, entries, session, body.intent)?.answer
    if (answer === undefined || answer._tag === "failed") {
      return [`row ${seq}: ${body.act} is said to be done, and was not`]
    }
    const said = textOf(disk, body.result)
    return said === undefined || said === digest.canonical(answer.value)
      ? []
      : [`row ${seq}: ${body.act} gave ${answer.value}, and ${said} is said of it`]
  })

/** What an attempt did, or the attempt before it that was the same for the other side. */
const entryOf = (
  rows: ReadonlyArray<Row.Row>,
  entries: ReadonlyMap<string, Entry>,
  session: string,
  intent: number
): Entry | undefined => {
  const own = entries.get(`${session}/${intent}`)
  if (own !== undefined) return own
  const place = placeOf(rows[intent]?.key)
  const others = rows.filter(({ body, key, seq }) => body.kind === "intent" && seq < intent && placeOf(key) === place)
  return others.map(({ seq }) => entries.get(`${session}/${seq}`)).findLast((entry) => entry !== undefined)
}

const placeOf = (key: string | null | undefined) => key?.replace(/~\d+$/, "")

/** Whether the chain came to one end, for a reason that there is, and nothing began after it. */
const ending = ({ rows, session: { status } }: Chain, isUntimely: boolean): ReadonlyArray<string> => {
  const ends = rows.flatMap(({ body, seq }) => body.kind === "ended" ? [{ ...body, seq }] : [])
  const [end] = ends
  const late = rows.filter(({ body, seq }) => end !== undefined && seq > end.seq && body.kind === "intent")
  const isKnown = (reason: string) =>
    reasons.some((known) => known.test(reason)) || (isUntimely && untimely.test(reason))
  return [
    ...ends.length > 1 ? [`it ended ${ends.length} times`] : [],
    ...late.map(({ seq }) => `row ${seq} began after the end`),
    ...Transition.isOver(status) && end?.status !== status
      ? [`it is ${status}, and its chain says ${end?.status}`]
      : [],
    ...end?.status === "failed" && !isKnown(end.reason) ? [`it failed: ${end.reason}`] : []
  ]
}

/** Whether each part of the result was given by a tool, to this session or one below. */
const given = (disk: Disk, { id, result }: Log.Summary, ledger: Ledger): ReadonlyArray<string> => {
  if (result === null) return []
  const said = new Set(
    ledger.entries.filter(({ stamp }) => stamp.startsWith(id))
      .map(({ answer }) => answer._tag === "failed" ? answer.why : answer.value)
  )
  const lines = JSON.parse(textOf(disk, result) ?? "[]") as ReadonlyArray<string> // What every actor here gives.
  return lines.map((line) => line.replace(/^no (?:quote|refund): /, ""))
    .filter((line) => line !== "slept" && !line.startsWith("given up: ") && !said.has(line))
    .map((line) => `it ended with ${line}, which no tool said`)
}

const textOf = (disk: Disk, hash: Log.Summary["result"]): string | undefined =>
  hash === null ? undefined : Option.getOrUndefined(Effect.runSync(Effect.orDie(disk.log.payload(hash))))
