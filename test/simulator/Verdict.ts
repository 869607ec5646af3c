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
import type { Answer, Ledger } from "./Ledger.ts"
import { tools } from "./Shop.ts"

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
  const sessions = Effect.runSync(Effect.orDie(disk.log.sessions))
  const known = new Set<string>(sessions.map(({ id }) => id))
  const answers = new Map(ledger.entries.map(({ answer, stamp }) => [stamp, answer]))
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
      ...outcomes(disk, chain, answers),
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
  /refused by approval: ticket \S+ is /,
  /refused by approval: \d+ tickets of this session wait already/,
  /ran longer than \d+ ms/,
  /broke down: .*the tool broke down/,
  /outcome unknown at /,
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
    if (body.kind !== "outcome") continue
    held.delete(body.intent)
    spent += body.costMicroUsd
  }
  for (const amount of held.values()) reserved += amount
  drawn.set(account, { reserved, spent })
}

/** Whether every outcome says what the tool said. */
const outcomes = (disk: Disk, { children, rows }: Chain, answers: ReadonlyMap<string, Answer>) =>
  rows.flatMap(({ body, seq, session }) => {
    if (body.kind === "noted" && body.what === "nondeterminism") return [`row ${seq}: ${body.detail}`]
    if (body.kind !== "outcome" || (body.status !== "succeeded" && body.status !== "failed")) return []
    if (!tools.has(body.act)) {
      const isGiven = body.status === "failed" || children.some(({ result }) => result === body.result)
      return isGiven ? [] : [`row ${seq}: no child ended with what ${body.act} is recorded to have given`]
    }
    const answer = answers.get(`${session}/${body.intent}`)
    if (answer === undefined) return [`row ${seq}: ${body.act} has an outcome and was not done`]
    const told = answer._tag === "broke down" ? undefined : digest.canonical(answered(answer))
    const said = textOf(disk, body.result)
    return answer._tag === body.status && told === said
      ? []
      : [`row ${seq}: ${body.act} answered ${told}, and ${said} is recorded as ${body.status}`]
  })

const answered = (answer: Exclude<Answer, { readonly _tag: "broke down" }>) =>
  answer._tag === "succeeded" ? answer.value : { _tag: "Sorry", why: answer.why }

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
    ledger.entries.filter(({ stamp }) => stamp.startsWith(id)).map(({ answer }) =>
      answer._tag === "succeeded" ? answer.value : answer._tag === "failed" ? answer.why : ""
    )
  )
  const lines = JSON.parse(textOf(disk, result) ?? "[]") as ReadonlyArray<string> // What every actor here gives.
  return lines.map((line) => line.replace(/^no (?:quote|refund): /, ""))
    .filter((line) => line !== "slept" && !line.startsWith("given up: ") && !said.has(line))
    .map((line) => `it ended with ${line}, which no tool said`)
}

const textOf = (disk: Disk, hash: Log.Summary["result"]): string | undefined =>
  hash === null ? undefined : Option.getOrUndefined(Effect.runSync(Effect.orDie(disk.log.payload(hash))))
