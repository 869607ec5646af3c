/**
 * What was reported about a recorded incident: the words an operator was given, and where to look.
 *
 * An alert also carries labels that may name the fault itself. Fields are taken from a list and none besides, so that no
 * label can slip through. The text is untrusted.
 */
import { Effect, type FileSystem, type Path, Schema } from "effect"
import * as Source from "../../src/agents/advisor/Source.ts"
import * as Evidence from "./Evidence.ts"
import * as Json from "./Json.ts"
import * as Points from "./Points.ts"

/** `at` is epoch milliseconds, `resource` the instance that the alert names. */
export interface Request {
  readonly title: string
  readonly description: string
  readonly at?: number
  readonly resource?: string
}

/** Reads `alert.json` of the folder. */
export const request = Effect.fn("Request.request")(function*(
  directory: string
): Effect.fn.Return<Request, Source.SourceError, FileSystem.FileSystem | Path.Path> {
  const file = yield* Evidence.alert(directory)
  const alert = yield* Effect.mapError(
    Json.read(file, Alert, "an alert"),
    (reason) => new Source.SourceError({ source: file, reason })
  )
  const said = alert.commonAnnotations ?? {}
  const resource = said.db_instance_identifier ?? said.instance
  const where = [resource, said.cloudwatch_region].filter(isSaid).join(", ")
  const description = [
    said.summary,
    isSaid(said.error) ? `Error: ${said.error}` : undefined,
    isSaid(said.suspected_symptom) ? `Suspected symptom: ${said.suspected_symptom}` : undefined,
    where === "" ? undefined : `Where: ${where}`
  ]
  const at = Points.toInstant(alert.startsAt)
  return {
    title: alert.title.replace(leadingTags, ""),
    description: description.filter(isSaid).join("\n"),
    ...(at === undefined ? {} : { at }),
    ...(isSaid(resource) ? { resource } : {})
  }
})

// internal

/** The fields passed on; decoding drops every other. */
const Alert = Schema.Struct({
  title: Schema.String,
  startsAt: Schema.optionalKey(Schema.String),
  commonAnnotations: Schema.optionalKey(Schema.Struct({
    summary: Schema.optionalKey(Schema.String),
    error: Schema.optionalKey(Schema.String),
    suspected_symptom: Schema.optionalKey(Schema.String),
    db_instance_identifier: Schema.optionalKey(Schema.String),
    instance: Schema.optionalKey(Schema.String),
    cloudwatch_region: Schema.optionalKey(Schema.String)
  }))
})

/** Tags of the system that sent the alert: `[staging] [P1] Disk full` is "Disk full". */
const leadingTags = /^(?:\s*\[[^\]]*\])+\s*/

const isSaid = (text: string | undefined): text is string => text !== undefined && text.trim() !== ""
