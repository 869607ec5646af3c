/** Acts that were approved in advance: what a standing rule is good for, as often as it says, and for nothing else. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { TestClock } from "effect/testing"
import { type Policy, type Rule, Ticket } from "../../src/approval/index.ts"
import { branch, type GovernorError, Store } from "../../src/governor/index.ts"
import * as C from "./commits.ts"
import { act, action, bodies, kind, marks, type Parts, refused, run, session, Sorry, stopped, world } from "./world.ts"

const forGood = (
  args: string,
  body: (args: string) => Effect.Effect<string, Sorry | GovernorError>,
  parts: Parts = {}
) => act(action(args, body, { reversible: false, ...parts }))

/** The ticket that an act waits for. */
const awaited = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const reason = yield* stopped(effect)
    if (reason._tag !== "AwaitingApproval") return yield* Effect.die(new Error(JSON.stringify(reason)))
    const store = yield* Store.Store
    const ticket = yield* store.ticket(reason.ticket)
    return ticket ?? (yield* Effect.die(new Error("no such ticket")))
  })

const usesOf = (rule: Rule.Rule) =>
  Effect.map(Effect.flatMap(Store.Store, (store) => store.rules()), (all) => all.find(({ id }) => id === rule.id)?.uses)

const commit = (commit: Store.Commit) => Effect.flatMap(Store.Store, (store) => store.commit(commit))

