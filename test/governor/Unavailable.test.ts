/** What the Governor says and does when its log fails it: before an act, and after. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, type Option } from "effect"
import { Log } from "../../src/audit/index.ts"
import { Store } from "../../src/governor/index.ts"
import * as C from "./commits.ts"
import { act, action, bodies, kind, marks, passing, run, session, stopped, world } from "./world.ts"

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
      assert.deepInclude(yield* stopped(run(id, act(forGood))), { _tag: "AwaitingSettlement" })
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ mode: "warn", wrap: failing(nth("Begin"), true) }))))
})

/** Fails every commit of that kind until it is told to stop. */
const outage = (tag: Store.Commit["_tag"]) => {
  const state = { isDown: true, tries: 0 }
  const fails = (commit: Store.Commit) => {
    if (commit._tag === tag) state.tries++
    return commit._tag === tag && state.isDown
  }
  return { state, fails }
}

describe("when the log does not take the outcome", () => {
  it.effect("at first: it is offered again, and the act ran once", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const { value } = yield* passing(run(id, act(action("a", mark, { reserve: 10 }))))
      assert.strictEqual(value, "did a")
      assert.deepStrictEqual(done, ["a"])
      assert.deepStrictEqual((yield* bodies(id)).map((row) => row.kind), ["genesis", "started", "intent", "outcome"])
      const store = yield* Store.Store
      assert.deepInclude((yield* store.accounts)[0], { reserved: 0, spent: 0 })
    }).pipe((test) =>
      Effect.forEach([false, true], (isWritten) => {
        const first = [nth("Finish"), nth("Finish", 2), nth("Finish", 3)]
        // Every one is asked: each counts for itself.
        const fails = (commit: Store.Commit) => first.map((pick) => pick(commit)).includes(true)
        return Effect.provide(test, world({ wrap: failing(fails, isWritten) }))
      })
    ))

  it.effect("for good: the caller is told that the act ran, and gets no answer to build on", () => {
    const { fails, state } = outage("Finish")
    return Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const began = yield* Clock.currentTimeMillis
      const reason = yield* stopped(passing(run(id, act(action("a", mark, { reserve: 10 })))))
      assert.deepInclude(reason, { _tag: "LogUnavailable", ran: true, detail: "the disk is gone" })
      const waited = (yield* Clock.currentTimeMillis) - began
      assert.isTrue(waited >= 19_000 && waited <= 40_000, `${waited} ms`)
      assert.isTrue(state.tries > 5 && state.tries < 30, `${state.tries} tries`)
      assert.deepStrictEqual(done, ["a"])
      assert.deepStrictEqual((yield* bodies(id)).map((row) => row.kind), ["genesis", "started", "intent"])
      // What it had reserved stays held back: nobody knows what it cost.
      const store = yield* Store.Store
      assert.deepInclude((yield* store.accounts)[0], { reserved: 10, spent: 0 })
      // It can be undone: the next run does it again, and the lost attempt is paid in full.
      state.isDown = false
      yield* run(id, act(action("a", mark, { reserve: 10, bill: () => ({ costMicroUsd: 3 }) })))
      assert.deepStrictEqual(done, ["a", "a"])
      assert.deepInclude((yield* store.accounts)[0], { reserved: 0, spent: 13 })
      assert.deepInclude((yield* kind(id, "settled"))[0], { key: "#0", choice: "retry", costMicroUsd: 10 })
    }).pipe(Effect.provide(world({ wrap: failing(fails) })))
  })

  it.effect("for good: what cannot be undone is not done again", () => {
    const { fails, state } = outage("Finish")
    return Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const forGood = action("a", mark, { reversible: false })
      assert.deepInclude(yield* stopped(passing(run(id, act(forGood)))), { _tag: "LogUnavailable", ran: true })
      state.isDown = false
      assert.deepInclude(yield* stopped(run(id, act(forGood))), { _tag: "AwaitingSettlement" })
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world({ mode: "warn", wrap: failing(fails) })))
  })

  it.effect("as far as anyone can tell, and took it all the same: the next run is answered from it", () => {
    const { fails, state } = outage("Finish")
    return Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      assert.deepInclude(yield* stopped(passing(run(id, act(action("a", mark))))), {
        _tag: "LogUnavailable",
        ran: true
      })
      state.isDown = false
      assert.strictEqual((yield* run(id, act(action("a", mark)))).value, "did a")
      assert.deepStrictEqual(done, ["a"])
    }).pipe(Effect.provide(world({ wrap: failing(fails, true) })))
  })

  it.effect("while a newer run takes the session: the late outcome is refused, and no success is told", () => {
    const { fails, state } = outage("Finish")
    return Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const store = yield* Store.Store
      const late = yield* Effect.forkChild(stopped(passing(run(id, act(action("a", mark))))))
      while (state.tries < 3) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* store.commit(C.claim(id))
      state.isDown = false
      assert.deepInclude(yield* Fiber.join(late), { _tag: "LogUnavailable", ran: true })
      assert.deepStrictEqual(done, ["a"])
      assert.notInclude((yield* bodies(id)).map((row) => row.kind), "outcome")
    }).pipe(Effect.provide(world({ wrap: failing(fails) })))
  })

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
