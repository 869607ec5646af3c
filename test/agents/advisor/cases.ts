/** Incidents of each kind, written as recorded incidents are: measurements, logs, settings and the alert. */
import type { Advice } from "../../../src/agents/advisor/index.ts"
import type * as Source from "../../../src/agents/advisor/Source.ts"
import { flat, line, lines, ramp, series } from "./file.ts"

/** The files of a folder, and what the advisor must make of them. */
export interface Case {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  readonly outcome: Advice.Advice["outcome"]
  readonly scenario?: Advice.Scenario
  /** Words that the claims must have. */
  readonly claimed: ReadonlyArray<string>
}

interface Recording {
  readonly series?: ReadonlyArray<Source.Series>
  readonly log?: ReadonlyArray<Source.LogEntry>
  readonly config?: string
  readonly baseline?: string
}

/** The folder of a recording. */
export const folder = ({ baseline, config, log, series }: Recording): Case["files"] => ({
  "alert.json": JSON.stringify({ title: "[test] Something is wrong", commonAnnotations: { summary: "Look at shop." } }),
  ...(series === undefined ? {} : { "metrics.json": JSON.stringify(series) }),
  ...(log === undefined ? {} : { "logs/app.log": log.map(written).join("") }),
  ...(config === undefined ? {} : { "config.yaml": config }),
  ...(baseline === undefined ? {} : { "baseline.yaml": baseline })
})

const written = ({ at, level, message }: Source.LogEntry) =>
  `${at === null ? "" : `${new Date(at).toISOString()} `}${level.toUpperCase()} ${message}\n`

const calm = [
  series("cpu.utilisation", flat(0.2)),
  series("memory.available_ratio", flat(0.5)),
  series("disk.used_ratio", flat(0.4), { resource: "/data" }),
  series("request.latency", flat(0.08)),
  series("queue.depth", flat(12), { resource: "mail" })
]
const but = (...changed: ReadonlyArray<Source.Series>) => [
  ...calm.filter((one) => !changed.some(({ signal }) => signal === one.signal)),
  ...changed
]
const chatter = lines(200, "request 7 took 12 ms", "info")
const settings = "pool:\n  size: 50\n  timeout: 30\nlog:\n  level: info\n"

/** One of each of the six, then one of each other outcome. */
export const cases: ReadonlyArray<Case> = [
  {
    name: "job queue backlog",
    files: folder({
      series: but(
        series("queue.depth", ramp(12, 4800), { resource: "mail" }),
        series("queue.completions", ramp(40, 3), { resource: "mail" })
      ),
      log: [...chatter, line("queue mail: 4800 jobs are waiting", "warn", 14)],
      config: settings,
      baseline: settings
    }),
    outcome: "fault",
    scenario: "job_queue_backlog",
    claimed: ["queue.depth of mail", "4800", "jobs are waiting"]
  },
  {
    name: "disk space exhaustion",
    files: folder({
      series: but(
        series("disk.used_ratio", ramp(0.8, 0.995), { resource: "/data" }),
        series("disk.free_bytes", ramp(20e9, 5e8), { resource: "/data" })
      ),
      log: [...chatter, line("write /data/wal/7: no space left on device", "error", 14)]
    }),
    outcome: "fault",
    scenario: "disk_space_exhaustion",
    claimed: ["disk.used_ratio of /data", "99.5%", "no space left on device"]
  },
  {
    name: "exhaustion of inodes",
    files: folder({ series: [...calm, series("inode.used_ratio", ramp(0.9, 1), { resource: "/var" })], log: chatter }),
    outcome: "fault",
    scenario: "disk_space_exhaustion",
    claimed: ["inode.used_ratio of /var", "100%"]
  },
  {
    name: "connection pool exhaustion",
    files: folder({
      series: [...calm, series("db.connections", ramp(40, 99)), series("db.connections_max", flat(100))],
      log: [...chatter, line("FATAL: sorry, too many clients already", "fatal", 14)]
    }),
    outcome: "fault",
    scenario: "connection_pool_exhaustion",
    claimed: ["db.connections of shop", "99", "too many clients"]
  },
  {
    name: "configuration drift",
    files: folder({
      series: calm,
      log: [...chatter, line("unknown option pool.sizes", "warn", 3)],
      config: "pool:\n  size: 500\n  timeout: 30\nlog:\n  level: debug\n",
      baseline: settings
    }),
    outcome: "fault",
    scenario: "configuration_drift",
    claimed: ["pool.size is 500, its baseline is 50", "log.level is debug"]
  },
  {
    name: "recurring error spike",
    files: folder({
      series: but(series("request.error_ratio", ramp(0.001, 0.31))),
      log: [
        ...chatter,
        ...Array.from(
          { length: 90 },
          (_, index) => line(`order ${index} failed: no such table`, "error", 12 + index / 30)
        )
      ]
    }),
    outcome: "fault",
    scenario: "recurring_error_spike",
    claimed: ["request.error_ratio of shop", "31%", "90× error", "no such table"]
  },
  {
    name: "performance regression",
    files: folder({
      series: [
        ...but(series("cpu.utilisation", ramp(0.2, 0.98)), series("request.latency", ramp(0.08, 4.2))),
        series("db.load_by_statement", [11.5], { resource: "SELECT * FROM orders" })
      ],
      log: [...chatter, line("slow query: SELECT * FROM orders took 4200 ms", "warn", 14)]
    }),
    outcome: "fault",
    scenario: "performance_regression",
    claimed: ["cpu.utilisation of shop", "98%", "4.2 s", "SELECT * FROM orders"]
  },
  {
    name: "a fault outside the six",
    files: folder({
      series: [...calm, series("db.replication_lag", ramp(1, 640), { resource: "replica-2" })],
      log: [...chatter, line("replica replica-2 is 640 s behind", "warn", 14)]
    }),
    outcome: "out_of_scope",
    claimed: ["db.replication_lag of replica-2", "640 s"]
  },
  {
    name: "no fault",
    files: folder({ series: calm, log: chatter, config: settings, baseline: settings }),
    outcome: "no_fault",
    claimed: ["cpu.utilisation of shop", "200 log lines, 0 errors"]
  },
  {
    name: "a fault that is over",
    files: folder({
      series: but(series("cpu.utilisation", [...flat(0.2, 6), ...flat(0.97, 4), ...flat(0.2, 6)])),
      log: chatter
    }),
    outcome: "no_fault",
    claimed: ["back within its limit"]
  },
  {
    name: "nothing to tell by",
    files: folder({ config: settings, baseline: settings }),
    outcome: "inconclusive",
    claimed: []
  }
]
