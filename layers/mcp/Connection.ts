/**
 * One connection to a server, by the official client: the handshake, the listing of tools page by page, and calls. Whatever
 * a server asks of us beyond that (a model, a person, a task) is refused and counted; roots are told if they are granted.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import {
  ErrorCode,
  ListRootsRequestSchema,
  McpError as RpcError,
  ResultSchema,
  ToolListChangedNotificationSchema
} from "@modelcontextprotocol/sdk/types.js"
import { Data, Effect, Predicate, type Schema } from "effect"
import { pathToFileURL } from "node:url"
import { isDeeper } from "./Depth.ts"
import * as Http from "./Http.ts"
import { maxDepth } from "./Stdio.ts"

/** A request came to nothing. */
export class Trouble extends Data.TaggedError("Trouble")<{
  /** Nothing was sent; it was, and nothing is known of it; the server said no; or it answered something else. */
  readonly kind: "unreached" | "unanswered" | "rejected" | "unreadable"
  readonly code: number
  readonly detail: string
}> {}

/** What a server said of itself. */
export interface About {
  readonly name: string
  readonly version: string
  readonly protocol: string
}

/** A connection that is up. */
export interface Connection {
  readonly about: About
  readonly isOpen: () => boolean
  /** What was wrong with it last. */
  readonly trouble: () => string | undefined
  /** What it asked of us and did not get. */
  readonly refused: ReadonlyMap<string, number>
  /** Counts its listings: a server that says its tools have changed is asked for them anew. */
  readonly edition: () => number
  readonly list: (timeoutMs: number) => Effect.Effect<ReadonlyArray<Schema.Json>, Trouble>
  readonly call: (request: {
    readonly name: string
    readonly arguments: Schema.Json
    readonly key: string
    readonly timeoutMs: number
  }) => Effect.Effect<Schema.Json, Trouble>
}

/** How long a server has to shake hands. */
export const handshakeMs = 30_000
/** Pages of a listing, and tools. */
export const maxPages = 100
export const maxTools = 1000

