/**
 * Ways to break the store on purpose, one at a time: each switches off one rule that the log keeps. A simulator that finds
 * nothing wrong with them would find nothing wrong with anything.
 */
import { Exit } from "effect"
import { digest } from "../../layers/node/Digest.ts"
import { Chain } from "../../src/audit/index.ts"
import { Transition } from "../../src/governor/index.ts"
import type { Apply, Disk } from "./Disk.ts"
import type { Machine } from "./Machine.ts"

/** A rule that is switched off. */
export type Mutation = (disk: Disk, machine: Machine, apply: Apply) => Apply

/** A run that was replaced may still write. */
const noEpoch: Mutation = ({ space }, _machine, apply) => (commit) => {
  if (!("epoch" in commit) || commit.epoch === null) return apply(commit)
  return apply({ ...commit, epoch: space.sessions.get(commit.session)?.epoch ?? commit.epoch })
}

/** A ticket is good for as many acts as one likes. */
const ticketsForEver: Mutation = ({ space }, _machine, apply) => (commit) => {
  const ticket = commit._tag === "Begin" && commit.ticket !== null ? space.tickets.get(commit.ticket.id) : undefined
  const isUsed = ticket !== undefined && ["executing", "succeeded", "failed", "unknown"].includes(ticket.state)
  if (isUsed) space.tickets.set(ticket.id, { ...ticket, state: "approved" })
  return apply(commit)
}

/** Nobody looks at a ceiling in the transaction that reserves. */
const noCeiling: Mutation = ({ space }, _machine, apply) => (commit) => {
  if (commit._tag !== "Begin") return apply(commit)
  const ceilings = new Map(
    commit.accounts.flatMap((id) => {
      const account = space.accounts.get(id)
      return account === undefined ? [] : [[id, account.ceiling] as const]
    })
  )
  const setCeilings = (ceilingOf: (id: string) => number | undefined) => {
    for (const id of ceilings.keys()) {
      const account = space.accounts.get(id)
      const ceiling = ceilingOf(id)
      if (account !== undefined && ceiling !== undefined) space.accounts.set(id, { ...account, ceiling })
    }
  }
  setCeilings(() => Number.MAX_SAFE_INTEGER)
  const exit = apply(commit)
  setCeilings((id) => ceilings.get(id))
  return exit
}

/** An act starts before its intent is on the disk, where it is some time later. */
const lateIntent: Mutation = ({ space }, machine, apply) => (commit) => {
  const session = commit._tag === "Begin" ? space.sessions.get(commit.session) : undefined
  if (commit._tag !== "Begin" || session === undefined || commit.epoch !== session.epoch) return apply(commit)
  const head = { seq: session.seq, hash: session.head }
  const row = Chain.seal(digest, head, { session: session.id, at: machine.now }, commit.intent)
  machine.after(machine.dice.between(1, 500), () => void apply(commit))
  return Exit.succeed({ row, session })
}

/** Tokens that were taken away are as good as any. */
const noRevocation: Mutation = (_disk, _machine, apply) => (commit) =>
  apply(commit._tag === "Begin" ? { ...commit, tokens: [] } : commit)

/** What has been stopped goes on. */
const noStop: Mutation = ({ space }, _machine, apply) => (commit) => {
  const session = commit._tag === "Begin" ? space.sessions.get(commit.session) : undefined
  if (session !== undefined) space.sessions.set(session.id, { ...session, status: "running" })
  return apply(commit)
}

/** A run takes a session without raising its epoch. */
const noClaim: Mutation = ({ space }, _machine, apply) => (commit) => {
  const exit = apply(commit)
  if (commit._tag !== "Claim" || Exit.isFailure(exit) || exit.value.session.epoch < 2) return exit
  const session = { ...exit.value.session, epoch: exit.value.session.epoch - 1 }
  space.sessions.set(session.id, session)
  return Exit.succeed({ ...exit.value, session })
}

/** What becomes due is not written down with what made it due. */
const noWake: Mutation = ({ space }, _machine, apply) => (commit) => {
  const before = new Set(space.wakes.keys())
  const exit = apply(commit)
  for (const key of space.wakes.keys()) if (!before.has(key)) space.wakes.delete(key)
  return exit
}

/** A decision counts although somebody else decided a moment ago. */
const lastDecides: Mutation = ({ space }, _machine, apply) => (commit) => {
  const ticket = commit._tag === "Decide" ? space.tickets.get(commit.ticket) : undefined
  const isDecided = ticket?.state === "approved" || ticket?.state === "denied"
  if (isDecided) space.tickets.set(ticket.id, { ...ticket, state: "proposed", votes: [], decidedAt: null })
  return apply(commit)
}

/** A standing rule is good for as many acts as one likes. */
const rulesForEver: Mutation = ({ space }, _machine, apply) => (commit) => {
  const rule = commit._tag === "Begin" && commit.rule !== undefined ? space.rules.get(commit.rule.id) : undefined
  if (rule !== undefined) space.rules.set(rule.id, { ...rule, uses: 0 })
  return apply(commit)
}

/** The log forgets what an act came to, and says that it was taken. */
const lostOutcome: Mutation = ({ space }, machine, apply) => (commit) => {
  const session = commit._tag === "Finish" ? space.sessions.get(commit.session) : undefined
  const act = commit._tag === "Finish" ? space.acts.get(Transition.actKey(commit.session, commit.key)) : undefined
  if (commit._tag !== "Finish" || commit.epoch !== session?.epoch || act === undefined) return apply(commit)
  const head = { seq: session.seq, hash: session.head }
  const row = Chain.seal(digest, head, { session: session.id, at: machine.now }, commit.outcome)
  return Exit.succeed({ row, session })
}

/** All of them, by name. */
export const mutations = {
  "no epoch": noEpoch,
  "tickets for ever": ticketsForEver,
  "no ceiling": noCeiling,
  "late intent": lateIntent,
  "no revocation": noRevocation,
  "no stop": noStop,
  "no claim": noClaim,
  "no wake": noWake,
  "last decides": lastDecides,
  "rules for ever": rulesForEver,
  "lost outcome": lostOutcome
} as const satisfies Record<string, Mutation>

/** Names of the ways to break it. */
export type Name = keyof typeof mutations
