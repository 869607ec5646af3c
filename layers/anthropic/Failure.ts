/**
 * What went wrong with one request: the reason in the vocabulary of `effect/ai`, and whether the same request may be sent
 * again. The vendor's own explanation is kept, shortened and with secrets taken out; bodies that are not its are not.
 */
import type * as Sdk from "@anthropic-ai/sdk"
import { DateTime, Duration, Option } from "effect"
import { AiError } from "effect/ai"
import { Redact } from "../../src/trust/index.ts"

/** One failure. Only what the provider refused before it did any work, for reasons that pass, may be sent again. */
export interface Failure {
  readonly reason: AiError.AiErrorReason
  readonly mayRetry: boolean
  /** How long the provider asked to be left alone. */
  readonly retryAfterMs: number | undefined
}

/** What is known of a request apart from its error. */
export interface Context {
  readonly sdk: typeof Sdk
  /** The address that was asked, without credentials. */
  readonly url: string
  /** The key in plain text: it is taken out of whatever the provider says. */
  readonly key: string
  /** Milliseconds since 1970, to read a `Retry-After` that is a date. */
  readonly now: number
}

/** A failure that repeating cannot mend. */
export const final = (reason: AiError.AiErrorReason): Failure => ({ reason, mayRetry: false, retryAfterMs: undefined })

/** The answer is not one of the Messages API. */
export const invalidResponse = (description: string): Failure =>
  final(new AiError.InvalidResponseError({ description }))

/** The connection failed, or what came over it ended too early. */
export const network = (url: string, description: string): Failure =>
  final(new AiError.NetworkError({ reason: "TransportError", method: "POST", url, description }))

/** The failure behind whatever the SDK rejected with. */
export const of = (error: unknown, context: Context): Failure => {
  const { sdk, url } = context
  if (error instanceof sdk.APIConnectionTimeoutError) return network(url, "no answer in time")
  if (error instanceof sdk.APIConnectionError) return network(url, `no connection${codeOf(error)}`)
  if (error instanceof sdk.APIError) return refused(error, context)
  if (error instanceof SyntaxError) return invalidResponse("the answer is not JSON")
  // What undici throws when a body breaks off has a cause; a mistake in a program has none.
  if (error instanceof TypeError && error.cause !== undefined) {
    return network(url, `the answer broke off${codeOf(error)}`)
  }
  return final(
    new AiError.UnknownError({
      description: `the client failed: ${error instanceof Error ? error.name : typeof error}`
    })
  )
}

// internal

const refused = (error: Sdk.APIError, context: Context): Failure => {
  const status = error.status
  const type = kindOf(error)
  const retryAfterMs = retryAfter(error.headers, context.now)
  const description = typeof error.apiMessage === "string" && error.apiMessage !== ""
    ? Redact.preview(error.apiMessage.replaceAll(context.key, "[redacted:api-key]"))
    : status === undefined
    ? type
    : `status ${status}`
  const metadata = { anthropic: { status: status ?? null, type, requestId: requestIdOf(error) } }
  const passes = type === "rate_limit_error" || type === "overloaded_error" || status === 503
  return {
    reason: reasonOf(type, { description, metadata, retryAfterMs }),
    mayRetry: passes && error.headers?.get("x-should-retry") !== "false",
    retryAfterMs
  }
}

interface Told {
  readonly description: string
  readonly metadata: { readonly anthropic: { status: number | null; type: string; requestId: string | null } }
  readonly retryAfterMs: number | undefined
}

const reasonOf = (type: string, { description, metadata, retryAfterMs }: Told): AiError.AiErrorReason => {
  switch (type) {
    case "rate_limit_error":
      return new AiError.RateLimitError({
        metadata,
        ...(retryAfterMs === undefined ? {} : { retryAfter: Duration.millis(retryAfterMs) })
      })
    case "billing_error":
      return new AiError.QuotaExhaustedError({ metadata })
    case "authentication_error":
      return new AiError.AuthenticationError({ kind: "InvalidKey", description, metadata })
    case "permission_error":
      return new AiError.AuthenticationError({ kind: "InsufficientPermissions", description, metadata })
    case "overloaded_error":
    case "timeout_error":
    case "api_error":
      return new AiError.InternalProviderError({ description, metadata })
    case "invalid_request_error":
      return contentPolicy.test(description)
        ? new AiError.ContentPolicyError({ description, metadata })
        : new AiError.InvalidRequestError({ description, metadata })
    default:
      return new AiError.UnknownError({ description: `${type}: ${description}`, metadata })
  }
}

/** The provider has no error code of its own for this: the sentence is all there is. */
const contentPolicy = /\bcontent (?:filtering )?policy\b/i

/** Codes of a 429 that waiting does not lift. */
const spent = new Set(["contract_spend_limit_reached", "enforced_spend_limit_reached"])

/** The error's type as the provider says it; from the status when it says none, as a proxy in between would. */
const kindOf = (error: Sdk.APIError): string => {
  if (error.errorCode !== null && spent.has(error.errorCode)) return "billing_error"
  const status = error.status ?? 0
  if (status === 529) return "overloaded_error"
  const type: unknown = error.type
  if (typeof type === "string" && known.has(type)) return type
  if (byStatus[status] !== undefined) return byStatus[status]
  if (status >= 500) return "api_error"
  return status >= 400 || type === "not_found_error" || type === "request_too_large"
    ? "invalid_request_error"
    : "unknown"
}

const known = new Set([
  "rate_limit_error",
  "billing_error",
  "authentication_error",
  "permission_error",
  "overloaded_error",
  "timeout_error",
  "api_error",
  "invalid_request_error"
])

const byStatus: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  408: "timeout_error",
  429: "rate_limit_error",
  504: "timeout_error"
}

/** The SDK's types promise a name of the vendor's; what comes over the wire may be anything. */
const requestIdOf = (error: Sdk.APIError): string | null =>
  typeof error.requestID === "string" && /^[\w-]{1,80}$/.test(error.requestID) ? error.requestID : null

/** Milliseconds to wait, from `retry-after-ms`, or from `Retry-After` in seconds or as a date. */
const retryAfter = (headers: Headers | undefined, now: number): number | undefined => {
  const millis = positive(Number(headers?.get("retry-after-ms") ?? Number.NaN))
  if (millis !== undefined) return millis
  const text = headers?.get("retry-after") ?? ""
  const seconds = positive(text.trim() === "" ? Number.NaN : Number(text))
  if (seconds !== undefined) return seconds * 1000
  return Option.match(DateTime.make(text), {
    onNone: () => undefined,
    onSome: (date) => Math.max(0, DateTime.toEpochMillis(date) - now)
  })
}

const positive = (value: number): number | undefined => Number.isFinite(value) && value >= 0 ? value : undefined

/** ` (ECONNREFUSED)`, from wherever in the chain of causes the system said it. */
const codeOf = (error: Error): string => {
  let cause: unknown = error
  for (let depth = 0; depth < 4 && cause instanceof Error; depth++) {
    if ("code" in cause && typeof cause.code === "string" && /^[A-Z_]{1,40}$/.test(cause.code)) {
      return ` (${cause.code})`
    }
    cause = cause.cause
  }
  return ""
}
