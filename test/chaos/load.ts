/**
 * Concurrent sessions on a store, and what they must come to. Each session runs acts one after the other, as the Governor
 * does: begin, do, finish; some through tickets, all for money. What is done leaves a line in a ledger beside the store.
 */
import { assert } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Log, Row } from "../../src/audit/index.ts"
import type { Store } from "../../src/governor/index.ts"
import * as C from "../governor/commits.ts"

/** How much, and on what. */
export interface Load {
  readonly sessions: number
  readonly acts: number
  /** Which of several logs on the same database a session writes through. */
  readonly logs: ReadonlyArray<Side>
}

/** A store and the reader beside it. */
export interface Side {
  readonly store: Store.Store["Service"]
  readonly log: Log.Log["Service"]
}

/** What was acknowledged, and what was done. */
export interface Ledger {
  readonly rows: Array<Row.Row>
  readonly done: Array<string>
  readonly sessions: Array<Log.Summary>
}

/** Runs all sessions to their end. */
export const run = Effect.fnUntraced(function*({ acts, logs, sessions }: Load) {
  const ledger: Ledger = { rows: [], done: [], sessions: [] }
  yield* Effect.forEach(
    Array.from({ length: sessions }, (_, n) => n),
    (n) => {
      const side = logs[n % logs.length]
      return side === undefined ? Effect.void : session(side.store, ledger, acts)
    },
    { concurrency: "unbounded", discard: true }
  )
  return ledger
})

/** Fails unless the log says what the ledger says. */
export const agrees = Effect.fnUntraced(function*({ log, store }: Side, ledger: Ledger) {
  const intents: Array<string> = []
  const outcomes: Array<string> = []
  const spent = new Map<string, number>()
  const written = new Set<string>()
  for (const { accounts, id } of ledger.sessions) {
    const rows = yield* log.rows(id)
    assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(yield* log.session(id))), [])
    for (const { body, hash, key } of rows) {
      written.add(hash)
      if (body.kind === "intent") intents.push(`${id} ${key}`)
      if (body.kind !== "outcome") continue
      outcomes.push(`${id} ${key}`)
      for (const account of accounts) spent.set(account, (spent.get(account) ?? 0) + body.costMicroUsd)
    }
    const tickets = yield* store.tickets(id)
    assert.deepStrictEqual(new Set(tickets.map(({ state }) => state)), new Set(["succeeded"]))
  }
  // Nothing acknowledged is lost, nothing is written that was not acknowledged, and nothing was done twice.
  assert.deepStrictEqual(ledger.rows.filter(({ hash }) => !written.has(hash)), [])
  assert.strictEqual(ledger.rows.length, written.size)
  assert.deepStrictEqual(intents.toSorted(), ledger.done.toSorted())
  assert.deepStrictEqual(outcomes.toSorted(), ledger.done.toSorted())
  assert.strictEqual(new Set(ledger.done).size, ledger.done.length)
  // Accounts are what outcomes cost, and hold nothing back for what has ended.
  for (const { id, reserved, spent: said } of yield* store.accounts) {
    assert.deepStrictEqual({ id, reserved, spent: said }, { id, reserved: 0, spent: spent.get(id) ?? 0 })
  }
})

// internal

/** Accounts that all sessions share, so that they meet. */
const shared = [{ id: "class:Tester", ceiling: 1e12 }, { id: "caller:ada", ceiling: 1e12 }]

const session = Effect.fnUntraced(function*(store: Store.Store["Service"], ledger: Ledger, acts: number) {
  const commit = (commit: Store.Commit) =>
    Effect.map(store.commit(commit), (done) => {
      ledger.rows.push(done.row)
      return done.session
    })
  const id = C.sessionId(C.fresh("chaos"))
  yield* commit(C.open(id, [{ id: `session:${id}`, ceiling: 1e12 }, ...shared]))
  const session = yield* commit(C.claim(id))
  ledger.sessions.push(session)
  for (let n = 0; n < acts; n++) {
    const key = `#${n}`
    // Every third cannot be undone, every fourth is free.
    const cost = n % 4 === 3 ? 0 : 5 + n
    const filed = C.ticket(session, C.fresh("T"), { proposedAt: n })
    if (n % 3 === 0) {
      yield* commit(C.propose(session, filed))
      yield* commit(C.decide(filed, true))
    }
    const ticket = n % 3 === 0 ? { id: filed.id, binding: filed.binding } : null
    yield* commit(C.begin(session, key, { reserve: cost * 2, ticket }))
    yield* Effect.yieldNow
    ledger.done.push(`${id} ${key}`)
    yield* commit(C.finish(session, key, cost))
  }
})
