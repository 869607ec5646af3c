/** Acts whose outcome was lost: held, found out, done again under one key, or left to an operator; never simply repeated. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Policy, type Ticket } from "../../src/approval/index.ts"
import type { Row } from "../../src/audit/index.ts"
import type { Claims } from "../../src/capability/index.ts"
import { branch, type GovernorError, Lost, type Permit, type Probed, Store } from "../../src/governor/index.ts"
import * as C from "./commits.ts"
import { act, action, bodies, kind, marks, type Parts, passing, run, session, Sorry, stopped, world } from "./world.ts"

type Body = (args: string, permit: Permit<string>) => Effect.Effect<string, Sorry | GovernorError>

/** An act that cannot be undone and holds twenty micro-dollars. */
const forGood = (body: Body, parts: Parts = {}) => ({
  ...action("a", () => Effect.die("unused"), { reversible: false, reserve: 20, ...cost(5), ...parts }),
  run: body
})
const cost = (costMicroUsd: number) => ({ bill: () => ({ costMicroUsd }) })

/** Files a ticket for it, and approves. */
const approved = (id: Claims.SessionId, asked: ReturnType<typeof forGood>, approvers = ["grace"]) =>
  Effect.gen(function*() {
    const store = yield* Store.Store
    const reason = yield* stopped(run(id, act(asked)))
    if (reason._tag !== "AwaitingApproval") return yield* Effect.die(new Error(reason._tag))
    const ticket = yield* store.ticket(reason.ticket)
    if (ticket === undefined) return yield* Effect.die(new Error("no ticket"))
    for (const by of approvers) {
      const policy = { ...Policy.standard, approvers: approvers.length }
      yield* store.commit(C.decide(ticket, true, by, { policy }))
    }
    return ticket.id
  })

/** Runs it up to its handler, and takes the session as a process does after this one was killed. */
const killed = (id: Claims.SessionId, asked: ReturnType<typeof forGood>) =>
  Effect.gen(function*() {
    const store = yield* Store.Store
    const started = yield* Deferred.make<void>()
    const stuck = { ...asked, run: () => Effect.andThen(Deferred.succeed(started, undefined), Effect.never) }
    const fiber = yield* Effect.forkChild(run(id, act(stuck)))
    yield* Deferred.await(started)
    yield* store.commit(C.claim(id))
    yield* Fiber.interrupt(fiber)
  })

const money = (id: Claims.SessionId) =>
  Effect.gen(function*() {
    const store = yield* Store.Store
    const account = (yield* store.accounts).find((account) => account.id === `session:${id}`)
    return [account?.reserved, account?.spent]
  })
const stateOf = (ticket: Ticket.TicketId) =>
  Effect.flatMap(Store.Store, (store) => Effect.map(store.ticket(ticket), (found) => found?.state))

/** An operator's word on the one act of the session whose outcome is open. */
const settle = (id: Claims.SessionId, choice: Store.Settle["decision"]["choice"], parts: Partial<Store.Settle> = {}) =>
  Effect.gen(function*() {
    const store = yield* Store.Store
    const open = (yield* store.lost(id)).find(({ state }) => state === "unknown")
    if (open === undefined) return yield* Effect.die(new Error("nothing is open"))
    const decision = { choice, from: "operator", by: "grace", reason: "their log says so", result: null } as const
    const commit = C.settle(C.summary(id), open.key, { intent: open.intent, decision, ...parts })
    yield* store.commit(commit)
    return commit
  })

