/**
 * What people's decisions come to inside a commit: judged on locked state, at the time of the commit, so that neither a
 * race nor another clock decides. Nothing here changes anything: each function says what is to be kept, or why not.
 */
import { Result } from "effect"
import { Person, Policy, Rule, Ticket } from "../approval/index.ts"
import type { Digest, Log, Row } from "../audit/index.ts"
import {
  type Act,
  type ApproveRule,
  type Begin,
  type Decide,
  type Expire,
  type MakeRule,
  type Propose,
  Rejected,
  type RevokeRule
} from "./Store.ts"

/** What an act runs by, as it is to be kept: a ticket, one use of a rule, or nothing. */
export interface Agreed {
  readonly ticket: Ticket.Ticket | undefined
  readonly rule: Rule.Rule | undefined
  readonly intent: Row.Draft
}

/** A change of a ticket or of a rule, and the row that says so. */
export interface Change {
  readonly ticket?: Ticket.Ticket
  readonly rule?: Rule.Rule
  readonly body: Row.Body
  /** The text that the row names. */
  readonly payload?: { readonly hash: Digest.Hash; readonly text: string }
}

type Judged<A> = Result.Result<A, Rejected>

/** What was decided so far. */
interface Known {
  readonly tickets: ReadonlyMap<string, Ticket.Ticket>
  readonly rules: ReadonlyMap<string, Rule.Rule>
}

/**
 * What consent the act begins by; `before` is the lost attempt that it repeats. A denial of the same act in the same
 * session leaves none.
 */
export const agreed = (
  { rules, tickets }: Known,
  commit: Begin,
  before: Act | undefined,
  at: number
): Judged<Agreed> => {
  const { intent, session } = commit
  const ticket = commit.ticket === null ? undefined : tickets.get(commit.ticket.id)
  const unfit = commit.ticket === null ? undefined : unusable(commit, ticket, before, at)
  if (unfit !== undefined) return reject("ticket_unusable", `ticket ${commit.ticket?.id} is ${unfit}`)
  const rule = commit.rule === undefined ? undefined : rules.get(commit.rule.id)
  if (commit.rule !== undefined) {
    if (rule?.binding !== commit.rule.binding) return reject("rule_unusable", `rule ${commit.rule.id} is another`)
    if (!Rule.isUsable(rule, at)) return reject("rule_unusable", `rule ${rule.id} is ${Rule.standing(rule, at)}`)
  }
  const isNeeded = ticket !== undefined || rule !== undefined
  if (isNeeded && intent.body.kind === "intent" && isDenied(tickets, { ...intent.body, session })) {
    return reject("denied", denial(intent.body.act))
  }
  const used = rule === undefined ? undefined : { ...rule, uses: rule.uses + 1 }
  return Result.succeed({ ticket, rule: used, intent: naming(intent, ticket, used) })
}

/** Whether one more ticket may wait. */
export const proposed = (
  tickets: ReadonlyMap<string, Ticket.Ticket>,
  commit: Propose,
  at: number
): Judged<Ticket.Ticket> => {
  const { maxPending, maxPendingTree, session, ticket } = commit
  const root = Ticket.rootOf(session)
  const waiting = [...tickets.values()].filter((other) =>
    Ticket.rootOf(other.session) === root && Ticket.isOpen(other, at)
  )
  const own = waiting.filter((other) => other.session === session).length
  if (own >= maxPending) return reject("too_many_pending", `${own} tickets of this session wait already`)
  if (maxPendingTree !== undefined && waiting.length >= maxPendingTree) {
    const detail = `${waiting.length} tickets of this session, those above it and those below them wait already`
    return reject("too_many_pending", detail)
  }
  if (tickets.has(ticket.id)) return reject("stale", `there is a ticket ${ticket.id} already`)
  if (isDenied(tickets, { ...ticket, session })) return reject("denied", denial(ticket.act))
  // Nobody has decided yet, whatever the ticket says.
  return Result.succeed({ ...ticket, session, state: "proposed", votes: [], decidedAt: null })
}

/** The ticket after a vote. Nobody approves what can no longer run. */
export const decided = (
  ticket: Ticket.Ticket | undefined,
  status: Log.Status,
  commit: Decide,
  at: number
): Judged<Change> => {
  if (ticket?.session !== commit.session) return reject("stale", `ticket ${commit.ticket} is not of this session`)
  if (ticket.binding !== commit.binding) return reject("stale", "it is not what was shown")
  if (Ticket.isOverdue(ticket, at)) return reject("out_of_time", "its time ran out")
  const { approve, by, reason } = commit.vote
  return Result.match(Policy.judge(commit.policy, ticket, { ...commit.vote, at }), {
    onFailure: (why) => reject("undecidable", why),
    onSuccess: (ticket): Judged<Change> => {
      const hasEnded = status !== "running" && status !== "waiting" && status !== "paused"
      if (approve && hasEnded) return reject("undecidable", `its session ${status}`)
      const decision = approve ? "approved" : "denied"
      return Result.succeed({ ticket, body: { kind: "decided", ticket: ticket.id, decision, by, reason } })
    }
  })
}

