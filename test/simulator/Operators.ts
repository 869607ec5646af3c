/**
 * The people of a simulation: two operators who decide tickets, sometimes the same one in the same moment, and stop
 * sessions, let them go on, and take their tokens away; and the clients who open sessions. They look at a screen, which
 * shows what is true, and act through whatever runner answers.
 */
import { Effect, type Exit, Option } from "effect"
import type { Actor } from "../../src/actor/index.ts"
import { Rule, Ticket } from "../../src/approval/index.ts"
import { Log } from "../../src/audit/index.ts"
import type { Grant } from "../../src/capability/index.ts"
import { Store, Transition } from "../../src/governor/index.ts"
import { Approvals, Dispatch, Rules, Unknowns } from "../../src/session/index.ts"
import type { Dice } from "./Dice.ts"
import type { Disk } from "./Disk.ts"
import type { Ledger } from "./Ledger.ts"
import type { Machine } from "./Machine.ts"
import type { Network, Services } from "./Network.ts"
import type { Watch } from "./Watch.ts"

/** What people do, and how often; rates from 0 to 1. */
export interface Habits {
  readonly denies: number
  readonly duels: number
  readonly pauses: number
  readonly cancels: number
  readonly revokes: number
  /** How often they approve acts in advance, or take that back. */
  readonly rules: number
  /** How often the session of a ticket is told at once that it was decided. */
  readonly tells: number
  /** Tickets that nobody ever decides, and lost outcomes that nobody ever settles. */
  readonly leaves: number
  /** How often the result is given of an act that is found to have happened. */
  readonly recalls: number
}

/** Habits of a seed. */
export const drawn = (dice: Dice): Habits => {
  const rate = (most: number) => dice.happens(0.5) ? 0 : most * dice.next()
  return {
    denies: rate(0.5),
    duels: rate(0.9),
    pauses: rate(0.2),
    cancels: rate(0.1),
    revokes: rate(0.1),
    rules: rate(0.3),
    tells: dice.pick([0, 0.5, 1]),
    leaves: dice.happens(0.8) ? 0 : 0.3,
    recalls: dice.pick([1, 1, 0.5])
  }
}

/** What a client was told about the session that it opened. */
export interface Told {
  readonly actor: string
  readonly exit: Exit.Exit<Dispatch.Ended<unknown>, Dispatch.DispatchError>
}

/** The people. */
export class Operators {
  /** What clients were told, in order. */
  readonly told: Array<Told> = []
  readonly #machine: Machine
  readonly #network: Network
  readonly #disk: Disk
  readonly #ledger: Ledger
  readonly #watch: Watch
  readonly #habits: Habits
  readonly #left = new Map<string, boolean>()

  constructor({ disk, habits, ledger, machine, network, watch }: {
    readonly machine: Machine
    readonly network: Network
    readonly disk: Disk
    readonly ledger: Ledger
    readonly watch: Watch
    readonly habits: Habits
  }) {
    this.#machine = machine
    this.#network = network
    this.#disk = disk
    this.#ledger = ledger
    this.#watch = watch
    this.#habits = habits
  }

  /** Whether nobody will ever decide the ticket, or settle the lost outcome. */
  isLeft(what: string): boolean {
    const known = this.#left.get(what) ?? this.#machine.dice.happens(this.#habits.leaves)
    this.#left.set(what, known)
    return known
  }

  /** A client opens a session, as soon as some runner answers. */
  open(actor: Actor.AnyClass, order: string, grant: Grant<string>, caller: string): void {
    const ms = this.#machine.dice.pick([0, 10, 1500, 20_000])
    const exit = Effect.exit(
      Effect.flatMap(Dispatch.Dispatch, (dispatch) => startOf(dispatch)(actor, { order, ms }, { grant, caller }))
    )
    const isSent = this.#at(Effect.map(exit, (exit) => void this.told.push({ actor: actor.name, exit })))
    if (!isSent) this.#machine.after(1000, () => this.open(actor, order, grant, caller))
  }

