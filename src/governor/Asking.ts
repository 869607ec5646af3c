/** What people agreed to about an act that cannot be undone: by a ticket, by a rule, or not yet. */
import { Clock, Effect, Option, type Schema } from "effect"
import type { SecureRandom } from "effect/crypto"
import { type Gate, type Policy, Rule, Ticket } from "../approval/index.ts"
import { type Digest, Installation, type Log, type Row } from "../audit/index.ts"
import { Redact } from "../trust/index.ts"
import {
  type Agreed,
  type Call,
  fail,
  isRejected,
  keyOf,
  type Named,
  payload,
  sealOf,
  unavailable,
  type Weighed
} from "./Call.ts"
import type * as Mode from "./Mode.ts"
import { AwaitingApproval, type GovernorError, Malformed, Refused } from "./Refusal.ts"
import type { Refusals } from "./Refusals.ts"
import { maxCited, show } from "./Show.ts"
import type { Store } from "./Store.ts"

/** What consent is asked with. */
export interface Parts {
  readonly store: Store["Service"]
  readonly log: Log.Log["Service"]
  readonly digest: Digest.Digest["Service"]
  readonly random: SecureRandom.SecureRandom["Service"]
  readonly gate: Option.Option<Gate.Gate["Service"]>
  readonly mode: Mode.Mode
  /** Hash of the policy on labels. */
  readonly policy: Digest.Hash
  readonly refusals: Refusals
}

