/**
 * The `fetch` that a vendor's SDK is given for one request. It admits what was asked for and nothing else: a refusal comes
 * back as a refusal with its headers, an answer of another kind or beyond its size as what it is, a redirect is not
 * followed with the key in hand, and aborting the call closes the connection whatever the SDK does about signals.
 */
import { Data } from "effect"

/** The other side answered, and it was no answer: any status but 2xx. The body is shortened. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly status: number
  readonly headers: Headers
  readonly body: string
}> {}

/** What came is no answer of the kind that was asked for. The detail quotes nothing of it. */
export class Unfit extends Data.TaggedError("Unfit")<{ readonly detail: string }> {}

/** What one request may bring back. */
export interface Terms {
  /** Aborts the request, and with it the reading of its answer. */
  readonly signal: AbortSignal
  /** Beginnings of the content types that are admitted, in lower case. */
  readonly accepts: ReadonlyArray<string>
  /** Bytes of an answer at most. */
  readonly maxBytes: number
}

/** Bytes of a refusal that are read. */
export const maxRefusalBytes = 65_536

/** The `fetch` for one request under these terms. */
export const under = (fetch: typeof globalThis.fetch, terms: Terms): typeof globalThis.fetch => (input, init) => {
  const theirs = init?.signal
  const signal = theirs === undefined || theirs === null ? terms.signal : AbortSignal.any([terms.signal, theirs])
  return fetch(input, { ...init, redirect: "manual", signal }).then((response) => admit(response, terms))
}

/** What an SDK's error was wrapped around, when this is where it began. */
export const causeOf = (error: unknown): Refused | Unfit | undefined =>
  causes(error).find((cause) => cause instanceof Refused || cause instanceof Unfit)

/** An error and what it says that it was caused by, as far as that is told. */
export const causes = (error: unknown): ReadonlyArray<Error> => {
  const found: Array<Error> = []
  let cause = error
  while (cause instanceof Error && found.length < maxCauses) {
    found.push(cause)
    cause = cause.cause
  }
  return found
}

/** Errors when more than this comes through. */
export const bounded = (maxBytes: number): TransformStream<Uint8Array, Uint8Array> => {
  let seen = 0
  return new TransformStream({
    transform: (chunk, controller) => {
      seen += chunk.byteLength
      if (seen > maxBytes) controller.error(tooLarge(maxBytes))
      else controller.enqueue(chunk)
    }
  })
}

/** The answer is larger than it may be. */
export const tooLarge = (maxBytes: number): Unfit =>
  new Unfit({ detail: `the answer is larger than ${maxBytes} bytes` })

/** The answer is of a type that was not asked for. */
export const wrongType: Unfit = new Unfit({ detail: "the answer is not of the type that was asked for" })

/** Whether a content type is one of those that are admitted. */
export const admits = (type: string | null | undefined, accepts: Terms["accepts"]): boolean =>
  accepts.some((accepted) => (type ?? "").toLowerCase().startsWith(accepted))

// internal

/** How deep errors are looked into. */
const maxCauses = 6

const admit = (response: Response, terms: Terms): Response | Promise<Response> => {
  const { body, headers, status } = response
  if (!response.ok) {
    return head(body).then((text) => Promise.reject(new Refused({ status, headers, body: text })))
  }
  if (body === null || !admits(headers.get("content-type"), terms.accepts)) {
    return Promise.resolve(body?.cancel()).then(() => Promise.reject(wrongType))
  }
  return new Response(body.pipeThrough(bounded(terms.maxBytes)), { status, headers })
}

/** The beginning of a refusal; whatever else there is stays unread. */
const head = (body: Response["body"]): Promise<string> => {
  if (body === null) return Promise.resolve("")
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const next = (text: string, seen: number): Promise<string> =>
    reader.read().then(({ done, value }) => {
      if (done) return text + decoder.decode()
      const kept = value.subarray(0, Math.max(0, maxRefusalBytes - seen))
      const so = text + decoder.decode(kept, { stream: true })
      return seen + value.byteLength < maxRefusalBytes
        ? next(so, seen + value.byteLength)
        : reader.cancel().then(() => so)
    })
  return next("", 0)
}
