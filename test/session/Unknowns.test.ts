/** Sessions whose act may have taken effect: they wait, hold nothing, and go on as an operator says. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, Schema } from "effect"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, Agent, DeterministicActor } from "../../src/actor/index.ts"
import { Digest, Log } from "../../src/audit/index.ts"
import { Scripted } from "../../src/backend/index.ts"
import { type Claims, Grant } from "../../src/capability/index.ts"
import { CostModel, MicroUsd } from "../../src/cost/index.ts"
import { Lost, Store } from "../../src/governor/index.ts"
import { Approvals, Dispatch, Runs, Unknowns } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

const Refund = Tool.make("refund", {
  description: "pays money back",
  capabilities: ["tool:refund"],
  reversible: false,
  params: Schema.Struct({ order: Schema.String, password: Schema.optionalKey(Schema.String) }),
  success: Schema.Struct({ receipt: Schema.FiniteFromString }),
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(40))
})

/** What was paid, and how the next payment goes. */
const paid: Array<string> = []
let behaviour: Effect.Effect<void> = Effect.void
beforeEach(() => {
  paid.length = 0
  behaviour = Effect.void
})

const refund = Tool.layer(Refund, ({ order }) =>
  Effect.gen(function*() {
    paid.push(order)
    yield* behaviour
    return { receipt: paid.length }
  }))

const Clerk = DeterministicActor.make("Clerk", {
  description: "pays back",
  input: Schema.String,
  output: Schema.String,
  tools: [Refund],
  run: (order) =>
    Tool.call(Refund, { order, password: "hunter2222" }).pipe(
      Effect.map(({ receipt }) => `receipt ${receipt}`),
      Effect.catch((error) =>
        error.reason._tag === "Settled"
          ? Effect.succeed(`${error.reason.happened ? "paid" : "not paid"}, says ${error.reason.by}`)
          : Effect.fail(error)
      )
    )
})
const Office = DeterministicActor.make("Office", {
  description: "has a clerk",
  input: Schema.String,
  output: Schema.String,
  tools: [Clerk.tool],
  run: (order) => Effect.map(Actor.spawn(Clerk, order), (said) => `the clerk: ${said}`)
})

const app = (policy: Parameters<typeof Memory.layer>[0] = {}) =>
  Actor.layer(Office).pipe(
    Layer.provideMerge(Actor.layer(Clerk)),
    Layer.provideMerge(refund),
    Layer.provideMerge(Memory.layer(policy))
  )

const grant = Grant.make(["tool:refund", "spawn:Clerk"])

/** A session of the clerk whose payment broke down in the middle; gives its one open outcome. */
const broken = (caller = "ada") =>
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const first = yield* dispatch.start(Clerk, "order 7", { grant, caller })
    return yield* breaking(first)
  })
const breaking = (first: Dispatch.Ended<unknown>) =>
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const approvals = yield* Approvals.Approvals
    if (first._tag !== "Waiting") return yield* Effect.die(new Error(first._tag))
    yield* approvals.decide({ ticket: first.ticket, by: "grace", approve: true, reason: "fine" })
    behaviour = Effect.die(new Error("the line went dead"))
    const second = yield* dispatch.resume(first.session)
    behaviour = Effect.void
    if (second._tag !== "Unsettled") return yield* Effect.die(new Error(JSON.stringify(second)))
    return { id: second.unknown, session: first.session, ticket: first.ticket }
  })

const say = (unknown: string, choice: Unknowns.Settlement["choice"], parts: Partial<Unknowns.Settlement> = {}) =>
  Effect.flatMap(
    Unknowns.Unknowns,
    (desk) => desk.settle({ unknown, choice, by: "grace", reason: "asked the bank", ...parts })
  )
const listed = Effect.flatMap(Unknowns.Unknowns, (desk) => desk.list)
const status = (id: Claims.SessionId) =>
  Effect.flatMap(Log.Log, (log) => Effect.map(log.session(id), (found) => Option.getOrThrow(found).status))
const rows = (id: Claims.SessionId) => Effect.flatMap(Log.Log, (log) => log.rows(id))
const resumed = (id: Claims.SessionId) => Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.resume(id))
const money = (id: Claims.SessionId) =>
  Effect.gen(function*() {
    const accounts = yield* (yield* Store.Store).accounts
    const account = accounts.find((account) => account.id === `session:${id}`)
    return [account?.reserved, account?.spent]
  })

