/** An HTTP server on the loopback address that answers as a test tells it to, and says what became of its clients. */
import { Effect, type Scope } from "effect"
import * as http from "node:http"

/** One request as it arrived. */
export interface Asked {
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  // Whatever an adapter sent: tests look at it freely.
  readonly body: Record<string, any>
}

/** Answers one request. */
export type Answering = (asked: Asked, response: http.ServerResponse, attempt: number) => void

/** The server as a test sees it. */
export interface Server {
  readonly url: string
  readonly asked: ReadonlyArray<Asked>
  /** Resolves when this many requests have arrived. */
  readonly arrived: (count: number) => Effect.Effect<void>
  /** Resolves when a client has closed its connection before the answer was complete. */
  readonly abandoned: Effect.Effect<void>
}

/** Starts a server that answers so; it stops with the scope, whatever is still open. */
export const serve = (answering: Answering): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.gen(function*() {
    const asked: Array<Asked> = []
    const waiting: Array<{ readonly count: number; readonly done: () => void }> = []
    const abandoned = Promise.withResolvers<void>()
    const server = http.createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8")
        const body = (text === "" ? {} : JSON.parse(text)) as Record<string, any>
        const one: Asked = { path: request.url ?? "", headers: request.headers, body }
        asked.push(one)
        for (const { count, done } of waiting) if (asked.length >= count) done()
        response.on("close", () => {
          if (!response.writableFinished) abandoned.resolve()
        })
        answering(one, response, asked.length)
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return {
      url: `http://127.0.0.1:${port}`,
      asked,
      arrived: (count) =>
        Effect.callback<void>((resume) => {
          if (asked.length >= count) resume(Effect.void)
          else waiting.push({ count, done: () => resume(Effect.void) })
        }),
      abandoned: Effect.promise(() => abandoned.promise)
    }
  })
