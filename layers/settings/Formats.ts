/**
 * The formats of configuration files, read into plain values.
 *
 * What a parser says about broken text may quote that text, secrets included; so only the line and a fixed word of what is
 * wrong are passed on.
 */
import { Array as Arr, Option, Predicate, Result } from "effect"
import { Ini, Toml } from "effect/encoding"
import { parseEnv } from "node:util"
import { LineCounter, parseAllDocuments } from "yaml"

/** `env` is `KEY=value` lines; `ini` also covers `postgresql.conf` and `my.cnf`. */
export type Format = "yaml" | "json" | "toml" | "ini" | "env"

/** The values as objects, arrays, strings, numbers, booleans, null and Dates; `skippedLines` were not understood. */
export interface Parsed {
  readonly value: unknown
  readonly skippedLines: ReadonlyArray<number>
}

/** Where the text breaks the rules of its format; `line` counts from 1. */
export interface Broken {
  readonly line: Option.Option<number>
  readonly problem: string
}

/** The format that a file's name stands for. */
export const ofName = (path: string): Option.Option<Format> => {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1).toLowerCase()
  if (/^\.env(\.|$)/.test(name)) return Option.some("env")
  return Option.fromUndefinedOr(extensions.get(name.slice(name.lastIndexOf(".") + 1)))
}

/** Reads `text` in `format`. */
export const parse = (format: Format, text: string): Result.Result<Parsed, Broken> => parsers[format](text)

// internal

type Parser = (text: string) => Result.Result<Parsed, Broken>

const extensions = new Map<string, Format>([
  ["yaml", "yaml"],
  ["yml", "yaml"],
  ["json", "json"],
  ["toml", "toml"],
  ["ini", "ini"],
  ["cfg", "ini"],
  ["cnf", "ini"],
  ["conf", "ini"],
  ["env", "env"]
])

const whole = (value: unknown): Parsed => ({ value, skippedLines: [] })

/** Every scalar stays as it is written, so that `1.10` is not `1.1`. Several documents are read as a list of them. */
const yaml: Parser = (text) => {
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, { schema: "failsafe", merge: true, prettyErrors: false, lineCounter })
  if (!Arr.isArray(documents)) return Result.succeed(whole(null))
  const error = documents.flatMap((document) => document.errors)[0]
  if (error !== undefined) {
    const problem = error.code.toLowerCase().replaceAll("_", " ")
    return Result.fail({ line: Option.some(lineCounter.linePos(error.pos[0]).line), problem })
  }
  return Result.try({
    try: () => {
      const values = documents.map((document): unknown => document.toJS())
      return whole(values.length > 1 ? values : values[0])
    },
    catch: () => ({ line: Option.none(), problem: "an alias without its anchor, or too many aliases" })
  })
}

const json: Parser = (text) =>
  Result.try({
    try: () => whole(JSON.parse(text)),
    catch: (error) => ({ line: Option.orElse(lineIn(error), () => lineOfJsonError(text)), problem: "not JSON" })
  })

const toml: Parser = (text) =>
  Result.mapBoth(Toml.parse(text), {
    onSuccess: whole,
    onFailure: (error) => ({ line: lineIn(error), problem: "not TOML" })
  })

const ini: Parser = (text) =>
  Result.succeed({
    value: Ini.parse(text),
    skippedLines: linesWhere(text, (line) => line.startsWith("[") && !/^\[[^\]]*\]\s*$/.test(line))
  })

const env: Parser = (text) => {
  const rest = text.replace(assignment, (match) => match.replace(/[^\n]/g, ""))
  return Result.succeed({ value: parseEnv(text), skippedLines: linesWhere(rest, (line) => /^\s*[^\s#]/.test(line)) })
}

const parsers: Readonly<Record<Format, Parser>> = { yaml, json, toml, ini, env }

/** `KEY=value`, where a quoted value may run over several lines and a comment may follow it. */
const assignment =
  /^[ \t]*(?:export[ \t]+)?[\w.-]+[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`|(?!["'`])[^\n]*)[ \t]*(?:#[^\n]*)?$/gm

const linesWhere = (text: string, is: (line: string) => boolean): ReadonlyArray<number> =>
  text.split("\n").flatMap((line, index) => is(line) ? [index + 1] : [])

/** Parsers that name the line name it this way, after the text they quote. */
const lineIn = (error: unknown): Option.Option<number> => {
  const message = Predicate.hasProperty(error, "message") ? String(error.message) : ""
  return Option.map(Option.fromNullishOr(/.*\bline (\d+)/s.exec(message)?.[1]), Number)
}

/** JSON is YAML, whose parser knows where it stopped. */
const lineOfJsonError = (text: string): Option.Option<number> => {
  if (text.trim() === "") return Option.some(1)
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, { schema: "json", prettyErrors: false, lineCounter })
  const error = Arr.isArray(documents) ? documents.flatMap((document) => document.errors)[0] : undefined
  return error === undefined ? Option.none() : Option.some(lineCounter.linePos(error.pos[0]).line)
}
