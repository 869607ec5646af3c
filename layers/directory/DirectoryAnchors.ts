/**
 * Anchors as files of one directory, for development: a file's name is the anchor's number and root, and no file is
 * ever written twice. Whoever can write the directory can also remove anchors, so it proves little on the machine that
 * holds the log; in production anchors belong where other credentials rule.
 *
 * Files whose names end in `.json` are anchors, and `ANCHOR.SLOT.cosig` are co-signatures of that anchor; what else lies
 * there is passed over. One process appends at a time.
 */
import { Effect, FileSystem, Layer, Path, type PlatformError, Semaphore } from "effect"
import { Anchor, Cosignature } from "../../src/audit/index.ts"
import { AtomicFile } from "../node/index.ts"

/** Keeps anchors in `directory`, which must exist and be writable. Says once that it is for development. */
export const layer = (
  directory: string
): Layer.Layer<Anchor.Anchors, Anchor.AnchorError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    Anchor.Anchors,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
      const turn = yield* Semaphore.make(1)

      const entries = fs.readDirectory(directory)
      const create = (name: string, text: string) =>
        Effect.provideContext(AtomicFile.create(path.join(directory, name), text, 0o444), context)
      const read = (beside: ReadonlyMap<string, ReadonlyArray<string>>) => (name: string) =>
        Effect.gen(function*() {
          const text = yield* fs.readFileString(path.join(directory, name + suffix))
          const files = beside.get(name) ?? []
          const lines = yield* Effect.forEach(files, (file) => fs.readFileString(path.join(directory, file)))
          return { name, text, cosignatures: lines, keeping: null }
        })

      const write = Effect.fnUntraced(function*(anchor: Anchor.Anchor) {
        const taken = anchorsIn(yield* entries).some((name) => Anchor.numberOf(name) === anchor.sequence)
        if (taken) return yield* Anchor.taken(anchor)
        yield* create(Anchor.nameOf(anchor) + suffix, Anchor.encode(anchor))
      })
      const cosign = Effect.fnUntraced(function*(name: string, line: string) {
        const slot = Cosignature.slotOf(line)
        const file = `${name}.${slot}${cosigSuffix}`
        if (slot !== undefined && !(yield* entries).includes(file)) yield* create(file, line)
      })

      yield* Effect.mapError(usable(fs, directory), unavailable(directory))
      yield* Effect.logWarning(`anchors are kept in ${directory}: for development, not as proof against its owner`)

      return Anchor.Anchors.of({
        append: (anchor) => turn.withPermit(write(anchor)).pipe(Effect.catchTag("PlatformError", refuse(directory))),
        cosign: (name, line) => Effect.mapError(turn.withPermit(cosign(name, line)), unavailable(directory)),
        list: (from) =>
          Effect.flatMap(
            entries,
            (files) => Effect.forEach(inRange(anchorsIn(files), from), read(besideAnchors(files)))
          ).pipe(
            Effect.map((stored) => Anchor.from(stored, from)),
            Effect.mapError(unavailable(directory))
          ),
        names: Effect.mapBoth(entries, {
          onFailure: unavailable(directory),
          onSuccess: (files) => anchorsIn(files).map((name) => ({ name, keeping: null })).toSorted(Anchor.byName)
        })
      })
    })
  )

// internal

const suffix = ".json"
const cosigSuffix = ".cosig"

/** The files of co-signatures, by the anchor that they stand beside. */
const besideAnchors = (files: ReadonlyArray<string>): ReadonlyMap<string, ReadonlyArray<string>> =>
  Map.groupBy(
    files.filter((file) => file.endsWith(cosigSuffix)).toSorted(),
    (file) => file.slice(0, file.lastIndexOf(".", file.length - cosigSuffix.length - 1))
  )

const anchorsIn = (files: ReadonlyArray<string>): ReadonlyArray<string> =>
  files.filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -suffix.length))

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
