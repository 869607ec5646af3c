import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Gate, type Policy } from "../../src/approval/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Store } from "../../src/governor/index.ts"
import { Approvals } from "../../src/session/index.ts"
import * as C from "../governor/commits.ts"

const desk = (policy: Partial<Policy.Policy> = {}) =>
  Approvals.layer.pipe(
    Layer.provideMerge(MemoryStore.layer),
    Layer.provideMerge(Gate.layer(policy)),
    Layer.provideMerge(NodeDigest.layer)
  )

/** A ticket that waits, of a session that `requester` asked for. */
const filed = Effect.fnUntraced(function*(parts: Parameters<typeof C.ticket>[2] = {}) {
  const store = yield* Store.Store
  const session = yield* C.opened()
  const ticket = C.ticket(session, C.fresh("T"), parts)
  yield* store.commit(C.propose(session, ticket))
  return ticket
})

const vote = (ticket: string, by: string, approve = true) =>
  Effect.flatMap(Approvals.Approvals, (desk) => desk.decide({ ticket, by, approve, reason: `${by} thinks so` }))

/** Why a vote did not count, having changed nothing. */
const refused = Effect.fnUntraced(function*(ticket: string, by: string) {
  const store = yield* Store.Store
  const before = yield* store.tickets()
  const { reason } = yield* Effect.flip(vote(ticket, by))
  assert.deepStrictEqual(yield* store.tickets(), before)
  return reason
})

