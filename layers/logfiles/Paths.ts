/**
 * Which log files a list of paths means.
 *
 * A path is a file (with its rotated siblings), a folder (with its sub-folders) or a glob. Each file is listed once, by
 * device and inode, whatever number of paths lead to it. What cannot be listed is a `Refusal`.
 */
import { type ByteSize, Effect, FileSystem, Option, Path, type PlatformError } from "effect"
import * as Source from "../../src/agents/advisor/Source.ts"
import * as Access from "./Access.ts"

/** Files listed at most; that there are more is reported. */
export const maxFiles = 2_000

/** Levels of sub-folders entered below a named folder. */
export const maxDepth = 8

/** A regular file as it was when listed. `size` is bytes, `modifiedAt` epoch milliseconds. */
export interface LogFile {
  readonly path: string
  readonly size: ByteSize.ByteSize
  readonly modifiedAt: number
}

/** A path, or a part of one, that led to nothing. */
export interface Refusal {
  readonly path: string
  readonly reason: Source.Unreachable | Source.Unreadable
}

/** What the paths led to. */
export interface Found {
  readonly files: ReadonlyArray<LogFile>
  readonly refusals: ReadonlyArray<Refusal>
}

/** Lists the files behind `paths`, in the order of the paths; siblings and folders by name. Never fails. */
export const find = Effect.fnUntraced(function*(
  paths: ReadonlyArray<string>,
  options: { readonly rotated: boolean }
): Effect.fn.Return<Found, never, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const listing = makeListing()

  const stat = (file: string) => Effect.result(fs.stat(file))

  const addFolder = (folder: string, depth: number): Effect.Effect<void> =>
    Effect.gen(function*() {
      const names = yield* Effect.result(fs.readDirectory(folder))
      if (names._tag === "Failure") return listing.refuse(folder, Access.unreachable(folder, names.failure))
      const visible = names.success.filter((name) => !name.startsWith(".")).toSorted()
      if (visible.length === 0) return listing.refuse(folder, emptyFolder(folder))
      for (const name of visible) yield* addEntry(path.join(folder, name), depth)
    })

  const addEntry = Effect.fnUntraced(function*(entry: string, depth: number) {
    const info = yield* stat(entry)
    if (info._tag === "Failure") return listing.refuse(entry, Access.unreachable(entry, info.failure))
    if (info.success.type !== "Directory") return listing.add(entry, info.success)
    if (depth < maxDepth) return yield* addFolder(entry, depth + 1)
    listing.refuse(entry, tooDeep(entry))
  })

  const addRotated = Effect.fnUntraced(function*(file: string) {
    const names = yield* Effect.orElseSucceed(fs.readDirectory(path.dirname(file)), (): Array<string> => [])
    const base = path.basename(file)
    for (const name of names.toSorted()) {
      if (name !== base && name.startsWith(base) && rotation.test(name.slice(base.length))) {
        yield* addEntry(path.join(path.dirname(file), name), maxDepth)
      }
    }
  })

  const addGlob = Effect.fnUntraced(function*(pattern: string) {
    const matches = yield* Effect.result(fs.glob(pattern))
    if (matches._tag === "Failure") return listing.refuse(pattern, Access.unreachable(pattern, matches.failure))
    if (matches.success.length === 0) return listing.refuse(pattern, noMatch(pattern))
    for (const match of matches.success) yield* addEntry(match, maxDepth)
  })

  for (const named of paths) {
    const info = yield* stat(named)
    if (info._tag === "Failure" && isNotFound(info.failure) && /[*?[{]/.test(named)) {
      yield* addGlob(named)
      continue
    }
    yield* addEntry(named, 0)
    if (options.rotated && (info._tag === "Failure" || info.success.type !== "Directory")) yield* addRotated(named)
  }
  return listing.found()
})

// internal

/** What log rotation appends to a name: `.1`, `.2.gz`, `-20260101`, `.2026-01-01.gz`, `.old`. */
const rotation = /^(?:[.-]\d[\d.-]*|\.old)?(?:\.gz)?$/

const makeListing = () => {
  const files = new Map<string, LogFile>()
  const refusals: Array<Refusal> = []
  const refuse = (path: string, reason: Refusal["reason"]): void => {
    if (refusals.length < maxFiles) refusals.push({ path, reason })
  }
  return {
    refuse,
    add: (path: string, info: FileSystem.File.Info): void => {
      if (info.type !== "File") return refuse(path, notAFile(path, info.type))
      const identity = Option.match(info.ino, { onNone: () => path, onSome: (inode) => `${info.dev}:${inode}` })
      if (files.has(identity)) return
      if (files.size === maxFiles) return refuse(path, tooMany(path))
      const modifiedAt = Option.match(info.mtime, { onNone: () => 0, onSome: (date) => date.getTime() })
      files.set(identity, { path, size: info.size, modifiedAt })
    },
    found: (): Found => ({ files: [...files.values()], refusals })
  }
}

const isNotFound = (error: PlatformError.PlatformError): boolean => error.reason._tag === "NotFound"

const noMatch = (pattern: string) =>
  new Source.Unreachable({ detail: `no file matches ${pattern}`, remedy: `check the pattern ${pattern}` })

const emptyFolder = (folder: string) =>
  new Source.Unreachable({ detail: `${folder} holds no file`, remedy: `check that the logs are written to ${folder}` })

const notAFile = (path: string, type: string) =>
  new Source.Unreadable({
    detail: `${path} is a ${type}, not a file`,
    remedy: `name a regular file instead of ${path}`
  })

const tooDeep = (folder: string) =>
  new Source.Unreadable({
    detail: `${folder} lies more than ${maxDepth} folders deep and was not entered`,
    remedy: `name ${folder} itself`
  })

const tooMany = (path: string) =>
  new Source.Unreadable({
    detail: `${path} was not read: ${maxFiles} files are read at most`,
    remedy: "name fewer files, or a narrower glob"
  })
