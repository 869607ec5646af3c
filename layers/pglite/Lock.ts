/**
 * One process at a time on a data folder. PGlite has no lock of its own, and two processes on one folder lose committed
 * rows silently. The lock is a file that names its holder; a holder that no longer lives is replaced.
 */
import { Effect, Schema, type Scope } from "effect"
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs"
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
  Effect.asVoid(Effect.acquireRelease(take(folder), () => Effect.sync(() => release(folder))))

/** The living process that holds the folder, if any. */
export const holder = (folder: string): number | undefined => {
  const file = join(folder, "lock")
  if (!existsSync(file)) return undefined
  const [pid = "", started = ""] = readFileSync(file, "utf8").split(" ")
  return isAlive(Number(pid), started) ? Number(pid) : undefined
}

// internal

const take = (folder: string) =>
  Effect.try({
    try: () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const file = join(folder, "lock")
      const mine = `${file}.${process.pid}`
      writeFileSync(mine, `${process.pid} ${startOf(process.pid)}`, { mode: 0o600 })
      try {
        // A link is made whole or not at all: of two processes that start together, one gets it.
        for (let attempt = 0; attempt < 3; attempt++) {
          if (linked(mine, file)) return undefined
          const other = holder(folder)
          if (other !== undefined) return other
          rmSync(file, { force: true })
        }
        return holder(folder) ?? 0
      } finally {
        rmSync(mine, { force: true })
      }
    },
    catch: (cause) =>
      new FolderError({
        folder,
        detail: cause instanceof Error ? cause.message : String(cause),
        remedy: "choose a folder that this user may write, with --data or AOSIQ_DATA",
        holder: null
      })
  }).pipe(Effect.flatMap((other) =>
    other === undefined
      ? Effect.void
      : Effect.fail(
        new FolderError({
          folder,
          detail: `process ${other} is working on ${folder}`,
          remedy: "stop that process, or use another folder with --data",
          holder: other
        })
      )
  ))

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

const release = (folder: string) => {
  if (holder(folder) === process.pid) unlinkSync(join(folder, "lock"))
}

const isAlive = (pid: number, started: string): boolean => {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (cause) {
    // Not ours to signal, but there.
    if (!(cause instanceof Error && "code" in cause && cause.code === "EPERM")) return false
  }
  const now = startOf(pid)
  return started === "" || now === "" || now === started
}

/** When a process started, in clock ticks since boot: tells a holder from a later process with its number. */
const startOf = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  } catch {
    return ""
  }
}
