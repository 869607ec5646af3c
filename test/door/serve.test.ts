/** `aosiq serve` and `aosiq callers` as users meet them: real processes, one of them killed while somebody watches. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { FetchHttpClient } from "effect/http"
import { Client } from "../../src/door/http/ForClients.ts"
import { folder, run, start } from "./program.ts"

const served = Effect.fnUntraced(function*(cwd: string, port: string) {
  const server = yield* start({ cwd }, "serve", "--port", port)
  const url = /http:\/\/[\d.:]+\d/.exec(yield* server.says("Ctrl-C"))?.[0]
  return { server, url: url ?? "" }
})

describe("aosiq serve", () => {
  it.live(
    "goes on for a watcher when it was killed and started anew, with nothing lost and nothing twice",
    () =>
      Effect.gen(function*() {
        const cwd = yield* folder
        const first = yield* served(cwd, "0")
        const added = yield* run(
          { cwd },
          "callers",
          "add",
          "ci",
          "--role",
          "operator",
          "--actor",
          "Diagnosis",
          "--json"
        )
        assert.strictEqual(added.code, 0, added.err)
        const given = JSON.parse(added.out) as { readonly token: string }
        const client = yield* Client.make({ url: first.url, token: Redacted.make(given.token) })
        const { id } = yield* client.sessions.dispatch({
          headers: { "idempotency-key": "d-1" },
          payload: { actor: "Diagnosis", input: { request: { title: "slow", description: "" }, ticket: null } }
        })
        const watching = yield* Effect.forkChild(Stream.runCollect(Client.watch(client, id)))
        yield* Effect.sleep("700 millis")
        yield* first.server.signal("SIGKILL")
        yield* first.server.ended
        const second = yield* served(cwd, new URL(first.url).port)
        assert.strictEqual(second.url, first.url)
        const seen = yield* Fiber.join(watching)
        const rows = seen.flatMap((event) => event.event === "row" ? [event.data] : [])
        assert.deepStrictEqual(rows.map(({ seq }) => seq), rows.map((_, at) => at))
        assert.deepInclude(rows[0]?.body, { kind: "genesis", caller: "ci" })
        assert.strictEqual(rows.at(-1)?.body.kind, "ended")
        // The same key is the same session, though another process answers.
        const again = yield* client.sessions.dispatch({
          headers: { "idempotency-key": "d-1" },
          payload: { actor: "Diagnosis", input: { request: { title: "slow", description: "" }, ticket: null } }
        })
        assert.strictEqual(again.id, id)
        const list = yield* run({ cwd }, "callers", "list")
        assert.include(list.out, "ci")
        assert.notInclude(list.out, given.token)
        const gone = yield* run({ cwd }, "callers", "revoke", "ci", "--reason", "done", "--by", "local:ada")
        assert.strictEqual(gone.code, 0, gone.err)
        yield* Effect.sleep("1 second")
        const error = yield* Effect.flip(client.sessions.status({ params: { session: id } }))
        assert.strictEqual(error._tag, "Unauthenticated")
      }).pipe(Effect.scoped, Effect.provide([FetchHttpClient.layer, SecureRandom.layerWebCrypto])),
    180_000
  )
})
