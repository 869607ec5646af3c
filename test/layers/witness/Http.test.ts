import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { createServer, request as send } from "node:http"
import type { AddressInfo } from "node:net"
import { connect } from "node:net"
import { WitnessClient } from "../../../layers/witness/index.ts"
import { Cosignature, Cosigning, Note, Witness } from "../../../src/audit/index.ts"
import { anchors } from "../../audit/AnchorsSuite.ts"
import { digest, signer, tools } from "../../audit/worlds.ts"
import { peerAt, served } from "./http.ts"

const chain = anchors(6)
const history = (size: number) => Cosigning.historyOf(digest, chain.slice(0, size))!
const body = (old: number, size: number) =>
  Witness.formatRequest({
    old,
    proof: Cosigning.proofFrom(digest, chain.slice(0, size), old) ?? [],
    checkpoint: chain[size - 1]!.anchor.checkpoint
  })

interface Heard {
  readonly status: number
  readonly type: string
  readonly text: string
}
const ask = (url: string, method = "POST", text = ""): Effect.Effect<Heard> =>
  Effect.promise(() =>
    new Promise<Heard>((resolve, reject) => {
      const out = send(url, { method }, (answer) => {
        const parts: Array<Buffer> = []
        answer.on("data", (part) => parts.push(part))
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            type: answer.headers["content-type"] ?? "",
            text: Buffer.concat(parts).toString()
          }))
      })
      out.on("error", reject)
      out.end(text)
    })
  )

/** A server that answers as it is told, on this machine. */
const saying = (handle: Parameters<typeof createServer>[1] & {}) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<{ readonly url: string; readonly close: () => void }>((resolve) => {
        const server = createServer(handle)
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo
          resolve({ url: `http://127.0.0.1:${port}`, close: () => (server.closeAllConnections(), server.close()) })
        })
      })
    ),
    ({ close }) => Effect.sync(close)
  )

describe("a witness over HTTP", () => {
  it.live("signs for a log that asks it, from the first checkpoint on", () =>
    Effect.scoped(Effect.gen(function*() {
      const { key, url } = yield* served()
      const peer = yield* peerAt(url, key)
      assert.strictEqual((yield* Cosigning.ask(tools, { peer, guess: 0 }, history(2))).size, 2)
      assert.strictEqual((yield* Cosigning.ask(tools, { peer, guess: 5 }, history(6))).size, 6)
      const error = yield* Effect.flip(Cosigning.ask(tools, { peer, guess: 4 }, history(5)))
      assert.strictEqual(error.reason._tag, "Contradicted")
    })))

  it.live("speaks the protocol: paths, statuses, types and bodies", () =>
    Effect.scoped(Effect.gen(function*() {
      const { key, url } = yield* served()
      const at = `${url}/add-checkpoint`
      const first = yield* ask(at, "POST", body(0, 3))
      assert.strictEqual(first.status, 200)
      assert.match(first.text, /^— witness\.example\/w1 [A-Za-z0-9+/=]+\n$/)
      assert.deepStrictEqual(yield* ask(at, "POST", body(0, 4)), { status: 409, type: "text/x.tlog.size", text: "3\n" })
      assert.strictEqual((yield* ask(at, "POST", body(3, 5).replace(/\n[A-Za-z0-9+/=]{44}\n/, "\n"))).status, 422)
      assert.strictEqual((yield* ask(at, "POST", body(3, 5).replace(signer.name, "another/log"))).status, 404)
      assert.strictEqual((yield* ask(at, "POST", body(3, 5).replace(/time \d+/, "time 1"))).status, 403)
      assert.strictEqual((yield* ask(at, "POST", body(3, 5).replace("old 3", "old 9"))).status, 400)
      assert.strictEqual((yield* ask(at, "POST", "")).status, 400)
      assert.strictEqual((yield* ask(at, "POST", "x".repeat(1_000_000))).status, 400)
      assert.strictEqual((yield* ask(at, "GET")).status, 404)
      assert.strictEqual((yield* ask(`${url}/other`, "POST", body(3, 5))).status, 404)
      assert.strictEqual((yield* ask(at, "POST", body(3, 3))).status, 200)

      assert.deepStrictEqual((yield* ask(`${url}/`, "GET")).text, `${Cosignature.formatKey(digest, key)}\n`)
      const newest = yield* ask(`${url}/checkpoint?origin=${encodeURIComponent(signer.name)}`, "GET")
      const note = Result.getOrThrow(Note.decode(newest.text))
      assert.strictEqual(note.text, Note.formatCheckpoint(chain[2]!.checkpoint))
      assert.deepStrictEqual(note.signatures.map(({ name }) => name), [signer.name, key.name])
      assert.strictEqual((yield* ask(`${url}/checkpoint?origin=x`, "GET")).status, 404)
      assert.strictEqual((yield* ask(`${url}/checkpoint`, "GET")).status, 404)
    })))

  it.live("signs one of many that ask at the same time for different trees, and tells the others", () =>
    Effect.scoped(Effect.gen(function*() {
      const { url } = yield* served()
      const sizes = [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]
      const answers = yield* Effect.forEach(sizes, (size) => ask(`${url}/add-checkpoint`, "POST", body(0, size)), {
        concurrency: "unbounded"
      })
      assert.lengthOf(answers.filter(({ status }) => status === 200), 1)
      assert.lengthOf(answers.filter(({ status }) => status === 409), 11)
    })))

  it.live("says that it cannot sign when it cannot remember, and signs nothing", () =>
    Effect.scoped(Effect.gen(function*() {
      const memory = Witness.makeMemory()
      const error = new Witness.MemoryError({ detail: "the disk is full", remedy: "make room" })
      const { key, url } = yield* served({ ...memory, remember: () => Effect.fail(error) })
      const answer = yield* ask(`${url}/add-checkpoint`, "POST", body(0, 3))
      assert.strictEqual(answer.status, 503)
      assert.notInclude(answer.text, "—")
      assert.notInclude(answer.text, "disk")
      const peer = yield* peerAt(url, key)
      const { reason } = yield* Effect.flip(Cosigning.ask(tools, { peer, guess: 0 }, history(3)))
      assert.strictEqual(reason._tag, "Silent")
    })))

  it.live("waits for no request that does not come to its end", () =>
    Effect.scoped(Effect.gen(function*() {
      const { url } = yield* served()
      const { port } = new URL(url)
      const socket = yield* Effect.acquireRelease(
        Effect.sync(() => connect({ host: "127.0.0.1", port: Number(port) })),
        (socket) => Effect.sync(() => socket.destroy())
      )
      socket.write("POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 999\r\n\r\nold 0\n")
      // The others are served meanwhile.
      assert.strictEqual((yield* ask(`${url}/add-checkpoint`, "POST", body(0, 3))).status, 200)
    })))
})

