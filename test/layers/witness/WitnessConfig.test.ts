import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Path } from "effect"
import { WitnessConfig } from "../../../layers/witness/index.ts"
import { Cosignature } from "../../../src/audit/index.ts"
import { keyOf, witnessOf } from "../../audit/witnesses.ts"
import { digest } from "../../audit/worlds.ts"

const read = (value: string | undefined) =>
  Effect.provideService(
    WitnessConfig.peers(digest),
    ConfigProvider.ConfigProvider,
    ConfigProvider.fromEnv({ env: value === undefined ? {} : { AOSIQ_WITNESSES: value } })
  )
const words = Effect.forEach(
  ["w1", "w2"],
  (name) =>
    Effect.map(
      witnessOf(`witness.example/${name}`),
      (by) => `${Cosignature.formatKey(digest, keyOf(by))}@https://${name}.example`
    )
)

describe("WitnessConfig", () => {
  it.effect("reads witnesses apart by commas or spaces, or one a line from a file", () =>
    Effect.gen(function*() {
      const [fs, path] = [yield* FileSystem.FileSystem, yield* Path.Path]
      const [one = "", two = ""] = yield* words
      const file = path.join(yield* fs.makeTempDirectoryScoped(), "witnesses")
      yield* fs.writeFileString(file, `# ours\n${one}\n\n  ${two}  \n`)
      for (const value of [`${one},${two}`, ` ${one}  ${two} `, `${one}, ${two}`, `${one}\n${two}`, file]) {
        const found = yield* read(value)
        assert.deepStrictEqual(found.map(({ key, url }) => [key.name, url]), [
          ["witness.example/w1", "https://w1.example"],
          ["witness.example/w2", "https://w2.example"]
        ])
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.effect("finds none where none is set", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read(undefined), [])
      assert.deepStrictEqual(yield* read("  "), [])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("refuses what names no witness, rather than to go on without", () =>
    Effect.gen(function*() {
      const [one = ""] = yield* words
      for (const value of ["w1", one.replace("@", " "), one.slice(1), `${one},${one}`, "./not-there", "/not/there"]) {
        assert.strictEqual((yield* Effect.flip(read(value)))._tag, "WitnessConfigError", value)
      }
    }).pipe(Effect.provide(NodeServices.layer)))
})
