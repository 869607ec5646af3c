/**
 * Alerts in a file, so that what was open before a restart is open after it. The file is written whole on every change.
 *
 * An alert must not stop the work: a file that cannot be written is said in the log of the process, and one that cannot
 * be read is put aside and is itself an alert.
 */
import { Effect, FileSystem, Layer, type Path, Schema } from "effect"
import { Alerts } from "../../src/audit/index.ts"
import { AtomicFile } from "../node/index.ts"

/** Keeps alerts in `file`, whose folder must exist. */
export const layer = (file: string): Layer.Layer<Alerts.Alerts, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    Alerts.Alerts,
    Effect.gen(function*() {
      const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
      const earlier = yield* read(file)
      const alerts = yield* Alerts.make(
        earlier.alerts,
        (now) =>
          AtomicFile.replace(file, encode({ v: 1, alerts: now })).pipe(
            Effect.provideContext(context),
            Effect.catch(({ reason }) => Effect.logError(`alerts cannot be kept in ${file} (${reason._tag})`))
          )
      )
      if (earlier.lost === undefined) yield* alerts.resolve("alerts_lost", file)
      else yield* alerts.raise({ kind: "alerts_lost", subject: file, ...earlier.lost })
      return alerts
    })
  )

// internal

const File = Schema.fromJsonString(Schema.Struct({ v: Schema.Literal(1), alerts: Schema.Array(Alerts.Alert) }))
const encode = Schema.encodeSync(File)
const decode = Schema.decodeUnknownEffect(File)

interface Earlier {
  readonly alerts: ReadonlyArray<Alerts.Alert>
  readonly lost?: Pick<Alerts.Notice, "detail" | "remedy">
}

const read = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(file).pipe(
    Effect.flatMap(decode),
    Effect.map(({ alerts }): Earlier => ({ alerts })),
    Effect.catchTag("SchemaError", () => {
      const aside = `${file}.unreadable`
      const lost = { detail: `${file} is not what was written there`, remedy: `what it holds is in ${aside}` }
      return Effect.as(Effect.ignore(fs.rename(file, aside)), { alerts: [], lost } satisfies Earlier)
    }),
    Effect.catchTag("PlatformError", ({ reason }) => {
      const lost = { detail: `${file} cannot be read (${reason._tag})`, remedy: "let this user read and write it" }
      return Effect.succeed<Earlier>(reason._tag === "NotFound" ? { alerts: [] } : { alerts: [], lost })
    })
  )
})
