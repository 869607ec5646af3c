/** Nothing steps over a write that was lost: LangGraph would, and the saver does not let it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { CheckpointError } from "../../../layers/langgraph/index.ts"
import { MemoryStore } from "../../../layers/memory/index.ts"
import { NodeDigest } from "../../../layers/node/index.ts"
import { Log } from "../../../src/audit/index.ts"
import { type Checkpoint, Store } from "../../../src/governor/index.ts"
import * as C from "../../governor/commits.ts"
import * as G from "./graphs.ts"

/** What the store refuses to save, as long as it does, and every change that it did save. */
const failing = { on: (_: Checkpoint.Change): boolean => false, saved: Array<Checkpoint.Change>() }

const store = Layer.effect(
  Store.Store,
  Effect.map(Store.Store, (store) => {
    failing.on = () => false
    failing.saved = []
    return Store.Store.of({
      ...store,
      commit: (commit) => {
        if (commit._tag !== "Checkpoint") return store.commit(commit)
        if (commit.changes.some(failing.on)) {
          const reason = new Store.Unavailable({ detail: "down", remedy: "wait", maybe: false })
          return Effect.fail(new Store.StoreError({ reason }))
        }
        return Effect.tap(store.commit(commit), () => Effect.sync(() => void failing.saved.push(...commit.changes)))
      }
    })
  })
).pipe(Layer.provideMerge(MemoryStore.layer), Layer.provideMerge(NodeDigest.layer))

/** Refuses what `task` leaves, told by a word in it. */
const losing = (word: string) => {
  failing.on = (change) =>
    change._tag === "Written" && change.writes.some(({ value }) => value.text.includes(`"${word}"`))
}

const rejection = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) =>
    error instanceof G.Rejected && error.cause instanceof CheckpointError
      ? error.cause.reason._tag
      : assert.fail(String(error)))

/** The chain is whole, and names nothing but what is kept. */
const whole = (id: ReturnType<typeof C.sessionId>) =>
  Effect.gen(function*() {
    const log = yield* Log.Log
    const rows = yield* log.rows(id)
    assert.deepStrictEqual(C.faults(rows), [])
    const kept = yield* Effect.flatMap(Store.Store, (store) => store.checkpoints(id, {}))
    const named = new Set(rows.flatMap(({ body }) => body.kind === "checkpoint" ? [body.id] : []))
    assert.isTrue(kept.every((one) => named.has(one.id)))
    return { rows, kept }
  })

