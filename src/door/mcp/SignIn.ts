/**
 * How clients find out where to sign in: a document that names the issuers whose tokens let somebody in here, and the place of
 * it with every refusal for want of one. The tokens are the issuers', and are verified as on every other door.
 * Source: RFC 9728, RFC 6750 §3.
 */
import { Effect } from "effect"
import type { Headers } from "effect/http"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { Issuers } from "../../session/index.ts"
import * as Origins from "./Origins.ts"

/** Where the document is, as the protocol and clients look for it. */
export const places = (path: string) => [`${wellKnown}${path}`, wellKnown] as const

/** What the document follows from. */
export interface Options extends Origins.Places {
  /** The issuers; without any there is no document. */
  readonly signIn: Issuers.Issuers["signIn"]
  /** Whether the server itself speaks TLS. */
  readonly isEncrypted: boolean
}

/** Serves the document about the server at `path`. */
export const serve = (path: string, options: Options) =>
  Effect.gen(function*() {
    if (options.signIn.issuers.length === 0) return
    const router = yield* HttpRouter.HttpRouter
    for (const place of places(path)) {
      yield* router.add(
        "GET",
        place,
        Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) =>
          Origins.objection(headers, options) === null
            ? HttpServerResponse.jsonUnsafe({
              resource: `${originOf(headers, options)}${path}`,
              authorization_servers: options.signIn.issuers,
              ...options.signIn.scopes.length > 0 && { scopes_supported: options.signIn.scopes },
              bearer_methods_supported: ["header"],
              resource_name: "AOSIQ"
            })
            : HttpServerResponse.empty({ status: 403 }))
      )
    }
  })

/** A refusal that says where to sign in. */
export const told = (
  response: HttpServerResponse.HttpServerResponse,
  headers: Headers.Headers,
  path: string,
  options: Options
): HttpServerResponse.HttpServerResponse => {
  if (response.status !== 401 || options.signIn.issuers.length === 0) return response
  const error = headers["authorization"] === undefined ? "" : ", error=\"invalid_token\""
  const [place] = places(path)
  const metadata = `resource_metadata="${originOf(headers, options)}${place}"`
  return HttpServerResponse.setHeader(response, "www-authenticate", `Bearer realm="aosiq"${error}, ${metadata}`)
}

// internal

const wellKnown = "/.well-known/oauth-protected-resource"

/** This server as whoever asks reaches it; what a proxy says of TLS is told back to nobody else. */
const originOf = (headers: Headers.Headers, { isEncrypted }: Options): string =>
  `${isEncrypted || headers["x-forwarded-proto"] === "https" ? "https" : "http"}://${headers["host"] ?? "localhost"}`
