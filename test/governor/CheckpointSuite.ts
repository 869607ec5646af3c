/** What every store keeps of checkpoints and working memories: one line for each implementation. */
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { digest } from "../../layers/node/Digest.ts"
import { Log, type Row } from "../../src/audit/index.ts"
import { Checkpoint, Memory, memory, Store } from "../../src/governor/index.ts"
import * as C from "./commits.ts"

/** Runs the contract against `store`. */
export const suite = <E>(name: string, store: Layer.Layer<Store.Store | Log.Log, E>): void =>
  layer(store, { excludeTestServices: true, timeout: "60 seconds" })(name, (it) => {
    it.effect("keeps a checkpoint whole, with a row that names its hash, the memory's and the control block", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        const commit = C.checkpoint(session, [
          C.saved("a", null, { metadata: { type: "bytes", text: "AAEC" } }),
          C.written("a", "t1"),
          C.written("a", "t2", { writes: [write(0, "x"), write(1, "y"), write(-1, "z")] })
        ])
        const done = yield* save(commit)
        const [kept, ...others] = yield* read(session)
        assert.deepStrictEqual(others, [])
        const value = C.blob("value of a")
        const hash = Checkpoint.blobHash(digest, value)
        assert.deepStrictEqual(kept, {
          thread: "main",
          ns: "",
          id: "a",
          parent: null,
          within: null,
          needs: 0,
          seq: session.seq,
          state: C.blob("state of a"),
          metadata: { type: "bytes", text: "AAEC" },
          channels: { c: ["a", hash] },
          values: { [hash]: value },
          writes: [
            { task: "t1", path: "path of t1", index: 0, channel: "c", value: C.blob("t1 wrote to a") },
            { task: "t2", path: "path of t2", ...write(-1, "z") },
            { task: "t2", path: "path of t2", ...write(0, "x") },
            { task: "t2", path: "path of t2", ...write(1, "y") }
          ]
        })
        assert.deepStrictEqual(done.row.body, {
          kind: "checkpoint",
          thread: "main",
          ns: "",
          id: "a",
          parent: null,
          epoch: session.epoch,
          state: kept === undefined ? C.hashOf("") : Checkpoint.keptHash(digest, kept),
          memory: Checkpoint.memoryHash(digest, new Map())
        })
        // The rest of the control block is where the row stands.
        assert.deepInclude(done.row, { seq: session.seq, prev: session.head })
        assert.strictEqual(done.session.seq, session.seq + 1)
      }))

    it.effect("names every checkpoint that a commit touches, as it is after all of it", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        yield* save(C.checkpoint(session, [C.saved("a", null)]))
        yield* save(C.checkpoint(session, [C.written("a", "t"), C.saved("b", "a"), C.written("b", "u")]))
        const rows = (yield* rowsOf(session)).slice(session.seq)
        assert.deepStrictEqual(named(rows), ["a", "a", "b"])
        yield* agree(session)
      }))

    it.effect("takes from the parent what did not change, and keeps a value once", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        const same = { d: C.blob("the same") }
        yield* save(C.checkpoint(session, [
          C.saved("a", null, { versions: { c: "1", d: "1", e: "1" }, values: { c: C.blob("c1"), ...same } })
        ]))
        yield* save(C.checkpoint(session, [
          C.saved("b", "a", { versions: { c: "2", d: "1", e: "1" }, values: { c: C.blob("c2") } })
        ]))
        // Another branch from the first: the same version need not be the same value.
        yield* save(C.checkpoint(session, [
          C.saved("c", "a", { versions: { c: "2", d: "2" }, values: { c: C.blob("other c2"), ...same } })
        ]))
        // Whatever is neither new nor the parent's has no value.
        yield* save(C.checkpoint(session, [
          C.saved("d", "nobody", { versions: { c: "2" }, values: {} })
        ]))
        assert.deepStrictEqual((yield* read(session)).map(valuesOf), [
          {},
          { c: "other c2", d: "the same" },
          { c: "c2", d: "the same" },
          { c: "c1", d: "the same" }
        ])
        yield* agree(session)
      }))

    it.effect("never replaces an ordinary write, and always a special one", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        yield* save(C.checkpoint(session, [C.saved("a", null)]))
        for (const text of ["first", "second"]) {
          yield* save(C.checkpoint(session, [C.written("a", "t", { writes: [write(0, text), write(-1, text)] })]))
        }
        const [kept] = yield* read(session)
        assert.deepStrictEqual(kept?.writes.map(({ index, value }) => [index, value]), [
          [-1, C.blob("second")],
          [0, C.blob("first")]
        ])
        yield* agree(session)
      }))

    it.effect("replaces a checkpoint that is saved again, and keeps the writes that wait on it", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        yield* save(C.checkpoint(session, [C.saved("a", null), C.written("a", "t")]))
        yield* save(C.checkpoint(session, [C.saved("a", null, { values: {}, state: C.blob("again") })]))
        const [kept] = yield* read(session)
        assert.deepInclude(kept, { state: C.blob("again") })
        assert.lengthOf(kept?.writes ?? [], 1)
        assert.deepStrictEqual(kept === undefined ? {} : valuesOf(kept), { c: "value of a" })
        yield* agree(session)
      }))

    it.effect("finds checkpoints by thread, graph, id and age, newest first", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        const places = [["main", ""], ["main", "sub"], ["other", ""]] as const
        for (const id of ["1", "2", "3"]) {
          yield* save(C.checkpoint(session, places.map(([thread, ns]) => C.saved(id, null, { thread, ns }))))
        }
        const found = (query: Checkpoint.Query) =>
          Effect.map(read(session, query), (all) => all.map(({ id, ns, thread }) => `${thread}/${ns}/${id}`))
        assert.lengthOf(yield* found({}), 9)
        assert.deepStrictEqual(yield* found({ thread: "main", ns: "" }), ["main//3", "main//2", "main//1"])
        assert.deepStrictEqual(yield* found({ thread: "other", limit: 1 }), ["other//3"])
        assert.deepStrictEqual(yield* found({ ns: "sub", before: "3" }), ["main/sub/2", "main/sub/1"])
        assert.deepStrictEqual(yield* found({ id: "2" }), ["main//2", "main/sub/2", "other//2"])
        assert.deepStrictEqual(yield* found({ thread: "nobody's" }), [])
        assert.deepStrictEqual(yield* read(yield* C.opened()), [])
      }))

    it.effect("fences off older runs, and saves for none that does not run", () =>
      Effect.gen(function*() {
        const old = yield* C.opened()
        yield* save(C.checkpoint(old, [C.saved("a", null)]))
        const { session } = yield* Effect.flatMap(Store.Store, (store) => store.commit(C.claim(old.id)))
        yield* unchanged(old, C.checkpoint(old, [C.saved("b", "a"), C.written("a", "late")]), "fenced")
        // The newer run goes on from what the older one left.
        yield* save(C.checkpoint(session, [C.written("a", "t"), C.saved("b", "a")]))
        yield* save(C.append(session, { status: "waiting" }))
        yield* unchanged(session, C.checkpoint(session, [C.saved("c", "b")]), "fenced")
        assert.deepStrictEqual((yield* read(session)).map(({ id }) => id), ["b", "a"])
      }))

    it.effect("saves nothing of what is too large, of nothing, and of nobody", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        const half = { type: "json", text: "x".repeat(Checkpoint.maxCommitLength / 2) }
        const big = C.saved("a", null, { state: half, values: { c: half } })
        yield* unchanged(session, C.checkpoint(session, [big]), "too_large")
        yield* unchanged(session, C.checkpoint(session, []), "stale")
        const nobody = C.summary(C.sessionId("nobody"))
        yield* unchanged(nobody, C.checkpoint(nobody, [C.saved("a", null)]), "no_such_session")
      }), 60_000)

    it.effect("drops all but the newest, with what only they needed", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        yield* chain(session, 6)
        yield* save(C.checkpoint(session, [C.written("6", "t"), C.saved("7", "6")], 2))
        const kept = yield* read(session)
        assert.deepStrictEqual(kept.map(({ id }) => id), ["7", "6"])
        assert.lengthOf(kept[1]?.writes ?? [], 1)
        yield* agree(session)
        // Their rows stand.
        assert.deepStrictEqual(new Set(named(yield* rowsOf(session))), new Set(["1", "2", "3", "4", "5", "6", "7"]))
      }))

    it.effect("keeps the ancestors that a checkpoint cannot be read without", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        yield* chain(session, 6)
        yield* save(C.checkpoint(session, [C.saved("7", "6", { needs: 3 })], 1))
        assert.deepStrictEqual((yield* read(session)).map(({ id }) => id), ["7", "6", "5", "4"])
        yield* save(C.checkpoint(session, [C.saved("8", "7", { needs: 0 })], 1))
        assert.deepStrictEqual((yield* read(session)).map(({ id }) => id), ["8"])
      }))

    it.effect("drops a graph with the step that it belonged to, and none that outlives its step", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        for (const id of ["1", "2", "3", "4"]) {
          const parent = id === "1" ? null : String(Number(id) - 1)
          yield* save(C.checkpoint(session, [
            C.saved(id, parent),
            C.saved(`${id}.1`, null, { ns: `node:task${id}`, within: id }),
            C.written(`${id}.1`, "t", { ns: `node:task${id}` }),
            ...(id === "1" ? [C.saved("1.2", null, { ns: "node", within: "1" })] : [])
          ], 2))
        }
        const places = (yield* read(session)).map(({ id, ns }) => `${ns} ${id}`)
        assert.sameMembers(places, [" 4", " 3", "node:task4 4.1", "node:task3 3.1", "node 1.2"])
        yield* agree(session)
      }))

    it.effect("keeps writes that came before their checkpoint, and none that were left behind", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        yield* save(C.checkpoint(session, [C.saved("2", null), C.written("1", "stray"), C.written("3", "early")], 1))
        yield* save(C.checkpoint(session, [C.saved("1", null), C.saved("3", "2")]))
        const writes = (yield* read(session)).map(({ id, writes }) => [id, writes.length])
        assert.deepStrictEqual(writes, [["3", 1], ["2", 0], ["1", 0]])
        yield* agree(session)
      }))

    it.effect("forgets a thread when it is told to, and says so", () =>
      Effect.gen(function*() {
        const session = yield* C.opened()
        yield* save(C.checkpoint(session, [C.saved("1", null), C.written("1", "t"), C.saved("1", null, { ns: "sub" })]))
        yield* save(C.checkpoint(session, [C.saved("1", null, { thread: "other" })]))
        const { row } = yield* save(C.checkpoint(session, [forgotten]))
        assert.deepStrictEqual(row.body, {
          kind: "noted",
          what: "forgotten",
          by: "Tester",
          detail: "checkpoints of thread main"
        })
        assert.deepStrictEqual((yield* read(session)).map(({ thread }) => thread), ["other"])
        // In one commit, what comes after it stays.
        yield* save(C.checkpoint(session, [C.saved("1", null), forgotten, C.saved("1", null), C.written("1", "u")]))
        const [kept] = yield* read(session, { thread: "main" })
        assert.deepStrictEqual(kept?.writes.map(({ task }) => task), ["u"])
        yield* agree(session)
      }))

    for (const status of ["succeeded", "failed", "abandoned", "cancelled"] as const) {
      it.effect(`drops everything but the rows when a session ${status}`, () =>
        Effect.gen(function*() {
          const store = yield* Store.Store
          const session = yield* C.opened()
          yield* store.commit(C.begin(session, "#0"))
          yield* save(C.checkpoint(session, [C.saved("1", null), C.written("1", "t")]))
          const last = [C.checkpoint(session, [C.saved("2", "1")]), C.append(session, { status })]
          yield* Effect.forEach(last, (commit) => store.commit(commit), { concurrency: "unbounded" })
          assert.deepStrictEqual(yield* read(session), [])
          // An act that ends late leaves nothing behind either.
          yield* store.commit(left(C.finish(session, "#0"), { late: C.hashOf("late") }))
          yield* unchanged(session, C.checkpoint(session, [C.saved("3", "2")]), "fenced")
          const rows = yield* rowsOf(session)
          assert.deepStrictEqual(named(rows), ["1", "2"])
        }))
    }

    it.effect("names the working memory as its acts left it", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        for (
          const [key, memory] of Object.entries({
            "#0": { a: C.hashOf("1"), b: C.hashOf("2") },
            "#1": { a: C.hashOf("3") },
            "#2": { b: null, c: null },
            "#3": { "odd key \u{1F600}": C.hashOf("4") }
          })
        ) {
          yield* store.commit(C.begin(session, key))
          yield* store.commit(left(C.finish(session, key), memory))
          yield* save(C.checkpoint(session, [C.saved(key, null)]))
        }
        const rows = yield* rowsOf(session)
        for (const { body, seq } of rows) {
          if (body.kind !== "checkpoint") continue
          assert.strictEqual(body.memory, Checkpoint.memoryHash(digest, memory(rows.slice(0, seq))))
        }
        assert.deepStrictEqual(
          memory(rows),
          new Map([["a", C.hashOf("3")], ["odd key \u{1F600}", C.hashOf("4")]])
        )
      }))

    it.effect("takes no more keys than a working memory has", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const many = Array.from({ length: Memory.maxEntries }, (_, index) => [`k${index}`, C.hashOf("v")] as const)
        yield* store.commit(C.begin(session, "#0"))
        yield* store.commit(left(C.finish(session, "#0"), Object.fromEntries(many)))
        yield* store.commit(C.begin(session, "#1"))
        yield* unchanged(session, left(C.finish(session, "#1"), { more: C.hashOf("v") }), "memory_full")
        yield* store.commit(left(C.finish(session, "#1"), { k0: null, more: C.hashOf("v") }))
      }))

    it.effect("keeps the order of a run that saves while its acts end and people decide", () =>
      Effect.gen(function*() {
        const store = yield* Store.Store
        const session = yield* C.opened()
        const tickets = yield* Effect.forEach(
          Array.from({ length: 10 }, () => C.ticket(session, C.fresh("T"))),
          (ticket) => Effect.as(store.commit(C.propose(session, ticket)), ticket)
        )
        yield* Effect.all([
          chain(session, 20),
          Effect.forEach(tickets, (ticket) => store.commit(C.decide(ticket, true)), { concurrency: "unbounded" }),
          Effect.forEach(Array.from({ length: 10 }, (_, n) => `#${n}`), (key) =>
            Effect.andThen(
              store.commit(C.begin(session, key)),
              store.commit(left(C.finish(session, key), { [key]: C.hashOf(key) }))
            ), { concurrency: "unbounded" })
        ], { concurrency: "unbounded" })
        yield* agree(session)
        const rows = yield* rowsOf(session)
        assert.strictEqual(new Set(named(rows)).size, 20)
        for (const { body, seq } of rows) {
          if (body.kind !== "checkpoint") continue
          assert.strictEqual(body.memory, Checkpoint.memoryHash(digest, memory(rows.slice(0, seq))))
        }
      }))
  })

