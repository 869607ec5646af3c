/** What Converse refuses, and what a stream or the SDK itself says that went wrong. */
import { Failure, Pieces, type Vendor } from "../../src/backend/index.ts"

/** The failure behind a refusal. */
export const of = (
  { headers, json, retryAfterMs, status }: Vendor.Refusal,
  secrets: ReadonlyArray<string>
): Failure.Failure => {
  // The type's name stands before a colon, or behind a hash.
  const type = /^(?:.*#)?(\w{1,80})/.exec(headers.get("x-amzn-errortype") ?? word(json, "__type") ?? "")?.[1]
  const message = word(json, "message") ?? word(json, "Message")
  const requestId = headers.get("x-amzn-requestid")
  return Failure.make(kindOf(status, type, message ?? ""), {
    detail: Failure.explained(message, secrets, `status ${status}`),
    vendor: {
      bedrock: { status, type: type ?? null, requestId: /^[\w-]{1,80}$/.test(requestId ?? "") ? requestId : null }
    },
    retryAfterMs,
    mayNot: type === "AccessDeniedException"
  })
}

/** What an error of the SDK means: an event of a stream, credentials that are gone, a frame that is none. */
export const thrown = (error: unknown, url: string, secrets: ReadonlyArray<string>): Failure.Failure | undefined => {
  if (!(error instanceof Error)) return undefined
  if (credentials.has(error.name)) {
    return Failure.make("Unauthorized", { detail: Failure.explained(error.message, secrets, "no credentials") })
  }
  if ("$fault" in error) {
    return Failure.make("CutShort", {
      detail: Failure.explained(error.message, secrets, error.name),
      vendor: { bedrock: { status: null, type: error.name, requestId: null } },
      hopeless: true
    })
  }
  if (error.message.startsWith("Truncated event")) {
    return Failure.transport("CutShort", url, "the stream ended within an event")
  }
  return /checksum|message length|header/i.test(error.message) && error.cause === undefined && !("code" in error)
    ? Failure.invalidAnswer("an event of the stream is not one")
    : undefined
}

// internal

/** Names of errors of whoever looks for credentials. */
const credentials = new Set(["CredentialsProviderError", "TokenProviderError", "ProviderError"])

const word = (value: unknown, field: string): string | undefined => {
  const found = Pieces.isRecord(value) ? value[field] : undefined
  return typeof found === "string" ? found : undefined
}

/** The vendor has one type for all that is wrong with a request: the sentences are all there is. */
const tooLong =
  /\b(?:input|prompt) is too long\b|\btoo many (?:input )?tokens\b|\bexceeds?\b.{0,60}\b(?:context|maximum number of tokens|token limit)\b/i
const filtered = /\bcontent filter|\bguardrail\b|\bcontent (?:filtering )?policy\b/i

const kindOf = (status: number, type: string | undefined, message: string): Failure.Kind => {
  if (type === "ValidationException") {
    if (tooLong.test(message)) return "ContextTooLong"
    return filtered.test(message) ? "ContentFiltered" : "InvalidRequest"
  }
  return byType[type ?? ""] ?? Failure.kindOfStatus(status)
}

const byType: Readonly<Record<string, Failure.Kind>> = {
  ThrottlingException: "RateLimited",
  ModelNotReadyException: "Overloaded",
  ServiceUnavailableException: "Overloaded",
  InternalServerException: "ProviderFailed",
  ModelErrorException: "CutShort",
  ModelTimeoutException: "TimedOut",
  ServiceQuotaExceededException: "QuotaExhausted",
  AccessDeniedException: "Unauthorized",
  UnrecognizedClientException: "Unauthorized",
  ExpiredTokenException: "Unauthorized",
  InvalidSignatureException: "Unauthorized",
  IncompleteSignatureException: "Unauthorized",
  ResourceNotFoundException: "InvalidRequest"
}