describe("an act that cannot be undone", () => {
  const losses: ReadonlyArray<readonly [string, (mark: Effect.Effect<string>) => Effect.Effect<string>, RegExp]> = [
    ["ran out of time", (mark) => Effect.andThen(mark, Effect.never), /out of time after 1000 ms/],
    ["broke down", (mark) => Effect.andThen(mark, Effect.die(new Error("boom"))), /crashed: Error: boom/],
    ["gave what it cannot have meant", (mark) => Effect.as(mark, 7 as never), /crashed: its result does not fit/],
    ["was interrupted", (mark) => Effect.andThen(mark, Effect.interrupt), /interrupted/]
  ]
  for (const [name, body, why] of losses) {
    it.effect(`and ${name} may have taken effect: it waits for an operator, its money held`, () =>
      Effect.gen(function*() {
        const { done, mark } = marks()
        const { id } = yield* session()
        const asked = forGood(() => body(mark("a")))
        const ticket = yield* approved(id, asked)
        yield* Effect.exit(passing(run(id, act(asked))))
        assert.deepStrictEqual(done, ["a"])
        // However often it is asked, in this run's words and in those of later ones.
        for (let time = 0; time < 2; time++) {
          const reason = yield* stopped(run(id, act(asked)))
          assert.deepInclude(reason, { _tag: "AwaitingSettlement" })
          if (reason._tag === "AwaitingSettlement") assert.match(reason.detail, why)
        }
        assert.deepStrictEqual(done, ["a"])
        assert.strictEqual(yield* stateOf(ticket), "unknown")
        assert.deepStrictEqual(yield* money(id), [20, 0])
        assert.deepInclude((yield* kind(id, "outcome"))[0], { costMicroUsd: 0 })
        const store = yield* Store.Store
        const lost = yield* store.lost(id)
        assert.lengthOf(lost, 1)
        assert.deepInclude(lost[0], { key: "#0", name: "act", reserved: 20, ticket, state: "unknown", repeat: "never" })
      }).pipe(Effect.provide(world())))
  }

  it.effect("says so in the run that lost it, as every later run does", () =>
    Effect.gen(function*() {
      const { id } = yield* session()
      const asked = forGood(() => Effect.die(new Error("boom")))
      yield* approved(id, asked)
      const first = yield* stopped(run(id, act(asked)))
      assert.strictEqual(first._tag, "AwaitingSettlement")
      assert.deepStrictEqual(yield* stopped(run(id, act(asked))), first)
    }).pipe(Effect.provide(world())))

  it.effect("and failed in its own words did not take effect, and leaves nothing open", () =>
    Effect.gen(function*() {
      const { id } = yield* session()
      const asked = forGood(() => Effect.fail(new Sorry({ why: "no such order" })))
      const ticket = yield* approved(id, asked)
      assert.instanceOf(yield* Effect.flip(run(id, act(asked))), Sorry)
      assert.strictEqual(yield* stateOf(ticket), "failed")
      assert.deepStrictEqual(yield* money(id), [0, 5])
      assert.deepStrictEqual(yield* (yield* Store.Store).lost(id), [])
    }).pipe(Effect.provide(world())))

  it.effect("goes on in a frozen process: what it answers late is refused, whatever was decided meanwhile", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const begun = yield* Deferred.make<void>()
      const thawed = yield* Deferred.make<void>()
      const frozen = forGood(() =>
        Deferred.succeed(begun, undefined).pipe(Effect.andThen(Deferred.await(thawed)), Effect.andThen(mark("a")))
      )
      const ticket = yield* approved(id, frozen)
      const first = yield* Effect.forkChild(stopped(run(id, act(frozen))))
      yield* Deferred.await(begun)
      // A newer run takes the session, and an operator says that it was not done.
      const asked = forGood(() => mark("again"))
      assert.deepInclude(yield* stopped(run(id, act(asked))), { _tag: "AwaitingSettlement" })
      yield* settle(id, "not_done", { spent: 0 })
      assert.deepInclude(yield* stopped(run(id, act(asked))), { _tag: "Settled", happened: false })
      const before = yield* bodies(id)
      yield* Deferred.succeed(thawed, undefined)
      // The handler could not be stopped; that it answered counts for nothing, and it is not told that it succeeded.
      assert.deepInclude(yield* Fiber.join(first), { _tag: "LogUnavailable", ran: true })
      assert.deepStrictEqual(done, ["a"])
      assert.deepStrictEqual(yield* bodies(id), before)
      assert.deepStrictEqual(yield* money(id), [0, 0])
      assert.strictEqual(yield* stateOf(ticket), "failed")
    }).pipe(Effect.provide(world())))
})