// internal

const forgotten = { _tag: "Forgotten", thread: "main" } as const

const write = (index: number, text: string): Checkpoint.Write => ({ index, channel: "c", value: C.blob(text) })

const save = (commit: Store.Commit) => Effect.flatMap(Store.Store, (store) => store.commit(commit))
const read = (session: Log.Summary, query: Checkpoint.Query = {}) =>
  Effect.flatMap(Store.Store, (store) => store.checkpoints(session.id, query))
const rowsOf = (session: Log.Summary) => Effect.flatMap(Log.Log, (log) => log.rows(session.id))

const named = (rows: ReadonlyArray<Row.Row>) => rows.flatMap(({ body }) => body.kind === "checkpoint" ? [body.id] : [])

/** An end of an act that leaves something in working memory. */
const left = (
  finish: Store.Finish,
  memory: Readonly<Record<string, ReturnType<typeof C.hashOf> | null>>
): Store.Finish =>
  finish.outcome.body.kind === "outcome"
    ? { ...finish, outcome: { ...finish.outcome, body: { ...finish.outcome.body, memory } } }
    : finish

/** What the channels of a checkpoint hold. */
const valuesOf = (kept: Checkpoint.Kept) =>
  Object.fromEntries(
    Object.entries(kept.channels).flatMap(([channel, [, hash]]) => {
      const value = hash === null ? undefined : kept.values[hash]
      return value === undefined ? [] : [[channel, JSON.parse(value.text)]]
    })
  )

