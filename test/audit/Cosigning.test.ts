import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { Anchor, Cosignature, Cosigning, Merkle, Note, type Witness } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { anchors } from "./AnchorsSuite.ts"
import { cosign, keyOf, living, witnessOf } from "./witnesses.ts"
import { anchorOf, digest, hashOf, keys, signer, tools } from "./worlds.ts"

const chain = anchors(8)
const history = (size: number, trees = chain) => {
  const found = Cosigning.historyOf(digest, trees.slice(0, size))
  assert.isDefined(found)
  return found
}
/** Another history of the same log, which parts from the first after `from` leaves. */
const rewritten = (from: number): ReadonlyArray<Anchor.Checked> => {
  const trees = chain.slice(0, from)
  for (let i = from; i < chain.length; i++) {
    const before = trees.at(-1)?.after ?? Merkle.empty
    const leaf = { session: Claims.SessionId.make("s"), seq: i + 1, hash: hashOf(`rewritten ${i}`) }
    trees.push(anchorOf(signer, { sequence: i, at: i, before }, [leaf]))
  }
  return trees
}
const own = witnessOf("witness.example/w1")
const begun = Effect.flatMap(own, (by) => living(by))

/** A witness that counts how often it is asked. */
const counted = (witness: Witness.Witness) => {
  const peer = Cosigning.peerOf(witness)
  const asked: Array<string> = []
  const ask: Cosigning.Peer["ask"] = (request) => (asked.push(request), peer.ask(request))
  return { peer: { ...peer, ask }, asked }
}
/** Somebody who always answers the same. */
const answering = (status: number, body: string): Effect.Effect<Cosigning.Peer> =>
  Effect.map(Effect.orDie(own), (by) => ({
    key: keyOf(by),
    place: "https://witness.example",
    ask: () => Effect.succeed({ status, body })
  }))
const refused = (peer: Cosigning.Peer, size = 5, guess = 4) =>
  Effect.map(Effect.flip(Cosigning.ask(tools, { peer, guess }, history(size))), ({ reason }) => reason)