describe("the approvals desk", () => {
  it.effect("takes a vote, says so in the chain, and gives the ticket as it stands", () =>
    Effect.gen(function*() {
      const ticket = yield* filed()
      yield* TestClock.adjust(5)
      const approved = yield* vote(ticket.id, "grace")
      const votes = [{ by: "grace", approve: true, reason: "grace thinks so", at: 5 }]
      assert.deepStrictEqual(approved, { ...ticket, state: "approved", votes, decidedAt: 5 })
      const store = yield* Store.Store
      assert.deepStrictEqual(yield* store.ticket(ticket.id), approved)
      const rows = yield* Effect.flatMap(Log.Log, (log) => log.rows(ticket.session))
      assert.deepStrictEqual(rows.at(-1)?.body, {
        kind: "decided",
        ticket: ticket.id,
        decision: "approved",
        by: "grace",
        reason: "grace thinks so"
      })
    }).pipe(Effect.provide(desk())))

  it.effect("decides nothing twice", () =>
    Effect.gen(function*() {
      const approved = yield* filed()
      yield* vote(approved.id, "grace")
      assert.deepInclude(yield* refused(approved.id, "ada"), {
        _tag: "NotDecidable",
        detail: "it was approved already"
      })
      const denied = yield* filed()
      yield* vote(denied.id, "grace", false)
      const reason = yield* refused(denied.id, "ada")
      assert.deepInclude(reason, { _tag: "NotDecidable", ticket: denied.id, detail: "it was denied already" })
      if (reason._tag === "NotDecidable") assert.isNotEmpty(reason.remedy)
    }).pipe(Effect.provide(desk())))

  it.effect("decides nothing whose time ran out, and lists it as expired", () =>
    Effect.gen(function*() {
      const ticket = yield* filed({ expiresAt: 100 })
      const list = Effect.flatMap(Approvals.Approvals, (desk) => desk.list)
      yield* TestClock.adjust(99)
      assert.deepStrictEqual((yield* list).map((each) => each.state), ["proposed"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual((yield* list).map((each) => each.state), ["expired"])
      const { reason } = yield* Effect.flip(vote(ticket.id, "grace"))
      assert.deepInclude(reason, { _tag: "NotDecidable", detail: "its time ran out" })
      // Whoever comes too late is the one who says so.
      const store = yield* Store.Store
      assert.deepInclude(yield* store.ticket(ticket.id), { state: "expired", votes: [] })
    }).pipe(Effect.provide(desk())))

  it.effect("shows an approval that was not used in time as expired", () =>
    Effect.gen(function*() {
      const ticket = yield* filed({ expiresAt: 100 })
      yield* vote(ticket.id, "grace")
      yield* TestClock.adjust(100)
      const [shown] = yield* Effect.flatMap(Approvals.Approvals, (desk) => desk.list)
      assert.strictEqual(shown?.state, "expired")
    }).pipe(Effect.provide(desk())))

  it.effect("knows no ticket that there is not, and counts no vote of nobody", () =>
    Effect.gen(function*() {
      for (const name of ["T0000000", "", "' or 1=1 --"]) {
        const { message, reason } = yield* Effect.flip(vote(name, "grace"))
        assert.strictEqual(reason._tag, "NoSuchTicket")
        assert.match(message, /aosiq approvals list/)
      }
      const ticket = yield* filed()
      assert.deepInclude(yield* refused(ticket.id, ""), { _tag: "NotDecidable" })
    }).pipe(Effect.provide(desk())))

  it.effect("asks for as many people as the policy says, each once", () =>
    Effect.gen(function*() {
      const ticket = yield* filed()
      assert.strictEqual((yield* vote(ticket.id, "grace")).state, "proposed")
      assert.deepInclude(yield* refused(ticket.id, "grace"), { detail: "grace has already decided" })
      assert.strictEqual((yield* vote(ticket.id, "edsger")).state, "proposed")
      const last = yield* vote(ticket.id, "barbara")
      assert.strictEqual(last.state, "approved")
      assert.deepStrictEqual(last.votes.map((cast) => cast.by), ["grace", "edsger", "barbara"])
    }).pipe(Effect.provide(desk({ approvers: 3 }))))

  it.effect("takes one denial as final, however many approved before", () =>
    Effect.gen(function*() {
      const ticket = yield* filed()
      yield* vote(ticket.id, "grace")
      assert.strictEqual((yield* vote(ticket.id, "edsger", false)).state, "denied")
      assert.deepInclude(yield* refused(ticket.id, "barbara"), { detail: "it was denied already" })
    }).pipe(Effect.provide(desk({ approvers: 3 }))))

  it.effect("does not let the requester decide where the policy says so", () =>
    Effect.gen(function*() {
      const ticket = yield* filed({ requester: "ada" })
      const reason = yield* refused(ticket.id, "ada")
      assert.deepInclude(reason, { detail: "the requester may not decide", remedy: "another person has to decide" })
      assert.strictEqual((yield* vote(ticket.id, "grace")).state, "approved")
    }).pipe(Effect.provide(desk({ requesterMayApprove: false }))))

  it.effect("counts both of two votes that come at the same moment, and the denial holds", () =>
    Effect.gen(function*() {
      const ticket = yield* filed()
      const both = yield* Effect.all([
        Effect.result(vote(ticket.id, "grace")),
        Effect.result(vote(ticket.id, "ada", false))
      ], {
        concurrency: "unbounded"
      })
      assert.lengthOf(both.filter(Result.isSuccess), 2)
      const store = yield* Store.Store
      assert.deepInclude(yield* store.ticket(ticket.id), { state: "denied" })
      assert.lengthOf((yield* store.ticket(ticket.id))?.votes ?? [], 2)
    }).pipe(Effect.provide(desk())))

  it.effect("says so when the log does not answer", () =>
    Effect.gen(function*() {
      const ticket = yield* filed()
      const down = Effect.fail(
        new Store.StoreError({
          reason: new Store.Unavailable({ detail: "the disk is gone", remedy: "", maybe: false })
        })
      )
      const store = yield* Store.Store
      const broken = Approvals.layer.pipe(
        Layer.provide(Layer.succeed(Store.Store, { ...store, commit: () => down })),
        Layer.provide(Gate.layer())
      )
      const { reason } = yield* Effect.flip(Effect.provide(vote(ticket.id, "grace"), Layer.fresh(broken)))
      assert.deepInclude(reason, { _tag: "Unrecorded", detail: "the disk is gone" })
      assert.strictEqual((yield* store.ticket(ticket.id))?.state, "proposed")
    }).pipe(Effect.provide(desk())))
})
