/** The contract that every store keeps: one line for each implementation. */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, type Layer, Option, Random, Result } from "effect"
import { Policy, Ticket } from "../../src/approval/index.ts"
import { Installation, Log } from "../../src/audit/index.ts"
import type { Claims } from "../../src/capability/index.ts"
import { Store } from "../../src/governor/index.ts"
import * as C from "./commits.ts"

/** Runs the contract against `store`, which may start with sessions of others in it. */
export const suite = <E>(name: string, store: Layer.Layer<Store.Store | Log.Log, E>): void =>
  layer(store, { excludeTestServices: true, timeout: "60 seconds" })(name, (it) => {
    it.effect("keeps a session from its genesis to its end, in one chain", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const session = yield* C.opened()
        assert.deepInclude(session, { epoch: 1, status: "running", seq: 2 })
        const { row: intent } = yield* store.commit(C.begin(session, "#0", { reserve: 300 }))
        assert.deepStrictEqual(intent.body, C.intent("#0", 300).body)
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 300, spent: 0, ceiling: 1000 })
        yield* store.commit(C.finish(session, "#0", 120))
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 0, spent: 120 })
        const result = C.payloadOf("result")
        const ended = yield* store.commit(
          C.append(session, { row: C.note("the end"), status: "succeeded", result: result.hash, payloads: [result] })
        )
        assert.deepInclude(ended.session, { status: "succeeded", result: result.hash, seq: 5 })
        const rows = yield* log.rows(session.id)
        assert.deepStrictEqual(rows.map((row) => row.body.kind), ["genesis", "started", "intent", "outcome", "noted"])
        assert.deepStrictEqual(C.faults(rows, ended.session), [])
        assert.deepStrictEqual(yield* log.session(session.id), Option.some(ended.session))
        assert.deepStrictEqual(yield* log.payload(result.hash), Option.some("result"))
        assert.deepStrictEqual(yield* log.payload(C.hashOf("never kept")), Option.none())
        assert.deepStrictEqual(yield* log.session(C.sessionId("nobody")), Option.none())
        assert.deepStrictEqual(yield* log.rows(C.sessionId("nobody")), [])
      }))

    it.effect("keeps every character of what it is given", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const session = yield* C.opened()
        const odd = "quote ' double \" back\\slash \u2028 \u{1F600} tab\t nul-free ünïcödé %s $1 {} null"
        yield* store.commit(C.append(session, { row: C.note(odd), payloads: [C.payloadOf(odd)] }))
        const rows = yield* log.rows(session.id)
        assert.deepInclude(rows.at(-1)?.body, { detail: odd })
        assert.deepStrictEqual(yield* log.payload(C.hashOf(odd)), Option.some(odd))
        assert.deepStrictEqual(C.faults(rows), [])
      }))

    it.effect("stamps rows with the time of their commit", () =>
      Effect.gen(function*() {
        const before = yield* Clock.currentTimeMillis
        const session = yield* C.opened()
        const after = yield* Clock.currentTimeMillis
        for (const row of yield* Effect.flatMap(Log.Log, (log) => log.rows(session.id))) {
          assert.isTrue(before <= row.at && row.at <= after)
        }
      }))

    it.effect("carries a ticket from its proposal to the end of its act", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const filed = C.ticket(session, C.fresh("T"))
        yield* store.commit(C.propose(session, filed))
        assert.deepStrictEqual(yield* store.ticket(filed.id), filed)
        const { ticket: decided } = yield* store.commit(C.decide(filed, true))
        assert.deepInclude(decided, { id: filed.id, state: "approved" })
        assert.deepInclude(decided?.votes[0], { by: "grace", approve: true, reason: "" })
        assert.deepStrictEqual(yield* store.ticket(filed.id), decided)
        assert.lengthOf(yield* store.tickets(session.id), 1)
        const use = { ticket: { id: filed.id, binding: filed.binding } }
        yield* store.commit(C.begin(session, "#0", use))
        assert.strictEqual((yield* store.ticket(filed.id))?.state, "executing")
        yield* store.commit(C.finish(session, "#0"))
        assert.strictEqual((yield* store.ticket(filed.id))?.state, "succeeded")
        const kinds = (yield* Effect.flatMap(Log.Log, (log) => log.rows(session.id))).map((row) => row.body.kind)
        assert.deepStrictEqual(kinds, ["genesis", "started", "proposed", "decided", "intent", "outcome"])
        assert.strictEqual(yield* store.ticket(Ticket.TicketId.make("no such ticket")), undefined)
      }))

    for (
      const [status, state] of [
        ["failed", "failed"],
        ["timed_out", "unknown"],
        ["interrupted", "unknown"],
        ["crashed", "unknown"]
      ] as const
    ) {
      it.effect(`leaves the ticket of an act that ended as ${status} ${state}`, () =>
        Effect.gen(function*() {
          const store = yield* Store.Store
          const session = yield* C.opened()
          const { binding, id } = yield* C.approved(session)
          yield* store.commit(C.begin(session, "#0", { ticket: { id, binding } }))
          yield* store.commit(C.finish(session, "#0", 0, status))
          assert.strictEqual((yield* store.ticket(id))?.state, state)
        }))
    }

    it.effect("gives every list page by page, whatever comes meanwhile", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const first = yield* C.opened()
        for (const proposedAt of [5, 5, 9]) {
          yield* store.commit(C.propose(first, C.ticket(first, C.fresh("T"), { proposedAt })))
        }
        for (let at = 0; at < 5; at++) yield* store.commit(C.append(yield* C.opened(), { row: C.note(`n ${at}`) }))
        const before = yield* log.sessions
        const opened = (yield* log.sessions).map(({ id }) => id)
        // Another session comes after each page; of what was there none is missed or told twice.
        const through = <A, P>(
          read: (after: P | undefined) => Effect.Effect<ReadonlyArray<A>, Log.LogError | Store.StoreError>,
          placeOf: (item: A) => P
        ) =>
          Effect.gen(function*() {
            const all: Array<A> = []
            let after: P | undefined
            for (let pages = 0;; pages++) {
              const page = yield* read(after)
              all.push(...page)
              const last = page.at(-1)
              if (last === undefined) return all
              after = placeOf(last)
              if (pages < 3) yield* C.opened()
            }
          })
        const placeOf = ({ id, startedAt }: Log.Summary) => ({ id, startedAt })
        const newest = yield* through((after) => log.page({ after, limit: 2, newest: true }), placeOf)
        assert.deepStrictEqual(
          newest.map(({ id }) => id).filter((id) => opened.includes(id)).toSorted(),
          opened.toSorted()
        )
        assert.strictEqual(new Set(newest.map(({ id }) => id)).size, newest.length)
        const places = newest.map(({ startedAt }) => startedAt)
        assert.deepStrictEqual(places, places.toSorted((a, b) => b - a))
        const some = { actor: first.actor, caller: first.caller, status: "running" } as const
        const fitting = yield* through((after) => log.page({ ...some, since: 0, after, limit: 7 }), placeOf)
        assert.includeMembers(fitting.map(({ id }) => id), [first.id])
        assert.isTrue(fitting.every(({ status }) => status === "running"))
        const over = new Set(["succeeded", "failed", "abandoned", "cancelled"])
        for (const isOver of [true, false]) {
          const found = yield* through((after) => log.page({ isOver, after, limit: 5 }), placeOf)
          assert.isTrue(found.every(({ status }) => over.has(status) === isOver))
          assert.includeMembers(
            found.map(({ id }) => id),
            before.flatMap(({ id, status }) => over.has(status) === isOver ? [id] : [])
          )
        }
        assert.lengthOf(yield* log.page({ limit: 9, actor: "nobody" }), 0)
        assert.lengthOf(yield* log.page({ limit: 9, since: 4e12 }), 0)

        const rows = yield* Effect.map(Effect.forEach(before, ({ id }) => log.rows(id)), (all) => all.flat())
        const whereOf = ({ at, seq, session }: (typeof rows)[number]) => ({ at, session, seq })
        const trail = yield* through((after) => log.trail({ since: 0, after, limit: 3 }), whereOf)
        const told = trail.map(({ hash }) => hash)
        assert.includeMembers(told, rows.map(({ hash }) => hash))
        assert.strictEqual(new Set(told).size, told.length)
        const notes = yield* through((after) => log.trail({ since: 0, kind: "noted", after, limit: 2 }), whereOf)
        assert.isAtLeast(notes.length, 5)
        assert.isTrue(notes.every(({ body }) => body.kind === "noted"))
        const own = yield* through(
          (after) => log.trail({ since: 0, session: first.id, caller: first.caller, after, limit: 1 }),
          whereOf
        )
        assert.deepStrictEqual(own, yield* log.rows(first.id))
        assert.lengthOf(yield* log.trail({ since: 4e12, limit: 9 }), 0)
        assert.deepStrictEqual(yield* log.rows(first.id, 1, 2), (yield* log.rows(first.id)).slice(1, 3))

        const tickets = yield* through(
          (after: Store.TicketQuery["after"]) => store.ticketPage({ after, limit: 2 }),
          ({ id, proposedAt }) => ({ id, proposedAt })
        )
        assert.deepStrictEqual(
          tickets.map(({ id }) => id).toSorted(),
          (yield* store.tickets()).map(({ id }) => id).toSorted()
        )
        const backwards = yield* through(
          (after: Store.TicketQuery["after"]) => store.ticketPage({ after, limit: 2, newest: true }),
          ({ id, proposedAt }) => ({ id, proposedAt })
        )
        assert.deepStrictEqual(backwards.map(({ id }) => id), tickets.map(({ id }) => id).toReversed())
        const accounts = yield* through(
          (after: string | undefined) => store.accountPage({ after, limit: 2 }),
          ({ id }) => id
        )
        assert.deepStrictEqual(accounts, accounts.toSorted((a, b) => compare(a.id, b.id)))
        assert.isAtLeast(accounts.length, 6)
      }))

    it.effect("finds sessions and tickets of one tree, and tickets by how they stand", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const top = yield* C.opened()
        const below = yield* C.opened(undefined, `${top.id}.a`, top.id)
        // Its name begins alike, and it is none of them.
        const other = yield* C.opened(undefined, `${top.id}x`)
        const first = C.ticket(top, C.fresh("T"), { proposedAt: 7 })
        const second = C.ticket(below, C.fresh("T"), { proposedAt: 8 })
        yield* store.commit(C.propose(top, first))
        yield* store.commit(C.propose(below, second))
        yield* store.commit(C.propose(other, C.ticket(other, C.fresh("T"))))
        const ids = (list: ReadonlyArray<{ readonly id: string }>) => list.map(({ id }) => id)
        assert.deepStrictEqual(ids(yield* log.page({ within: top.id, limit: 9 })), [top.id, below.id])
        assert.deepStrictEqual(ids(yield* log.page({ within: below.id, limit: 9 })), [below.id])
        const within = { within: top.id, limit: 9 }
        assert.deepStrictEqual(ids(yield* store.ticketPage(within)), [first.id, second.id])
        assert.deepStrictEqual(ids(yield* store.ticketPage({ ...within, within: below.id })), [second.id])
        yield* store.commit(C.decide(first, false))
        assert.deepStrictEqual(ids(yield* store.ticketPage({ ...within, states: ["proposed"] })), [second.id])
        assert.deepStrictEqual(ids(yield* store.ticketPage({ ...within, states: ["denied", "failed"] })), [first.id])
        assert.lengthOf(yield* store.ticketPage({ ...within, states: ["proposed", "denied"] }), 2)
      }))

    it.effect("lists tickets oldest first, sessions oldest first, and accounts by id", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const [a, b] = [C.fresh("acc_b"), C.fresh("acc_a")]
        const session = yield* C.opened([{ id: a, ceiling: 1 }, { id: b, ceiling: 2 }])
        const filed = [30, 10, 20].map((proposedAt) => C.ticket(session, C.fresh("T"), { proposedAt }))
        for (const ticket of filed) yield* store.commit(C.propose(session, ticket))
        assert.deepStrictEqual((yield* store.tickets(session.id)).map((ticket) => ticket.proposedAt), [10, 20, 30])
        const all = yield* store.tickets()
        assert.deepStrictEqual(all, all.toSorted((x, y) => x.proposedAt - y.proposedAt || compare(x.id, y.id)))
        const accounts = (yield* store.accounts).map((account) => account.id)
        assert.deepStrictEqual(accounts, accounts.toSorted(compare))
        const sessions = yield* log.sessions
        assert.deepStrictEqual(sessions, sessions.toSorted((x, y) => x.startedAt - y.startedAt || compare(x.id, y.id)))
        assert.include(sessions.map((session) => session.id), session.id)
      }))

    it.effect("keeps the ceiling of an account that exists", () =>
      Effect.gen(function*() {
        const shared = C.fresh("caller")
        const first = yield* C.opened([{ id: shared, ceiling: 100 }])
        const store = yield* Store.Store
        yield* store.commit(C.begin(first, "#0", { reserve: 60 }))
        yield* C.opened([{ id: shared, ceiling: 1_000_000 }])
        assert.deepInclude(yield* account(shared), { ceiling: 100, reserved: 60, spent: 0 })
      }))

    it.effect("keeps a payload once", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const session = yield* C.opened()
        const payloads = [C.payloadOf("the same"), C.payloadOf("the same")]
        yield* store.commit(C.append(session, { payloads }))
        yield* store.commit(C.append(session, { payloads }))
        assert.deepStrictEqual(yield* log.payload(C.hashOf("the same")), Option.some("the same"))
      }))

    it.effect("fences off every older run when a session is claimed", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const old = yield* C.opened()
        yield* store.commit(C.begin(old, "#0", { reserve: 10 }))
        const { session } = yield* store.commit(C.claim(old.id))
        assert.strictEqual(session.epoch, 2)
        const late = [
          C.begin(old, "#1"),
          C.finish(old, "#0"),
          C.append(old),
          C.propose(old, C.ticket(old, C.fresh("T")))
        ]
        const before = yield* C.trace(old.id)
        for (const commit of late) {
          assert.strictEqual((yield* refused(commit)).why, "fenced", commit._tag)
        }
        assert.deepStrictEqual(yield* C.trace(old.id), before)
        yield* store.commit(C.append(session))
      }))

    it.effect("makes what had begun unknown when a session is claimed, with its ticket", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const session = yield* C.opened()
        const { binding, id } = yield* C.approved(session)
        yield* store.commit(C.begin(session, "#0", { ticket: { id, binding } }))
        yield* store.commit(C.begin(session, "#1"))
        yield* store.commit(C.begin(session, "#2"))
        yield* store.commit(C.finish(session, "#2"))
        const next = (yield* store.commit(C.claim(session.id))).session
        assert.strictEqual((yield* store.ticket(id))?.state, "unknown")
        const rows = yield* log.rows(session.id)
        const lost = rows.filter((row) => row.body.kind === "unknown")
        assert.sameMembers(lost.map((row) => row.key), ["#0", "#1"])
        for (const { body, key } of lost) {
          const began = rows.find((row) => row.key === key && row.body.kind === "intent")
          assert.deepInclude(body, { act: "act", intent: began?.seq })
        }
        assert.deepStrictEqual(C.faults(rows, next), [])
        // What is unknown can be neither finished nor begun again.
        assert.strictEqual((yield* refused(C.finish(next, "#0"))).why, "not_begun")
        assert.strictEqual((yield* refused(C.begin(next, "#0"))).why, "already_begun")
        // A second claim finds nothing more to lose.
        yield* store.commit(C.claim(session.id))
        const again = (yield* log.rows(session.id)).filter((row) => row.body.kind === "unknown")
        assert.lengthOf(again, 2)
      }))

    for (
      const [status, repeat, reserved, spent] of [
        ["timed_out", "never", 30, 0],
        ["crashed", "keyed", 30, 0],
        ["interrupted", "never", 30, 0],
        ["crashed", "always", 0, 5],
        ["failed", "never", 0, 5]
      ] as const
    ) {
      const left = reserved === 0 ? "settles" : "holds the money of"
      it.effect(`${left} an act of repeat ${repeat} that ended as ${status}`, () =>
        Effect.gen(function*() {
          const store = yield* Store.Store
          const session = yield* C.opened()
          yield* store.commit(C.begin(session, "#0", { reserve: 30, repeat }))
          yield* store.commit(C.finish(session, "#0", spent, status))
          assert.deepInclude(yield* account(session.accounts[0]), { reserved, spent })
          assert.lengthOf(yield* store.lost(session.id), reserved === 0 ? 0 : 1)
        }))
    }

    it.effect("spends what is known of a lost act, and holds the rest", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        yield* store.commit(C.begin(session, "#0", { reserve: 30, repeat: "never" }))
        const { row } = yield* store.commit(C.finish(session, "#0", 12, "timed_out"))
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 18, spent: 12 })
        yield* store.commit(C.settle(session, "#0", { intent: row.seq - 1 }))
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 0, spent: 30 })
      }))

    for (
      const [choice, spent, paid, ticketState] of [
        ["done", null, 30, "succeeded"],
        ["done", 45, 45, "succeeded"],
        ["not_done", 0, 0, "failed"],
        ["retry", null, 30, "approved"]
      ] as const
    ) {
      it.effect(`takes an operator's word that a lost act is ${choice} at ${spent ?? "all that it held"}`, () =>
        Effect.gen(function*() {
          const store = yield* Store.Store
          const [own, shared] = [C.fresh("own"), C.fresh("caller")]
          const session = yield* C.opened([{ id: own, ceiling: 100 }, { id: shared, ceiling: 200 }])
          const { binding, id } = yield* C.approved(session, { proposedAt: 10, expiresAt: 4_000_000_000_000 })
          const parts = { ticket: { id, binding }, reserve: 30, repeat: "never" } as const
          const { row: intent } = yield* store.commit(C.begin(session, "#0", parts))
          assert.deepStrictEqual(yield* store.lost(session.id), [])
          yield* store.commit(C.claim(session.id))
          for (const  of of[own, shared]) assert.deepInclude(yield* account(of), { reserved: 30, spent: 0 })
          const [open] = yield* store.lost(session.id)
          const act = {
            session: session.id,
            key: "#0",
            name: "act",
            intent: intent.seq,
            args: C.hashOf("args of #0"),
            reserved: 30,
            accounts: [own, shared],
            ticket: id,
            repeat: "never",
            state: "unknown"
          } as const
          assert.deepStrictEqual(open, act)

          const decision = { choice, from: "operator", by: "grace", reason: "seen", result: null } as const
          const { row } = yield* store.commit(C.settle(session, "#0", { intent: intent.seq, decision, spent }))
          assert.strictEqual(row.key, "#0")
          assert.deepStrictEqual(row.body, {
            kind: "settled",
            act: "act",
            intent: intent.seq,
            ...decision,
            args: C.hashOf("args of #0"),
            costMicroUsd: paid
          })
          for (const  of of[own, shared]) assert.deepInclude(yield* account(of), { reserved: 0, spent: paid })
          assert.strictEqual((yield* store.ticket(id))?.state, ticketState)
          assert.deepStrictEqual(yield* store.lost(session.id), [])
          // It is due, and a run that ends before a retry was used does not use it up.
          const due = (yield* store.due(Number.MAX_SAFE_INTEGER, 10_000)).filter((wake) => wake.session === session.id)
          assert.deepInclude(due.map(({ reason }) => reason), `settled/${session.id}/${intent.seq}`)
          const { session: next } = yield* store.commit(C.claim(session.id))
          if (choice === "retry") {
            const again = { ...parts, after: "#0", intent: { ...C.intent("#0", 30), key: "#0~1" } }
            yield* store.commit(C.begin(next, "#0~1", again))
            assert.deepStrictEqual(yield* store.lost(session.id), [])
            assert.strictEqual((yield* store.ticket(id))?.state, "executing")
            assert.deepInclude(yield* account(own), { reserved: 30, spent: 30 })
          }
          const { rows, session: now } = yield* C.trace(session.id)
          assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(now)), [])
        }))
    }

    it.effect("gives a retried ticket as much time as it had, for that attempt alone", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const proposedAt = yield* Clock.currentTimeMillis
        const filed = yield* C.approved(session, { proposedAt, expiresAt: proposedAt + 60_000 })
        const use = { ticket: { id: filed.id, binding: filed.binding } }
        const { row } = yield* store.commit(C.begin(session, "#0", { ...use, repeat: "never" }))
        yield* store.commit(C.finish(session, "#0", 0, "timed_out"))
        const decision = { choice: "retry", from: "operator", by: "grace", reason: "", result: null } as const
        yield* store.commit(C.settle(session, "#0", { intent: row.seq, decision }))
        const renewed = yield* store.ticket(filed.id)
        assert.isAtLeast(renewed?.expiresAt ?? 0, filed.expiresAt)
        assert.deepInclude(renewed, { state: "approved", again: "#0", votes: filed.votes, binding: filed.binding })
        assert.strictEqual((yield* refused(C.begin(session, "#1", use))).why, "ticket_unusable")
      }))

    it.effect("closes the attempt before, when an act that can be undone is begun again, and counts what it held as spent", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const { row: intent } = yield* store.commit(C.begin(session, "#0", { reserve: 30 }))
        const { session: next } = yield* store.commit(C.claim(session.id))
        const again = { reserve: 20, after: "#0", intent: { ...C.intent("#0", 20), key: "#0~1" } }
        yield* store.commit(C.begin(next, "#0~1", again))
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 20, spent: 30 })
        assert.deepStrictEqual(yield* store.lost(session.id), [])
        const { rows } = yield* C.trace(session.id)
        assert.deepInclude(rows.at(-2)?.body, {
          kind: "settled",
          from: "governor",
          intent: intent.seq,
          costMicroUsd: 30
        })
        assert.deepInclude(rows.at(-1), { key: "#0~1" })
      }))

    it.effect("takes one word of many, however many people settle at once", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const { row } = yield* store.commit(C.begin(session, "#0", { reserve: 30, repeat: "never" }))
        yield* store.commit(C.claim(session.id))
        const results = yield* Effect.forEach(
          Array.from({ length: 12 }, (_, index) => ["retry", "done", "not_done"][index % 3] as "retry"),
          (choice) => {
            const decision = { choice, from: "operator", by: "grace", reason: "", result: null } as const
            return Effect.result(store.commit(C.settle(session, "#0", { intent: row.seq, decision, spent: 7 })))
          },
          { concurrency: "unbounded" }
        )
        assert.lengthOf(results.filter(Result.isSuccess), 1)
        assert.sameMembers(
          [...new Set(results.filter(Result.isFailure).map(({ failure }) => why(failure)))],
          ["stale"]
        )
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 0, spent: 7 })
      }))

    it.effect("lets what became of an act be said after its session is over, but not that it is done again", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const { row } = yield* store.commit(C.begin(session, "#0", { reserve: 30, repeat: "never" }))
        yield* store.commit(C.finish(session, "#0", 0, "timed_out"))
        yield* store.commit(C.append(session, { status: "failed" }))
        const decision = { choice: "retry", from: "operator", by: "grace", reason: "", result: null } as const
        const before = yield* C.trace(session.id)
        const retry = yield* refused(C.settle(session, "#0", { intent: row.seq, decision }))
        assert.strictEqual(retry.why, "stale")
        assert.deepStrictEqual(yield* C.trace(session.id), before)
        yield* store.commit(C.settle(session, "#0", { intent: row.seq, spent: 4 }))
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 0, spent: 4 })
        assert.deepStrictEqual(yield* store.lost(session.id), [])
      }))

    it.effect("lets operators write without an epoch", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const { row } = yield* store.commit(C.append(session, { epoch: null }))
        assert.strictEqual(row.seq, session.seq)
      }))

    it.effect("takes no act and no proposal in a session that is not running", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        for (const status of ["waiting", "succeeded", "failed", "abandoned", "cancelled"] as const) {
          const session = yield* C.opened()
          yield* store.commit(C.begin(session, "#0", { reserve: 5 }))
          yield* store.commit(C.append(session, { status }))
          const before = yield* C.trace(session.id)
          assert.strictEqual((yield* refused(C.begin(session, "#1"))).why, "fenced", status)
          const late = C.propose(session, C.ticket(session, C.fresh("T")))
          assert.strictEqual((yield* refused(late)).why, "fenced", status)
          assert.deepStrictEqual(yield* C.trace(session.id), before)
          // What had begun may still end, so that what it reserved is settled.
          yield* store.commit(C.finish(session, "#0", 5))
          assert.deepInclude(yield* account(session.accounts[0]), { reserved: 0, spent: 5 })
        }
      }))

    it.effect("ends what is left below a session that ends, and wakes its tree no more", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const root = yield* C.opened()
        const [ended, waiting, running] = yield* Effect.forEach(["ended", "waiting", "running"], (name) =>
          Effect.gen(function*() {
            const id = C.sessionId(`${root.id}.${name}`)
            const open = C.open(id)
            yield* store.commit({ ...open, session: { ...open.session, parent: root.id } })
            return (yield* store.commit(C.claim(id))).session
          }))
        if (ended === undefined || waiting === undefined || running === undefined) {
          return assert.fail("three children")
        }
        yield* store.commit(C.append(ended, { status: "succeeded" }))
        const [open, approved] = [C.ticket(waiting, C.fresh("T")), C.ticket(waiting, C.fresh("T"))]
        for (const filed of [open, approved]) {
          yield* store.commit(C.propose(waiting, filed))
        }
        yield* store.commit(C.decide(approved, true))
        yield* store.commit(C.append(waiting, { status: "waiting", wakeAt: 5 }))
        yield* store.commit(C.begin(running, "#0", { reserve: 5 }))
        assert.isNotEmpty(yield* wakes(root.id))

        yield* store.commit(C.append(root, { status: "failed" }))
        const statusOf = ({ id }: Log.Summary) =>
          Effect.map(log.session(id), (session) =>
            Option.getOrThrow(session).status)
        assert.strictEqual(yield* statusOf(ended), "succeeded")
        assert.strictEqual(yield* statusOf(waiting), "cancelled")
        assert.strictEqual(yield* statusOf(running), "cancelled")
        for (const { id } of [root, ended, waiting, running]) {
          const session = Option.getOrThrow(yield* log.session(id))
          assert.deepStrictEqual(C.faults(yield* log.rows(id), session), [])
        }
        assert.deepStrictEqual(
          (yield* store.tickets(waiting.id)).map(({ state }) =>
            state
          ),
          ["expired", "expired"]
        )
        assert.deepStrictEqual(yield* wakes(root.id), [])
        // What was under way comes to its outcome, nothing else begins, and nothing makes the tree due again.
        yield* store.commit(C.finish(running, "#0", 5))
        assert.deepInclude(yield* account(running.accounts[0]), { reserved: 0, spent: 5 })
        assert.strictEqual((yield* refused(C.begin(running, "#1"))).why, "fenced")
        assert.strictEqual((yield* refused(C.claim(waiting.id))).why, "fenced")
        yield* store.commit(C.append(running, { epoch: null, wakeAt: 5 }))
        assert.deepStrictEqual(yield* wakes(root.id), [])
      }))

    it.effect("ends nothing above a child that ends, nor beside it", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const root = yield* C.opened()
        const ids = ["a", "a.b", "c"].map((name) => C.sessionId(`${root.id}.${name}`))
        for (const id of ids) {
          const open = C.open(id)
          const parent = C.sessionId(id.slice(0, id.lastIndexOf(".")))
          yield* store.commit({ ...open, session: { ...open.session, parent } })
        }
        const [first = root.id] = ids
        const child = (yield* store.commit(C.claim(first))).session
        yield* store.commit(C.append(child, { status: "succeeded" }))
        const statuses = yield* Effect.forEach(
          [root.id, ...ids],
          (id) => Effect.map(log.session(id), (session) => Option.getOrThrow(session).status)
        )
        assert.deepStrictEqual(statuses, ["running", "succeeded", "cancelled", "running"])
        // A child's end does not make its tree any less due.
        yield* store.commit(C.append(root, { wakeAt: 5 }))
        assert.lengthOf(yield* wakes(root.id), 1)
      }))

    it.effect("tells whoever is above of a child that ends with a ticket nobody will decide any more", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const root = yield* C.opened()
        const id = C.sessionId(`${root.id}.a`)
        const open = C.open(id)
        yield* store.commit({ ...open, session: { ...open.session, parent: root.id } })
        const child = (yield* store.commit(C.claim(id))).session
        yield* store.commit(C.propose(child, C.ticket(child, C.fresh("T"))))
        yield* store.commit(C.append(root, { status: "waiting" }))
        assert.deepStrictEqual(yield* wakes(root.id), [])
        yield* store.commit(C.append(child, { status: "failed" }))
        assert.deepStrictEqual((yield* wakes(root.id)).map(({ reason }) => reason), [`ended/${id}`])
      }))

    it.effect("knows which roots are running and have gone quiet, the quietest first", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const [first, second, resting] = [yield* C.opened(), yield* C.opened(), yield* C.opened()]
        const child = C.open(C.sessionId(`${first.id}.child`))
        yield* store.commit({ ...child, session: { ...child.session, parent: first.id } })
        yield* store.commit(C.append(resting, { status: "waiting" }))
        const mine = new Set<string>([first.id, second.id, resting.id, child.session.id])
        const quiet = (before: number) =>
          Effect.map(store.quiet(before, 10_000), (found) => found.filter(({ session }) => mine.has(session)))
        const last = ({ id }: Log.Summary) =>
          Effect.map(log.rows(id), (rows) => rows.at(-1) ?? assert.fail(`${id} has no rows`))

        const now = yield* Clock.currentTimeMillis
        const found = yield* quiet(now + 1)
        assert.sameMembers(found.map(({ session }) => session), [first.id, second.id])
        assert.deepStrictEqual(found, found.toSorted((a, b) => a.at - b.at))
        const { at, seq } = yield* last(first)
        assert.deepInclude(found, { session: first.id, actor: first.actor, seq, at })
        assert.notInclude((yield* quiet(at)).map(({ session }) => session), first.id)
        assert.lengthOf(yield* store.quiet(now + 1, 1), 1)
        // It speaks again.
        const { row } = yield* store.commit(C.append(first))
        assert.deepInclude(yield* quiet(row.at + 1), {
          session: first.id,
          actor: first.actor,
          seq: row.seq,
          at: row.at
        })
      }))

    for (const [name, why, arrange] of rejections) {
      it.effect(`${why}: ${name} leaves no trace`, () =>
        Effect.gen(function*() {
          const { commit, session } = yield* arrange
          const secret = C.payloadOf(C.fresh("refused"))
          const attempt: Store.Commit = "payloads" in commit ? { ...commit, payloads: [secret] } : commit
          const before = yield* C.trace(session)
          const rejected = yield* refused(attempt)
          assert.strictEqual(rejected.why, why)
          assert.isNotEmpty(rejected.detail)
          assert.deepStrictEqual(yield* C.trace(session), before)
          const kept = yield* Effect.flatMap(Log.Log, (log) => log.payload(secret.hash))
          assert.deepStrictEqual(kept, Option.none())
        }))
    }

    it.effect("passes over revocation and ceilings when a commit is lenient, and counts all the same", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const token = C.tokenId(`tok_${session.id}`)
        yield* store.commit(C.revoke(session, token))
        yield* store.commit(C.begin(session, "#0", { reserve: 5000, lenient: true, tokens: [token] }))
        assert.deepInclude(yield* account(session.accounts[0]), { ceiling: 1000, reserved: 5000 })
        yield* store.commit(C.finish(session, "#0", 4000))
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 0, spent: 4000 })
      }))

    it.effect("draws once on an account that is named twice", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const [own = ""] = session.accounts
        yield* store.commit(C.begin(session, "#0", { reserve: 10, accounts: [own, own] }))
        assert.deepInclude(yield* account(own), { reserved: 10 })
        yield* store.commit(C.finish(session, "#0", 7))
        assert.deepInclude(yield* account(own), { reserved: 0, spent: 7 })
      }))

    it.effect("pays a bill above its reservation in full", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        yield* store.commit(C.begin(session, "#0", { reserve: 10 }))
        yield* store.commit(C.finish(session, "#0", 25))
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 0, spent: 25 })
      }))

    it.effect("begins a place once, however many ask", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const asked = Effect.result(store.commit(C.begin(session, "#0", { reserve: 1 })))
        const results = yield* Effect.all(Array.from({ length: 20 }, () => asked), { concurrency: "unbounded" })
        assert.lengthOf(results.filter(Result.isSuccess), 1)
        const whys = results.filter(Result.isFailure).map(({ failure }) => why(failure))
        assert.deepStrictEqual(whys, Array.from({ length: 19 }, () => "already_begun"))
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 1 })
        const intents = (yield* Effect.flatMap(Log.Log, (log) => log.rows(session.id)))
          .filter((row) => row.body.kind === "intent")
        assert.lengthOf(intents, 1)
      }))

    it.effect("consumes a ticket once, however many acts ask for it", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const { binding, id } = yield* C.approved(session)
        const results = yield* Effect.forEach(
          Array.from({ length: 50 }, (_, index) => `#${index}`),
          (key) => Effect.result(store.commit(C.begin(session, key, { ticket: { id, binding } }))),
          { concurrency: "unbounded" }
        )
        assert.lengthOf(results.filter(Result.isSuccess), 1)
        const whys = results.filter(Result.isFailure).map(({ failure }) => why(failure))
        assert.deepStrictEqual(whys, Array.from({ length: 49 }, () => "ticket_unusable"))
        const { rows } = yield* C.trace(session.id)
        assert.lengthOf(rows.filter((row) => row.body.kind === "intent"), 1)
        assert.deepStrictEqual(C.faults(rows), [])
      }))

    it.effect("keeps a denial, whichever of two people who decide together is faster", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        for (const order of [[true, false], [false, true]] as const) {
          const session = yield* C.opened()
          const filed = C.ticket(session, C.fresh("T"))
          yield* store.commit(C.propose(session, filed))
          const results = yield* Effect.all(
            order.map((approve) => Effect.result(store.commit(C.decide(filed, approve, approve ? "ada" : "grace")))),
            { concurrency: "unbounded" }
          )
          assert.isTrue(results[order.indexOf(false)]?._tag === "Success")
          for (const { failure } of results.filter(Result.isFailure)) assert.strictEqual(why(failure), "undecidable")
          assert.strictEqual((yield* store.ticket(filed.id))?.state, "denied")
          assert.strictEqual((yield* refused(C.begin(session, "#0", using(filed)))).why, "ticket_unusable")
          const { rows } = yield* C.trace(session.id)
          assert.lengthOf(rows.filter((row) => row.body.kind === "decided"), results.filter(Result.isSuccess).length)
        }
      }))

    it.effect("counts every one of several people who decide together, and nobody twice", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const filed = C.ticket(session, C.fresh("T"))
        yield* store.commit(C.propose(session, filed))
        const policy = { ...Policy.standard, approvers: 3 }
        const names = ["ada", "Ada", "ada ", "\u0430da", "ＡＤＡ", "local:ada", "grace", "Grace", "barbara"]
        const results = yield* Effect.forEach(
          names,
          (by) => Effect.result(store.commit(C.decide(filed, true, by, { policy }))),
          { concurrency: "unbounded" }
        )
        assert.lengthOf(results.filter(Result.isSuccess), 3)
        for (const { failure } of results.filter(Result.isFailure)) assert.strictEqual(why(failure), "undecidable")
        const after = yield* store.ticket(filed.id)
        assert.strictEqual(after?.state, "approved")
        assert.lengthOf(after?.votes ?? [], 3)
      }))

    it.effect("says which tickets are overdue, and makes the trees of those that are ended due", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const root = yield* C.opened()
        const child = yield* C.opened(undefined, `${root.id}.child`, root.id)
        yield* store.commit(C.claim(root.id))
        const overdue = Effect.map(
          store.overdue(5000, 1000),
          (tickets) => tickets.filter(({ session }) => session === child.id).map(({ id }) => id)
        )
        const due = Effect.map(
          store.due(Number.MAX_SAFE_INTEGER, 100_000),
          (wakes) => wakes.filter(({ session }) => session === root.id).map(({ reason }) => reason)
        )
        const [late, later, never] = [3000, 4000, 6000].map((expiresAt) => C.ticket(child, C.fresh("T"), { expiresAt }))
        if (late === undefined || later === undefined || never === undefined) return assert.fail()
        for (const ticket of [never, later, late]) yield* store.commit(C.propose(child, ticket))
        assert.deepStrictEqual(yield* overdue, [late.id, later.id])
        assert.strictEqual((yield* store.overdue(5000, 1)).length, 1)
        assert.deepStrictEqual(yield* due, [])
        const { row, ticket } = yield* store.commit(C.expire(late))
        assert.deepInclude(row.body, { kind: "decided", ticket: late.id, decision: "expired", by: "aosiq" })
        assert.deepInclude(ticket, { state: "expired" })
        assert.deepStrictEqual(yield* overdue, [later.id])
        assert.deepStrictEqual(yield* due, [`ticket/${late.id}/expired`])
        assert.strictEqual((yield* refused(C.expire(late))).why, "stale")
        // The run that follows is told of it.
        yield* store.commit(C.claim(root.id))
        assert.deepStrictEqual(yield* due, [])
      }))

    it.effect("makes a session due anew when an approval is taken back", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const due = Effect.map(store.due(Number.MAX_SAFE_INTEGER, 100_000), (wakes) =>
          wakes.filter((wake) => wake.session === session.id).map(({ reason }) => reason))
        const ticket = yield* C.approved(session)
        assert.deepStrictEqual(yield* due, [`ticket/${ticket.id}`])
        yield* store.commit(C.decide(ticket, false))
        assert.sameMembers([...yield* due], [`ticket/${ticket.id}`, `ticket/${ticket.id}/denied`])
      }))

    it.effect(
      "consumes a rule as often as it says, whatever a thousand acts of ten sessions do",
      () =>
        Effect.gen(function*() {
          const store = yield* Store.Store
          const rule = yield* C.ruled({ maxUses: 37 })
          const sessions = yield* Effect.all(Array.from({ length: 10 }, () => C.opened()))
          const results = yield* Effect.forEach(
            Array.from({ length: 1000 }, (_, index) => index),
            (index) => {
              const session = sessions[index % sessions.length] ?? sessions[0]
              return Effect.result(store.commit(C.begin(session as Log.Summary, `#${index}`, C.byRule(rule))))
            },
            { concurrency: "unbounded" }
          )
          const begun = results.filter(Result.isSuccess)
          assert.lengthOf(begun, 37)
          for (const { failure } of results.filter(Result.isFailure)) assert.strictEqual(why(failure), "rule_unusable")
          assert.deepInclude((yield* store.rules()).find(({ id }) => id === rule.id), { uses: 37, state: "standing" })
          assert.notInclude((yield* store.rules(Date.now())).map(({ id }) => id), rule.id)
          const uses = yield* store.uses(rule.id)
          assert.deepStrictEqual(uses.map(({ use }) => use), Array.from({ length: 37 }, (_, index) => index + 1))
          // Each use is what an intent says of itself.
          const named = begun.map((
            { success: { row } }
          ) => [row.session, row.seq, row.body.kind === "intent" && row.body.rule])
          assert.sameDeepMembers(named, uses.map(({ seq, session, use }) => [session, seq, { id: rule.id, use }]))
          for (const session of sessions) {
            const { rows, session: now } = yield* C.trace(session.id)
            assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(now)), [])
          }
        }),
      60_000
    )

    it.effect("records rules in the chain of the installation, each as it was shown", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const policy = { ...Policy.standard, approvers: 2 }
        const rule = yield* C.ruled({}, { policy })
        assert.deepInclude(rule, { state: "proposed", uses: 0 })
        const session = yield* C.opened()
        assert.strictEqual((yield* refused(C.begin(session, "#0", C.byRule(rule)))).why, "rule_unusable")
        assert.strictEqual((yield* refused(C.approveRule(rule, "GRACE", policy))).why, "undecidable")
        assert.strictEqual(
          (yield* refused({ ...C.approveRule(rule, "ada", policy), binding: C.hashOf("another") })).why,
          "stale"
        )
        const { rule: standing } = yield* store.commit(C.approveRule(rule, "ada", policy))
        assert.deepInclude(standing, { state: "standing" })
        yield* store.commit(C.begin(session, "#0", C.byRule(rule)))
        const { rule: revoked } = yield* store.commit(C.revokeRule(rule.id))
        assert.deepInclude(revoked, { state: "revoked", uses: 1 })
        assert.strictEqual((yield* refused(C.begin(session, "#1", C.byRule(rule)))).why, "rule_unusable")
        // What it approved before goes on.
        yield* store.commit(C.finish(session, "#0"))
        const rows = yield* log.rows(Installation.id)
        assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(yield* log.session(Installation.id))), [])
        const told = rows.flatMap(({ body }) => body.kind === "ruled" && body.rule === rule.id ? [body] : [])
        assert.deepStrictEqual(told.map(({ by, uses, what }) => [what, by, uses]), [
          ["made", "grace", 0],
          ["approved", "ada", 0],
          ["revoked", "grace", 1]
        ])
        const text = yield* log.payload(told[0]?.terms ?? C.hashOf("none"))
        assert.deepStrictEqual(Option.map(text, JSON.parse), Option.some(rule.terms))
      }))

    it.effect("leaves the neighbours of a rejected commit alone", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const commits = [
          C.begin(session, "#0", { reserve: 400 }),
          C.begin(session, "#1", { reserve: 700 }),
          C.begin(session, "#2", { reserve: 600 }),
          C.finish(session, "#9"),
          C.append(session)
        ]
        const results = yield* Effect.forEach(
          commits,
          (commit) => Effect.result(store.commit(commit)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          results.map((result) => Result.isSuccess(result) ? "ok" : why(result.failure)),
          ["ok", "over_budget", "ok", "not_begun", "ok"]
        )
        assert.deepInclude(yield* account(session.accounts[0]), { reserved: 1000 })
        const { rows, session: now } = yield* C.trace(session.id)
        assert.deepStrictEqual(rows.map((row) => row.body.kind), ["genesis", "started", "intent", "intent", "noted"])
        assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(now)), [])
      }))

    it.effect("lets the neighbours of a commit that cannot be written go on, and goes on itself", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        // A number that JSON does not know breaks the writer, not just the transition.
        const broken = C.append(session, { row: C.outcome("#0", "failed", Number.NaN) })
        const exits = yield* Effect.forEach(
          [C.append(session), broken, C.append(session)],
          (commit) => Effect.exit(store.commit(commit)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true])
        yield* store.commit(C.append(session))
        const { rows, session: now } = yield* C.trace(session.id)
        assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(now)), [])
        assert.lengthOf(rows, 5)
      }))

    it.effect("spends no micro-dollar over a ceiling, whatever a thousand callers do", () =>
      Effect.gen(function*() {
        const shared = C.fresh("caller")
        const sessions = yield* Effect.all(
          Array.from({ length: 10 }, () => C.opened([{ id: shared, ceiling: 20_000 }]))
        )
        const spent = yield* Effect.forEach(
          Array.from({ length: 1000 }, (_, index) => index),
          (index) => spender(sessions[index % sessions.length], `#${index}`),
          { concurrency: "unbounded" }
        )
        const total = spent.reduce<number>((sum, amount) => sum + (amount ?? 0), 0)
        // Both ways out were taken.
        assert.isTrue(spent.some((amount) => amount === null) && spent.some((amount) => amount !== null))
        assert.deepInclude(yield* account(shared), { reserved: 0, spent: total })
        for (const session of sessions) {
          const { rows, session: now } = yield* C.trace(session.id)
          assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(now)), [])
        }
      }).pipe(Random.withSeed("a thousand callers")), 60_000)

    it.effect("holds every ceiling of a family of sessions at once", () =>
      Effect.gen(function*() {
        const [caller, kind, parent] = [C.fresh("caller"), C.fresh("class"), C.fresh("parent")]
        const above = [{ id: parent, ceiling: 6000 }, { id: kind, ceiling: 9000 }, { id: caller, ceiling: 8000 }]
        const family = yield* Effect.all(
          Array.from({ length: 5 }, () => C.opened([{ id: C.fresh("child"), ceiling: 2000 }, ...above]))
        )
        const outsider = yield* C.opened(above.slice(1))
        const everyone = [...family, outsider]
        const ids = [...new Set(everyone.flatMap((session) => session.accounts))]
        const spent = yield* Effect.forEach(
          Array.from({ length: 300 }, (_, index) => index),
          (index) =>
            Effect.map(spender(everyone[index % 6], `#${index}`), (amount) => ({ index, amount: amount ?? 0 })),
          { concurrency: "unbounded" }
        )
        for (const id of ids) {
          const drawing = everyone.flatMap((session, index) => session.accounts.includes(id) ? [index] : [])
          const total = spent.reduce((sum, { amount, index }) => drawing.includes(index % 6) ? sum + amount : sum, 0)
          assert.deepInclude(yield* account(id), { reserved: 0, spent: total }, id)
        }
      }).pipe(Random.withSeed("a family")), 60_000)

    it.effect("keeps records with the row that says so, and lists them", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const owner = C.fresh("owner")
        const id = (name: string) => `${owner} ${name}`
        const make = (name: string, at: number, state = "open") => C.kept("firing", id(name), 0, { owner, at, state })
        yield* store.commit(C.append(session, { keep: [make("b", 20), make("a", 20), make("c", 10, "closed")] }))
        const names = (query: Partial<Store.RecordQuery>) =>
          Effect.map(
            store.records({ kind: "firing", owner, limit: 10, ...query }),
            (found) => found.map((record) => record.id.split(" ")[1])
          )
        assert.deepStrictEqual(yield* names({}), ["c", "a", "b"])
        assert.deepStrictEqual(yield* names({ newest: true }), ["b", "a", "c"])
        assert.deepStrictEqual(yield* names({ newest: true, offset: 1, limit: 1 }), ["a"])
        assert.deepStrictEqual(yield* names({ state: "open" }), ["a", "b"])
        assert.deepStrictEqual(yield* names({ until: 19 }), ["c"])
        assert.deepStrictEqual(yield* names({ kind: "schedule" }), [])
        const value = { text: "quote ' \u2028", none: null, list: [1, 2.5, true] }
        const change = C.kept("firing", id("a"), 1, { owner, at: 30, state: "closed", value })
        yield* store.commit(C.append(session, { keep: [change, { ...make("b", 0), version: 1, next: null }] }))
        assert.deepStrictEqual(yield* store.record(change), {
          kind: "firing",
          id: id("a"),
          version: 2,
          owner,
          at: 30,
          state: "closed",
          value
        })
        assert.strictEqual(yield* store.record({ kind: "firing", id: id("b") }), undefined)
        assert.strictEqual(yield* store.record({ kind: "schedule", id: id("a") }), undefined)
      }))

    it.effect("makes a record once, however many want to, and writes over none that was not read", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const sessions = yield* Effect.all([C.opened(), C.opened(), C.opened()])
        const id = C.fresh("record")
        for (const version of [0, 1]) {
          const results = yield* Effect.forEach(
            Array.from({ length: 30 }, (_, index) => index),
            (index) => {
              const session = sessions[index % 3] ?? assert.fail("there are three")
              const keep = [C.kept("firing", id, version, { value: index }), C.kept("firing", C.fresh("own"), 0)]
              return Effect.result(store.commit(C.append(session, { keep })))
            },
            { concurrency: "unbounded" }
          )
          assert.lengthOf(results.filter(Result.isSuccess), 1)
          const whys = results.filter(Result.isFailure).map(({ failure }) => why(failure))
          assert.deepStrictEqual(whys, Array.from({ length: 29 }, () => "stale"))
          const winner = results.findIndex(Result.isSuccess)
          assert.deepInclude(yield* store.record({ kind: "firing", id }), { version: version + 1, value: winner })
        }
        // The losers wrote neither their row nor the record that was theirs alone.
        const rows = yield* Effect.forEach(sessions, (session) => C.trace(session.id))
        assert.lengthOf(rows.flatMap(({ rows }) => rows).filter((row) => row.body.kind === "noted"), 2)
      }))

    it.effect("starts no more children than a token admits, in a session and in a tree", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const log = yield* Log.Log
        const root = yield* C.opened()
        const child = (parent: Log.Summary, name: string, bounds: Claims.FanOut) => {
          const id = C.sessionId(`${parent.id}.${name}`)
          return { ...C.open(id), session: { ...C.summary(id), parent: parent.id }, bounds }
        }
        const wide = { children: 100, descendants: 100 }
        const first = (yield* store.commit(child(root, "a", wide))).session
        yield* store.commit(child(root, "b", wide))
        const narrow = child(root, "c", { children: 2, descendants: 100 })
        assert.strictEqual((yield* refused(narrow)).why, "too_many_children")
        assert.deepStrictEqual(yield* log.session(narrow.session.id), Option.none())

        // Two live below the root: as many as these tokens admit, whoever of the tree starts one more.
        const claimed = (yield* store.commit(C.claim(first.id))).session
        const deep = child(claimed, "d", { children: 100, descendants: 2 })
        assert.strictEqual((yield* refused(deep)).why, "too_many_children")
        // One that has ended makes room in the tree, but is still a child that the session has had.
        yield* store.commit(C.control(C.sessionId(`${root.id}.b`), "cancel"))
        yield* store.commit(deep)
        assert.strictEqual((yield* refused(narrow)).why, "too_many_children")
        const late = child(claimed, "e", { children: 100, descendants: 2 })
        assert.strictEqual((yield* refused(late)).why, "too_many_children")
        yield* store.commit(C.append((yield* C.trace(deep.session.id)).session.pipe(Option.getOrThrow), {
          status: "succeeded"
        }))
        yield* store.commit(late)
      }))

    it.effect("starts no child too many when many are started at once", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const root = yield* C.opened()
        const other = yield* C.opened()
        const results = yield* Effect.forEach(
          Array.from({ length: 40 }, (_, index) => index),
          (index) => {
            const parent = index % 4 === 0 ? other : root
            const id = C.sessionId(`${parent.id}.${index}`)
            const bounds = { children: 100, descendants: 7 }
            return Effect.map(
              Effect.result(store.commit({ ...C.open(id), session: { ...C.summary(id), parent: parent.id }, bounds })),
              (result) => ({ parent, isOpen: Result.isSuccess(result) })
            )
          },
          { concurrency: "unbounded" }
        )
        for (const parent of [root, other]) {
          assert.lengthOf(results.filter((result) => result.parent === parent && result.isOpen), 7)
        }
      }))

    it.effect("answers everyone when callers are interrupted in mid-commit", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const fibers = yield* Effect.forEach(
          Array.from({ length: 100 }, (_, index) => `#${index}`),
          (key) => Effect.forkChild(store.commit(C.begin(session, key)))
        )
        yield* Effect.forEach(fibers.filter((_, index) => index % 3 === 0), Fiber.interrupt, { discard: true })
        yield* Effect.forEach(fibers.filter((_, index) => index % 3 !== 0), Fiber.join, { discard: true })
        const { rows, session: now } = yield* C.trace(session.id)
        assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(now)), [])
        assert.isAtLeast(rows.filter((row) => row.body.kind === "intent").length, 66)
      }))
  })

