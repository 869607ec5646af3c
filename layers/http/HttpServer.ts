/**
 * A server for the HTTP door, on Node. Only this machine reaches it unless another host is named. Whoever sends slowly, or
 * nothing, is dropped.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Layer } from "effect"
import { HttpServer } from "effect/http"
import { createServer } from "node:http"
import { type Limits, Serve } from "../../src/door/http/index.ts"

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
}

/** Connections at the same time; bytes of headers. */
const maxConnections = 1000
const headerBytes = 16_384

/** Serves the API; gives the server, whose address says where it is. */
export const layer = (
  { headersMs = 10_000, host = "127.0.0.1", limits = {}, mcp = {}, port, requestMs = 30_000 }: Options
) =>
  Serve.layer(limits, { hosts: [], origins: [], version: "0", ...mcp }).pipe(
    Layer.provideMerge(
      NodeHttpServer.layer(() => make(headersMs, requestMs), { host, port, gracefulShutdownTimeout: "2 seconds" })
    )
  )

/** Where a server is reached. */
export const urlOf = (server: HttpServer.HttpServer["Service"]): string => HttpServer.formatAddress(server.address)

// internal

const make = (headersMs: number, requestMs: number) => {
  const server = createServer({
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: headerBytes
  })
  server.maxConnections = maxConnections
  return server
}
