/** Servers over HTTP, on 127.0.0.1: the official one as a program, and one of a test's own that says what it is told to. */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { official } from "./world.ts"

/** Makes a program listen here alone, whatever it asks for. */
const local = `data:text/javascript,${
  encodeURIComponent(`
    import { Server } from "node:net"
    const listen = Server.prototype.listen
    Server.prototype.listen = function (port, ...rest) {
      const done = rest.findLast((one) => typeof one === "function")
      return listen.call(this, { port: Number(port), host: "127.0.0.1" }, done)
    }
  `)
}`

/** A port that nobody has. */
const free = Effect.promise(() =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
)

/** The URL of the official server, for as long as the scope is open. */
export const everything = Effect.gen(function*() {
  const port = yield* free
  const { args, command } = official("everything", "streamableHttp")
  yield* Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<ReturnType<typeof spawn>>((resolve, reject) => {
        const child = spawn(command, ["--import", local, ...args], {
          env: { PATH: process.env["PATH"], PORT: String(port) },
          stdio: ["ignore", "ignore", "pipe"]
        })
        let said = ""
        child.stderr.on("data", (text: Buffer) => {
          said += text.toString()
          if (said.includes("listening")) resolve(child)
        })
        child.once("exit", () => reject(new Error(said)))
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  return `http://127.0.0.1:${port}/mcp`
})

/** How a server of one's own answers a request of the protocol: anything of HTTP. */
export type Answer = (message: Message, response: ServerResponse, request: IncomingMessage) => void
export interface Message {
  readonly id?: number
  readonly method: string
  readonly params?: Record<string, unknown>
}

/** A server that shakes hands, has the tool `echo`, and leaves every other request to `answer`; gives its URL. */
export const own = (answer: Answer, seen: (request: IncomingMessage) => void = () => {}) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer((request, response) => {
            seen(request)
            if (request.method !== "POST") return response.writeHead(405).end()
            let text = ""
            request.on("data", (chunk: Buffer) => {
              text += chunk.toString()
            })
            request.on("end", () => {
              const message = JSON.parse(text) as Message
              if (message.id === undefined) return response.writeHead(202).end()
              if (message.method === "initialize") return json(response, message, handshake)
              if (message.method === "tools/list") return json(response, message, { tools: [echo] })
              return answer(message, response, request)
            })
          }).listen(0, "127.0.0.1", () => resolve(server))
        })
      ),
      (server) =>
        Effect.promise(() =>
          new Promise<void>((resolve) => {
            server.closeAllConnections()
            server.close(() => resolve())
          })
        )
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  )

/** Answers with a result. */
export const json = (response: ServerResponse, { id }: Message, result: unknown): void => {
  response.writeHead(200, { "content-type": "application/json" })
  response.end(JSON.stringify({ jsonrpc: "2.0", id, result }))
}

// internal

const handshake = {
  protocolVersion: "2025-06-18",
  capabilities: { tools: {} },
  serverInfo: { name: "own", version: "1" }
}
const echo = { name: "echo", description: "echoes", inputSchema: { type: "object" } }
