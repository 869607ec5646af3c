/** What the Messages API refuses, and what an event of a stream says that went wrong. */
import { Failure, Pieces, type Vendor } from "../../src/backend/index.ts"

/** The failure behind a refusal. */
export const of = ({ headers, json, retryAfterMs, status }: Vendor.Refusal, key: string): Failure.Failure => {
  const { code, message, type } = errorIn(json)
  const kind = kindOf(status, type, code, message)
  const requestId = headers.get("request-id")
  return Failure.make(kind, {
    detail: Failure.explained(message, [key], `status ${status}`),
    vendor: {
      anthropic: { status, type: type ?? null, requestId: /^[\w-]{1,80}$/.test(requestId ?? "") ? requestId : null }
    },
    retryAfterMs,
    hopeless: headers.get("x-should-retry") === "false",
    mayNot: status === 403 || type === "permission_error"
  })
}

/** The failure that an event of a stream tells of: what was generated until then may have to be paid for. */
export const told = (value: unknown, key: string): Failure.Failure => {
  const { code, message, type } = errorIn(value)
  return Failure.make(kindOf(0, type, code, message) === "ContentFiltered" ? "ContentFiltered" : "CutShort", {
    detail: Failure.explained(message, [key], type ?? "the stream says that it failed"),
    vendor: { anthropic: { status: null, type: type ?? null, requestId: null } },
    hopeless: true
  })
}

// internal

/** `{ error: { type, message, details } }`, as far as it is that. */
const errorIn = (value: unknown) => {
  const error = Pieces.isRecord(value) && Pieces.isRecord(value["error"]) ? value["error"] : {}
  const details = Pieces.isRecord(error["details"]) ? error["details"] : {}
  return {
    type: typeof error["type"] === "string" && /^\w{1,60}$/.test(error["type"]) ? error["type"] : undefined,
    message: error["message"],
    code: details["error_code"]
  }
}

/** Codes of a 429 that waiting does not lift. */
const spent: ReadonlyArray<unknown> = ["contract_spend_limit_reached", "enforced_spend_limit_reached"]

/** The vendor has no codes of its own for these: the sentences are all there is. */
const tooLong = /\bprompt is too long\b|\bexceed\w*\b.{0,40}\bcontext (?:limit|window)/i
const filtered = /\bcontent (?:filtering )?policy\b/i
const noCredit = /\bcredit balance is too low\b/i

/** By the error's type, as the vendor says it; by the status when it says none, as a proxy in between would. */
const kindOf = (status: number, type: string | undefined, code: unknown, message: unknown): Failure.Kind => {
  if (spent.includes(code)) return "QuotaExhausted"
  if (status === 529) return "Overloaded"
  const text = typeof message === "string" ? message : ""
  if (type === "invalid_request_error") {
    if (tooLong.test(text)) return "ContextTooLong"
    if (noCredit.test(text)) return "QuotaExhausted"
    return filtered.test(text) ? "ContentFiltered" : "InvalidRequest"
  }
  return byType[type ?? ""] ?? Failure.kindOfStatus(status)
}

const byType: Readonly<Record<string, Failure.Kind>> = {
  rate_limit_error: "RateLimited",
  billing_error: "QuotaExhausted",
  authentication_error: "Unauthorized",
  permission_error: "Unauthorized",
  not_found_error: "InvalidRequest",
  request_too_large: "ContextTooLong",
  overloaded_error: "Overloaded",
  timeout_error: "TimedOut",
  api_error: "ProviderFailed"
}