describe("what an operator says", () => {
  it.effect("retry: it is done once more, on the same approval, and no more than once", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood(() => mark("a"))
      const ticket = yield* approved(id, asked)
      yield* killed(id, asked)
      yield* settle(id, "retry", { spent: 7 })
      assert.deepStrictEqual(yield* money(id), [0, 7])
      // The decision outlasts a run that ends before it is used.
      const store = yield* Store.Store
      yield* store.commit(C.claim(id))
      const { value } = yield* run(id, act(asked))
      assert.strictEqual(value, "did a")
      assert.strictEqual((yield* run(id, act(asked))).value, "did a")
      assert.deepStrictEqual(done, ["a"])
      assert.deepStrictEqual(yield* money(id), [0, 12])
      assert.strictEqual(yield* stateOf(ticket), "succeeded")
      const intents = yield* kind(id, "intent")
      assert.deepStrictEqual(intents.map((row) => [row.key, row.ticket]), [["#0", ticket], ["#0~1", ticket]])
      assert.deepInclude((yield* kind(id, "settled"))[0], {
        choice: "retry",
        by: "grace",
        from: "operator",
        key: "#0",
        args: intents[0]?.args ?? null,
        costMicroUsd: 7
      })
      assert.deepStrictEqual(yield* store.lost(id), [])
    }).pipe(Effect.provide(world())))

  it.effect("retry, and it is lost again: it waits for another word", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood(() => mark("a"))
      const ticket = yield* approved(id, asked)
      for (const time of [0, 1, 2]) {
        yield* killed(id, asked)
        assert.deepInclude(yield* stopped(run(id, act(asked))), { _tag: "AwaitingSettlement" })
        assert.strictEqual(yield* stateOf(ticket), "unknown")
        yield* settle(id, "retry")
        assert.deepStrictEqual(yield* money(id), [0, 20 * (time + 1)])
      }
      assert.deepStrictEqual(done, [])
      yield* run(id, act(asked))
      assert.deepStrictEqual(done, ["a"])
      assert.lengthOf(yield* kind(id, "intent"), 4)
    }).pipe(Effect.provide(world())))

  it.effect("retry, after its approval ran out of time: it is the operator's decision that lets it run", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood(() => mark("a"))
      yield* approved(id, asked)
      yield* killed(id, asked)
      yield* TestClock.adjust(2000)
      yield* settle(id, "retry")
      yield* TestClock.adjust(500)
      yield* run(id, act(asked))
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world({ gate: { lifetimeMs: 1000 } }))))

  it.effect("retry, and nobody uses it in time: it has to be approved again", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood(() => mark("a"))
      yield* approved(id, asked)
      yield* killed(id, asked)
      yield* settle(id, "retry")
      yield* TestClock.adjust(1000)
      assert.deepInclude(yield* stopped(run(id, act(asked))), { _tag: "AwaitingApproval" })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ gate: { lifetimeMs: 1000 } }))))

  it.effect("retry, of what took two people to approve: one has it repeated by nobody but two", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood(() => mark("a"))
      const ticket = yield* approved(id, asked, ["grace", "ada"])
      yield* killed(id, asked)
      yield* settle(id, "retry")
      const reason = yield* stopped(run(id, act(asked)))
      assert.deepInclude(reason, { _tag: "AwaitingApproval" })
      assert.notDeepInclude(reason, { ticket })
      assert.deepStrictEqual(done, [])
      yield* approved(id, asked, ["grace", "ada"])
      yield* run(id, act(asked))
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world({ gate: { approvers: 2 } }))))

  it.effect("retry, of a tool that has changed since: the earlier approval is for nothing", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood(() => mark("a"))
      const ticket = yield* approved(id, asked)
      yield* killed(id, asked)
      yield* settle(id, "retry")
      const changed = forGood(() => mark("a"), { schema: C.hashOf("another schema") })
      const reason = yield* stopped(run(id, act(changed)))
      assert.deepInclude(reason, { _tag: "AwaitingApproval" })
      assert.notDeepInclude(reason, { ticket })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))

  it.effect("retry, of one of two acts that are alike: the other has no part in it", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood(() => mark("a"))
      const ticket = yield* approved(id, asked)
      yield* killed(id, asked)
      yield* settle(id, "retry")
      const other = yield* stopped(run(id, branch("other")(act(asked))))
      assert.deepInclude(other, { _tag: "AwaitingApproval" })
      assert.notDeepInclude(other, { ticket })
      assert.deepStrictEqual(done, [])
      // Not even when it brings the ticket along.
      const store = yield* Store.Store
      const { session: now } = yield* store.commit(C.claim(id))
      const { binding } = (yield* store.ticket(ticket)) ?? { binding: C.hashOf("none") }
      const { reason } = yield* Effect.flip(
        store.commit(C.begin(now, "/other#0", { ticket: { id: ticket, binding }, repeat: "never" }))
      )
      assert.deepInclude(reason, { why: "ticket_unusable" })
      yield* run(id, act(asked))
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world())))

  it.effect("done, with its result: the actor goes on with that, and it costs all that was held", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood(() => mark("a"))
      const ticket = yield* approved(id, asked)
      yield* killed(id, asked)
      const decision = {
        choice: "done",
        from: "operator",
        by: "grace",
        reason: "seen",
        result: C.hashOf(`"as they say"`)
      } as const
      yield* settle(id, "done", { decision, payloads: [C.payloadOf(`"as they say"`)] })
      const outcome = yield* run(id, act(asked))
      assert.deepInclude(outcome, { value: "as they say", trust: "trusted" })
      assert.deepStrictEqual(yield* run(id, act(asked)), outcome)
      assert.deepStrictEqual(done, [])
      assert.deepStrictEqual(yield* money(id), [0, 20])
      assert.strictEqual(yield* stateOf(ticket), "succeeded")
    }).pipe(Effect.provide(world())))

  it.effect("done, without one: the actor is told that it was done, by whom and why", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood(() => mark("a"))
      const ticket = yield* approved(id, asked)
      yield* killed(id, asked)
      yield* settle(id, "done", { spent: 11 })
      assert.deepInclude(yield* stopped(run(id, act(asked))), {
        _tag: "Settled",
        happened: true,
        by: "grace",
        detail: "their log says so"
      })
      assert.deepStrictEqual(done, [])
      assert.deepStrictEqual(yield* money(id), [0, 11])
      assert.strictEqual(yield* stateOf(ticket), "succeeded")
    }).pipe(Effect.provide(world())))

  it.effect("not done: the actor is told so, may ask for it again, and needs a new approval for that", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = forGood(() => mark("a"))
      const ticket = yield* approved(id, asked)
      yield* killed(id, asked)
      yield* settle(id, "not_done", { spent: 0 })
      assert.deepStrictEqual(yield* money(id), [0, 0])
      assert.strictEqual(yield* stateOf(ticket), "failed")
      const twice = Effect.andThen(stopped(act(asked)), act(asked))
      const reason = yield* stopped(run(id, twice))
      assert.deepInclude(reason, { _tag: "AwaitingApproval" })
      assert.notDeepInclude(reason, { ticket })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))

  it.effect("counts once, for the attempt that it is about, while that is open", () =>
    Effect.gen(function*() {
      const { mark } = marks()
      const { id } = yield* session()
      const store = yield* Store.Store
      const asked = forGood(() => mark("a"))
      yield* approved(id, asked)
      yield* killed(id, asked)
      const commit = yield* settle(id, "retry")
      const again = Effect.flip(store.commit(commit))
      assert.deepInclude((yield* again).reason, { why: "stale" })
      yield* run(id, act(asked))
      assert.deepInclude((yield* again).reason, { why: "stale" })
      assert.lengthOf(yield* kind(id, "settled"), 1)
    }).pipe(Effect.provide(world())))
})

