/** Acts that cannot be undone: what a ticket is good for, once, and for nothing else. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { Gate, type Policy, type Ticket } from "../../src/approval/index.ts"
import { type Claims, Tokens } from "../../src/capability/index.ts"
import { branch, Governor, GovernorError, layer as governor, Store } from "../../src/governor/index.ts"
import * as C from "./commits.ts"
import {
  act,
  action,
  bodies,
  kind,
  marks,
  type Parts,
  refused,
  run,
  session,
  Sorry,
  stopped,
  Tester,
  world
} from "./world.ts"

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

const decided = Effect.fnUntraced(function*(ticket: Ticket.Ticket, approve: boolean) {
  const store = yield* Store.Store
  yield* store.commit(C.decide(ticket, approve))
})

const stateOf = (ticket: Ticket.Ticket) =>
  Effect.map(
    Effect.flatMap(Store.Store, (store) => store.ticket(ticket.id)),
    (found) => found?.state
  )

describe("an act that cannot be undone", () => {
  it.effect("waits, runs once when it is approved, and then never again", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood("a", mark, { reasons: { text: "because", evidence: [`${id}/1`] }, reserve: 7 })
      const ticket = yield* awaited(run(id, asked))
      assert.deepStrictEqual(done, [])
      assert.deepInclude(ticket, { session: id, act: "act", requester: "ada", state: "proposed", votes: [] })
      assert.deepStrictEqual(ticket.shown, {
        act: "act",
        description: "acts",
        args: `{"args":"a"}`,
        caller: "ada",
        reasons: "because",
        evidence: [{ stamp: `${id}/1`, act: null, preview: "no act ended there", trust: "untrusted" }],
        estimateMicroUsd: 7
      })
      assert.match(ticket.id, /^T[0-9A-HJKMNP-TV-Z]{8}$/)
      // Asking again is waiting for the same ticket.
      assert.strictEqual((yield* awaited(run(id, asked))).id, ticket.id)

      yield* decided(ticket, true)
      yield* run(id, asked)
      assert.deepStrictEqual(done, ["a"])
      assert.strictEqual(yield* stateOf(ticket), "succeeded")
      assert.deepInclude((yield* kind(id, "intent"))[0], { ticket: ticket.id })

      // A re-run is answered; a second act with the same arguments needs a ticket of its own.
      yield* run(id, asked)
      const second = yield* awaited(run(id, Effect.andThen(asked, asked)))
      assert.notStrictEqual(second.id, ticket.id)
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world())))

  it.effect("says what waits, in the chain, by hashes", () =>
    Effect.gen(function*() {
      const { mark } = marks()
      const { id } = yield* session()
      const secret = `AKIA${"Z".repeat(16)}`
      const ticket = yield* awaited(run(id, forGood(secret, mark, { reasons: { text: secret, evidence: [] } })))
      assert.notInclude(JSON.stringify(ticket.shown), secret)
      const [row] = yield* kind(id, "proposed")
      assert.deepInclude(row, { act: "act", ticket: ticket.id, binding: ticket.binding, args: ticket.args, key: "#0" })
    }).pipe(Effect.provide(world())))

  for (const approve of [true, false]) {
    it.effect(`keeps a denial as final ${approve ? "even beside an approval" : "for these arguments"}`, () =>
      Effect.gen(function*() {
        const { done, mark } = marks()
        const { id } = yield* session()
        const ticket = yield* awaited(run(id, forGood("a", mark)))
        const other = yield* awaited(run(id, forGood("a", mark, { description: "acts, harmlessly" })))
        yield* decided(ticket, false)
        if (approve) yield* decided(other, true)
        for (const parts of [{}, { description: "acts, harmlessly" }, { description: "something new" }]) {
          const reason = yield* refused(run(id, forGood("a", mark, parts)))
          assert.strictEqual(reason.layer, "approval")
          assert.match(reason.detail, /denied by grace/)
          assert.match(reason.remedy, /final/)
        }
        assert.deepStrictEqual(done, [])
        assert.lengthOf(yield* kind(id, "refusal"), 3)
        const store = yield* Store.Store
        assert.lengthOf(yield* store.tickets(id), 2)
        // Other arguments, and other sessions, may still ask.
        yield* awaited(run(id, forGood("b", mark)))
        yield* awaited(run((yield* session()).id, forGood("a", mark)))
      }).pipe(Effect.provide(world())))
  }

  it.effect("is told when the time of its ticket ran out, approved or not, and may ask again for a new one", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      /** Asks until it is not told that its time ran out; each time at another place. */
      const asking = Effect.retry(Effect.suspend(() => forGood("a", mark)), {
        while: (error) => error instanceof GovernorError && /ran out/.test(error.message),
        times: 9
      })
      const first = yield* awaited(run(id, asking))
      assert.strictEqual(first.expiresAt, (yield* Clock.currentTimeMillis) + 1000)
      yield* TestClock.adjust(1000)
      const reason = yield* refused(run(id, forGood("a", mark)))
      assert.deepInclude(reason, { layer: "approval", detail: `the time of ticket ${first.id} ran out` })
      // The run that noticed said so, once, and is told the same whenever it comes by.
      assert.deepInclude((yield* kind(id, "decided"))[0], { ticket: first.id, decision: "expired", by: "aosiq" })
      assert.strictEqual(yield* stateOf(first), "expired")
      yield* refused(run(id, forGood("a", mark)))
      assert.lengthOf(yield* kind(id, "decided"), 1)

      const second = yield* awaited(run(id, asking))
      assert.deepStrictEqual([first.key, second.key], ["#0", "#1"])
      yield* TestClock.adjust(999)
      yield* decided(second, true)
      yield* TestClock.adjust(1)
      const third = yield* awaited(run(id, asking))
      assert.strictEqual(yield* stateOf(second), "expired")
      assert.match((yield* kind(id, "decided")).at(-1)?.reason ?? "", /approved, and not used/)
      assert.deepStrictEqual(done, [])
      yield* decided(third, true)
      yield* TestClock.adjust(999)
      yield* run(id, asking)
      assert.deepStrictEqual(done, ["a"])
      assert.strictEqual(yield* stateOf(third), "succeeded")
    }).pipe(Effect.provide(world({ gate: { lifetimeMs: 1000 } }))))

  it.effect("cannot flood the people who decide", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const tickets = [yield* awaited(run(id, forGood("a", mark))), yield* awaited(run(id, forGood("b", mark)))]
      const reason = yield* refused(run(id, forGood("c", mark)))
      assert.deepInclude(reason, { layer: "approval" })
      assert.match(reason.remedy, /decide/)
      assert.deepInclude((yield* kind(id, "refusal"))[0], { layer: "approval", ran: false })
      // Another session has its own number, and a decision makes room.
      yield* awaited(run((yield* session()).id, forGood("c", mark)))
      const [first] = tickets
      if (first !== undefined) yield* decided(first, false)
      yield* awaited(run(id, forGood("c", mark)))
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ gate: { maxPending: 2 } }))))

  it.effect("runs once for one approval, however many ask for it at the same moment", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const ticket = yield* awaited(run(id, forGood("a", mark)))
      yield* decided(ticket, true)
      const asked = Array.from({ length: 20 }, (_, index) =>
        Effect.result(forGood("a", mark)).pipe(branch(`lane-${index}`)))
      const results = yield* run(id, Effect.all(asked, { concurrency: "unbounded" }))
      assert.lengthOf(results.filter(Result.isSuccess), 1)
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world({ gate: { maxPending: 100 } }))))

  for (
    const [name, body, state] of [
      ["failed", () => Effect.fail(new Sorry({ why: "no" })), "failed"],
      ["broke down", () => Effect.die(new Error("boom")), "unknown"],
      ["was interrupted", () => Effect.interrupt, "unknown"]
    ] as const
  ) {
    it.effect(`leaves its ticket ${state} when it ${name}, and the approval is used up`, () =>
      Effect.gen(function*() {
        const { done, mark } = marks()
        const { id } = yield* session()
        const ticket = yield* awaited(run(id, forGood("a", mark)))
        yield* decided(ticket, true)
        yield* Effect.exit(run(id, forGood("a", body)))
        assert.strictEqual(yield* stateOf(ticket), state)
        yield* Effect.exit(run(id, forGood("a", mark)))
        assert.deepStrictEqual(done, [])
        assert.lengthOf(yield* kind(id, "intent"), 1)
      }).pipe(Effect.provide(world())))
  }
})

