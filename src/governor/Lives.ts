/** How sessions begin, go on and end: with everything below them, and with what wakes them. */
import { Array as Arr, Result } from "effect"
import type { Digest, Log, Row } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import { Account } from "../cost/index.ts"
import * as Crowd from "./Crowd.ts"
import * as State from "./State.ts"
import type { Rejected } from "./Store.ts"
import {
  active,
  append,
  current,
  isOver,
  isWithin,
  keep,
  type Of,
  type Outcome,
  putAccount,
  putAct,
  putRecord,
  putTicket,
  recordKey,
  reject,
  rootOf,
  take,
  wake,
  type Workspace
} from "./Workspace.ts"

export const open = (digest: Digest.Digest["Service"], space: Workspace, commit: Of<"Open">, at: number): Outcome => {
  const { id, parent } = commit.session
  if (space.sessions.has(id)) return reject("session_exists", `session ${id} exists already`)
  if (parent !== null) {
    const status = space.sessions.get(parent)?.status ?? "missing"
    if (status !== "running") return reject("parent_stopped", `session ${parent} is ${status} and starts no children`)
    const full = Crowd.full(space.crowd, { parent, root: rootOf(parent) }, commit.bounds ?? Claims.standardFanOut)
    if (full !== undefined) return reject("too_many_children", full)
  }
  const origin = commit.origin === undefined ? undefined : current(space, commit.origin.session, null)
  if (origin !== undefined && Result.isFailure(origin)) return Result.fail(origin.failure)
  if (parent === null && commit.session.status === "running") wake(space, id, "start", at)
  for (const { ceiling, id } of commit.accounts) {
    if (!space.accounts.has(id)) putAccount(space, Account.open(id, ceiling))
  }
  keep(space, commit.payloads)
  if (origin !== undefined && commit.origin !== undefined) {
    append(digest, space, origin.success, commit.origin.row, at)
    State.begin(space, id, commit.origin.memory)
  }
  return Result.succeed(append(digest, space, commit.session, commit.genesis, at))
}

export const claim = (digest: Digest.Digest["Service"], space: Workspace, commit: Of<"Claim">, at: number): Outcome =>
  Result.flatMap(current(space, commit.session, null), (session) => {
    if (session.status !== "running" && session.status !== "waiting") {
      return reject("fenced", `session ${commit.session} is ${session.status}`)
    }
    take(space, commit.session, at)
    const epoch = session.epoch + 1
    const started: Row.Draft = { key: null, body: { kind: "started", epoch } }
    let last = append(digest, space, { ...session, epoch, status: "running" }, started, at)
    for (const act of [...space.acts.values()].toSorted((one, other) => one.intent - other.intent)) {
      if (act.session !== commit.session || act.state !== "running") continue
      putAct(space, { ...act, state: "unknown" })
      const ticket = act.ticket === null ? undefined : space.tickets.get(act.ticket)
      if (ticket !== undefined) putTicket(space, { ...ticket, state: "unknown" })
      const lost: Row.Draft = { key: act.key, body: { kind: "unknown", act: act.name, intent: act.intent } }
      last = append(digest, space, last.session, lost, at)
    }
    return Result.succeed(last)
  })

export const appended = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  commit: Of<"Append">,
  at: number
): Outcome =>
  // A run's last word counts only while its session runs: an operator may have stopped it meanwhile.
  Result.map(Result.flatMap(concluding(space, commit), unchanged(space, commit)), (session) => {
    keep(space, commit.payloads)
    for (const change of commit.keep ?? []) putRecord(space, change)
    const next = { ...session, status: commit.status ?? session.status, result: commit.result ?? session.result }
    if (commit.wakeAt !== undefined) wake(space, session.id, `timer/${session.seq}`, commit.wakeAt)
    const done = append(digest, space, next, commit.row, at)
    if (isOver(next.status)) endBelow(digest, space, session.id, at)
    return done
  })

