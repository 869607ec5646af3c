/**
 * What a witness remembers, as one file that is replaced whole and is on the disk before an answer leaves.
 *
 * A witness that forgot would sign any history. So the file is made once, with `begin`, and a file that is not there
 * afterwards stops the witness; so does one that cannot be read. One process works with a file at a time.
 */
import { Effect, FileSystem, Option, type Path, type PlatformError, Ref, Schema } from "effect"
import { Witness } from "../../src/audit/index.ts"
import { AtomicFile } from "../node/index.ts"

/** A witness's name, and what it signed last of each log. */
export interface Opened {
  readonly name: string
  readonly logs: ReadonlyArray<Witness.Seen>
  readonly memory: Witness.Memory["Service"]
}

/** Makes the file of a witness that never signed anything; it must not be there. */
export const begin = (
  file: string,
  name: string
): Effect.Effect<void, Witness.MemoryError, FileSystem.FileSystem | Path.Path> =>
  Effect.mapError(AtomicFile.create(file, encode({ v: 1, name, logs: [] })), unwritten(file))

/** Remembers in `file`, which must be there. */
export const open = Effect.fnUntraced(function*(
  file: string
): Effect.fn.Return<Opened, Witness.MemoryError, FileSystem.FileSystem | Path.Path> {
  const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const { logs, name } = yield* read(file)
  const known = yield* Ref.make(new Map(logs.map((seen) => [seen.origin, seen])))
  const remember = Effect.fnUntraced(function*(seen: Witness.Seen) {
    const next = new Map(yield* Ref.get(known)).set(seen.origin, seen)
    const text = encode({ v: 1, name, logs: [...next.values()] })
    yield* AtomicFile.replace(file, text).pipe(Effect.provideContext(context), Effect.mapError(unwritten(file)))
    yield* Ref.set(known, next)
  }, Effect.uninterruptible)
  return {
    name,
    logs,
    memory: {
      newest: (origin) => Effect.map(Ref.get(known), (seen) => Option.fromUndefinedOr(seen.get(origin))),
      remember
    }
  }
})

// internal

const File = Schema.fromJsonString(
  Schema.Struct({ v: Schema.Literal(1), name: Schema.String, logs: Schema.Array(Witness.Seen) })
)
const encode = Schema.encodeSync(File)
const decode = Schema.decodeUnknownEffect(File)

const unwritten = (file: string) => ({ reason }: PlatformError.PlatformError) =>
  new Witness.MemoryError({
    detail: `${file} cannot be written (${reason._tag})`,
    remedy: "see that the disk is there, writable and not full"
  })

const read = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(file).pipe(
    Effect.flatMap(decode),
    Effect.mapError((error) =>
      new Witness.MemoryError({
        detail: error._tag === "PlatformError" && error.reason._tag === "NotFound"
          ? `${file} is gone, and with it what this witness signed`
          : `${file} cannot be read, and so neither what this witness signed`,
        remedy: "restore its newest copy, or begin another witness, of another name, in another folder"
      })
    )
  )
})
