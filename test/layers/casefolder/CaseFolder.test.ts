import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Stream } from "effect"
import { gzipSync } from "node:zlib"
import * as CaseFolder from "../../../layers/casefolder/index.ts"
import * as Source from "../../../src/agents/advisor/Source.ts"
import * as Folder from "../logfiles/Folder.ts"

type Files = Readonly<Record<string, string | Uint8Array>>

const readMetrics = (
  directory: string,
  query: Partial<Parameters<Source.Metrics["Service"]["read"]>[0]> = {}
) =>
  Source.Metrics.use((metrics) => metrics.read({ signals: [], window: {}, ...query })).pipe(
    Effect.provide(CaseFolder.layer({ directory }))
  )

const readLogs = (directory: string, window: Source.Window = {}) =>
  Source.Logs.use((logs) => Stream.runCollect(logs.read({ window }))).pipe(
    Effect.provide(CaseFolder.layer({ directory }))
  )

const readSettings = (directory: string) =>
  Source.Settings.use((settings) => settings.read).pipe(Effect.provide(CaseFolder.layer({ directory })))

const metricsOf = (files: Files, query?: Parameters<typeof readMetrics>[1]) =>
  Effect.flatMap(Folder.make(files), (folder) => readMetrics(folder, query))
const logsOf = (files: Files, window?: Source.Window) =>
  Effect.flatMap(Folder.make(files), (folder) => readLogs(folder, window))
const settingsOf = (files: Files) => Effect.flatMap(Folder.make(files), readSettings)

const at = (minute: number) => Date.UTC(2026, 2, 26, 11, minute)
const time = (minute: number) => `2026-03-26T11:${String(minute).padStart(2, "0")}:00Z`

const metric = (name: string, fields: Readonly<Record<string, unknown>> = {}) => ({
  metric_name: name,
  dimensions: [{ Name: "DBInstanceIdentifier", Value: "shop" }],
  unit: "Count",
  status_code: "Complete",
  timestamps: [time(2), time(1)],
  values: [20, 10],
  ...fields
})
const cloudWatch = (...metrics: ReadonlyArray<unknown>) => JSON.stringify({ metric_data_results: metrics })

const insights = {
  db_instance_identifier: "shop",
  start_time: time(0),
  end_time: time(15),
  db_load: { timestamps: [time(1), time(2)], values: [1.5, 2.5], unit: "AAS" },
  top_sql: [{
    statement: "SELECT 1",
    db_load_avg: 2,
    wait_events: [{ name: "Lock:tuple", type: "Lock", db_load_avg: 1.5 }],
    calls_per_sec: 7
  }],
  top_wait_events: [{ name: "CPU", type: "CPU", db_load_avg: 0.5 }],
  top_users: [{ name: "app", db_load_avg: 2 }],
  top_hosts: [{ id: "10.0.0.1", db_load_avg: 2 }]
}

