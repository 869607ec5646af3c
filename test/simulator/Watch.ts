/**
 * Watches a simulation while it runs: every commit that the database takes and every effect that a tool has. It keeps books
 * of its own and knows nothing of how the log is written, only what may not happen, whatever else does.
 */
import { digest } from "../../layers/node/Digest.ts"
import type { Rule } from "../../src/approval/index.ts"
import type { Log, Row } from "../../src/audit/index.ts"
import { type Store, Transition } from "../../src/governor/index.ts"
import type { Disk } from "./Disk.ts"
import type { Entry } from "./Ledger.ts"
import type { Process } from "./Machine.ts"
import { Charge, irreversible } from "./Shop.ts"

/** An act that began. */
interface Begun {
  /** Session and place: the same for every attempt at one act. */
  readonly act: string
  readonly at: number
  readonly process: Process
}

/** The watch. */
export class Watch {
  /** What must not be, and was. */
  readonly findings: Array<string> = []
  readonly #begun = new Map<string, Begun>()
  /** Who took a session for a run. */
  readonly #writers = new Map<string, Process>()
  readonly #tokens = new Map<string, string>()
  readonly #revoked = new Set<string>()
  readonly #denied = new Set<string>()
  readonly #approved = new Set<string>()
  /** The act that used a ticket. */
  readonly #used = new Map<string, string>()
  /** How often each rule was used, by the watch's own count. */
  readonly #uses = new Map<string, number>()
  /** Acts that somebody said may be done once more. */
  readonly #again = new Set<string>()
  /** Sessions in which nothing may begin any more, or just now, and why. */
  readonly #stopped = new Map<string, string>()
  readonly #effects = new Set<string>()
  /** Hashes of the rows that the database said it took. */
  readonly #acknowledged = new Map<string, string>()
  readonly #forGood = new Set<string>()

  /** Sessions that were opened. */
  get opened(): ReadonlyArray<string> {
    return [...this.#tokens.keys()]
  }

  /** That something must not be. */
  find(what: string): void {
    this.findings.push(what)
  }

  /** The database took a commit. */
  taken(disk: Disk, process: Process, commit: Store.Commit, { row, session }: Store.Committed): void {
    this.#acknowledged.set(`${session.id}/${row.seq}`, row.hash)
    for (const id of session.accounts) this.#bounded(disk, id)
    if ("epoch" in commit && commit.epoch !== null) this.#wrote(process, commit.epoch, session, row)
    switch (commit._tag) {
      case "Open":
        if (commit.genesis.body.kind === "genesis") this.#tokens.set(session.id, commit.genesis.body.token)
        return
      case "Claim":
        this.#writers.set(`${session.id} in ${session.epoch}`, process)
        return
      case "Begin":
        return this.#began(disk, process, commit, row)
      case "Settle":
        if (commit.decision.choice === "retry") this.#again.add(`${session.id} ${placeOf(commit.key)}`)
        return
      case "Append":
        if (commit.status !== null && Transition.isOver(commit.status)) {
          this.#stop(session.id, `${session.id} had ended`)
        } else if (commit.status === "paused") this.#stopped.set(session.id, paused)
        return
      case "Decide":
        return this.#decided(disk, row)
      case "Revoke":
        this.#revoked.add(commit.token)
        return
      case "Control":
        return this.#control(commit.action, session.id)
    }
  }

  #bounded({ space }: Disk, id: string): void {
    const account = space.accounts.get(id)
    if (account === undefined) return this.find(`there is no account ${id}`)
    const { ceiling, reserved, spent } = account
    if (reserved + spent > ceiling) this.find(`${id}: ${reserved} reserved and ${spent} spent of ${ceiling}`)
  }

  /** Each run is one process's, and none writes once it was replaced. */
  #wrote(process: Process, epoch: number, session: Log.Summary, row: Row.Row): void {
    const run = `${session.id} in ${epoch}`
    if (epoch !== session.epoch) this.find(`${run}: a run that was replaced wrote row ${row.seq}`)
    else if (this.#writers.get(run) !== process) this.find(`${run}: ${process.name} wrote row ${row.seq} of another`)
  }

