/** The official client against the MCP server of a runtime in memory, in the name of callers of every role. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { Effect, type Scope } from "effect"
import { address } from "../http/world.ts"

/** A client over a transport, for as long as the scope is open. */
export const connected = (transport: Transport): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ name: "test", version: "1" })
      // A program that is started for it may take long on a busy machine.
      await client.connect(transport, { timeout: 240_000 })
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )

/** A client of the server over HTTP, with a token. */
export const client = (token: string) =>
  Effect.flatMap(address, (url) =>
    connected(
      new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
        requestInit: { headers: { authorization: `Bearer ${token}` } }
      }) as Transport
    ))

/** What a call came to: its structured content, or the text of a refusal. */
export interface Called {
  // Whatever it is: tests look into it.
  // oxlint-disable-next-line typescript/no-explicit-any -- the shape is what is tested
  readonly data: any
  readonly error: string | null
}

/** Calls a tool; an error of the protocol is an error here too. */
export const call = (
  client: Client,
  name: string,
  args: Record<string, unknown> = {},
  options: Parameters<Client["callTool"]>[2] = {}
): Effect.Effect<Called> =>
  Effect.promise(async () => {
    const result = await client.callTool({ name, arguments: args }, undefined, options).catch((error: Error) => error)
    if (result instanceof Error) return { data: null, error: result.message }
    const [first] = result.content as ReadonlyArray<{ readonly text?: string }>
    return { data: result.structuredContent, error: result.isError === true ? first?.text ?? "" : null }
  })
