/**
 * What a request is answered that was not carried out: a problem document, of the same few kinds whatever was asked. `detail`
 * says what did not happen, `remedy` what would help; neither carries a secret. Source: RFC 9457.
 */
import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import type { Operations } from "../../operator/index.ts"

const remedy = Schema.optionalKey(Schema.String)
const urn = <const Name extends string>(name: Name) => `urn:aosiq:problem:${name}` as const

/** The request is not well formed, or does not fit what is asked for there. */
export class Malformed extends HttpApiError.Problem<Malformed>()("Malformed", {
  type: urn("malformed"),
  status: 400,
  title: "The request is malformed"
}, { remedy, errors: Schema.optionalKey(Schema.Array(HttpApiError.ProblemIssue)) }) {}

/** Nobody is let in by what was shown. */
export class Unauthenticated extends HttpApiError.Problem<Unauthenticated>()("Unauthenticated", {
  type: urn("unauthenticated"),
  status: 401,
  title: "Who asks is not known"
}, { remedy }) {}

/** Who asks may not ask for this. */
export class Refused extends HttpApiError.Problem<Refused>()("Refused", {
  type: urn("refused"),
  status: 403,
  title: "Not for this caller"
}, { remedy }) {}

/** What it is about is not there. */
export class Missing extends HttpApiError.Problem<Missing>()("Missing", {
  type: urn("missing"),
  status: 404,
  title: "There is no such thing"
}, { remedy }) {}

/** It stands otherwise by now. */
export class Conflict extends HttpApiError.Problem<Conflict>()("Conflict", {
  type: urn("conflict"),
  status: 409,
  title: "Not as things stand"
}, { remedy }) {}

/** It cannot be done as it was asked for. */
export class Invalid extends HttpApiError.Problem<Invalid>()("Invalid", {
  type: urn("invalid"),
  status: 422,
  title: "Not as it was asked for"
}, { remedy }) {}

/** Asked too often; nothing was done. */
export class TooMany extends HttpApiError.Problem<TooMany>()("TooMany", {
  type: urn("too-many-requests"),
  status: 429,
  title: "Too many requests"
}, { remedy, retryAfterSeconds: Schema.Natural }) {}

/** The log or the database did not answer. A retry can help. */
export class Unavailable extends HttpApiError.Problem<Unavailable>()("Unavailable", {
  type: urn("unavailable"),
  status: 503,
  title: "Not just now"
}, { remedy }) {}

/** All that an operation can be answered. */
export const all = [Malformed, Unauthenticated, Refused, Missing, Conflict, Invalid, TooMany, Unavailable] as const
export type Problem = InstanceType<(typeof all)[number]>

/** The problem that an operation came to. */
export const of = ({ detail, kind, remedy }: Operations.OperationError): Problem => {
  const said = { detail, ...remedy === "" ? {} : { remedy } }
  switch (kind) {
    case "refused":
      return new Refused(said)
    case "not_found":
      return new Missing(said)
    case "conflict":
      return new Conflict(said)
    case "invalid":
      return new Invalid(said)
    case "unavailable":
      return new Unavailable(said)
  }
}

/** A document of another kind, for what comes to no operation: `name` is the last part of its type. */
export const other = (status: number, name: string, title: string, detail: string, more: object = {}) => ({
  type: urn(name),
  status,
  title,
  detail,
  ...more
})
