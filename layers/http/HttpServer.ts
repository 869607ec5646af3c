/**
 * A server for the HTTP door, on Node. Only this machine reaches it unless another host is named. Whoever sends slowly, or
 * nothing, is dropped. With a certificate it speaks TLS; with an authority for clients beside it, whoever connects may show
 * a certificate of that authority, and one that is not good ends the connection.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServer } from "effect/http"
import { createServer, type Server, type ServerOptions } from "node:http"
import { type Limits, Peer, Serve } from "../../src/door/http/index.ts"
import { Mode } from "../../src/governor/index.ts"
import * as ClientCertificate from "./ClientCertificate.ts"
import { NotServed } from "./NotServed.ts"
import * as Tls from "./Tls.ts"

/** Where it listens, and within which limits. */
export interface Options {
  /** `127.0.0.1` unless named. */
  readonly host?: string | undefined
  /** 0 for any that is free. */
  readonly port: number
  readonly limits?: Partial<Limits.Limits> | undefined
  /** How long a request's headers, and all of a request, may take to come. */
  readonly headersMs?: number | undefined
  readonly requestMs?: number | undefined
  /** Names under which others reach the MCP server, and origins of pages that may ask it; the version that it tells. */
  readonly mcp?: Partial<Serve.McpPlaces> | undefined
  /** Without it nothing is encrypted. */
  readonly tls?: Tls.Tls | undefined
}

/** Connections at the same time; bytes of headers. */
const maxConnections = 1000
const headerBytes = 16_384

/** Serves the API; gives the server, whose address says where it is. */
export const layer = (
  { headersMs = 10_000, host = "127.0.0.1", limits = {}, mcp = {}, port, requestMs = 30_000, tls }: Options
) =>
  Layer.unwrap(Effect.gen(function*() {
    const options = optionsOf({ headersMs, requestMs })
    const material = tls === undefined ? undefined : yield* Tls.read(tls)
    const encrypted = material === undefined ? undefined : Tls.serve(options, material, headersMs)
    const renewing = tls === undefined || material === undefined || encrypted === undefined
      ? Layer.empty
      : Layer.effectDiscard(Effect.forkScoped(Tls.renewing(tls, material, encrypted.take)))
    return Serve.layer(limits, { hosts: [], origins: [], version: "0", ...mcp, isEncrypted: tls !== undefined }).pipe(
      Layer.provide(
        tls?.clientCa === undefined ? Layer.empty : Layer.succeed(Peer.Current, ClientCertificate.of)
      ),
      Layer.merge(renewing),
      Layer.provideMerge(listening(encrypted?.server ?? createServer(options), host, port))
    )
  }))

/** Serves whether this process is there and can work, and nothing else; port 0 for any that is free. */
export const layerStanding = (
  { host, port }: { readonly host: string; readonly port: number },
  whether: Effect.Effect<string | null>
) =>
  Layer.unwrap(Effect.map(Mode.fromConfig, (mode) => Serve.layerStanding(whether, mode))).pipe(
    Layer.provide(SecureRandom.layerWebCrypto),
    Layer.provideMerge(listening(createServer(optionsOf({ headersMs: 10_000, requestMs: 30_000 })), host, port))
  )

/** Where a server is reached. */
export const urlOf = (server: HttpServer.HttpServer["Service"], tls?: Tls.Tls): string => {
  const url = HttpServer.formatAddress(server.address)
  return tls === undefined ? url : url.replace(/^http:/, "https:")
}

// internal

const optionsOf = (
  { headersMs, requestMs }: { readonly headersMs: number; readonly requestMs: number }
): ServerOptions => ({
  headersTimeout: headersMs,
  requestTimeout: requestMs,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: headerBytes
})

const listening = (server: Server, host: string, port: number) => {
  server.maxConnections = maxConnections
  return NodeHttpServer.layer(() => server, { host, port, gracefulShutdownTimeout: "2 seconds" }).pipe(
    Layer.catchTag("ServeError", ({ cause }) => Layer.effectContext(unserved(host, port, cause)))
  )
}

const unserved = (host: string, port: number, cause: unknown) =>
  Effect.fail(
    new NotServed({
      detail: `nobody can listen on ${host}:${port}${cause instanceof Error ? `: ${cause.message}` : ""}`,
      remedy: "choose another port or host, or stop what listens there"
    })
  )
