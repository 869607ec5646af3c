/**
 * A policy on labels out of a file, YAML or JSON. It is read once, where the runtime is built, and as a whole: a file with a
 * word that is not understood is no policy, and nothing is started. Its cases are for whoever tests it.
 */
import { Config, Effect, FileSystem, Layer, Option, Result, Schema, SchemaIssue } from "effect"
import { type Document, LineCounter, parseDocument } from "yaml"
import { Flowing } from "../../src/governor/index.ts"
import { Case, Flow } from "../../src/trust/index.ts"

/** The file cannot be read, or is no policy; nothing was started. */
export class PolicyFileError extends Schema.TaggedError<PolicyFileError>()("PolicyFileError", {
  file: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.detail}; ${this.remedy}`
  }
}

/** Something in a file that is no part of a policy. */
export interface Mistake {
  /** From 1. */
  readonly line: number
  readonly detail: string
  readonly remedy: string
}

/** What a file says. */
export interface Looked {
  readonly policy: Flow.Policy
  readonly cases: ReadonlyArray<Case.Case>
}

/** The variable that names the file. */
export const variable = "AOSIQ_POLICY"

/** Mistakes that are told of one file. */
export const maxMistakes = 10

/** Looks a file through; fails with the first mistakes in it. */
export const look = (text: string): Result.Result<Looked, ReadonlyArray<Mistake>> => {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter })
  const [wrong] = document.errors
  if (wrong !== undefined) {
    const detail = wrong.message.split("\n", 1)[0] ?? ""
    return Result.fail([{ line: counter.linePos(wrong.pos[0]).line, detail, remedy: "write it as YAML, or as JSON" }])
  }
  const at = (path: ReadonlyArray<PropertyKey>) => lineOf(document, counter, path)
  const decoded = decode(document.toJS())
  if (Result.isFailure(decoded)) {
    return Result.fail(
      format(decoded.failure.issue).issues.slice(0, maxMistakes).map(({ message, path = [] }) => {
        const names = path.map((part) => typeof part === "object" ? part.key : part)
        const where = names.map(String).join(".")
        return { line: at(names), detail: where === "" ? message : `${where}: ${message}`, remedy: remedyFor(names) }
      })
    )
  }
  const { cases = [], ...policy } = decoded.success
  const mistakes = unfitting(policy, at)
  return mistakes.length === 0 ? Result.succeed({ policy, cases }) : Result.fail(mistakes.slice(0, maxMistakes))
}

/** Reads a policy as it is written in a file of that name. */
export const parse = (file: string, text: string): Effect.Effect<Flow.Policy, PolicyFileError> =>
  Result.match(look(text), {
    onFailure: ([first]) => Effect.fail(unfit(file, first === undefined ? "" : `line ${first.line}: ${first.detail}`)),
    onSuccess: ({ policy }) => Effect.succeed(policy)
  })

/** The text of a file. */
export const textOf = (file: string): Effect.Effect<string, PolicyFileError, FileSystem.FileSystem> =>
  Effect.flatMap(
    FileSystem.FileSystem,
    (fs) => Effect.mapError(fs.readFileString(file), ({ reason }) => unfit(file, `it cannot be read (${reason._tag})`))
  )

/** Reads a file. */
export const read = (file: string): Effect.Effect<Flow.Policy, PolicyFileError, FileSystem.FileSystem> =>
  Effect.flatMap(textOf(file), (text) => parse(file, text))

/** The policy of the file that the environment names; where it names none, the one in force. */
export const layerConfig = Layer.effect(
  Flowing.Current,
  Effect.gen(function*() {
    const file = yield* Config.option(Config.String(variable))
    return Option.isSome(file) ? yield* read(file.value) : yield* Flowing.Current
  })
)

// internal

const File = Schema.Struct({ ...Flow.Policy.fields, cases: Schema.optionalKey(Schema.Array(Case.Case)) })
const decode = Schema.decodeUnknownResult(File, { onExcessProperty: "error", errors: "all" })
const format = SchemaIssue.makeFormatterStandardSchemaV1()
const unfit = (file: string, detail: string) =>
  new PolicyFileError({ file, detail, remedy: "see docs/guide/labels.md for what a policy says" })

/** The line of what stands there, or of the closest thing around it that does. */
const lineOf = (document: Document, counter: LineCounter, path: ReadonlyArray<PropertyKey>): number => {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    const range: unknown = typeof node === "object" && node !== null ? Reflect.get(node, "range") : undefined
    if (Array.isArray(range) && typeof range[0] === "number") return counter.linePos(range[0]).line
  }
  return 1
}

/** What fits by itself, and not with the rest. */
const unfitting = (
  { endorsed = [], rules }: Flow.Policy,
  at: (path: ReadonlyArray<PropertyKey>) => number
): ReadonlyArray<Mistake> => {
  const named = [
    ...rules.map(({ name }, index) => ({ name, line: at(["rules", index, "name"]) })),
    ...endorsed.map(({ name }, index) => ({ name, line: at(["endorsed", index, "name"]) }))
  ]
  const twice = named.filter(({ name }, index) => named.findIndex((other) => other.name === name) !== index)
  return [
    ...twice.map(({ line, name }) => ({
      line,
      detail: `two are called ${JSON.stringify(name)}`,
      remedy: "give each rule and each endorsement a name of its own"
    })),
    ...rules.flatMap(({ name, sinks, tools }, index) =>
      sinks !== undefined || tools !== undefined ? [] : [{
        line: at(["rules", index]),
        detail: `the rule ${JSON.stringify(name)} names neither tools nor sinks`,
        remedy: "say which acts it covers: by tools, by sinks, or by both"
      }]
    )
  ]
}

const remedyFor = (path: ReadonlyArray<PropertyKey>): string => {
  const known = path.includes("arguments") && path[0] === "rules"
    ? `an argument asks for one of ${Flow.asks.join(", ")}`
    : path.includes("sinks")
    ? `a sink is one of ${Flow.Sink.literals.join(", ")}`
    : path.at(-1) === "until"
    ? "write it as a date and time with its zone, like 2030-01-31T12:00Z"
    : path[0] === "cases"
    ? "a case has name, tool, sinks, args and is (allowed, asks or refused); request, read, covers and at where they matter"
    : "see docs/guide/labels.md for what a policy says"
  return known
}
