import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Result } from "effect"
import { Base64 } from "effect/encoding"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { Anchor, Cosignature, Cosigning, Merkle, Note, Witness } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { anchors } from "./AnchorsSuite.ts"
import { keyOf, living, witnessOf } from "./witnesses.ts"
import { anchorOf, digest, hashOf, keys, signer, stranger, tools } from "./worlds.ts"

/** The log of the tests as it grows, one leaf an anchor. */
const chain = anchors(9)
const checkpoint = (size: number) => chain[size - 1]?.anchor.checkpoint ?? ""
const request = (old: number, size: number) => {
  const proof = Cosigning.proofFrom(digest, chain.slice(0, size), old)
  assert.isDefined(proof)
  return Witness.formatRequest({ old, proof, checkpoint: checkpoint(size) })
}
/** Another log that says that it is the same. */
const forged = (size: number, by = signer) =>
  anchorOf(by, { sequence: 0, at: 1, before: Merkle.empty }, [
    { session: Claims.SessionId.make("forged"), seq: size, hash: hashOf(`forged ${size}`) },
    ...Array.from({ length: size - 1 }, (_, i) => hashOf(`${i} of ${size}`))
  ])

const begun = Effect.flatMap(witnessOf("witness.example/w1"), (by) => living(by))
/** When the witness signed the checkpoint of that size, if it did. */
const timeOf = (witness: Witness.Witness, size: number, body: string): number | undefined => {
  const note = Result.getOrThrow(Note.decode(Anchor.cosigned(checkpoint(size), [body.trimEnd()])))
  const line = Note.formatSignature(note.signatures[1] ?? { name: "", id: "", signature: "" })
  const read = Result.getOrThrow(Cosignature.parse(line))
  return Cosignature.isOf(tools.verifier, note.text, read, witness.key) ? read.at : undefined
}

