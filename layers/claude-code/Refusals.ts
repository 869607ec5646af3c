/** What the program says when there is no answer, and what its end means. */
import { Failure, Fetch, Pieces, type Vendor } from "../../src/backend/index.ts"
import { Ended } from "./Program.ts"

/** The program's last word as a refusal, with the kind of error that it told before. */
export const refusal = (result: Record<string, unknown>, error: unknown): Fetch.Refused =>
  new Fetch.Refused({
    status: typeof result["api_error_status"] === "number" ? result["api_error_status"] : 0,
    headers: new Headers(),
    body: JSON.stringify({ result: result["result"], terminal: result["terminal_reason"], error })
  })

/** The failure behind a refusal. */
export const of = ({ json, status }: Vendor.Refusal, secrets: ReadonlyArray<string>): Failure.Failure => {
  const { error, result, terminal } = Pieces.isRecord(json) ? json : {}
  const text = typeof result === "string" ? result : ""
  return Failure.make(kindOf(status, error, terminal, text), {
    detail: Failure.explained(text, secrets, "the program has no answer"),
    vendor: { "claude-code": { status: status === 0 ? null : status, type: typeof error === "string" ? error : null } },
    mayNot: status === 403
  })
}

/** The failure that a begun answer tells of: what was generated until then may have to be paid for. */
export const told = (line: Record<string, unknown>, secrets: ReadonlyArray<string>): Failure.Failure =>
  Failure.make("CutShort", {
    detail: Failure.explained(line["result"], secrets, "the answer broke off"),
    hopeless: true
  })

/** What the end of the program, or its absence, means. */
export const thrown = (error: unknown, secrets: ReadonlyArray<string>): Failure.Failure | undefined => {
  if (error instanceof Ended) {
    return error.begun || error.exitCode === 0
      ? Failure.make("CutShort", { detail: `the program ended early (${error.exitCode ?? "killed"})`, hopeless: true })
      : Failure.make("InvalidRequest", {
        detail: Failure.explained(
          error.said.trim(),
          secrets,
          `the program ended at once (${error.exitCode ?? "killed"})`
        )
      })
  }
  return error instanceof Error && "syscall" in error && String(error.syscall).startsWith("spawn")
    ? Failure.make("NotConnected", { detail: "the program cannot be started", hopeless: true })
    : undefined
}

// internal

const kindOf = (status: number, error: unknown, terminal: unknown, text: string): Failure.Kind => {
  if (terminal === "prompt_too_long" || /^Prompt is too long\b/.test(text)) return "ContextTooLong"
  if (/\bcontent (?:filtering )?policy\b/i.test(text)) return "ContentFiltered"
  if (/\bUnable to connect\b/i.test(text)) return /Refused|NotFound|ENOTFOUND/.test(text) ? "NotConnected" : "CutShort"
  if (/\bNot logged in\b/.test(text)) return "Unauthorized"
  const kind = typeof error === "string" ? byError[error] : undefined
  return kind ?? Failure.kindOfStatus(status)
}

const byError: Readonly<Record<string, Failure.Kind>> = {
  rate_limit: "RateLimited",
  authentication_failed: "Unauthorized",
  billing_error: "QuotaExhausted",
  model_not_found: "InvalidRequest",
  invalid_request: "InvalidRequest"
}