// internal

const compare = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0

const why = (error: Store.StoreError) => error.reason._tag === "Rejected" ? error.reason.why : error.reason.detail

/** The rejection of a commit that must be rejected. */
const refused = Effect.fnUntraced(function*(commit: Store.Commit) {
  const store = yield* Store.Store
  const { reason } = yield* Effect.flip(store.commit(commit))
  if (reason._tag !== "Rejected") return yield* Effect.die(new Error(`unavailable: ${reason.detail}`))
  return reason
})

const wakes = (root: string) =>
  Store.Store.use((store) =>
    Effect.map(store.due(Number.MAX_SAFE_INTEGER, 10_000), (due) => due.filter(({ session }) => session === root))
  )

const account = Effect.fnUntraced(function*(id: string | undefined) {
  const store = yield* Store.Store
  const found = (yield* store.accounts).find((account) => account.id === id)
  return found ?? (yield* Effect.die(new Error(`there is no account ${id}`)))
})

/** Dies when an account of the session is overdrawn. */
const look = Effect.fnUntraced(function*(session: Log.Summary) {
  const store = yield* Store.Store
  for (const account of yield* store.accounts) {
    if (!session.accounts.includes(account.id)) continue
    assert.isAtMost(account.spent + account.reserved, account.ceiling, account.id)
    assert.isTrue(account.spent >= 0 && account.reserved >= 0)
  }
})

