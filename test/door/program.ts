/** The program `aosiq` as users meet it: real processes in folders of their own, each with a deadline. */
import { Effect, FileSystem, type Scope } from "effect"
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

/** The checkout. */
export const root = resolve(import.meta.dirname, "../..")
const bin = join(root, "layers/cli/bin.mjs")
/** Compiled code is kept between processes: most of what a short command does is to load itself. */
const compiled = join(root, "node_modules/.cache/aosiq-door")
/** A process that has not ended by then is killed, and its exit code is null. */
const deadlineMs = 90_000

/** How a process ended, and all it wrote. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** How a process is run, beside its arguments. */
export interface How {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Another user, who may not write what is root's. */
  readonly uid?: number
}

/** A process that runs. */
export interface Running {
  readonly pid: number
  /** Waits until standard output holds the text, and gives all of it so far. */
  readonly says: (text: string) => Effect.Effect<string, string>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Reads standard output no more, as `head` does. */
  readonly stopReading: Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
}

/** Runs the program to its end. */
export const run = (how: How, ...args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(how, ...args), (running) => running.ended))

/** Starts the program; it is killed when the scope closes. */
export const start = (how: How, ...args: ReadonlyArray<string>): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [bin, ...args], optionsOf(how))),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    ),
    watch
  )

/** A new folder in the system's temporary folder; what was done in it is removed with it. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "aosiq-door-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A copy of a data folder that no process holds. */
export const copyData = (from: string, to: string): Effect.Effect<void> =>
  Effect.sync(() => {
    cpSync(from, to, { recursive: true })
    for (const name of readdirSync(to)) if (name.startsWith("lock.")) rmSync(join(to, name))
  })

/** Writes files, by path below `directory`, and gives the directory. */
export const files = Effect.fnUntraced(function*(
  directory: string,
  contents: Readonly<Record<string, string | Uint8Array>>
) {
  const fs = yield* FileSystem.FileSystem
  for (const [name, content] of Object.entries(contents)) {
    const path = join(directory, name)
    yield* fs.makeDirectory(join(path, ".."), { recursive: true })
    yield* fs.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content)
  }
  return directory
})

// internal

const optionsOf = ({ cwd, env = {}, uid }: How): SpawnOptions => ({
  cwd,
  stdio: ["ignore", "pipe", "pipe"],
  timeout: deadlineMs,
  killSignal: "SIGKILL",
  env: { PATH: process.env["PATH"], HOME: cwd, TMPDIR: process.env["TMPDIR"], NODE_COMPILE_CACHE: compiled, ...env },
  ...(uid === undefined ? {} : { uid, gid: uid })
})

const watch = (child: ChildProcess): Running => {
  let out = ""
  let err = ""
  let code: number | null | undefined
  const waiting = new Set<() => void>()
  const look = () => {
    for (const again of waiting) again()
  }
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    out += text
    look()
  })
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    err += text
    look()
  })
  child.on("close", (ended) => {
    code = ended
    look()
  })

  /** What `find` gives, as soon as it gives something. */
  const until = <A, E>(find: () => Effect.Effect<A, E> | undefined): Effect.Effect<A, E> =>
    Effect.callback<A, E>((resume) => {
      const again = () => {
        const found = find()
        if (found !== undefined) resume(found)
      }
      waiting.add(again)
      again()
      return Effect.sync(() => waiting.delete(again))
    })

  return {
    pid: child.pid ?? 0,
    says: (text) =>
      until(() => {
        if (out.includes(text)) return Effect.succeed(out)
        return code === undefined
          ? undefined
          : Effect.fail(`ended with ${code} before it said ${text}\n${out}${err}`)
      }),
    signal: (signal) => Effect.sync(() => child.kill(signal)),
    stopReading: Effect.sync(() => child.stdout?.destroy()),
    ended: until(() => code === undefined ? undefined : Effect.succeed({ code, out, err }))
  }
}
