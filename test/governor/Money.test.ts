/**
 * Random schedules of sessions that begin, finish, lose, repeat and settle acts: whatever happens, the accounts say what
 * the chain says, and nothing that cannot be undone starts more often than people, probes and keys let it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import fc from "fast-check"
import { digest } from "../../layers/node/Digest.ts"
import type { Ticket } from "../../src/approval/index.ts"
import type { Row } from "../../src/audit/index.ts"
import { type Store, Transition } from "../../src/governor/index.ts"
import * as C from "./commits.ts"

const repeats = ["always", "keyed", "never"] as const
const statuses = ["succeeded", "failed", "timed_out", "interrupted", "crashed"] as const
const choices = ["retry", "done", "not_done"] as const

/** One step; the numbers pick from what there is. */
const step = fc.record({
  tag: fc.constantFrom(
    "claim",
    "begin",
    "begin",
    "begin",
    "repeat",
    "repeat",
    "finish",
    "finish",
    "settle",
    "settle",
    "end"
  ),
  session: fc.nat(1),
  pick: fc.nat(30),
  amount: fc.nat(50),
  /** Bills keep to their reservation, or not. */
  isDear: fc.boolean(),
  behind: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  wait: fc.nat(40)
})
type Step = typeof step extends fc.Arbitrary<infer A> ? A : never

const ids = [C.sessionId("one"), C.sessionId("two")]
const accounts = (session: string) => [`own of ${session}`, "shared"]
const lifetime = 500

/** Which kind of act stands at a place: the same at all attempts. */
const repeatAt = (place: string) => repeats[Number(place.slice(1)) % repeats.length] ?? "never"

/** The world: applies what it is given, and keeps the rows. */
class World {
  readonly space = Transition.workspace()
  readonly rows: Array<Row.Row> = []
  now = 1
  #tickets = 0
  readonly seen = new Set<string>()

  constructor() {
    for (const id of ids) {
      this.apply(C.open(id, accounts(id).map((account) => ({ id: account, ceiling: 400 }))))
      this.apply(C.claim(id))
    }
  }

  apply(commit: Store.Commit): boolean {
    const result = Transition.apply(digest, this.space, commit, this.now)
    this.rows.push(...this.space.rows.splice(0))
    if (Result.isSuccess(result)) {
      this.seen.add(commit._tag === "Begin" && commit.after !== null ? "Repeat" : commit._tag)
    }
    return Result.isSuccess(result)
  }

  /** A ticket that was approved, unless the act is one that needs none. */
  approved(writer: ReturnType<World["writer"]>): Ticket.Ticket {
    const filed = C.ticket(writer, `T${this.#tickets++}`, { proposedAt: this.now, expiresAt: this.now + lifetime })
    this.apply(C.propose(writer, filed, 1000))
    this.apply(C.decide(filed, true))
    return filed
  }

  writer({ behind, session }: Step) {
    const id = ids[session] ?? C.sessionId("one")
    const now = this.space.sessions.get(id) ?? C.summary(id, accounts(id))
    return { ...now, epoch: now.epoch - behind }
  }
}

const pickFrom = <A>(list: ReadonlyArray<A>, pick: number): A | undefined => list[pick % Math.max(1, list.length)]
/** The acts as they are now, of one session or of all. */
const actsOf = ({ space }: World, session?: string) =>
  [...space.acts.values()].filter((act) => session === undefined || act.session === session)

const take = (world: World, step: Step) => {
  world.now += step.wait
  const writer = world.writer(step)
  const acts = actsOf(world, writer.id)
  const bill = (reserved: number) => step.isDear ? step.amount : Math.min(step.amount, reserved)
  switch (step.tag) {
    case "claim":
      return world.apply(C.claim(writer.id))
    case "begin": {
      const place = `#${step.pick}`
      const repeat = repeatAt(place)
      const ticket = repeat === "always" ? null : world.approved(writer)
      return world.apply(C.begin(writer, place, { reserve: step.amount, repeat, ticket }))
    }
    case "repeat": {
      const before = pickFrom(acts, step.pick)
      if (before === undefined) return
      const [place = "", attempt = "0"] = before.key.split("~")
      const key = `${place}~${Number(attempt) + 1}`
      const ticket = before.ticket === null ? null : world.space.tickets.get(before.ticket) ?? null
      const intent = { ...C.intent(place, step.amount), key }
      return world.apply(
        C.begin(writer, key, { reserve: step.amount, repeat: repeatAt(place), after: before.key, ticket, intent })
      )
    }
    case "finish": {
      const act = pickFrom(acts.filter(({ state }) => state === "running"), step.pick)
      if (act === undefined) return
      return world.apply(C.finish(writer, act.key, bill(act.reserved), statuses[step.pick % statuses.length]))
    }
    case "settle": {
      const act = pickFrom(acts.filter(({ state }) => state === "unknown"), step.pick) ?? pickFrom(acts, step.pick)
      if (act === undefined) return
      const isProbe = step.pick % 4 === 0
      const choice = choices[step.amount % choices.length] ?? "done"
      return world.apply(C.settle(writer, act.key, {
        epoch: isProbe ? writer.epoch : null,
        intent: act.intent,
        decision: { choice, from: isProbe ? "probe" : "operator", by: "grace", reason: "", result: null },
        spent: step.pick % 3 === 0 ? null : bill(act.reserved)
      }))
    }
    case "end":
      // Rarely: nothing begins after it.
      return step.pick === 0 ? world.apply(C.append(writer, { status: "failed" })) : false
  }
}