/** Reserves, works for a while, succeeds or fails, and says what it spent; `null` when it was refused. */
const spender = Effect.fnUntraced(function*(session: Log.Summary | undefined, key: string) {
  if (session === undefined) return yield* Effect.die(new Error("no session"))
  const store = yield* Store.Store
  const reserve = yield* Random.nextIntBetween(1, 100)
  const spent = yield* Random.nextIntBetween(0, reserve)
  const latency = yield* Random.nextIntBetween(0, 20)
  const fails = yield* Random.nextBoolean
  yield* Effect.sleep(latency)
  const begun = yield* Effect.result(store.commit(C.begin(session, key, { reserve })))
  if (Result.isFailure(begun)) {
    assert.strictEqual(why(begun.failure), "over_budget")
    return null
  }
  yield* look(session)
  yield* Effect.sleep(latency)
  yield* store.commit(C.finish(session, key, spent, fails ? "failed" : "succeeded"))
  return spent
})

type Arranged = Effect.Effect<
  { readonly commit: Store.Commit; readonly session: Log.Summary["id"] },
  Store.StoreError,
  Store.Store
>

/** A commit of a session that is otherwise well. */
const inSession = <E>(
  make: (session: Log.Summary) => Store.Commit | Effect.Effect<Store.Commit, E, Store.Store>
): Effect.Effect<
  { readonly commit: Store.Commit; readonly session: Log.Summary["id"] },
  Store.StoreError | E,
  Store.Store
