/** A loopback HTTP server that speaks the wire format of Prometheus, and whatever else a test wants it to speak. */
import { Effect, type Scope } from "effect"
import * as http from "node:http"

/** One request as it arrived. */
export interface Asked {
  readonly path: string
  readonly params: URLSearchParams
  readonly headers: http.IncomingHttpHeaders
}

/** Answers one request; the probe of a reading is a query for `1`. */
export type Answering = (asked: Asked, response: http.ServerResponse) => void

/** Sends `body` as JSON. */
export const json = (response: http.ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}

/** A successful answer with a matrix of labels and readings at consecutive minutes. */
export const matrix = (
  response: http.ServerResponse,
  result: ReadonlyArray<{ readonly metric: object; readonly values?: ReadonlyArray<readonly [number, string]> }>,
  more: object = {}
): void => json(response, { status: "success", data: { resultType: "matrix", result }, ...more })

/** What a healthy server says to the probe. */
export const one = (response: http.ServerResponse): void =>
  json(response, { status: "success", data: { resultType: "scalar", result: [1.5, "1"] } })

/** Answers the probe, and leaves the rest to `answering`. */
export const healthy = (answering: Answering): Answering => (asked, response) =>
  asked.params.get("query") === "1" ? one(response) : answering(asked, response)

/** Starts a server that answers so; it stops with the scope, whatever is still open. */
export const serve = (
  answering: Answering
): Effect.Effect<{ readonly url: string; readonly asked: ReadonlyArray<Asked> }, never, Scope.Scope> =>
  Effect.gen(function*() {
    const asked: Array<Asked> = []
    const server = http.createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://loopback")
      const one: Asked = { path: url.pathname, params: url.searchParams, headers: request.headers }
      asked.push(one)
      response.on("error", () => response.destroy())
      answering(one, response)
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
    return { url: `http://127.0.0.1:${port}`, asked }
  })
