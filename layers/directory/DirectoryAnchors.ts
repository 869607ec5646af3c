/**
 * Anchors as files of one directory, for development: a file's name is the anchor's number and root, and no file is
 * ever written twice. Whoever can write the directory can also remove anchors, so it proves little on the machine that
 * holds the log; in production anchors belong where other credentials rule.
 *
 * Files whose names end in `.json` are anchors; what else lies there is passed over. One process appends at a time.
 */
import { Effect, FileSystem, Layer, Path, type PlatformError, Semaphore } from "effect"
import { Anchor } from "../../src/audit/index.ts"

/** Keeps anchors in `directory`, which must exist and be writable. Says once that it is for development. */
export const layer = (
  directory: string
): Layer.Layer<Anchor.Anchors, Anchor.AnchorError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    Anchor.Anchors,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const turn = yield* Semaphore.make(1)

      const names = Effect.map(
        fs.readDirectory(directory),
        (entries) => entries.filter((entry) => entry.endsWith(suffix)).map((entry) => entry.slice(0, -suffix.length))
      )
      const read = (name: string) =>
        Effect.map(fs.readFileString(path.join(directory, name + suffix)), (text) => ({ name, text }))

      const write = Effect.fnUntraced(function*(anchor: Anchor.Anchor) {
        if ((yield* names).some((name) => Anchor.numberOf(name) === anchor.sequence)) return yield* Anchor.taken(anchor)
        const name = path.join(directory, Anchor.nameOf(anchor) + suffix)
        const draft = `${name}.draft`
        yield* fs.remove(draft, { force: true })
        const file = yield* fs.open(draft, { flag: "wx", mode: 0o444 })
        yield* file.writeAll(new TextEncoder().encode(Anchor.encode(anchor)))
        yield* file.sync
        // A link is made whole or not at all, and never over another file: no crash leaves half an anchor.
        yield* fs.link(draft, name)
        yield* fs.remove(draft)
        // The name is durable only once the directory is.
        yield* Effect.flatMap(fs.open(directory, { flag: "r" }), (folder) => folder.sync)
      }, Effect.scoped)

      yield* Effect.mapError(usable(fs, directory), unavailable(directory))
      yield* Effect.logWarning(`anchors are kept in ${directory}: for development, not as proof against its owner`)

      return Anchor.Anchors.of({
        append: (anchor) => turn.withPermit(write(anchor)).pipe(Effect.catchTag("PlatformError", refuse(directory))),
        list: (from) =>
          Effect.flatMap(names, (names) => Effect.forEach(inRange(names, from), read)).pipe(
            Effect.map((stored) => Anchor.from(stored, from)),
            Effect.mapError(unavailable(directory))
          )
      })
    })
  )

// internal

const suffix = ".json"

/** Names without a number are always in range: that they are there at all is for the verifier to report. */
const inRange = (names: ReadonlyArray<string>, from: number) =>
  names.filter((name) => (Anchor.numberOf(name) ?? from) >= from)

const usable = (fs: FileSystem.FileSystem, directory: string) =>
  Effect.andThen(fs.readDirectory(directory), fs.access(directory, { readable: true, writable: true }))

const remedies: Partial<Record<string, string>> = {
  NotFound: "make it, or name another",
  PermissionDenied: "let this process write there, or name another directory",
  AlreadyExists: "take the anchor again"
}

const unavailable = (directory: string) => (error: PlatformError.PlatformError): Anchor.AnchorError => {
  const tag = error.reason._tag
  const remedy = remedies[tag] ?? "see that the disk is there, writable and not full, or name another directory"
  const detail = `anchors cannot be kept in ${directory} (${tag})`
  return new Anchor.AnchorError({ reason: new Anchor.Unavailable({ detail, remedy }) })
}

const refuse = (directory: string) => (error: PlatformError.PlatformError) => Effect.fail(unavailable(directory)(error))
