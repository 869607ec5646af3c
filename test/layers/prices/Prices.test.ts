/** The price list: who is billed for what, what is unknown, and what a file of one's own changes. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, FileSystem, Layer as Layers, Result } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { Overrides, Prices as Layer } from "../../../layers/prices/index.ts"
import { Prices } from "../../../src/cost/index.ts"

const million = 1_000_000
const none: Prices.Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }

/** The service, with a file of overrides if one is given. */
const prices = (file?: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    if (file === undefined) return yield* Effect.provide(Prices.Prices, Layer.layer())
    const path = yield* fs.makeTempFileScoped({ suffix: ".json" })
    yield* fs.writeFileString(path, file)
    return yield* Effect.provide(Prices.Prices, Layer.layer({ overrides: path }))
  }).pipe(Effect.provide(NodeServices.layer))

const costs = (backend: string, model: string, usage: Partial<Prices.Usage>, file?: string) =>
  Effect.flatMap(prices(file), ({ price }) => Effect.fromResult(price(backend, model, { ...none, ...usage })))

describe("the list", () => {
  it.effect("bills each kind of token at its own price, cached input as part of input", () =>
    Effect.gen(function*() {
      const model = "claude-haiku-4-5-20251001"
      assert.strictEqual(yield* costs("anthropic", model, { input: million }), 1_000_000)
      assert.strictEqual(yield* costs("anthropic", model, { output: million }), 5_000_000)
      assert.strictEqual(yield* costs("anthropic", model, { input: million, cacheRead: million }), 100_000)
      assert.strictEqual(yield* costs("anthropic", model, { input: million, cacheWrite: million }), 1_250_000)
      const mixed = { input: 1000, cacheRead: 300, cacheWrite: 200, output: 100 }
      assert.strictEqual(yield* costs("anthropic", model, mixed), 500 + 30 + 250 + 500)
    }))

  it.effect("knows the vendor behind each backend", () =>
    Effect.gen(function*() {
      const usage = { input: million }
      assert.strictEqual(yield* costs("claude-code", "claude-haiku-4-5", usage), 1_000_000)
      assert.strictEqual(yield* costs("bedrock", "amazon.nova-pro-v1:0", usage), 800_000)
      assert.strictEqual(yield* costs("openai", "gpt-5-mini", usage), 250_000)
      assert.strictEqual(yield* costs("gemini", "gemini-3.5-flash", usage), 1_500_000)
    }))

  it.effect("asks nothing for what nobody bills", () =>
    Effect.gen(function*() {
      for (const backend of ["scripted", "recorded", "offline", "ollama"]) {
        assert.strictEqual(yield* costs(backend, "anything", { input: million, output: million }), 0)
      }
    }))

  it.effect("has no price for a model, a vendor or a version that it does not know", () =>
    Effect.gen(function*() {
      const strangers = [
        ["anthropic", "claude-nonesuch"],
        ["anthropic", "gpt-5"],
        ["anthropic", "claude-haiku-4-5-1"],
        ["claude-code", "claude-sonnet-5-5"],
        ["bedrock", "claude-haiku-4-5"],
        ["constructor", "claude-haiku-4-5"]
      ] as const
      for (const [backend, model] of strangers) {
        const error = yield* Effect.flip(costs(backend, model, { input: 1 }))
        assert.deepInclude(error, { _tag: "UnknownModel", backend, model })
        assert.include(error._tag === "UnknownModel" ? error.remedy : "", "overrides")
      }
      assert.isAbove(yield* costs("anthropic", "claude-sonnet-5-20260601", { input: million }), 0)
    }))

  it.effect("follows the calendar where a vendor announced another price", () =>
    Effect.gen(function*() {
      const usage = { input: 300_000 }
      const on = (day: string) =>
        Effect.andThen(
          TestClock.setTime(DateTime.toEpochMillis(DateTime.makeUnsafe(day))),
          costs("anthropic", "claude-sonnet-4-6", usage)
        )
      assert.strictEqual(yield* on("2026-03-01"), 1_800_000)
      assert.strictEqual(yield* on("2026-04-01"), 900_000)
    }))

  it.effect("has the date of the installed release", () =>
    Effect.gen(function*() {
      const at = new URL("../../../node_modules/@pydantic/genai-prices/package.json", import.meta.url)
      assert.strictEqual(JSON.parse(readFileSync(at, "utf8")).version, Layer.packageVersion)
      assert.strictEqual((yield* prices()).asOf, Layer.packageAsOf)
    }))
})