/** Connects over a transport, for as long as the scope is open. */
export const open = Effect.fnUntraced(function*(
  transport: Transport,
  { roots, said }: { readonly roots: ReadonlyArray<string>; readonly said: () => string }
) {
  const refused = new Map<string, number>()
  let edition = 0
  let isOpen = true
  let trouble: string | undefined
  let protocol = ""
  const told = transport.setProtocolVersion?.bind(transport)
  transport.setProtocolVersion = (version) => {
    protocol = version
    told?.(version)
  }
  const client = new Client({ name: "aosiq", version: "1" }, { capabilities: roots.length === 0 ? {} : { roots: {} } })
  client.fallbackRequestHandler = ({ method }) => {
    const known = method.slice(0, maxMethod)
    if (refused.has(known) || refused.size < maxMethods) refused.set(known, (refused.get(known) ?? 0) + 1)
    return Promise.reject(new RpcError(ErrorCode.MethodNotFound, `${known} is not granted to this server`))
  }
  if (roots.length > 0) {
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: roots.map((root) => ({ uri: uriOf(root) })) }))
  }
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    edition++
  })
  Object.assign(client, {
    onclose: () => {
      isOpen = false
    },
    onerror: (error: Error) => {
      trouble = error.message
    }
  })
  // Before it is connected: a handshake that is interrupted, or comes to nothing, leaves nothing open.
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.tryPromise(() => client.close())))
  yield* Effect.tryPromise({
    try: (signal) => client.connect(transport, { signal, timeout: handshakeMs }),
    catch: (error) => {
      const words = said().trim()
      const detail = error instanceof Error ? error.message : String(error)
      return new Trouble({ kind: "unreached", code: 0, detail: words === "" ? detail : `${detail} (${words})` })
    }
  })
  const version = client.getServerVersion()
  const about: About = {
    name: (version?.name ?? "").slice(0, maxMethod),
    version: (version?.version ?? "").slice(0, maxMethod),
    protocol
  }

  const request = (
    asked: { readonly method: string; readonly params: Record<string, unknown> },
    timeoutMs: number
  ): Effect.Effect<Record<string, unknown>, Trouble> =>
    Effect.suspend(() => {
      if (!isOpen) return Effect.fail(new Trouble({ kind: "unreached", code: 0, detail: trouble ?? "it has ended" }))
      return Effect.tryPromise({
        // An interrupted call is cancelled at the server by this signal.
        try: (signal) =>
          client.request(asked, ResultSchema, { signal, timeout: timeoutMs, maxTotalTimeout: timeoutMs }),
        catch: (error) => {
          if (Http.statusOf(error) === 404) {
            // The server knows this connection no longer, and did nothing: another is opened.
            isOpen = false
            return new Trouble({ kind: "unreached", code: 404, detail: "it knows this session no longer" })
          }
          return troubleOf(error, isOpen, trouble)
        }
      })
    }).pipe(
      Effect.filterOrFail(
        (result) => !isDeeper(result, maxDepth),
        () => new Trouble({ kind: "unreadable", code: 0, detail: `it is nested deeper than ${maxDepth} levels` })
      )
    )

  const list = Effect.fnUntraced(function*(timeoutMs: number): Effect.fn.Return<ReadonlyArray<Schema.Json>, Trouble> {
    if (client.getServerCapabilities()?.tools === undefined) return []
    const tools: Array<Schema.Json> = []
    const seen = new Set<string>()
    let cursor: string | undefined
    do {
      const params = cursor === undefined ? {} : { cursor }
      const page = yield* request({ method: "tools/list", params }, timeoutMs)
      const unreadable = (detail: string) => new Trouble({ kind: "unreadable", code: 0, detail })
      if (!Array.isArray(page["tools"])) return yield* unreadable("its listing is no list of tools")
      tools.push(...page["tools"] as ReadonlyArray<Schema.Json>) // It came as JSON.
      const next = page["nextCursor"]
      cursor = typeof next === "string" ? next : undefined
      if (tools.length > maxTools || seen.size >= maxPages) {
        return yield* unreadable(`it lists more than ${maxTools} tools`)
      }
      if (cursor !== undefined && seen.has(cursor)) return yield* unreadable("its listing leads back to itself")
      if (cursor !== undefined) seen.add(cursor)
    } while (cursor !== undefined)
    return tools
  })

  const connection: Connection = {
    about,
    isOpen: () => isOpen,
    trouble: () => trouble,
    refused,
    edition: () => edition,
    list,
    call: ({ arguments: args, key, name, timeoutMs }) =>
      Effect.map(
        request(
          { method: "tools/call", params: { name, arguments: args, _meta: { "aosiq/idempotencyKey": key } } },
          timeoutMs
        ),
        (result) => result as Schema.Json // It came as JSON.
      )
  }
  return connection
})

// internal

/** Characters of a method, a name or a version that are kept, and different methods. */
const maxMethod = 100
const maxMethods = 20

const uriOf = (root: string): string => /^[a-z][a-z0-9+.-]*:\/\//i.test(root) ? root : pathToFileURL(root).href

const troubleOf = (error: unknown, isOpen: boolean, trouble: string | undefined): Trouble => {
  const message = error instanceof Error ? error.message : String(error)
  const status = Http.statusOf(error)
  if (status !== undefined) {
    // A server that failed may have done it before.
    const kind = status >= 500 ? "unanswered" : "rejected"
    return new Trouble({ kind, code: status, detail: `HTTP ${status}` })
  }
  if (Http.isUnreached(error)) return new Trouble({ kind: "unreached", code: 0, detail: message })
  const isAnswer = isOpen && error instanceof RpcError && error.code !== ErrorCode.RequestTimeout
  if (isAnswer) return new Trouble({ kind: "rejected", code: error.code, detail: message })
  if (Predicate.hasProperty(error, "issues")) {
    return new Trouble({ kind: "unreadable", code: 0, detail: "it is no result of the protocol" })
  }
  return new Trouble({
    kind: "unanswered",
    code: 0,
    detail: trouble === undefined ? message : `${message}: ${trouble}`
  })
}