const check = (world: World) => {
  const { acts, accounts, tickets } = world.space
  const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, number) => total + number, 0)
  const costs = (rows: ReadonlyArray<Row.Row>) =>
    sum(rows.map(({ body }) => body.kind === "outcome" || body.kind === "settled" ? body.costMicroUsd : 0))
  for (const account of accounts.values()) {
    const drawing = world.rows.filter((row) => account.id === "shared" || account.id === `own of ${row.session}`)
    const open = [...acts.values()].filter((act) =>
      act.accounts.includes(account.id) && (act.state === "running" || act.state === "unknown")
    )
    assert.strictEqual(account.spent, costs(drawing), `spent of ${account.id}`)
    assert.strictEqual(account.reserved, sum(open.map(({ reserved }) => reserved)), `reserved of ${account.id}`)
  }
  // No money is held for an act that is over, and none is settled twice.
  for (const act of acts.values()) {
    const own = world.rows.filter((row) => row.session === act.session && row.key === act.key)
    assert.isAtMost(own.filter(({ body }) => body.kind === "settled").length, 1, act.key)
    assert.isAtMost(own.filter(({ body }) => body.kind === "outcome").length, 1, act.key)
    if (act.state === "retry") assert.strictEqual(act.reserved, 0)
  }
  // What cannot be undone begins once, and once more for each word that lets it.
  for (const act of acts.values()) {
    if (act.repeat === "always" || act.key.includes("~")) continue
    const own = world.rows.filter((row) => row.session === act.session && row.key?.split("~")[0] === act.key)
    const words = own.filter(({ body }) => body.kind === "settled" && body.choice === "retry")
    const begun = own.filter(({ body }) => body.kind === "intent")
    assert.isAtMost(begun.length, 1 + words.length, act.key)
    if (act.repeat === "never") {
      for (const { body } of words) assert.isTrue(body.kind === "settled" && body.from !== "governor", act.key)
    }
  }
  for (const ticket of tickets.values()) {
    const uses = [...acts.values()].filter((act) => act.ticket === ticket.id)
    assert.isAtMost(uses.filter(({ state }) => state === "running").length, 1, ticket.id)
    assert.isAtMost(new Set(uses.map(({ key }) => key.split("~")[0])).size, 1, ticket.id)
  }
}

describe("money and attempts", () => {
  it("are what the chain says, whatever is begun, finished, lost, repeated and settled", () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const world = new World()
        for (const each of steps) {
          take(world, each)
          check(world)
        }
        for (const tag of world.seen) seen.add(tag)
      }),
      { numRuns: 400, seed: 20_260_731 }
    )
    assert.includeMembers([...seen], ["Claim", "Begin", "Repeat", "Finish", "Settle", "Append"])
  })

  it("hold no budget up for ever: once everything is settled, nothing is reserved", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const world = new World()
        for (const each of steps) take(world, each)
        for (const id of ids) world.apply(C.claim(id))
        for (const act of actsOf(world)) {
          const writer = world.space.sessions.get(act.session)
          if (writer === undefined || act.state !== "unknown") continue
          assert.isTrue(world.apply(C.settle(writer, act.key, { intent: act.intent })))
        }
        // A session that has ended is not claimed: what still ran in it ends by itself.
        for (const act of actsOf(world)) {
          const writer = world.space.sessions.get(act.session)
          if (writer !== undefined && act.state === "running") world.apply(C.finish(writer, act.key, act.reserved))
        }
        check(world)
        for (const account of world.space.accounts.values()) assert.strictEqual(account.reserved, 0, account.id)
      }),
      { numRuns: 200, seed: 20_260_731 }
    )
  })
})
