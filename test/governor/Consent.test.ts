/** What people's decisions come to in the transition: by the clock of the commit, in whatever order they arrive. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import fc from "fast-check"
import { digest } from "../../layers/node/Digest.ts"
import { Person, Policy, type Rule, Ticket } from "../../src/approval/index.ts"
import { Installation, type Row } from "../../src/audit/index.ts"
import { type Store, Transition } from "../../src/governor/index.ts"
import * as C from "./commits.ts"

/** A log in one hand, with sessions in it, and what it says to commits. */
const log = (sessions: ReadonlyArray<string> = ["ses"]) => {
  const space = Transition.workspace()
  const say = (commit: Store.Commit, at: number) => Transition.apply(digest, space, commit, at)
  const must = (commit: Store.Commit, at: number) => Result.getOrThrow(say(commit, at))
  const why = (commit: Store.Commit, at: number) =>
    Result.match(say(commit, at), { onFailure: ({ why }) => why, onSuccess: () => "ok" })
  must(C.open(Installation.id, []), 0)
  for (const id of sessions) {
    must(C.open(C.sessionId(id)), 0)
    must(C.claim(C.sessionId(id)), 0)
  }
  const session = (id = sessions[0] ?? "") => space.sessions.get(id) ?? C.summary(C.sessionId(id))
  const ticket = (id: string) => space.tickets.get(id)
  return { space, say, must, why, session, ticket }
}

describe("the time of a ticket", () => {
  it("is over at its last millisecond, for votes, for acts and for whoever ends it", () => {
    for (const at of [99, 100]) {
      const { must, say, session, ticket, why } = log()
      const filed = C.ticket(session(), "T", { expiresAt: 100 })
      must(C.propose(session(), filed), 1)
      assert.strictEqual(why(C.expire(filed), at), at === 100 ? "ok" : "stale")
      assert.strictEqual(why(C.decide(filed, true), at), at === 100 ? "undecidable" : "ok")
      assert.strictEqual(ticket("T")?.state, at === 100 ? "expired" : "approved")
      const used = say(C.begin(session(), "#0", { ticket: { id: filed.id, binding: filed.binding } }), at)
      assert.strictEqual(Result.isSuccess(used), at === 99)
    }
  })

  it("ends what was approved and not begun, and nothing that was begun", () => {
    const { must, session, ticket, why } = log()
    const [late, begun] = ["T1", "T2"].map((id) => C.ticket(session(), id, { expiresAt: 100 }))
    if (late === undefined || begun === undefined) return assert.fail()
    for (const filed of [late, begun]) {
      must(C.propose(session(), filed), 1)
      must(C.decide(filed, true), 2)
    }
    must(C.begin(session(), "#0", { ticket: { id: begun.id, binding: begun.binding } }), 99)
    assert.strictEqual(why(C.decide(late, true), 100), "out_of_time")
    const { row } = must(C.expire(late), 100)
    assert.deepInclude(row.body, { decision: "expired", reason: "it was approved, and not used in time" })
    assert.strictEqual(why(C.expire(begun), 100), "stale")
    assert.deepStrictEqual([ticket("T1")?.state, ticket("T2")?.state], ["expired", "executing"])
    assert.strictEqual(why(C.expire(late), 101), "stale")
  })
})

describe("two people", () => {
  /** Every order of these commits, each at the same millisecond. */
  const orders = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
    all.length === 0 ? [[]] : all.flatMap((one, i) => orders(all.toSpliced(i, 1)).map((rest) => [one, ...rest]))

  it("who approve, deny and act at the same millisecond leave no act beside a denial that was there first", () => {
    for (const order of orders(["approve", "deny", "begin"] as const)) {
      const { say, session, must, ticket } = log()
      const filed = C.ticket(session(), "T")
      must(C.propose(session(), filed), 1)
      const use = { ticket: { id: filed.id, binding: filed.binding } }
      const commits = {
        approve: C.decide(filed, true, "ada"),
        deny: C.decide(filed, false, "grace"),
        begin: C.begin(session(), "#0", use)
      }
      const went = order.filter((step) => Result.isSuccess(say(commits[step], 5)))
      const hasRun = went.includes("begin")
      assert.strictEqual(hasRun, order.join() === "approve,begin,deny")
      assert.strictEqual(ticket("T")?.state, hasRun ? "executing" : "denied", order.join())
      assert.strictEqual(went.includes("deny"), !hasRun)
    }
  })

  it("may each change their mind once, towards no", () => {
    const { must, session, ticket, why } = log()
    const filed = C.ticket(session(), "T")
    must(C.propose(session(), filed), 1)
    const policy = { ...Policy.standard, approvers: 2 }
    assert.strictEqual(why(C.decide(filed, true, "ada", { policy }), 2), "ok")
    assert.strictEqual(why(C.decide(filed, true, "Ada", { policy }), 2), "undecidable")
    assert.strictEqual(why(C.decide(filed, false, "ada", { policy }), 2), "ok")
    assert.strictEqual(why(C.decide(filed, false, "grace", { policy }), 2), "undecidable")
    assert.strictEqual(why(C.decide(filed, true, "grace", { policy }), 2), "undecidable")
    assert.strictEqual(ticket("T")?.state, "denied")
  })
})

