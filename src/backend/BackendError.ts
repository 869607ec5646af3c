/**
 * Why a model call came to nothing. Each reason says what happened at the vendor's, so that it is known whether asking
 * again can help and whether the call may have to be paid for.
 */
import { Duration, Schema } from "effect"
import type { AiError } from "effect/ai"
import * as Failure from "./Failure.ts"

const told = { detail: Schema.String }

/** Too many requests or tokens in a time. Nothing was generated. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  ...told,
  /** Milliseconds that the vendor asked to be left alone, where it did. */
  retryAfterMs: Schema.NullOr(Schema.Natural)
}) {}
/** The vendor is short of capacity. Nothing was generated. */
export class Overloaded extends Schema.TaggedError<Overloaded>()("Overloaded", told) {}
/** The vendor broke down over the request and said so. */
export class ProviderFailed extends Schema.TaggedError<ProviderFailed>()("ProviderFailed", told) {}
/** The money or the quota at the vendor's is used up. Nothing was generated. */
export class QuotaExhausted extends Schema.TaggedError<QuotaExhausted>()("QuotaExhausted", told) {}
/** The key is wrong, or may not do this. Nothing was generated. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", told) {}
/** The vendor does not understand the request, or has no such model. Nothing was generated. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", told) {}
/** The conversation is longer than the model can read. Nothing was generated. */
export class ContextTooLong extends Schema.TaggedError<ContextTooLong>()("ContextTooLong", told) {}
/** The vendor's filter stopped the request or the answer, and what was generated until then is not handed out. */
export class ContentFiltered extends Schema.TaggedError<ContentFiltered>()("ContentFiltered", told) {}
/** The backend has no place for what was asked. Nothing was sent. */
export class Unsupported extends Schema.TaggedError<Unsupported>()("Unsupported", told) {}
/** There is no way to the vendor. Nothing was sent. */
export class NotConnected extends Schema.TaggedError<NotConnected>()("NotConnected", told) {}
/** No answer, or no more of it, came in time. What the vendor did until then is not known. */
export class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", told) {}
/** The answer ended before its end. What the vendor did is not known. */
export class CutShort extends Schema.TaggedError<CutShort>()("CutShort", told) {}
/** What came is not an answer. */
export class InvalidAnswer extends Schema.TaggedError<InvalidAnswer>()("InvalidAnswer", told) {}
/** Nothing is known but that it failed. */
export class Unknown extends Schema.TaggedError<Unknown>()("Unknown", told) {}

/** The model call failed. Nobody has run anything that the model asked for. */
export class BackendError extends Schema.TaggedError<BackendError>()("BackendError", {
  backend: Schema.String,
  model: Schema.String,
  reason: Schema.Union([
    RateLimited,
    Overloaded,
    ProviderFailed,
    QuotaExhausted,
    Unauthorized,
    InvalidRequest,
    ContextTooLong,
    ContentFiltered,
    Unsupported,
    NotConnected,
    TimedOut,
    CutShort,
    InvalidAnswer,
    Unknown
  ])
}) {
  override get message(): string {
    const { _tag, detail } = this.reason
    return `${this.backend}/${this.model}: ${_tag}: ${detail}; ${this.remedy}`
  }
  /** What would help. */
  get remedy(): string {
    return remedies[this.reason._tag]
  }
  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return retryable.has(this.reason._tag)
  }
  /** Whether the vendor may send a bill. Where that is open, the reservation is settled in full. */
  get charged(): boolean {
    return charged.has(this.reason._tag)
  }
}

/** The error of a backend behind an error of `effect/ai`. */
export const of = (
  backend: { readonly name: string; readonly model: string },
  { reason }: AiError.AiError
): BackendError => {
  const kind = Failure.kindOf(reason)
  return new BackendError({
    backend: backend.name,
    model: backend.model,
    reason: reasonOf(kind, detailOf(kind, reason), reason)
  })
}

// internal

type Reason = BackendError["reason"]

const detailOf = (kind: Failure.Kind, reason: AiError.AiErrorReason): string => {
  if (reason._tag === "ToolConfigurationError") return `the tool ${reason.toolName}: ${reason.description}`
  if ("description" in reason && reason.description !== undefined) return reason.description
  if (reason._tag !== "InvalidRequestError") return plain[kind] ?? kind
  return [reason.parameter ?? "it", reason.constraint ?? "is not understood"].join(" ")
}

/** What is said of kinds that the vocabulary of `effect/ai` has no words of a vendor for. */
const plain: Partial<Record<Failure.Kind, string>> = {
  RateLimited: "too many requests",
  QuotaExhausted: "the quota is used up",
  Unsupported: "it cannot be asked for that"
}

const reasons: { readonly [K in Exclude<Failure.Kind, "RateLimited">]: (told: { readonly detail: string }) => Reason } =
  {
    Overloaded: (told) => new Overloaded(told),
    ProviderFailed: (told) => new ProviderFailed(told),
    QuotaExhausted: (told) => new QuotaExhausted(told),
    Unauthorized: (told) => new Unauthorized(told),
    InvalidRequest: (told) => new InvalidRequest(told),
    ContextTooLong: (told) => new ContextTooLong(told),
    ContentFiltered: (told) => new ContentFiltered(told),
    Unsupported: (told) => new Unsupported(told),
    NotConnected: (told) => new NotConnected(told),
    TimedOut: (told) => new TimedOut(told),
    CutShort: (told) => new CutShort(told),
    InvalidAnswer: (told) => new InvalidAnswer(told),
    Unknown: (told) => new Unknown(told)
  }

const reasonOf = (kind: Failure.Kind, detail: string, reason: AiError.AiErrorReason): Reason => {
  if (kind !== "RateLimited") return reasons[kind]({ detail })
  const after = reason._tag === "RateLimitError" ? reason.retryAfter : undefined
  return new RateLimited({ detail, retryAfterMs: after === undefined ? null : Math.ceil(Duration.toMillis(after)) })
}

const retryable: ReadonlySet<Failure.Kind> = new Set([
  "RateLimited",
  "Overloaded",
  "ProviderFailed",
  "NotConnected",
  "TimedOut",
  "CutShort",
  "InvalidAnswer"
])

/** A vendor that says why it did not answer does not bill; one that was not heard to the end may. */
const charged: ReadonlySet<Failure.Kind> = new Set([
  "ContentFiltered",
  "TimedOut",
  "CutShort",
  "InvalidAnswer",
  "Unknown"
])

const remedies: { readonly [K in Failure.Kind]: string } = {
  RateLimited: "ask again later, or less often",
  Overloaded: "ask again later, or another backend",
  ProviderFailed: "ask again later, or another backend",
  QuotaExhausted: "raise the limit at the vendor's, or take another backend",
  Unauthorized: "check the key and what it may do",
  InvalidRequest: "check the model's name and the tools",
  ContextTooLong: "ask for less at once, or take a model with a longer context",
  ContentFiltered: "ask for something else",
  Unsupported: "take another backend, or ask without it",
  NotConnected: "check the address and the network",
  TimedOut: "ask for less at once, or allow more time",
  CutShort: "ask again",
  InvalidAnswer: "ask again, or check what stands between here and the vendor",
  Unknown: "ask again, or another backend"
}