> =>
  Effect.gen(function*() {
    const session = yield* C.opened()
    const made = make(session)
    return { session: session.id, commit: Effect.isEffect(made) ? yield* made : made }
  })

const nobody = C.summary(C.sessionId("nobody"))
const using = ({ binding, id }: Ticket.Ticket) => ({ ticket: { id, binding } })

/** Every way a commit can be refused. */
const rejections: ReadonlyArray<readonly [name: string, why: Store.Rejected["why"], arrange: Arranged]> = [
  ["an act above its ceiling", "over_budget", inSession((session) => C.begin(session, "#0", { reserve: 1001 }))],
  [
    "an act above what others left",
    "over_budget",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        yield* store.commit(C.begin(session, "#0", { reserve: 500 }))
        yield* store.commit(C.begin(session, "#1", { reserve: 300 }))
        yield* store.commit(C.finish(session, "#1", 300))
        return C.begin(session, "#2", { reserve: 201 })
      })
    )
  ],
  [
    "an act that one of several accounts does not cover",
    "over_budget",
    Effect.gen(function*() {
      const session = yield* C.opened([{ id: C.fresh("own"), ceiling: 1000 }, { id: C.fresh("class"), ceiling: 10 }])
      return { session: session.id, commit: C.begin(session, "#0", { reserve: 11 }) }
    })
  ],
  [
    "an act on an account that does not exist",
    "over_budget",
    inSession((session) => C.begin(session, "#0", { accounts: ["nobody's"], reserve: 0 }))
  ],
  [
    "an act under a revoked token",
    "revoked",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const token = C.tokenId(C.fresh("tok"))
        yield* store.commit(C.revoke(session, token))
        return C.begin(session, "#0", { tokens: [C.tokenId("above"), token] })
      })
    )
  ],
  [
    "an act under a revoked ancestor",
    "ancestor_revoked",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const token = C.tokenId(C.fresh("tok"))
        yield* store.commit(C.revoke(session, token))
        return C.begin(session, "#0", { tokens: [token, C.tokenId("own")] })
      })
    )
  ],
  ["an act of a run that never was", "fenced", inSession((session) => C.begin({ ...session, epoch: 7 }, "#0"))],
  ["a row of an older run", "fenced", inSession((session) => C.append({ ...session, epoch: 0 }))],
  [
    "a ticket that does not exist",
    "ticket_unusable",
    inSession((session) => C.begin(session, "#0", using(C.ticket(session, "missing"))))
  ],
  [
    "a ticket that nobody approved",
    "ticket_unusable",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const filed = C.ticket(session, C.fresh("T"))
        yield* store.commit(C.propose(session, filed))
        return C.begin(session, "#0", using(filed))
      })
    )
  ],
  [
    "a ticket that was denied",
    "ticket_unusable",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const filed = C.ticket(session, C.fresh("T"))
        yield* store.commit(C.propose(session, filed))
        yield* store.commit(C.decide(filed, false))
        return C.begin(session, "#0", using(filed))
      })
    )
  ],
  [
    "a ticket for something else",
    "ticket_unusable",
    inSession((session) =>
      Effect.map(
        C.approved(session),
        (ticket) => C.begin(session, "#0", using({ ...ticket, binding: C.hashOf("drifted") }))
      )
    )
  ],
  [
    "a ticket whose time ran out",
    "ticket_unusable",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const filed = C.ticket(session, C.fresh("T"), { expiresAt: 2 })
        yield* store.commit(C.propose(session, filed))
        yield* store.commit(C.expire(filed))
        return C.begin(session, "#0", using(filed))
      })
    )
  ],
  [
    "an approval beside a denial of the same act",
    "denied",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const ticket = yield* C.approved(session, { args: C.hashOf("args of #0") })
        const other = C.ticket(session, C.fresh("T"), { args: ticket.args })
        yield* store.commit(C.propose(session, other))
        yield* store.commit(C.decide(other, false))
        return C.begin(session, "#0", using(ticket))
      })
    )
  ],
  [
    "a rule beside a denial of the act",
    "denied",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const denied = C.ticket(session, C.fresh("T"), { args: C.hashOf("args of #0") })
        yield* store.commit(C.propose(session, denied))
        yield* store.commit(C.decide(denied, false))
        return C.begin(session, "#0", C.byRule(yield* C.ruled()))
      })
    )
  ],
  [
    "a ticket for what was denied",
    "denied",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const denied = C.ticket(session, C.fresh("T"))
        yield* store.commit(C.propose(session, denied))
        yield* store.commit(C.decide(denied, false))
        return C.propose(session, C.ticket(session, C.fresh("T")))
      })
    )
  ],
  [
    "a rule that does not exist",
    "rule_unusable",
    inSession((session) => C.begin(session, "#0", { rule: { id: C.ruleId("missing"), binding: C.hashOf("") } }))
  ],
  [
    "a rule with other terms",
    "rule_unusable",
    inSession((session) =>
      Effect.map(C.ruled(), (rule) => C.begin(session, "#0", C.byRule({ ...rule, binding: C.hashOf("drifted") })))
    )
  ],
  [
    "a rule that is used up",
    "rule_unusable",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const rule = yield* C.ruled({ maxUses: 1 })
        yield* store.commit(C.begin(session, "#0", C.byRule(rule)))
        return C.begin(session, "#1", C.byRule(rule))
      })
    )
  ],
  [
    "a ticket that was used",
    "ticket_unusable",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const ticket = yield* C.approved(session)
        yield* store.commit(C.begin(session, "#0", using(ticket)))
        yield* store.commit(C.finish(session, "#0"))
        return C.begin(session, "#1", using(ticket))
      })
    )
  ],
  [
    "a ticket of another session",
    "ticket_unusable",
    inSession((session) =>
      Effect.gen(function*() {
        const ticket = yield* C.approved(yield* C.opened())
        return C.begin(session, "#0", using(ticket))
      })
    )
  ],
  [
    "an act that has begun",
    "already_begun",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        yield* store.commit(C.begin(session, "#0"))
        return C.begin(session, "#0")
      })
    )
  ],
  [
    "an act that has ended",
    "already_begun",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        yield* store.commit(C.begin(session, "#0"))
        yield* store.commit(C.finish(session, "#0"))
        return C.begin(session, "#0")
      })
    )
  ],
  ...([
    ["that runs", "always", () => Effect.void],
    ["that is over", "always", (session, key) => C.finish(session, key)],
    ["that can be undone and broke down", "always", (session, key) => C.finish(session, key, 0, "crashed")],
    ["that failed", "never", (session, key) => C.finish(session, key, 0, "failed")]
  ] as ReadonlyArray<readonly [string, Store.Begin["repeat"], (session: Log.Summary, key: string) => unknown]>).map((
    [name, repeat, end]
  ) =>
    [
      `a word on an act ${name}`,
      "stale",
      inSession((session) =>
        Effect.gen(function*() {
          const store = yield* Store.Store
          const { row } = yield* store.commit(C.begin(session, "#0", { repeat }))
          const commit = end(session, "#0")
          if (!Effect.isEffect(commit)) yield* store.commit(commit as Store.Commit)
          return C.settle(session, "#0", { intent: row.seq })
        })
      )
    ] as const
  ),
  ["a word on an act that never began", "stale", inSession((session) => C.settle(session, "#0"))],
  [
    "a word on another attempt at the same place",
    "stale",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const { row } = yield* store.commit(C.begin(session, "#0", { repeat: "never" }))
        yield* store.commit(C.claim(session.id))
        return C.settle(session, "#0", { intent: row.seq + 1 })
      })
    )
  ],
  [
    "a probe's word from an older run",
    "fenced",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const { row } = yield* store.commit(C.begin(session, "#0", { repeat: "never" }))
        yield* store.commit(C.claim(session.id))
        return C.settle(session, "#0", { intent: row.seq, epoch: session.epoch })
      })
    )
  ],
  ...(["never", "keyed", "always"] as const).map((repeat) =>
    [
      `an act of repeat ${repeat} that is begun again while it runs`,
      "stale",
      inSession((session) =>
        Effect.gen(function*() {
          const store = yield* Store.Store
          yield* store.commit(C.begin(session, "#0", { repeat }))
          return C.begin(session, "#0~1", { repeat, after: "#0", intent: { ...C.intent("#0", 0), key: "#0~1" } })
        })
      )
    ] as const
  ),
  ...([
    ["that nobody said may be repeated", "never", "#0", undefined],
    ["under other arguments", "always", "#1", undefined],
    ["that somebody settled", "always", "#0", "done"]
  ] as const).map(([name, repeat, args, choice]) =>
    [
      `a lost act ${name}`,
      "stale",
      inSession((session) =>
        Effect.gen(function*() {
          const store = yield* Store.Store
          const { row } = yield* store.commit(C.begin(session, "#0", { repeat }))
          const { session: next } = yield* store.commit(C.claim(session.id))
          if (choice !== undefined) yield* store.commit(C.settle(session, "#0", { intent: row.seq }))
          return C.begin(next, "#0~1", { repeat, after: "#0", intent: { ...C.intent(args, 0), key: "#0~1" } })
        })
      )
    ] as const
  ),
  [
    "a retry that was used",
    "already_begun",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const { row } = yield* store.commit(C.begin(session, "#0", { repeat: "never" }))
        const { session: next } = yield* store.commit(C.claim(session.id))
        const decision = { choice: "retry", from: "operator", by: "grace", reason: "", result: null } as const
        yield* store.commit(C.settle(session, "#0", { intent: row.seq, decision }))
        const again = C.begin(next, "#0~1", {
          repeat: "never",
          after: "#0",
          intent: { ...C.intent("#0", 0), key: "#0~1" }
        })
        yield* store.commit(again)
        return again
      })
    )
  ],
  [
    "a retry that was used, at another place",
    "stale",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const { row } = yield* store.commit(C.begin(session, "#0", { repeat: "never" }))
        const { session: next } = yield* store.commit(C.claim(session.id))
        const decision = { choice: "retry", from: "operator", by: "grace", reason: "", result: null } as const
        yield* store.commit(C.settle(session, "#0", { intent: row.seq, decision }))
        const again = (key: string) =>
          C.begin(next, key, { repeat: "never", after: "#0", intent: { ...C.intent("#0", 0), key } })
        yield* store.commit(again("#0~1"))
        return again("#0~2")
      })
    )
  ],
  ["the end of what never began", "not_begun", inSession((session) => C.finish(session, "#0"))],
  [
    "a second end",
    "not_begun",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        yield* store.commit(C.begin(session, "#0", { reserve: 10 }))
        yield* store.commit(C.finish(session, "#0", 10))
        return C.finish(session, "#0", 10)
      })
    )
  ],
  [
    "one ticket more than may wait",
    "too_many_pending",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        // Neither a decided ticket nor one whose time ran out waits.
        yield* C.approved(session)
        yield* store.commit(C.propose(session, C.ticket(session, C.fresh("T"), { expiresAt: 2 })))
        for (let i = 0; i < 3; i++) yield* store.commit(C.propose(session, C.ticket(session, C.fresh("T")), 3))
        return C.propose(session, C.ticket(session, C.fresh("T")), 3)
      })
    )
  ],
  [
    "a session that is opened twice",
    "session_exists",
    inSession((session) => C.open(session.id, [{ id: C.fresh("another account"), ceiling: 5 }]))
  ],
  [
    "a decision about something else than was shown",
    "stale",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const filed = C.ticket(session, C.fresh("T"))
        yield* store.commit(C.propose(session, filed))
        return C.decide(filed, true, "grace", { binding: C.hashOf("something else") })
      })
    )
  ],
  [
    "an approval of what was denied",
    "undecidable",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const filed = C.ticket(session, C.fresh("T"))
        yield* store.commit(C.propose(session, filed))
        yield* store.commit(C.decide(filed, false))
        return C.decide(filed, true, "ada")
      })
    )
  ],
  [
    "a denial of what has begun",
    "undecidable",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const ticket = yield* C.approved(session)
        yield* store.commit(C.begin(session, "#0", using(ticket)))
        return C.decide(ticket, false, "ada")
      })
    )
  ],
  [
    "an approval in a session that has ended",
    "undecidable",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const filed = C.ticket(session, C.fresh("T"))
        yield* store.commit(C.propose(session, filed))
        yield* store.commit(C.append(session, { status: "failed" }))
        return C.decide(filed, true)
      })
    )
  ],
  [
    "an approval by the one who asked, where that may not be",
    "undecidable",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const filed = C.ticket(session, C.fresh("T"))
        yield* store.commit(C.propose(session, filed))
        return C.decide(filed, true, " ADA", { policy: { ...Policy.standard, requesterMayApprove: false } })
      })
    )
  ],
  [
    "a decision after the time of the ticket",
    "out_of_time",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const filed = C.ticket(session, C.fresh("T"), { expiresAt: 2 })
        yield* store.commit(C.propose(session, filed))
        return C.decide(filed, true)
      })
    )
  ],
  [
    "the end of a ticket before its time",
    "stale",
    inSession((session) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const filed = C.ticket(session, C.fresh("T"))
        yield* store.commit(C.propose(session, filed))
        return C.expire(filed)
      })
    )
  ],
  [
    "one ticket more than may wait in a tree",
    "too_many_pending",
    inSession((root) =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const children = yield* Effect.all(
          [1, 2].map((n) => C.opened(undefined, `${root.id}.${n}`, root.id))
        )
        for (const child of children) yield* store.commit(C.propose(child, C.ticket(child, C.fresh("T"))))
        return C.propose(root, C.ticket(root, C.fresh("T")), 20, 2)
      })
    )
  ],
  ["a change of no rule", "no_such_rule", inSession(() => Effect.as(C.installed, C.revokeRule("missing")))],
  ["a decision about no ticket", "stale", inSession((session) => C.decide(C.ticket(session, "missing"), true))],
  ...[
    C.claim(nobody.id),
    C.begin(nobody, "#0"),
    C.finish(nobody, "#0"),
    C.settle(nobody, "#0"),
    C.append(nobody),
    C.propose(nobody, C.ticket(nobody, "T")),
    C.decide(C.ticket(nobody, "T"), true),
    C.expire(C.ticket(nobody, "T")),
    C.revoke(nobody, C.tokenId("tok"))
  ].map((commit) =>
    [`${commit._tag} of nobody`, "no_such_session", Effect.succeed({ commit, session: nobody.id })] as const
  )
]
