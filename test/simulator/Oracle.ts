/**
 * Holds what was recorded against what was done. It watches every commit that the database takes and every effect that a
 * tool has, keeps accounts of its own, and knows nothing of how the log is written: only what must hold whatever happens.
 */
import { Effect, Option } from "effect"
import { digest } from "../../layers/node/Digest.ts"
import type { Log, Row } from "../../src/audit/index.ts"
import type { Store } from "../../src/governor/index.ts"
import { faults } from "../governor/commits.ts"
import type { Disk } from "./Disk.ts"
import type { Entry } from "./Ledger.ts"
import type { Process } from "./Machine.ts"
import { irreversible, tools } from "./Shop.ts"

/** An act that began. */
interface Begun {
  readonly session: string
  readonly act: string
  readonly args: string
  readonly ticket: string | null
}

interface Account {
  readonly ceiling: number
  reserved: number
  spent: number
}

/** How sessions may fail here, and what must have been the case. */
const reasons: ReadonlyArray<RegExp> = [
  /refused by budget: /,
  /refused by token: token \S+ is revoked/,
  /refused by ancestor: token \S+ is revoked/,
  /refused by approval: denied by /,
  /refused by approval: ticket \S+ is /,
  /refused by approval: \d+ tickets of this session wait already/,
  /ran longer than \d+ ms/,
  /broke down: .*the tool broke down/,
  /outcome unknown at /,
  /cancelled by /
]
/** How they may fail as well where clocks differ by more than tokens tolerate, or tokens are short-lived. */
const untimely = /refused by token: (?:OutOfTime|expired|issued in the future)/

/** The judge of a simulation. */
export class Oracle {
  /** What must not be, and was. */
  readonly findings: Array<string> = []
  readonly #begun = new Map<string, Begun>()
  /** What each act that is under way holds. */
  readonly #held = new Map<string, number>()
  /** Who took a session for a run. */
  readonly #writers = new Map<string, Process>()
  readonly #accounts = new Map<string, Account>()
  readonly #tokens = new Map<string, string>()
  readonly #revoked = new Set<string>()
  readonly #denied = new Set<string>()
  readonly #approved = new Set<string>()
  readonly #used = new Set<string>()
  /** Sessions in which nothing may begin any more, or just now, and why. */
  readonly #stopped = new Map<string, string>()
  readonly #effects = new Map<string, Entry>()
  readonly #forGood = new Map<string, Entry>()

  /** That something must not be. */
  find(what: string): void {
    this.findings.push(what)
  }

  // --- while it runs ---------------------------------------------------------

