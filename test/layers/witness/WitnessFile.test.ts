import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Path, PlatformError } from "effect"
import { WitnessFile } from "../../../layers/witness/index.ts"
import type { Witness } from "../../../src/audit/index.ts"

const folder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
const seen = (origin: string, size: number): Witness.Seen => ({ origin, size, root: "AAAA", checkpoint: `${origin}\n` })
const file = Effect.gen(function*() {
  const path = yield* Path.Path
  return path.join(yield* folder, "witness.json")
})

describe("WitnessFile", () => {
  it.effect("remembers the newest of each log, for every later process", () =>
    Effect.gen(function*() {
      const at = yield* file
      yield* WitnessFile.begin(at, "witness.example/w1")
      const first = yield* WitnessFile.open(at)
      assert.deepStrictEqual([first.name, first.logs], ["witness.example/w1", []])
      assert.isTrue(Option.isNone(yield* first.memory.newest("a")))
      for (const one of [seen("a", 1), seen("b", 7), seen("a", 2)]) yield* first.memory.remember(one)
      assert.deepStrictEqual(yield* first.memory.newest("a"), Option.some(seen("a", 2)))
      const second = yield* WitnessFile.open(at)
      assert.deepStrictEqual(second.logs, [seen("a", 2), seen("b", 7)])
      assert.deepStrictEqual(yield* second.memory.newest("b"), Option.some(seen("b", 7)))
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("is begun once", () =>
    Effect.gen(function*() {
      const at = yield* file
      yield* WitnessFile.begin(at, "w1")
      const { memory } = yield* WitnessFile.open(at)
      yield* memory.remember(seen("a", 3))
      assert.strictEqual((yield* Effect.flip(WitnessFile.begin(at, "w2")))._tag, "MemoryError")
      assert.deepStrictEqual((yield* WitnessFile.open(at)).logs, [seen("a", 3)])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("does not open without what was signed, nor with half of it", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const at = yield* file
      assert.include((yield* Effect.flip(WitnessFile.open(at))).detail, "is gone")
      for (
        const text of ["", "{", "{}", "{\"v\":2,\"name\":\"w\",\"logs\":[]}", "{\"v\":1,\"name\":\"w\",\"logs\":[{}]}"]
      ) {
        yield* fs.writeFileString(at, text)
        assert.include((yield* Effect.flip(WitnessFile.open(at))).detail, "cannot be read")
      }
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("does not say that it remembers what it could not write, and believes what stands in the file", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const at = yield* file
      yield* WitnessFile.begin(at, "w1")
      let isFull = false
      const denied = PlatformError.systemError({ _tag: "WriteZero", module: "FileSystem", method: "rename" })
      const full = { ...fs, rename: (from: string, to: string) => isFull ? Effect.fail(denied) : fs.rename(from, to) }
      const { memory } = yield* Effect.provideService(WitnessFile.open(at), FileSystem.FileSystem, full)
      yield* memory.remember(seen("a", 1))
      isFull = true
      assert.include((yield* Effect.flip(memory.remember(seen("a", 2)))).detail, "cannot be written")
      assert.deepStrictEqual(yield* memory.newest("a"), Option.some(seen("a", 1)))
      isFull = false
      yield* memory.remember(seen("a", 2))
      assert.deepStrictEqual((yield* WitnessFile.open(at)).logs, [seen("a", 2)])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("is on the disk before it says so: synced, then named, then its folder synced", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const at = yield* file
      yield* WitnessFile.begin(at, "w1")
      const done: Array<string> = []
      const watched: FileSystem.FileSystem = {
        ...fs,
        open: (path, options) =>
          Effect.map(fs.open(path, options), (open) => ({
            ...open,
            stat: open.stat,
            writeAll: (bytes: Uint8Array) =>
              Effect.tap(open.writeAll(bytes), () => Effect.sync(() => done.push("write"))),
            sync: Effect.tap(open.sync, () =>
              Effect.sync(() => done.push(path.endsWith(".draft") ? "sync" : "sync folder")))
          })),
        rename: (from, to) => Effect.tap(fs.rename(from, to), () => Effect.sync(() => done.push("rename")))
      }
      const { memory } = yield* Effect.provideService(WitnessFile.open(at), FileSystem.FileSystem, watched)
      yield* memory.remember(seen("a", 1))
      assert.deepStrictEqual(done, ["write", "sync", "rename", "sync folder"])
    }).pipe(Effect.provide(NodeServices.layer)))
})
