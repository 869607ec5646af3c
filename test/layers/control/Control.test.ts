/** The way into a data folder by its socket. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Logger, References } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { createConnection } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Control } from "../../../layers/control/index.ts"
import { Asker, Desk } from "../../../src/operator/index.ts"
import { runtime } from "../../door/http/world.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "aosiq-control-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A command that asks and is stopped before it heard the answer. */
const hangUp = (path: string) =>
  Effect.callback<void>((resume) => {
    const socket = createConnection({ path })
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.void))
    const ask = `${JSON.stringify({ _tag: "Request", id: "1", tag: "agents_list", payload: null, headers: [] })}\n`
    socket.on("connect", () => socket.write(ask.repeat(50), () => socket.destroy()))
  })

layer(runtime, { excludeTestServices: true, timeout: "60 seconds" })("the socket of a folder", (it) => {
  it.effect("is quiet about commands that hang up, and serves the next", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const said: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void said.push(`${logLevel} ${String(message)}`))
      yield* Effect.gen(function*() {
        for (let times = 0; times < 20; times++) yield* hangUp(Control.socketPath(path))
        const desk = yield* Control.connect(path)
        assert.isNotEmpty(yield* desk.agents_list())
      }).pipe(
        Effect.provide(
          Control.layerServer(path).pipe(
            Layer.provide(Layer.merge(Desk.layerMessages, Asker.layerOwnerOrCaller("local"))),
            Layer.provide(Logger.layer([logger])),
            Layer.provide(Layer.succeed(References.MinimumLogLevel, "Info"))
          )
        )
      )
      assert.deepStrictEqual(said, [])
    }))
})
