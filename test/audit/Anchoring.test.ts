import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as NodeEd25519 from "../../layers/node/Ed25519.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Anchor, Anchoring, Signer, Verify } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { layerHolding, layerLog, layerTools } from "./logs.ts"
import { peer } from "./witnesses.ts"
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

const refusal = (kept: ReadonlyArray<Anchor.Stored>, trust: Anchoring.Trust = {}) =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Anchoring.take(trust))
    assert.strictEqual(error._tag, "AnchorError")
    return error._tag === "AnchorError" && error.reason._tag === "Inconsistent" ? error.reason : undefined
  }).pipe(Effect.provide(Layer.mergeAll(layerLog(begun()), layerTools, layerHolding(kept))))

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
      assert.deepStrictEqual(report.unchecked.map(({ count, kind }) => [kind, count]), [
        ["after_last_anchor", 0],
        ["no_witnesses", null]
      ])
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
      const altered = yield* refusal([storedOf(first), {
        ...storedOf(second),
        text: text.replace("\"at\":1", "\"at\":2")
      }])
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

  it.effect("hands over again what it signed, when it does not know whether that was kept", () => {
    const writer = begun()
    const said: Array<string> = []
    let fate: "lost" | "kept" | "known" = "lost"
    const uncertain = Layer.effect(
      Anchor.Anchors,
      Effect.map(Anchor.Anchors, (anchors) => ({
        ...anchors,
        append: (anchor: Anchor.Anchor) => {
          said.push(Anchor.encode(anchor))
          const away = new Anchor.Unavailable({ detail: "no answer", remedy: "try again" })
          const failed = Effect.fail(new Anchor.AnchorError({ reason: away }))
          if (fate === "lost") return failed
          return fate === "kept" ? Effect.andThen(anchors.append(anchor), failed) : anchors.append(anchor)
        }
      }))
    ).pipe(Layer.provide(Anchor.layerMemory))
    return Effect.gen(function*() {
      const anchoring = yield* Anchoring.make()
      yield* Effect.flip(anchoring.take)
      write(writer, a)
      yield* Effect.flip(anchoring.take)
      fate = "kept"
      write(writer, a)
      yield* Effect.flip(anchoring.take)
      assert.lengthOf(new Set(said), 1)
      assert.deepStrictEqual(yield* numbers, [0])
      // It was kept after all, and the rows since then go into the next.
      fate = "known"
      assert.strictEqual((yield* anchoring.take)?.sequence, 1)
      assert.deepStrictEqual(yield* numbers, [0, 1])
      assert.strictEqual(yield* anchoring.pending, 0)
      assert.isTrue((yield* Verify.online({ keys, sessions: "all" })).ok)
    }).pipe(Effect.provide(Layer.mergeAll(layerLog(writer), layerTools, uncertain)))
  })

  it.effect("has witnesses sign the newest, from what was added since they last did", () => {
    const writer = begun()
    return Effect.gen(function*() {
      const anchors = yield* Anchor.Anchors
      const [w1, w2] = [yield* peer("witness.example/w1"), yield* peer("witness.example/w2")]
      let read = 0
      const counting = Layer.succeed(Anchor.Anchors, {
        ...anchors,
        list: (from: number) => Effect.tap(anchors.list(from), (found) => Effect.sync(() => read += found.length))
      })
      const anchoring = yield* Effect.provide(Anchoring.make(), counting)
      assert.isUndefined(yield* anchoring.cosign(w1))
      yield* anchoring.take
      assert.strictEqual(yield* anchoring.cosign(w1), 0)
      for (let i = 0; i < 30; i++) {
        write(writer, i % 2 === 0 ? a : b)
        yield* anchoring.take
        if (i % 10 === 0) assert.strictEqual(yield* anchoring.cosign(w2), i + 1)
        read = 0
        assert.strictEqual(yield* anchoring.cosign(w1), i + 1)
        // For a witness that signed the one before, nothing is read.
        assert.strictEqual(read, 0)
      }
      read = 0
      assert.strictEqual(yield* anchoring.cosign(w2), 30)
      assert.strictEqual(read, 9)
      assert.strictEqual(yield* anchoring.cosign(w2), 30)
      const lines = (yield* anchors.list(0)).map(({ cosignatures }) => cosignatures.length)
      assert.deepStrictEqual(lines.filter((count) => count === 2).length, 4)
      // Another process knows nothing of what witnesses signed, and finds out.
      const other = yield* Anchoring.make()
      yield* other.take
      assert.strictEqual(yield* other.cosign(w1), 30)
      write(writer, a)
      yield* other.take
      yield* other.cosign(w1)
      // The first one is behind, and looks before it believes that its history was cut.
      assert.strictEqual(yield* anchoring.cosign(w1), 31)
    }).pipe(Effect.provide(all(writer)))
  })
})
