/** Connections that are only half there: nobody answers, or nothing comes any more. A watcher takes them for dead, and goes on. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Fiber, Option, Redacted, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { FetchHttpClient, HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { connect, createServer, type Socket } from "node:net"
import { Log } from "../../../src/audit/index.ts"
import { Claims, defaultTerms } from "../../../src/capability/index.ts"
import { Client } from "../../../src/door/http/ForClients.ts"
import { Store } from "../../../src/governor/index.ts"
import { Dispatch } from "../../../src/session/index.ts"
import { address, letIn, served } from "./world.ts"

/** A way to the server that passes so many bytes on, another number for each connection, and then none, with nothing closed. */
const silent = (url: string, bytesOf: (connection: number) => number) =>
  Effect.acquireRelease(
    Effect.callback<{
      readonly url: string
      readonly silenced: () => number
      readonly left: () => number
      readonly close: () => void
    }>((resume) => {
      let connections = 0
      let silenced = 0
      let left = 0
      const sockets = new Set<Socket>()
      const server = createServer((near) => {
        let bytes = bytesOf(connections++)
        sockets.add(near)
        near.on("error", () => undefined).on("close", () => left++)
        if (bytes === 0) {
          silenced++
          near.resume()
          return
        }
        const far = connect(Number(new URL(url).port), "127.0.0.1")
        sockets.add(far)
        near.pipe(far)
        far.on("error", () => undefined).on("data", (data: Buffer) => {
          if (bytes <= 0) return
          near.write(data.subarray(0, bytes))
          bytes -= data.length
          if (bytes <= 0) silenced++
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const at = server.address()
        const port = typeof at === "object" ? at?.port : 0
        const close = () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, silenced: () => silenced, left: () => left, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const id = Claims.SessionId.make("ses_silent")
const token = Redacted.make("aosiq_none")

describe("a watcher that hears nothing", () => {
  it.effect("takes the connection for dead after three beats, not before, and asks anew from where it stood", () =>
    Effect.gen(function*() {
      const asked: Array<string | undefined> = []
      let closed = 0
      const deaf = HttpClient.make((request) =>
        Effect.suspend(() => {
          asked.push(request.headers["last-event-id"])
          return Effect.onInterrupt(Effect.never, () => Effect.sync(() => closed++))
        })
      )
      const client = yield* Effect.provideService(
        Client.make({ url: "http://127.0.0.1:1", token }),
        HttpClient.HttpClient,
        deaf
      )
      yield* Effect.forkChild(Stream.runDrain(Client.watch(client, id, 8)))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual([asked, closed], [["7"], 0])
      yield* TestClock.adjust("44900 millis")
      assert.deepStrictEqual([asked, closed], [["7"], 0])
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(closed, 1)
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual([asked, closed], [["7", "7"], 1])
    }).pipe(Effect.provide(SecureRandom.layerWebCrypto)))
})

layer(served({ perSecond: 10_000, burst: 10_000 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "a watcher behind a way that goes silent",
  (it) => {
    it.effect("sees every row once, and leaves each connection that is dead", () =>
      Effect.gen(function*() {
        const url = yield* address
        const own = Redacted.make(yield* letIn("wanda", "viewer"))
        const dispatch = yield* Dispatch.Dispatch
        const store = yield* Store.Store
        const log = yield* Log.Log
        const grant = { names: ["tool:refund"] as const, terms: defaultTerms }
        yield* dispatch.open({ session: id, actor: "Shop", input: { order: "o" }, grant, caller: "wanda" })
        yield* Effect.repeat(log.session(id), { until: Option.exists(({ status }) => status === "waiting") })
        // The first is never answered; the others stop in the middle of a row, after the head, at last never.
        const bytes = [0, 900, 0, 2500, 450, 5000]
        const way = yield* silent(url, (connection) => bytes[connection] ?? Infinity)
        const client = yield* Client.make({ url: way.url, token: own })
        const watching = yield* Effect.forkChild(Stream.runCollect(Client.watch(client, id, 0, "700 millis")))
        for (let at = 0; at < 40; at++) {
          yield* store.commit({
            _tag: "Append",
            session: id,
            epoch: null,
            row: {
              key: null,
              body: { kind: "noted", what: "mode", by: "ada", detail: `note ${at} ${"x".repeat(200)}` }
            },
            payloads: [],
            status: null,
            result: null
          })
          yield* Effect.sleep("50 millis")
        }
        yield* dispatch.cancel({ session: id, by: "ada", reason: "" })
        const seen = yield* Fiber.join(watching)
        const dead = way.silenced()
        assert.isAtLeast(dead, 3)
        assert.isAtLeast(way.left(), dead)
        const said = seen.flatMap((event) => event.event === "row" ? [event.data] : [])
        assert.deepStrictEqual(said, yield* log.rows(id))
        assert.deepStrictEqual(seen.at(-1), { event: "end", data: { status: "cancelled" } })
      }).pipe(Effect.scoped, Effect.provide([FetchHttpClient.layer, SecureRandom.layerWebCrypto])), 50_000)
  }
)
