/** A policy is read as it is written, or not at all. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Layer } from "effect"
import { PolicyFile } from "../../../layers/policy/index.ts"
import { Flowing } from "../../../src/governor/index.ts"
import { Flow } from "../../../src/trust/index.ts"

const text = `
version: 1
rules:
  - name: mail
    sinks: [outbound]
    arguments: { to: trusted, body: links }
    otherwise: refuse
endorsed:
  - name: partners
    by: ada
    reason: known for years
    source: { tool: partners }
    for: { tools: [mail], arguments: [to] }
    until: 2030-01-01T00:00Z
`

describe("a policy in a file", () => {
  it.effect("is read as it is written", () =>
    Effect.gen(function*() {
      const policy = yield* PolicyFile.parse("policy.yaml", text)
      assert.deepStrictEqual(policy.rules.map(({ name }) => name), ["mail"])
      assert.strictEqual(policy.endorsed?.[0]?.until, "2030-01-01T00:00Z")
      assert.deepStrictEqual(yield* PolicyFile.parse("policy.json", JSON.stringify(policy)), policy)
    }))

  for (
    const wrong of [
      "",
      "rules: [",
      "version: 2\nrules: []",
      `${text}    why: no such word`,
      text.replace("body: links", "body: mostly"),
      text.replace("    sinks: [outbound]\n", ""),
      text.replace("name: partners", "name: mail"),
      text.replace("2030-01-01T00:00Z", "some day")
    ]
  ) {
    it.effect(`that says ${JSON.stringify(wrong.slice(0, 30))}… is none, and says what to read`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(PolicyFile.parse("policy.yaml", wrong))
        assert.include(error.message, "policy.yaml")
        assert.include(error.remedy, "labels.md")
      }))
  }

  it.effect("comes from where the environment says, else from the layer; a missing file starts nothing", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const file = yield* fs.makeTempFileScoped()
      yield* fs.writeFileString(file, text)
      const under = (env: Record<string, string>) =>
        Effect.provide(
          Effect.map(Flowing.Current, ({ rules }) => rules.length),
          PolicyFile.layerConfig.pipe(
            Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env)))
          )
        )
      assert.strictEqual(yield* under({ AOSIQ_POLICY: file }), 1)
      assert.strictEqual(yield* under({}), Flow.standard.rules.length)
      const error = yield* Effect.flip(under({ AOSIQ_POLICY: `${file}.none` }))
      assert.strictEqual(error._tag, "PolicyFileError")
    }).pipe(Effect.provide(NodeServices.layer)))
})
