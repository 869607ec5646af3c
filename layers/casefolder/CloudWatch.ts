/**
 * CloudWatch metrics of RDS, as GetMetricData records them, in the advisor's vocabulary.
 *
 * Source: Amazon RDS User Guide, "Amazon CloudWatch metrics for Amazon RDS". Where a recording names its own unit, that
 * unit is taken; else the documented one.
 */
import { Schema } from "effect"
import type * as Source from "../../src/agents/advisor/Source.ts"
import * as Points from "./Points.ts"

const MetricData = Schema.Struct({
  metric_name: Schema.String,
  dimensions: Schema.optionalKey(Schema.Array(Schema.Struct({ Name: Schema.String, Value: Schema.String }))),
  unit: Schema.optionalKey(Schema.String),
  status_code: Schema.optionalKey(Schema.String),
  timestamps: Schema.Array(Schema.String),
  values: Schema.Array(Schema.NullOr(Schema.Finite))
})

/** A recording of several metrics, or of one alone. */
export const Document = Schema.Union([Schema.Struct({ metric_data_results: Schema.Array(MetricData) }), MetricData])
export type Document = typeof Document.Type

/** The series of a recording in `window`; a metric with readings that cannot be used is also a gap. */
export const toSeries = (
  document: Document,
  window: Source.Window
): { readonly series: ReadonlyArray<Source.Series>; readonly gaps: ReadonlyArray<Source.Gap> } => {
  const metrics = "metric_data_results" in document ? document.metric_data_results : [document]
  const read = metrics.map((metric) => readMetric(metric, window))
  return { series: read.map((one) => one.series), gaps: read.flatMap((one) => one.gaps) }
}

// internal

type Meaning = readonly [signal: Source.Signal, documentedUnit: string]

const meanings = new Map<string, Meaning>([
  ["CPUUtilization", ["cpu.utilisation", "Percent"]],
  ["CommitLatency", ["db.commit_latency", "Milliseconds"]],
  ["CommitThroughput", ["db.commits", "Count/Second"]],
  ["DatabaseConnections", ["db.connections", "Count"]],
  ["Deadlocks", ["db.deadlocks", "Count/Second"]],
  ["DiskQueueDepth", ["disk.queue_depth", "Count"]],
  ["FreeStorageSpace", ["disk.free_bytes", "Bytes"]],
  ["FreeableMemory", ["memory.available_bytes", "Bytes"]],
  ["NetworkReceiveThroughput", ["net.in_bytes", "Bytes/Second"]],
  ["NetworkTransmitThroughput", ["net.out_bytes", "Bytes/Second"]],
  ["ReadIOPS", ["io.read_ops", "Count/Second"]],
  ["ReadLatency", ["io.read_latency", "Seconds"]],
  ["ReadThroughput", ["io.read_bytes", "Bytes/Second"]],
  ["ReplicaLag", ["db.replication_lag", "Seconds"]],
  ["SwapUsage", ["swap.used_bytes", "Bytes"]],
  ["TransactionLogsDiskUsage", ["db.wal_bytes", "Bytes"]],
  ["TransactionLogsGeneration", ["db.wal_bytes", "Bytes/Second"]],
  ["WriteIOPS", ["io.write_ops", "Count/Second"]],
  ["WriteLatency", ["io.write_latency", "Seconds"]],
  ["WriteThroughput", ["io.write_bytes", "Bytes/Second"]]
])

interface Conversion {
  readonly unit: Source.Unit
  readonly divisor: number
}

const asIs: Conversion = { unit: "raw", divisor: 1 }

const conversions = new Map<string, Conversion>([
  ["Percent", { unit: "ratio", divisor: 100 }],
  ["Seconds", { unit: "seconds", divisor: 1 }],
  ["Milliseconds", { unit: "seconds", divisor: 1_000 }],
  ["Microseconds", { unit: "seconds", divisor: 1_000_000 }],
  ["Bytes", { unit: "bytes", divisor: 1 }],
  ["Bytes/Second", { unit: "bytes/s", divisor: 1 }],
  ["Count", { unit: "count", divisor: 1 }],
  ["Count/Second", { unit: "1/s", divisor: 1 }]
])

const readMetric = (metric: typeof MetricData.Type, window: Source.Window) => {
  const name = metric.metric_name
  const meaning = meanings.get(name)
  const { divisor, unit } = conversions.get(metric.unit ?? meaning?.[1] ?? "") ?? asIs
  // A known name in a unit of another kind means something else.
  const isMeant = meaning !== undefined && conversions.get(meaning[1])?.unit === unit
  const { lost, points } = Points.pair(metric.timestamps, metric.values, { divisor, window })
  const origin = `aws_cloudwatch_metrics:${name}`
  const series: Source.Series = {
    signal: isMeant ? meaning[0] : `other:${name}`,
    resource: resourceOf(metric),
    unit,
    origin,
    points
  }
  return { series, gaps: gapsOf(origin, metric.status_code ?? "Complete", lost) }
}

const resourceOf = ({ dimensions = [] }: typeof MetricData.Type): string => {
  const instance = dimensions.find((dimension) => dimension.Name === "DBInstanceIdentifier")
  return instance?.Value ?? dimensions.map((dimension) => dimension.Value).join(" ")
}

const gapsOf = (source: string, status: string, lost: number): ReadonlyArray<Source.Gap> => [
  ...(status === "Complete" ? [] : [{
    source,
    detail: "CloudWatch did not answer completely",
    remedy: "record the metric again, over a shorter time"
  }]),
  ...(lost === 0 ? [] : [{
    source,
    detail: `${lost} reading(s) have no time or no value that can be read`,
    remedy: "record the metric again"
  }])
]
