/** A folder with the strangers' server: what it lists, what it was called for, and its settings. */
import { Effect, Schedule } from "effect"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as W from "./world.ts"

/** A definition of a tool that takes anything. */
export const tool = (name: string, parts: Record<string, unknown> = {}) => ({
  name,
  description: `does ${name}`,
  inputSchema: { type: "object" },
  ...parts
})

/** The strangers, for as long as the scope is open. */
export const make = (...tools: ReadonlyArray<unknown>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "aosiq-strangers-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    ),
    (folder) => {
      const list = (...tools: ReadonlyArray<unknown>) =>
        writeFileSync(join(folder, "tools.json"), JSON.stringify(tools))
      const log = join(folder, "calls.log")
      list(...tools)
      return {
        folder,
        /** What the server has from now on. */
        list,
        /** What it was called for, in order, without its starts. */
        calls: () => lines(log).filter((line) => !/^(?:started|changed)/.test(line)),
        /** Processes that it was. */
        pids: () => lines(log).flatMap((line) => /^started (\d+)/.exec(line)?.[1] ?? []).map(Number),
        /** The program, told so much. */
        program: (...flags: ReadonlyArray<string>) => W.own("server", folder, ...flags)
      }
    }
  )

/** Whether a process is there. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // A process that has ended and that nobody has asked about is there by name only.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

/** Waits until something is so, for ten seconds. */
export const until = (what: () => boolean) =>
  Effect.suspend(() => what() ? Effect.void : Effect.fail("not yet" as const)).pipe(
    Effect.retry({ times: 500, schedule: waits }),
    Effect.orDie
  )

// internal

const waits = Schedule.spaced("20 millis")

const lines = (file: string) =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").filter((line) => line !== "") : []
