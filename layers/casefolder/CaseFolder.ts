/**
 * A recorded incident as a source of evidence: one folder, no access to the system it came from.
 *
 * The neutral layout, each part optional:
 * - `metrics.json`: a list of `Series` in the advisor's vocabulary;
 * - `logs/` and `*.log`: logs in any format that log files are read in, rotated and gzipped ones included;
 * - `config.*` and `baseline.*`: the settings found and those expected (yaml, json, toml, ini, conf, env);
 * - `alert.json`: what was reported (see `Request`).
 *
 * Recordings of Amazon RDS are read as well: `aws_cloudwatch_metrics.json` (or one file a metric, the metric's name after
 * `_`), `aws_rds_events.json` and `aws_performance_insights.json`. Nothing else in the folder is opened.
 */
import { Context, Effect, type FileSystem, Layer, type Path, Schema, Stream } from "effect"
import * as Digest from "effect/crypto/Digest"
import * as Source from "../../src/agents/advisor/Source.ts"
import { Access, LogFiles } from "../logfiles/index.ts"
import { SettingFiles } from "../settings/index.ts"
import * as CloudWatch from "./CloudWatch.ts"
import * as Events from "./Events.ts"
import * as Evidence from "./Evidence.ts"
import * as Insights from "./Insights.ts"
import * as Json from "./Json.ts"
import * as Points from "./Points.ts"

/** The folder of the incident. */
export interface Options {
  readonly directory: string
}

/** Metrics, logs and settings of the incident; each is read anew when it is asked for. */
export const layer = (
  { directory }: Options
): Layer.Layer<Source.Metrics | Source.Logs | Source.Settings, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effectContext(
    Effect.map(Effect.context<FileSystem.FileSystem | Path.Path | Digest.Digest>(), (context) =>
      Context.empty().pipe(
        Context.add(Source.Metrics, {
          read: (query) => Effect.provideContext(readMetrics(directory, query), context)
        }),
        Context.add(Source.Logs, {
          read: ({ window }) => Stream.provideContext(readLogs(directory, window), context)
        }),
        Context.add(Source.Settings, { read: Effect.provideContext(readSettings(directory), context) })
      ))
  ).pipe(Layer.provide(Digest.layerWebCrypto))

// internal

type Measured = Effect.Success<ReturnType<Source.Metrics["Service"]["read"]>>

const readMetrics = Effect.fn("CaseFolder.metrics")(function*(
  directory: string,
  { signals, window }: Parameters<Source.Metrics["Service"]["read"]>[0]
) {
  const evidence = yield* Evidence.list(directory)
  const parts = [
    ...evidence.cloudWatch.map((path) =>
      Effect.map(
        readJson(path, CloudWatch.Document, "a recording of CloudWatch metrics"),
        (document): Measured => CloudWatch.toSeries(document, window)
      )
    ),
    ...evidence.insights.map((path) =>
      Effect.map(
        readJson(path, Insights.Document, "a recording of Performance Insights"),
        (document): Measured => Insights.toSeries(document, window)
      )
    ),
    ...evidence.series.map((path) =>
      Effect.map(
        readJson(path, Schema.Array(Source.Series), "a list of series"),
        (series): Measured => ({ series: series.map((one) => inWindow(one, window)), gaps: [] })
      )
    )
  ]
  const [read, failed] = yield* Effect.partition(parts, (part) => part)
  if (read.length === 0 && failed[0] !== undefined) return yield* failed[0]
  const wanted = new Set(signals)
  return {
    series: read.flatMap(({ series }) => series)
      .filter(({ points, signal }) => points.length > 0 && (wanted.size === 0 || wanted.has(signal))),
    gaps: [
      ...evidence.gaps,
      ...(parts.length === 0 ? [absent(directory, "metrics", "metrics.json")] : []),
      ...read.flatMap(({ gaps }) => gaps),
      ...failed.map((error) => Access.gap(error.source, error.reason))
    ]
  }
})

type Item = Source.LogEntry | Source.Gap

const readLogs = (directory: string, window: Source.Window) =>
  Stream.unwrap(Effect.gen(function*() {
    const evidence = yield* Evidence.list(directory)
    const events = evidence.events.map((path) =>
      readJson(path, Events.Document, "a recording of RDS events").pipe(
        Effect.map((document): ReadonlyArray<Item> => Events.toEntries(document, window)),
        Stream.fromArrayEffect
      )
    )
    const files = evidence.logs.length === 0 ? [] : [LogFiles.read({ paths: evidence.logs, rotated: false }, window)]
    if (events.length + files.length === 0) return Stream.succeed<Item>(absent(directory, "logs", "*.log files"))
    return allOrGaps([...events, ...files])
  }))

/** One part after the other; a part that fails is a gap, unless all of them do. */
const allOrGaps = <R>(
  parts: ReadonlyArray<Stream.Stream<Item, Source.SourceError, R>>
): Stream.Stream<Item, Source.SourceError, R> =>
  Stream.suspend(() => {
    const failed: Array<Source.SourceError> = []
    return Stream.fromArray(parts).pipe(
      Stream.flatMap(Stream.catch((error) => {
        failed.push(error)
        const [first = error] = failed
        return failed.length === parts.length
          ? Stream.fail(first)
          : Stream.succeed(Access.gap(error.source, error.reason))
      }))
    )
  })

const readSettings = Effect.fn("CaseFolder.settings")(function*(directory: string) {
  const { baseline: [baseline], config: [actual] } = yield* Evidence.list(directory)
  if (actual === undefined) {
    return { settings: [], gaps: [absent(directory, "settings", "config.yaml and baseline.yaml")] }
  }
  if (baseline !== undefined) return yield* SettingFiles.read({ actual, baseline })
  const { gaps, settings } = yield* SettingFiles.read({ actual })
  return { settings, gaps: [...gaps, absent(directory, "expected settings", "baseline.yaml")] }
})

const readJson = <A>(path: string, schema: Schema.Decoder<A>, what: string) =>
  Effect.mapError(
    Json.read(path, schema, what),
    (reason) => new Source.SourceError({ source: path, reason })
  )

const inWindow = (series: Source.Series, window: Source.Window): Source.Series => ({
  ...series,
  points: series.points.filter(({ at }) => Points.isWithin(window, at)).toSorted((a, b) => a.at - b.at)
})

const absent = (directory: string, what: string, names: string): Source.Gap => ({
  source: `case:${directory}`,
  detail: `no ${what} were recorded`,
  remedy: `add ${names} to ${directory}`
})
