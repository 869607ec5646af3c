/**
 * A server for the HTTP door, on Node. Only this machine reaches it unless another host is named. Whoever sends slowly, or
 * nothing, is dropped. With a certificate it speaks TLS; with an authority for clients beside it, whoever connects may show
 * a certificate of that authority, and one that is not good ends the connection.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, FileSystem, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServer } from "effect/http"
import { constants } from "node:crypto"
import { createServer, type Server, type ServerOptions } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { createSecureContext, type TLSSocket } from "node:tls"
import { type Limits, Peer, Serve } from "../../src/door/http/index.ts"
import { Mode } from "../../src/governor/index.ts"
import * as ClientCertificate from "./ClientCertificate.ts"

/** Files with what TLS needs, PEM. */
export interface Tls {
  /** The server's certificate, those of its authorities after it. */
  readonly cert: string
  readonly key: string
  /** The authority whose certificates clients may show; none are asked for without one. */
  readonly clientCa?: string | undefined
}

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
  readonly tls?: Tls | undefined
}

/** A certificate, a key or an authority cannot be read or used; nothing listens. */
export class TlsError extends Schema.TaggedError<TlsError>()("TlsError", {
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.detail}; ${this.remedy}`
  }
}

/** Connections at the same time; bytes of headers. */
const maxConnections = 1000
const headerBytes = 16_384

/** Serves the API; gives the server, whose address says where it is. */
export const layer = (
  { headersMs = 10_000, host = "127.0.0.1", limits = {}, mcp = {}, port, requestMs = 30_000, tls }: Options
) =>
  Layer.unwrap(
    Effect.map(contextOf(tls), (context) =>
      Serve.layer(limits, { hosts: [], origins: [], version: "0", ...mcp }).pipe(
        Layer.provide(
          tls?.clientCa === undefined ? Layer.empty : Layer.succeed(Peer.Current, ClientCertificate.of)
        ),
        Layer.provideMerge(
          NodeHttpServer.layer(() => make({ headersMs, requestMs, context }), {
            host,
            port,
            gracefulShutdownTimeout: "2 seconds"
          })
        )
      ))
  )

/** Serves whether this process is there and can work, and nothing else; port 0 for any that is free. */
export const layerStanding = (
  { host, port }: { readonly host: string; readonly port: number },
  whether: Effect.Effect<string | null>
) =>
  Layer.unwrap(Effect.map(Mode.fromConfig, (mode) => Serve.layerStanding(whether, mode))).pipe(
    Layer.provide(SecureRandom.layerWebCrypto),
    Layer.provideMerge(
      NodeHttpServer.layer(() => make({ headersMs: 10_000, requestMs: 30_000, context: undefined }), {
        host,
        port,
        gracefulShutdownTimeout: "2 seconds"
      })
    )
  )

/** Where a server is reached. */
export const urlOf = (server: HttpServer.HttpServer["Service"], tls?: Tls): string => {
  const url = HttpServer.formatAddress(server.address)
  return tls === undefined ? url : url.replace(/^http:/, "https:")
}

// internal

/** What was read of the files. */
interface Material {
  readonly cert: string
  readonly key: string
  readonly ca?: string
}

const contextOf = Effect.fnUntraced(function*(tls: Tls | undefined) {
  if (tls === undefined) return undefined
  const fs = yield* FileSystem.FileSystem
  const read = (file: string) =>
    Effect.mapError(fs.readFileString(file), ({ reason }) =>
      new TlsError({
        detail: `${file} cannot be read (${reason._tag})`,
        remedy: "name a file that this user may read, in PEM"
      }))
  const cert = yield* read(tls.cert)
  const key = yield* read(tls.key)
  const ca = tls.clientCa === undefined ? {} : { ca: yield* read(tls.clientCa) }
  return yield* Effect.try({
    try: (): Material => {
      createSecureContext({ cert, key, ...ca })
      return { cert, key, ...ca }
    },
    // What the library says may quote of the files.
    catch: () =>
      new TlsError({
        detail: `${[tls.cert, tls.key, tls.clientCa ?? []].flat().join(", ")} cannot be used for TLS`,
        remedy: "see that each is PEM, and that the key is the certificate's"
      })
  })
})

const make = (
  { context, headersMs, requestMs }: {
    readonly headersMs: number
    readonly requestMs: number
    readonly context: Material | undefined
  }
): Server => {
  const options: ServerOptions = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: headerBytes
  }
  const server = context === undefined ? createServer(options) : encrypted(options, context, headersMs)
  server.maxConnections = maxConnections
  return server
}

const encrypted = (options: ServerOptions, material: Material, handshakeMs: number): Server => {
  const server = createTlsServer({
    ...options,
    ...material,
    minVersion: "TLSv1.2",
    handshakeTimeout: handshakeMs,
    requestCert: material.ca !== undefined,
    // Callers with tokens show no certificate. One that is shown is a good one, or the connection ends.
    rejectUnauthorized: false,
    // Each connection is verified anew: a resumed one would be believed for what an earlier one showed.
    secureOptions: constants.SSL_OP_NO_TICKET
  })
  server.on("secureConnection", (socket: TLSSocket) => {
    if (!socket.authorized && socket.getPeerX509Certificate() !== undefined) socket.destroy()
  })
  return server
}
