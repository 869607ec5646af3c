/**
 * Checks by Ajv, of schemas that strangers wrote. Making a check and using one both stop after a bounded time, whatever the
 * schema unfolds to and whatever its patterns make of a text. A check whose work is bounded by the sizes of schema and value
 * needs no watchdog and has none: a watchdog is a thread for each use. A reference that leads out of the schema is not
 * followed, and a dialect that is not known is not guessed. Formats are annotations and are not checked.
 * Source: JSON Schema 2020-12, Validation §7.2.1.
 */
import { Ajv, type AnySchema, type Options, type ValidateFunction } from "ajv"
import { Ajv2019 } from "ajv/dist/2019.js"
import { Ajv2020 } from "ajv/dist/2020.js"
import { Layer, Result, type Schema } from "effect"
import { createContext, Script } from "node:vm"
import { McpChecker, type McpUncheckable } from "../../src/mcp/index.ts"

/** The longest that one check, or the making of one, may take: nothing else runs meanwhile. */
export const timeoutMs = 2000

/** Checks of three dialects; 2020-12 for schemas that name none. */
export const layer: Layer.Layer<McpChecker> = Layer.sync(McpChecker, () => {
  const within = stopwatch()
  const compile = (dialect: Dialect, schema: Schema.Json): ValidateFunction => {
    // Its own instance: nothing that one schema names is there for another.
    const { judge, Maker } = dialect
    if (judge.validateSchema(schema as AnySchema) !== true) return notASchema(judge.errorsText())
    return new Maker({ ...options, meta: false, validateSchema: false }).compile(schema as AnySchema)
  }
  return {
    compile: (schema) =>
      Result.flatMap(
        dialectOf(schema),
        ({ dialect, plain }) =>
          Result.map(within(() => compile(dialect, plain)), (validate) => {
            const size = sizeOf(plain)
            return (value: Schema.Json) =>
              Result.match(
                size * textSize(value) <= maxSteps ? attempt(() => validate(value)) : within(() => validate(value)),
                {
                  onFailure: ({ detail }) => `it cannot be checked: ${detail}`,
                  onSuccess: (fits) => {
                    const [error] = validate.errors ?? []
                    return fits ? undefined : told(error?.instancePath ?? "", error?.message ?? "it does not fit")
                  }
                }
              )
          })
      )
  }
})

// internal

const options: Options = {
  strict: false,
  validateFormats: false,
  addUsedSchema: false,
  ownProperties: true,
  logger: false
}

type Maker = typeof Ajv | typeof Ajv2019 | typeof Ajv2020

/** A dialect: what says whether a schema is one, and what makes checks of it. */
interface Dialect {
  readonly name: RegExp
  readonly Maker: Maker
  readonly judge: Ajv
}

const dialect = (name: RegExp, Maker: Maker): Dialect => {
  const judge = new Maker(options)
  // What it takes to be ready is not to be counted among what a stranger's schema takes.
  judge.validateSchema({})
  return { name, Maker, judge }
}

const newest = dialect(/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, Ajv2020)
const dialects: ReadonlyArray<Dialect> = [
  newest,
  dialect(/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, Ajv2019),
  dialect(/^https?:\/\/json-schema\.org\/draft-07\/schema#?$/, Ajv)
]

const dialectOf = (
  schema: Schema.Json
): Result.Result<{ readonly dialect: Dialect; readonly plain: Schema.Json }, McpUncheckable> => {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    return Result.succeed({ dialect: newest, plain: schema })
  }
  const { $schema, ...plain } = schema as Schema.JsonObject
  if ($schema === undefined) return Result.succeed({ dialect: newest, plain })
  const known = dialects.find(({ name }) => typeof $schema === "string" && name.test($schema))
  return known === undefined
    ? Result.fail({ detail: "its dialect is not known", isSlow: false })
    : Result.succeed({ dialect: known, plain })
}

const notASchema = (why: string): never => {
  // eslint-disable-next-line no-throw-literal -- the caller turns it into a value
  throw new Error(`it is no schema: ${why}`)
}

const told = (path: string, message: string) => path === "" ? message : `${path} ${message}`

/** Characters of a schema times characters of a value that are checked without a watchdog: milliseconds at the most. */
const maxSteps = 10_000_000

/**
 * Keywords by which a check may take longer than schema times value. Under all others of the dialects each part of the
 * schema meets each place of the value once at the most: a subschema has one parent, and a place has one.
 */
const unbounded = new Set(["$ref", "$dynamicRef", "$recursiveRef", "pattern", "patternProperties", "uniqueItems"])

/** Characters of a schema; infinite when its size bounds nothing. A property that is named like a keyword counts as one. */
const sizeOf = (schema: Schema.Json): number => {
  const isBounded = (part: Schema.Json): boolean =>
    typeof part !== "object" || part === null ||
    Object.entries(part).every(([name, member]) => !unbounded.has(name) && isBounded(member))
  return isBounded(schema) ? textSize(schema) : Infinity
}

const textSize = (value: Schema.Json): number => JSON.stringify(value).length

const attempt = <A>(code: () => A): Result.Result<A, McpUncheckable> =>
  Result.try({
    try: code,
    catch: (error) => ({ detail: error instanceof Error ? error.message.slice(0, 300) : "unknown", isSlow: false })
  })

/** How often code is run that was stopped because the machine was busy elsewhere. */
const maxRuns = 5
/** What an honest schema gets by with, of the processor's time. */
const enoughMs = 500

/** Runs code that nothing else could stop, and stops it. */
const stopwatch = () => {
  const script = new Script("run()")
  const scope: { run?: () => void } = {}
  const context = createContext(scope)
  const late = Result.fail<McpUncheckable>({ detail: `it takes longer than ${timeoutMs} ms`, isSlow: true })
  const within = <A>(code: () => A, run = 1, spentMs = 0): Result.Result<A, McpUncheckable> => {
    let made: Result.Result<A, McpUncheckable> = late
    scope.run = () => {
      made = attempt(code)
    }
    const before = process.cpuUsage()
    const isInTime = Result.isSuccess(
      Result.try((): unknown => script.runInContext(context, { timeout: timeoutMs }))
    )
    if (isInTime) return made
    const { system, user } = process.cpuUsage(before)
    const workedMs = spentMs + (system + user) / 1000
    // The stop goes by the clock on the wall; code that had no time to work has not shown that it needs more.
    return workedMs < enoughMs && run < maxRuns ? within(code, run + 1, workedMs) : late
  }
  return <A>(code: () => A) => within(code)
}