describe("an act that a standing rule approves", () => {
  it.effect("runs without asking, and its intent names the rule and the use", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const rule = yield* C.ruled({ where: [{ at: "/args", oneOf: ["a", "b"] }], maxUses: 2 })
      yield* run(id, Effect.all([forGood("a", mark), forGood("b", mark)]))
      assert.deepStrictEqual(done, ["a", "b"])
      const intents = yield* kind(id, "intent")
      assert.deepStrictEqual(intents.map(({ rule, ticket }) => ({ rule, ticket })), [
        { rule: { id: rule.id, use: 1 }, ticket: null },
        { rule: { id: rule.id, use: 2 }, ticket: null }
      ])
      const store = yield* Store.Store
      const uses = yield* store.uses(rule.id)
      assert.deepStrictEqual(uses.map(({ session, use }) => ({ session, use })), [
        { session: id, use: 1 },
        { session: id, use: 2 }
      ])
      assert.deepStrictEqual(yield* store.tickets(id), [])
      // A re-run is answered, and uses nothing; a third act asks a person.
      yield* run(id, Effect.all([forGood("a", mark), forGood("b", mark)]))
      assert.strictEqual(yield* usesOf(rule), 2)
      yield* awaited(run((yield* session()).id, forGood("a", mark)))
      assert.deepStrictEqual(done, ["a", "b"])
    }).pipe(Effect.provide(world())))

  it.effect("runs by the rule whose time is up first, and by the next when that one is used up", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const later = yield* C.ruled({ maxUses: 1, expiresAt: 2000 })
      const sooner = yield* C.ruled({ maxUses: 1, expiresAt: 1000 })
      yield* run(id, Effect.all([forGood("a", mark), forGood("b", mark)]))
      const intents = yield* kind(id, "intent")
      assert.deepStrictEqual(intents.map(({ rule }) => rule?.id), [sooner.id, later.id])
      assert.deepStrictEqual(done, ["a", "b"])
    }).pipe(Effect.provide(world())))

  it.effect("takes a ticket that was approved for it before a rule", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const ticket = yield* awaited(run(id, forGood("a", mark)))
      const rule = yield* C.ruled()
      yield* commit(C.decide(ticket, true))
      yield* run(id, forGood("a", mark))
      assert.deepStrictEqual(done, ["a"])
      assert.strictEqual(yield* usesOf(rule), 0)
      assert.deepInclude((yield* kind(id, "intent"))[0], { ticket: ticket.id })
    }).pipe(Effect.provide(world())))

  for (
    const [name, body, status] of [
      ["failed", () => Effect.fail(new Sorry({ why: "no" })), "failed"],
      ["broke down", () => Effect.die(new Error("boom")), "crashed"]
    ] as const
  ) {
    it.effect(`uses it up when it ${name}`, () =>
      Effect.gen(function*() {
        const { done, mark } = marks()
        const { id } = yield* session()
        const rule = yield* C.ruled({ maxUses: 1 })
        yield* Effect.exit(run(id, forGood("a", body)))
        assert.deepInclude((yield* kind(id, "outcome"))[0], { status })
        assert.strictEqual(yield* usesOf(rule), 1)
        yield* awaited(run((yield* session()).id, forGood("a", mark)))
        assert.deepStrictEqual(done, [])
      }).pipe(Effect.provide(world())))
  }

  it.effect("whose outcome was lost counts, is unknown, and is never done again", () => {
    let isLost = false
    const wrap = (store: Store.Store["Service"]): Store.Store["Service"] => ({
      ...store,
      commit: (commit) => commit._tag === "Finish" && isLost ? Effect.die("killed") : store.commit(commit)
    })
    return Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const rule = yield* C.ruled({ maxUses: 5 })
      isLost = true
      yield* Effect.exit(run(id, forGood("a", mark)))
      isLost = false
      assert.deepStrictEqual(done, ["a"])
      for (let again = 0; again < 3; again++) {
        assert.strictEqual((yield* stopped(run(id, forGood("a", mark))))._tag, "AwaitingSettlement")
      }
      assert.deepStrictEqual(done, ["a"])
      assert.strictEqual(yield* usesOf(rule), 1)
      assert.deepStrictEqual((yield* bodies(id)).map((row) => row.kind), [
        "genesis",
        "started",
        "intent",
        "started",
        "unknown",
        "started",
        "started"
      ])
    }).pipe(Effect.provide(world({ wrap })))
  })

  it.effect("takes another use when an operator lets a lost attempt be made again, and a person when none is left", () => {
    let isLost = false
    const wrap = (store: Store.Store["Service"]): Store.Store["Service"] => ({
      ...store,
      commit: (commit) => commit._tag === "Finish" && isLost ? Effect.die("killed") : store.commit(commit)
    })
    return Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const rule = yield* C.ruled({ maxUses: 2 })
      /** Loses an outcome, and has an operator say that it may be done again. */
      const losing = Effect.gen(function*() {
        isLost = true
        yield* Effect.exit(run(id, forGood("a", mark)))
        isLost = false
        const reason = yield* stopped(run(id, forGood("a", mark)))
        if (reason._tag !== "AwaitingSettlement") return assert.fail(reason._tag)
        const [lost] = yield* Effect.flatMap(Store.Store, (store) => store.lost(id))
        if (lost === undefined) return assert.fail("nothing is lost")
        const decision = { choice: "retry", from: "operator", by: "grace", reason: "", result: null } as const
        yield* commit(C.settle(C.summary(id), lost.key, { epoch: null, intent: lost.intent, decision }))
      })
      yield* losing
      assert.deepStrictEqual(done, ["a"])
      yield* losing
      assert.deepStrictEqual(done, ["a", "a"])
      const intents = yield* kind(id, "intent")
      assert.deepStrictEqual(intents.map(({ rule }) => rule), [{ id: rule.id, use: 1 }, { id: rule.id, use: 2 }])
      const ticket = yield* awaited(run(id, forGood("a", mark)))
      assert.deepStrictEqual(done, ["a", "a"])
      yield* commit(C.decide(ticket, true))
      yield* run(id, forGood("a", mark))
      assert.deepStrictEqual(done, ["a", "a", "a"])
    }).pipe(Effect.provide(world({ wrap })))
  })

  it.effect("runs as often as the rule says, whatever a thousand acts of ten sessions do at once", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const rule = yield* C.ruled({ maxUses: 123 })
      const sessions = yield* Effect.all(Array.from({ length: 10 }, () => session()))
      const results = yield* Effect.forEach(sessions, ({ id }, lane) =>
        run(
          id,
          Effect.forEach(
            Array.from({ length: 100 }, (_, n) => n),
            (n) => Effect.result(forGood(`${lane}-${n}`, mark)).pipe(branch(`lane-${n}`)),
            { concurrency: "unbounded" }
          )
        ), { concurrency: "unbounded" })
      const all = results.flat()
      assert.lengthOf(all.filter(Result.isSuccess), 123)
      assert.lengthOf(new Set(done), 123)
      assert.lengthOf(done, 123)
      assert.strictEqual(yield* usesOf(rule), 123)
      // Everybody else waits for a person, or was told that too many wait.
      const rest = all.filter(Result.isFailure).map(({ failure }) => failure)
      const ways = new Set(rest.map((error) => error instanceof Sorry ? "sorry" : error.reason._tag))
      assert.deepStrictEqual([...ways].toSorted(), ["AwaitingApproval", "Refused"])
      const numbers: Array<number> = []
      for (const { id } of sessions) {
        for (const { rule } of yield* kind(id, "intent")) numbers.push(rule?.use ?? 0)
      }
      assert.deepStrictEqual(numbers.toSorted((a, b) => a - b), Array.from({ length: 123 }, (_, index) => index + 1))
    }).pipe(Effect.provide(world({ gate: { maxPending: 5 } }))))
})