describe("a price", () => {
  it.effect("is whole, never negative, and never falls when tokens of any kind are added", () =>
    Effect.gen(function*() {
      const { price } = yield* prices()
      const count = fc.nat({ max: 400_000 })
      const kind = fc.constantFrom("uncached", "cacheRead", "cacheWrite", "output")
      const model = fc.constantFrom(
        ["anthropic", "claude-sonnet-4-5"],
        ["anthropic", "claude-opus-5"],
        ["anthropic", "claude-2"],
        ["openai", "gpt-5.5"],
        ["gemini", "gemini-2.5-pro"],
        ["bedrock", "amazon.nova-pro-v1:0"],
        ["ollama", "llama"]
      )
      const counts = fc.record({ uncached: count, cacheRead: count, cacheWrite: count, output: count })
      fc.assert(fc.property(model, counts, kind, count, ([backend = "", name = ""], tokens, added, more) => {
        const cost = (of: typeof tokens) =>
          Result.getOrThrow(price(backend, name, { ...of, input: of.uncached + of.cacheRead + of.cacheWrite }))
        const before = cost(tokens)
        const after = cost({ ...tokens, [added]: tokens[added] + more })
        assert.isTrue(Number.isSafeInteger(before) && before >= 0)
        assert.isAtLeast(after, before)
      }))
    }))

  it.effect("is rounded up", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* costs("bedrock", "amazon.nova-pro-v1:0", { input: 1 }), 1)
      assert.strictEqual(yield* costs("bedrock", "amazon.nova-pro-v1:0", { input: 2 }), 2)
      assert.strictEqual(
        yield* costs("anthropic", "claude-opus-5", { input: 1000, output: 100, cacheRead: 100, cacheWrite: 200 }),
        7300
      )
    }))

  it.effect("stands when the counts are absurd", () =>
    Effect.gen(function*() {
      const absurd = { input: Number.MAX_SAFE_INTEGER, output: Number.MAX_SAFE_INTEGER }
      assert.isTrue(Number.isSafeInteger(yield* costs("anthropic", "claude-opus-5", absurd)))
      assert.strictEqual(yield* costs("anthropic", "claude-haiku-4-5", { input: 0, cacheRead: million }), 100_000)
    }))
})

const file = (list: ReadonlyArray<object>, asOf = "2026-11-01") => JSON.stringify({ asOf, prices: list })

describe("a file of overrides", () => {
  const own = { backend: "anthropic", model: "claude-nonesuch", inputUsdPerMillion: 2, outputUsdPerMillion: 8 }

  it.effect("prices what the list does not know, for Claude Code too", () =>
    Effect.gen(function*() {
      const usage = { input: million, output: million, cacheRead: 500_000 }
      assert.strictEqual(yield* costs("anthropic", "claude-nonesuch", usage, file([own])), 10_000_000)
      assert.strictEqual(yield* costs("claude-code", "claude-nonesuch", usage, file([own])), 10_000_000)
      const cached = { ...own, cacheReadUsdPerMillion: 0.2, cacheWriteUsdPerMillion: 2.5 }
      const mixed = { input: million, cacheRead: 500_000, cacheWrite: 100_000 }
      assert.strictEqual(
        yield* costs("anthropic", "claude-nonesuch", mixed, file([cached])),
        800_000 + 100_000 + 250_000
      )
    }))

  it.effect("goes before the list, and before what nobody bills", () =>
    Effect.gen(function*() {
      const list = file([{ ...own, model: "claude-haiku-4-5" }, { ...own, backend: "ollama", model: "llama" }])
      assert.strictEqual(yield* costs("anthropic", "claude-haiku-4-5", { input: million }, list), 2_000_000)
      assert.strictEqual(yield* costs("ollama", "llama", { output: million }, list), 8_000_000)
      assert.strictEqual(yield* costs("ollama", "mistral", { output: million }, list), 0)
    }))

  it.effect("leaves the older date standing", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* prices(file([own]))).asOf, Layer.packageAsOf)
      assert.strictEqual((yield* prices(file([own], "2026-01-31"))).asOf, "2026-01-31")
    }))

  const broken: ReadonlyArray<readonly [string, string]> = [
    ["is not JSON", "{"],
    ["has no date", JSON.stringify({ prices: [] })],
    ["has a date that is none", file([], "2026-02-31T")],
    ["has a day that is none", file([], "2026-13-01")],
    ["has a backend that is none", file([{ ...own, backend: "anthropics" }])],
    ["has a negative price", file([{ ...own, inputUsdPerMillion: -1 }])],
    ["has a price in words", file([{ ...own, inputUsdPerMillion: "2" }])],
    ["lacks a price", file([{ backend: "anthropic", model: "m", inputUsdPerMillion: 1 }])],
    ["has a slip in a name", file([{ ...own, cacheReadUsdPerMilion: 1 }])],
    ["has a model twice", file([own, own])]
  ]
  for (const [name, text] of broken) {
    it.effect(`that ${name} is refused with its path and a remedy`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(prices(text))
        assert.instanceOf(error, Overrides.OverridesError)
        assert.strictEqual(error.reason._tag, "Malformed")
        assert.include(error.message, ".json")
        assert.include(error.message, "correct the file")
      }))
  }

  it.effect("that is not there is refused", () =>
    Effect.gen(function*() {
      const nowhere = Layer.layer({ overrides: "/nowhere/prices.json" }).pipe(Layers.provide(NodeServices.layer))
      const error = yield* Effect.flip(Effect.provide(Prices.Prices, nowhere))
      assert.strictEqual(error.reason._tag, "Unreadable")
      assert.include(error.message, "/nowhere/prices.json")
    }))
})
