/** The part of the durable state that a group of commits touches, and the small changes that every commit is made of. */
import { Result } from "effect"
import type { Rule, Ticket } from "../approval/index.ts"
import { Chain, type Digest, type Log, type Row } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import type { Account } from "../cost/index.ts"
import * as Crowd from "./Crowd.ts"
import * as State from "./State.ts"
import {
  type Act,
  type Change,
  type Commit,
  type Committed,
  type Kept,
  type Payload,
  type RecordKey,
  Rejected,
  type Wake
} from "./Store.ts"

/** How acts are keyed in a workspace. */
export const actKey = (session: string, key: string): string => `${session} ${key}`

/** The session at the top of a session's tree: what is woken, and what operators pause. */
export const rootOf = (session: Claims.SessionId): Claims.SessionId =>
  Claims.SessionId.make(session.split(".", 1)[0] ?? session)

/** Whether `session` is `other` or below it. */
export const isWithin = (session: string, other: string): boolean =>
  session === other || session.startsWith(`${other}.`)

/** Whether the status is one that a session keeps. */
export const isOver = (status: Log.Status): boolean =>
  status === "succeeded" || status === "failed" || status === "abandoned" || status === "cancelled"

/** How wakes are keyed in a workspace. */
export const wakeKey = (wake: Pick<Wake, "session" | "reason">): string => `${wake.session} ${wake.reason}`

/** How records are keyed in a workspace. */
export const recordKey = ({ id, kind }: RecordKey): string => `${kind} ${id}`

/** The part of the durable state that a group of commits touches. */
export interface Workspace extends State.Space {
  readonly sessions: Map<string, Log.Summary>
  readonly accounts: Map<string, Account.Account>
  readonly tickets: Map<string, Ticket.Ticket>
  readonly rules: Map<string, Rule.Rule>
  readonly acts: Map<string, Act>
  readonly revoked: Set<string>
  readonly rows: Array<Row.Row>
  readonly payloads: Map<string, string>
  /** Wakes that were added; in a store that keeps its workspace, all there are. */
  readonly wakes: Map<string, Wake>
  /** Trees that a run took, and up to which instant: wakes that were due by then are done. */
  readonly taken: Map<string, number>
  readonly records: Map<string, Kept>
  readonly crowd: Crowd.Crowd
  /** Uses of rules that were consumed. */
  readonly uses: Array<Rule.Use>
  /** Keys of what changed. */
  readonly dirty: State.Space["dirty"] & {
    readonly sessions: Set<string>
    readonly accounts: Set<string>
    readonly tickets: Set<string>
    readonly rules: Set<string>
    readonly acts: Set<string>
    readonly revoked: Set<string>
    readonly records: Set<string>
  }
}

/** A workspace with nothing loaded. */
export const workspace = (): Workspace => ({
  sessions: new Map(),
  accounts: new Map(),
  tickets: new Map(),
  rules: new Map(),
  acts: new Map(),
  revoked: new Set(),
  rows: [],
  payloads: new Map(),
  wakes: new Map(),
  taken: new Map(),
  records: new Map(),
  crowd: { children: new Map(), live: new Map() },
  uses: [],
  memories: new Map(),
  threads: new Map(),
  dirty: {
    sessions: new Set(),
    accounts: new Set(),
    tickets: new Set(),
    rules: new Set(),
    acts: new Set(),
    revoked: new Set(),
    records: new Set(),
    memories: new Map(),
    threads: new Map(),
    ended: new Set()
  }
})

export type Of<Tag extends Commit["_tag"]> = Extract<Commit, { readonly _tag: Tag }>

export type Outcome = Result.Result<Committed, Rejected>

export const reject = (why: Rejected["why"], detail: string): Result.Result<never, Rejected> =>
  Result.fail(new Rejected({ why, detail }))

export const current = (space: Workspace, id: string, epoch: number | null): Result.Result<Log.Summary, Rejected> => {
  const session = space.sessions.get(id)
  if (session === undefined) return reject("no_such_session", `there is no session ${id}`)
  if (epoch !== null && epoch !== session.epoch) {
    return reject("fenced", `run ${epoch} of ${id} was replaced by run ${session.epoch}`)
  }
  return Result.succeed(session)
}

/** The session, if acts may start in it: a run that ended or waits starts none, whoever kept a hold of it. */
export const active = (space: Workspace, id: string, epoch: number): Result.Result<Log.Summary, Rejected> =>
  Result.flatMap(
    current(space, id, epoch),
    (session) =>
      session.status === "running" ? Result.succeed(session) : reject("fenced", `session ${id} is ${session.status}`)
  )

export const append = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  session: Log.Summary,
  draft: Row.Draft,
  at: number
): Committed => {
  const head = { seq: session.seq, hash: session.head }
  const row = Chain.seal(digest, head, { session: session.id, at }, draft)
  const next = { ...session, seq: row.seq + 1, head: row.hash }
  space.rows.push(row)
  if (next.parent !== null) {
    Crowd.count(space.crowd, rootOf(session.id), { before: space.sessions.get(session.id), after: next })
  }
  space.sessions.set(session.id, next)
  space.dirty.sessions.add(session.id)
  if (isOver(next.status)) State.drop(space, session.id)
  return { row, session: next }
}

export const keep = (space: Workspace, payloads: ReadonlyArray<Payload>) => {
  for (const payload of payloads) space.payloads.set(payload.hash, payload.text)
}

export const putAct = (space: Workspace, act: Act) => {
  const key = actKey(act.session, act.key)
  space.acts.set(key, act)
  space.dirty.acts.add(key)
}

export const putTicket = (space: Workspace, ticket: Ticket.Ticket) => {
  space.tickets.set(ticket.id, ticket)
  space.dirty.tickets.add(ticket.id)
}

export const putRule = (space: Workspace, rule: Rule.Rule) => {
  space.rules.set(rule.id, rule)
  space.dirty.rules.add(rule.id)
}

export const putAccount = (space: Workspace, account: Account.Account) => {
  space.accounts.set(account.id, account)
  space.dirty.accounts.add(account.id)
}

/** A record that is taken away is dirty and not there. */
export const putRecord = (space: Workspace, { id, kind, next, version }: Change) => {
  const key = recordKey({ kind, id })
  if (next === null) space.records.delete(key)
  else space.records.set(key, { kind, id, version: version + 1, ...next })
  space.dirty.records.add(key)
}

/** A tree that ended is not run again, whatever becomes due in it. */
export const wake = (space: Workspace, session: Claims.SessionId, reason: string, due: number) => {
  const added = { session: rootOf(session), reason, due }
  const root = space.sessions.get(added.session)
  if (root === undefined || !isOver(root.status)) space.wakes.set(wakeKey(added), added)
}

/** Wakes of the tree that were due by `until` are done. */
export const take = (space: Workspace, root: Claims.SessionId, until: number) => {
  for (const [key, { due, session }] of space.wakes) {
    if (session === root && due <= until) space.wakes.delete(key)
  }
  space.taken.set(root, until)
}
