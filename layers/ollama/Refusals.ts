/** What Ollama refuses, and what a stream says that went wrong: a sentence each. */
import { Failure, Pieces, type Vendor } from "../../src/backend/index.ts"

/** The failure behind a refusal. */
export const of = (
  { json, retryAfterMs, status }: Vendor.Refusal,
  model: string,
  secrets: ReadonlyArray<string>
): Failure.Failure => {
  const text = Pieces.isRecord(json) ? json["error"] : undefined
  const detail = Failure.explained(text, secrets, `status ${status}`)
  return Failure.make(
    typeof text === "string" && tooLong.test(text) ? "ContextTooLong" : Failure.kindOfStatus(status),
    {
      detail: status === 404 ? `${detail}; run ollama pull ${model}` : detail,
      vendor: { ollama: { status } },
      retryAfterMs,
      mayNot: status === 403
    }
  )
}

/** The failure that a begun stream tells of. */
export const told = (text: string, secrets: ReadonlyArray<string>): Failure.Failure =>
  Failure.make("CutShort", {
    detail: Failure.explained(text, secrets, "the stream says that it failed"),
    hopeless: true
  })

// internal

/** Its ways to say so, of its own and of the runners underneath. */
const tooLong = /\bprompt too long\b|\bexceed\w*\b.{0,40}\bcontext (?:length|size)\b/i