/** Saves `1` to `count`, each the parent of the next. */
const chain = (session: Log.Summary, count: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => index + 1),
    (id) => {
      const saved = C.saved(String(id), id === 1 ? null : String(id - 1))
      return save(C.checkpoint(session, id === 1 ? [saved] : [C.written(String(id - 1), "t"), saved]))
    }
  )

/** Every checkpoint that is kept is what the newest row that names it says, and the chain is whole. */
const agree = Effect.fnUntraced(function*(session: Log.Summary) {
  const log = yield* Log.Log
  const rows = yield* log.rows(session.id)
  const now = yield* log.session(session.id)
  assert.deepStrictEqual(C.faults(rows, now._tag === "Some" ? now.value : undefined), [])
  assert.deepStrictEqual(yield* log.rows(session.id, 2), rows.slice(2))
  for (const kept of yield* read(session)) {
    const naming = rows.flatMap(({ body, seq }) =>
      body.kind === "checkpoint" && body.thread === kept.thread && body.ns === kept.ns && body.id === kept.id
        ? [{ seq, state: body.state }]
        : []
    )
    assert.strictEqual(naming.at(-1)?.state, Checkpoint.keptHash(digest, kept), kept.id)
    assert.include(naming.map(({ seq }) => seq), kept.seq)
  }
})

/** A commit that must be refused, and leave everything as it was. */
const unchanged = Effect.fnUntraced(function*(session: Log.Summary, commit: Store.Commit, why: Store.Rejected["why"]) {
  const store = yield* Store.Store
  const before = [yield* C.trace(session.id), yield* read(session)]
  const { reason } = yield* Effect.flip(store.commit(commit))
  assert.deepInclude(reason, { _tag: "Rejected", why })
  assert.deepStrictEqual([yield* C.trace(session.id), yield* read(session)], before)
})