describe("an idempotency key", () => {
  it.effect("is one for all attempts at an act, and no other act's", () =>
    Effect.gen(function*() {
      const { id } = yield* session()
      const keys: Array<string> = []
      const body: Body = (_, permit) => Effect.sync(() => (keys.push(permit.idempotencyKey), "x"))
      const asked = forGood(body, { reversible: true })
      yield* run(id, act(asked))
      const lost: Body = (args, permit) => Effect.andThen(body(args, permit), Effect.interrupt)
      const second = { ...asked, run: lost }
      yield* Effect.exit(run(id, Effect.andThen(act(asked), act(second))))
      yield* run(id, Effect.andThen(act(asked), act(asked)))
      yield* run((yield* session()).id, act(asked))
      yield* run(id, branch("b")(act({ ...asked, decode: Effect.succeed({ args: "b", json: "b" }) })))
      const [first, ...rest] = keys
      assert.lengthOf(keys, 5)
      assert.strictEqual(rest[0], rest[1])
      assert.lengthOf(new Set(keys), 4)
      assert.match(first ?? "", /^[0-9a-f]{64}$/)
    }).pipe(Effect.provide(world())))

  const keyed = (body: Body, parts: Parts = {}) => forGood(body, { idempotent: true, ...parts })

  it.effect("lets an act that declares it be done again by itself, under the same key and the same approval", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = keyed((_, permit) => mark(permit.idempotencyKey))
      const ticket = yield* approved(id, asked)
      yield* killed(id, asked)
      assert.include((yield* run(id, act(asked))).value, "did")
      assert.lengthOf(done, 1)
      const [intent] = yield* kind(id, "intent")
      assert.strictEqual(
        done[0],
        Lost.idempotencyKey(C.digest, { session: id, place: "#0", act: "act", args: intent?.args ?? C.hashOf("") })
      )
      assert.strictEqual(yield* stateOf(ticket), "succeeded")
      // Nobody knows what the lost attempt cost.
      assert.deepStrictEqual(yield* money(id), [0, 25])
      const settled = yield* kind(id, "settled")
      assert.lengthOf(settled, 1)
      assert.deepInclude(settled[0], { choice: "retry", from: "governor", costMicroUsd: 20 })
    }).pipe(Effect.provide(world())))

  it.effect("lets it be done again in the same run, when it ran out of time", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = keyed(() =>
        Effect.flatMap(mark("a"), (said) => done.length < 3 ? Effect.never : Effect.succeed(said))
      )
      yield* approved(id, asked)
      assert.strictEqual((yield* passing(run(id, act(asked)))).value, "did a")
      assert.deepStrictEqual(done, ["a", "a", "a"])
      assert.deepStrictEqual(yield* money(id), [0, 45])
    }).pipe(Effect.provide(world())))

  it.effect("does not lead on without end: after a bounded number of attempts it waits for an operator", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = keyed(() => Effect.andThen(mark("a"), Effect.die(new Error("boom"))))
      yield* approved(id, asked)
      for (let time = 0; time < 3; time++) {
        assert.deepInclude(yield* stopped(run(id, act(asked))), { _tag: "AwaitingSettlement" })
      }
      assert.lengthOf(done, Lost.maxRepeats + 1)
      assert.deepStrictEqual(yield* money(id), [20, 20 * Lost.maxRepeats])
    }).pipe(Effect.provide(world())))

  const refusals: ReadonlyArray<readonly [string, Parts, Parts, number]> = [
    ["is not declared", { idempotent: false }, { idempotent: false }, 0],
    ["was not yet declared when the act began", { idempotent: false }, { schema: C.hashOf("another schema") }, 0],
    ["is forgotten by the other side", { idempotent: { withinMs: 500 } }, { idempotent: { withinMs: 500 } }, 500]
  ]
  for (const [name, before, after, wait] of refusals) {
    it.effect(`that ${name} lets nothing be done again`, () =>
      Effect.gen(function*() {
        const { done, mark } = marks()
        const { id } = yield* session()
        const first = keyed(() => mark("a"), before)
        yield* approved(id, first)
        yield* killed(id, first)
        yield* TestClock.adjust(wait)
        const reason = yield* stopped(run(id, act(keyed(() => mark("a"), after))))
        assert.deepInclude(reason, { _tag: "AwaitingSettlement" })
        assert.deepStrictEqual(done, [])
      }).pipe(Effect.provide(world())))
  }

  it.effect("does not make an approval outlive its time", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = keyed(() => mark("a"))
      yield* approved(id, asked)
      yield* killed(id, asked)
      yield* TestClock.adjust(1000)
      assert.deepInclude(yield* stopped(run(id, act(asked))), { _tag: "AwaitingSettlement" })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ gate: { lifetimeMs: 1000 } }))))

  it.effect("goes on to count after an operator's retry", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = keyed(() => mark("a"))
      const ticket = yield* approved(id, asked)
      yield* killed(id, asked)
      yield* TestClock.adjust(1000)
      yield* settle(id, "retry")
      yield* killed(id, asked)
      yield* run(id, act(asked))
      assert.deepStrictEqual(done, ["a"])
      assert.strictEqual(yield* stateOf(ticket), "succeeded")
      assert.deepStrictEqual((yield* kind(id, "intent")).map((row) => row.key), ["#0", "#0~1", "#0~2"])
      assert.deepStrictEqual((yield* kind(id, "settled")).map((row) => row.from), ["operator", "governor"])
    }).pipe(Effect.provide(world({ gate: { lifetimeMs: 1000 } }))))

  it.effect("that the first attempt did not declare is not believed by the store either", () =>
    Effect.gen(function*() {
      const { mark } = marks()
      const { id } = yield* session()
      const store = yield* Store.Store
      const plain = forGood(() => mark("a"))
      const ticket = yield* approved(id, plain)
      yield* killed(id, plain)
      const { session: now } = yield* store.commit(C.claim(id))
      const [intent] = yield* kind(id, "intent")
      const { binding = C.hashOf("none") } = (yield* store.ticket(ticket)) ?? {}
      for (const used of [{ id: ticket, binding }, null]) {
        const parts = { ticket: used, repeat: "keyed", after: "#0" } as const
        const begin = C.begin(now, "#0~1", {
          ...parts,
          intent: { key: "#0~1", body: { ...intent, kind: "intent", act: "act" } as typeof Row.Intent.Type }
        })
        const { reason } = yield* Effect.flip(store.commit(begin))
        assert.deepInclude(reason, { why: used === null ? "stale" : "ticket_unusable" })
      }
      assert.lengthOf(yield* kind(id, "intent"), 1)
    }).pipe(Effect.provide(world())))
})

