/** A watcher whose server is killed in mid-stream, again and again: it sees every row of the chain once, and in order. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Layer, Random, Redacted, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { FetchHttpClient } from "effect/http"
import { createServer } from "node:net"
import { Client, Remote } from "../../src/door/http/ForClients.ts"
import * as C from "../governor/commits.ts"
import { start } from "../layers/pglite/processes.ts"

const program = new URL("watchedProgram.ts", import.meta.url)
const steps = 150
const kills = 5

/** A port that nobody listens at. */
const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const at = server.address()
    server.close(() => resume(Effect.succeed(typeof at === "object" ? at?.port ?? 0 : 0)))
  })
})

const decode = (line: string): { readonly url: string; readonly token: string | null } => JSON.parse(line)

describe("a watcher whose server is killed in mid-stream", () => {
  it.live(`sees every row once and in order, after ${kills} kills at any moment`, () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const port = yield* freePort
      const launch = start(program, [folder, String(port)])
      let server = yield* launch
      const { token, url } = decode(yield* server.said((line) => line.includes("url")))
      const client = yield* Client.make({ url, token: Redacted.make(token ?? "") })
      const { id } = yield* client.sessions.dispatch({ headers: {}, payload: { actor: "Walker", input: { steps } } })
      const seen: Array<Client.Watched> = []
      const watching = yield* Effect.forkChild(
        Stream.runForEach(Client.watch(client, id), (event) => Effect.sync(() => void seen.push(event)))
      )
      const pauses: Array<number> = []
      const lengths: Array<number> = []
      for (let kill = 0; kill < kills; kill++) {
        const before = seen.length
        yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => seen.length > before })
        const pause = yield* Random.nextIntBetween(0, 600)
        pauses.push(pause)
        yield* Effect.sleep(pause)
        assert.isUndefined(watching.pollUnsafe(), `the stream was over before kill ${kill}, after pauses of ${pauses}`)
        yield* server.kill("SIGKILL")
        assert.strictEqual((yield* server.ended).signal, "SIGKILL")
        lengths.push(seen.length)
        server = yield* launch
        assert.strictEqual(decode(yield* server.said((line) => line.includes("url"))).url, url)
      }
      yield* Fiber.join(watching)
      const rows = seen.flatMap((event) => event.event === "row" ? [event.data] : [])
      const told = `after pauses of ${pauses} ms, at rows ${lengths}`
      assert.deepStrictEqual(rows.map(({ seq }) => seq), rows.map((_, at) => at), told)
      assert.deepStrictEqual(rows, yield* Remote.make(client).session_rows({ session: id }), told)
      assert.deepStrictEqual(C.faults(rows), [], told)
      assert.deepStrictEqual(seen.at(-1), { event: "end", data: { status: "succeeded" } })
      assert.lengthOf(seen, rows.length + 1)
      const done = rows.filter(({ body }) => body.kind === "outcome").length
      assert.isAtLeast(done, steps)
      yield* Effect.log(`${rows.length} rows through ${kills} kills, ${told}`)
    }).pipe(
      Effect.scoped,
      Effect.provide(Layer.mergeAll(NodeServices.layer, FetchHttpClient.layer, SecureRandom.layerWebCrypto))
    ), 240_000)
})
