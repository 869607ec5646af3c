/** What the Gemini API refuses, and what a stream says that went wrong. */
import { Failure, Pieces, type Vendor } from "../../src/backend/index.ts"

/** The failure behind a refusal. */
export const of = ({ json, retryAfterMs, status }: Vendor.Refusal, key: string): Failure.Failure => {
  const error = errorIn(json)
  return Failure.make(kindOf(status, error), {
    detail: Failure.explained(error.message, [key], `status ${status}`),
    vendor: { gemini: { status, type: error.status ?? null } },
    retryAfterMs: retryAfterMs ?? delayIn(error.details),
    mayNot: status === 403
  })
}

/** The failure that a begun stream tells of: what was generated until then may have to be paid for. */
export const told = (text: string, key: string): Failure.Failure => {
  const error = errorIn(Pieces.argumentsIn(text.slice(Math.max(0, text.indexOf("{")))))
  return Failure.make("CutShort", {
    detail: Failure.explained(error.message, [key], error.status ?? "the stream says that it failed"),
    vendor: { gemini: { status: null, type: error.status ?? null } },
    hopeless: true
  })
}

// internal

interface Wrong {
  readonly status: string | undefined
  readonly message: unknown
  readonly details: ReadonlyArray<Record<string, unknown>>
}

/** `{ error: { code, message, status, details } }`, as far as it is that. */
const errorIn = (value: unknown): Wrong => {
  const error = Pieces.isRecord(value) && Pieces.isRecord(value["error"]) ? value["error"] : {}
  const { details, message, status } = error
  return {
    status: typeof status === "string" && /^\w{1,60}$/.test(status) ? status : undefined,
    message,
    details: Array.isArray(details) ? details.filter(Pieces.isRecord) : []
  }
}

/** The vendor has no code of its own for this: the sentence is all there is. */
const tooLong = /\btoken count\b.{0,60}\bexceeds\b|\bexceeds the maximum number of tokens\b/i
const badKey = /\bAPI key not valid\b|\bAPI key expired\b/i

const kindOf = (status: number, { details, message, status: name }: Wrong): Failure.Kind => {
  const text = typeof message === "string" ? message : ""
  if (name === "INVALID_ARGUMENT" || status === 400) {
    if (badKey.test(text) || details.some(({ reason }) => reason === "API_KEY_INVALID")) return "Unauthorized"
    return tooLong.test(text) ? "ContextTooLong" : "InvalidRequest"
  }
  // What a day allows is not given back by waiting a while.
  if (name === "RESOURCE_EXHAUSTED") {
    return JSON.stringify(details).includes("PerDay")
      ? "QuotaExhausted"
      : "RateLimited"
  }
  return Failure.kindOfStatus(status)
}

/** The vendor says how long to wait in the body: `retryDelay`, such as `31s`. */
const delayIn = (details: Wrong["details"]): number | undefined => {
  for (const { retryDelay } of details) {
    const seconds = typeof retryDelay === "string" ? /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(retryDelay)?.[1] : undefined
    if (seconds !== undefined) return Math.ceil(Number(seconds) * 1000)
  }
  return undefined
}
