/** How acts begin and come to an end: with the money they hold, the ticket they use, and the attempt that they repeat. */
import { Result } from "effect"
import { Ticket } from "../approval/index.ts"
import type { Digest, Log, Row } from "../audit/index.ts"
import { Account } from "../cost/index.ts"
import * as Consent from "./Consent.ts"
import { pointer } from "./Remembering.ts"
import * as State from "./State.ts"
import type { Act, Begin, Rejected, Settle } from "./Store.ts"
import {
  active,
  actKey,
  append,
  current,
  isOver,
  keep,
  type Of,
  type Outcome,
  putAccount,
  putAct,
  putRecord,
  putRule,
  putTicket,
  recordKey,
  reject,
  wake,
  type Workspace
} from "./Workspace.ts"

export const begin = (digest: Digest.Digest["Service"], space: Workspace, commit: Begin, at: number): Outcome => {
  const found = active(space, commit.session, commit.epoch)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  if (space.acts.has(actKey(commit.session, commit.key))) {
    return reject("already_begun", `the act at ${commit.key} has already begun`)
  }
  const revoked = commit.tokens.find((token) => space.revoked.has(token))
  if (revoked !== undefined && !commit.lenient) {
    const own = revoked === commit.tokens.at(-1)
    return reject(own ? "revoked" : "ancestor_revoked", `token ${revoked} is revoked`)
  }
  const before = commit.after === null ? undefined : space.acts.get(actKey(commit.session, commit.after))
  const agreed = Consent.agreed(space, commit, before, at)
  if (Result.isFailure(agreed)) return Result.fail(agreed.failure)
  const objection = commit.after === null ? undefined : unrepeatable(commit, before)
  if (objection !== undefined) return reject("stale", objection)
  const accounts = reserved(space, commit)
  if (Result.isFailure(accounts)) return Result.fail(accounts.failure)

  for (const account of accounts.success) putAccount(space, account)
  const { intent, rule, ticket } = agreed.success
  const session = before === undefined ? found.success : supersede(digest, space, found.success, before, at)
  if (ticket !== undefined) putTicket(space, { ...ticket, state: "executing" })
  keep(space, commit.payloads)
  const done = append(digest, space, session, intent, at)
  if (rule !== undefined) {
    putRule(space, rule)
    space.uses.push({ rule: rule.id, use: rule.uses, session: commit.session, seq: done.row.seq, at })
  }
  putAct(space, {
    session: commit.session,
    key: commit.key,
    ...asked(intent),
    intent: done.row.seq,
    reserved: commit.reserve,
    accounts: accounts.success.map((account) => account.id),
    ticket: commit.ticket?.id ?? null,
    repeat: commit.repeat,
    state: "running"
  })
  return Result.succeed(rule === undefined ? done : { ...done, rule })
}

export const finish = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  commit: Of<"Finish">,
  at: number
): Outcome => {
  const found = current(space, commit.session, commit.epoch)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const act = space.acts.get(actKey(commit.session, commit.key))
  if (act?.state !== "running") return reject("not_begun", `no act is running at ${commit.key}`)
  const memory = State.remembering(space, commit)
  if (Result.isFailure(memory)) return Result.fail(memory.failure)

  const end = ending(commit.outcome)
  const isOpen = end === "unknown" && act.repeat !== "always"
  const held = isOpen ? Math.max(0, act.reserved - commit.spent) : 0
  for (const id of act.accounts) {
    const account = space.accounts.get(id)
    if (account !== undefined) putAccount(space, Account.settle(account, act.reserved - held, commit.spent))
  }
  const ticket = act.ticket === null ? undefined : space.tickets.get(act.ticket)
  if (ticket !== undefined) putTicket(space, { ...ticket, state: end })
  putAct(space, { ...act, reserved: held, state: isOpen ? "unknown" : "finished" })
  if (!isOver(found.success.status)) State.remember(space, commit, memory.success)
  keep(space, commit.payloads)
  const done = append(digest, space, found.success, commit.outcome, at)
  const { body } = done.row
  // The last one to write counts, whoever wrote before it.
  for (const key of Object.keys(body.kind === "outcome" ? body.lasting ?? {} : {})) {
    const version = space.records.get(recordKey({ kind: "memory", id: key }))?.version ?? 0
    putRecord(space, pointer(key, version, done.row))
  }
  return Result.succeed(done)
}

