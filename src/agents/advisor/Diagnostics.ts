/**
 * The advisor's hands: three tools that read, and three deterministic actors that make sense of what was read. The advisor
 * itself reads nothing; it spawns these, each with a token of its own that holds one capability.
 */
import { Effect, Layer, Schema, Stream } from "effect"
import { DeterministicActor } from "../../actor/index.ts"
import { type GovernorError, Refusal } from "../../governor/index.ts"
import { Tool } from "../../tool/index.ts"
import * as LogDigest from "./LogDigest.ts"
import { read, Reading } from "./Reading.ts"
import { Gap, Logs, Metrics, Series, Setting, Settings, Signal, SourceError, Window } from "./Source.ts"

/** Reads measurements. */
export const ReadMetrics = Tool.make("read_metrics", {
  description: "Reads time series of the system under diagnosis.",
  capabilities: ["tool:read_metrics"],
  params: Schema.Struct({ signals: Schema.Array(Signal), window: Window }),
  success: Schema.Struct({ series: Schema.Array(Series), gaps: Schema.Array(Gap) }),
  failure: SourceError,
  timeoutMs: 60_000
})

/** Reads logs, as a digest: lines stay where they are. */
export const ReadLogs = Tool.make("read_logs", {
  description: "Reads logs and events and digests them into patterns.",
  capabilities: ["tool:read_logs"],
  params: Schema.Struct({ contains: Schema.NullOr(Schema.String), window: Window }),
  success: LogDigest.LogDigest,
  failure: SourceError,
  timeoutMs: 600_000
})

/** Reads settings beside their baseline. */
export const ReadSettings = Tool.make("read_settings", {
  description: "Reads settings and the values they should have.",
  capabilities: ["tool:read_settings"],
  params: Schema.Struct({}),
  success: Schema.Struct({ settings: Schema.Array(Setting), gaps: Schema.Array(Gap) }),
  failure: SourceError
})

/** The handlers, over whatever sources are provided. */
export const handlers: Layer.Layer<
  Tool.Handler<"read_metrics"> | Tool.Handler<"read_logs"> | Tool.Handler<"read_settings">,
  never,
  Metrics | Logs | Settings
> = Layer.mergeAll(
  Tool.layer(ReadMetrics, (query) => Effect.flatMap(Metrics, (metrics) => metrics.read(query))),
  Tool.layer(ReadLogs, ({ contains, window }) =>
    Effect.flatMap(Logs, (logs) =>
      logs.read({ window }).pipe(
        Stream.filter((item) => contains === null || !("message" in item) || item.message.includes(contains)),
        Stream.runFold(LogDigest.empty, LogDigest.add),
        Effect.map((building) => LogDigest.finish(building))
      ))),
  Tool.layer(ReadSettings, () => Effect.flatMap(Settings, (settings) => settings.read))
)

/** What threshold evaluation reports. */
export const Thresholds = Schema.Struct({ readings: Schema.Array(Reading), gaps: Schema.Array(Gap) })
export type Thresholds = typeof Thresholds.Type

/** Reads series and says which broke a limit, when, and whether they still do. */
export const ThresholdEvaluation = DeterministicActor.make("ThresholdEvaluation", {
  description: "Reads measurements and evaluates them against limits and their own past. Empty `signals` reads all.",
  input: Schema.Struct({ signals: Schema.Array(Signal), window: Window }),
  output: Thresholds,
  tools: [ReadMetrics],
  run: (query) =>
    Tool.call(ReadMetrics, query).pipe(
      Effect.map(({ gaps, series }) => ({ readings: series.flatMap((one) => read(one) ?? []), gaps })),
      orGap((gap) => ({ readings: [], gaps: [gap] }))
    )
})

/** Reads logs and reports their patterns. */
export const LogQuery = DeterministicActor.make("LogQuery", {
  description: "Reads logs and events and reports levels, patterns and spikes. `contains` filters lines by a text.",
  input: Schema.Struct({ contains: Schema.NullOr(Schema.String), window: Window }),
  output: LogDigest.LogDigest,
  tools: [ReadLogs],
  run: (query) =>
    Tool.call(ReadLogs, query).pipe(
      orGap((gap) => LogDigest.finish(LogDigest.add(LogDigest.empty(), gap)))
    )
})

/** One setting that is not as it should be. */
export const Drift = Schema.Struct({ ...Setting.fields, said: Schema.String })
export type Drift = typeof Drift.Type

/** What configuration introspection reports. */
export const Configuration = Schema.Struct({
  /** Settings that have a baseline to drift from. */
  settings: Schema.Natural,
  drift: Schema.Array(Drift),
  gaps: Schema.Array(Gap)
})
export type Configuration = typeof Configuration.Type

/** Reads settings and reports where they left their baseline. */
export const ConfigIntrospection = DeterministicActor.make("ConfigIntrospection", {
  description: "Reads the configuration and reports every setting that differs from its baseline.",
  input: Schema.Struct({}),
  output: Configuration,
  tools: [ReadSettings],
  run: () =>
    Tool.call(ReadSettings, {}).pipe(
      Effect.map(({ gaps, settings }) => ({
        settings: settings.filter(({ isDecided }) => isDecided).length,
        drift: settings.flatMap(drifted),
        gaps
      })),
      orGap((gap) => ({ settings: 0, drift: [], gaps: [gap] }))
    )
})

// internal

/** A source that is down, too slow or broken is a finding of its own: the other sources still speak. */
const orGap = <B>(empty: (gap: Gap) => B) => <A, R>(self: Effect.Effect<A, SourceError | GovernorError, R>) =>
  Effect.catch(self, (error): Effect.Effect<B, GovernorError> => {
    if (error instanceof SourceError) {
      const { reason: { detail, remedy }, source } = error
      return Effect.succeed(empty({ source, detail, remedy }))
    }
    const { _tag } = error.reason
    if (_tag !== "TimedOut" && _tag !== "HandlerBroken") return Effect.fail(error)
    const remedy = "ask for a shorter time, or look at the source itself"
    return Effect.succeed(empty({ source: error.act, detail: Refusal.explain(error.reason), remedy }))
  })

/** Only from a baseline that somebody decided on can a setting drift. */
const drifted = (setting: typeof Setting.Type): ReadonlyArray<Drift> => {
  if (!setting.isDecided || setting.baseline === setting.actual) return []
  const said = `${setting.key} is ${setting.actual ?? "missing"}, its baseline is ${setting.baseline ?? "missing"}`
  return [{ ...setting, said }]
}
