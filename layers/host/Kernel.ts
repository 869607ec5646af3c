/**
 * Reading the kernel's files: one file as a value, a value twice, and the largest of many.
 *
 * Paths are below `proc`. What is missing, forbidden or malformed is a gap with what would help.
 */
import { Clock, type Duration, Effect, type FileSystem } from "effect"
import type { Gap } from "../../src/agents/advisor/Source.ts"
import type { Usage } from "./Mounts.ts"
import { gap } from "./Part.ts"

/** Where and how the kernel is read; `top` bounds the listed processes, disks and interfaces. */
export interface Options {
  readonly files: FileSystem.FileSystem
  readonly proc: string
  readonly interval: Duration.Input
  readonly top: number
  /** Room on the file system at a path; fails with the kernel's word. */
  readonly measure: (path: string) => Effect.Effect<Usage | undefined, string>
}

/** Reads a file below /proc and what it says; anything unexpected is a gap. */
export const read = <A>(
  options: Options,
  file: string,
  parse: (text: string) => A | undefined,
  absent = "mount the proc file system there"
): Effect.Effect<A, Gap> => {
  const path = `${options.proc}/${file}`
  return options.files.readFileString(path).pipe(
    Effect.mapError((error) =>
      error.reason._tag === "NotFound"
        ? gap(path, "does not exist", absent)
        : gap(path, `could not be read (${error.reason._tag})`, `run as a user who may read ${path}`)
    ),
    Effect.flatMap((text) => {
      const value = parse(text)
      return value === undefined
        ? Effect.fail(
          gap(path, "is not in the form the kernel documents", "check that a Linux proc file system is mounted")
        )
        : Effect.succeed(value)
    })
  )
}

/** Samples twice; `seconds` is what really passed between the two. */
export const twice = <A, E>(sample: Effect.Effect<A, E>, interval: Duration.Input) =>
  Effect.gen(function*() {
    const begin = yield* Clock.currentTimeNanos
    const before = yield* sample
    yield* Effect.sleep(interval)
    const end = yield* Clock.currentTimeNanos
    const after = yield* sample
    return { before, after, seconds: Math.max(0.001, Number(end - begin) / 1e9) }
  })

/** The `top` items of the largest `size`, those of size 0 left out. */
export const largest = <A>(items: ReadonlyArray<A>, size: (item: A) => number, top: number): ReadonlyArray<A> =>
  items.filter((item) => size(item) > 0).toSorted((a, b) => size(b) - size(a)).slice(0, top)