describe("a standing rule approves nothing", () => {
  /** The act waits for a person as if there were no rule, and does not run. */
  const not = (
    name: string,
    options: {
      readonly terms?: Partial<Rule.Terms>
      readonly act?: Parts
      readonly gate?: Partial<Policy.Policy>
      readonly maker?: Partial<Store.MakeRule>
      readonly meanwhile?: (rule: Rule.Rule) => Effect.Effect<unknown, Store.StoreError, Store.Store>
    }
  ) =>
    it.effect(name, () =>
      Effect.gen(function*() {
        const { done, mark } = marks()
        const { id } = yield* session({ capabilities: ["tool:act", "tool:other"] })
        const rule = yield* C.ruled(options.terms, options.maker)
        yield* options.meanwhile?.(rule) ?? Effect.void
        const asked = forGood("a", mark, options.act)
        const ticket = yield* awaited(run(id, asked))
        assert.deepStrictEqual(done, [])
        assert.strictEqual(yield* usesOf(rule), 0)
        assert.strictEqual(ticket.state, "proposed")
        assert.deepStrictEqual(yield* kind(id, "intent"), [])
      }).pipe(Effect.provide(world({ gate: options.gate ?? {} }))))

  not("of another act", { act: { name: "other" } })
  not("of another class", { terms: { actor: "Other" } })
  not("with other arguments", { terms: { where: [{ at: "/args", oneOf: ["b", "c"] }] } })
  not("with another definition", { terms: { definition: C.hashOf("another") } })
  not("beyond its capabilities", { act: { capabilities: ["tool:act", "tool:other"] } })
  not("beyond its resource", { terms: { capabilities: ["tool:act@eu"] } })
  not("after its time", { terms: { expiresAt: 1000 }, meanwhile: () => TestClock.adjust(1000) })
  not("after it was revoked", { meanwhile: (rule) => commit(C.revokeRule(rule.id)) })
  not("under another policy", { gate: { version: "2" } })
  not("that fewer people agreed to than are wanted", { gate: { approvers: 2 } })
  not("that waits for more people", {
    gate: { approvers: 2 },
    maker: { policy: { ...C.makeRule("R").policy, approvers: 2 } }
  })
  not("that the one who asks agreed to, where that may not be", {
    gate: { requesterMayApprove: false },
    maker: { vote: { by: "Local:ADA", approve: true, reason: "" } }
  })

  it.effect("that was denied in that session", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const ticket = yield* awaited(run(id, forGood("a", mark)))
      const rule = yield* C.ruled()
      yield* commit(C.decide(ticket, false, "grace", { reason: "never" }))
      assert.match((yield* refused(run(id, forGood("a", mark)))).detail, /denied by grace: never/)
      assert.deepStrictEqual(done, [])
      assert.strictEqual(yield* usesOf(rule), 0)
      // Other arguments there, and the same elsewhere, are approved.
      yield* run(id, Effect.andThen(Effect.ignore(forGood("a", mark)), forGood("b", mark)))
      yield* run((yield* session()).id, forGood("a", mark))
      assert.deepStrictEqual(done, ["b", "a"])
    }).pipe(Effect.provide(world())))

  it.effect("that was denied between the look and the commit", () => {
    let denial: ReadonlyArray<Store.Commit> = []
    const wrap = (store: Store.Store["Service"]): Store.Store["Service"] => ({
      ...store,
      commit: (commit) =>
        commit._tag === "Begin"
          ? Effect.andThen(Effect.forEach(denial, store.commit), store.commit(commit))
          : store.commit(commit)
    })
    return Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const rule = yield* C.ruled()
      // Asked for twice, side by side, with the same arguments: one is denied while the other is about to begin.
      const writer = { ...C.summary(id), epoch: 1 }
      const filed = C.ticket(writer, C.fresh("T"), { args: C.hashOf(`{"args":"a"}`) })
      denial = [C.propose(writer, filed), C.decide(filed, false)]
      const reason = yield* refused(run(id, forGood("a", mark)))
      assert.deepInclude(reason, { layer: "approval" })
      assert.deepStrictEqual(done, [])
      assert.strictEqual(yield* usesOf(rule), 0)
    }).pipe(Effect.provide(world({ wrap })))
  })

  it.effect("about which a person is being asked", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const ticket = yield* awaited(run(id, forGood("a", mark)))
      const rule = yield* C.ruled()
      assert.strictEqual((yield* awaited(run(id, forGood("a", mark)))).id, ticket.id)
      // Nor in other words.
      yield* awaited(run(id, forGood("a", mark, { reasons: { text: "please", evidence: [] } })))
      assert.deepStrictEqual(done, [])
      assert.strictEqual(yield* usesOf(rule), 0)
    }).pipe(Effect.provide(world())))

  it.effect("that others used up, or that was revoked, between the look and the commit", () => {
    let between: Effect.Effect<unknown, Store.StoreError> = Effect.void
    const wrap = (store: Store.Store["Service"]): Store.Store["Service"] => ({
      ...store,
      commit: (commit) =>
        commit._tag === "Begin" && commit.session !== C.sessionId("thief")
          ? Effect.suspend(() => {
            const first = between
            between = Effect.void
            return Effect.andThen(first, store.commit(commit))
          })
          : store.commit(commit)
    })
    return Effect.gen(function*() {
      const { done, mark } = marks()
      const store = yield* Store.Store
      const [first, second] = [yield* C.ruled({ maxUses: 1, expiresAt: 1000 }), yield* C.ruled({ expiresAt: 2000 })]
      const thief = yield* C.opened(undefined, "thief")
      between = store.commit(C.begin(thief, "#0", C.byRule(first)))
      const { id } = yield* session()
      yield* run(id, forGood("a", mark))
      assert.deepInclude((yield* kind(id, "intent"))[0], { rule: { id: second.id, use: 1 } })
      between = store.commit(C.revokeRule(second.id))
      const other = yield* session()
      const ticket = yield* awaited(run(other.id, forGood("a", mark)))
      assert.isTrue(Ticket.isOpen(ticket, 0))
      assert.deepStrictEqual(done, ["a"])
      assert.deepStrictEqual(yield* kind(other.id, "intent"), [])
    }).pipe(Effect.provide(world({ wrap })))
  })

  it.effect("with terms that somebody altered in the database", () => {
    const wrap = (store: Store.Store["Service"]): Store.Store["Service"] => ({
      ...store,
      rules: (at) =>
        Effect.map(store.rules(at), (all) => all.map((rule) => ({ ...rule, terms: { ...rule.terms, where: [] } })))
    })
    return Effect.gen(function*() {
      const { done, mark } = marks()
      yield* C.ruled({ where: [{ at: "/args", oneOf: ["b"] }] })
      yield* awaited(run((yield* session()).id, forGood("a", mark)))
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ wrap })))
  })

  it.effect("but the approval: it lifts nothing else that stands in the way", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const rule = yield* C.ruled()
      const { id } = yield* session({ budget: 5 })
      assert.strictEqual((yield* refused(run(id, forGood("a", mark, { reserve: 6 })))).layer, "budget")
      const none = yield* session({ capabilities: [] })
      assert.strictEqual((yield* refused(run(none.id, forGood("a", mark)))).layer, "token")
      const revoked = yield* session({ jti: C.tokenId("gone") })
      yield* commit(C.revoke(C.summary(revoked.id), C.tokenId("gone")))
      assert.strictEqual((yield* refused(run(revoked.id, forGood("a", mark)))).layer, "token")
      assert.deepStrictEqual(done, [])
      assert.strictEqual(yield* usesOf(rule), 0)
    }).pipe(Effect.provide(world())))

  it.effect("for acts of a runtime without a gate", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      yield* C.ruled()
      const reason = yield* refused(run((yield* session()).id, forGood("a", mark)))
      assert.strictEqual(reason.layer, "approval")
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ gate: null }))))
})