export const control = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  commit: Of<"Control">,
  at: number
): Outcome => {
  const { action, by, cause, reason } = commit
  const found = current(space, commit.session, commit.run ?? null)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  // A child cannot rest while its parent waits for it: trees are paused as a whole.
  const top = action === "cancel" ? commit.session : rootOf(commit.session)
  const { from, to } = controls[action]
  const isAtStake = space.sessions.get(top)
  const isMoved = ({ status }: Log.Summary) => from.some((state) => state === status)
  if (isAtStake === undefined || !isMoved(isAtStake)) {
    return reject("stale", `session ${top} is ${isAtStake?.status ?? "missing"}: there is nothing to ${action}`)
  }
  if (cause !== undefined) append(digest, space, found.success, { key: null, body: cause }, at)
  const first = space.sessions.get(top) ?? isAtStake
  if (action === "cancel") {
    const why = `cancelled by ${by}: ${reason}`
    const body: Row.Body = { kind: "ended", status: "cancelled", result: null, reason: why }
    const done = append(digest, space, { ...first, status: "cancelled" }, { key: null, body }, at)
    endBelow(digest, space, top, at, why)
    // A parent may be waiting for a ticket of the child that is no more.
    if (top !== rootOf(top)) wake(space, top, `cancelled/${top}`, at)
    return Result.succeed(done)
  }
  const below = [...space.sessions.values()].filter((session) => session.id.startsWith(`${top}.`) && isMoved(session))
  const body: Row.Body = { kind: "noted", what: action === "pause" ? "paused" : "resumed", by, detail: reason }
  const moved: Arr.NonEmptyReadonlyArray<Log.Summary> = [first, ...below]
  const [done] = Arr.map(moved, (session) => append(digest, space, { ...session, status: to }, { key: null, body }, at))
  if (action === "resume") wake(space, top, `resumed/${done.session.seq}`, at)
  return Result.succeed(done)
}

// internal

const concluding = (space: Workspace, { epoch, session, status }: Of<"Append">): Result.Result<Log.Summary, Rejected> =>
  epoch === null || status === null ? current(space, session, epoch) : active(space, session, epoch)

/** Nothing is written over a record that is not as it was read. */
const unchanged = (space: Workspace, { keep = [] }: Of<"Append">) => (session: Log.Summary) => {
  for (const change of keep) {
    const version = space.records.get(recordKey(change))?.version ?? 0
    if (version !== change.version) {
      return reject("stale", `${change.kind} ${change.id} is at version ${version} by now`)
    }
  }
  return Result.succeed(session)
}

/** A session that ended runs its children no more: they end with it, with all that waits for people on their behalf. */
const endBelow = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  top: Claims.SessionId,
  at: number,
  reason = `session ${top} above it ended`
) => {
  const body: Row.Body = { kind: "ended", status: "cancelled", result: null, reason }
  for (const session of space.sessions.values()) {
    if (session.id === top || !isWithin(session.id, top) || isOver(session.status)) continue
    append(digest, space, { ...session, status: "cancelled" }, { key: null, body }, at)
  }
  const moot = [...space.tickets.values()].filter(({ session, state }) =>
    (state === "proposed" || state === "approved") && isWithin(session, top)
  )
  for (const ticket of moot) putTicket(space, { ...ticket, state: "expired", decidedAt: at })
  if (top === rootOf(top)) take(space, top, Number.MAX_SAFE_INTEGER)
  // Whoever is above may be waiting for a ticket that is no more.
  else if (moot.length > 0) wake(space, top, `ended/${top}`, at)
}

/** What an operator may do to a session in each state, and what it is afterwards. */
const controls = {
  cancel: { from: ["running", "waiting", "paused"], to: "cancelled" },
  pause: { from: ["running", "waiting"], to: "paused" },
  resume: { from: ["paused"], to: "running" }
} as const satisfies Record<string, { readonly from: ReadonlyArray<Log.Status>; readonly to: Log.Status }>
