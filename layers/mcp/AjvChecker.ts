/**
 * Checks by Ajv, of schemas that strangers wrote. Making a check and using one both stop after a bounded time, whatever the
 * schema unfolds to and whatever its patterns make of a text. A reference that leads out of the schema is not followed, and
 * a dialect that is not known is not guessed. Formats are annotations and are not checked.
 * Source: JSON Schema 2020-12, Validation §7.2.1.
 */
import { Ajv, type AnySchema, type Options } from "ajv"
import { Ajv2019 } from "ajv/dist/2019.js"
import { Ajv2020 } from "ajv/dist/2020.js"
import { Layer, Result, type Schema } from "effect"
import { createContext, Script } from "node:vm"
import { Checker, type Uncheckable } from "../../src/mcp/index.ts"

/** The longest that one check, or the making of one, may take: nothing else runs meanwhile. */
export const timeoutMs = 2000

/** Checks of three dialects; 2020-12 for schemas that name none. */
export const layer: Layer.Layer<Checker> = Layer.sync(Checker, () => {
  const within = stopwatch()
  return {
    compile: (schema) =>
      Result.flatMap(dialectOf(schema), (Dialect) => {
        const made = within(() => new Dialect(options).compile(schema as AnySchema)) // Ajv says when it is none.
        return Result.map(made, (validate) => (value: Schema.Json) =>
          Result.match(within(() => validate(value)), {
            onFailure: ({ detail }) => `it cannot be checked: ${detail}`,
            onSuccess: (fits) => {
              const [error] = validate.errors ?? []
              return fits ? undefined : told(error?.instancePath ?? "", error?.message ?? "it does not fit")
            }
          }))
      })
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

const dialects: ReadonlyArray<readonly [RegExp, typeof Ajv | typeof Ajv2019 | typeof Ajv2020]> = [
  [/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, Ajv2020],
  [/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, Ajv2019],
  [/^https?:\/\/json-schema\.org\/draft-07\/schema#?$/, Ajv]
]

const dialectOf = (schema: Schema.Json) => {
  const named = typeof schema === "object" && schema !== null && "$schema" in schema ? schema["$schema"] : undefined
  if (named === undefined) return Result.succeed(Ajv2020)
  const known = dialects.find(([name]) => typeof named === "string" && name.test(named))
  return known === undefined
    ? Result.fail({ detail: "its dialect is not known", isSlow: false })
    : Result.succeed(known[1])
}

const told = (path: string, message: string) => path === "" ? message : `${path} ${message}`

/** Runs code that nothing else could stop, and stops it. */
const stopwatch = () => {
  const script = new Script("run()")
  const scope: { run?: () => void } = {}
  const context = createContext(scope)
  const late = Result.fail<Uncheckable>({ detail: `it takes longer than ${timeoutMs} ms`, isSlow: true })
  return <A>(code: () => A): Result.Result<A, Uncheckable> => {
    let made: Result.Result<A, Uncheckable> = late
    scope.run = () => {
      made = Result.try({
        try: code,
        catch: (error) => ({ detail: error instanceof Error ? error.message.slice(0, 300) : "unknown", isSlow: false })
      })
    }
    return Result.match(Result.try((): unknown => script.runInContext(context, { timeout: timeoutMs })), {
      onFailure: () => late,
      onSuccess: () => made
    })
  }
}
