/**
 * The last word on every answer: whatever went wrong is a problem document, what nobody expected among it, which gets an id
 * that the log knows; and what goes with all answers is put on them.
 */
import { ByteSize, Cause, Effect, Exit, Option, Predicate } from "effect"
import { SchemaIssue } from "effect"
import { SecureRandom } from "effect/crypto"
import {
  HttpIncomingMessage,
  HttpServerError,
  HttpServerRequest,
  HttpServerResponse,
  ProblemDetails
} from "effect/http"
import { HttpApi, HttpApiError, type HttpApiGroup } from "effect/http-api"
import type { Mode } from "../../governor/index.ts"
import type { Limits } from "./Limits.ts"
import * as Problem from "./Problem.ts"

/** Says in which mode the installation is, while that is not `enforced`: then checks do not refuse. */
export const governance = "aosiq-governance"

/** Answers every request to what `api` defines, within the limits. */
export const all = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>,
  mode: Mode.Mode,
  limits: Limits
) => {
  const routes = routesOf(api)
  return <E, R>(
    app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    E,
    R | HttpServerRequest.HttpServerRequest | SecureRandom.SecureRandom
  > =>
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const isLarge = Number(request.headers["content-length"] ?? 0) > limits.bodyBytes
      const exit = isLarge ? Exit.succeed(tooLarge(limits)) : yield* app.pipe(
        Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limits.bodyBytes)),
        Effect.timeoutOrElse({ duration: limits.timeMs, orElse: () => Effect.succeed(late(limits)) }),
        Effect.exit
      )
      // Whoever asked is gone: there is nobody to answer.
      if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) return yield* exit
      const response = Exit.isSuccess(exit) ? exit.value : yield* failed(exit.cause, request, limits, routes)
      return dressed(worded(response), mode)
    })
}

// internal

const document = (problem: ReturnType<typeof Problem.other>) => ProblemDetails.toResponse(problem)

const tooLarge = ({ bodyBytes }: Limits) =>
  HttpServerResponse.setHeader(
    document(Problem.other(413, "too-large", "The body is too large", `a body has at most ${bodyBytes} bytes`)),
    "connection",
    "close"
  )
const late = ({ timeMs }: Limits) =>
  document(
    Problem.other(503, "out-of-time", "It took too long", `there was no answer within ${timeMs} ms`, {
      remedy: "look how things stand before you ask again: it may have been done"
    })
  )

const failed = Effect.fnUntraced(function*(
  cause: Cause.Cause<unknown>,
  request: HttpServerRequest.HttpServerRequest,
  limits: Limits,
  routes: Routes
) {
  const error = Cause.squash(cause)
  if (HttpApiError.HttpApiSchemaError.is(error) && error.kind !== "Body" && error.kind !== "ResponseHeaders") {
    return document(Problem.other(400, "malformed", "The request is malformed", "it does not fit what is asked for", {
      errors: issuesOf(error)
    }))
  }
  if (HttpServerError.isHttpServerError(error)) {
    const { reason } = error
    if (reason._tag === "RouteNotFound") return lost(request, routes)
    if (reason._tag === "RequestParseError") {
      return reason.reason === "BodyTooLarge"
        ? tooLarge(limits)
        : document(Problem.other(400, "malformed", "The request is malformed", "its body cannot be read"))
    }
  }
  const id = `err_${yield* (yield* SecureRandom.SecureRandom).ulid}`
  yield* Effect.logError(`request ${id}: ${request.method} failed`, cause)
  return document(Problem.other(500, "unexpected", "Something went wrong here", `the log has it as ${id}`, { id }))
})

/** The slots and places of a request that do not fit, and why; the first few. */
const issuesOf = ({ cause, kind }: HttpApiError.HttpApiSchemaError) =>
  format(cause.issue).issues.slice(0, maxIssues).map(({ message, path }) => ({
    path: [kind.toLowerCase(), ...(path ?? []).map((part) => String(Predicate.isObject(part) ? part.key : part))],
    message: message.slice(0, maxMessage)
  }))
const format = SchemaIssue.makeFormatterStandardSchemaV1()
const maxIssues = 10
const maxMessage = 300

/** A path that is not there, or not with this method. */
const lost = ({ method, url }: HttpServerRequest.HttpServerRequest, routes: Routes) => {
  const path = url.split("?", 1)[0] ?? ""
  const allowed = routes.flatMap((route) => route.pattern.test(path) ? [route.method] : [])
  if (allowed.length === 0 || allowed.includes(method)) {
    return document(Problem.other(404, "missing", "There is no such thing", "nothing is there", {
      remedy: "see /openapi.json for what there is"
    }))
  }
  return HttpServerResponse.setHeader(
    document(Problem.other(405, "method", "Not with this method", `${method} is not for this`)),
    "allow",
    [...new Set(allowed)].join(", ")
  )
}

type Routes = ReadonlyArray<{ readonly method: string; readonly pattern: RegExp }>

/** What a definition has, as it is asked for. */
const routesOf = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): Routes => {
  const found: Array<Routes[number]> = [{ method: "GET", pattern: /^\/(?:openapi\.json|docs)$/ }]
  HttpApi.reflect(api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint: { method, path } }) =>
      found.push({ method, pattern: new RegExp(`^${path.replaceAll(/:[a-zA-Z]+/g, "[^/]+")}$`) })
  })
  return found
}

/** An error that says nothing in words, said as a document. */
const worded = (response: HttpServerResponse.HttpServerResponse) => {
  const { body, status } = response
  const isWordless = status >= 400 && (body._tag === "Empty" || body.contentType?.startsWith("text/plain") === true)
  if (!isWordless) return response
  const [name, title] = Option.getOrElse(
    Option.fromUndefinedOr(words[status]),
    () => ["other", "Not this way"] as const
  )
  return document(Problem.other(status, name, title, `the request was answered with ${status}`))
}
const words: { readonly [status: number]: readonly [name: string, title: string] } = {
  400: ["malformed", "The request is malformed"],
  413: ["too-large", "The body is too large"],
  415: ["media-type", "Not in this media type"]
}

const dressed = (response: HttpServerResponse.HttpServerResponse, mode: Mode.Mode) =>
  HttpServerResponse.setHeaders(response, {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...response.headers["content-type"]?.startsWith("text/html") === true
      ? { "content-security-policy": pagesOwn }
      : {},
    ...mode === "enforced" ? {} : { [governance]: mode },
    ...response.status === 401 && response.headers["www-authenticate"] === undefined
      ? { "www-authenticate": "Bearer realm=\"aosiq\"" }
      : {}
  })

/** A page runs what it brings, and asks this server and nobody else, whatever it was made of. */
const pagesOwn =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
  + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
