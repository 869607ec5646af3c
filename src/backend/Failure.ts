/**
 * What went wrong with one request to a model: its kind, as the reason that `effect/ai` has for it, and whether the same
 * request may be sent again. Only what the vendor refused before it did any work, for causes that pass, may be.
 *
 * The kind travels inside the reason, so that whoever gets an `AiError` can tell a prompt that was too long from one that
 * was wrong.
 */
import { Data, DateTime, Duration, Option, Predicate, type Schema } from "effect"
import { AiError } from "effect/ai"
import { Redact } from "../trust/index.ts"
import * as Fetch from "./Fetch.ts"

/** Every way in which a call can fail. */
export const kinds = [
  "RateLimited",
  "Overloaded",
  "ProviderFailed",
  "QuotaExhausted",
  "Unauthorized",
  "InvalidRequest",
  "ContextTooLong",
  "ContentFiltered",
  "Unsupported",
  "NotConnected",
  "TimedOut",
  "CutShort",
  "InvalidAnswer",
  "Unknown"
] as const
export type Kind = (typeof kinds)[number]

/** One failure. */
export interface Failure {
  readonly reason: AiError.AiErrorReason
  readonly mayRetry: boolean
  /** Milliseconds that the vendor asked to be left alone. */
  readonly retryAfterMs: number | undefined
}

/** What is known of a failure beside its kind. */
export interface Told {
  /** In the vendor's words or ours; never the model's. */
  readonly detail: string
  /** What the vendor calls it, under the vendor's name. */
  readonly vendor?: { readonly [name: string]: { readonly [field: string]: Schema.Json } }
  readonly retryAfterMs?: number | undefined
  /** The vendor says that asking again is of no use. */
  readonly hopeless?: boolean
  /** Of a key that is right but may not. */
  readonly mayNot?: boolean
}

/** A failure of this kind. */
export const make = (kind: Kind, told: Told): Failure => ({
  reason: reasonOf(kind, told),
  mayRetry: passing.has(kind) && told.hopeless !== true,
  retryAfterMs: told.retryAfterMs
})

/** The request could not be put to this vendor; nothing was sent. */
export const unsent = (reason: AiError.AiErrorReason): Failure => ({
  reason,
  mayRetry: false,
  retryAfterMs: undefined
})

/** What came is not an answer in the vendor's format. The detail quotes nothing of it. */
export const invalidAnswer = (detail: string): Failure => make("InvalidAnswer", { detail })

/** The connection was not made, ended too early or brought nothing in time. */
export const transport = (kind: "NotConnected" | "TimedOut" | "CutShort", url: string, detail: string): Failure => ({
  reason: new AiError.NetworkError({
    reason: "TransportError",
    method: "POST",
    url,
    description: detail,
    cause: new Transport({ kind })
  }),
  mayRetry: passing.has(kind),
  retryAfterMs: undefined
})

/** The kind of a reason, whoever made it. */
export const kindOf = (reason: AiError.AiErrorReason): Kind => {
  const told = "metadata" in reason ? reason.metadata[own] : undefined
  const kind: unknown = Predicate.isObject(told) && "kind" in told ? told.kind : causeKind(reason)
  return kinds.find((known) => known === kind) ?? byTag[reason._tag] ?? "Unknown"
}

/** What is left when no vendor has a word for an error: what the connection, or whatever reads it, threw. */
export const thrown = (error: unknown, url: string): Failure => {
  const causes = Fetch.causes(error)
  const unfit = causes.find((cause) => cause instanceof Fetch.Unfit)
  if (unfit !== undefined) return invalidAnswer(unfit.detail)
  const code = causes.map(codeOf).find((found) => found !== undefined)
  if (code !== undefined) {
    if (unconnected.has(code)) return transport("NotConnected", url, `no connection (${code})`)
    return silent.has(code)
      ? transport("TimedOut", url, `nothing came in time (${code})`)
      : transport("CutShort", url, `the connection broke (${code})`)
  }
  if (causes.some((cause) => cause instanceof SyntaxError)) return invalidAnswer("the answer is not JSON")
  // What breaks off while it is read has a cause; a mistake in a program has none.
  if (causes.length > 1) return transport("CutShort", url, "the connection broke")
  return make("Unknown", { detail: `the client failed: ${error instanceof Error ? error.name : typeof error}` })
}

/** The vendor's own explanation, for people: shortened, and without its secrets. */
export const explained = (text: unknown, secrets: ReadonlyArray<string>, otherwise: string): string => {
  if (typeof text !== "string" || text === "") return otherwise
  return Redact.preview(secrets.reduce((left, secret) => left.replaceAll(secret, "[redacted:api-key]"), text))
}

