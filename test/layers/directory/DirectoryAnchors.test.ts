import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Logger, Path, PlatformError, References } from "effect"
import { DirectoryAnchors } from "../../../layers/directory/index.ts"
import { Anchor } from "../../../src/audit/index.ts"
import { anchors, suite } from "../../audit/AnchorsSuite.ts"
import { storedOf } from "../../audit/worlds.ts"

const directory = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
const quiet = Layer.succeed(References.MinimumLogLevel, "None")

suite(
  "directory",
  Layer.unwrap(Effect.map(directory, DirectoryAnchors.layer)).pipe(Layer.provide([NodeServices.layer, quiet]))
)

const [first, second] = anchors(2)
assert.isDefined(first)
assert.isDefined(second)
const keep = (anchor: Anchor.Anchor) => Effect.flatMap(Anchor.Anchors, (kept) => kept.append(anchor))
const list = Effect.flatMap(Anchor.Anchors, (kept) => kept.list(0))
const reasonOf = (error: { readonly reason: Anchor.AnchorError["reason"] }) =>
  error.reason._tag === "Unavailable" ? error.reason : undefined

/** The file system of this machine on which `operation` is denied. */
const denying = (operation: "access" | "open" | "readFileString") =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => ({
      ...fs,
      [operation]: () =>
        Effect.fail(PlatformError.systemError({ _tag: "PermissionDenied", module: "FileSystem", method: operation }))
    }))
  ).pipe(Layer.provideMerge(NodeServices.layer))

describe("DirectoryAnchors", () => {
  it.effect("keeps one file an anchor, which nobody may write", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const folder = yield* directory
      yield* Effect.provide(keep(first.anchor), DirectoryAnchors.layer(folder))
      assert.deepStrictEqual(yield* fs.readDirectory(folder), [`${Anchor.nameOf(first.anchor)}.json`])
      const file = path.join(folder, `${Anchor.nameOf(first.anchor)}.json`)
      assert.strictEqual(yield* fs.readFileString(file), Anchor.encode(first.anchor))
      assert.strictEqual((yield* fs.stat(file)).mode & 0o222, 0)
      // Another process finds it.
      yield* Effect.provide(keep(second.anchor), DirectoryAnchors.layer(folder))
      const found = yield* Effect.provide(list, DirectoryAnchors.layer(folder))
      assert.deepStrictEqual(found, [first, second].map(storedOf))
    }).pipe(Effect.provide([NodeServices.layer, quiet])))

  it.effect("says once that it is for development", () => {
    const said: Array<unknown> = []
    return Effect.gen(function*() {
      const folder = yield* directory
      yield* Effect.gen(function*() {
        yield* keep(first.anchor)
        yield* keep(second.anchor)
        yield* list
      }).pipe(Effect.provide(DirectoryAnchors.layer(folder)))
      assert.strictEqual(said.length, 1)
      assert.match(String(said[0]), /for development/)
    }).pipe(
      Effect.provide([NodeServices.layer, Logger.layer([Logger.make(({ message }) => void said.push(message))])])
    )
  })

  it.effect("hides neither a gap nor a file that was altered, and passes over what is no anchor", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const folder = yield* directory
      const name = Anchor.nameOf(second.anchor)
      yield* fs.writeFileString(path.join(folder, `${name}.json`), "garbage")
      yield* fs.writeFileString(path.join(folder, "stray.json"), "{}")
      yield* fs.writeFileString(path.join(folder, "README"), "not an anchor")
      yield* fs.writeFileString(path.join(folder, `${name}.json.draft`), "half")
      const found = yield* Effect.provide(list, DirectoryAnchors.layer(folder))
      const beside = { cosignatures: [], keeping: null }
      assert.deepStrictEqual(found, [{ name, text: "garbage", ...beside }, { name: "stray", text: "{}", ...beside }])
    }).pipe(Effect.provide([NodeServices.layer, quiet])))

  it.effect("survives a crash between writing and naming", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const folder = yield* directory
      const file = path.join(folder, `${Anchor.nameOf(first.anchor)}.json`)
      yield* fs.writeFileString(`${file}.draft`, Anchor.encode(first.anchor).repeat(3))
      yield* Effect.provide(keep(first.anchor), DirectoryAnchors.layer(folder))
      assert.strictEqual(yield* fs.readFileString(file), Anchor.encode(first.anchor))
      assert.isFalse(yield* fs.exists(`${file}.draft`))
    }).pipe(Effect.provide([NodeServices.layer, quiet])))

  it.effect("does not start without a directory that it can write", () =>
    Effect.gen(function*() {
      const path = yield* Path.Path
      const folder = yield* directory
      const missing = yield* Effect.flip(Effect.provide(list, DirectoryAnchors.layer(path.join(folder, "none"))))
      assert.include(reasonOf(missing)?.detail, path.join(folder, "none"))
      assert.strictEqual(reasonOf(missing)?.remedy, "make it, or name another")
      const denied = DirectoryAnchors.layer(folder).pipe(Layer.provide(denying("access")))
      const error = yield* Effect.flip(Effect.provide(list, denied))
      assert.strictEqual(reasonOf(error)?.remedy, "let this process write there, or name another directory")
    }).pipe(Effect.provide([NodeServices.layer, quiet])))

  it.effect("fails, and keeps nothing, when the directory goes away or is closed to it", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* directory
      const closed = DirectoryAnchors.layer(folder).pipe(Layer.provide(denying("open")))
      const append = yield* Effect.flip(Effect.provide(keep(first.anchor), closed))
      assert.strictEqual(reasonOf(append)?.remedy, "let this process write there, or name another directory")
      assert.deepStrictEqual(yield* fs.readDirectory(folder), [])

      yield* Effect.provide(keep(first.anchor), DirectoryAnchors.layer(folder))
      const unreadable = DirectoryAnchors.layer(folder).pipe(Layer.provide(denying("readFileString")))
      assert.isDefined(reasonOf(yield* Effect.flip(Effect.provide(list, unreadable))))

      const gone = yield* Effect.gen(function*() {
        yield* fs.remove(folder, { recursive: true })
        return [yield* Effect.flip(keep(second.anchor)), yield* Effect.flip(list)]
      }).pipe(Effect.provide(DirectoryAnchors.layer(folder)))
      for (const error of gone) assert.strictEqual(reasonOf(error)?.remedy, "make it, or name another")
    }).pipe(Effect.provide([NodeServices.layer, quiet])))
})
