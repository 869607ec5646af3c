/**
 * What one line of a log says: when, how severe, and what.
 *
 * A line that opens with `{` is read as JSON where it is JSON, anything else as text. Nothing is refused: a line in no
 * known format is a message without a time. All of it is untrusted.
 */
import { Predicate, Result } from "effect"
import type * as Source from "../../src/agents/advisor/Source.ts"
import * as Level from "./Level.ts"
import * as Time from "./Time.ts"

/** A line taken apart. `message` is without its time where the time stands first, else the whole line. */
export type Said = Pick<Source.LogEntry, "at" | "level" | "message">

/** Makes the function that takes lines of one file apart. */
export const makeParser = (context: Time.Context): (line: string) => Said => {
  const findTime = Time.makeFinder(context)
  return (line) => (line.startsWith("{") ? fromJson(line, findTime) : undefined) ?? fromText(line, findTime)
}

// internal

type FindTime = ReturnType<typeof Time.makeFinder>

const fromText = (line: string, findTime: FindTime): Said => {
  const stamp = findTime(line)
  const before = stamp === undefined ? "" : line.slice(0, stamp.start)
  const message = stamp !== undefined && opening.test(before)
    ? line.slice(stamp.end).replace(separator, "")
    : line
  return { at: stamp?.at ?? null, level: levelOf(line, before, message), message }
}

const levelOf = (line: string, before: string, message: string): Level.Level => {
  const priority = priorityMark.exec(line)
  if (priority !== null) return Level.fromPriority(Number(priority[1]))
  if (before.length === 1 && before !== "[") return Level.fromName(before)
  const status = before.endsWith("[") ? accessStatus.exec(message) : null
  return status === null ? Level.find(message) : Level.fromStatus(Number(status[1]))
}

/** What may stand before a time that opens a line: a syslog priority and version, klog's letter, a bracket or quote. */
const opening = /^(?:<\d{1,3}>(?:\d{1,2} )?|[DIWEF])?[\s[("']*$/
const separator = /^["')\]]*[\s:,|]*(?:- )?/
const priorityMark = /^<(\d{1,3})>/
/** The end of a request in the common log format: `HTTP/1.1" 502 157`. */
const accessStatus = /" (\d{3}) (?:\d+|-)(?:\s|$)/

const timeKeys = ["time", "ts", "timestamp", "@timestamp", "datetime", "__REALTIME_TIMESTAMP"]
const levelKeys = ["level", "severity", "lvl", "log.level", "loglevel"]
const messageKeys = ["message", "msg", "log", "MESSAGE", "event"]
const causeKeys = ["error", "err", "exception", "cause"]

type Fields = { readonly [key: PropertyKey]: unknown }

const fromJson = (line: string, findTime: FindTime): Said | undefined => {
  const json = Result.try((): unknown => JSON.parse(line))
  if (Result.isFailure(json) || !Predicate.isObject(json.success)) return undefined
  const fields = json.success
  const message = jsonMessage(fields) ?? line
  return { at: jsonTime(fields, findTime), level: jsonLevel(fields, message), message }
}

const jsonMessage = (fields: Fields): string | undefined => {
  const said = first(fields, messageKeys, Predicate.isString)?.trimEnd()
  const cause = first(fields, causeKeys, Predicate.isNotNullish)
  const why = Predicate.isObject(cause) ? cause["message"] : cause
  return said === undefined || !Predicate.isString(why) || why === said ? said : `${said}: ${why}`
}

const jsonTime = (fields: Fields, findTime: FindTime): number | null => {
  const value = first(fields, timeKeys, isNumberOrString)
  if (value === undefined) return null
  const count = Number(value)
  return (Number.isFinite(count) ? Time.fromEpoch(count) : findTime(String(value))?.at) ?? null
}

const jsonLevel = (fields: Fields, message: string): Level.Level => {
  const named = first(fields, levelKeys, isNumberOrString)
  if (named !== undefined) return Level.fromName(named)
  // Elastic's schema nests it, journald counts as syslog does, Docker wraps a line that has its own.
  const nested = Predicate.isObject(fields["log"]) ? fields["log"]["level"] : undefined
  if (Predicate.isString(nested)) return Level.fromName(nested)
  const priority = fields["PRIORITY"]
  return isNumberOrString(priority) ? Level.fromPriority(Number(priority)) : Level.find(message)
}

const isNumberOrString = Predicate.or(Predicate.isNumber, Predicate.isString)

const first = <A>(
  fields: Fields,
  keys: ReadonlyArray<string>,
  is: (value: unknown) => value is A
): A | undefined => {
  for (const key of keys) {
    const value = fields[key]
    if (is(value)) return value
  }
  return undefined
}
