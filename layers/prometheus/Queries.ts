/**
 * How the vocabulary of signals is asked for in PromQL, for the exporters most systems have.
 *
 * node_exporter speaks for machines, postgres_exporter for databases, the metrics of common HTTP libraries for
 * requests, RabbitMQ and kafka_exporter for queues. A query for an exporter that is not there gives no series. Each
 * query leaves only the labels that name the measured thing, since they become its resource. Rates are over five
 * minutes.
 */
import type { Signal, signals, Unit } from "../../src/agents/advisor/Source.ts"

/** A query and the unit of what it gives; a query alone has the unit of its signal's default query, or `raw`. */
export type Query = string | { readonly promql: string; readonly unit: Unit }

/** What to ask for each signal; a signal that is not named is not known to the source. */
export type Queries = Readonly<Partial<Record<Signal, Query>>>

// Images are full by nature, and the overlays of containers show the disk below them once more.
const filesystems = `{fstype!~"squashfs|iso9660|erofs|overlay|ramfs|nsfs|fuse.lxcfs"}`
const usedBytes = `(node_filesystem_size_bytes${filesystems} - node_filesystem_free_bytes${filesystems})`

const inodes = `(node_filesystem_files${filesystems} > 0)`

const perDevice = (metric: string): string => `sum by (instance, device) (rate(${metric}[5m]))`
const cpuSeconds = (modes: string): string => `sum by (instance) (rate(node_cpu_seconds_total${modes}[5m]))`
const perInstance = (expression: string): string => `max by (instance) (${expression})`
const latency = (seconds: string, operations: string): string =>
  `${perDevice(seconds)} / (${perDevice(operations)} > 0)`

const machine: Queries = {
  "disk.used_ratio":
    `max by (instance, mountpoint) (${usedBytes} / (${usedBytes} + node_filesystem_avail_bytes${filesystems}))`,
  "disk.free_bytes": `max by (instance, mountpoint) (node_filesystem_avail_bytes${filesystems})`,
  "disk.size_bytes": `max by (instance, mountpoint) (node_filesystem_size_bytes${filesystems})`,
  "disk.queue_depth": perDevice("node_disk_io_time_weighted_seconds_total"),
  "inode.used_ratio": `max by (instance, mountpoint) (1 - node_filesystem_files_free${filesystems} / ${inodes})`,
  "memory.available_ratio": perInstance("node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"),
  "memory.available_bytes": perInstance("node_memory_MemAvailable_bytes"),
  "swap.used_bytes": perInstance("node_memory_SwapTotal_bytes - node_memory_SwapFree_bytes"),
  "swap.used_ratio": perInstance("1 - node_memory_SwapFree_bytes / (node_memory_SwapTotal_bytes > 0)"),
  // Busy over all, not one minus idle: the rate of a machine that just appeared is too low, and it would look busy.
  "cpu.utilisation": `${cpuSeconds(`{mode!~"idle|iowait"}`)} / ${cpuSeconds("")}`,
  "load.per_core": `max by (instance) (node_load1) / count by (instance) (node_cpu_seconds_total{mode="idle"})`,
  "fd.used_ratio": perInstance("node_filefd_allocated / node_filefd_maximum"),
  "process.count": perInstance("node_processes_pids"),
  "process.zombies": perInstance(`node_processes_state{state="Z"}`),
  "io.read_ops": perDevice("node_disk_reads_completed_total"),
  "io.write_ops": perDevice("node_disk_writes_completed_total"),
  "io.read_latency": latency("node_disk_read_time_seconds_total", "node_disk_reads_completed_total"),
  "io.write_latency": latency("node_disk_write_time_seconds_total", "node_disk_writes_completed_total"),
  "io.read_bytes": perDevice("node_disk_read_bytes_total"),
  "io.write_bytes": perDevice("node_disk_written_bytes_total"),
  "net.in_bytes": perDevice(`node_network_receive_bytes_total{device!="lo"}`),
  "net.out_bytes": perDevice(`node_network_transmit_bytes_total{device!="lo"}`)
}

const database: Queries = {
  "db.connections": "sum by (instance) (pg_stat_activity_count)",
  "db.connections_max": "max by (instance) (pg_settings_max_connections)",
  "db.connections_active": `sum by (instance) (pg_stat_activity_count{state="active"})`,
  "db.connections_idle_in_transaction": `sum by (instance) (pg_stat_activity_count{state=~"idle in transaction.*"})`,
  "db.load": `sum by (instance) (pg_stat_activity_count{state="active"})`,
  "db.longest_transaction": "max by (instance) (pg_stat_activity_max_tx_duration)",
  "db.commits": "sum by (instance, datname) (rate(pg_stat_database_xact_commit[5m]))",
  "db.deadlocks": "sum by (instance, datname) (pg_stat_database_deadlocks)",
  "db.size_bytes": "max by (instance, datname) (pg_database_size_bytes)",
  "db.wal_bytes": "max by (instance) (pg_wal_size_bytes)",
  "db.replication_lag": "max by (instance) (pg_replication_lag_seconds or pg_replication_lag)"
}