  /** The database took a commit. */
  taken(process: Process, commit: Store.Commit, { row, session }: Store.Committed): void {
    if ("epoch" in commit && commit.epoch !== null) {
      const run = `${session.id} in ${commit.epoch}`
      if (commit.epoch !== session.epoch) this.find(`${run}: a run that was replaced wrote row ${row.seq}`)
      else if (this.#writers.get(run) !== process) this.find(`${run}: ${process.name} wrote row ${row.seq} of another`)
    }
    switch (commit._tag) {
      case "Open":
        if (commit.genesis.body.kind === "genesis") this.#tokens.set(session.id, commit.genesis.body.token)
        for (const { ceiling, id } of commit.accounts) {
          if (!this.#accounts.has(id)) this.#accounts.set(id, { ceiling, reserved: 0, spent: 0 })
        }
        return
      case "Claim":
        this.#writers.set(`${session.id} in ${session.epoch}`, process)
        return
      case "Begin":
        this.#begin(commit, row)
        return
      case "Finish": {
        const intent = commit.outcome.body.kind === "outcome" ? commit.outcome.body.intent : -1
        const reserved = this.#reservedBy(session.id, intent)
        this.#move(session.accounts, -reserved, commit.spent)
        return
      }
      case "Append":
        if (commit.status !== null && isFinal(commit.status)) this.#stop(session.id, `${session.id} had ended`)
        return
      case "Decide":
        if (commit.ticket.state === "approved") this.#approved.add(commit.ticket.id)
        if (commit.ticket.state === "denied") {
          this.#denied.add(`${session.id} ${commit.ticket.act} ${commit.ticket.args}`)
        }
        return
      case "Revoke":
        this.#revoked.add(commit.token)
        return
      case "Control":
        this.#control(commit.action, session.id)
    }
  }

  #control(action: Store.Control["action"], top: string): void {
    if (action !== "resume") return this.#stop(top, action === "cancel" ? `${top} was cancelled` : paused)
    for (const [id, why] of this.#stopped) if (isWithin(id, top) && why === paused) this.#stopped.delete(id)
  }

  /** Nothing may begin any more in the session and below it. What had stopped before is not stopped again. */
  #stop(top: string, why: string): void {
    for (const id of this.#tokens.keys()) {
      const before = this.#stopped.get(id)
      if (isWithin(id, top) && (before === undefined || before === paused)) this.#stopped.set(id, why)
    }
  }

  #begin(commit: Store.Begin, row: Row.Row): void {
    const { body } = commit.intent
    if (body.kind !== "intent") return this.find(`row ${row.seq} of ${commit.session} is no intent`)
    const { act, args } = body
    const what = `${act} at ${commit.session}/${row.seq}`
    const ticket = commit.ticket?.id ?? null
    const why = this.#stopped.get(commit.session)
    if (why !== undefined) this.find(`${what} began although ${why}`)
    if (this.#denied.has(`${commit.session} ${act} ${args}`)) this.find(`${what} began although it was denied`)
    for (const id of above(commit.session)) {
      if (this.#revoked.has(this.#tokens.get(id) ?? "")) this.find(`${what} began although ${id} was revoked`)
    }
    if (irreversible.has(act) && (ticket === null || !this.#approved.has(ticket))) {
      this.find(`${what} began without an approval`)
    }
    if (ticket !== null && this.#used.has(ticket)) this.find(`${what} began on ticket ${ticket}, used before`)
    if (ticket !== null) this.#used.add(ticket)
    this.#move(commit.accounts, commit.reserve, 0)
    this.#begun.set(`${commit.session}/${row.seq}`, { session: commit.session, act, args, ticket })
    this.#held.set(`${commit.session}/${row.seq}`, commit.reserve)
  }

  #reservedBy(session: string, intent: number): number {
    const stamp = `${session}/${intent}`
    const reserved = this.#held.get(stamp) ?? 0
    this.#held.delete(stamp)
    return reserved
  }

  #move(accounts: ReadonlyArray<string>, reserved: number, spent: number): void {
    for (const id of new Set(accounts)) {
      const account = this.#accounts.get(id)
      if (account === undefined) {
        this.find(`there is no account ${id}`)
        continue
      }
      account.reserved += reserved
      account.spent += spent
      if (account.reserved + account.spent > account.ceiling) {
        this.find(`${id}: ${account.reserved} reserved and ${account.spent} spent of ${account.ceiling}`)
      }
    }
  }

  /** A tool had its effect. */
  written(disk: Disk, entry: Entry): void {
    const { order, stamp, tool } = entry
    const what = `${tool} ${order} (${entry.number})`
    const slash = stamp.lastIndexOf("/")
    const args = digest.sha256(digest.canonical({ order }))
    const [row] = rowsOf(disk, stamp.slice(0, slash)).filter(({ seq }) => seq === Number(stamp.slice(slash + 1)))
    if (row?.body.kind !== "intent" || row.body.act !== tool || row.body.args !== args) {
      this.find(`${what} was done, and no row said that it would be`)
    }
    if (this.#effects.has(stamp)) this.find(`${what} was done twice for ${stamp}`)
    this.#effects.set(stamp, entry)
    if (!irreversible.has(tool)) return
    const begun = this.#begun.get(stamp)
    const key = `${begun?.session} ${tool} ${order} ${begun?.ticket}`
    if (this.#forGood.has(key)) this.find(`${what} cannot be undone and was done before on the same ticket`)
    this.#forGood.set(key, entry)
  }

  // --- at the end ------------------------------------------------------------

  /** Judges what is left when everything has come to rest. */
  judge(disk: Disk, options: { readonly isUntimely: boolean }): void {
    const sessions = Effect.runSync(Effect.orDie(disk.log.sessions))
    const all = new Map(sessions.map((session) => [session.id as string, session]))
    for (const id of this.#tokens.keys()) if (!all.has(id)) this.find(`session ${id} was lost`)
    for (const session of sessions) {
      const rows = rowsOf(disk, session.id)
      for (const fault of faults(rows, session)) this.find(`${session.id}: ${fault}`)
      this.#judgeRows(disk, session, rows, all)
      this.#judgeEnd(disk, session, rows, options.isUntimely)
    }
    for (const { id, reserved, spent } of Effect.runSync(Effect.orDie(disk.store.accounts))) {
      const own = this.#accounts.get(id)
      if (own?.reserved !== reserved || own.spent !== spent) {
        this.find(`${id}: ${reserved} reserved and ${spent} spent, not ${own?.reserved} and ${own?.spent}`)
      }
    }
  }

  /** Whether every outcome says what the tool said, and every effect that was answered for has an outcome. */
  #judgeRows(
    disk: Disk,
    session: Log.Summary,
    rows: ReadonlyArray<Row.Row>,
    all: ReadonlyMap<string, Log.Summary>
  ): void {
    let spent = 0
    const open = new Map<number, number>()
    const children = [...all.values()].filter(({ parent }) => parent === session.id)
    for (const { body, seq } of rows) {
      if (body.kind === "intent") open.set(seq, body.reservedMicroUsd)
      if (body.kind === "noted" && body.what === "nondeterminism") this.find(`${session.id}/${seq}: ${body.detail}`)
      if (body.kind !== "outcome") continue
      open.delete(body.intent)
      spent += body.costMicroUsd
      const stamp = `${session.id}/${body.intent}`
      const said = textOf(disk, body.result)
      if (body.status === "succeeded" && !tools.has(body.act)) {
        if (!children.some(({ result }) => result === body.result)) {
          this.find(`${stamp}: no child of ${session.id} ended with what ${body.act} is recorded to have given`)
        }
      } else if (body.status === "succeeded" || body.status === "failed") {
        this.#judgeAnswer(stamp, body, said)
      }
    }
    // An account of its own stands for one session, so it can be counted from its chain and those below.
    const own = this.#accounts.get(`session:${session.id}`)
    const below = children.length === 0 && own !== undefined && own.spent !== spent
    if (below) this.find(`${session.id}: its outcomes cost ${spent}, its account says ${own.spent}`)
  }

  #judgeAnswer(stamp: string, body: typeof Row.Outcome.Type, said: string | undefined): void {
    if (!tools.has(body.act)) return
    const answer = this.#effects.get(stamp)?.answer
    if (answer === undefined) return this.find(`${stamp}: ${body.act} has an outcome and was not done`)
    const told = answer._tag === "succeeded"
      ? JSON.stringify(answer.value)
      : answer._tag === "failed"
      ? digest.canonical({ _tag: "Sorry", why: answer.why })
      : undefined
    if (answer._tag !== body.status || told !== said) {
      this.find(`${stamp}: ${body.act} answered ${told}, and ${said} is recorded as ${body.status}`)
    }
  }

  /** Whether the session came to an end for a reason there is, with a result that was given. */
  #judgeEnd(disk: Disk, session: Log.Summary, rows: ReadonlyArray<Row.Row>, isUntimely: boolean): void {
    const ends = rows.flatMap(({ body }) => body.kind === "ended" ? [body] : [])
    if (ends.length > 1) this.find(`${session.id} ended ${ends.length} times`)
    const [end] = ends
    if (isFinal(session.status) && end?.status !== session.status) {
      this.find(`${session.id} is ${session.status}, and its chain says ${end?.status}`)
    }
    if (session.status === "failed" || session.status === "abandoned") {
      const reason = end?.reason ?? ""
      if (!reasons.some((known) => known.test(reason)) && !(isUntimely && untimely.test(reason))) {
        this.find(`${session.id} (${session.actor}) failed: ${reason}`)
      }
    }
    if (session.status !== "succeeded") return
    const given = new Set(
      [...this.#effects.values()].filter(({ stamp }) => stamp.startsWith(session.id)).map(({ answer }) =>
        answer._tag === "succeeded" ? answer.value : answer._tag === "failed" ? answer.why : ""
      )
    )
    const result = JSON.parse(textOf(disk, session.result) ?? "[]") as ReadonlyArray<string>
    for (const line of result) {
      const said = line.replace(/^no (?:quote|refund): /, "")
      if (said !== "slept" && !said.startsWith("given up: ") && !given.has(said)) {
        this.find(`${session.id} ended with ${said}, which no tool said`)
      }
    }
  }
}

/** Whether the status is one that a session keeps. */
export const isFinal = (status: Log.Status): boolean =>
  status === "succeeded" || status === "failed" || status === "abandoned" || status === "cancelled"

/** The rows of a session, as they are on the disk. */
export const rowsOf = (disk: Disk, session: string): ReadonlyArray<Row.Row> =>
  // Names of sessions are not made up here.
  Effect.runSync(Effect.orDie(disk.log.rows(session as Log.Summary["id"])))

// internal

const paused = "it was paused"

const isWithin = (session: string, top: string) => session === top || session.startsWith(`${top}.`)

/** The session and every one above it. */
const above = (session: string): ReadonlyArray<string> => {
  const parts = session.split(".")
  return parts.map((_, index) => parts.slice(0, index + 1).join("."))
}

const textOf = (disk: Disk, hash: Log.Summary["result"]): string | undefined =>
  hash === null ? undefined : Option.getOrUndefined(Effect.runSync(Effect.orDie(disk.log.payload(hash))))