  /** One of them does something, or nothing. */
  turn(): void {
    const { dice } = this.#machine
    const { cancels, pauses, revokes, rules } = this.#habits
    const sessions = this.#disk.sessions.filter(({ status }) =>
      status === "running" || status === "waiting" || status === "paused"
    )
    if (sessions.length === 0) return
    const by = dice.pick(people)
    const { id: session, status } = dice.pick(sessions)
    const order = { session, by, reason: "as planned" }
    if (status === "paused" && dice.happens(0.5)) this.#at(Effect.flatMap(Dispatch.Dispatch, (d) => d.unpause(order)))
    else if (dice.happens(pauses)) this.#at(Effect.flatMap(Dispatch.Dispatch, (d) => d.pause(order)))
    else if (dice.happens(cancels)) this.#at(Effect.flatMap(Dispatch.Dispatch, (d) => d.cancel(order)))
    else if (dice.happens(revokes)) this.#at(revoke(session, by))
    else if (dice.happens(rules)) this.#rule(by)
    else if (dice.happens(0.5)) this.#decideOne(by)
    else this.#settleOne(by)
  }

  /** They settle all that waits for them. */
  finish(): void {
    const now = this.#machine.now
    for (const ticket of this.#disk.space.tickets.values()) {
      if (Ticket.isOpen(ticket, now) && !this.isLeft(ticket.id)) this.#decide(ticket, this.#machine.dice.pick(people))
    }
    for (const { id, status } of this.#disk.space.sessions.values()) {
      if (status !== "paused" || id !== Transition.rootOf(id)) continue
      this.#at(Effect.flatMap(Dispatch.Dispatch, (d) => d.unpause({ session: id, by: "ada", reason: "on we go" })))
    }
    for (const ticket of this.#disk.space.tickets.values()) {
      const isOverdue = now >= ticket.expiresAt && (ticket.state === "proposed" || ticket.state === "approved")
      const isWaiting = this.#disk.space.sessions.get(ticket.session)?.status === "waiting"
      if (isOverdue && isWaiting) this.#at(Effect.flatMap(Dispatch.Dispatch, (d) => d.resume(ticket.session)))
    }
    for (const act of this.#lost()) this.#settle(act, "ada")
  }

  /** Acts whose outcome was lost, that cannot be undone. */
  #lost(): ReadonlyArray<Store.Act> {
    return [...this.#disk.space.acts.values()].filter(({ intent, repeat, session, state }) =>
      state === "unknown" && repeat !== "always" && !this.isLeft(`${session}/${intent}`)
    )
  }

  /** They make a rule, agree to one, or revoke one. */
  #rule(by: string): void {
    const { dice, now } = this.#machine
    const rules = [...this.#disk.space.rules.values()]
    const proposed = rules.find(({ state, votes }) => state === "proposed" && !votes.some((vote) => vote.by === by))
    const standing = rules.find((rule) => Rule.isUsable(rule, now))
    const reason = "as planned"
    if (proposed !== undefined) {
      const vote = { rule: proposed.id, binding: proposed.binding, by, reason }
      this.#at(Effect.flatMap(Rules.Rules, (desk) => desk.approve(vote)))
    } else if (standing !== undefined && dice.happens(0.5)) {
      this.#at(Effect.flatMap(Rules.Rules, (desk) => desk.revoke({ rule: standing.id, by, reason })))
    } else {
      const act = dice.pick(["ship", "refund", "charge"] as const)
      const terms: Rule.Terms = {
        actor: "*",
        act,
        capabilities: [`tool:${act}`],
        where: [],
        definition: null,
        maxUses: dice.between(1, 3),
        expiresAt: now + dice.pick([15_000, 3_600_000])
      }
      this.#at(Effect.flatMap(Rules.Rules, (desk) => desk.make({ terms, by, reason })))
    }
  }

  #settleOne(by: string): void {
    const lost = this.#lost()
    if (lost.length > 0) this.#settle(this.#machine.dice.pick(lost), by)
  }

  /** Looks what became of the act, and says so; as long as it may still happen, it is not said that it did not. */
  #settle({ intent, session }: Store.Act, by: string): void {
    const { dice, now } = this.#machine
    const unknown = `${session}/${intent}`
    const place = this.#watch.placeOf(unknown)
    const entry = this.#ledger.entries.find(({ answer, stamp }) =>
      this.#watch.placeOf(stamp) === place && answer._tag !== "failed"
    )
    if (entry === undefined && !this.#watch.isOver(unknown, this.#ledger.busy, now)) return
    const status = this.#disk.space.sessions.get(session)?.status
    const canRetry = status === "running" || status === "waiting" || status === "paused"
    const choice = entry !== undefined ? "done" : canRetry && dice.happens(0.7) ? "retry" : "not_done"
    const known = entry === undefined || entry.answer._tag === "failed" ? undefined : entry.answer.value
    const result = dice.happens(this.#habits.recalls) ? known : undefined
    const tells = dice.happens(this.#habits.tells)
    this.#at(Effect.gen(function*() {
      const unknowns = yield* Unknowns.Unknowns
      const settled = yield* unknowns.settle({ unknown, choice, by, reason: "looked into it", result })
      if (tells && Option.isSome(settled)) {
        const dispatch = yield* Dispatch.Dispatch
        yield* dispatch.resume(settled.value.session, settled.value.reason)
      }
    }))
  }

  #decideOne(by: string): void {
    const { dice, now } = this.#machine
    const open = [...this.#disk.space.tickets.values()].filter((ticket) =>
      Ticket.isOpen(ticket, now) && !this.isLeft(ticket.id)
    )
    if (open.length === 0) return
    const ticket = dice.pick(open)
    this.#decide(ticket, by)
    if (!dice.happens(this.#habits.duels)) return
    for (const other of people) if (other !== by) this.#decide(ticket, other)
  }

  #decide(ticket: Ticket.Ticket, by: string): void {
    const approve = !this.#machine.dice.happens(this.#habits.denies)
    const tells = this.#machine.dice.happens(this.#habits.tells)
    this.#at(Effect.gen(function*() {
      const approvals = yield* Approvals.Approvals
      const decided = yield* approvals.decide({ ticket: ticket.id, by, approve, reason: "looked at" })
      if (!tells || decided.state === "proposed") return
      const dispatch = yield* Dispatch.Dispatch
      yield* dispatch.resume(ticket.session, Ticket.reasonOf(ticket))
    }))
  }

  /** Does it through some runner; what comes of it is seen on the screen. */
  #at<A, E>(effect: Effect.Effect<A, E, Services>): boolean {
    const { runners } = this.#network
    if (runners.length === 0) return false
    const { context, process } = this.#machine.dice.pick(runners)
    process.fork(Effect.ignore(effect), context)
    return true
  }
}

// internal

const people = ["ada", "grace"]

/** Starting any actor: every runner registers them all, and the grant holds what each of them needs. */
const startOf = (dispatch: Dispatch.Dispatch["Service"]) =>
  dispatch.start as never as (
    actor: Actor.AnyClass,
    input: { readonly order: string; readonly ms: number },
    order: { readonly grant: Grant<string>; readonly caller: string }
  ) => Effect.Effect<Dispatch.Ended<unknown>, Dispatch.DispatchError>

/** Takes a session's token away, as the operation does. */
const revoke = Effect.fnUntraced(function*(session: Log.Summary["id"], by: string) {
  const store = yield* Store.Store
  const log = yield* Log.Log
  const [genesis] = yield* log.rows(session)
  if (genesis?.body.kind !== "genesis") return
  yield* store.commit({
    _tag: "Revoke",
    token: genesis.body.token,
    session,
    row: { key: null, body: { kind: "noted", what: "revoked", by, detail: "as planned" } }
  })
})
