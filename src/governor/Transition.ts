/**
 * What a commit means: the one place where durable state changes, as a function over a workspace. A store loads the
 * workspace that `reads` asks for, applies, and saves what is `dirty`, all in one transaction.
 *
 * Every check comes before the first change, so a rejected commit leaves its workspace untouched and the next commit of
 * the same group can go on with it.
 */
import { Result } from "effect"
import { Ticket } from "../approval/index.ts"
import { type Digest, Installation, type Log } from "../audit/index.ts"
import * as Acts from "./Acts.ts"
import * as Consent from "./Consent.ts"
import * as Lives from "./Lives.ts"
import * as State from "./State.ts"
import type { Commit, Committed, Rejected } from "./Store.ts"
import {
  active,
  append,
  current,
  keep,
  type Of,
  type Outcome,
  putRule,
  putTicket,
  reject,
  wake,
  type Workspace
} from "./Workspace.ts"

export { type Reads, reads } from "./Reads.ts"
export { actKey, isOver, isWithin, recordKey, rootOf, wakeKey, type Workspace, workspace } from "./Workspace.ts"

/** Applies one commit at `at` (epoch milliseconds). */
export const apply = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  commit: Commit,
  at: number
): Result.Result<Committed, Rejected> => {
  switch (commit._tag) {
    case "Open":
      return Lives.open(digest, space, commit, at)
    case "Claim":
      return Lives.claim(digest, space, commit, at)
    case "Begin":
      return Acts.begin(digest, space, commit, at)
    case "Finish":
      return Acts.finish(digest, space, commit, at)
    case "Settle":
      return Acts.settle(digest, space, commit, at)
    case "Append":
      return Lives.appended(digest, space, commit, at)
    case "Checkpoint":
      return checkpoint(digest, space, commit, at)
    case "Propose":
      return propose(digest, space, commit, at)
    case "Decide":
      return change(
        digest,
        space,
        commit.session,
        at,
        ({ status }) => Consent.decided(space.tickets.get(commit.ticket), status, commit, at)
      )
    case "Expire":
      return change(
        digest,
        space,
        commit.session,
        at,
        () => Consent.expired(space.tickets.get(commit.ticket), commit, at)
      )
    case "MakeRule":
      return change(
        digest,
        space,
        Installation.id,
        at,
        () => Consent.ruleMade(digest, space.rules.get(commit.rule), commit, at)
      )
    case "ApproveRule":
      return change(
        digest,
        space,
        Installation.id,
        at,
        () => Consent.ruleApproved(digest, space.rules.get(commit.rule), commit, at)
      )
    case "RevokeRule":
      return change(
        digest,
        space,
        Installation.id,
        at,
        () => Consent.ruleRevoked(digest, space.rules.get(commit.rule), commit, at)
      )
    case "Control":
      return Lives.control(digest, space, commit, at)
    case "Revoke":
      return Result.map(current(space, commit.session, null), (session) => {
        space.revoked.add(commit.token)
        space.dirty.revoked.add(commit.token)
        return append(digest, space, session, commit.row, at)
      })
  }
}

// internal

const checkpoint = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  commit: Of<"Checkpoint">,
  at: number
): Outcome => {
  const found = active(space, commit.session, commit.epoch)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const unfit = State.unfit(commit)
  if (unfit !== undefined) return Result.fail(unfit)
  let last: Committed | undefined
  for (const { body, whenAt } of State.save(digest, space, commit, found.success)) {
    last = append(digest, space, last?.session ?? found.success, { key: null, body }, at)
    whenAt(last.row.seq)
  }
  State.compact(space, commit)
  return last === undefined ? reject("stale", "there is nothing to save") : Result.succeed(last)
}

const propose = (digest: Digest.Digest["Service"], space: Workspace, commit: Of<"Propose">, at: number): Outcome => {
  const found = active(space, commit.session, commit.epoch)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const ticket = Consent.proposed(space.tickets, commit, at)
  if (Result.isFailure(ticket)) return Result.fail(ticket.failure)
  putTicket(space, ticket.success)
  keep(space, commit.payloads)
  return Result.succeed(append(digest, space, found.success, commit.row, at))
}

/** What people did about a ticket or a rule, kept and recorded in the chain that it belongs to. */
const change = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  chain: string,
  at: number,
  judge: (session: Log.Summary) => Result.Result<Consent.Change, Rejected>
): Outcome => {
  const session = current(space, chain, null)
  if (Result.isFailure(session)) return Result.fail(session.failure)
  const judged = judge(session.success)
  if (Result.isFailure(judged)) return Result.fail(judged.failure)
  const { body, payload, rule, ticket } = judged.success
  if (ticket !== undefined) putTicket(space, ticket)
  if (rule !== undefined) putRule(space, rule)
  if (payload !== undefined) keep(space, [payload])
  if (ticket !== undefined && ticket.state !== "proposed") wake(space, ticket.session, Ticket.reasonOf(ticket), at)
  const done = append(digest, space, session.success, { key: null, body }, at)
  return Result.succeed({ ...done, ...(ticket && { ticket }), ...(rule && { rule }) })
}