describe("a probe", () => {
  const probed = (
    body: Body,
    probe: () => Effect.Effect<Probed<string>, Sorry | GovernorError>,
    parts: Parts = {}
  ) => ({
    ...forGood(body, parts),
    probe: (_: string, permit: Permit<string>) =>
      Effect.andThen(Effect.sync(() => looks.push(permit.idempotencyKey)), probe())
  })
  const looks: Array<string> = []
  const found = (probed: Probed<string>) => () => Effect.succeed(probed)

  it.effect("that finds it done answers in its place: it is not done again", () =>
    Effect.gen(function*() {
      looks.length = 0
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = probed(() => mark("a"), found({ _tag: "Done", result: "as found" }))
      const ticket = yield* approved(id, asked)
      yield* killed(id, asked)
      const outcome = yield* run(id, act(asked))
      assert.strictEqual(outcome.value, "as found")
      // Later runs are answered from the log.
      assert.deepStrictEqual(yield* run(id, act(asked)), outcome)
      assert.deepStrictEqual(done, [])
      const intents = yield* kind(id, "intent")
      assert.deepStrictEqual(intents.map((row) => row.act), ["act", "probe_act"])
      const args = intents[0]?.args ?? C.hashOf("")
      assert.deepStrictEqual(looks, [Lost.idempotencyKey(C.digest, { session: id, place: "#0", act: "act", args })])
      assert.deepInclude((yield* kind(id, "settled"))[0], {
        choice: "done",
        from: "probe",
        by: "act",
        costMicroUsd: 20
      })
      assert.strictEqual(yield* stateOf(ticket), "succeeded")
      assert.deepStrictEqual(yield* money(id), [0, 20])
      assert.deepStrictEqual(yield* (yield* Store.Store).lost(id), [])
    }).pipe(Effect.provide(world())))

  it.effect("that finds it not done lets it be done, on the same approval; the lost attempt cost nothing", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = probed(() => mark("a"), found({ _tag: "NotDone" }))
      const ticket = yield* approved(id, asked)
      yield* killed(id, asked)
      assert.strictEqual((yield* run(id, act(asked))).value, "did a")
      assert.deepStrictEqual(done, ["a"])
      assert.deepStrictEqual(yield* money(id), [0, 5])
      assert.strictEqual(yield* stateOf(ticket), "succeeded")
    }).pipe(Effect.provide(world())))

  it.effect("is asked in the run that lost it, and not without end", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = probed(() => Effect.andThen(mark("a"), Effect.die(new Error("boom"))), found({ _tag: "NotDone" }))
      yield* approved(id, asked)
      assert.deepInclude(yield* stopped(run(id, act(asked))), { _tag: "AwaitingSettlement" })
      assert.lengthOf(done, Lost.maxRepeats + 1)
    }).pipe(Effect.provide(world())))

  const cannotTell: ReadonlyArray<readonly [string, () => Effect.Effect<Probed<string>, Sorry>]> = [
    ["cannot tell", found({ _tag: "Unknown" })],
    ["fails", () => Effect.fail(new Sorry({ why: "their log is away" }))],
    ["breaks down", () => Effect.die(new Error("boom"))],
    ["does not answer in time", () => Effect.never],
    ["finds what does not fit", found({ _tag: "Done", result: 7 as never })]
  ]
  for (const [name, probe] of cannotTell) {
    it.effect(`that ${name} leaves it to an operator; the next run looks again`, () =>
      Effect.gen(function*() {
        looks.length = 0
        const { done, mark } = marks()
        const { id } = yield* session()
        const asked = probed(() => mark("a"), probe)
        yield* approved(id, asked)
        yield* killed(id, asked)
        for (let time = 1; time <= 2; time++) {
          assert.deepInclude(yield* stopped(passing(run(id, act(asked)))), { _tag: "AwaitingSettlement" })
          assert.lengthOf(looks, time)
        }
        assert.deepStrictEqual(done, [])
        assert.deepStrictEqual(yield* money(id), [20, 0])
        assert.deepStrictEqual(yield* kind(id, "settled"), [])
      }).pipe(Effect.provide(world())))
  }

  it.effect("is an act like any other: under a revoked token it does not look", () =>
    Effect.gen(function*() {
      looks.length = 0
      const { done, mark } = marks()
      const { claims, id } = yield* session()
      const asked = probed(() => mark("a"), found({ _tag: "NotDone" }))
      yield* approved(id, asked)
      yield* killed(id, asked)
      yield* (yield* Store.Store).commit(C.revoke(C.summary(id), claims.jti))
      assert.deepInclude(yield* stopped(run(id, act(asked))), { _tag: "AwaitingSettlement" })
      assert.deepStrictEqual([done, looks], [[], []])
      assert.deepInclude((yield* kind(id, "refusal"))[0], { act: "probe_act", layer: "token", ran: false })
    }).pipe(Effect.provide(world())))

  it.effect("of another definition than the act's is not asked", () =>
    Effect.gen(function*() {
      looks.length = 0
      const { done, mark } = marks()
      const { id } = yield* session()
      const first = forGood(() => mark("a"))
      yield* approved(id, first)
      yield* killed(id, first)
      const schema = C.hashOf("another schema")
      const asked = probed(() => mark("a"), found({ _tag: "NotDone" }), { schema })
      assert.deepInclude(yield* stopped(run(id, act(asked))), { _tag: "AwaitingSettlement" })
      assert.deepStrictEqual([done, looks], [[], []])
    }).pipe(Effect.provide(world())))

  it.effect("goes before a key: what it finds done is not done again", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const asked = probed(() => mark("a"), found({ _tag: "Done", result: "as found" }), { idempotent: true })
      yield* approved(id, asked)
      yield* killed(id, asked)
      assert.strictEqual((yield* run(id, act(asked))).value, "as found")
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))
})
