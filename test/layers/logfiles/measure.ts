/** Reads one log file in a process of its own and prints what it took, as JSON. Sizes are bytes. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Console, Effect, Layer, Stream } from "effect"
import { LogFiles } from "../../../layers/logfiles/index.ts"
import * as Source from "../../../src/agents/advisor/Source.ts"

const [path = ""] = process.argv.slice(2)

/** Sampled at each batch: the system's own high-water mark starts with that of the process that started this one. */
const measure = Effect.gen(function*() {
  const logs = yield* Source.Logs
  const rssBefore = process.memoryUsage.rss()
  let rssPeak = rssBefore
  let entries = 0
  yield* Stream.runForEachArray(logs.read({ window: {} }), (items) =>
    Effect.sync(() => {
      entries += items.filter((item) => "message" in item && item.at !== null).length
      rssPeak = Math.max(rssPeak, process.memoryUsage.rss())
    }))
  yield* Console.log(JSON.stringify({ entries, rssBefore, rssPeak }))
})

const files = Layer.merge(NodeFileSystem.layer, NodePath.layer)
await Effect.runPromise(Effect.provide(measure, Layer.provide(LogFiles.layer({ paths: [path] }), files)))