describe("Cosigning", () => {
  it.effect("has the newest checkpoint signed, with one request when it knows what was signed last", () =>
    Effect.gen(function*() {
      const { asked, peer } = counted(yield* begun)
      for (const [guess, size, requests] of [[0, 1, 1], [1, 2, 1], [4, 5, 2], [5, 8, 1], [8, 8, 1]] as const) {
        asked.length = 0
        const { at, line, name, size: signed } = yield* Cosigning.ask(tools, { peer, guess }, history(size))
        assert.deepStrictEqual([name, signed], [Anchor.nameOf(chain[size - 1]?.anchor ?? chain[0]!.anchor), size])
        assert.lengthOf(asked, requests)
        const read = Result.getOrThrow(Cosignature.parse(line))
        const text = Note.formatCheckpoint(
          chain[size - 1]?.checkpoint ?? { origin: "", size: 0, root: "", extensions: [] }
        )
        assert.isTrue(Cosignature.isOf(tools.verifier, text, read, peer.key))
        assert.strictEqual(read.at, at)
      }
    }))

  it.effect("brings a witness up to date that was away, from what was added since alone", () =>
    Effect.gen(function*() {
      const { asked, peer } = counted(yield* begun)
      yield* Cosigning.ask(tools, { peer, guess: 0 }, history(3))
      asked.length = 0
      // Of the anchors before the third, nothing is at hand.
      const later = {
        ...history(8),
        proof: (size: number) => Effect.sync(() => Cosigning.proofFrom(digest, chain.slice(4), size))
      }
      assert.strictEqual(
        (yield* Cosigning.ask(tools, { peer, guess: 7 }, later).pipe(Effect.flip)).reason._tag,
        "Contradicted"
      )
      const good = {
        ...later,
        proof: (size: number) => Effect.sync(() => Cosigning.proofFrom(digest, chain.slice(3), size))
      }
      assert.strictEqual((yield* Cosigning.ask(tools, { peer, guess: 7 }, good)).size, 8)
    }))

  it.effect("finds out that a witness knows another history: rewritten, or shorter", () =>
    Effect.gen(function*() {
      const witness = yield* begun
      const peer = Cosigning.peerOf(witness)
      yield* Cosigning.ask(tools, { peer, guess: 0 }, history(5))
      const sizes: Array<number | undefined> = []
      for (
        const trees of [rewritten(0), rewritten(4), rewritten(4).slice(0, 5), chain.slice(0, 4), chain.slice(0, 1)]
      ) {
        const error = yield* Effect.flip(Cosigning.ask(tools, { peer, guess: 0 }, history(trees.length, trees)))
        sizes.push(error.reason._tag === "Contradicted" ? error.reason.size : undefined)
      }
      assert.deepStrictEqual(sizes, [5, 5, 5, 5, 5])
      // It still signs the history that it knows, and one that parts from it later.
      assert.strictEqual((yield* Cosigning.ask(tools, { peer, guess: 0 }, history(6))).size, 6)
      assert.strictEqual((yield* Cosigning.ask(tools, { peer, guess: 0 }, history(8, rewritten(6)))).size, 8)
    }))

  it.effect("looks whether the history went on before it says that it is shorter", () =>
    Effect.gen(function*() {
      const peer = Cosigning.peerOf(yield* begun)
      yield* Cosigning.ask(tools, { peer, guess: 0 }, history(6))
      const behind = Cosigning.historyOf(digest, chain.slice(0, 5), Effect.succeed(chain.slice(5, 7)))
      assert.isDefined(behind)
      const { name, size } = yield* Cosigning.ask(tools, { peer, guess: 4 }, behind)
      assert.deepStrictEqual([name, size], [Anchor.nameOf(chain[6]!.anchor), 7])
    }))

  it.effect("believes no answer but one that the witness signed", () =>
    Effect.gen(function*() {
      const [by, other] = [yield* own, yield* witnessOf("witness.example/w2")]
      const text = Note.formatCheckpoint(chain[4]!.checkpoint)
      const [mine, theirs] = [yield* cosign(by, text, 1), yield* cosign(other, text, 1)]
      const elsewhere = yield* cosign(by, Note.formatCheckpoint(chain[3]!.checkpoint), 1)
      for (const body of ["", "\n", `${theirs}\n`, `${elsewhere}\n`, "welcome", "— w AAAA\n".repeat(2000)]) {
        assert.strictEqual((yield* refused(yield* answering(200, body)))._tag, "Refused", body.slice(0, 20))
      }
      const both = yield* answering(200, `${theirs}\n${elsewhere}\n${mine}\n`)
      assert.strictEqual((yield* Cosigning.ask(tools, { peer: both, guess: 4 }, history(5))).line, mine)
    }))

  it.effect("says what a refusal means", () =>
    Effect.gen(function*() {
      const tags = new Map<number, string>()
      for (const status of [400, 403, 404, 422, 429, 500, 503, 302, 204]) {
        tags.set(status, (yield* refused(yield* answering(status, "why\n")))._tag)
      }
      assert.deepStrictEqual([...tags], [
        [400, "Refused"],
        [403, "Refused"],
        [404, "Refused"],
        [422, "Contradicted"],
        [429, "Silent"],
        [500, "Silent"],
        [503, "Silent"],
        [302, "Silent"],
        [204, "Silent"]
      ])
      for (const body of ["", "four\n", "-1\n", "01\n", "4 \n", "99999999999999999\n", "4\n4\n"]) {
        assert.strictEqual((yield* refused(yield* answering(409, body)))._tag, "Silent", body)
      }
      const { detail, remedy } = yield* refused(yield* answering(404, "no\n"))
      assert.include(detail, "witness.example/w1 at https://witness.example")
      assert.include(remedy, "aosiq audit keys")
    }))

  it.effect("does not go on for ever with a witness whose size keeps changing", () =>
    Effect.gen(function*() {
      const by = yield* own
      let asked = 0
      const ask = () => Effect.sync(() => ({ status: 409, body: `${asked++ % 4}\n` }))
      const reason = yield* refused({ key: keyOf(by), place: "here", ask })
      assert.strictEqual(reason._tag, "Silent")
      assert.isAtMost(asked, 8)
    }))

  it.effect("proves from any anchor to any later one", () =>
    Effect.gen(function*() {
      for (let from = 1; from <= chain.length; from++) {
        for (let to = from; to <= chain.length; to++) {
          const witness = yield* begun
          const peer = Cosigning.peerOf(witness)
          yield* Cosigning.ask(tools, { peer, guess: 0 }, history(from))
          assert.strictEqual((yield* Cosigning.ask(tools, { peer, guess: from }, history(to))).size, to)
        }
      }
      assert.isUndefined(Cosigning.proofFrom(digest, [], 0))
      assert.isUndefined(Cosigning.proofFrom(digest, chain, 9))
      // An anchor is missing in between.
      assert.isUndefined(Cosigning.proofFrom(digest, chain.toSpliced(5, 1), 3))
      assert.lengthOf(keys, 1)
    }))
})
