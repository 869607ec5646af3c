/**
 * Lets lines of JSON objects through and nothing else. The SDK would pass a broken line over with a word on the console,
 * and the answer would miss a piece that nobody misses.
 */
import { Result } from "effect"
import { Fetch, Pieces } from "../../src/backend/index.ts"

/** A `fetch` whose answers are checked line by line. */
export const checked = (fetch: typeof globalThis.fetch): typeof globalThis.fetch => (input, init) =>
  fetch(input, init).then((response) =>
    response.body === null || !Fetch.admits(response.headers.get("content-type"), [type])
      ? response
      : new Response(response.body.pipeThrough(lines()), { status: response.status, headers: response.headers })
  )

/** The content type of streamed answers. */
export const type = "application/x-ndjson"

// internal

const lines = (): TransformStream<Uint8Array, Uint8Array> => {
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  let rest = ""
  return new TransformStream({
    transform: (bytes, controller) => {
      const pieces = (rest + decoder.decode(bytes, { stream: true })).split("\n")
      rest = pieces.pop() ?? ""
      if (pieces.every((line) => line.trim() === "" || isObject(line))) {
        if (pieces.length > 0) controller.enqueue(encoder.encode(`${pieces.join("\n")}\n`))
      } else controller.error(new Fetch.Unfit({ detail: "a line of the answer is not a JSON object" }))
    },
    // A line that was cut off is left out: without its end the answer is known to be cut short.
    flush: (controller) => {
      if (isObject(rest)) controller.enqueue(encoder.encode(`${rest}\n`))
    }
  })
}

const isObject = (line: string): boolean =>
  Pieces.isRecord(Result.getOrUndefined(Result.try((): unknown => JSON.parse(line))))
