import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, FileSystem, Path, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

const Measured = Schema.fromJsonString(
  Schema.Struct({ entries: Schema.Int, rssBefore: Schema.Int, rssPeak: Schema.Int })
)
const mebibyte = 1_048_576

const linesPerBlock = 10_000
const block = new TextEncoder().encode(
  Array.from(
    { length: linesPerBlock },
    (_, i) => `2026-03-26T11:58:00.123Z INFO [worker-${i % 9}] request ${i} took ${i % 977} ms\n`
  ).join("")
)

const writeLog = Effect.fn(function*(file: string, bytes: number) {
  const fs = yield* FileSystem.FileSystem
  const blocks = Math.ceil(bytes / block.length)
  yield* Stream.range(1, blocks).pipe(
    Stream.map(() => block),
    Stream.run(fs.sink(file))
  )
  return blocks * linesPerBlock
})

const measure = (file: string) =>
  Effect.gen(function*() {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const script = `${import.meta.dirname}/measure.ts`
    const output = yield* spawner.string(ChildProcess.make(process.execPath, [script, file]))
    return yield* Schema.decodeEffect(Measured)(output)
  })

const gzip = (file: string) =>
  Effect.gen(function*() {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    assert.strictEqual(yield* spawner.exitCode(ChildProcess.make("gzip", [file])), 0)
    return `${file}.gz`
  })

const temporary = (name: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    return path.join(yield* fs.makeTempDirectoryScoped(), name)
  })

describe("memory while reading", () => {
  it.live("50 MB stays well below the size of the file", () =>
    Effect.gen(function*() {
      const file = yield* temporary("app.log")
      const written = yield* writeLog(file, 50 * mebibyte)
      const { entries, rssBefore, rssPeak } = yield* measure(file)
      assert.strictEqual(entries, written)
      assert.isBelow(rssPeak - rssBefore, 40 * mebibyte)
    }).pipe(Effect.provide(NodeServices.layer)), 120_000)

  // What the heap holds is the same for both; unpacking leaves more buffers behind for the collector to find.
  const long = it.live.skipIf(process.env["AOSIQ_LONG"] !== "1")
  for (const [kind, limit] of [["plain", 200_000_000], ["gzipped", 400_000_000]] as const) {
    long(`1 GB ${kind} stays below ${limit / 1e6} MB in all`, () =>
      Effect.gen(function*() {
        const plain = yield* temporary("app.log")
        const written = yield* writeLog(plain, 1024 * mebibyte)
        const { entries, rssBefore, rssPeak } = yield* measure(kind === "plain" ? plain : yield* gzip(plain))
        const shown = [rssBefore, rssPeak].map((bytes) => `${Math.round(bytes / 1e6)} MB`)
        yield* Console.log(`1 GB ${kind}: ${entries} entries, resident ${shown.join(" -> ")}`)
        assert.strictEqual(entries, written)
        assert.isBelow(rssPeak, limit)
      }).pipe(Effect.provide(NodeServices.layer)), 900_000)
  }
})