const requests = "sum by (job) (rate(http_requests_total[5m]))"
const otelRequests = "sum by (job) (rate(http_server_request_duration_seconds_count[5m]))"
const failed =
  `sum by (job) (rate(http_requests_total{code=~"5.."}[5m]) or rate(http_requests_total{status=~"5.."}[5m]))`
const otelFailed =
  `sum by (job) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.."}[5m]))`
// A service that never failed has no series of failures: that is a ratio of 0, not an unknown one.
const ratioOf = (part: string, whole: string): string => `(${part} or 0 * ${whole}) / (${whole} > 0)`
const slowest = (metric: string): string =>
  `histogram_quantile(0.95, sum by (job, le) (rate(${metric}_seconds_bucket[5m])))`

const services: Queries = {
  "request.rate": `${requests} or ${otelRequests}`,
  "request.error_ratio": `${ratioOf(failed, requests)} or ${ratioOf(otelFailed, otelRequests)}`,
  "request.latency": `${slowest("http_request_duration")} or ${slowest("http_server_request_duration")}`
}

const either = (rabbitmq: string, kafka: string): string =>
  `sum by (queue) (rate(${rabbitmq}[5m])) or sum by (topic) (rate(${kafka}[5m]))`

const queues: Queries = {
  "queue.depth": "sum by (queue) (rabbitmq_queue_messages) or sum by (topic) (kafka_consumergroup_lag)",
  "queue.oldest_age": "time() - min by (queue) (rabbitmq_queue_head_message_timestamp > 0)",
  "queue.arrivals": either("rabbitmq_queue_messages_published_total", "kafka_topic_partition_current_offset"),
  "queue.completions": either("rabbitmq_channel_messages_acked_total", "kafka_consumergroup_current_offset"),
  "queue.workers": "sum by (queue) (rabbitmq_queue_consumers) or sum by (consumergroup) (kafka_consumergroup_members)"
}

/** The queries of a source that is given none. */
export const defaultQueries: Queries = { ...machine, ...database, ...services, ...queues }

const units: Readonly<Record<typeof signals[number], Unit>> = {
  "disk.used_ratio": "ratio",
  "disk.free_bytes": "bytes",
  "disk.size_bytes": "bytes",
  "disk.queue_depth": "count",
  "inode.used_ratio": "ratio",
  "memory.available_ratio": "ratio",
  "memory.available_bytes": "bytes",
  "swap.used_bytes": "bytes",
  "swap.used_ratio": "ratio",
  "cpu.utilisation": "ratio",
  "load.per_core": "count",
  "fd.used_ratio": "ratio",
  "process.count": "count",
  "process.zombies": "count",
  "process.cpu_ratio": "ratio",
  "process.rss_bytes": "bytes",
  "io.read_ops": "1/s",
  "io.write_ops": "1/s",
  "io.read_latency": "seconds",
  "io.write_latency": "seconds",
  "io.read_bytes": "bytes/s",
  "io.write_bytes": "bytes/s",
  "net.in_bytes": "bytes/s",
  "net.out_bytes": "bytes/s",
  "db.connections": "count",
  "db.connections_max": "count",
  "db.connections_active": "count",
  "db.connections_idle_in_transaction": "count",
  "db.lock_waiters": "count",
  "db.longest_transaction": "seconds",
  "db.load": "sessions",
  "db.load_by_wait": "sessions",
  "db.load_by_statement": "sessions",
  "db.load_by_user": "sessions",
  "db.commit_latency": "seconds",
  "db.commits": "1/s",
  "db.size_bytes": "bytes",
  "db.wal_bytes": "bytes",
  "db.replication_lag": "seconds",
  "db.deadlocks": "count",
  "queue.depth": "count",
  "queue.oldest_age": "seconds",
  "queue.arrivals": "1/s",
  "queue.completions": "1/s",
  "queue.workers": "count",
  "request.rate": "1/s",
  "request.error_ratio": "ratio",
  "request.latency": "seconds"
}

/** The unit in which the default queries give a signal; `raw` for one outside the vocabulary. */
export const unitOf = (signal: Signal): Unit => isNamed(signal) ? units[signal] : "raw"

const isNamed = (signal: Signal): signal is typeof signals[number] => signal in units