/** By the status alone, as for a proxy that answers in the vendor's place. */
export const kindOfStatus = (status: number): Kind => {
  if (byStatus[status] !== undefined) return byStatus[status]
  if (status >= 500) return "ProviderFailed"
  return status >= 300 ? "InvalidRequest" : "Unknown"
}

/** Milliseconds to wait, from `retry-after-ms`, or from `Retry-After` in seconds or as a date. Source: RFC 9110 §10.2.3. */
export const retryAfterMs = (headers: Headers, now: number): number | undefined => {
  const millis = positive(headers.get("retry-after-ms"))
  if (millis !== undefined) return millis
  const text = headers.get("retry-after")
  const seconds = positive(text)
  if (seconds !== undefined) return seconds * 1000
  return Option.match(date.test(text ?? "") ? DateTime.make(text ?? "") : Option.none(), {
    onNone: () => undefined,
    onSome: (then) => Math.max(0, DateTime.toEpochMillis(then) - now)
  })
}

// internal

/** Where the kind stands in a reason's metadata. */
const own = "aosiq"

/** They pass by themselves, and nothing was done that could be paid for. */
const passing: ReadonlySet<Kind> = new Set(["RateLimited", "Overloaded", "ProviderFailed", "NotConnected"])

/** Why a connection failed, as the cause of a reason that has no place to say it. */
class Transport extends Data.Error<{ readonly kind: Kind }> {
  override readonly name = this.kind
}

const causeKind = (reason: AiError.AiErrorReason): unknown =>
  reason._tag === "NetworkError" && reason.cause instanceof Error ? reason.cause.name : undefined

const byTag: Partial<Record<AiError.AiErrorReason["_tag"], Kind>> = {
  NetworkError: "CutShort",
  RateLimitError: "RateLimited",
  QuotaExhaustedError: "QuotaExhausted",
  AuthenticationError: "Unauthorized",
  ContentPolicyError: "ContentFiltered",
  InvalidRequestError: "InvalidRequest",
  InternalProviderError: "ProviderFailed",
  InvalidResponseError: "InvalidAnswer",
  InvalidOutputError: "InvalidAnswer",
  StructuredOutputError: "InvalidAnswer",
  UnsupportedSchemaError: "Unsupported",
  ToolConfigurationError: "Unsupported",
  InvalidUserInputError: "Unsupported"
}

/** What a gateway says of a vendor that it did not hear from leaves open whether the vendor worked. */
const byStatus: Readonly<Record<number, Kind>> = {
  401: "Unauthorized",
  402: "QuotaExhausted",
  403: "Unauthorized",
  408: "TimedOut",
  429: "RateLimited",
  502: "CutShort",
  503: "Overloaded",
  504: "TimedOut",
  529: "Overloaded"
}

const reasonOf = (kind: Kind, { detail, mayNot, retryAfterMs, vendor = {} }: Told): AiError.AiErrorReason => {
  const metadata = { ...structuredClone(vendor), [own]: { kind } }
  switch (kind) {
    case "RateLimited":
      return new AiError.RateLimitError({
        metadata,
        ...(retryAfterMs === undefined ? {} : { retryAfter: Duration.millis(retryAfterMs) })
      })
    case "QuotaExhausted":
      return new AiError.QuotaExhaustedError({ metadata })
    case "Unauthorized":
      return new AiError.AuthenticationError({
        kind: mayNot === true ? "InsufficientPermissions" : "InvalidKey",
        description: detail,
        metadata
      })
    case "ContentFiltered":
      return new AiError.ContentPolicyError({ description: detail, metadata })
    case "InvalidRequest":
    case "ContextTooLong":
    case "Unsupported":
      return new AiError.InvalidRequestError({ description: detail, metadata })
    case "InvalidAnswer":
      return new AiError.InvalidResponseError({ description: detail, metadata })
    case "Unknown":
      return new AiError.UnknownError({ description: detail, metadata })
    case "Overloaded":
    case "ProviderFailed":
    case "NotConnected":
    case "TimedOut":
    case "CutShort":
      return new AiError.InternalProviderError({ description: detail, metadata })
  }
}

/** Codes of a connection that was never made: nothing was sent. */
const unconnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT"
])

/** Codes of a connection on which nothing came. */
const silent = new Set(["ETIMEDOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"])

/** What the system calls it, if it does. */
const codeOf = (error: Error): string | undefined =>
  "code" in error && typeof error.code === "string" && /^[A-Z_]{1,40}$/.test(error.code) ? error.code : undefined

/** A date as HTTP writes it; whatever else a clock could read as one is not meant. */
const date = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

const positive = (text: string | null): number | undefined => {
  const value = text === null || text.trim() === "" ? Number.NaN : Number(text)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}
