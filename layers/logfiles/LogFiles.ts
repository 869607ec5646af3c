/**
 * Log files as a source of evidence.
 *
 * Reads text logs (syslog, ISO times, nginx, Apache, PostgreSQL and their like) and JSON lines, plain or gzipped, one
 * file after the other in constant memory. A part that cannot be read is a `Gap` in the stream; only when none of the
 * paths can be read does the stream fail. Messages are untrusted text.
 */
import { DateTime, Effect, FileSystem, Layer, type Path, Stream } from "effect"
import * as Source from "../../src/agents/advisor/Source.ts"
import * as Access from "./Access.ts"
import * as Bytes from "./Bytes.ts"
import * as Entries from "./Entries.ts"
import * as Paths from "./Paths.ts"

/** Which files to read, and how. */
export interface Options {
  /** Files, folders and globs. */
  readonly paths: ReadonlyArray<string>
  /** Whether a file stands for its rotated siblings too (`app.log` for `app.log.1`, `app.log-20260101.gz`); yes unless set. */
  readonly rotated?: boolean
  /** The zone of times that name none; UTC unless set. */
  readonly zone?: DateTime.TimeZone
}

/** The logs at `options.paths` as a service. */
export const layer = (options: Options): Layer.Layer<Source.Logs, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    Source.Logs,
    Effect.map(
      Effect.context<FileSystem.FileSystem | Path.Path>(),
      (context) => Source.Logs.of({ read: ({ window }) => Stream.provideContext(read(options, window), context) })
    )
  )

/** The entries in `window` and the gaps between them; `source` of an entry is its file. */
export const read = (
  options: Options,
  window: Source.Window
): Stream.Stream<Source.LogEntry | Source.Gap, Source.SourceError, FileSystem.FileSystem | Path.Path> =>
  Stream.unwrap(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const found = yield* Paths.find(options.paths, { rotated: options.rotated ?? true })
    const refusals = [...found.refusals]
    let hasRead = false
    const markRead = Effect.sync(() => {
      hasRead = true
    })
    const readFile = (file: Paths.LogFile): Stream.Stream<Item> =>
      Bytes.read(fs, file).pipe(
        Stream.tap(() => markRead),
        Stream.onEnd(markRead),
        Stream.mapAccumArray(
          () => Entries.make(file.path, window, { zone: options.zone ?? utc, modifiedAt: file.modifiedAt }),
          (reader, chunks): readonly [Entries.Reader, ReadonlyArray<Item>] => [reader, chunks.flatMap(reader.push)],
          { onHalt: (reader) => reader.end() }
        ),
        Stream.catch((reason) => {
          refusals.push({ path: file.path, reason })
          return Stream.succeed(Access.gap(file.path, reason))
        })
      )
    return Stream.fromArray(found.refusals).pipe(
      Stream.map((refusal): Item => Access.gap(refusal.path, refusal.reason)),
      Stream.concat(Stream.flatMap(Stream.fromArray(found.files), readFile)),
      Stream.concat(Stream.suspend(() => hasRead ? Stream.empty : Stream.fail(nothingRead(options.paths, refusals))))
    )
  }))

// internal

type Item = Source.LogEntry | Source.Gap

const utc = DateTime.zoneMakeOffset(0)

/** Paths named in an error; the rest is counted. */
const maxNamed = 5

const nothingRead = (paths: ReadonlyArray<string>, refusals: ReadonlyArray<Paths.Refusal>): Source.SourceError => {
  const named = paths.slice(0, maxNamed).join(", ") + (paths.length > maxNamed ? ` and ${paths.length - maxNamed}` : "")
  const reasons = refusals.map((refusal) => refusal.reason)
  const why = reasons.slice(0, maxNamed).map((reason) => reason.detail).join("; ")
  const first = reasons.find((reason) => reason._tag === "Unreachable") ?? reasons[0]
  if (first === undefined) {
    const reason = new Source.Unreadable({ detail: "no path of a log was given", remedy: "name at least one log file" })
    return new Source.SourceError({ source: "logs", reason })
  }
  const Reason = first._tag === "Unreachable" ? Source.Unreachable : Source.Unreadable
  return new Source.SourceError({
    source: `logs:${named}`,
    reason: new Reason({ detail: `no log could be read: ${why}`, remedy: first.remedy })
  })
}