/** The ticket after its time. */
export const expired = (ticket: Ticket.Ticket | undefined, { by, session, ticket: id }: Expire, at: number) => {
  if (ticket?.session !== session) return reject("stale", `ticket ${id} is not of this session`)
  if (!Ticket.isOverdue(ticket, at)) return reject("stale", `ticket ${id} is ${ticket.state}, and not overdue`)
  const reason = ticket.state === "approved" ? "it was approved, and not used in time" : "nobody decided in time"
  const change: Change = {
    ticket: { ...ticket, state: "expired", decidedAt: at },
    body: { kind: "decided", ticket: ticket.id, decision: "expired", by, reason }
  }
  return Result.succeed(change)
}

/** A new rule. */
export const ruleMade = (
  digest: Digest.Digest["Service"],
  existing: Rule.Rule | undefined,
  commit: MakeRule,
  at: number
): Judged<Change> => {
  const { policy, terms, vote } = commit
  if (existing !== undefined) return reject("stale", `there is a rule ${existing.id} already`)
  const fault = Person.fault(vote.by)
  if (fault !== null) return reject("undecidable", fault)
  if (terms.expiresAt <= at || terms.expiresAt > at + Rule.maxLifetimeMs) {
    return reject("undecidable", `a rule stands for up to ${Rule.maxLifetimeMs / day} days from now`)
  }
  const rule = Rule.make(digest, policy, { id: commit.rule, terms, vote: { ...vote, at } })
  return Result.succeed(changed(digest, rule, { ...vote, what: "made" }))
}

/** The rule after one more approval. */
export const ruleApproved = (
  digest: Digest.Digest["Service"],
  rule: Rule.Rule | undefined,
  { binding, policy, rule: id, vote }: ApproveRule,
  at: number
): Judged<Change> => {
  if (rule === undefined) return reject("no_such_rule", `there is no rule ${id}`)
  if (rule.binding !== binding) return reject("stale", "it is not what was shown")
  return Result.match(Rule.approve(policy, rule, { ...vote, at }), {
    onFailure: (why) => reject("undecidable", why),
    onSuccess: (rule): Judged<Change> => Result.succeed(changed(digest, rule, { ...vote, what: "approved" }))
  })
}

/** The rule, revoked. */
export const ruleRevoked = (
  digest: Digest.Digest["Service"],
  rule: Rule.Rule | undefined,
  { by, reason, rule: id }: RevokeRule,
  at: number
): Judged<Change> => {
  if (rule === undefined) return reject("no_such_rule", `there is no rule ${id}`)
  if (rule.state === "revoked") return reject("undecidable", "it is revoked already")
  const revoked: Rule.Rule = { ...rule, state: "revoked", revoked: { by, reason, at } }
  return Result.succeed(changed(digest, revoked, { by, reason, what: "revoked" }))
}

// internal

const day = 86_400_000

const reject = (why: Rejected["why"], detail: string): Result.Result<never, Rejected> =>
  Result.fail(new Rejected({ why, detail }))

const denial = (act: string) => `${act} was denied for these arguments in this session`

/** Why the ticket is not good for the act; `undefined` when it is. */
const unusable = (
  commit: Begin,
  ticket: Ticket.Ticket | undefined,
  before: Act | undefined,
  at: number
): string | undefined => {
  if (ticket?.session !== commit.session || ticket.binding !== commit.ticket?.binding) return "not for this act"
  if (isKeyed(before, ticket)) return at < ticket.expiresAt ? undefined : "out of time"
  if (!Ticket.isUsable(ticket, at)) return at >= ticket.expiresAt ? "out of time" : ticket.state
  return Ticket.serves(ticket, commit.after) ? undefined : `approved again for the act at ${ticket.again}`
}

/** Whether the ticket is that of an attempt that is repeated under its key: it is the same act on the same approval. */
const isKeyed = (before: Act | undefined, ticket: Ticket.Ticket): boolean =>
  before?.state === "unknown" && before.repeat === "keyed" && before.ticket === ticket.id && ticket.state === "unknown"

const isDenied = (
  tickets: ReadonlyMap<string, Ticket.Ticket>,
  asked: { readonly session: string; readonly act: string; readonly args: string }
): boolean =>
  [...tickets.values()].some((ticket) =>
    ticket.session === asked.session && ticket.act === asked.act && ticket.args === asked.args &&
    ticket.state === "denied"
  )

/** The intent names what was consumed, and nothing else, whatever its draft said. */
const naming = (draft: Row.Draft, ticket: Ticket.Ticket | undefined, rule: Rule.Rule | undefined): Row.Draft => {
  if (draft.body.kind !== "intent") return draft
  const { rule: _, ...rest } = draft.body
  const body = { ...rest, ticket: ticket?.id ?? null }
  return { ...draft, body: rule === undefined ? body : { ...body, rule: { id: rule.id, use: rule.uses } } }
}

const changed = (
  digest: Digest.Digest["Service"],
  rule: Rule.Rule,
  { by, reason, what }: Pick<typeof Row.Ruled.Type, "by" | "reason" | "what">
): Change => {
  const { expiresAt, maxUses } = rule.terms
  const text = digest.canonical(rule.terms)
  const hash = digest.sha256(text)
  return {
    rule,
    body: { kind: "ruled", rule: rule.id, what, by, reason, terms: hash, maxUses, expiresAt, uses: rule.uses },
    payload: { hash, text }
  }
}