describe("WitnessClient", () => {
  it.live("says what came instead of an answer", () =>
    Effect.scoped(Effect.gen(function*() {
      const { key } = yield* served()
      const said = (url: string, timeout?: WitnessClient.Options["timeout"]) =>
        Effect.gen(function*() {
          const peer = yield* peerAt(url, key, timeout)
          const { reason } = yield* Effect.flip(Cosigning.ask(tools, { peer, guess: 0 }, history(3)))
          assert.strictEqual(reason._tag, "Silent")
          return reason.detail
        })
      const mute = yield* saying(() => {})
      assert.include(yield* said(mute.url, "200 millis"), "no answer in time")
      const slow = yield* saying((_, answer) => void answer.write("— w"))
      assert.include(yield* said(slow.url, "200 millis"), "no answer in time")
      const cut = yield* saying((_, answer) => {
        answer.writeHead(200, { "content-length": 100 })
        answer.write("— w")
        setImmediate(() => answer.destroy())
      })
      assert.match(yield* said(cut.url), /broke off|no answer/)
      const endless = yield* saying((_, answer) => void answer.end("x".repeat(WitnessClient.maxAnswer + 1)))
      assert.include(yield* said(endless.url), "too long")
      const gone = yield* Effect.scoped(saying(() => {}))
      assert.include(yield* said(gone.url), "no answer")
    })))

  it.live("names a witness without the credentials in its address", () =>
    Effect.scoped(Effect.gen(function*() {
      const { key } = yield* served()
      const peer = yield* peerAt("http://user:secret@127.0.0.1:1/w/", key)
      assert.strictEqual(peer.place, "http://127.0.0.1:1/w")
      const { reason } = yield* Effect.flip(Cosigning.ask(tools, { peer, guess: 0 }, history(3)))
      assert.notInclude(reason.detail, "secret")
    })))

  it("reads a witness from one word", () => {
    const word = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
    const read = (text: string) => Result.getOrUndefined(WitnessClient.parse(digest, text))
    assert.deepInclude(read(`${word}@https://witness.example/w1`), { url: "https://witness.example/w1" })
    assert.strictEqual(read(`${word}@http://127.0.0.1:8917`)?.key.name, "remora.n621.de")
    for (
      const bad of [
        "",
        word,
        `${word}@`,
        `${word}@ftp://x`,
        `${word}@https://`,
        `@https://x`,
        `${word.slice(1)}@https://x`
      ]
    ) {
      assert.isUndefined(read(bad), bad)
    }
  })
})
