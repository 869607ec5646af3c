/** `aosiq serve`: the runtime with its door by HTTP open, until it is stopped. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { type About, folder, json, prices } from "./Ask.ts"
import * as Print from "./Print.ts"
import { backends, Runtime, type TlsOrder, UsageError } from "./Runtime.ts"

/** Port of the door when nobody names one. */
export const standardPort = 7070

/** Port and address of the door. */
export const place = {
  host: Flag.String("host").pipe(
    Flag.withDescription("Address to listen on (default: 127.0.0.1, which this machine alone reaches)"),
    Flag.withDefault("127.0.0.1")
  ),
  port: Flag.Int("port").pipe(
    Flag.filter((port) => port >= 0 && port < 65_536, () => "0 to 65535"),
    Flag.withDescription("Port to listen on (default: 7070); 0 for any that is free"),
    Flag.withDefault(standardPort)
  )
}

/** Where the MCP server may be asked from, beside this machine's addresses. */
const mcpPlaces = {
  hosts: Flag.String("mcp-host").pipe(
    Flag.withDescription("Name under which others reach the MCP server, such as a proxy's (may be given again)"),
    Flag.atLeast(0)
  ),
  origins: Flag.String("mcp-origin").pipe(
    Flag.withDescription("Origin of pages that may ask the MCP server (may be given again)"),
    Flag.atLeast(0)
  )
}

const file = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar("FILE"), Flag.optional)

/** What the door speaks TLS with. */
export const tls = {
  cert: file("tls-cert", "Certificate of this server, PEM, with those of its authorities after it"),
  key: file("tls-key", "Key of that certificate, PEM"),
  clientCa: file("client-ca", "Authority whose certificates callers may show, PEM"),
  clientCrls: Flag.String("client-crl").pipe(
    Flag.withDescription("Certificates that it took back, a list (CRL), PEM; may be repeated"),
    Flag.withMetavar("FILE"),
    Flag.atLeast(0)
  )
}

/** The command. */
export const serve = (about: About) =>
  Command.make(
    "serve",
    {
      data: folder,
      ...place,
      ...mcpPlaces,
      ...tls,
      backend: Flag.Literals("backend", backends).pipe(
        Flag.withDescription("Who reasons: offline rules, or a model"),
        Flag.withDefault("offline")
      ),
      model: Flag.String("model").pipe(Flag.withDescription("Model of the backend"), Flag.optional),
      prices,
      json
    },
    Effect.fnUntraced(function*(
      { backend, cert, clientCa, clientCrls, data, host, hosts, json, key, model, origins, port, prices }
    ) {
      const runtime = yield* Runtime
      const tls = yield* tlsOf({ cert, key, clientCa, clientCrls })
      return yield* Effect.scoped(Effect.gen(function*() {
        const { url } = yield* runtime.serve(data, {
          host,
          port,
          tls,
          mcp: { hosts, origins, version: about.version },
          backend,
          model: Option.getOrUndefined(model),
          prices: Option.getOrUndefined(prices)
        })
        if (json) {
          yield* Console.log(Print.json({ url }))
          return yield* Effect.never
        }
        yield* Console.log(Print.plain(`AOSIQ · listening at ${url}; what there is: ${url}/docs, MCP: ${url}/mcp`))
        yield* Console.log(Print.plain("callers are let in with `aosiq callers add`; Ctrl-C stops it"))
        return yield* Effect.never
      }))
    })
  ).pipe(
    Command.withDescription("Run the runtime and serve callers by HTTP"),
    Command.withExamples([{ command: "aosiq serve", description: "Serve callers on this machine" }])
  )

// internal

interface Files {
  readonly cert: Option.Option<string>
  readonly key: Option.Option<string>
  readonly clientCa: Option.Option<string>
  readonly clientCrls: ReadonlyArray<string>
}

const tlsOf = ({ cert, clientCa, clientCrls, key }: Files): Effect.Effect<TlsOrder | undefined, UsageError> => {
  const isWhole = clientCrls.length === 0 || Option.isSome(clientCa)
  if (Option.isSome(cert) && Option.isSome(key) && isWhole) {
    return Effect.succeed({
      cert: cert.value,
      key: key.value,
      clientCa: Option.getOrUndefined(clientCa),
      clientCrls
    })
  }
  if (Option.isNone(cert) && Option.isNone(key) && Option.isNone(clientCa) && isWhole) return Effect.succeed(undefined)
  const detail = "--tls-cert and --tls-key go together, --client-ca goes with both, and --client-crl with --client-ca"
  return Effect.fail(new UsageError({ detail, remedy: "name all that belong together, or none to listen without TLS" }))
}
