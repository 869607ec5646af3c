/**
 * A server at the other end of a network, over streamable HTTP. Answers are bounded message by message, a redirect is not
 * followed with the headers in hand, and what could not be reached is told from what may have been.
 */
import { StreamableHTTPClientTransport, StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { depthOf } from "./Depth.ts"
import { maxDepth } from "./Stdio.ts"

/** Where it is. */
export interface Place {
  readonly fetch: typeof globalThis.fetch
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly maxMessageBytes: number
}

/** The transport of one connection. */
export const make = ({ fetch, headers, maxMessageBytes, url }: Place): StreamableHTTPClientTransport =>
  new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { ...headers } },
    reconnectionOptions: {
      initialReconnectionDelay: 1000,
      maxReconnectionDelay: 30_000,
      reconnectionDelayGrowFactor: 2,
      maxRetries: 5
    },
    fetch: (input, init) =>
      fetch(input, { ...init, redirect: "error" }).then((response) => bounded(response, maxMessageBytes))
  })

/** Whether an error says that the server was not reached at all. */
export const isUnreached = (error: unknown): boolean => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string" && unreached.has(cause.code)) return true
  }
  return false
}

/** The status that a server refused a request with; `undefined` when it did not. */
export const statusOf = (error: unknown): number | undefined =>
  error instanceof StreamableHTTPError && error.code !== undefined && error.code > 0 ? error.code : undefined

// internal

const unreached = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT"
])

const bounded = async (response: Response, most: number): Promise<Response> => {
  const { body, headers, status, statusText } = response
  if (body === null) return response
  const isStream = (headers.get("content-type") ?? "").toLowerCase().startsWith("text/event-stream")
  const counted = body.pipeThrough(isStream ? perEvent(most) : total(most))
  if (isStream || !response.ok) return new Response(counted, { status, statusText, headers })
  const text = await new Response(counted).text()
  if (depthOf(text) > maxDepth) return Promise.reject(new Error(`a message is nested deeper than ${maxDepth} levels`))
  return new Response(text, { status, statusText, headers })
}

const tooLong = (most: number) => new Error(`a message is longer than ${most} bytes`)

const total = (most: number): TransformStream<Uint8Array, Uint8Array> => {
  let seen = 0
  return new TransformStream({
    transform: (chunk, controller) => {
      seen += chunk.byteLength
      if (seen > most) controller.error(tooLong(most))
      else controller.enqueue(chunk)
    }
  })
}

/** Counts anew at each empty line, which is where an event ends. */
const perEvent = (most: number): TransformStream<Uint8Array, Uint8Array> => {
  let seen = 0
  let isLineEmpty = true
  return new TransformStream({
    transform: (chunk, controller) => {
      for (const byte of chunk) {
        seen++
        if (byte === newline && isLineEmpty) seen = 0
        isLineEmpty = byte === newline || (isLineEmpty && byte === carriageReturn)
        if (seen > most) return controller.error(tooLong(most))
      }
      controller.enqueue(chunk)
    }
  })
}

const newline = 10
const carriageReturn = 13
