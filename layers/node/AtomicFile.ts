/**
 * A small file that is replaced whole: a reader finds the old text or the new one, never a part, and once `replace`
 * returned the new one is there after a crash of the machine.
 *
 * One process writes a file at a time. A draft beside it, `NAME.draft`, may be left behind by a crash.
 */
import { Effect, FileSystem, Path, type PlatformError } from "effect"

/** Writes `text` as `file`, in the place of what is there. */
export const replace = (
  file: string,
  text: string,
  mode = 0o600
): Effect.Effect<void, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.scoped(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const draft = yield* drafted(file, text, mode)
    yield* fs.rename(draft, file)
    yield* syncFolder(file)
  }))

/** Writes `text` as `file`, which must not be there; never over another file. */
export const create = (
  file: string,
  text: string,
  mode = 0o600
): Effect.Effect<void, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.scoped(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const draft = yield* drafted(file, text, mode)
    // A link is made whole or not at all, and never over another file.
    yield* fs.link(draft, file)
    yield* fs.remove(draft)
    yield* syncFolder(file)
  }))

// internal

/** The text in a file of its own, on the disk. */
const drafted = Effect.fnUntraced(function*(file: string, text: string, mode: number) {
  const fs = yield* FileSystem.FileSystem
  const draft = `${file}.draft`
  yield* fs.remove(draft, { force: true })
  const open = yield* fs.open(draft, { flag: "wx", mode })
  yield* open.writeAll(new TextEncoder().encode(text))
  yield* open.sync
  return draft
})

/** A name is durable only once its folder is. */
const syncFolder = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* fs.open(path.dirname(file), { flag: "r" })
  yield* folder.sync
})