describe("a tree of sessions", () => {
  it("waits for so many tickets together, whoever files them, and a decision makes room", () => {
    const family = ["ses", "ses.a", "ses.a.b", "ses.c"]
    const { must, session, why } = log([...family, "other"])
    const propose = (id: string, ticket: string) => C.propose(session(id), C.ticket(session(id), ticket), 2, 3)
    assert.strictEqual(why(propose("ses.a.b", "T1"), 1), "ok")
    assert.strictEqual(why(propose("ses.c", "T2"), 1), "ok")
    assert.strictEqual(why(propose("ses.a.b", "T3"), 1), "ok")
    for (const id of family) assert.strictEqual(why(propose(id, `T-${id}`), 1), "too_many_pending")
    assert.strictEqual(why(propose("other", "T4"), 1), "ok")
    must(C.decide(C.ticket(session("ses.c"), "T2"), false), 2)
    assert.strictEqual(why(propose("ses.a.b", "T5"), 3), "too_many_pending")
    assert.strictEqual(why(propose("ses", "T6"), 3), "ok")
  })

  it("is held by its root while one of its sessions files a ticket", () => {
    const { session } = log(["ses.a.b"])
    const reads = Transition.reads(C.propose(session("ses.a.b"), C.ticket(session("ses.a.b"), "T")))
    assert.deepStrictEqual([reads.sessions, reads.pending], [["ses.a.b", "ses"], ["ses"]])
  })
})

// --- random schedules --------------------------------------------------------

const people = ["ada", "Ada", "ａda", "grace", "barbara", "local:grace"]
const keys = ["#0", "#1", "#2", "#3", "#4", "#5", "#6", "#7"]

interface Step {
  readonly what: "begin" | "finish" | "crash" | "propose" | "vote" | "expire" | "make" | "agree" | "revoke"
  readonly n: number
  readonly who: number
  readonly yes: boolean
  readonly wait: number
}
const step: fc.Arbitrary<Step> = fc.record({
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("begin", "finish", "vote") },
    { weight: 3, arbitrary: fc.constantFrom("propose", "agree", "make") },
    { weight: 1, arbitrary: fc.constantFrom("crash", "revoke", "expire") }
  ),
  n: fc.nat(7),
  who: fc.nat(people.length - 1),
  yes: fc.boolean(),
  wait: fc.nat(4)
})

interface World {
  readonly policy: Policy.Policy
  readonly maxUses: number
  readonly steps: ReadonlyArray<Step>
}
const world: fc.Arbitrary<World> = fc.record({
  policy: fc.record({ approvers: fc.integer({ min: 1, max: 3 }), requesterMayApprove: fc.boolean() }).map((parts) => ({
    ...Policy.standard,
    ...parts
  })),
  maxUses: fc.integer({ min: 1, max: 4 }),
  steps: fc.array(step, { minLength: 10, maxLength: 80 })
})

/** All rows that a schedule leaves, in the order in which they were committed, and the terms of what it made. */
const run = ({ maxUses, policy, steps }: World) => {
  const sessions = ["ses", "ses.a"]
  const { say, session, space } = log(sessions)
  let at = 0
  for (const { n, what, who, wait, yes } of steps) {
    at += wait
    const own = session(sessions[n % 2])
    const key = keys[n % keys.length] ?? ""
    const by = people[who] ?? ""
    // Two places of a session ask for the same thing, so that what was decided about one is decided about both.
    const args = C.hashOf(`args ${n & 2}`)
    const body = C.intent(key, 0).body
    const intent: Row.Draft = { key, body: body.kind === "intent" ? { ...body, args } : body }
    const name = `T${n}`
    const filed = space.tickets.get(name) ?? C.ticket(own, name, { args, expiresAt: at + 25 })
    const rule = space.rules.get(`R${n % 2}`)
    const consent = yes && rule !== undefined
      ? C.byRule(rule)
      : { ticket: { id: filed.id, binding: filed.binding } }
    const commit: Store.Commit = what === "begin"
      ? C.begin(own, key, { intent, ...consent })
      : what === "finish"
      ? C.finish(own, key)
      : what === "crash"
      ? C.claim(own.id)
      : what === "propose"
      ? C.propose(own, filed, 3, 4)
      : what === "vote"
      ? C.decide(filed, yes || wait > 1, by, { policy })
      : what === "expire"
      ? C.expire(filed)
      : what === "make"
      ? C.makeRule(`R${n % 2}`, { maxUses, expiresAt: at + 40 }, { policy, vote: { by, approve: true, reason: "" } })
      : what === "agree"
      ? C.approveRule(rule ?? C.noRule("R0"), by, policy)
      : C.revokeRule(`R${n % 2}`)
    say(commit, at)
  }
  return space
}

