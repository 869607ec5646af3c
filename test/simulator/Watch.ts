/**
 * Watches a simulation while it runs: every commit that the database takes and every effect that a tool has. It keeps books
 * of its own and knows nothing of how the log is written, only what may not happen, whatever else does.
 */
import { digest } from "../../layers/node/Digest.ts"
import type { Log, Row } from "../../src/audit/index.ts"
import { type Store, Transition } from "../../src/governor/index.ts"
import type { Disk } from "./Disk.ts"
import type { Entry } from "./Ledger.ts"
import type { Process } from "./Machine.ts"
import { irreversible } from "./Shop.ts"

/** An act that began. */
interface Begun {
  readonly session: string
  /** Where it stands in its run, in every attempt. */
  readonly place: string
  readonly ticket: string | null
}

interface Account {
  readonly ceiling: number
  reserved: number
  spent: number
}

/** The watch. */
export class Watch {
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
  readonly #effects = new Set<string>()
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
  taken(process: Process, commit: Store.Commit, { row, session }: Store.Committed): void {
    if ("epoch" in commit && commit.epoch !== null) this.#wrote(process, commit.epoch, session, row)
    switch (commit._tag) {
      case "Open":
        return this.#opened(commit)
      case "Claim":
        this.#writers.set(`${session.id} in ${session.epoch}`, process)
        return
      case "Begin":
        return this.#began(commit, row)
      case "Finish":
        return this.#finished(commit, session)
      case "Append":
        if (commit.status !== null && Transition.isOver(commit.status)) {
          this.#stop(session.id, `${session.id} had ended`)
        }
        return
      case "Decide":
        return this.#decided(commit.ticket)
      case "Revoke":
        this.#revoked.add(commit.token)
        return
      case "Control":
        return this.#control(commit.action, session.id)
    }
  }

  /** Each run is one process's, and none writes once it was replaced. */
  #wrote(process: Process, epoch: number, session: Log.Summary, row: Row.Row): void {
    const run = `${session.id} in ${epoch}`
    if (epoch !== session.epoch) this.find(`${run}: a run that was replaced wrote row ${row.seq}`)
    else if (this.#writers.get(run) !== process) this.find(`${run}: ${process.name} wrote row ${row.seq} of another`)
  }

  #opened({ accounts, genesis, session }: Store.Open): void {
    if (genesis.body.kind === "genesis") this.#tokens.set(session.id, genesis.body.token)
    for (const { ceiling, id } of accounts) {
      if (!this.#accounts.has(id)) this.#accounts.set(id, { ceiling, reserved: 0, spent: 0 })
    }
  }

  #finished({ outcome, spent }: Store.Finish, session: Log.Summary): void {
    const stamp = `${session.id}/${outcome.body.kind === "outcome" ? outcome.body.intent : "none"}`
    this.#move(session.accounts, -(this.#held.get(stamp) ?? 0), spent)
    this.#held.delete(stamp)
  }

  #decided({ act, args, id, session, state }: Store.Decide["ticket"]): void {
    if (state === "approved") this.#approved.add(id)
    if (state === "denied") this.#denied.add(`${session} ${act} ${args}`)
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

  #began(commit: Store.Begin, row: Row.Row): void {
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
    const place = commit.key.replace(/~\d+$/, "")
    this.#begun.set(`${commit.session}/${row.seq}`, { session: commit.session, place, ticket })
    this.#held.set(`${commit.session}/${row.seq}`, commit.reserve)
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

  /** A tool had its effect: it was said before that it would, on the disk, and an irreversible one has it once. */
  written(disk: Disk, { number, order, stamp, tool }: Entry): void {
    const what = `${tool} ${order} (${number})`
    const slash = stamp.lastIndexOf("/")
    const args = digest.sha256(digest.canonical({ order }))
    const row = disk.rows(stamp.slice(0, slash)).find(({ seq }) => seq === Number(stamp.slice(slash + 1)))
    if (row?.body.kind !== "intent" || row.body.act !== tool || row.body.args !== args) {
      this.find(`${what} was done, and no row said that it would be`)
    }
    if (this.#effects.has(stamp)) this.find(`${what} was done twice for ${stamp}`)
    this.#effects.add(stamp)
    const begun = this.#begun.get(stamp)
    if (!irreversible.has(tool) || begun === undefined) return
    const { place, session, ticket } = begun
    for (const key of [`${session} ${place}`, `${session} ${tool} ${order} ${ticket}`]) {
      if (this.#forGood.has(key)) this.find(`${what} cannot be undone and was done before: ${key}`)
      this.#forGood.add(key)
    }
  }
}

// internal

const paused = "it was paused"

/** The session and every one above it. */
const above = (session: string): ReadonlyArray<string> => {
  const parts = session.split(".")
  return parts.map((_, index) => parts.slice(0, index + 1).join("."))
}
