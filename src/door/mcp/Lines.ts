/**
 * Messages of the protocol, a line each, as they come from a program that may send anything: what is no message is answered
 * with an error here, and the parser behind never meets it.
 */
import { Option, Predicate, Result, Schema } from "effect"
import { isDeeper } from "../Depth.ts"

/** Characters of a line; levels of JSON; messages of a batch. */
export interface Bounds {
  readonly line: number
  readonly depth: number
  readonly batch: number
}
/** A mebibyte, 64 levels, 20 messages. */
export const standard: Bounds = { line: 1_048_576, depth: 64, batch: 20 }

/** A line that is a message, or the answer to one that is none. */
export type Line = { readonly pass: string } | { readonly answer: string }

/** Splits what comes into lines, over as many pieces as it comes in. */
export const splitting = (bounds: Bounds) => {
  let kept = ""
  let isSkipping = false
  return (piece: string): ReadonlyArray<Line> => {
    const found: Array<Line> = []
    const parts = piece.split("\n")
    for (const [at, part] of parts.entries()) {
      const isWhole = at < parts.length - 1
      if (isSkipping) {
        isSkipping = !isWhole
        continue
      }
      kept += part
      if (kept.length > bounds.line) {
        found.push(refusal(parseError, `a message has at most ${bounds.line} characters`))
        isSkipping = !isWhole
        kept = ""
      } else if (isWhole) {
        if (kept.trim() !== "") found.push(looked(kept, bounds))
        kept = ""
      }
    }
    return found
  }
}

// internal

const parseError = -32_700
const invalidRequest = -32_600

const refusal = (code: number, message: string): Line => ({
  answer: `${JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message } })}\n`
})

const looked = (line: string, bounds: Bounds): Line => {
  if (isDeeper(line, bounds.depth)) return refusal(parseError, `a message goes at most ${bounds.depth} levels deep`)
  const parsed = parse(line)
  if (Option.isNone(parsed)) return refusal(parseError, "the message is no JSON")
  const messages: ReadonlyArray<unknown> = Array.isArray(parsed.value) ? parsed.value : [parsed.value]
  if (messages.length > bounds.batch) return refusal(invalidRequest, `a batch has at most ${bounds.batch} messages`)
  return messages.every(isMessage)
    ? { pass: `${line}\n` }
    : refusal(invalidRequest, "the message is none of JSON-RPC 2.0")
}

const parse = (line: string): Option.Option<unknown> => Result.getSuccess(decode(line))
const decode = Schema.decodeResult(Schema.fromJsonString(Schema.Unknown))

const isId = (id: unknown): boolean => Predicate.isString(id) || Predicate.isNumber(id)

const isMessage = (message: unknown): boolean => {
  if (!Predicate.isObject(message) || !("jsonrpc" in message) || message.jsonrpc !== "2.0") return false
  const id: unknown = "id" in message ? message.id : undefined
  if ("method" in message) return Predicate.isString(message.method) && (id === undefined || isId(id))
  return isId(id) && ("result" in message) !== ("error" in message)
}
