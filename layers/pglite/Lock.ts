/**
 * One process at a time on a data folder. PGlite has no lock of its own, and two processes on one folder lose committed
 * rows silently.
 *
 * A claim is a file `lock.N` that names its process, and the highest number counts. Whoever finds nobody alive there
 * makes the next number; a file can be made once, so one of several that start together gets it. The highest claim is
 * never removed, only emptied: a process that looked long ago cannot make a number that was used since.
 */
import { Effect, Schema, type Scope } from "effect"
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Somebody else works on the folder, or it cannot be written; nothing was opened. */
export class FolderError extends Schema.TaggedError<FolderError>()("FolderError", {
  folder: Schema.String,
  detail: Schema.String,
  remedy: Schema.String,
  /** The process that holds the folder, when that is the reason. */
  holder: Schema.NullOr(Schema.Int)
}) {}

/** Makes the folder (mode 0700) and holds its lock until the scope closes. */
export const acquire = (folder: string): Effect.Effect<void, FolderError, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(take(folder), (claim) => Effect.sync(() => writeFileSync(claim, ""))))

/** The living process that holds the folder, if any. */
export const holder = (folder: string): number | undefined => living(claim(folder, highest(folder)))

// internal

/** Looks at a folder that others are taking at this moment. */
const maxAttempts = 16

/** The file of the claim that was made. */
const take = (folder: string): Effect.Effect<string, FolderError> =>
  Effect.try({
    try: () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const mine = join(folder, `lock-${process.pid}`)
      writeFileSync(mine, `${process.pid} ${statOf(process.pid).started}`, { mode: 0o600 })
      try {
        return contend(folder, mine)
      } finally {
        rmSync(mine, { force: true })
      }
    },
    catch: (cause) =>
      new FolderError({
        folder,
        detail: `${folder} cannot be taken: ${cause instanceof Error ? cause.message : String(cause)}`,
        remedy: "choose a folder that this user may write, with --data or AOSIQ_DATA",
        holder: null
      })
  }).pipe(Effect.flatMap((taken) =>
    typeof taken === "string"
      ? Effect.succeed(taken)
      : Effect.fail(
        new FolderError({
          folder,
          detail: `process ${taken} is working on ${folder}`,
          remedy: "stop that process, or use another folder with --data",
          holder: taken
        })
      )
  ))

/** The file of the claim that was made, or the process that has the folder. */
const contend = (folder: string, mine: string): string | number => {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const last = highest(folder)
    const other = living(claim(folder, last))
    if (other !== undefined) return other
    const next = claim(folder, last + 1)
    if (!linked(mine, next)) continue
    if (highest(folder) === last + 1) {
      for (const number of numbers(folder)) if (number <= last) rmSync(claim(folder, number), { force: true })
      return next
    }
    // Others have gone past this number since it was looked up.
    rmSync(next, { force: true })
  }
  return holder(folder) ?? 0
}

const claim = (folder: string, number: number) => join(folder, `lock.${number}`)

const numbers = (folder: string): ReadonlyArray<number> =>
  (ifThere(() => readdirSync(folder)) ?? []).flatMap((name) => /^lock\.(\d{1,15})$/.exec(name)?.[1] ?? []).map(Number)

const highest = (folder: string): number => Math.max(0, ...numbers(folder))

/** The process that a claim names, if it lives. */
const living = (file: string): number | undefined => {
  const [pid = "", started = ""] = (ifThere(() => readFileSync(file, "utf8")) ?? "").split(" ")
  return isAlive(Number(pid), started) ? Number(pid) : undefined
}

/** A claim that is there and cannot be read is no reason to go on. */
const ifThere = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined
    // eslint-disable-next-line no-throw-literal -- the caller turns it into a typed error
    throw cause
  }
}

const linked = (from: string, to: string): boolean => {
  try {
    linkSync(from, to)
    return true
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return false
    // eslint-disable-next-line no-throw-literal -- the caller turns it into a typed error
    throw cause
  }
}

const isAlive = (pid: number, started: string): boolean => {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (cause) {
    // Not ours to signal, but there.
    if (!(cause instanceof Error && "code" in cause && cause.code === "EPERM")) return false
  }
  const { started: now, state } = statOf(pid)
  // A process that was killed is listed until its parent looks.
  if (state === "Z" || state === "X") return false
  return started === "" || now === "" || now === started
}

/** State and start of a process, in clock ticks since boot: tells a holder from a later process with its number. */
const statOf = (pid: number): { readonly state: string; readonly started: string } => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { state: fields[0] ?? "", started: fields[19] ?? "" }
  } catch {
    return { state: "", started: "" }
  }
}