describe("a session whose act may have taken effect", () => {
  it.live("waits, and is listed with all that helps to find out", () =>
    Effect.gen(function*() {
      const { id, session, ticket } = yield* broken()
      assert.strictEqual(yield* status(session), "waiting")
      const kinds = (yield* rows(session)).map(({ body }) => body.kind)
      assert.deepStrictEqual(kinds.slice(-2), ["outcome", "suspended"])
      assert.deepInclude((yield* rows(session)).at(-1)?.body, { ticket: null, unknown: id })
      const list = yield* listed
      assert.lengthOf(list, 1)
      const [open] = list
      assert.deepInclude(open, { id, session, act: "refund", ticket, reservedMicroUsd: 40, reversible: false })
      assert.include(open?.args ?? "", "order 7")
      assert.notInclude(JSON.stringify(list), "hunter2222")
      assert.match(open?.detail ?? "", /crashed after \d+ ms: Error: the line went dead/)
      assert.isTrue((open?.begunAt ?? 0) > 0 && (open?.since ?? 0) >= (open?.begunAt ?? 0))
      // The key is what the handler's permit said.
      const digest = yield* Digest.Digest
      const intent = (yield* rows(session)).find(({ body }) => body.kind === "intent")
      const args = intent?.body.kind === "intent" ? intent.body.args : Digest.zero
      const identity = { session, place: intent?.key ?? "", act: "refund", args }
      assert.strictEqual(open?.idempotencyKey, Lost.idempotencyKey(digest, identity))

      // Nothing changes by asking.
      assert.deepInclude(yield* resumed(session), { _tag: "Unsettled", unknown: id })
      assert.deepStrictEqual(paid, ["order 7"])
    }).pipe(Effect.provide(app())))

  it.live("goes on with the result that an operator gives, as the tool's schema has it", () =>
    Effect.gen(function*() {
      const { id, session } = yield* broken()
      const refusals = [
        [{ receipt: 7 }, /the result does not fit/],
        ["a receipt", /the result does not fit/],
        [{}, /the result does not fit/]
      ] as const
      for (const [result, why] of refusals) {
        const error = yield* Effect.flip(say(id, "done", { result }))
        assert.strictEqual(error.reason._tag, "NotSettled")
        assert.match(error.message, why)
      }
      assert.lengthOf(yield* listed, 1)
      const woken = yield* say(id, "done", { result: { receipt: "4711" }, costMicroUsd: 13 })
      assert.deepStrictEqual(woken, Option.some({ session, reason: `settled/${id}` }))
      assert.deepInclude(yield* resumed(session), { _tag: "Succeeded", output: "receipt 4711" })
      assert.deepStrictEqual(paid, ["order 7"])
      assert.deepStrictEqual(yield* money(session), [0, 13])
      assert.deepStrictEqual(yield* listed, [])
    }).pipe(Effect.provide(app())))

  it.live("takes no result for an act whose definition is not here", () =>
    Effect.gen(function*() {
      const digest = yield* Digest.Digest
      const hash = Tool.definitionHash(digest, Refund)
      const result = { receipt: "1" }
      assert.deepStrictEqual(yield* Tool.resultOf("refund", hash, result), result)
      for (const [name, definition] of [["refund", Digest.zero], ["payback", hash]] as const) {
        const missing = yield* Effect.flip(Tool.resultOf(name, definition, result))
        assert.include(missing, "has no handler in this process")
      }
    }).pipe(Effect.provide(app())))

  it.live("takes no result for an act whose tool is not provided any more", () =>
    Effect.gen(function*() {
      const digest = yield* Digest.Digest
      const Other = Tool.make("other", {
        ...Refund,
        description: "another",
        params: Schema.String,
        success: Schema.String
      })
      const hash = Tool.definitionHash(digest, Other)
      const asked = Tool.resultOf("other", hash, "x")
      const here = Tool.layer(Other, () => Effect.succeed(""))
      assert.strictEqual(yield* Effect.provide(asked, here), "x")
      assert.include(yield* Effect.flip(asked), "has no handler in this process")
    }).pipe(Effect.provide(app())))

  for (
    const [choice, output, spent, ticketState] of [
      ["done", "paid, says grace", 40, "succeeded"],
      ["not_done", "not paid, says grace", 0, "failed"]
    ] as const
  ) {
    it.live(`is told by a typed refusal that it was ${choice}`, () =>
      Effect.gen(function*() {
        const { id, session, ticket } = yield* broken()
        assert.deepStrictEqual(yield* money(session), [40, 0])
        yield* say(id, choice)
        assert.deepInclude(yield* resumed(session), { _tag: "Succeeded", output })
        assert.deepStrictEqual(paid, ["order 7"])
        assert.deepStrictEqual(yield* money(session), [0, spent])
        const store = yield* Store.Store
        assert.strictEqual((yield* store.tickets(session)).find(({ id }) => id === ticket)?.state, ticketState)
        const settled = (yield* rows(session)).find(({ body }) => body.kind === "settled")
        assert.deepInclude(settled?.body, { choice, by: "grace", reason: "asked the bank", costMicroUsd: spent })
      }).pipe(Effect.provide(app())))
  }

  it.live("does it once more on an operator's retry, and asks nobody else", () =>
    Effect.gen(function*() {
      const { id, session } = yield* broken()
      yield* say(id, "retry", { costMicroUsd: 0 })
      assert.deepInclude(yield* resumed(session), { _tag: "Succeeded", output: "receipt 2" })
      assert.deepStrictEqual(paid, ["order 7", "order 7"])
      assert.deepInclude(yield* resumed(session), { _tag: "Succeeded", output: "receipt 2" })
      assert.lengthOf(paid, 2)
      assert.deepStrictEqual(yield* money(session), [0, 40])
      assert.lengthOf(yield* (yield* Store.Store).tickets(session), 1)
    }).pipe(Effect.provide(app())))

  it.live("goes on after a crash between the word and the run: once, by itself", () =>
    Effect.gen(function*() {
      for (const choice of ["retry", "done", "not_done"] as const) {
        paid.length = 0
        const { id, session } = yield* broken()
        const waiting = yield* broken()
        yield* say(id, choice)
        // The process ends here; another one starts.
        const dispatch = yield* Dispatch.Dispatch
        const went = yield* dispatch.recover
        assert.deepStrictEqual(went.map((ended) => [ended.session, ended._tag]), [[session, "Succeeded"]])
        assert.lengthOf(paid, choice === "retry" ? 3 : 2)
        // And not again at the next start; who still waits is left alone.
        assert.deepStrictEqual(yield* dispatch.recover, [])
        assert.lengthOf(paid, choice === "retry" ? 3 : 2)
        assert.strictEqual(yield* status(waiting.session), "waiting")
        yield* say(waiting.id, "not_done")
        yield* dispatch.recover
      }
    }).pipe(Effect.provide(app())))

  it.live("whose earlier run is alive: the late answer counts for nothing, the word does", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const runs = yield* Runs.Runs
      const approvals = yield* Approvals.Approvals
      const first = yield* dispatch.start(Clerk, "order 7", { grant, caller: "ada" })
      if (first._tag !== "Waiting") return assert.fail(first._tag)
      yield* approvals.decide({ ticket: first.ticket, by: "grace", approve: true, reason: "fine" })
      const thawed = yield* Deferred.make<void>()
      behaviour = Deferred.await(thawed)
      const frozen = yield* Effect.forkChild(Effect.flip(dispatch.resume(first.session)))
      while (paid.length === 0) yield* Effect.yieldNow
      behaviour = Effect.void
      // As another process does that takes the session for lost.
      yield* runs.run(first.session)
      const second = yield* runs.standing(first.session)
      if (second._tag !== "Unsettled") return assert.fail(second._tag)
      yield* say(second.unknown, "done", { result: { receipt: "99" } })
      yield* runs.run(first.session)
      assert.deepInclude(yield* runs.standing(first.session), { _tag: "Succeeded", output: "receipt 99" })
      const before = yield* rows(first.session)
      yield* Deferred.succeed(thawed, undefined)
      const error = yield* Fiber.join(frozen)
      assert.strictEqual(error.reason._tag, "Superseded")
      assert.deepStrictEqual(yield* rows(first.session), before)
      assert.deepStrictEqual(paid, ["order 7"])
    }).pipe(Effect.provide(app())))

  it.live("that is a child makes its parent wait; a word on the child's act lets both go on", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const first = yield* dispatch.start(Office, "order 7", { grant, caller: "ada" })
      if (first._tag !== "Waiting") return assert.fail(first._tag)
      const { id, session } = yield* breaking(first)
      assert.strictEqual(yield* status(session), "waiting")
      const [open] = yield* listed
      assert.strictEqual(open?.id, id)
      assert.isTrue(open?.session.startsWith(`${session}.`))
      const woken = yield* say(id, "done", { result: { receipt: "5" } })
      assert.deepStrictEqual(Option.getOrThrow(woken).session, open?.session)
      // Waking the child wakes its root.
      if (open === undefined) return
      assert.deepInclude(yield* resumed(open.session), { _tag: "Succeeded", session, output: "the clerk: receipt 5" })
      assert.deepStrictEqual(paid, ["order 7"])
      assert.deepStrictEqual(yield* listed, [])
    }).pipe(Effect.provide(app())))

  it.live("that reasons does not go on either, and its model is told what an operator said", () =>
    Effect.gen(function*() {
      const backend = yield* Scripted.turns([
        { calls: [{ name: "refund", params: { order: "order 8" } }] },
        { calls: [{ name: "conclude", params: "as they say" }] }
      ])
      const Teller = yield* Agent.on(
        Agent.make("Teller", {
          description: "tells",
          input: Schema.String,
          output: Schema.String,
          tools: [Refund],
          backends: ["scripted"],
          instructions: "pay",
          task: (order) => order
        }),
        backend
      )
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const order = { grant: Grant.make(["tool:refund", "backend:scripted"]), caller: "ada" }
        const { id, session } = yield* breaking(yield* dispatch.start(Teller, "order 8", order))
        yield* say(id, "not_done")
        assert.deepInclude(yield* resumed(session), { _tag: "Succeeded", output: "as they say" })
        assert.deepStrictEqual(paid, ["order 8"])
      }).pipe(Effect.provide(Actor.layer(Teller)))
    }).pipe(Effect.provide(app())))
})

