/**
 * What anchors and witnesses cost: `npm run bench:anchors`. Bad numbers are printed like good ones.
 *
 * Proofs for a witness: from what was added since, against the same proof from every leaf of the tree. Reading: what a
 * process does once at its start with the anchors that are there. Witness: requests a second over HTTP, each on the disk
 * before it is answered.
 */
import { NodeHttpClient, NodeHttpServer, NodeServices } from "@effect/platform-node"
import { Effect, Layer, Result } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeEd25519 from "../../layers/node/Ed25519.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { WitnessClient, WitnessFile, WitnessServer } from "../../layers/witness/index.ts"
import { Anchor, Cosigning, Merkle, Signer, Witness } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { witnessOf } from "../audit/witnesses.ts"
import { anchorOf, digest, hashOf, keys, signer, storedOf, tools } from "../audit/worlds.ts"

const ms = (run: () => void, times = 1) => {
  const begun = performance.now()
  for (let i = 0; i < times; i++) run()
  return (performance.now() - begun) / times
}
const say = (line: string) => void process.stdout.write(`${line}\n`)
const leafOf = (i: number): Merkle.Hash => Merkle.leaf(digest, Uint8Array.of(i, i >> 8, i >> 16, i >> 24))

/** A log of `count` anchors with `each` leaves. */
const logOf = (count: number, each: number): ReadonlyArray<Anchor.Checked> => {
  const made: Array<Anchor.Checked> = []
  for (let i = 0; i < count; i++) {
    const before = made.at(-1)?.after ?? Merkle.empty
    const leaves = Array.from({ length: each }, (_, j) => ({
      session: Claims.SessionId.make(`s${j}`),
      seq: i + 1,
      hash: hashOf(`${i} ${j}`)
    }))
    made.push(anchorOf(signer, { sequence: i, at: i, before }, leaves as [Anchor.Leaf]))
  }
  return made
}

say("consistency proof for a witness that signed the anchor before; 100 leaves were added")
for (const size of [1000, 10_000, 100_000, 1_000_000]) {
  const leaves = Array.from({ length: size }, (_, i) => leafOf(i))
  const added = Array.from({ length: 100 }, (_, i) => leafOf(size + i))
  const before = Merkle.grow(digest, Merkle.empty, leaves)
  const all = [...leaves, ...added]
  const fast = ms(() => void Merkle.extension(digest, before, added), 20)
  // Of a million leaves, the other way takes most of a minute.
  const isShort = size <= 100_000
  const slow = isShort ? `${ms(() => void Merkle.consistency(digest, all, size)).toFixed(0)} ms` : "not tried"
  const proof = Merkle.extension(digest, before, added)
  const isOther = isShort && String(proof) !== String(Merkle.consistency(digest, all, size))
  say(`  tree of ${size}: ${fast.toFixed(2)} ms; from every leaf: ${slow}${isOther ? "; ANOTHER PROOF" : ""}`)
}

const log = logOf(2000, 20)
say("a witness that was away: from so many anchors of 20 leaves, checked again as they are read")
for (const away of [1, 10, 100, 1000]) {
  const stored = log.slice(-away).map(storedOf)
  const size = log.at(-1 - away)?.after.size ?? 0
  const took = ms(() => {
    const read = stored.map((one) => Result.getOrThrow(Anchor.check(tools, one, keys)))
    if (Cosigning.proofFrom(digest, read, size) === undefined) throw new Error("no proof")
  })
  say(`  ${away}: ${took.toFixed(1)} ms`)
}
const stored = log.map(storedOf)
const read = ms(() => {
  for (const one of stored) Result.getOrThrow(Anchor.check(tools, one, keys))
})
const kilobytes = stored.reduce((sum, { text }) => sum + text.length, 0) / 1024 / stored.length
say(`reading at start: ${(read / stored.length).toFixed(3)} ms an anchor of 20 leaves (${kilobytes.toFixed(1)} KB)`)

/** Requests of several logs that each grow by one leaf at a time. */
const witness = Effect.gen(function*() {
  const folder = mkdtempSync(join(tmpdir(), "aosiq-bench-"))
  const file = join(folder, "witness.json")
  yield* WitnessFile.begin(file, "witness.example/w1")
  const { memory } = yield* WitnessFile.open(file)
  const by = yield* witnessOf("witness.example/w1")
  const served = yield* Layer.build(
    HttpRouter.serve(WitnessServer.routes(keys), { disableListenLog: true, disableLogger: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })),
      Layer.provide([
        Layer.succeed(Signer.Signer, by),
        Layer.succeed(Witness.Memory, memory),
        NodeDigest.layer,
        NodeEd25519.layerVerifier
      ])
    )
  )
  const url = HttpServer.formatAddress((yield* Effect.provideContext(HttpServer.HttpServer, served)).address)
  const http = yield* Layer.build(NodeHttpClient.layerUndici)
  const key = { name: by.name, publicKey: by.publicKey }
  const peer = yield* Effect.provideContext(WitnessClient.make({ key, url }), http)
  const bodies = logOf(400, 1).map(({ before }, i, all) => {
    const proof = Cosigning.proofFrom(digest, all.slice(0, i + 1), before.size) ?? []
    return Witness.formatRequest({ old: before.size, proof, checkpoint: all[i]?.anchor.checkpoint ?? "" })
  })
  const times: Array<number> = []
  const begun = performance.now()
  for (const body of bodies) {
    const asked = performance.now()
    const { status } = yield* peer.ask(body)
    if (status !== 200) say(`  answered ${status}`)
    times.push(performance.now() - asked)
  }
  const seconds = (performance.now() - begun) / 1000
  times.sort((a, b) => a - b)
  const at = (part: number) => (times[Math.floor(times.length * part)] ?? 0).toFixed(1)
  say(
    `witness over HTTP, one log after the other: ${(bodies.length / seconds).toFixed(0)} requests/s, p50 ${
      at(0.5)
    } ms, p99 ${at(0.99)} ms`
  )
  rmSync(folder, { recursive: true })
}).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
await Effect.runPromise(witness)
process.exit(0)