describe("metrics of a case", () => {
  it.effect("come from CloudWatch in the advisor's names and units, oldest first", () =>
    Effect.gen(function*() {
      const { gaps, series } = yield* metricsOf({
        "aws_cloudwatch_metrics.json": cloudWatch(
          metric("CPUUtilization", { unit: "Percent", values: [50, 18.24] }),
          metric("WriteLatency", { unit: "Milliseconds" }),
          metric("ReadLatency", { unit: "Seconds" }),
          metric("ReadIOPS", { unit: "Count/Second" }),
          metric("FreeStorageSpace", { unit: "Bytes" }),
          metric("NetworkReceiveThroughput", { unit: "Bytes/Second" })
        ),
        "aws_cloudwatch_metrics_MaximumUsedTransactionIDs.json": JSON.stringify(metric("MaximumUsedTransactionIDs")),
        "aws_cloudwatch_metrics_envelope.json": "not read"
      })
      assert.deepStrictEqual(gaps, [])
      assert.deepStrictEqual(series[0], {
        signal: "cpu.utilisation",
        resource: "shop",
        unit: "ratio",
        origin: "aws_cloudwatch_metrics:CPUUtilization",
        points: [{ at: at(1), value: 0.1824 }, { at: at(2), value: 0.5 }]
      })
      assert.deepStrictEqual(series.map(({ points, signal, unit }) => [signal, unit, points[1]?.value]), [
        ["cpu.utilisation", "ratio", 0.5],
        ["io.write_latency", "seconds", 0.02],
        ["io.read_latency", "seconds", 20],
        ["io.read_ops", "1/s", 20],
        ["disk.free_bytes", "bytes", 20],
        ["net.in_bytes", "bytes/s", 20],
        ["other:MaximumUsedTransactionIDs", "count", 20]
      ])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("in another unit than the name stands for are passed on under the vendor's name", () =>
    Effect.gen(function*() {
      const { series } = yield* metricsOf({
        "aws_cloudwatch_metrics.json": cloudWatch(
          metric("CPUUtilization", { unit: "Count" }),
          metric("FreeStorageSpace", { unit: "Furlongs" })
        )
      })
      assert.deepStrictEqual(series.map(({ signal, unit }) => [signal, unit]), [
        ["other:CPUUtilization", "count"],
        ["other:FreeStorageSpace", "raw"]
      ])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("that are incomplete are gaps beside what there is", () =>
    Effect.gen(function*() {
      const { gaps, series } = yield* metricsOf({
        "aws_cloudwatch_metrics.json": cloudWatch(
          metric("DatabaseConnections", { timestamps: [time(1), "soon", time(3)], values: [1, 2, null, 4] }),
          metric("ReplicaLag", { status_code: "PartialData" })
        )
      })
      assert.deepStrictEqual(series[0]?.points, [{ at: at(1), value: 1 }])
      assert.deepStrictEqual(gaps.map((gap) => [gap.source, gap.detail]), [
        ["aws_cloudwatch_metrics:DatabaseConnections", "3 reading(s) have no time or no value that can be read"],
        ["aws_cloudwatch_metrics:ReplicaLag", "CloudWatch did not answer completely"]
      ])
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("metrics of a case, other recordings", () => {
  it.effect("come from Performance Insights, broken down", () =>
    Effect.gen(function*() {
      const { series } = yield* metricsOf({ "aws_performance_insights.json": JSON.stringify(insights) })
      assert.deepStrictEqual(
        series.map(({ points, resource, signal, unit }) => [signal, resource, unit, points.at(-1)?.value]),
        [
          ["db.load", "shop", "sessions", 2.5],
          ["db.load_by_statement", "SELECT 1", "sessions", 2],
          ["db.load_by_wait", "Lock:tuple @ SELECT 1", "sessions", 1.5],
          ["other:calls_per_sec", "SELECT 1", "1/s", 7],
          ["db.load_by_wait", "CPU", "sessions", 0.5],
          ["db.load_by_user", "app", "sessions", 2],
          ["other:db.load_by_host", "10.0.0.1", "sessions", 2]
        ]
      )
      assert.isTrue(series.every((one) => one.origin === "aws_performance_insights"))
      assert.deepStrictEqual(series[1]?.points.map((point) => point.at), [at(15)])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("come from metrics.json as they are", () =>
    Effect.gen(function*() {
      const one = { signal: "queue.depth", resource: "mail", unit: "count", origin: "x", points: [{ at: 1, value: 2 }] }
      const { series } = yield* metricsOf({ "metrics.json": JSON.stringify([one]) })
      assert.deepStrictEqual<unknown>(series, [one])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("are those asked for, in the window asked for", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({
        "aws_cloudwatch_metrics.json": cloudWatch(
          metric("ReplicaLag", { unit: "Seconds" }),
          metric("DatabaseConnections")
        ),
        "aws_performance_insights.json": JSON.stringify(insights),
        "metrics.json": JSON.stringify([
          { signal: "queue.depth", resource: "q", unit: "count", origin: "x", points: [{ at: 1, value: 2 }] }
        ])
      })
      const wanted = yield* readMetrics(folder, { signals: ["db.connections", "db.load_by_user"] })
      assert.deepStrictEqual(wanted.series.map(({ signal }) => signal), ["db.connections", "db.load_by_user"])
      const early = yield* readMetrics(folder, { signals: ["db.connections", "queue.depth"], window: { to: at(1) } })
      assert.deepStrictEqual(early.series.map(({ points }) => points.length), [1, 1])
      const inside = yield* readMetrics(folder, { signals: ["db.load_by_user"], window: { from: at(3), to: at(4) } })
      assert.strictEqual(inside.series.length, 1)
      const after = yield* readMetrics(folder, { window: { from: at(16) } })
      assert.deepStrictEqual(after.series, [])
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("logs of a case", () => {
  it.effect("are events with a level by category, and log files", () =>
    Effect.gen(function*() {
      const event = (minute: number, message: string, ...event_categories: ReadonlyArray<string>) => (
        { date: time(minute), message, source_identifier: "shop", event_categories }
      )
      const items = yield* logsOf({
        "aws_rds_events.json": JSON.stringify({
          events: [
            event(1, "slots are gone", "notification", "failure"),
            event(2, "storage is low", "low storage"),
            event(3, "backup with failure in its text", "backup"),
            event(4, "failing over", "failover", "availability")
          ]
        }),
        "app.log": `${time(5)} ERROR from the top\n`,
        "app.log.1.gz": gzipSync("rotated\n"),
        "logs/worker.jsonl": `{"time":"${time(6)}","level":"warn","msg":"from the folder"}\n`
      })
      const entries = items.filter((item) => "message" in item)
      assert.deepStrictEqual(entries.map(({ level, message }) => [level, message]), [
        ["error", "slots are gone"],
        ["warn", "storage is low"],
        ["info", "backup with failure in its text"],
        ["warn", "failing over"],
        ["error", "ERROR from the top"],
        ["unknown", "rotated"],
        ["warn", "from the folder"]
      ])
      assert.deepStrictEqual(entries[0], {
        at: at(1),
        level: "error",
        source: "aws_rds_events",
        message: "slots are gone"
      })
      assert.strictEqual(items.length, entries.length)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("are those in the window and those without a time", () =>
    Effect.gen(function*() {
      const events = [1, 2, 3].map((minute) => ({ date: time(minute), message: `${minute}` }))
      const files = {
        "aws_rds_events.json": JSON.stringify({ events: [...events, { date: "?", message: "undated" }] })
      }
      const items = yield* logsOf(files, { from: at(2), to: at(2) })
      assert.deepStrictEqual(items.flatMap((item) => "message" in item ? [item.message] : []), ["2", "undated"])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("that cannot be read are gaps as long as others can", () =>
    Effect.gen(function*() {
      const items = yield* logsOf({ "aws_rds_events.json": "{", "app.log": "fine" })
      assert.match("detail" in items[0]! ? items[0].detail : "", /aws_rds_events\.json is not JSON at line 1/)
      assert.strictEqual("message" in items[1]! ? items[1].message : "", "fine")
      const other = yield* logsOf({ "aws_rds_events.json": `{"events":[]}`, "app.log": new Uint8Array([0, 0]) })
      assert.match("detail" in other[0]! ? other[0].detail : "", /app\.log is not text/)
      const error = yield* Effect.flip(
        logsOf({ "aws_rds_events.json": `{"events":[{}]}`, "a.log": new Uint8Array([0]) })
      )
      assert.strictEqual(error.reason._tag, "Unreadable")
      assert.match(error.reason.detail, /is not a recording of RDS events, at events\.0\.date/)
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("settings of a case", () => {
  it.effect("are those of config beside those of baseline", () =>
    Effect.gen(function*() {
      const { gaps, settings } = yield* settingsOf({ "config.yaml": "size: 10", "baseline.json": `{"size":100}` })
      assert.deepStrictEqual(settings.map(({ actual, baseline, key }) => [key, actual, baseline]), [[
        "size",
        "10",
        "100"
      ]])
      assert.deepStrictEqual(gaps, [])
      const alone = yield* settingsOf({ "config.toml": "size = 10" })
      assert.deepStrictEqual(alone.settings.map(({ baseline }) => baseline), [null])
      assert.match(alone.gaps[0]?.detail ?? "", /no expected settings were recorded/)
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("a case that lacks something", () => {
  it.effect("says of which kind it has no evidence", () =>
    Effect.gen(function*() {
      const metrics = yield* metricsOf({ "app.log": "x" })
      assert.deepStrictEqual(metrics.series, [])
      assert.match(metrics.gaps[0]?.detail ?? "", /no metrics were recorded/)
      const [gap] = yield* logsOf({ "metrics.json": "[]" })
      assert.match(gap !== undefined && "detail" in gap ? gap.detail : "", /no logs were recorded/)
      const settings = yield* settingsOf({ "app.log": "x" })
      assert.deepStrictEqual(settings.settings, [])
      assert.match(settings.gaps[0]?.detail ?? "", /no settings were recorded/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("is refused when it is missing, no folder, or empty of evidence", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "answer.yml": "x", "empty/notes.md": "x", "file": "x" })
      const missing = yield* Effect.flip(readMetrics(`${folder}/none`))
      assert.strictEqual(missing.source, `case:${folder}/none`)
      assert.strictEqual(missing.reason._tag, "Unreachable")
      assert.match(missing.reason.remedy, /check the path/)
      assert.match(
        (yield* Effect.flip(readLogs(`${folder}/file`))).reason.detail,
        /not a file that can be opened|could not/
      )
      const empty = yield* Effect.flip(readSettings(`${folder}/empty`))
      assert.strictEqual(empty.reason._tag, "Unreadable")
      assert.match(empty.reason.detail, /holds no evidence/)
      assert.match(empty.reason.remedy, /metrics\.json/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("is refused when all of a kind is broken, and says where without quoting it", () =>
    Effect.gen(function*() {
      const json = yield* Effect.flip(metricsOf({ "metrics.json": `[\n  {"signal": hunter2}\n]` }))
      assert.match(json.source, /metrics\.json$/)
      assert.match(json.reason.detail, /metrics\.json is not JSON at line 2/)
      const shape = yield* Effect.flip(metricsOf({ "metrics.json": `[{"signal":"hunter2"}]` }))
      assert.match(shape.reason.detail, /is not a list of series, at 0\.signal/)
      assert.match(shape.reason.remedy, /correct it there/)
      assert.notInclude(JSON.stringify([json, shape]), "hunter2")
      const other = yield* metricsOf({
        "metrics.json": "{",
        "aws_cloudwatch_metrics.json": cloudWatch(metric("ReadIOPS"))
      })
      assert.strictEqual(other.series.length, 1)
      assert.match(other.gaps[0]?.source ?? "", /metrics\.json$/)
      const config = yield* Effect.flip(settingsOf({ "config.yaml": "a: [" }))
      assert.match(config.source, /config\.yaml$/)
    }).pipe(Effect.provide(NodeServices.layer)))
})

/** Calls `open` after noting the path it is given. */
const noting = <Args extends ReadonlyArray<unknown>, A>(
  opened: Set<string>,
  open: (path: string, ...args: Args) => A
) =>
(path: string, ...args: Args): A => {
  opened.add(path)
  return open(path, ...args)
}

/** The real file system, noting which files are opened. */
const layerNoting = (opened: Set<string>) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => ({
      ...fs,
      open: noting(opened, fs.open),
      readFile: noting(opened, fs.readFile),
      readFileString: noting(opened, fs.readFileString),
      stream: noting(opened, fs.stream)
    }))
  ).pipe(Layer.provideMerge(NodeServices.layer))

describe("an answer beside the evidence", () => {
  const poison = "POISON"
  const forbidden = [
    "answer.yml",
    "scenario.yml",
    "answer.json",
    "notes.md",
    "metrics.json.bak",
    "app.log.yml",
    "answer.log.txt",
    "logs/answer.yml",
    "logs/sub/app.log",
    "config.yaml.orig",
    "aws_cloudwatch_metrics_envelope.json",
    ".hidden.log"
  ]
  const evidence = {
    "alert.json": JSON.stringify({ title: "Alert", commonLabels: { fault: poison } }),
    "aws_cloudwatch_metrics.json": cloudWatch(metric("ReadIOPS")),
    "aws_performance_insights.json": JSON.stringify(insights),
    "aws_rds_events.json": `{"events":[]}`,
    "app.log": "fine",
    "logs/worker.log": "fine",
    "config.yaml": "a: 1",
    "baseline.yaml": "a: 1"
  }

  it.effect("is never opened, and neither is a link to it", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* Folder.make({ ...Object.fromEntries(forbidden.map((name) => [name, poison])), ...evidence })
      yield* fs.symlink(`${folder}/answer.yml`, `${folder}/link.log`)
      yield* fs.symlink(`${folder}/answer.yml`, `${folder}/app.log.1`)
      yield* fs.symlink(`${folder}/answer.yml`, `${folder}/metrics.json`)
      yield* fs.symlink(`${folder}/answer.yml`, `${folder}/logs/link.log`)
      const opened = new Set<string>()
      const read = Effect.all([
        readMetrics(folder),
        readLogs(folder),
        readSettings(folder),
        CaseFolder.request(folder)
      ])
      const found = yield* Effect.provide(read, layerNoting(opened))
      assert.sameMembers([...opened], Object.keys(evidence).map((name) => `${folder}/${name}`))
      assert.notInclude(JSON.stringify(found), poison)
      assert.deepStrictEqual(
        found[0].gaps.map((gap) => gap.detail),
        ["app.log.1", "link.log", "metrics.json", "logs/link.log"].map((name) =>
          `${folder}/${name} is a link and was not followed`
        )
      )
    }).pipe(Effect.provide(NodeServices.layer)))
})
