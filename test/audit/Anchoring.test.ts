import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as NodeEd25519 from "../../layers/node/Ed25519.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Anchor, Anchoring, Log, Signer, Verify } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { layerLog, layerTools, logOf } from "./logs.ts"
import { anchorOf, hashOf, keys, signer, storedOf, stranger, Writer } from "./worlds.ts"

const [a, b] = [Claims.SessionId.make("a"), Claims.SessionId.make("b")]
const write = (writer: Writer, id: Claims.SessionId, rows = 1) => {
  for (let i = 0; i < rows; i++) writer.append(id, null, { kind: "started", epoch: i })
}
const begun = () => {
  const writer = new Writer()
  writer.open(a, null)
  writer.open(b, a)
  return writer
}
const all = (writer: Writer) => Layer.mergeAll(layerLog(writer), layerTools, Anchor.layerMemory)
const numbers = Effect.gen(function*() {
  return (yield* (yield* Anchor.Anchors).list(0)).map(({ name }) => Anchor.numberOf(name))
})
const otherKeys = [{ name: stranger.name, publicKey: stranger.publicKey }]

/** Anchors that hold `kept`, whoever put it there. */
const holding = (kept: ReadonlyArray<Anchor.Stored>) =>
  Layer.effect(
    Anchor.Anchors,
    Effect.gen(function*() {
      const { append } = yield* Anchor.Anchors
      return { append, list: (from: number) => Effect.succeed(Anchor.from(kept, from)) }
    })
  ).pipe(Layer.provide(Anchor.layerMemory))

const refusal = (kept: ReadonlyArray<Anchor.Stored>, trust: Anchoring.Trust = {}) =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Anchoring.take(trust))
    assert.strictEqual(error._tag, "AnchorError")
    return error._tag === "AnchorError" && error.reason._tag === "Inconsistent" ? error.reason : undefined
  }).pipe(Effect.provide(Layer.mergeAll(layerLog(begun()), layerTools, holding(kept))))

describe("Anchoring", () => {
  it.effect("anchors every head that moved, and nothing when none did", () => {
    const writer = begun()
    return Effect.gen(function*() {
      const anchoring = yield* Anchoring.make()
      assert.strictEqual(yield* anchoring.pending, 4)
      const first = yield* anchoring.take
      assert.deepStrictEqual(first?.leaves.length, 2)
      assert.isUndefined(yield* anchoring.take)
      write(writer, b, 3)
      assert.strictEqual(yield* anchoring.pending, 3)
      const second = yield* anchoring.take
      assert.deepStrictEqual(second?.leaves.map((leaf) => typeof leaf === "string" ? leaf : [leaf.session, leaf.seq]), [
        [b, 5]
      ])
      assert.strictEqual(yield* anchoring.pending, 0)
      const report = yield* Verify.online({ keys, sessions: "all" })
      assert.isTrue(report.ok)
      assert.deepStrictEqual(report.unchecked.map(({ count, kind }) => [kind, count]), [["after_last_anchor", 0]])
    }).pipe(Effect.provide(all(writer)))
  })

  it.effect("goes on where another process stopped, and beside it", () => {
    const writer = begun()
    return Effect.gen(function*() {
      const [one, other] = [yield* Anchoring.make(), yield* Anchoring.make()]
      yield* one.take
      assert.isUndefined(yield* other.take)
      write(writer, a)
      yield* other.take
      write(writer, a)
      yield* one.take
      yield* Effect.all([Effect.sync(() => write(writer, b)), one.take, one.take], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* numbers, [0, 1, 2, 3])
      assert.isTrue((yield* Verify.online({ keys, sessions: "all" })).ok)
    }).pipe(Effect.provide(all(writer)))
  })

  it.effect("builds on no anchor that was altered, lost or signed by a stranger", () =>
    Effect.gen(function*() {
      const writer = begun()
      writer.anchor()
      write(writer, a)
      writer.anchor()
      const [first, second] = writer.checked
      assert.isDefined(first)
      assert.isDefined(second)
      const { name, text } = storedOf(second)
      const altered = yield* refusal([storedOf(first), { name, text: text.replace("\"at\":1", "\"at\":2") }])
      assert.strictEqual(altered?.name, name)
      assert.include((yield* refusal([storedOf(second)]))?.detail, "does not follow")
      const forged = anchorOf(stranger, { ...second.anchor, before: second.before }, second.anchor.leaves)
      assert.include((yield* refusal([storedOf(first), storedOf(forged)]))?.remedy, "earlierKeys")
    }))

  it.effect("builds on anchors of an earlier key that it is told of", () => {
    const writer = begun()
    const old = anchorOf(stranger, { sequence: 0, at: 1, before: { size: 0, nodes: [] } }, [
      { session: a, seq: 2, hash: writer.held.get(a)?.head ?? hashOf("nothing") }
    ])
    return Effect.gen(function*() {
      const anchors = yield* Anchor.Anchors
      yield* anchors.append(old.anchor)
      assert.strictEqual((yield* Effect.flip(Anchoring.take()))._tag, "AnchorError")
      assert.strictEqual((yield* Anchoring.take({ earlierKeys: otherKeys }))?.sequence, 1)
      assert.isTrue((yield* Verify.online({ keys: [...keys, ...otherKeys], sessions: "all" })).ok)
    }).pipe(Effect.provide(all(writer)))
  })

  it.effect("appends nothing when it cannot sign", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Anchoring.take())
      assert.strictEqual(error._tag, "SignerError")
      assert.deepStrictEqual(yield* numbers, [])
    }).pipe(Effect.provide(Layer.mergeAll(
      layerLog(begun()),
      NodeDigest.layer,
      NodeEd25519.layerVerifier,
      Anchor.layerMemory,
      Layer.succeed(Signer.Signer, {
        ...signer,
        sign: () => Effect.fail(new Signer.SignerError({ detail: "the key is away", remedy: "bring it back" }))
      })
    ))))
})

