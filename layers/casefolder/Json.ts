/**
 * A JSON file decoded by a schema, with errors that say where and never quote.
 */
import { Effect, type FileSystem, Option, Result, Schema, SchemaIssue } from "effect"
import * as Source from "../../src/agents/advisor/Source.ts"
import { Formats, TextFile } from "../settings/index.ts"

/** Bytes of one file of evidence. */
export const maxFileBytes = 67_108_864

/** Reads `path`; what is missing, is not JSON, or has another shape than `what`, is a reason. */
export const read = Effect.fn("Json.read")(function*<A>(
  path: string,
  schema: Schema.Decoder<A>,
  what: string
): Effect.fn.Return<A, Source.Unreachable | Source.Unreadable, FileSystem.FileSystem> {
  const text = yield* TextFile.read(path, maxFileBytes)
  const parsed = Formats.parse("json", text)
  if (Result.isFailure(parsed)) {
    const line = Option.match(parsed.failure.line, { onNone: () => "", onSome: (line) => ` at line ${line}` })
    return yield* new Source.Unreadable({ detail: `${path} is not JSON${line}`, remedy: `record ${path} again` })
  }
  return yield* Schema.decodeUnknownEffect(schema)(parsed.success.value).pipe(
    Effect.mapError((error) =>
      new Source.Unreadable({
        detail: `${path} is not ${what}, at ${placeOf(error.issue)}`,
        remedy: `record ${path} again, or correct it there`
      })
    )
  )
})

// internal

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const placeOf = (issue: SchemaIssue.Issue): string => {
  const path = formatIssue(issue).issues[0]?.path ?? []
  return path.length === 0 ? "its top" : path.map((key) => String(typeof key === "object" ? key.key : key)).join(".")
}
