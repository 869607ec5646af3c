/** A loopback HTTP server that speaks the Messages API, and whatever else a test wants it to speak. */
import { Effect, Redacted, type Scope } from "effect"
import * as http from "node:http"
import { setTimeout } from "node:timers/promises"
import { Anthropic } from "../../../layers/anthropic/index.ts"

/** One request as it arrived. */
export interface Asked {
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  // Whatever the adapter sent: tests look at it freely.
  readonly body: Record<string, any>
}

/** Answers one request. */
export type Answering = (asked: Asked, response: http.ServerResponse, attempt: number) => void

/** The server as a test sees it. */
export interface Fake {
  readonly url: string
  readonly asked: ReadonlyArray<Asked>
  /** Resolves when this many requests have arrived. */
  readonly arrived: (count: number) => Effect.Effect<void>
  /** Resolves when a client has closed its connection before the answer was complete. */
  readonly abandoned: Effect.Effect<void>
}

/** Looks like a key; belongs to nobody. */
export const key = "sk-ant-test-0123456789abcdefghij"

/** Starts a server that answers so; it stops with the scope, whatever is still open. */
export const serve = (answering: Answering): Effect.Effect<Fake, never, Scope.Scope> =>
  Effect.gen(function*() {
    const asked: Array<Asked> = []
    const waiting: Array<{ readonly count: number; readonly done: () => void }> = []
    const abandoned = Promise.withResolvers<void>()
    const server = http.createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, any>
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

/** A server and a backend that asks it. */
export const backed = (answering: Answering, options: Partial<Anthropic.Options> = {}) =>
  Effect.gen(function*() {
    const server = yield* serve(answering)
    const backend = yield* Anthropic.make({
      model: "claude-sonnet-5",
      apiKey: Redacted.make(key),
      baseUrl: server.url,
      ...options
    })
    return { server, backend, model: backend.languageModel }
  })

/** Token counts of every answer below, unless said otherwise. */
export const usage = { input_tokens: 10, output_tokens: 5 }

/** A whole message. */
export const message = (content: ReadonlyArray<object>, more: object = {}) => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-5-20260601",
  content,
  stop_reason: "end_turn",
  stop_sequence: null,
  usage,
  ...more
})

/** Sends `body` as JSON. */
export const json = (
  response: http.ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {}
): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(JSON.stringify(body))
}

/** An error as the API words it. */
export const refuse = (
  response: http.ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Record<string, string> = {},
  details?: object
): void =>
  json(
    response,
    { type: "error", error: { type, message: text, ...(details === undefined ? {} : { details }) } },
    status,
    { "request-id": "req_1", ...headers }
  )

/** One event of a stream; its type is its name. */
export interface Event {
  readonly type: string
  readonly [field: string]: unknown
}

/** Sends events and leaves the connection open. */
export const send = (response: http.ServerResponse, events: ReadonlyArray<Event>): void => {
  if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" })
  for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
}

/** Sends events and ends the answer. */
export const stream = (response: http.ServerResponse, events: ReadonlyArray<Event>): void => {
  send(response, events)
  response.end()
}

/** Breaks the connection off, once what was sent has had time to arrive. */
export const reset = (response: http.ServerResponse): void => {
  void setTimeout(20).then(() => response.destroy())
}

/** What every stream begins with. */
export const opening: Event = {
  type: "message_start",
  message: message([], { stop_reason: null, usage: { input_tokens: 10, output_tokens: 1 } })
}

/** What every complete stream ends with. */
export const closing = (stop: string, used: object = { output_tokens: 5 }): ReadonlyArray<Event> => [
  { type: "message_delta", delta: { stop_reason: stop, stop_sequence: null }, usage: used },
  { type: "message_stop" }
]

/** A block that streams in pieces. */
export const block = (index: number, content: object, deltas: ReadonlyArray<object>): ReadonlyArray<Event> => [
  { type: "content_block_start", index, content_block: content },
  ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
  { type: "content_block_stop", index }
]

/** A text that streams in pieces. */
export const text = (index: number, pieces: ReadonlyArray<string>): ReadonlyArray<Event> =>
  block(index, { type: "text", text: "" }, pieces.map((piece) => ({ type: "text_delta", text: piece })))
