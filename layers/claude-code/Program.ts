/**
 * One run of the program: its arguments, what it reads, and the JSON objects that it writes, line by line. It runs in a
 * scratch home with an environment of its own, and is killed when its run is over, whatever it is doing.
 */
import { Effect, type Scope } from "effect"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Readable, Writable } from "node:stream"
import { Fetch, Pieces, Vendor } from "../../src/backend/index.ts"

/** What to run. */
export interface Run {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly input: string
  readonly environment: Readonly<Record<string, string>>
  readonly home: string
}

/** The program ended without a word of what it was asked for. */
export class Ended extends Error {
  override readonly name = "Ended"
  readonly exitCode: number | null
  /** Whether anything came before it ended. */
  readonly begun: boolean
  /** What it had to say beside; shortened. */
  readonly said: string
  constructor(exitCode: number | null, begun: boolean, said: string) {
    super("the program ended")
    this.exitCode = exitCode
    this.begun = begun
    this.said = said
  }
}

/** A folder that is the program's home, and holds these files, for as long as the scope is open. */
export const home = (files: Readonly<Record<string, string>>): Effect.Effect<string, Vendor.Thrown, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Vendor.promised(() => mkdtemp(join(tmpdir(), "aosiq-claude-"))),
      (path) => Effect.ignore(Vendor.promised(() => rm(path, { recursive: true, force: true })))
    )
    for (const [name, text] of Object.entries(files)) {
      yield* Vendor.promised(() => writeFile(join(folder, name), text, { mode: 0o600 }))
    }
    return folder
  })

/** Runs the program for as long as the scope is open; gives what it writes. */
export const run = (
  { args, environment, home: folder, input, program }: Run,
  { maxBytes }: Fetch.Terms
): Effect.Effect<AsyncGenerator<Record<string, unknown>>, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(program, args, {
          cwd: folder,
          // `HOME` is where it looks for settings, servers and instructions of the user's.
          env: { ...environment, HOME: folder },
          stdio: ["pipe", "pipe", "pipe"]
        })
        // A program that is not there, or does not read on, says so where its output is read.
        const failed = new Promise<Error>((resolve) => child.once("error", resolve))
        child.stdin.on("error", () => {})
        child.stdin.end(input)
        return { child, failed }
      }),
      ({ child }) => Effect.promise(() => killed(child))
    ),
    ({ child, failed }) => lines(child, failed, maxBytes)
  )

// internal

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** Bytes that are kept of what the program says beside. */
const maxSaidBytes = 4096

const killed = (child: Child): Promise<void> =>
  new Promise((resolve) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    child.kill("SIGKILL")
  })

async function* lines(
  child: Child,
  failed: Promise<Error>,
  maxBytes: number
): AsyncGenerator<Record<string, unknown>> {
  let said = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(0, maxSaidBytes)
  })
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
  const decoder = new TextDecoder()
  let seen = 0
  let rest = ""
  for await (const bytes of child.stdout) {
    seen += bytes.length
    if (seen > maxBytes) throw Fetch.tooLarge(maxBytes)
    const texts = (rest + decoder.decode(bytes, { stream: true })).split("\n")
    rest = texts.pop() ?? ""
    for (const text of texts) if (text.trim() !== "") yield object(text)
  }
  // A line that was cut off is no object yet; anything else never was one.
  if (rest.trim() !== "" && (!rest.trimStart().startsWith("{") || Pieces.isJson(rest))) yield object(rest)
  const exit = await Promise.race([ended, failed])
  throw exit instanceof Error ? exit : new Ended(exit, seen > 0, said)
}

const object = (text: string): Record<string, unknown> => {
  const value = Pieces.argumentsIn(text)
  if (!Pieces.isRecord(value)) throw new Fetch.Unfit({ detail: "a line of the answer is not a JSON object" })
  return value
}