  /** What was decided is what the row says; an approval counts once there are enough. */
  #decided({ space }: Disk, { body }: Row.Row): void {
    const ticket = body.kind === "decided" ? space.tickets.get(body.ticket) : undefined
    if (body.kind !== "decided" || ticket === undefined) return this.find("a decision about no ticket")
    if (body.decision === "denied") this.#denied.add(`${ticket.session} ${ticket.act} ${ticket.args}`)
    else if (ticket.state === "approved") this.#approved.add(ticket.id)
  }

  #control(action: Store.Control["action"], top: string): void {
    if (action !== "resume") return this.#stop(top, action === "cancel" ? `${top} was cancelled` : paused)
    for (const [id, why] of this.#stopped) if (Transition.isWithin(id, top) && why === paused) this.#stopped.delete(id)
  }

  /** Nothing may begin any more in the session and below it. What had stopped before is not stopped again. */
  #stop(top: string, why: string): void {
    for (const id of this.#tokens.keys()) {
      const before = this.#stopped.get(id)
      if (Transition.isWithin(id, top) && (before === undefined || before === paused)) this.#stopped.set(id, why)
    }
  }

  #began(disk: Disk, process: Process, commit: Store.Begin, row: Row.Row): void {
    const { body } = commit.intent
    if (body.kind !== "intent") return this.find(`row ${row.seq} of ${commit.session} is no intent`)
    const { act, args } = body
    const what = `${act} at ${commit.session}/${row.seq}`
    const why = this.#stopped.get(commit.session)
    if (why !== undefined) this.find(`${what} began although ${why}`)
    if (this.#denied.has(`${commit.session} ${act} ${args}`)) this.find(`${what} began although it was denied`)
    for (const id of above(commit.session)) {
      if (this.#revoked.has(this.#tokens.get(id) ?? "")) this.find(`${what} began although ${id} was revoked`)
    }
    const place = `${commit.session} ${placeOf(commit.key)}`
    const rule = commit.rule === undefined ? undefined : disk.space.rules.get(commit.rule.id)
    if (rule !== undefined) this.#ruled(what, rule, row.at)
    else if (irreversible.has(act)) this.#consented(what, place, commit)
    this.#begun.set(`${commit.session}/${row.seq}`, { act: place, at: process.machine.now, process })
  }

  /** Approved in advance, for the time and the number of times that people agreed to. */
  #ruled(what: string, { id, state, terms }: Rule.Rule, at: number): void {
    const uses = (this.#uses.get(id) ?? 0) + 1
    this.#uses.set(id, uses)
    if (uses > terms.maxUses) this.find(`${what} began by rule ${id}, used ${uses} times of ${terms.maxUses}`)
    if (state !== "standing" || at >= terms.expiresAt) this.find(`${what} began by rule ${id}, which is ${state}`)
  }

  /** Approved, and on a ticket that served no act, or this one before, which may be done once more. */
  #consented(what: string, place: string, { intent, ticket }: Store.Begin): void {
    if (ticket === null || !this.#approved.has(ticket.id)) return this.find(`${what} began without an approval`)
    const used = this.#used.get(ticket.id)
    const isKeyed = intent.body.kind === "intent" && intent.body.act === Charge.name
    const isAgain = used === place && (isKeyed || this.#again.delete(place))
    if (used !== undefined && !isAgain) this.find(`${what} began on ticket ${ticket.id}, used before`)
    this.#used.set(ticket.id, place)
  }

  /** A tool had its effect: it was said before that it would, on the disk, and an irreversible one has it once. */
  written(disk: Disk, { answer, number, order, stamp, tool }: Entry): void {
    const what = `${tool} ${order} (${number})`
    const slash = stamp.lastIndexOf("/")
    const args = digest.sha256(digest.canonical({ order }))
    const row = disk.rows(stamp.slice(0, slash)).find(({ seq }) => seq === Number(stamp.slice(slash + 1)))
    if (row?.body.kind !== "intent" || row.body.act !== tool || row.body.args !== args) {
      this.find(`${what} was done, and no row said that it would be`)
    }
    if (this.#effects.has(stamp)) this.find(`${what} was done twice for ${stamp}`)
    this.#effects.add(stamp)
    const act = this.#begun.get(stamp)?.act
    if (!irreversible.has(tool) || act === undefined || answer._tag === "failed") return
    if (this.#forGood.has(act)) this.find(`${what} cannot be undone and was done before, at ${act}`)
    this.#forGood.add(act)
  }

  /** What the database said that it took, and has not. */
  forgotten(disk: Disk): ReadonlyArray<string> {
    const rows = new Map(disk.sessions.map(({ id }) => [id as string, disk.rows(id)]))
    return [...this.#acknowledged].flatMap(([stamp, hash]) => {
      const slash = stamp.lastIndexOf("/")
      const row = rows.get(stamp.slice(0, slash))?.[Number(stamp.slice(slash + 1))]
      return row?.hash === hash ? [] : [`row ${stamp} was said to be taken, and is not there`]
    })
  }

  /** Session and place of the act that an attempt is at. */
  placeOf(stamp: string): string | undefined {
    return this.#begun.get(stamp)?.act
  }

  /** Whether an attempt cannot take effect any more: its process is dead, or has long been done with it. */
  isOver(stamp: string, busy: ReadonlySet<string>, now: number): boolean {
    const begun = this.#begun.get(stamp)
    if (begun === undefined || begun.process.state === "dead") return begun !== undefined
    return begun.process.state === "runs" && !busy.has(stamp) && now - begun.at > longestWayMs
  }
}

// internal

const paused = "it was paused"
/** No answer of the database is under way for longer. */
const longestWayMs = 40_000

const placeOf = (key: string) => key.replace(/~\d+$/, "")

/** The session and every one above it. */
const above = (session: string): ReadonlyArray<string> => {
  const parts = session.split(".")
  return parts.map((_, index) => parts.slice(0, index + 1).join("."))
}
