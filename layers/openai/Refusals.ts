/** What the Responses API refuses, and what an answer or an event of a stream says that went wrong. */
import { Failure, Pieces, type Vendor } from "../../src/backend/index.ts"

/** The failure behind a refusal. */
export const of = ({ headers, json, retryAfterMs, status }: Vendor.Refusal, key: string): Failure.Failure => {
  const { code, message, type } = errorIn(Pieces.isRecord(json) ? json["error"] : undefined)
  const requestId = headers.get("x-request-id")
  return Failure.make(byCode(code) ?? Failure.kindOfStatus(status), {
    detail: Failure.explained(message, [key], `status ${status}`),
    vendor: {
      openai: {
        status,
        type: type ?? null,
        code: code ?? null,
        requestId: /^[\w-]{1,80}$/.test(requestId ?? "") ? requestId : null
      }
    },
    retryAfterMs,
    hopeless: headers.get("x-should-retry") === "false",
    mayNot: status === 403
  })
}

/** The failure that a begun answer tells of: what was generated until then may have to be paid for. */
export const told = (value: unknown, key: string): Failure.Failure => {
  const { code, message, type } = errorIn(value)
  return Failure.make(byCode(code) === "ContentFiltered" ? "ContentFiltered" : "CutShort", {
    detail: Failure.explained(message, [key], code ?? "the answer says that it failed"),
    vendor: { openai: { status: null, type: type ?? null, code: code ?? null, requestId: null } },
    hopeless: true
  })
}

// internal

const errorIn = (value: unknown) => {
  const error = Pieces.isRecord(value) ? value : {}
  return { type: word(error["type"]), code: word(error["code"]), message: error["message"] }
}

const word = (value: unknown): string | undefined =>
  typeof value === "string" && /^\w{1,60}$/.test(value) ? value : undefined

const byCode = (code: string | undefined): Failure.Kind | undefined => code === undefined ? undefined : codes[code]

const codes: Readonly<Record<string, Failure.Kind>> = {
  context_length_exceeded: "ContextTooLong",
  rate_limit_exceeded: "RateLimited",
  insufficient_quota: "QuotaExhausted",
  billing_hard_limit_reached: "QuotaExhausted",
  invalid_api_key: "Unauthorized",
  content_filter: "ContentFiltered",
  content_policy_violation: "ContentFiltered",
  image_content_policy_violation: "ContentFiltered",
  misalignment_policy_violation: "ContentFiltered",
  bio_policy: "ContentFiltered",
  invalid_prompt: "ContentFiltered"
}
