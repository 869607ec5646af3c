/** Real processes for tests: this project's programs, run by the Node that runs the tests. */
import { Effect, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"

/** One running program. */
export interface Program {
  readonly pid: number
  /** What it said so far. */
  readonly lines: ReadonlyArray<string>
  /** Waits until it has said a line that fits. */
  readonly said: (fits: (line: string) => boolean) => Effect.Effect<string, Gone>
  /** Waits for its end. */
  readonly ended: Effect.Effect<{ readonly code: number | null; readonly signal: string | null }>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Ends its input, after these last words. */
  readonly close: (words: string) => Effect.Effect<void>
}

/** The program ended without saying what was waited for. */
export class Gone extends Schema.TaggedError<Gone>()("Gone", { lines: Schema.Array(Schema.String) }) {}

/** Starts `file` with `args`; killed with the scope. `uid` runs it as somebody else, which only root may. */
export const start = (
  file: URL,
  args: ReadonlyArray<string>,
  options: { readonly uid?: number } = {}
): Effect.Effect<Program, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => launch(file, args, options)),
    (program) => Effect.andThen(program.kill("SIGKILL"), program.ended)
  )

// internal

const launch = (file: URL, args: ReadonlyArray<string>, options: { readonly uid?: number }): Program => {
  const child = spawn(process.execPath, ["--no-warnings", file.pathname, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    ...options
  })
  const lines: Array<string> = []
  const listeners = new Set<() => void>()
  let end: { readonly code: number | null; readonly signal: string | null } | undefined
  const changed = () => {
    for (const listener of listeners) listener()
  }
  createInterface(child.stdout).on("line", (line) => {
    lines.push(line)
    changed()
  })
  child.on("close", (code, signal) => {
    end = { code, signal }
    changed()
  })
  const until = <A, E>(look: () => Effect.Effect<A, E> | undefined): Effect.Effect<A, E> =>
    Effect.callback<A, E>((resume) => {
      const listener = () => {
        const found = look()
        if (found === undefined) return
        listeners.delete(listener)
        resume(found)
      }
      listeners.add(listener)
      listener()
      return Effect.sync(() => listeners.delete(listener))
    })
  return {
    pid: child.pid ?? 0,
    lines,
    said: (fits) =>
      until<string, Gone>(() => {
        const line = lines.find(fits)
        if (line !== undefined) return Effect.succeed(line)
        return end === undefined ? undefined : Effect.fail(new Gone({ lines }))
      }),
    ended: until(() => end === undefined ? undefined : Effect.succeed(end)),
    kill: (signal) => Effect.sync(() => void child.kill(signal)),
    close: (words) => Effect.sync(() => void child.stdin.end(words))
  }
}