describe("a word that does not count", () => {
  it.live("comes second: one of two people settles, and the other is told so", () =>
    Effect.gen(function*() {
      const { id, session } = yield* broken()
      const both = yield* Effect.all(
        [Effect.result(say(id, "done")), Effect.result(say(id, "retry", { by: "linus" }))],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(both.map(({ _tag }) => _tag).toSorted(), ["Failure", "Success"])
      const late = yield* Effect.flip(say(id, "not_done"))
      assert.deepInclude(late.reason, { _tag: "NotOpen", unknown: id })
      assert.lengthOf((yield* rows(session)).filter(({ body }) => body.kind === "settled"), 1)
      assert.lengthOf(paid, 1)
    }).pipe(Effect.provide(app())))

  it.live("is on nothing that is open, gives no reason, or a result where none can be", () =>
    Effect.gen(function*() {
      const { id, session } = yield* broken()
      const before = yield* rows(session)
      for (const other of ["", "x", "/", `${session}/0`, `${session}/x`, `${session}/1e3`, "ses_nobody/3", `${id}0`]) {
        const { reason } = yield* Effect.flip(say(other, "done"))
        assert.strictEqual(reason._tag, "NotOpen", other)
      }
      const bad: ReadonlyArray<Partial<Unknowns.Settlement>> = [
        { reason: " " },
        { by: "" },
        { costMicroUsd: -1 },
        { costMicroUsd: 0.5 },
        { result: { receipt: "1" } }
      ]
      for (const parts of bad) {
        const { reason } = yield* Effect.flip(say(id, "retry", parts))
        assert.strictEqual(reason._tag, "NotSettled")
      }
      assert.deepStrictEqual(yield* rows(session), before)
      assert.lengthOf(yield* listed, 1)
      assert.deepInclude(yield* resumed(session), { _tag: "Unsettled" })
      assert.lengthOf(paid, 1)
    }).pipe(Effect.provide(app())))

  it.live("is the requester's, on a retry, where requesters may not approve", () =>
    Effect.gen(function*() {
      const { id, session } = yield* broken("ada")
      // However the name is spelt.
      for (const by of ["ada", "Ada", "local:ada"]) {
        const error = yield* Effect.flip(say(id, "retry", { by }))
        assert.match(error.message, /the requester may not decide about a retry/)
        assert.deepInclude(yield* resumed(session), { _tag: "Unsettled" })
      }
      assert.lengthOf(paid, 1)
      yield* say(id, "retry", { by: "linus" })
      assert.deepInclude(yield* resumed(session), { _tag: "Succeeded" })
      assert.lengthOf(paid, 2)
    }).pipe(Effect.provide(app({ requesterMayApprove: false }))))
})
