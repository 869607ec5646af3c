/**
 * What the connection of a request shows of who is at its other end: names of a certificate that was verified when the
 * connection was made. The server that listens knows; no header says it.
 */
import { Context, Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import type { KnownBy } from "../../session/index.ts"

/** The names of the certificate that the connection of a request was made with; none without one that is good. */
export type CertificateOf = (
  request: HttpServerRequest.HttpServerRequest
) => Effect.Effect<ReadonlyArray<typeof KnownBy.Certificate.Type>>

/** How the server in force tells; connections have no certificates unless it says otherwise. */
export const Current = Context.Reference<CertificateOf>("aosiq/door/http/Peer/Current", {
  defaultValue: () => () => Effect.succeed([])
})
