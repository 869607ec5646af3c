/**
 * A server that is a program of this machine: started in a process group of its own, with an environment that is given to
 * it name by name, spoken to in lines of JSON, and ended with all that it started.
 *
 * A line longer than its bound ends the connection. A line that is no message is counted and left; too many end it too.
 */
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { type JSONRPCMessage, JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import { setTimeout as after } from "node:timers/promises"
import { depthOf } from "./Depth.ts"

/** What to start. */
export interface Program {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string | undefined
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly maxMessageBytes: number
}

/** A connection to a program. */
export interface StdioTransport extends Transport {
  /** What it wrote to standard error last. */
  readonly said: () => string
  /** Lines that were no messages. */
  readonly noise: () => number
}

/** Lines that are no messages, of one connection. */
export const maxNoise = 10_000
/** Levels of a message. */
export const maxDepth = 100
/** How long a program has to end, once its input has ended and then once it was told to. */
export const graceMs = { ended: 500, told: 2000 }

/** The transport of one process; it is started with the connection and ends with it. */
export const make = (program: Program): StdioTransport => {
  let child: Child | undefined
  let exited: Promise<void> = Promise.resolve()
  let noise = 0
  let said = ""
  let rest: Array<Buffer> = []
  let held = 0
  const state = { isClosed: false }

  const gone = () => {
    if (state.isClosed) return
    state.isClosed = true
    if (child?.pid !== undefined) end(child.pid)
    transport.onclose?.()
  }
  const broken = (detail: string) => {
    transport.onerror?.(new Error(detail))
    gone()
  }
  const line = (bytes: Buffer) => {
    const message = messageIn(bytes.toString("utf8"))
    if (message !== undefined) return transport.onmessage?.(message)
    noise++
    if (noise > maxNoise) broken(`it wrote more than ${maxNoise} lines that are no messages`)
  }
  const heard = (chunk: Buffer) => {
    let start = 0
    for (let at = chunk.indexOf(newline); at >= 0 && !state.isClosed; at = chunk.indexOf(newline, start)) {
      const whole = rest.length === 0 ? chunk.subarray(start, at) : Buffer.concat([...rest, chunk.subarray(start, at)])
      rest = []
      held = 0
      start = at + 1
      if (whole.length > program.maxMessageBytes) return broken(tooLong(program))
      if (whole.length > 0) line(whole)
    }
    held += chunk.length - start
    if (held > program.maxMessageBytes) return broken(tooLong(program))
    if (start < chunk.length) rest.push(chunk.subarray(start))
  }

  const transport: StdioTransport = {
    said: () => said,
    noise: () => noise,
    start: () =>
      new Promise((resolve, reject) => {
        const started = spawn(program.command, program.args, {
          ...(program.cwd === undefined ? {} : { cwd: program.cwd }),
          env: program.env,
          stdio: ["pipe", "pipe", "pipe"],
          // Its own group: what it started is ended with it, and a signal for us is none for it.
          detached: true
        })
        child = started
        exited = new Promise((done) => {
          started.once("exit", () => {
            done()
            // What it wrote before is still read: the pipe closes after it.
            if (started.pid !== undefined) end(started.pid)
          })
          started.once("error", () => done())
        })
        started.once("error", (error) => {
          reject(error)
          gone()
        })
        started.once("close", gone)
        started.once("spawn", () => {
          if (started.pid !== undefined) running.add(started.pid)
          resolve()
        })
        started.stdin.on("error", () => {})
        started.stdout.on("error", () => {})
        started.stdout.on("data", heard)
        started.stderr.setEncoding("utf8").on("data", (text: string) => {
          said = (said + text).slice(-maxSaid)
        })
      }),
    send: (message) =>
      new Promise((resolve, reject) => {
        if (child === undefined || state.isClosed || !child.stdin.writable) {
          return reject(new Error("the program has ended"))
        }
        child.stdin.write(`${JSON.stringify(message)}\n`, (error) => error ? reject(error) : resolve())
      }),
    close: async () => {
      const ending = child
      if (ending?.pid !== undefined && ending.exitCode === null && ending.signalCode === null) {
        ending.stdin.end()
        await Promise.race([exited, after(graceMs.ended, undefined, { ref: false })])
        if (ending.exitCode === null && ending.signalCode === null) {
          signal(ending.pid, "SIGTERM")
          await Promise.race([exited, after(graceMs.told, undefined, { ref: false })])
        }
      }
      gone()
    }
  }
  return transport
}

// internal

type Child = ChildProcessByStdio<Writable, Readable, Readable>

const newline = 10
/** Characters that are kept of what a program says beside. */
const maxSaid = 4096

const tooLong = ({ maxMessageBytes }: Program) => `it wrote a message longer than ${maxMessageBytes} bytes`

const messageIn = (text: string): JSONRPCMessage | undefined => {
  if (!text.trimStart().startsWith("{") || depthOf(text) > maxDepth) return undefined
  try {
    return JSONRPCMessageSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** Groups that were started here and have not ended. */
const running = new Set<number>()

const signal = (group: number, name: NodeJS.Signals): void => {
  try {
    process.kill(-group, name)
  } catch {
    // Nobody of that group is left.
  }
}

/** Ends a group for good, whoever of it is left. */
const end = (group: number): void => {
  signal(group, "SIGKILL")
  running.delete(group)
}

// However this process ends, short of being killed, nothing that it started outlives it.
process.on("exit", () => {
  for (const group of running) signal(group, "SIGKILL")
})
