/** The Messages API as a server on the loopback address speaks it, and whatever else a test wants it to speak. */
import { Effect, Redacted } from "effect"
import type * as http from "node:http"
import { setTimeout } from "node:timers/promises"
import { Anthropic } from "../../../layers/anthropic/index.ts"
import { type Answering, serve } from "../../backend/Loopback.ts"

export type { Answering }

/** Looks like a key; belongs to nobody. */
export const key = "sk-ant-test-0123456789abcdefghij"

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
