/**
 * Which files of a recorded incident are evidence.
 *
 * Only names on this list are ever opened: a folder may also hold the answer to its own incident. Links are not followed,
 * since they could lead to what is not on the list.
 */
import { Effect, FileSystem, Path } from "effect"
import * as Source from "../../src/agents/advisor/Source.ts"
import { Access } from "../logfiles/index.ts"

/** The evidence of one incident, as paths; `gaps` names what looked like evidence and could not be taken. */
export interface Evidence {
  readonly directory: string
  readonly cloudWatch: ReadonlyArray<string>
  readonly insights: ReadonlyArray<string>
  readonly series: ReadonlyArray<string>
  readonly events: ReadonlyArray<string>
  readonly logs: ReadonlyArray<string>
  readonly config: ReadonlyArray<string>
  readonly baseline: ReadonlyArray<string>
  readonly gaps: ReadonlyArray<Source.Gap>
}

/** Lists the evidence in `directory`; fails where there is none. */
export const list = Effect.fn("Evidence.list")(function*(
  directory: string
): Effect.fn.Return<Evidence, Source.SourceError, FileSystem.FileSystem | Path.Path> {
  const path = yield* Path.Path
  const top = yield* entries(directory)
  const hasLogs = top.some((entry) => entry.name === logsFolder && entry.type === "Directory")
  const below = hasLogs ? yield* entries(path.join(directory, logsFolder)) : []
  const named = (pattern: RegExp) => namesOf(top, pattern).map((name) => path.join(directory, name))
  const evidence = {
    cloudWatch: named(names.cloudWatch),
    insights: named(names.insights),
    series: named(names.series),
    events: named(names.events),
    logs: [
      ...named(names.log),
      ...namesOf(below, names.logInFolder).map((name) => path.join(directory, logsFolder, name))
    ],
    config: named(names.config),
    baseline: named(names.baseline)
  }
  if (Object.values(evidence).every((paths) => paths.length === 0)) return yield* noEvidence(directory)
  const links = [
    ...linksOf(top).map((name) => path.join(directory, name)),
    ...linksOf(below).map((name) => path.join(directory, logsFolder, name))
  ]
  return { directory, ...evidence, gaps: links.map((link) => Access.gap(link, notFollowed(link))) }
})

/** The path of the alert that opened the incident; whether there is one shows when it is read. */
export const alert = Effect.fn("Evidence.alert")(function*(
  directory: string
): Effect.fn.Return<string, Source.SourceError, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(directory, "alert.json")
  const isLink = yield* Effect.match(fs.readLink(file), { onSuccess: () => true, onFailure: () => false })
  return isLink ? yield* new Source.SourceError({ source: file, reason: notFollowed(file) }) : file
})

// internal

const logsFolder = "logs"

/** The allow-list. Of a metric's file only the name says which metric; `_envelope` repeats what each file says itself. */
const names = {
  cloudWatch: /^aws_cloudwatch_metrics(?:_(?!envelope)[A-Za-z0-9]+)?\.json$/,
  insights: /^aws_performance_insights\.json$/,
  series: /^metrics\.json$/,
  events: /^aws_rds_events\.json$/,
  log: /^[\w-][\w.-]*\.log(?:[.-]\d[\d.-]*|\.old)?(?:\.gz)?$/,
  logInFolder: /^[\w-][\w.-]*\.(?:log|jsonl|ndjson)(?:[.-]\d[\d.-]*|\.old)?(?:\.gz)?$/,
  config: /^config\.(?:ya?ml|json|toml|ini|conf|env)$/,
  baseline: /^baseline\.(?:ya?ml|json|toml|ini|conf|env)$/
}

const linksOf = (entries: ReadonlyArray<FileSystem.DirectoryEntry>): ReadonlyArray<string> =>
  entries
    .filter(({ name, type }) => type === "SymbolicLink" && Object.values(names).some((pattern) => pattern.test(name)))
    .map((entry) => entry.name)
    .toSorted()

const namesOf = (entries: ReadonlyArray<FileSystem.DirectoryEntry>, pattern: RegExp): ReadonlyArray<string> =>
  entries.filter((entry) => entry.type === "File" && pattern.test(entry.name)).map((entry) => entry.name).toSorted()

const entries = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.mapError(
    fs.readDirectoryEntries(directory),
    (error) => new Source.SourceError({ source: `case:${directory}`, reason: Access.unreachable(directory, error) })
  )
})

const noEvidence = (directory: string) =>
  new Source.SourceError({
    source: `case:${directory}`,
    reason: new Source.Unreadable({
      detail: `${directory} holds no evidence of an incident`,
      remedy: "give it metrics.json, *.log files, a logs folder, config.yaml, or CloudWatch metrics, RDS events or " +
        "Performance Insights as JSON"
    })
  })

const notFollowed = (path: string) =>
  new Source.Unreadable({
    detail: `${path} is a link and was not followed`,
    remedy: `copy the file that ${path} points to into the folder`
  })
