/**
 * Events of RDS as log entries.
 *
 * The level comes from the event's categories, never from its text. Source: Amazon RDS User Guide, "Amazon RDS event
 * categories and event messages". Messages are untrusted text.
 */
import { Schema } from "effect"
import type * as Source from "../../src/agents/advisor/Source.ts"
import * as Points from "./Points.ts"

/** A recording of events. */
export const Document = Schema.Struct({
  events: Schema.Array(Schema.Struct({
    date: Schema.String,
    message: Schema.String,
    event_categories: Schema.optionalKey(Schema.Array(Schema.String))
  }))
})
export type Document = typeof Document.Type

/** The events in `window`, and those whose time cannot be read. */
export const toEntries = (document: Document, window: Source.Window): ReadonlyArray<Source.LogEntry> =>
  document.events.flatMap(({ date, event_categories = [], message }) => {
    const at = Points.toInstant(date) ?? null
    if (at !== null && !Points.isWithin(window, at)) return []
    return [{ at, level: levelOf(event_categories), source: "aws_rds_events", message }]
  })

// internal

/** What broke, then what may break or was interrupted; all other categories inform. */
const levelOf = (categories: ReadonlyArray<string>): Source.LogEntry["level"] => {
  if (categories.some((category) => errors.has(category))) return "error"
  return categories.some((category) => warnings.has(category)) ? "warn" : "info"
}

const errors = new Set(["failure"])
const warnings = new Set(["low storage", "warning", "failover", "global failover", "recovery"])