describe("Witness", () => {
  it.effect("signs a log as it grows, whatever it missed meanwhile, and again what it signed last", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_767_225_600_999)
      const witness = yield* begun
      const steps: ReadonlyArray<readonly [number, number]> = [[0, 1], [1, 2], [2, 7], [7, 7], [7, 9], [9, 9]]
      for (const [old, size] of steps) {
        const { body, status } = yield* witness.add(request(old, size))
        assert.strictEqual(status, 200, `${old} to ${size}`)
        assert.strictEqual(timeOf(witness, size, body), 1_767_225_600)
      }
      const newest = yield* witness.newest(signer.name)
      assert.isTrue(Option.isSome(newest) && newest.value.startsWith(checkpoint(9)))
      assert.isTrue(Option.isNone(yield* witness.newest("another/log")))
    }))

  it.effect("tells the size that it signed last to whoever has another in mind, and signs nothing", () =>
    Effect.gen(function*() {
      const witness = yield* begun
      yield* witness.add(request(0, 4))
      for (const [old, size] of [[0, 5], [3, 5], [0, 4], [0, 1], [5, 9]] as const) {
        assert.deepStrictEqual(yield* witness.add(request(old, size)), { status: 409, body: "4\n" })
      }
      assert.strictEqual((yield* witness.add(request(4, 5))).status, 200)
      // Of the past nothing is signed any more.
      assert.deepStrictEqual(yield* witness.add(request(4, 4)), { status: 409, body: "5\n" })
    }))

  it.effect("signs no tree that does not begin with the one it signed", () =>
    Effect.gen(function*() {
      const witness = yield* begun
      yield* witness.add(request(0, 4))
      const [same, longer] = [forged(4).anchor.checkpoint, forged(6).anchor.checkpoint]
      const add = (old: number, proof: Merkle.Proof, checkpoint: string) =>
        witness.add(Witness.formatRequest({ old, proof, checkpoint }))
      assert.deepStrictEqual(yield* add(4, [], same), { status: 409, body: "4\n" })
      const proof = Cosigning.proofFrom(digest, chain.slice(0, 6), 4) ?? []
      for (const offered of [proof, [], proof.slice(1), [...proof, Merkle.empty.nodes[0] ?? new Uint8Array(32)]]) {
        assert.strictEqual((yield* add(4, offered, longer)).status, 422)
      }
      assert.strictEqual((yield* add(4, [], checkpoint(6))).status, 422)
      assert.strictEqual((yield* add(4, proof, checkpoint(4))).status, 422)
      assert.deepInclude(yield* add(5, [], checkpoint(4)), { status: 400 })
      assert.strictEqual((yield* witness.add(request(4, 6))).status, 200)
    }))

  it.effect("knows logs by their keys alone", () =>
    Effect.gen(function*() {
      const by = yield* witnessOf("witness.example/w1")
      const add = (witness: Witness.Witness, checkpoint: string) =>
        Effect.map(witness.add(Witness.formatRequest({ old: 0, proof: [], checkpoint })), ({ status }) => status)
      const witness = yield* living(by)
      assert.strictEqual(yield* add(witness, forged(3, stranger).anchor.checkpoint), 403)
      const [log, ...rest] = checkpoint(1).split("\n")
      assert.strictEqual(log, signer.name)
      assert.strictEqual(yield* add(witness, ["another/log", ...rest].join("\n")), 404)
      assert.strictEqual(yield* add(witness, `${checkpoint(1)}— witness.example/w2 AAAAAAAAAA==\n`), 200)
      // Two keys of one log, as after a rotation.
      const other = keyOf(stranger)
      const both = yield* living(by, Witness.makeMemory(), [...keys, other])
      assert.strictEqual(yield* add(both, forged(3, stranger).anchor.checkpoint), 200)
      assert.strictEqual((yield* both.add(request(0, 4))).status, 409)
    }))

  it.effect("keeps logs apart", () =>
    Effect.gen(function*() {
      const by = yield* witnessOf("witness.example/w1")
      const log = yield* witnessOf("another/log")
      const witness = yield* living(by, Witness.makeMemory(), [...keys, keyOf(log)])
      const tree = forged(3, log).anchor.checkpoint
      yield* witness.add(request(0, 4))
      const body = Witness.formatRequest({ old: 0, proof: [], checkpoint: tree })
      assert.strictEqual((yield* witness.add(body)).status, 200)
      assert.strictEqual((yield* witness.add(request(4, 5))).status, 200)
    }))

  it.effect("takes nothing for a request that is none", () =>
    Effect.gen(function*() {
      const witness = yield* begun
      const good = request(1, 2)
      const bad = [
        "",
        "\n\n",
        good.replace("old 1", "old 01"),
        good.replace("old 1", "old -1"),
        good.replace("old 1", "old 1 "),
        good.replace("old 1", "size 1"),
        good.replace("old 1", "old 9999999999999999"),
        good.replace("old 1\n", "old 1\nAAAA\n"),
        good.replace("old 1\n", `old 1\n${`${Base64.encode(new Uint8Array(32))}\n`.repeat(64)}`),
        good.replaceAll("\n", "\r\n"),
        good.slice(0, -1),
        good.slice(0, good.indexOf("\n\n")),
        good + "x".repeat(Witness.maxRequest)
      ]
      for (const body of bad) assert.strictEqual((yield* witness.add(body)).status, 400, body.slice(0, 80))
      assert.strictEqual((yield* witness.add(request(0, 2))).status, 200)
    }))

  it("reads the requests that it writes", () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(fc.property(fc.nat(), fc.array(hash, { maxLength: 63 }), fc.string(), (old, proof, checkpoint) => {
      const read = Witness.parseRequest(Witness.formatRequest({ old, proof, checkpoint }))
      assert.deepStrictEqual(Result.getOrUndefined(read), { old, proof, checkpoint })
    }))
  })

  it.effect("takes an empty tree for what it is, and no other for one", () =>
    Effect.gen(function*() {
      const witness = yield* begun
      const empty = (root: Uint8Array) =>
        Effect.gen(function*() {
          const text = Note.formatCheckpoint({
            origin: signer.name,
            size: 0,
            root: Base64.encode(root),
            extensions: []
          })
          const signature = yield* signer.sign(text)
          const note = { text, signatures: [{ name: signer.name, id: signer.keyId, signature }] }
          return yield* witness.add(Witness.formatRequest({ old: 0, proof: [], checkpoint: Note.encode(note) }))
        })
      assert.strictEqual((yield* empty(new Uint8Array(32))).status, 422)
      assert.strictEqual((yield* empty(Merkle.root(digest, Merkle.empty))).status, 200)
      assert.deepStrictEqual(yield* empty(new Uint8Array(32)), { status: 409, body: "0\n" })
      assert.strictEqual((yield* witness.add(request(0, 3))).status, 200)
    }))

  it.effect("signs nothing that it could not remember", () =>
    Effect.gen(function*() {
      const by = yield* witnessOf("witness.example/w1")
      const error = new Witness.MemoryError({ detail: "the disk is full", remedy: "make room" })
      const memory = Witness.makeMemory()
      let isFull = true
      const remember: typeof memory.remember = (seen) => isFull ? Effect.fail(error) : memory.remember(seen)
      const witness = yield* living(by, { ...memory, remember })
      assert.strictEqual(yield* Effect.flip(witness.add(request(0, 3))), error)
      isFull = false
      assert.strictEqual((yield* witness.add(request(0, 2))).status, 200)
      isFull = true
      assert.strictEqual(yield* Effect.flip(witness.add(request(2, 3))), error)
      // What it remembers it may sign again.
      assert.strictEqual((yield* witness.add(request(2, 2))).status, 200)
    }))

  it.effect(
    "never signs two trees that contradict each other, whatever it is asked and in whatever order",
    () =>
      Effect.gen(function*() {
        const by = yield* witnessOf("witness.example/w1")
        // Three histories that part after the third leaf, all signed by the log.
        const branches = [0, 1, 2].map((branch) => {
          const trees: Array<Anchor.Checked> = chain.slice(0, 3)
          for (let i = 3; i < 9; i++) {
            const before = trees.at(-1)?.after ?? Merkle.empty
            const leaf = { session: Claims.SessionId.make(`b${branch}`), seq: i + 1, hash: hashOf(`${branch} ${i}`) }
            trees.push(anchorOf(signer, { sequence: i, at: i, before }, [leaf]))
          }
          return trees
        })
        const ask = fc.record({
          branch: fc.nat(2),
          size: fc.integer({ min: 1, max: 9 }),
          old: fc.nat(9),
          lie: fc.nat(2)
        })
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(fc.array(ask, { minLength: 1, maxLength: 12 }), (asks) =>
              Effect.runPromise(Effect.gen(function*() {
                const witness = yield* living(by)
                const requests = asks.map(({ branch, lie, old, size }) => {
                  const trees = (branches[branch] ?? []).slice(0, size)
                  const proven = (branches[(branch + lie) % 3] ?? []).slice(0, size)
                  const proof = Cosigning.proofFrom(digest, proven, old) ?? []
                  return {
                    trees,
                    body: Witness.formatRequest({ old, proof, checkpoint: trees.at(-1)?.anchor.checkpoint ?? "" })
                  }
                })
                const answers = yield* Effect.forEach(requests, ({ body }) => witness.add(body), {
                  concurrency: "unbounded"
                })
                const signed = requests.filter((_, i) => answers[i]?.status === 200).map(({ trees }) => trees)
                for (const a of signed) {
                  for (const b of signed) {
                    const [short, long] = a.length <= b.length ? [a, b] : [b, a]
                    const at = short.at(-1)?.checkpoint.root
                    assert.strictEqual(long[short.length - 1]?.checkpoint.root, at)
                  }
                }
              }))),
            { numRuns: 200 }
          )
        )
      }),
    60_000
  )
})
