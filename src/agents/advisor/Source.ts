/**
 * Where the advisor's evidence comes from: metrics, logs and settings of the system under diagnosis.
 *
 * Each contract is read-only. A layer translates its vendor's names and units into the vocabulary of `Signal`, so that a
 * rule reads "disk.used_ratio" and never learns whether a kernel, a database, Prometheus or a recorded case said it.
 * Ratios run from 0 to 1, durations are seconds, sizes bytes, instants epoch milliseconds. What a source returns is
 * untrusted text and untrusted numbers.
 */
import { Context, type Effect, Schema, type Stream } from "effect"

/** The shared vocabulary: what a number means, whatever its vendor calls it. */
export const signals = [
  "disk.used_ratio",
  "disk.free_bytes",
  "disk.size_bytes",
  "disk.queue_depth",
  "inode.used_ratio",
  "memory.available_ratio",
  "memory.available_bytes",
  "swap.used_bytes",
  "swap.used_ratio",
  "cpu.utilisation",
  "load.per_core",
  "fd.used_ratio",
  "process.count",
  "process.zombies",
  "process.cpu_ratio",
  "process.rss_bytes",
  "io.read_ops",
  "io.write_ops",
  "io.read_latency",
  "io.write_latency",
  "io.read_bytes",
  "io.write_bytes",
  "net.in_bytes",
  "net.out_bytes",
  "db.connections",
  "db.connections_max",
  "db.connections_active",
  "db.connections_idle_in_transaction",
  "db.lock_waiters",
  "db.longest_transaction",
  "db.load",
  "db.load_by_wait",
  "db.load_by_statement",
  "db.load_by_user",
  "db.commit_latency",
  "db.commits",
  "db.size_bytes",
  "db.wal_bytes",
  "db.replication_lag",
  "db.deadlocks",
  "queue.depth",
  "queue.oldest_age",
  "queue.arrivals",
  "queue.completions",
  "queue.workers",
  "request.rate",
  "request.error_ratio",
  "request.latency"
] as const

/** A name of the vocabulary, or `other:` with the vendor's own name when the vocabulary has none. */
export const Signal = Schema.Union([
  Schema.Literals(signals),
  Schema.TemplateLiteral(["other:", Schema.String])
])
export type Signal = typeof Signal.Type

/** `ratio` 0..1, `count`, `bytes`, `seconds`, `bytes/s`, `1/s`, `sessions` (average active), `raw` when unknown. */
export const Unit = Schema.Literals(["ratio", "count", "bytes", "seconds", "bytes/s", "1/s", "sessions", "raw"])
export type Unit = typeof Unit.Type

/** One reading. `at` is epoch milliseconds. */
export const Point = Schema.Struct({ at: Schema.Int, value: Schema.Finite })
export type Point = typeof Point.Type

/** Readings of one signal of one resource, oldest first; a source with no history gives one point. */
export const Series = Schema.Struct({
  signal: Signal,
  /** What was measured: a mount point, a database, a queue, a process, a statement. */
  resource: Schema.String,
  unit: Unit,
  /** The vendor's own name of the metric, for quoting. */
  origin: Schema.String,
  points: Schema.Array(Point)
})
export type Series = typeof Series.Type

/** One line of a log, or one event of an event stream. */
export const LogEntry = Schema.Struct({
  /** Epoch milliseconds; `null` when the line carries no readable time. */
  at: Schema.NullOr(Schema.Int),
  level: Schema.Literals(["trace", "debug", "info", "warn", "error", "fatal", "unknown"]),
  /** The file, stream or service that wrote it. */
  source: Schema.String,
  message: Schema.String
})
export type LogEntry = typeof LogEntry.Type

/** One setting with the value found and the value expected; `null` when there is none on that side. */
export const Setting = Schema.Struct({
  key: Schema.String,
  actual: Schema.NullOr(Schema.String),
  baseline: Schema.NullOr(Schema.String),
  /** Whether somebody decided on the baseline; otherwise it is only a built-in default, or unknown. */
  isDecided: Schema.Boolean,
  /** The file or view it was read from. */
  origin: Schema.String
})
export type Setting = typeof Setting.Type

/** The source could not be reached: nothing was read. A retry can help. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The source answered with something that cannot be read as what it should be. A retry does not help. */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The one error of the sources; `source` says which (`logs:/var/log/app.log`, `prometheus:http://…`). */
export class SourceError extends Schema.TaggedError<SourceError>()("SourceError", {
  source: Schema.String,
  reason: Schema.Union([Unreachable, Unreadable])
}) {}

/** Part of a source that could not be read, while the rest could: reported, never hidden. */
export const Gap = Schema.Struct({ source: Schema.String, detail: Schema.String, remedy: Schema.String })
export type Gap = typeof Gap.Type

/** Inclusive bounds, epoch milliseconds. */
export const Window = Schema.Struct({ from: Schema.optionalKey(Schema.Int), to: Schema.optionalKey(Schema.Int) })
export type Window = typeof Window.Type

/** Measurements of the system. */
export class Metrics extends Context.Service<Metrics, {
  /** All series in `window` whose signal is in `signals`; an empty list asks for all. What is unreadable is a `Gap`. */
  readonly read: (
    query: { readonly signals: ReadonlyArray<Signal>; readonly window: Window }
  ) => Effect.Effect<{ readonly series: ReadonlyArray<Series>; readonly gaps: ReadonlyArray<Gap> }, SourceError>
}>()("aosiq/agents/advisor/Source/Metrics") {}

/** Log lines and events of the system. */
export class Logs extends Context.Service<Logs, {
  /**
   * Entries in `window`, in no promised order, in constant memory; a `Gap` in the stream says what was skipped.
   * Entries without a time are kept whatever the window.
   */
  readonly read: (query: { readonly window: Window }) => Stream.Stream<LogEntry | Gap, SourceError>
}>()("aosiq/agents/advisor/Source/Logs") {}

/** Settings of the system beside the settings it should have. */
export class Settings extends Context.Service<Settings, {
  /** Every setting known on either side. Secret values arrive redacted. */
  readonly read: Effect.Effect<
    { readonly settings: ReadonlyArray<Setting>; readonly gaps: ReadonlyArray<Gap> },
    SourceError
  >
}>()("aosiq/agents/advisor/Source/Settings") {}