/** `approval` gives what to consume with the intent; `drafted` the ticket of an act, as it would be filed. */
export const make = ({ digest, gate, log, mode, policy: labels, random, refusals, store }: Parts) => {
  const { refuse, stopped, stored, violation } = refusals

  /** The ticket of the act, as it would be filed: all that it is bound to. */
  const drafted = Effect.fnUntraced(function*(action: Weighed, call: Call, policy: Policy.Policy) {
    const { session } = call
    const { provenance = [] } = call.flow ?? {}
    const cited = action.reasons?.evidence.length ?? 0
    if (cited > maxCited) {
      const detail = `it cites ${cited} stamps, and an approver is shown ${maxCited}`
      return yield* fail(action, new Malformed({ detail }))
    }
    const parts = {
      session: session.id,
      act: action.name,
      args: call.hash,
      shown: {
        ...(yield* Effect.catch(show(log, action, call), (error) => unavailable(action, error, false))),
        ...(provenance.length === 0 ? {} : { provenance })
      },
      bound: {
        actor: session.actor.name,
        schema: action.schema,
        token: sealOf(digest, call),
        policy: digest.sha256(digest.canonical({ ...policy, labels }))
      }
    }
    return { ...parts, binding: Ticket.bindingOf(digest, parts) }
  })

  const propose = Effect.fnUntraced(function*(
    action: Named,
    call: Call,
    policy: Policy.Policy,
    draft: Pick<Ticket.Ticket, "session" | "act" | "args" | "shown" | "bound" | "binding">
  ) {
    const { session } = call
    const now = yield* Clock.currentTimeMillis
    const ticket: Ticket.Ticket = {
      ...draft,
      id: Ticket.TicketId.make(yield* ticketId(random)),
      key: keyOf(call),
      requester: session.caller,
      state: "proposed",
      votes: [],
      proposedAt: now,
      expiresAt: now + policy.lifetimeMs,
      decidedAt: null
    }
    const text = digest.canonical(draft.shown)
    const shown = digest.sha256(text)
    const row: Row.Draft = {
      key: keyOf(call),
      body: {
        kind: "proposed",
        act: action.name,
        ticket: ticket.id,
        binding: draft.binding,
        shown,
        args: call.hash
      }
    }
    yield* Effect.catch(
      store.commit({
        _tag: "Propose",
        session: session.id,
        epoch: session.epoch,
        ticket,
        row,
        payloads: [payload(shown, text), payload(call.hash, call.text)],
        maxPending: policy.maxPending,
        maxPendingTree: policy.maxPendingTree
      }),
      (error) => stopped(action, call, error)
    )
    return ticket.id
  })

  const deny = (action: Named, call: Call, ticket: Ticket.Ticket) => {
    const why = ticket.votes.findLast((vote) => !vote.approve)
    const words = Redact.redact(why?.reason ?? "")
    const detail = `denied by ${why?.by ?? "an approver"}: ${words}`
    const remedy = "a denial is final for these arguments in this session"
    return refuse(action, call, new Refused({ layer: "approval", detail, remedy, words }))
  }

  /** Nobody decided in time, or the act was not begun in time. The run that notices says so, unless somebody has. */
  const lapse = Effect.fnUntraced(function*(action: Named, call: Call, ticket: Ticket.Ticket) {
    if (ticket.state !== "expired") {
      const commit = { _tag: "Expire", session: call.session.id, ticket: ticket.id, by: Installation.actor } as const
      yield* stored(action, Effect.catchIf(store.commit(commit), isRejected, () => Effect.void))
    }
    const detail = `the time of ticket ${ticket.id} ran out`
    yield* refuse(action, call, new Refused({ layer: "approval", detail, remedy: "ask again, for a new ticket" }))
  })

  /** The rule that approves the act; of several, the one whose time is up first. */
  const standing = Effect.fnUntraced(function*(
    action: Weighed,
    call: Call,
    policy: Policy.Policy,
    tried: ReadonlyArray<Rule.RuleId>
  ) {
    const { actor, caller } = call.session
    // Whoever made a rule cannot have seen what was taken out here.
    if (call.hasSecrets) return undefined
    const rules = yield* stored(action, store.rules(yield* Clock.currentTimeMillis))
    if (rules.length === 0) return undefined
    const { capabilities, name: act, schema: definition } = action
    const args = JSON.parse(call.text) as Schema.Json // Canonical JSON of our own.
    const asked = { actor: actor.name, act, capabilities, definition, args, caller }
    return rules.toSorted((a, b) => a.terms.expiresAt - b.terms.expiresAt).find((rule) =>
      !tried.includes(rule.id) && rule.binding === Rule.bindingOf(digest, rule) &&
      Rule.suffices(policy, rule, caller) && Rule.admits(digest, rule, asked)
    )
  })

  /**
   * What people agreed to, to be consumed with the intent; `null` when the act needs nobody's consent. Where nobody has
   * agreed, the run ends with `AwaitingApproval`. An act that can be undone is asked about where its arguments demand it. Rules in `tried` were used up by others meanwhile.
   */
  const approval = Effect.fnUntraced(function*(
    action: Weighed,
    call: Call,
    tried: ReadonlyArray<Rule.RuleId> = []
  ): Effect.fn.Return<Agreed | null, GovernorError> {
    if ((action.reversible && call.flow?.isAsked !== true) || mode === "disabled") return null
    if (Option.isNone(gate)) {
      const why = action.reversible ? "its arguments need a person's consent" : "it cannot be undone"
      const detail = `${why} and there is no approval gate`
      yield* refuse(action, call, new Refused({ layer: "approval", detail, remedy: "provide an approval gate" }))
      return null
    }
    const { policy } = gate.value
    const ticket = yield* drafted(action, call, policy)
    const { binding } = ticket
    const now = yield* Clock.currentTimeMillis
    const filed = yield* stored(action, store.tickets(call.session.id))
    const same = filed.filter((other) => other.act === action.name && other.args === call.hash)
    const stop = same.find(({ state }) => state === "denied") ??
      same.find((other) => isLapsed(other, keyOf(call), now))
    if (stop !== undefined) {
      yield* stop.state === "denied" ? deny(action, call, stop) : lapse(action, call, stop)
      return null
    }
    const usable = same.find((other) =>
      other.binding === binding && Ticket.isUsable(other, now) && Ticket.serves(other, call.after)
    )
    if (usable !== undefined) return { ticket: { id: usable.id, binding } }
    const waiting = same.filter((other) => Ticket.isOpen(other, now))
    // What a person is being asked about is decided by that person, and by no rule.
    const rule = waiting.length === 0 ? yield* standing(action, call, policy, tried) : undefined
    if (rule !== undefined) return { rule: { id: rule.id, binding: rule.binding } }
    if (mode === "warn") {
      yield* violation(action, call, "approval", "it ran without an approval")
      return null
    }
    const open = waiting.find((other) => other.binding === binding)
    return yield* wait(action, open?.id ?? (yield* propose(action, call, policy, ticket)))
  })

  return { approval, drafted }
}

// internal

const wait = (action: Named, ticket: Ticket.TicketId) =>
  fail(action, new AwaitingApproval({ ticket, remedy: `aosiq approvals approve ${ticket}` }))

/** A ticket filed at this place whose time ran out: the act was asked for here, and nobody said yes in time. */
const isLapsed = (ticket: Ticket.Ticket, key: string, now: number): boolean =>
  ticket.key === key && (ticket.state === "expired" || Ticket.isOverdue(ticket, now))

/** Eight characters of base 32 without look-alikes: typed by hand, and never a secret. */
const ticketId = (random: SecureRandom.SecureRandom["Service"]) =>
  Effect.map(
    random.randomBytes(8),
    (bytes) => `T${[...bytes].map((byte) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[byte % 32]).join("")}`
  )