describe("an approval that something drifted from", () => {
  /** Approves one act, asks for another, and sees that it does not run on that approval. */
  const drift = (name: string, before: Parts, after: Parts, args: readonly [string, string] = ["a", "a"]) =>
    it.effect(`is for nothing: ${name}`, () =>
      Effect.gen(function*() {
        const { done, mark } = marks()
        const { id } = yield* session({ capabilities: ["tool:act", "tool:other"] })
        const ticket = yield* awaited(run(id, forGood(args[0], mark, before)))
        yield* decided(ticket, true)
        const another = yield* awaited(run(id, forGood(args[1], mark, after)))
        assert.notStrictEqual(another.binding, ticket.binding)
        assert.deepStrictEqual(done, [])
        assert.strictEqual(yield* stateOf(ticket), "approved")
        // For what was approved it is still good.
        yield* run(id, forGood(args[0], mark, before))
        assert.deepStrictEqual(done, [args[0]])
      }).pipe(Effect.provide(world())))

  drift("other arguments", {}, {}, ["a", "b"])
  drift("other arguments that look alike without their secrets", {}, {}, [
    `AKIA${"Y".repeat(16)}`,
    `AKIA${"Z".repeat(16)}`
  ])
  drift("another definition", {}, { schema: C.hashOf("another schema") })
  drift("another act", {}, { name: "other" })
  drift("another description", {}, { description: "acts a little" })
  drift("other reasons", {}, { reasons: { text: "please", evidence: [] } })
  drift("other evidence", { reasons: { text: "", evidence: ["ses/1"] } }, {
    reasons: { text: "", evidence: ["ses/2"] }
  })
  drift("another price", { reserve: 1 }, { reserve: 2 })

  it.effect("is for nothing: another actor class", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const ticket = yield* awaited(run(id, forGood("a", mark)))
      yield* decided(ticket, true)
      yield* awaited(run(id, forGood("a", mark), { ...Tester, name: "Other" }))
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))

  it.effect("is for nothing: another session", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const ticket = yield* awaited(run(id, forGood("a", mark)))
      yield* decided(ticket, true)
      const other = yield* session()
      yield* awaited(run(other.id, forGood("a", mark)))
      assert.deepStrictEqual(done, [])
      // Not even when somebody files it there.
      const store = yield* Store.Store
      const stolen = {
        ...ticket,
        ...C.ticket(C.summary(other.id), C.fresh("T")),
        binding: ticket.binding,
        args: ticket.args
      }
      const { session: writer } = yield* store.commit(C.claim(other.id))
      yield* store.commit(C.propose(writer, stolen))
      yield* decided(stolen, true)
      yield* awaited(run(other.id, forGood("a", mark)))
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))

  it.effect("is for nothing: another token", () => {
    let token: string | undefined
    const wrap = (store: Store.Store["Service"]): Store.Store["Service"] => ({
      ...store,
      commit: (commit) =>
        Effect.map(store.commit(commit), (committed) =>
          commit._tag === "Claim" && token !== undefined
            ? { ...committed, session: { ...committed.session, token } }
            : committed)
    })
    return Effect.gen(function*() {
      const { done, mark } = marks()
      const { claims, id } = yield* session()
      const ticket = yield* awaited(run(id, forGood("a", mark)))
      yield* decided(ticket, true)
      const tokens = yield* Tokens.Tokens
      token = yield* tokens.mint({ ...claims, budget: claims.budget + 1 })
      yield* awaited(run(id, forGood("a", mark)))
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ wrap })))
  })

  for (
    const [name, change] of Object.entries<Partial<Policy.Policy>>({
      "more approvers": { approvers: 2 },
      "no requester": { requesterMayApprove: false },
      "a shorter life": { lifetimeMs: 10 },
      "another version": { version: "2" }
    })
  ) {
    it.effect(`is for nothing: another policy (${name})`, () =>
      Effect.gen(function*() {
        const { done, mark } = marks()
        const { id } = yield* session()
        const ticket = yield* awaited(run(id, forGood("a", mark)))
        yield* decided(ticket, true)
        const stricter = yield* Layer.build(Layer.fresh(governor).pipe(Layer.provide(Gate.layer(change))))
        const asked = forGood("a", mark).pipe(Effect.provideService(Governor, Context.get(stricter, Governor)))
        yield* awaited(run(id, asked))
        assert.deepStrictEqual(done, [])
      }).pipe(Effect.provide(world())))
  }
})

