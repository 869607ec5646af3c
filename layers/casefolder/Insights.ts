/**
 * Performance Insights of RDS: the load of a database, and what the load was made of.
 *
 * Load counts average active sessions. The breakdown by statement, wait and user is an average over the recorded time; it
 * stands as one reading at its end. Statements are untrusted text.
 */
import { Schema } from "effect"
import type * as Source from "../../src/agents/advisor/Source.ts"
import * as Points from "./Points.ts"

const Share = Schema.Struct({ name: Schema.String, db_load_avg: Schema.Finite })

/** A recording of one database. */
export const Document = Schema.Struct({
  db_instance_identifier: Schema.String,
  start_time: Schema.String,
  end_time: Schema.String,
  db_load: Schema.optionalKey(
    Schema.Struct({ timestamps: Schema.Array(Schema.String), values: Schema.Array(Schema.NullOr(Schema.Finite)) })
  ),
  top_sql: Schema.optionalKey(Schema.Array(Schema.Struct({
    statement: Schema.String,
    db_load_avg: Schema.Finite,
    calls_per_sec: Schema.optionalKey(Schema.Finite),
    wait_events: Schema.optionalKey(Schema.Array(Share))
  }))),
  top_wait_events: Schema.optionalKey(Schema.Array(Share)),
  top_users: Schema.optionalKey(Schema.Array(Share)),
  top_hosts: Schema.optionalKey(Schema.Array(Schema.Struct({ id: Schema.String, db_load_avg: Schema.Finite })))
})
export type Document = typeof Document.Type

/** The series of a recording in `window`; an average counts where its time touches the window. */
export const toSeries = (
  document: Document,
  window: Source.Window
): { readonly series: ReadonlyArray<Source.Series>; readonly gaps: ReadonlyArray<Source.Gap> } => {
  const load = document.db_load ?? { timestamps: [], values: [] }
  const { lost, points } = Points.pair(load.timestamps, load.values, { divisor: 1, window })
  const start = Points.toInstant(document.start_time)
  const end = Points.toInstant(document.end_time)
  const measured = series("db.load", document.db_instance_identifier, "sessions", points)
  if (start === undefined || end === undefined) {
    return { series: [measured], gaps: [gap("the recorded time cannot be read, so its averages were left out")] }
  }
  const at = Points.isWithin(window, start, end) ? end : undefined
  return {
    series: at === undefined ? [measured] : [measured, ...averages(document, at)],
    gaps: lost === 0 ? [] : [gap(`${lost} reading(s) of the load have no time or no value that can be read`)]
  }
}

// internal

const origin = "aws_performance_insights"

const series = (
  signal: Source.Signal,
  resource: string,
  unit: Source.Unit,
  points: ReadonlyArray<Source.Point>
): Source.Series => ({ signal, resource, unit, origin, points })

const averages = (document: Document, at: number): ReadonlyArray<Source.Series> => {
  const load = (signal: Source.Signal, resource: string, value: number) =>
    series(signal, resource, "sessions", [{ at, value }])
  const statements = document.top_sql ?? []
  return [
    ...statements.map((one) => load("db.load_by_statement", one.statement, one.db_load_avg)),
    ...statements.flatMap(({ statement, wait_events = [] }) =>
      wait_events.map((wait) => load("db.load_by_wait", `${wait.name} @ ${statement}`, wait.db_load_avg))
    ),
    ...statements.flatMap(({ calls_per_sec, statement }) =>
      calls_per_sec === undefined
        ? []
        : [series("other:calls_per_sec", statement, "1/s", [{ at, value: calls_per_sec }])]
    ),
    ...(document.top_wait_events ?? []).map((wait) => load("db.load_by_wait", wait.name, wait.db_load_avg)),
    ...(document.top_users ?? []).map((user) => load("db.load_by_user", user.name, user.db_load_avg)),
    ...(document.top_hosts ?? []).map((host) => load("other:db.load_by_host", host.id, host.db_load_avg))
  ]
}

const gap = (detail: string): Source.Gap => ({ source: origin, detail, remedy: "record Performance Insights again" })
