/** Files of the command line: read whole, or written, never over another, and refused in words before any work is lost. */
import { Effect, FileSystem, Path, type PlatformError } from "effect"
import { RuntimeError } from "./Runtime.ts"

/** Fails unless `ticket` could be made now, outside the data folder; makes nothing. */
export const writableTicket = Effect.fnUntraced(function*(ticket: string, data: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const refuse = (detail: string) =>
    Effect.fail(new RuntimeError({ detail: `${ticket} ${detail}`, remedy: "choose another file with --ticket" }))
  if (yield* isThere(ticket)) return yield* refuse("exists already, and is not overwritten")
  let folder = path.dirname(ticket)
  while (!(yield* isThere(folder)) && path.dirname(folder) !== folder) folder = path.dirname(folder)
  const real = (place: string) => Effect.orElseSucceed(fs.realPath(place), () => path.resolve(place))
  const within = path.relative(yield* real(data), yield* real(folder))
  if (within === "" || (within.split(path.sep)[0] !== ".." && !path.isAbsolute(within))) {
    return yield* refuse("lies inside the data folder")
  }
  const type = yield* Effect.match(fs.stat(folder), { onFailure: () => "unknown", onSuccess: ({ type }) => type })
  if (type !== "Directory") return yield* refuse(`cannot be made: ${folder} is not a folder`)
  yield* Effect.catch(
    fs.access(folder, { writable: true }),
    () => refuse(`cannot be made: this user may not write in ${folder}`)
  )
})

/** Writes a new file. */
export const writeNew = Effect.fnUntraced(function*(file: string, text: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.mapError(fs.writeFileString(file, text, { flag: "wx" }), refused(file))
})

/** All of a file that a person named. */
export const readText = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.mapError(
    fs.readFileString(file),
    () => new RuntimeError({ detail: `${file} cannot be read`, remedy: "name a file that this user may read" })
  )
})

/** Makes a folder and those above it, where they are not there. */
export const makeFolder = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.mapError(fs.makeDirectory(folder, { recursive: true }), refused(folder))
})

/** Whether something is in the way there. */
export const isThere = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    // A link that leads nowhere is in the way as well.
    Effect.match(Effect.catch(fs.stat(file), () => fs.readLink(file)), {
      onFailure: () => false,
      onSuccess: () => true
    }))

// internal

const reasons: Partial<Record<string, string>> = {
  AlreadyExists: "it exists already, and is not overwritten",
  NotFound: "its folder does not exist",
  PermissionDenied: "this user may not write there"
}

const refused = (file: string) => ({ reason }: PlatformError.PlatformError): RuntimeError =>
  new RuntimeError({
    detail: `${file} was not written: ${reasons[reason._tag] ?? reason.message}`,
    remedy: "choose another file"
  })