describe("a ticket", () => {
  it.effect("does not lift what else stands in the way", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const reasonFor = (
        claims: Partial<Claims.Claims>,
        meanwhile: (id: Claims.SessionId) => Effect.Effect<unknown, Store.StoreError, Store.Store>,
        parts: Parts = {}
      ) =>
        Effect.gen(function*() {
          const opened = yield* session(claims)
          const ticket = yield* awaited(run(opened.id, forGood("a", mark, parts)))
          yield* decided(ticket, true)
          yield* meanwhile(opened.id)
          const reason = yield* refused(run(opened.id, forGood("a", mark, parts)))
          assert.strictEqual(yield* stateOf(ticket), "approved")
          return reason.layer
        })
      const nothing = () => Effect.void
      assert.strictEqual(yield* reasonFor({}, nothing, { reserve: 1001 }), "budget")
      assert.strictEqual(
        yield* reasonFor({ jti: C.tokenId("gone") }, (id) =>
          Effect.flatMap(Store.Store, (store) => store.commit(C.revoke(C.summary(id), C.tokenId("gone"))))),
        "token"
      )
      assert.strictEqual(
        yield* reasonFor({ exp: 100 }, () =>
          TestClock.adjust("2 minutes")),
        "token"
      )
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))

  it.effect("is asked for in no mode but those that enforce or warn", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(id, forGood("a", mark))
      assert.deepStrictEqual(done, ["a"])
      assert.notInclude((yield* bodies(id)).map((row) => row.kind), "proposed")
    }).pipe(Effect.provide(world({ mode: "disabled" }))))

  it.effect("is used in warn mode when there is one, and a denial there is recorded and passed over", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const store = yield* Store.Store
      const { session: writer } = yield* store.commit(C.claim(id))
      const denied = C.ticket(writer, C.fresh("T"), { args: C.hashOf(`{"args":"a"}`) })
      yield* store.commit(C.propose(writer, denied))
      yield* decided(denied, false)
      yield* run(id, forGood("a", mark))
      assert.deepStrictEqual(done, ["a"])
      assert.deepInclude((yield* kind(id, "refusal"))[0], { layer: "approval", ran: true })
    }).pipe(Effect.provide(world({ mode: "warn" }))))
})
