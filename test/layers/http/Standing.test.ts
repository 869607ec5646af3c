/** Whether a process can work, asked by HTTP: of a server of callers, of one that has no shards, and of a runner of many. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, FileSystem, Layer, Logger, Redacted, Ref, Schedule, Scope } from "effect"
import { HttpServer } from "effect/http"
import { runner } from "../../../layers/cli/Boot.ts"
import { HttpDoor } from "../../../layers/http/index.ts"
import { ready } from "../../../src/door/http/index.ts"
import { Store } from "../../../src/governor/index.ts"
import { Holding } from "../../../src/session/index.ts"
import { freePort } from "../../chaos/ports.ts"
import { send } from "../../door/http/world.ts"
import { describeOnServer, freshDatabase } from "../postgres/realServer.ts"

const port = { host: "127.0.0.1", port: 0 }
const urlOf = (whether: Effect.Effect<string | null>) =>
  Effect.map(
    Layer.build(HttpDoor.layerStanding(port, whether)),
    (context) => HttpDoor.urlOf(Context.get(context, HttpServer.HttpServer))
  )

describe("whether a process can work", () => {
  it.live("is told as the server of callers tells it, and nothing else is told", () =>
    Effect.gen(function*() {
      const whether = yield* Ref.make<string | null>("it is starting")
      const url = yield* urlOf(Ref.get(whether))
      assert.deepStrictEqual((yield* send(`${url}/v1/health`)).json, { status: "up" })
      const starting = yield* send(`${url}/v1/ready`)
      assert.deepStrictEqual([starting.status, starting.json], [503, { status: "not_ready", detail: "it is starting" }])
      yield* Ref.set(whether, null)
      const up = yield* send(`${url}/v1/ready`)
      assert.deepStrictEqual([up.status, up.json], [200, { status: "ready" }])
      for (const path of ["/v1/sessions", "/v1/callers", "/mcp", "/docs"]) {
        assert.strictEqual((yield* send(`${url}${path}`)).status, 404, path)
      }
      assert.strictEqual((yield* send(`${url}/v1/ready`, { method: "POST" })).status, 405)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("is not while its log is silent or fails, or while it holds no shards", () =>
    Effect.gen(function*() {
      const over = (record: Store.Store["Service"]["record"], isHolding: boolean) =>
        ready.pipe(
          Effect.provideService(Store.Store, { record } as Store.Store["Service"]), // Nothing else is asked for.
          Effect.provideService(Holding.Current, Effect.succeed(isHolding))
        )
      const answers = () => Effect.undefined
      const reason = new Store.Unavailable({ detail: "away", remedy: "", maybe: false })
      assert.strictEqual(yield* over(answers, true), null)
      assert.include(yield* over(answers, false), "no shards")
      assert.include(yield* over(() => Effect.fail(new Store.StoreError({ reason })), true), "log")
      assert.include(yield* over(() => Effect.never, true), "log")
    }))
})

describeOnServer("a runner of many", () => {
  it.live(
    "is not ready before it holds shards, is then, says that it goes down, and lets its shards go at once",
    () => {
      const said: Array<string> = []
      const logger = Logger.make(({ message }) => void said.push(String(message)))
      return Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-standing-" })
        const url = yield* freshDatabase
        const scope = yield* Scope.make()
        const order = {
          database: Redacted.make(url.href),
          place: { host: "127.0.0.1", port: yield* freePort, listenHost: undefined },
          health: port
        }
        const { health } = yield* Scope.provide(runner(folder, order), scope)
        const look = send(`${health}/v1/ready`)
        const first = yield* Effect.repeat(look, { until: ({ status }) => status === 200 })
        assert.deepStrictEqual(first.json, { status: "ready" })
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        const seen = new Set<string>()
        // Until it answers no more.
        yield* Effect.repeat(Effect.exit(look), {
          until: (exit) => Exit.isFailure(exit) || (seen.add(exit.value.json.detail ?? "ready"), false),
          schedule: Schedule.spaced("20 millis")
        })
        yield* Fiber.join(closing)
        assert.include([...seen], "it is going down")
        assert.notInclude(said.join("\n"), "Could not release shards")
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeServices.layer, Logger.layer([logger]))))
    },
    60_000
  )
})
