/**
 * What a server says a tool is: name, description, schemas and annotations. It is pinned by the hash of its canonical JSON:
 * an operator approves one definition, and any other is another tool. Every word in it is a stranger's.
 */
import { Option, Result, Schema } from "effect"
import type { Digest } from "../audit/index.ts"

const JsonObject = Schema.Record(Schema.String, Schema.Json)

export const Definition = Schema.Struct({
  name: Schema.NonEmptyString.check(Schema.isMaxLength(256)),
  title: Schema.optionalKey(Schema.String),
  description: Schema.optionalKey(Schema.String),
  inputSchema: JsonObject,
  outputSchema: Schema.optionalKey(JsonObject),
  annotations: Schema.optionalKey(JsonObject),
  execution: Schema.optionalKey(JsonObject)
})
export type Definition = typeof Definition.Type

/** A definition with the hash that it is pinned by. */
export interface Pinnable {
  readonly definition: Definition
  readonly hash: Digest.Hash
  /** Its canonical JSON. */
  readonly text: string
}

/** Bytes of one definition. */
export const maxBytes = 131_072

/** A tool of a listing, as it is pinned, or what is wrong with it. Fields that are not known are not looked at. */
export const read = (digest: Digest.Digest["Service"], json: Schema.Json): Result.Result<Pinnable, string> =>
  decode(json).pipe(
    Result.mapError(({ message }) => `it is no definition of a tool: ${message.slice(0, maxComplaint)}`),
    Result.flatMap((definition) => {
      const canonical = Result.try({
        // The definition was decoded from JSON and has no other values.
        try: () => digest.canonical(definition as Schema.Json),
        catch: () => "it is no JSON that has a canonical form"
      })
      return Result.flatMap(canonical, (text) =>
        text.length > maxBytes
          ? Result.fail(`its definition is longer than ${maxBytes} characters`)
          : Result.succeed({ definition, text, hash: digest.sha256(text) }))
    })
  )

/** A definition out of its canonical JSON, as the log keeps it. */
export const parse = (text: string): Option.Option<Definition> =>
  Result.getSuccess(Result.try((): unknown => JSON.parse(text))).pipe(
    Option.flatMap((json) => Result.getSuccess(decode(json)))
  )

/** The name of a tool, as far as a listing gives one. */
export const nameIn = (json: Schema.Json): string | undefined =>
  Option.getOrUndefined(Option.map(named(json), ({ name }) => name))

/** Whether the tool can only be called as a task, which the bridge does not do. */
export const needsTask = ({ execution }: Definition): boolean => execution?.["taskSupport"] === "required"

// internal

const maxComplaint = 300
const decode = Schema.decodeUnknownResult(Definition)
const named = Schema.decodeUnknownOption(Schema.Struct({ name: Schema.String }))