describe("a write that is lost", () => {
  it.live("ends the run at its node, which runs again", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      const ran: Array<string> = []
      const graph = (saver: G.Saver) =>
        new G.StateGraph(G.Seen)
          .addNode("a", () => (ran.push("a"), { seen: ["a"] }))
          .addNode("b", () => (ran.push("b"), { seen: ["lost"] }))
          .addNode("c", () => (ran.push("c"), { seen: ["c"] }))
          .addEdge(G.START, "a").addEdge("a", "b").addEdge("b", "c")
          .compile({ checkpointer: saver })
      losing("lost")
      const reason = yield* rejection(G.running(id, (saver) => graph(saver).invoke({ seen: [] }, G.config)))
      assert.strictEqual(reason, "Unavailable")
      assert.deepStrictEqual(ran, ["a", "b"])
      const state = yield* G.running(id, (saver) => graph(saver).getState(G.config))
      assert.deepStrictEqual([state.next, state.values.seen], [["b"], ["a"]])
      failing.on = () => false
      const ended = yield* G.running(id, (saver) => graph(saver).invoke(null, G.config))
      assert.deepStrictEqual(ended.seen, ["a", "lost", "c"])
      assert.deepStrictEqual(ran, ["a", "b", "b", "c"])
      yield* whole(id)
    }).pipe(Effect.provide(store)))

  it.live("stops the checkpoint after its step, though that could have been saved", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      const ran: Array<string> = []
      const graph = (saver: G.Saver) =>
        new G.StateGraph(G.Seen)
          .addNode("quick", () => (ran.push("quick"), { seen: ["lost"] }))
          .addNode("slow", async () => {
            await Effect.runPromise(Effect.sleep(30))
            ran.push("slow")
            return { seen: ["slow"] }
          })
          .addEdge(G.START, "quick").addEdge(G.START, "slow")
          .compile({ checkpointer: saver })
      losing("lost")
      yield* rejection(G.running(id, (saver) => graph(saver).invoke({ seen: [] }, G.config)))
      // What the other task left was saved, and the step did not end.
      const after = failing.saved.filter((change) => change._tag === "Saved")
      assert.lengthOf(after, 2)
      const state = yield* G.running(id, (saver) => graph(saver).getState(G.config))
      assert.deepStrictEqual([state.next, state.values.seen], [["quick"], ["slow"]])
      failing.on = () => false
      const ended = yield* G.running(id, (saver) => graph(saver).invoke(null, G.config))
      assert.deepStrictEqual(ended.seen, ["lost", "slow"])
      assert.deepStrictEqual(ran, ["quick", "slow", "quick"])
      yield* whole(id)
    }).pipe(Effect.provide(store)))

  it.live("is made up for when its task tries again", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      yield* G.running(id, async (saver) => {
        const at = await saver.put({ configurable: { thread_id: "main" } }, checkpoint("1"), metadata, {})
        losing("lost")
        await rejects(saver.putWrites(at, [["seen", "lost"]], "t"), "Unavailable")
        await rejects(saver.put(at, checkpoint("2"), metadata, {}), "Lost")
        // Another task's success does not make up for it.
        await saver.putWrites(at, [["seen", "other"]], "u")
        await rejects(saver.put(at, checkpoint("2"), metadata, {}), "Lost")
        failing.on = () => false
        await saver.putWrites(at, [["seen", "lost"]], "t")
        await saver.put(at, checkpoint("2"), metadata, {})
      })
      const { kept } = yield* whole(id)
      assert.deepStrictEqual(kept.map(({ id, writes }) => [id, writes.length]), [["2", 0], ["1", 2]])
    }).pipe(Effect.provide(store)))

  it.live("is lost with everything that was asked for after it in the same turn", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      yield* G.running(id, async (saver) => {
        const { serde } = saver
        saver.serde = {
          loadsTyped: (type, data) => serde.loadsTyped(type, data),
          dumpsTyped: (data) => data === unwritable ? Promise.reject(new Error("no")) : serde.dumpsTyped(data)
        }
        const at = await saver.put({ configurable: { thread_id: "main" } }, checkpoint("1"), metadata, {})
        const next = { configurable: { thread_id: "main", checkpoint_ns: "", checkpoint_id: "2" } }
        await Promise.all([
          rejects(saver.putWrites(at, [["seen", unwritable]], "t"), "Unwritable"),
          rejects(saver.put(at, checkpoint("2"), metadata, {}), "Lost"),
          rejects(saver.putWrites(next, [["seen", "on what was lost"]], "t"), "Lost"),
          rejects(saver.put(next, checkpoint("3"), metadata, {}), "Lost"),
          // A thread of its own goes on.
          saver.put({ configurable: { thread_id: "other" } }, checkpoint("1"), metadata, {})
        ])
      })
      const { kept } = yield* whole(id)
      assert.deepStrictEqual(kept.map(({ id, thread }) => `${thread} ${id}`), ["main 1", "other 1"])
    }).pipe(Effect.provide(store)))

  it.live("is nothing that a database cannot name", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      yield* G.running(id, async (saver) => {
        const put = (thread: unknown, parts: object = {}) =>
          saver.put({ configurable: { thread_id: thread } }, { ...checkpoint("1"), ...parts }, metadata, {})
        await rejects(put("nul\0"), "Misplaced")
        await rejects(put("half \ud800"), "Misplaced")
        await rejects(put(7), "Misplaced")
        await rejects(put("main", { channel_versions: { "nul\0": 1 } }), "Misplaced")
        await rejects(saver.deleteThread("nul\0"), "Misplaced")
      })
      const { kept } = yield* whole(id)
      assert.deepStrictEqual(kept, [])
    }).pipe(Effect.provide(store)))

  it.live("is told to whoever waits for it when the run ends", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      const saver = yield* G.running(id, (saver) => Promise.resolve(saver))
      yield* Effect.promise(() =>
        rejects(saver.put({ configurable: { thread_id: "main" } }, checkpoint("1"), metadata, {}), "Lost")
      )
      const { kept } = yield* whole(id)
      assert.deepStrictEqual(kept, [])
    }).pipe(Effect.provide(store)))

  it.live("is every one of a run that was replaced", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      yield* Effect.scoped(Effect.gen(function*() {
        const old = yield* G.saver(id)
        yield* G.running(
          id,
          (saver) => saver.put({ configurable: { thread_id: "main" } }, checkpoint("1"), metadata, {})
        )
        const at = { configurable: { thread_id: "main", checkpoint_ns: "", checkpoint_id: "1" } }
        yield* Effect.promise(() => rejects(old.putWrites(at, [["seen", "late"]], "t"), "Rejected"))
        yield* Effect.promise(() => rejects(old.put(at, checkpoint("2"), metadata, {}), "Lost"))
      }))
      const { kept } = yield* whole(id)
      assert.deepStrictEqual(kept.map(({ id, writes }) => [id, writes]), [["1", []]])
    }).pipe(Effect.provide(store)))
})

// internal

/** Something that has no written form. */
const unwritable = { what: "a socket" }

const metadata = { source: "loop", step: 0, parents: {} } as const
const checkpoint = (id: string) => ({
  v: 4,
  id,
  ts: "2026-01-01T00:00:00Z",
  channel_values: {},
  channel_versions: {},
  versions_seen: {}
})

const rejects = async (promise: Promise<unknown>, reason: string) => {
  const error: unknown = await promise.then(() => "it was saved", (error: unknown) => error)
  assert.strictEqual(error instanceof CheckpointError ? error.reason._tag : String(error), reason)
}