/** What was said of consent before an act, told from rows alone. */
class Heard {
  readonly votes = new Map<string, Array<string>>()
  readonly closed = new Set<string>()
  readonly denied = new Set<string>()
  readonly uses = new Map<string, Array<number>>()

  note({ body, session }: Row.Row, tickets: ReadonlyMap<string, Ticket.Ticket>): void {
    if (body.kind === "decided") {
      if (body.decision === "approved") this.vote(body.ticket, body.by)
      else this.closed.add(body.ticket)
      const ticket = tickets.get(body.ticket)
      if (body.decision === "denied") this.denied.add(`${session} ${ticket?.act} ${ticket?.args}`)
    }
    if (body.kind === "ruled" && body.what === "revoked") this.closed.add(body.rule)
    if (body.kind === "ruled" && body.what !== "revoked") this.vote(body.rule, body.by)
  }

  private vote(name: string, by: string): void {
    this.votes.set(name, [...this.votes.get(name) ?? [], by])
  }

  /** What is wrong with an act that begins now by `name`, whose time ends at `expiresAt`. */
  act(row: Row.Row, body: typeof Row.Intent.Type, name: string, expiresAt: number, policy: Policy.Policy) {
    const agreed = this.votes.get(name) ?? []
    this.uses.set(name, [...this.uses.get(name) ?? [], body.rule?.use ?? 1])
    const isTwice = agreed.some((a, i) => agreed.slice(0, i).some((b) => Person.isSame(a, b)))
    const isOwn = body.ticket !== null && agreed.some((by) => Person.isSame(by, "ada"))
    const faults: ReadonlyArray<readonly [boolean, string]> = [
      [agreed.length < policy.approvers, `had ${agreed.length} of ${policy.approvers}`],
      [isTwice, "counted one person twice"],
      [isOwn && !policy.requesterMayApprove, "was approved by the one who asked"],
      [this.closed.has(name), "was denied, ended or revoked before"],
      [row.at >= expiresAt, "was out of time"],
      [this.denied.has(`${row.session} ${body.act} ${body.args}`), "ran beside a denial"]
    ]
    return faults.flatMap(([isWrong, what]) => isWrong ? [`${name} ${what}`] : [])
  }
}

/** What is wrong with acts that went through. */
const wrongs = (space: Transition.Workspace, { maxUses, policy }: World): ReadonlyArray<string> => {
  const heard = new Heard()
  const wrong = space.rows.flatMap((row) => {
    heard.note(row, space.tickets)
    if (row.body.kind !== "intent") return []
    const name = row.body.rule?.id ?? row.body.ticket ?? "nothing"
    const expiresAt = space.tickets.get(name)?.expiresAt ?? space.rules.get(name)?.terms.expiresAt ?? 0
    return heard.act(row, row.body, name, expiresAt, policy)
  })
  for (const [name, all] of heard.uses) {
    const rule = space.rules.get(name)
    const most = rule === undefined ? 1 : maxUses
    if (all.length > most || all.some((use, index) => use !== index + 1)) wrong.push(`${name} was used ${all}`)
    if (rule !== undefined && rule.uses !== all.length) wrong.push(`${name} counts otherwise`)
  }
  return wrong
}

describe("whatever the schedule", () => {
  it("every act that ran had its consent, no more often than it was given", () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(world, (world) => {
        const space = run(world)
        for (const { body } of space.rows) {
          if (body.kind === "intent") seen.add(body.rule === undefined ? "by ticket" : "by rule")
          if (body.kind === "unknown" || body.kind === "ruled" || body.kind === "decided") seen.add(body.kind)
        }
        for (const rule of space.rules.values()) seen.add(usedUp(rule))
        assert.deepStrictEqual(wrongs(space, world), [])
        for (const [id, session] of space.sessions) {
          assert.deepStrictEqual(C.faults(space.rows.filter((row) => row.session === id), session), [])
        }
        for (const ticket of space.tickets.values()) {
          assert.strictEqual(Ticket.bindingOf(digest, ticket), ticket.binding)
        }
      }),
      { numRuns: 3000, seed: 20_261_125 }
    )
    // The schedules came by everywhere.
    const all = ["by rule", "by ticket", "decided", "left", "ruled", "unknown", "used up"]
    assert.deepStrictEqual([...seen].toSorted(), all)
  })
})

const usedUp = ({ terms, uses }: Rule.Rule) => uses === terms.maxUses ? "used up" : "left"
