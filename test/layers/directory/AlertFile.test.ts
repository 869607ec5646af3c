import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Logger, Path } from "effect"
import { AlertFile } from "../../../layers/directory/index.ts"
import { Alerts } from "../../../src/audit/index.ts"

const silent: Alerts.Notice = { kind: "witness_silent", subject: "w1", detail: "no answer in time", remedy: "wake it" }
const away: Alerts.Notice = { kind: "anchors_unreachable", subject: "anchors", detail: "no answer", remedy: "start it" }

const folder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
/** What one process does with the alerts in a file. */
const inProcess = <A>(file: string, use: (alerts: Alerts.Alerts["Service"]) => Effect.Effect<A>) =>
  Effect.provide(Effect.flatMap(Alerts.Alerts, use), AlertFile.layer(file))
const seen = (file: string) =>
  inProcess(
    file,
    ({ list }) =>
      Effect.map(list, (alerts) =>
        alerts.map(({ kind, resolvedAt, times }) =>
          `${resolvedAt === null ? "open" : "resolved"} ${kind} ${times}`
        ))
  )

describe("AlertFile", () => {
  it.effect("shows what was open before a restart, and what was resolved", () =>
    Effect.gen(function*() {
      const path = yield* Path.Path
      const file = path.join(yield* folder, "alerts.json")
      assert.deepStrictEqual(yield* seen(file), [])
      yield* inProcess(file, ({ raise }) => Effect.andThen(raise(silent), raise(away)))
      yield* inProcess(file, ({ raise, resolve }) => Effect.andThen(raise(away), resolve("witness_silent", "w1")))
      assert.deepStrictEqual(yield* seen(file), ["open anchors_unreachable 2", "resolved witness_silent 1"])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("puts a file aside that it cannot read, says so, and is open for what comes", () =>
    Effect.gen(function*() {
      const [fs, path] = [yield* FileSystem.FileSystem, yield* Path.Path]
      const file = path.join(yield* folder, "alerts.json")
      for (const text of ["{", "{\"v\":2,\"alerts\":[]}", "{\"v\":1,\"alerts\":[{}]}"]) {
        yield* fs.writeFileString(file, text)
        assert.deepStrictEqual(yield* seen(file), ["open alerts_lost 1"])
        assert.strictEqual(yield* fs.readFileString(`${file}.unreadable`), text)
        yield* inProcess(file, ({ raise }) => raise(silent))
        assert.deepStrictEqual(yield* seen(file), ["open witness_silent 1", "resolved alerts_lost 1"])
      }
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("goes on without a place to keep them, and says that", () => {
    const said: Array<string> = []
    return Effect.gen(function*() {
      const path = yield* Path.Path
      const file = path.join(yield* folder, "none", "alerts.json")
      const list = yield* inProcess(file, ({ list, raise }) => Effect.andThen(raise(silent), list))
      assert.lengthOf(list, 1)
      assert.lengthOf(said, 1)
      assert.include(said[0], `alerts cannot be kept in ${file}`)
    }).pipe(
      Effect.provide([
        NodeServices.layer,
        Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])
      ])
    )
  })

  it.effect("leaves no half of a file behind a crash between writing and naming", () =>
    Effect.gen(function*() {
      const [fs, path] = [yield* FileSystem.FileSystem, yield* Path.Path]
      const file = path.join(yield* folder, "alerts.json")
      yield* inProcess(file, ({ raise }) => raise(silent))
      yield* fs.writeFileString(`${file}.draft`, "half of a")
      assert.deepStrictEqual(yield* seen(file), ["open witness_silent 1"])
      yield* inProcess(file, ({ raise }) => raise(silent))
      assert.deepStrictEqual(yield* seen(file), ["open witness_silent 2"])
      assert.isFalse(yield* fs.exists(`${file}.draft`))
    }).pipe(Effect.provide(NodeServices.layer)))
})