/** Runs a cadence over a log until the scope given to `use` closes. */
const running = <A, E>(
  writer: Writer,
  cadence: Anchoring.Cadence,
  use: (close: Effect.Effect<void>) => Effect.Effect<A, E, Anchor.Anchors>
) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    yield* Layer.buildWithScope(Anchoring.layer(cadence), scope)
    return yield* use(Scope.close(scope, Exit.void))
  }).pipe(Effect.provide(all(writer)))

describe("Anchoring.layer", () => {
  it.effect("takes an anchor at once, then as often as it is told, and a last one on the way out", () => {
    const writer = begun()
    return running(writer, { every: "1 minute" }, (close) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* numbers, [0])
        write(writer, a)
        yield* TestClock.adjust("59 seconds")
        assert.deepStrictEqual(yield* numbers, [0])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* numbers, [0, 1])
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(yield* numbers, [0, 1])
        write(writer, b)
        yield* close
        assert.deepStrictEqual(yield* numbers, [0, 1, 2])
        write(writer, b)
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(yield* numbers, [0, 1, 2])
      }))
  })

  it.effect("takes one earlier when enough rows wait", () => {
    const writer = begun()
    return running(writer, { every: "1 hour", rows: 5 }, () =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        write(writer, a, 4)
        yield* TestClock.adjust("30 minutes")
        assert.deepStrictEqual(yield* numbers, [0])
        write(writer, b, 1)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* numbers, [0, 1])
      }))
  })

  it.effect("says that it took none, and why, and tries again", () => {
    const writer = begun()
    const said: Array<unknown> = []
    let state = "away"
    const log = logOf(writer)
    const flaky = Layer.succeed(Log.Log, {
      ...log,
      sessions: Effect.suspend(() => {
        if (state === "broken") return Effect.die("a broken invariant")
        const error = new Log.LogError({ detail: "the database is away", remedy: "start it" })
        return state === "away" ? Effect.fail(error) : log.sessions
      })
    })
    return Effect.gen(function*() {
      yield* Layer.build(Anchoring.layer({ every: "1 minute" }))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(said, [["no anchor was taken: the database is away; start it"]])
      state = "broken"
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(said[1], ["no anchor was taken", "a broken invariant"])
      state = "back"
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* numbers, [0])
    }).pipe(Effect.provide(Layer.mergeAll(
      flaky,
      layerTools,
      Anchor.layerMemory,
      Logger.layer([Logger.make(({ message }) => void said.push(message))])
    )))
  })
})