export const settle = (digest: Digest.Digest["Service"], space: Workspace, commit: Settle, at: number): Outcome => {
  const found = current(space, commit.session, commit.epoch)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const { choice } = commit.decision
  const act = space.acts.get(actKey(commit.session, commit.key))
  if (act === undefined || act.intent !== commit.intent) {
    return reject("stale", `no act began at ${commit.session}/${commit.intent}`)
  }
  if (act.state !== "unknown") return reject("stale", `the outcome of ${act.name} is not open: the act is ${act.state}`)
  const { status } = found.success
  if (choice === "retry" && isOver(status)) {
    return reject("stale", `session ${commit.session} is ${status}: it does nothing more`)
  }

  const spent = commit.spent ?? act.reserved
  pay(space, act, spent)
  const ticket = act.ticket === null ? undefined : space.tickets.get(act.ticket)
  if (ticket?.state === "unknown") putTicket(space, decided(ticket, act.key, commit.decision, at))
  putAct(space, { ...act, reserved: 0, state: choice === "retry" ? "retry" : "finished" })
  // A run that found out itself goes on with it.
  if (commit.epoch === null && !isOver(status)) {
    wake(space, commit.session, `settled/${commit.session}/${commit.intent}`, at)
  }
  keep(space, commit.payloads)
  return Result.succeed(append(digest, space, found.success, settled(act, commit.decision, spent), at))
}

// internal

/** Which act an intent is about, and on which arguments. */
const asked = ({ body }: Row.Draft) =>
  body.kind === "intent" ? { name: body.act, args: body.args } : { name: "", args: "" }

/** Why the attempt before may not be repeated; `undefined` when it may. */
const unrepeatable = (commit: Begin, before: Act | undefined): string | undefined => {
  const { args, name } = asked(commit.intent)
  if (before === undefined || before.name !== name || before.args !== args) {
    return `the attempt at ${commit.after} was another act`
  }
  if (before.state === "retry" || (before.state === "unknown" && before.repeat !== "never")) return undefined
  return `the attempt at ${commit.after} is ${before.state}, and nobody said that it may be repeated`
}

/** Closes the attempt before. Nobody knows what a lost one cost: all that it held is spent. */
const supersede = (
  digest: Digest.Digest["Service"],
  space: Workspace,
  session: Log.Summary,
  before: Act,
  at: number
): Log.Summary => {
  putAct(space, { ...before, reserved: 0, state: "finished" })
  const isPlain = before.repeat === "always"
  if (before.state === "retry" || (isPlain && before.reserved === 0)) return session
  pay(space, before, before.reserved)
  const decision = {
    choice: "retry",
    from: "governor",
    by: "governor",
    reason: isPlain ? "it can be undone and is done again" : "it is done again under the same idempotency key",
    result: null
  } as const
  return append(digest, space, session, settled(before, decision, before.reserved), at).session
}

type Decision = Pick<typeof Row.Settled.Type, "choice" | "from" | "by" | "reason" | "result" | "detected">

/** Ends the hold of an act on its accounts. */
const pay = (space: Workspace, act: Act, spent: number) => {
  for (const id of act.accounts) {
    const account = space.accounts.get(id)
    if (account !== undefined) putAccount(space, Account.settle(account, act.reserved, spent))
  }
}

const settled = (act: Act, decision: Decision, costMicroUsd: number): Row.Draft => ({
  key: act.key,
  body: {
    kind: "settled",
    act: act.name,
    intent: act.intent,
    ...decision,
    // A row from before arguments were kept beside acts has none here.
    args: act.args === "" ? null : act.args as Digest.Hash,
    costMicroUsd
  }
})

const reserved = (space: Workspace, commit: Begin): Result.Result<ReadonlyArray<Account.Account>, Rejected> => {
  const next: Array<Account.Account> = []
  for (const id of new Set(commit.accounts)) {
    const account = space.accounts.get(id)
    if (account === undefined) return reject("over_budget", `there is no account ${id}`)
    const after = Account.reserve(account, commit.reserve)
    if (after !== null) next.push(after)
    else if (commit.lenient) next.push({ ...account, reserved: account.reserved + commit.reserve })
    else {
      return reject(
        "over_budget",
        `${id}: ${commit.reserve} micro-dollars wanted, ${Account.left(account)} of ${account.ceiling} left`
      )
    }
  }
  return Result.succeed(next)
}

/** A time-out, an interruption or a crash in mid-act leaves open whether it happened. */
const ending = (outcome: Row.Draft): Ticket.State => {
  const status = outcome.body.kind === "outcome" ? outcome.body.status : "crashed"
  return status === "succeeded" || status === "failed" ? status : "unknown"
}

/**
 * The ticket after a decision. Only an operator's retry gives it new time: a probe makes no approval outlive it. What took
 * more than one person to approve, one person has not repeated: the act asks for a new approval.
 */
const decided = (ticket: Ticket.Ticket, key: string, decision: Settle["decision"], at: number): Ticket.Ticket => {
  if (decision.choice !== "retry") return { ...ticket, state: decision.choice === "done" ? "succeeded" : "failed" }
  if (decision.from === "operator" && ticket.votes.length > 1) return { ...ticket, state: "expired" }
  const lifetime = Math.max(0, ticket.expiresAt - ticket.proposedAt)
  return Ticket.renew(ticket, key, decision.from === "operator" ? at + lifetime : ticket.expiresAt)
}
