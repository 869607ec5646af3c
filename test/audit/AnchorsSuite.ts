/** What every place that keeps anchors must do. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { Anchor, Note } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { cosign, witnessOf } from "./witnesses.ts"
import { storedOf, Writer } from "./worlds.ts"

/** A chain of anchors. */
export const anchors = (count: number): ReadonlyArray<Anchor.Checked> => {
  const writer = new Writer()
  for (let i = 0; i < count; i++) {
    writer.open(Claims.SessionId.make(`s${i}`), null)
    writer.anchor()
  }
  return writer.checked
}

/** What is kept, without what the place says of it. */
const kept = (stored: ReadonlyArray<Anchor.Stored>) => stored.map((one) => ({ ...one, keeping: null }))

export const suite = <E>(name: string, layer: Layer.Layer<Anchor.Anchors, E>) =>
  describe(`Anchors: ${name}`, () => {
    const chain = anchors(12)

    it.effect("gives back what it keeps, byte for byte, oldest first", () =>
      Effect.gen(function*() {
        const { append, list, names } = yield* Anchor.Anchors
        assert.deepStrictEqual(yield* list(0), [])
        assert.deepStrictEqual(yield* names, [])
        for (const { anchor } of chain) yield* append(anchor)
        assert.deepStrictEqual(kept(yield* list(0)), chain.map(storedOf))
        assert.deepStrictEqual(kept(yield* list(10)), chain.slice(10).map(storedOf))
        assert.deepStrictEqual(yield* list(12), [])
        assert.deepStrictEqual((yield* names).map(({ name }) => name), chain.map((one) => storedOf(one).name))
      }).pipe(Effect.provide(layer)))

    it.effect("never gives a number twice", () =>
      Effect.gen(function*() {
        const { append, list } = yield* Anchor.Anchors
        const [first, second] = [chain[0]?.anchor, chain[1]?.anchor]
        assert.isDefined(first)
        assert.isDefined(second)
        yield* append(first)
        const again = yield* Effect.flip(append(first))
        // The same number over another tree, and so under another name.
        const other = yield* Effect.flip(append({ ...second, sequence: 0 }))
        assert.deepStrictEqual([again.reason._tag, other.reason._tag], ["Taken", "Taken"])
        assert.deepStrictEqual(
          (yield* list(0)).map(({ name, text }) => ({ name, text })),
          [{ name: Anchor.nameOf(first), text: Anchor.encode(first) }]
        )
      }).pipe(Effect.provide(layer)))

    it.effect("keeps what witnesses sign beside the anchor, and of each the first", () =>
      Effect.gen(function*() {
        const { append, cosign: keep, list } = yield* Anchor.Anchors
        const [first, second] = chain
        assert.isDefined(first)
        assert.isDefined(second)
        const [a, b] = [yield* witnessOf("witness.example/a"), yield* witnessOf("witness.example/b")]
        const text = Note.formatCheckpoint(first.checkpoint)
        const [early, late, other] = [yield* cosign(a, text, 1), yield* cosign(a, text, 2), yield* cosign(b, text, 1)]
        yield* append(first.anchor)
        yield* append(second.anchor)
        const name = Anchor.nameOf(first.anchor)
        for (const line of [early, late, other, "not a line"]) yield* keep(name, line)
        const lines = (yield* list(0)).map(({ cosignatures }) => cosignatures.toSorted())
        assert.deepStrictEqual(lines, [[early, other].toSorted(), []])
        assert.deepStrictEqual((yield* list(1)).map(({ name }) => name), [Anchor.nameOf(second.anchor)])
      }).pipe(Effect.provide(layer)))
  })
