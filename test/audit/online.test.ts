import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { MemoryStore } from "../../layers/memory/index.ts"
import { Anchor, Anchoring, Log, Verify } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { Store } from "../../src/governor/index.ts"
import * as C from "../governor/commits.ts"
import { layerLog, layerTools, logOf } from "./logs.ts"
import { hashOf, keys, Writer } from "./worlds.ts"

const [a, b, c] = ["a", "b", "c"].map((id) => Claims.SessionId.make(id))
assert.isDefined(a)
assert.isDefined(b)
assert.isDefined(c)

const begun = () => {
  const writer = new Writer()
  writer.open(a, null)
  writer.open(b, a)
  writer.anchor()
  return writer
}
const kept = (writer: Writer) =>
  Layer.effect(
    Anchor.Anchors,
    Effect.gen(function*() {
      const anchors = yield* Anchor.Anchors
      for (const { anchor } of writer.checked) yield* anchors.append(anchor)
      return anchors
    })
  ).pipe(Layer.provide(Anchor.layerMemory))
const over = (writer: Writer, log = layerLog(writer)) => Layer.mergeAll(log, layerTools, kept(writer))
const kinds = (
  report: { readonly findings: ReadonlyArray<{ readonly kind: string; readonly session: string | null }> }
) => report.findings.map(({ kind, session }) => [session, kind])

describe("Verify.online", () => {
  it.effect("verifies the log as it stands", () => {
    const writer = begun()
    return Effect.gen(function*() {
      const report = yield* Verify.online({ keys, sessions: "all" })
      assert.deepInclude(report, { ok: true, sessions: 2, rows: 4, anchors: 1 })
      writer.payloads.set([...writer.payloads.keys()][0] ?? "", "something else")
      assert.deepStrictEqual(kinds(yield* Verify.online({ keys, sessions: "all" })), [["a", "payload_altered"]])
      assert.isTrue((yield* Verify.online({ keys, sessions: "all", payloads: false })).ok)
      writer.rows.delete(b)
      const both = yield* Verify.online({ keys, sessions: "all" })
      assert.deepStrictEqual(kinds(both), [["a", "payload_altered"], ["b", "truncated"]])
    }).pipe(Effect.provide(over(writer)))
  })

  it.effect("verifies what a store wrote", () =>
    Effect.gen(function*() {
      const store = yield* Store.Store
      const session = yield* C.opened()
      yield* store.commit(C.begin(session, "#0"))
      yield* store.commit(C.finish(session, "#0"))
      yield* Anchoring.take()
      const result = C.payloadOf("result")
      yield* store.commit(C.append(session, { row: C.note("the end"), status: "succeeded", payloads: [result] }))
      const report = yield* Verify.online({ keys, sessions: "all" })
      assert.deepInclude(report, { ok: true, sessions: 1, rows: 5, anchors: 1, findings: [] })
      assert.deepInclude(report.unchecked.map(({ count, kind }) => [kind, count]), ["after_last_anchor", 1])
    }).pipe(Effect.provide(MemoryStore.layer.pipe(Layer.provideMerge(Layer.merge(layerTools, Anchor.layerMemory))))))

  it.effect("verifies chosen sessions, and misses one that it is asked for", () => {
    const writer = begun()
    return Effect.gen(function*() {
      const report = yield* Verify.online({ keys, sessions: [b] })
      assert.deepInclude(report, { ok: true, sessions: 1, rows: 2 })
      assert.deepStrictEqual(report.unchecked.map(({ kind }) => kind), [
        "after_last_anchor",
        "other_sessions",
        "no_witnesses"
      ])
      assert.deepStrictEqual(kinds(yield* Verify.online({ keys, sessions: [c] })), [["c", "session_removed"]])
    }).pipe(Effect.provide(over(writer)))
  })

  it.effect("misses a session that only its child or an anchor remembers", () => {
    const writer = begun()
    writer.open(c, b)
    writer.held.delete(a)
    writer.held.delete(b)
    return Effect.gen(function*() {
      const report = yield* Verify.online({ keys, sessions: "all" })
      assert.deepStrictEqual(kinds(report), [["a", "session_removed"], ["b", "session_removed"]])
    }).pipe(Effect.provide(over(writer)))
  })

  it.effect("takes rows that are written meanwhile for no damage", () => {
    const writer = begun()
    const log = logOf(writer)
    const busy = Layer.succeed(Log.Log, {
      ...log,
      // Between reading the control block and reading the rows, the session goes on.
      rows: (id) =>
        Effect.suspend(() => {
          writer.append(id, null, { kind: "started", epoch: 2 })
          return log.rows(id)
        })
    })
    return Effect.gen(function*() {
      assert.deepInclude(yield* Verify.online({ keys, sessions: "all" }), { ok: true, rows: 4 })
      assert.deepInclude(yield* Verify.online({ keys, sessions: "all" }), { ok: true, rows: 6 })
    }).pipe(Effect.provide(over(writer, busy)))
  })

  it.effect("fails when the log cannot be read", () => {
    const writer = begun()
    const error = new Log.LogError({ detail: "away", remedy: "start it" })
    const away = Layer.succeed(Log.Log, { ...logOf(writer), rows: () => Effect.fail(error) })
    return Effect.gen(function*() {
      assert.strictEqual(yield* Effect.flip(Verify.online({ keys, sessions: "all" })), error)
    }).pipe(Effect.provide(over(writer, away)))
  })
})

describe("Verify.payloadHashes", () => {
  it("names what a row names, and nothing in what is no row", () => {
    const row = { body: { args: hashOf("a"), result: null, input: "short", schema: hashOf("b"), shown: hashOf("c") } }
    assert.deepStrictEqual(Verify.payloadHashes(row), [hashOf("a"), hashOf("c")])
    for (const value of [null, 1, [], {}, { body: [] }, { body: null }]) {
      assert.deepStrictEqual(Verify.payloadHashes(value), [])
    }
  })
})
