/**
 * A proxy on loopback that speaks PostgreSQL's wire format well enough to know which statement is on its way, and what was
 * asked of it to spoil. It works on cycles: all that a client sends up to a Sync, and all that the server answers up to
 * its ReadyForQuery.
 */
import { Effect, type Scope } from "effect"
import * as net from "node:net"

/** What happens to one cycle. */
export type Fate =
  /** It passes, and so does its answer. */
  | "pass"
  /** The connection breaks before the server sees it. */
  | "lost"
  /** The server gets it; the connection breaks before the answer comes back. */
  | "unanswered"
  /** The server gets it and is left waiting for more; nothing comes back, and nothing breaks. */
  | "silent"
  /** The server does not get it; nothing comes back, and nothing breaks. */
  | "stuck"
  /** The server rolls back, and the client is told that it lost a race, by this SQLSTATE. */
  | { readonly error: string }

/** The proxy, and what it has seen. */
export interface Proxy {
  readonly url: URL
  /** Cycles that did not pass, by their fate. */
  readonly spoilt: ReadonlyMap<string, number>
  /** Breaks every connection there is, and takes no more. */
  readonly close: Effect.Effect<void>
}

/** Stands before the server at `target`. `decide` is asked for each cycle, with the statement it runs. */
export const make = (
  target: URL,
  decide: (statement: string) => Fate
): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.gen(function*() {
    const pairs = new Set<Pair>()
    const spoilt = new Map<string, number>()
    const counted = (statement: string): Fate => {
      const fate = decide(statement)
      const name = typeof fate === "string" ? fate : fate.error
      if (fate !== "pass") spoilt.set(name, (spoilt.get(name) ?? 0) + 1)
      return fate
    }
    const server = net.createServer((client) => {
      const pair = join(client, net.connect(Number(target.port), target.hostname), counted)
      pairs.add(pair)
      client.on("close", () => pairs.delete(pair))
    })
    const close = Effect.callback<void>((resume) => {
      for (const pair of pairs) pair.end()
      server.close(() => resume(Effect.void))
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () => close
    )
    const url = new URL(target)
    const address = server.address()
    url.port = String(typeof address === "object" && address !== null ? address.port : 0)
    return { url, spoilt, close }
  })

// internal

interface Pair {
  readonly end: () => void
}

const parse = "P".charCodeAt(0)
const bind = "B".charCodeAt(0)
const query = "Q".charCodeAt(0)
const sync = "S".charCodeAt(0)
const ready = "Z".charCodeAt(0)

/** One client and its connection to the server. */
const join = (client: net.Socket, server: net.Socket, decide: (statement: string) => Fate): Pair => {
  const statements = new Map<string, string>()
  let statement = ""
  let cycle: Array<Buffer> = []
  /** What is done with the answers of cycles under way, in their order. */
  const answers: Array<"pass" | "break" | "keep" | { readonly error: string }> = []
  const end = () => {
    client.destroy()
    server.destroy()
  }

  const send = (messages: ReadonlyArray<Buffer>) => {
    const fate = decide(statement)
    statement = ""
    if (fate === "lost") return end()
    if (fate === "stuck") return
    if (typeof fate === "object") {
      answers.push(fate)
      return server.write(simple("ROLLBACK"))
    }
    answers.push(fate === "unanswered" ? "break" : fate === "silent" ? "keep" : "pass")
    server.write(Buffer.concat(messages))
  }

  const fromClient = splitter(true, (message, isStartup) => {
    if (isStartup) {
      answers.push("pass")
      return server.write(message)
    }
    const kind = message[0]
    if (kind === parse) statements.set(text(message, 5), text(message, 6 + text(message, 5).length))
    if (kind === bind) {
      const portal = text(message, 5)
      statement = statements.get(text(message, 6 + portal.length)) ?? ""
    }
    if (kind === query) statement = text(message, 5)
    cycle.push(message)
    if (kind !== sync && kind !== query && kind !== 0x58) return
    const whole = cycle
    cycle = []
    if (kind === 0x58) server.end(message)
    else send(whole)
  })
  const fromServer = splitter(false, (message) => {
    const [answer = "pass"] = answers
    const isLast = message[0] === ready
    if (isLast) answers.shift()
    if (answer === "pass") client.write(message)
    else if (answer === "break" && isLast) end()
    else if (typeof answer === "object" && isLast) client.write(Buffer.concat([failure(answer.error), message]))
  })

  client.on("data", fromClient).on("error", end).on("close", () => server.destroy())
  server.on("data", fromServer).on("error", end).on("close", () => client.destroy())
  return { end }
}

/** Cuts a stream into messages; a client's first has no kind. */
const splitter = (startup: boolean, each: (message: Buffer, isStartup: boolean) => void) => {
  let rest: Buffer = Buffer.alloc(0)
  let isStartup = startup
  return (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      const head = isStartup ? 0 : 1
      if (rest.length < head + 4) return
      const length = head + rest.readInt32BE(head)
      if (rest.length < length) return
      const message = rest.subarray(0, length)
      rest = rest.subarray(length)
      each(message, isStartup)
      isStartup = false
    }
  }
}

const text = (message: Buffer, from: number) => message.toString("utf8", from, message.indexOf(0, from))

const message = (kind: string, body: Buffer) => {
  const head = Buffer.alloc(5)
  head.write(kind)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
const simple = (statement: string) => message("Q", Buffer.from(`${statement}\0`))
const failure = (code: string) => message("E", Buffer.from(`SERROR\0VERROR\0C${code}\0Mthe proxy says so\0\0`))
