/**
 * The way out for the vendor's SDK, over HTTP/1.1: it keeps the terms of the call that a request belongs to, as `Fetch`
 * does for others. A call is known by its signal, which the SDK hands through.
 */
import type { NodeHttpHandler } from "@smithy/node-http-handler"
import { Readable, Transform } from "node:stream"
import { Fetch } from "../../src/backend/index.ts"

/** A handler of the SDK's that admits what a call may bring back, and nothing else. */
export interface Door {
  readonly handler: Handler
  /** Puts a call under its terms; the request that carries its signal keeps them. */
  readonly under: (terms: Fetch.Terms) => void
}

/** The door before a handler of the vendor's. */
export const make = (inner: NodeHttpHandler): Door => {
  const calls = new WeakMap<object, Fetch.Terms>()
  return {
    under: (terms) => void calls.set(terms.signal, terms),
    handler: {
      metadata: inner.metadata,
      destroy: () => inner.destroy(),
      updateHttpClientConfig: (key, value) => inner.updateHttpClientConfig(key, value),
      httpHandlerConfigs: () => inner.httpHandlerConfigs(),
      handle: async (request, options) => {
        const { response } = await inner.handle(request, options)
        const terms = calls.get(options?.abortSignal ?? {})
        // What belongs to no call is the SDK's own: looking for credentials.
        if (terms !== undefined) response.body = await admit(response, terms)
        return { response }
      }
    }
  }
}

// internal

type Handler = Pick<
  NodeHttpHandler,
  "metadata" | "destroy" | "updateHttpClientConfig" | "httpHandlerConfigs" | "handle"
>
type Answered = Awaited<ReturnType<NodeHttpHandler["handle"]>>["response"]

const admit = async ({ body, headers, statusCode }: Answered, terms: Fetch.Terms): Promise<Readable> => {
  const source: unknown = body
  const stream = source instanceof Readable ? source : Readable.from([])
  if (statusCode < 200 || statusCode > 299) {
    return Promise.reject(
      new Fetch.Refused({ status: statusCode, headers: new Headers(headers), body: await head(stream) })
    )
  }
  if (!Fetch.admits(headers["content-type"], terms.accepts)) {
    stream.destroy()
    return Promise.reject(Fetch.wrongType)
  }
  return bounded(stream, terms)
}

/** The beginning of a refusal; whatever else there is stays unread. */
const head = async (stream: Readable): Promise<string> => {
  const chunks: Array<Buffer> = []
  let seen = 0
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk))
    seen += chunk.length
    if (seen >= Fetch.maxRefusalBytes) break
  }
  return Buffer.concat(chunks).subarray(0, Fetch.maxRefusalBytes).toString("utf8")
}

/** Breaks off when more than the terms allow comes through, or when the call is over. */
const bounded = (source: Readable, { maxBytes, signal }: Fetch.Terms): Readable => {
  let seen = 0
  const through = new Transform({
    transform: (chunk: Buffer, _, done) => {
      seen += chunk.length
      if (seen > maxBytes) done(Fetch.tooLarge(maxBytes))
      else done(null, chunk)
    }
  })
  const close = () => void source.destroy()
  signal.addEventListener("abort", close, { once: true })
  through.once("close", () => {
    signal.removeEventListener("abort", close)
    source.destroy()
  })
  source.once("error", (error) => through.destroy(error))
  // A source that was destroyed without a word has no end and no error.
  source.once("close", () => {
    if (!source.readableEnded) through.destroy(broken())
  })
  return source.pipe(through)
}

const broken = (): Error => Object.assign(new Error("the connection broke"), { code: "ECONNRESET" })
