/** Several sources as one: what each brings is there, and what is down is said. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { Combine } from "../../../src/agents/advisor/index.ts"
import * as Source from "../../../src/agents/advisor/Source.ts"
import { flat, series } from "./file.ts"

const down = (source: string) =>
  new Source.SourceError({
    source,
    reason: new Source.Unreachable({ detail: "it is down", remedy: `start ${source}` })
  })
const gap = (source: string): Source.Gap => ({ source, detail: "it is torn", remedy: `mend ${source}` })
const gapOf = (source: string): Source.Gap => ({ source, detail: "it is down", remedy: `start ${source}` })

const metrics = (name: string) =>
  Layer.succeed(Source.Metrics, {
    read: ({ signals }) =>
      Effect.succeed({
        series: [series("db.load", flat(1), { resource: `${name} ${signals.length}` })],
        gaps: [gap(name)]
      })
  })
const noMetrics = (name: string) => Layer.succeed(Source.Metrics, { read: () => Effect.fail(down(name)) })
const readMetrics = (...layers: ReadonlyArray<Layer.Layer<Source.Metrics>>) =>
  Source.Metrics.use((source) => source.read({ signals: ["db.load"], window: {} })).pipe(
    Effect.provide(Combine.metrics(layers))
  )

const setting = (key: string): typeof Source.Setting.Type => ({
  key,
  actual: "1",
  baseline: "1",
  isDecided: true,
  origin: "a"
})
const settings = (name: string) =>
  Layer.succeed(Source.Settings, { read: Effect.succeed({ settings: [setting(name)], gaps: [gap(name)] }) })
const noSettingsOf = (name: string) => Layer.succeed(Source.Settings, { read: Effect.fail(down(name)) })
const readSettings = (...layers: ReadonlyArray<Layer.Layer<Source.Settings>>) =>
  Source.Settings.use((source) => source.read).pipe(Effect.provide(Combine.settings(layers)))

describe("measurements of several sources", () => {
  it.effect("are put together in order, asked the same", () =>
    Effect.gen(function*() {
      const read = yield* readMetrics(metrics("a"), metrics("b"))
      assert.deepStrictEqual(read.series.map(({ resource }) => resource), ["a 1", "b 1"])
      assert.deepStrictEqual(read.gaps, [gap("a"), gap("b")])
    }))
  it.effect("have a gap where one is down", () =>
    Effect.gen(function*() {
      const read = yield* readMetrics(noMetrics("a"), metrics("b"), noMetrics("c"))
      assert.deepStrictEqual(read.series.map(({ resource }) => resource), ["b 1"])
      assert.deepStrictEqual(read.gaps, [gap("b"), gapOf("a"), gapOf("c")])
    }))
  it.effect("are an error when all are down", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(readMetrics(noMetrics("a"), noMetrics("b")))
      assert.strictEqual(error.source, "a")
    }))
  it.effect("are empty when there are none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* readMetrics(), { series: [], gaps: [] })
    }))
})

describe("settings of several sources", () => {
  it.effect("are put together in order", () =>
    Effect.gen(function*() {
      const read = yield* readSettings(settings("a"), settings("b"))
      assert.deepStrictEqual(read, { settings: [setting("a"), setting("b")], gaps: [gap("a"), gap("b")] })
    }))
  it.effect("have a gap where one is down, and are an error when all are", () =>
    Effect.gen(function*() {
      const read = yield* readSettings(noSettingsOf("a"), settings("b"))
      assert.deepStrictEqual(read, { settings: [setting("b")], gaps: [gap("b"), gapOf("a")] })
      assert.strictEqual((yield* Effect.flip(readSettings(noSettingsOf("a")))).source, "a")
    }))
})

describe("no source", () => {
  it.effect("has nothing to say, and no gap", () =>
    Effect.gen(function*() {
      const lines = Source.Logs.use((logs) => Stream.runCollect(logs.read({ window: {} })))
      assert.deepStrictEqual([...(yield* Effect.provide(lines, Combine.noLogs))], [])
      const read = Source.Settings.use((source) => source.read).pipe(Effect.provide(Combine.noSettings))
      assert.deepStrictEqual(yield* read, { settings: [], gaps: [] })
    }))
})
