/** What the Governor says and does when its log fails it: before an act, and after. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, type Option } from "effect"
import { Log } from "../../src/audit/index.ts"
import { Store } from "../../src/governor/index.ts"
import * as C from "./commits.ts"
import { act, action, bodies, kind, marks, run, session, stopped, world } from "./world.ts"

/** A store that fails the commits that `fails` picks: before they are written, or after (`isWritten`). */
const failing = (fails: (commit: Store.Commit) => boolean, isWritten = false) => (store: Store.Store["Service"]) => ({
  ...store,
  commit: (commit: Store.Commit): Effect.Effect<Store.Committed, Store.StoreError> =>
    fails(commit)
      ? isWritten ? Effect.andThen(Effect.exit(store.commit(commit)), down(true)) : down(false)
      : store.commit(commit)
})

const down = (maybe: boolean) =>
  Effect.fail(
    new Store.StoreError({ reason: new Store.Unavailable({ detail: "the disk is gone", remedy: "plug it in", maybe }) })
  )

/** The `n`th commit of that kind fails, and no other. */
const nth = (tag: Store.Commit["_tag"], n = 1) => {
  let seen = 0
  return (commit: Store.Commit) => commit._tag === tag && ++seen === n
}

describe("when the log does not take the intent", () => {
  it.effect("the act does not run, and the caller is told so", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const reason = yield* stopped(run(id, act(action("a", mark, { reserve: 10 }))))
      assert.deepInclude(reason, {
        _tag: "LogUnavailable",
        ran: false,
        detail: "the disk is gone",
        remedy: "plug it in"
      })
      assert.deepStrictEqual(done, [])
      assert.deepStrictEqual((yield* bodies(id)).map((row) => row.kind), ["genesis", "started"])
      const store = yield* Store.Store
      assert.deepInclude((yield* store.accounts)[0], { reserved: 0, spent: 0 })
      // The next run does it.
      yield* run(id, act(action("a", mark)))
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world({ wrap: failing(nth("Begin")) }))))

  it.effect("and took it all the same: the act does not run, and a later run finds out", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const reason = yield* stopped(run(id, act(action("a", mark))))
      assert.deepInclude(reason, { _tag: "LogUnavailable", ran: false })
      assert.deepStrictEqual(done, [])
      // It can be undone: nobody minds that it is begun again.
      yield* run(id, act(action("a", mark)))
      assert.deepStrictEqual(done, ["a"])
      assert.deepStrictEqual((yield* kind(id, "intent")).map((row) => row.key), ["#0", "#0~1"])
    }).pipe(Effect.provide(world({ wrap: failing(nth("Begin"), true) }))))

  it.effect("and took it all the same: what cannot be undone is left to a person", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const forGood = action("a", mark, { reversible: false })
      assert.deepInclude(yield* stopped(run(id, act(forGood))), { _tag: "LogUnavailable", ran: false })
      assert.deepInclude(yield* stopped(run(id, act(forGood))), { _tag: "OutcomeUnknown" })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ mode: "warn", wrap: failing(nth("Begin"), true) }))))
})

describe("when the log does not take the outcome", () => {
  it.effect("the caller is told that the act ran, and gets no answer to build on", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const reason = yield* stopped(run(id, act(action("a", mark, { reserve: 10 }))))
      assert.deepInclude(reason, { _tag: "LogUnavailable", ran: true, detail: "the disk is gone" })
      assert.deepStrictEqual(done, ["a"])
      assert.deepStrictEqual((yield* bodies(id)).map((row) => row.kind), ["genesis", "started", "intent"])
      // What it had reserved stays held back: nobody knows what it cost.
      const store = yield* Store.Store
      assert.deepInclude((yield* store.accounts)[0], { reserved: 10, spent: 0 })
    }).pipe(Effect.provide(world({ wrap: failing(nth("Finish")) }))))

  it.effect("what cannot be undone is not done again", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const forGood = action("a", mark, { reversible: false })
      assert.deepInclude(yield* stopped(run(id, act(forGood))), { _tag: "LogUnavailable", ran: true })
      assert.deepInclude(yield* stopped(run(id, act(forGood))), { _tag: "OutcomeUnknown", key: "#0" })
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world({ mode: "warn", wrap: failing(nth("Finish")) }))))

  it.effect("and took it all the same: the next run is answered from it", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      assert.deepInclude(yield* stopped(run(id, act(action("a", mark)))), { _tag: "LogUnavailable", ran: true })
      assert.strictEqual((yield* run(id, act(action("a", mark)))).value, "did a")
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world({ wrap: failing(nth("Finish"), true) }))))

  it.effect("because a newer run has the session: the act ran, and its answer counts for nothing", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const store = yield* Store.Store
      const takenOver = action(
        "a",
        (args) => Effect.andThen(mark(args), Effect.as(Effect.orDie(store.commit(C.claim(id))), "late"))
      )
      assert.deepInclude(yield* stopped(run(id, act(takenOver))), { _tag: "LogUnavailable", ran: true })
      assert.deepStrictEqual(done, ["a"])
      assert.notInclude((yield* bodies(id)).map((row) => row.kind), "outcome")
    }).pipe(Effect.provide(world())))
})

describe("when the log does not take a refusal", () => {
  it.effect("the act does not run all the same", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const beyond = action("a", mark, { capabilities: ["tool:other"] })
      assert.deepInclude(yield* stopped(run(id, act(beyond))), { _tag: "LogUnavailable", ran: false })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ wrap: failing((commit) => commit._tag === "Append") }))))

  it.effect("in warn mode it does not run either: what is let through must be on record", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const dear = action("a", mark, { reserve: 5000 })
      assert.deepInclude(yield* stopped(run(id, act(dear))), { _tag: "LogUnavailable", ran: false })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ mode: "warn", wrap: failing((commit) => commit._tag === "Append") }))))
})

describe("when the log does not take a proposal", () => {
  it.effect("nothing waits and nothing runs", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const forGood = action("a", mark, { reversible: false })
      assert.deepInclude(yield* stopped(run(id, act(forGood))), { _tag: "LogUnavailable", ran: false })
      const store = yield* Store.Store
      assert.deepStrictEqual(yield* store.tickets(id), [])
      assert.deepStrictEqual(done, [])
      assert.deepInclude(yield* stopped(run(id, act(forGood))), { _tag: "AwaitingApproval" })
    }).pipe(Effect.provide(world({ wrap: failing(nth("Propose")) }))))

  it.effect("nor when the tickets cannot be read", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const forGood = action("a", mark, { reversible: false })
      assert.deepInclude(yield* stopped(run(id, act(forGood))), { _tag: "LogUnavailable", ran: false })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ wrap: (store) => ({ ...store, tickets: () => down(false) }) }))))
})

describe("when the log cannot be read", () => {
  const unread = Effect.fail(new Log.LogError({ detail: "the disk is gone", remedy: "plug it in" }))

  it.effect("a session is not entered", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const exit = yield* Effect.exit(run(id, act(action("a", mark))))
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ wrapLog: (log) => ({ ...log, rows: () => unread }) }))))

  it.effect("an act is not answered, and not done again", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(id, act(action("a", mark)))
      const reason = yield* stopped(run(id, act(action("a", mark))))
      assert.deepInclude(reason, { _tag: "LogUnavailable", ran: false })
      assert.deepStrictEqual(done, ["a"])
    }).pipe(
      Effect.provide(world({
        wrapLog: (log) => ({ ...log, payload: (): Effect.Effect<Option.Option<string>, Log.LogError> => unread })
      }))
    ))
})
