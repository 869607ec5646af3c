/**
 * How severe a log line says it is.
 *
 * A level is a word where writers put levels: after `level=`, in brackets, in capitals, or before a colon. The word
 * "error" inside a sentence is no level.
 */
import type * as Source from "../../src/agents/advisor/Source.ts"

export type Level = Source.LogEntry["level"]

/** The level a word or a number names (`warning`, `E`, 50 of pino, 3 of syslog); `unknown` for any other. */
export const fromName = (name: string | number): Level =>
  typeof name === "number" ? fromNumber(name) : names.get(name.toLowerCase()) ?? "unknown"

/** The level of a syslog priority or severity, 0 to 191 (RFC 5424 §6.2.1). */
export const fromPriority = (priority: number): Level => severities[priority & 7] ?? "unknown"

/** The level of an HTTP answer: the server's failures are errors, the client's are warnings. */
export const fromStatus = (status: number): Level => status >= 500 ? "error" : status >= 400 ? "warn" : "info"

/** The level written in the head of a line; `unknown` when there is none. */
export const find = (line: string): Level => {
  const head = line.length > headLength ? line.slice(0, headLength) : line
  const match = labelled.exec(head) ?? bracketed.exec(head) ?? capitals.exec(head) ?? beforeColon.exec(head)
  return match?.[1] === undefined ? "unknown" : fromName(match[1])
}

// internal

/** A level further into a line than this is part of the message. */
const headLength = 200

const names = new Map<string, Level>([
  ["trace", "trace"],
  ["finest", "trace"],
  ["debug", "debug"],
  ["fine", "debug"],
  ["d", "debug"],
  ["info", "info"],
  ["information", "info"],
  ["notice", "info"],
  ["note", "info"],
  ["log", "info"],
  ["hint", "info"],
  ["detail", "info"],
  ["context", "info"],
  ["statement", "info"],
  ["system", "info"],
  ["i", "info"],
  ["warn", "warn"],
  ["warning", "warn"],
  ["w", "warn"],
  ["error", "error"],
  ["err", "error"],
  ["severe", "error"],
  ["e", "error"],
  ["fatal", "fatal"],
  ["crit", "fatal"],
  ["critical", "fatal"],
  ["alert", "fatal"],
  ["emerg", "fatal"],
  ["emergency", "fatal"],
  ["panic", "fatal"],
  ["f", "fatal"]
])

const severities: ReadonlyArray<Level> = ["fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug"]

/** Pino and bunyan count 10 (trace) to 60 (fatal); what is below counts as syslog does. */
const tens: ReadonlyArray<Level> = ["trace", "debug", "info", "warn", "error", "fatal"]
const fromNumber = (value: number): Level => (value < 8 ? severities[value] : tens[value / 10 - 1]) ?? "unknown"

const words = "trace|debug|info|notice|note|warn|warning|error|err|severe|crit|critical|alert|emerg|fatal|panic|system"

const labelled = /\b(?:level|lvl|severity)=["']?([a-z]+)/i
const bracketed = new RegExp(String.raw`[[<(|](?:[\w.-]+:)?(${words})[\]>)|]`, "i")
/** PostgreSQL's own words count only with their colon. */
const capitals = new RegExp(
  String.raw`(?:^|[^\w/.-])(${words.toUpperCase()}|(?:LOG|HINT|DETAIL|CONTEXT|STATEMENT)(?=:))(?![\w/.-])`
)
const beforeColon = /(?:^|[:\]]\s+)(trace|debug|info|notice|warn|warning|error|fatal|critical|panic)\s*:/i
