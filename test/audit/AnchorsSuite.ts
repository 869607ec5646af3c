/** What every place that keeps anchors must do. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { Anchor } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
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

export const suite = <E>(name: string, layer: Layer.Layer<Anchor.Anchors, E>) =>
  describe(`Anchors: ${name}`, () => {
    const chain = anchors(12)

    it.effect("gives back what it keeps, byte for byte, oldest first", () =>
      Effect.gen(function*() {
        const kept = yield* Anchor.Anchors
        assert.deepStrictEqual(yield* kept.list(0), [])
        for (const { anchor } of chain) yield* kept.append(anchor)
        assert.deepStrictEqual(yield* kept.list(0), chain.map(storedOf))
        assert.deepStrictEqual(yield* kept.list(10), chain.slice(10).map(storedOf))
        assert.deepStrictEqual(yield* kept.list(12), [])
      }).pipe(Effect.provide(layer)))

    it.effect("never gives a number twice", () =>
      Effect.gen(function*() {
        const kept = yield* Anchor.Anchors
        const [first, second] = [chain[0]?.anchor, chain[1]?.anchor]
        assert.isDefined(first)
        assert.isDefined(second)
        yield* kept.append(first)
        const again = yield* Effect.flip(kept.append(first))
        // The same number over another tree, and so under another name.
        const other = yield* Effect.flip(kept.append({ ...second, sequence: 0 }))
        assert.deepStrictEqual([again.reason._tag, other.reason._tag], ["Taken", "Taken"])
        assert.deepStrictEqual(
          yield* kept.list(0),
          [first].map((anchor) => ({
            name: Anchor.nameOf(anchor),
            text: Anchor.encode(anchor)
          }))
        )
      }).pipe(Effect.provide(layer)))
  })
