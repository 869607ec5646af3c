/** Watching a session: every row once and in order, whatever becomes of connections, servers and the watcher's token. */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Option, Redacted, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { FetchHttpClient } from "effect/http"
import { connect, createServer, type Socket } from "node:net"
import { setTimeout } from "node:timers/promises"
import { Log } from "../../../src/audit/index.ts"
import { Claims, defaultTerms } from "../../../src/capability/index.ts"
import { Client } from "../../../src/door/http/ForClients.ts"
import { Store } from "../../../src/governor/index.ts"
import { Callers, Dispatch } from "../../../src/session/index.ts"
import { address, ask, letIn, served } from "./world.ts"

/** A way to the server that breaks off after so many bytes, another number each time. */
const breaking = (url: string, bytesOf: (connection: number) => number) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly broken: () => number; readonly close: () => void }>((resume) => {
      let connections = 0
      let broken = 0
      const sockets = new Set<Socket>()
      const server = createServer((near) => {
        const far = connect(Number(new URL(url).port), "127.0.0.1")
        let left = bytesOf(connections++)
        sockets.add(near).add(far)
        near.pipe(far)
        far.on("data", (data: Buffer) => {
          if (left > 0) near.write(data.subarray(0, left))
          left -= data.length
          if (left > 0 || far.destroyed) return
          broken++
          far.destroy()
          // What was let through arrives before the connection is gone.
          void setTimeout(20).then(() => near.destroy())
        })
        near.on("close", () => far.destroy())
        for (const socket of [near, far]) {
          socket.on("error", () => undefined)
        }
      })
      server.listen(0, "127.0.0.1", () => {
        const at = server.address()
        const port = typeof at === "object" ? at?.port : 0
        const close = () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, broken: () => broken, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

let count = 0
/** A session that waits, and a way to add rows to it. */
const session = Effect.gen(function*() {
  const id = Claims.SessionId.make(`ses_watched${++count}`)
  const dispatch = yield* Dispatch.Dispatch
  const store = yield* Store.Store
  const log = yield* Log.Log
  const grant = { names: ["tool:refund"] as const, terms: defaultTerms }
  yield* dispatch.open({ session: id, actor: "Shop", input: { order: "o" }, grant, caller: "wanda" })
  yield* Effect.repeat(log.session(id), { until: Option.exists(({ status }) => status === "waiting") })
  const note = (detail: string) =>
    store.commit({
      _tag: "Append",
      session: id,
      epoch: null,
      row: { key: null, body: { kind: "noted", what: "mode", by: "ada", detail } },
      payloads: [],
      status: null,
      result: null
    })
  const end = dispatch.cancel({ session: id, by: "ada", reason: "" })
  return { id, note, end, rows: log.rows(id) }
})

layer(served({ perSecond: 10_000, burst: 10_000 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "a watcher",
  (it) => {
    it.effect(
      "sees every row once, though its connections break off in the middle of anything",
      () =>
        Effect.gen(function*() {
          const url = yield* address
          const token = Redacted.make(yield* letIn("wanda", "viewer"))
          const way = yield* breaking(url, (connection) => 700 + (connection * 977) % 4000)
          const { end, id, note, rows } = yield* session
          const client = yield* Client.make({ url: way.url, token })
          const watching = yield* Effect.forkChild(Stream.runCollect(Client.watch(client, id)))
          for (let at = 0; at < 60; at++) yield* note(`note ${at} ${"x".repeat(at * 7)}`)
          yield* end
          const seen = yield* Fiber.join(watching)
          assert.isAbove(way.broken(), 5)
          const said = seen.flatMap((event) => event.event === "row" ? [event.data] : [])
          assert.deepStrictEqual(said, yield* rows)
          assert.deepStrictEqual(seen.at(-1), { event: "end", data: { status: "cancelled" } })
        }).pipe(Effect.scoped, Effect.provide([FetchHttpClient.layer, SecureRandom.layerWebCrypto])),
      60_000
    )

    it.effect("goes on after the row that it names", () =>
      Effect.gen(function*() {
        const url = yield* address
        const token = yield* letIn("walter", "viewer")
        const { end, id, rows } = yield* session
        yield* end
        const all = yield* rows
        const { headers, text } = yield* ask(token, "GET", `${url}/v1/sessions/${id}/events`, undefined, {
          "last-event-id": String(all.length - 3)
        })
        assert.include(headers.get("content-type"), "text/event-stream")
        assert.deepStrictEqual(
          [...text.matchAll(/^id: ?(\d+)$/gm)].map(([, seq]) => Number(seq)),
          [
            all.length - 2,
            all.length - 1
          ]
        )
        const none = yield* ask(token, "GET", `${url}/v1/sessions/ses_none/events`)
        assert.strictEqual(none.status, 404)
      }))

    it.effect("sees nothing more once it is let in no more", () =>
      Effect.gen(function*() {
        const url = yield* address
        const token = yield* letIn("wim", "viewer")
        const callers = yield* Callers.Callers
        const { id, note } = yield* session
        const watching = yield* Effect.forkChild(ask(token, "GET", `${url}/v1/sessions/${id}/events`))
        yield* Effect.sleep("300 millis")
        yield* callers.revoke({ caller: "wim", by: "ada", reason: "" })
        yield* Effect.sleep(Callers.freshMs + 500)
        yield* note("a secret")
        const { text } = yield* Fiber.join(watching)
        assert.include(text, "genesis")
        assert.notInclude(text, "a secret")
      }))
  }
)
