/**
 * The tools that are offered, as an MCP server that the program finds them on: definitions only. A call of one is never
 * answered, for nobody here runs it; what was asked for goes back to whoever asked the model, and past the Governor there
 * is no way. The server lives as long as one question, on the loopback address, behind a key of its own.
 */
import { NodeHttpServer } from "@effect/platform-node"
import { type Cause, Context, Effect, Layer, type Scope } from "effect"
import { McpProtocol, McpServer, Tool, Toolkit } from "effect/ai"
import { HttpRouter, HttpServer, type HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import type { Pieces } from "../../src/backend/index.ts"

/** What the program is told of the server. */
export interface Served {
  readonly url: string
  readonly authorization: string
}

/** The name of the server; the program puts it before those of the tools. */
export const serverName = "aosiq"
/** What the program calls a tool of the server. */
export const prefix = `mcp__${serverName}__`
/** Letters of a tool's name at most: the vendor takes sixty-four with the prefix. */
export const maxNameLength = 64 - prefix.length

/** Offers the tools for as long as the scope is open. */
export const serve = (
  offered: ReadonlyArray<Pieces.Offered>
): Effect.Effect<Served, Cause.IllegalArgumentError | HttpServerError.ServeError, Scope.Scope> =>
  Effect.gen(function*() {
    const authorization = `Bearer ${randomBytes(32).toString("base64url")}`
    const kit = Toolkit.make(
      ...offered.map(({ description, name, schema }) => Tool.dynamic(name, { description, parameters: schema }))
    )
    const handlers = kit.toLayer(Object.fromEntries(offered.map(({ name }) => [name, () => Effect.never])))
    const server = McpServer.layerHttp({
      name: serverName,
      version: "1",
      path: "/",
      protocols: [McpProtocol.v2025_11_25, McpProtocol.v2025_06_18, McpProtocol.v2025_03_26],
      registrations: McpServer.toolkit(kit).pipe(Layer.provide(handlers))
    })
    const context = yield* Layer.build(
      HttpRouter.serve(Layer.merge(server, only(authorization)), { disableLogger: true, disableListenLog: true }).pipe(
        Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
      )
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    const port = "port" in address ? address.port : 0
    return { url: `http://127.0.0.1:${port}/`, authorization }
  })

// internal

/** Nobody else on this machine is told of the tools. */
const only = (authorization: string) =>
  HttpRouter.middleware(
    (answer) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
        headers["authorization"] === authorization
          ? answer
          : Effect.succeed(HttpServerResponse.empty({ status: 401 }))),
    { global: true }
  )
