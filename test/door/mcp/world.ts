/** The official client against the MCP server of a runtime in memory, in the name of callers of every role. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js"
import { Effect, Schema, type Scope } from "effect"
import { DeterministicActor } from "../../../src/actor/index.ts"
import { Proposal } from "../../../src/proposal/index.ts"
import { address } from "../http/world.ts"

/** Ends with a proposal. */
export const Writer = DeterministicActor.make("Writer", {
  description: "proposes what is to be done about an order",
  input: Schema.Struct({ order: Schema.String }),
  output: Proposal.Base,
  tools: [],
  run: ({ order }) =>
    Effect.succeed({
      title: `order ${order}`,
      summary: "It is late.",
      severity: "low" as const,
      confidence: 0.5,
      claims: [],
      risks: []
    })
})

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

/** What a client is told of, in order. */
export const heard = (one: Client): ReadonlyArray<string> => {
  const uris: Array<string> = []
  one.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void uris.push(params.uri))
  return uris
}
/** Follows a resource; why not, where it may not be. */
export const follow = (one: Client, uri: string) =>
  Effect.promise(() => one.subscribeResource({ uri }).then(() => "", ({ message }: Error) => message))
/** Waits for it. */
export const until = (isSo: () => boolean) => Effect.repeat(Effect.sleep("20 millis"), { until: () => isSo() })
