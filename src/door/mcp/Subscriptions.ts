/**
 * The revisions of the protocol, with subscriptions of our own. Those of the library are not there over HTTP, take any URI and
 * any number of them, and are told to whoever listens; these ask who follows what, and go to nobody else.
 */
import { Effect } from "effect"
import { McpProtocol, McpSchema } from "effect/ai"
import type { Headers } from "effect/http"
import { Asker } from "../../operator/index.ts"
import type { Hold } from "../Streams.ts"
import * as Following from "./Following.ts"
import type { News } from "./News.ts"
import { Connection } from "./Waiting.ts"

/** What the revisions are kept for. */
export interface Keep {
  readonly news: News
  /** What the session follows in which a request comes. */
  readonly followerOf: (headers: Headers.Headers) => Following.Follower | undefined
  /** Who makes the request. */
  readonly asker: Effect.Effect<Asker.Identity, { readonly message: string }>
  /** Counts a subscription of theirs, of the revision that has no sessions. */
  readonly hold: ReturnType<Hold>
  /** Whether the library tells what is followed, to the one client that it has. */
  readonly isTold: boolean
}

/** The revisions, the latest with sessions first. */
export const revisions = (keep: Keep) => {
  const listening = listeningFor(keep)
  const stateful = statefulFor(keep)
  return [
    stateful(McpProtocol.v2025_11_25),
    stateful(McpProtocol.v2025_06_18),
    stateful(McpProtocol.v2025_03_26),
    stateful(McpProtocol.v2024_11_05),
    listening(McpProtocol.v2026_07_28)
  ] as const
}

// internal

// The library hands its parts on without types: what is used of them is said here.
interface Lifecycle {
  readonly initialize: (...args: ReadonlyArray<unknown>) => Effect.Effect<{ readonly capabilities: Capabilities }>
  readonly subscribe: Subscribe
  readonly unsubscribe: Subscribe
}
type Subscribe = (
  uri: string,
  client: number,
  headers: Headers.Headers
) => Effect.Effect<void, { readonly message: string }>
interface Capabilities {
  readonly tools?: object
  readonly prompts?: object
  readonly resources?: object
}
interface Target {
  readonly context: {
    readonly sendNotification?: (
      revision: string,
      client: number,
      notification: McpProtocol.ProjectedNotification
    ) => Effect.Effect<void>
    readonly serverInfo: { readonly name: string; readonly version: string }
  }
  readonly install: (protocol: object, rpcs: object, handlers: object) => Effect.Effect<void>
}
interface Listen {
  readonly notifications: { readonly resourceSubscriptions?: ReadonlyArray<string> | undefined }
}
interface From {
  readonly client: { readonly id: number }
  readonly requestId: string | number | bigint
}

const refused = ({ message }: { readonly message: string }) => new McpSchema.InvalidParams({ message })

/** Does something in the name of whoever asks. */
const asking =
  ({ asker }: Keep) => <A, E extends { readonly message: string }>(act: Effect.Effect<A, E, Asker.Asker>) =>
    Effect.mapError(Effect.flatMap(asker, (one) => Effect.provideService(act, Asker.Asker, one)), refused)

const statefulFor = (keep: Keep) => {
  const ask = asking(keep)
  const followerOf = (headers: Headers.Headers) =>
    Effect.mapError(
      Effect.fromNullishOr(keep.followerOf(headers)),
      () => refused({ message: "there is no such session" })
    )
  return <V extends McpProtocol.StatefulProtocolVersion>(
    protocol: McpProtocol.ProtocolAdapter<V, McpProtocol.StatefulRuntimeDescriptor>
  ): McpProtocol.ProtocolAdapter<V, McpProtocol.StatefulRuntimeDescriptor> => ({
    ...protocol,
    installHandlers: (core, lifecycle: Lifecycle, target) =>
      // @effect-diagnostics-next-line anyUnknownInErrorContext:off -- the library says nothing of what its handlers need.
      protocol.installHandlers(core, {
        ...lifecycle,
        initialize: (...args: ReadonlyArray<unknown>) =>
          Effect.map(lifecycle.initialize(...args), (answer) => ({ ...answer, capabilities: offered(answer) })),
        subscribe: (uri: string, client: number, headers: Headers.Headers) =>
          Effect.flatMap(followerOf(headers), (one) => ask(one.follow(uri))).pipe(
            Effect.andThen(keep.isTold ? lifecycle.subscribe(uri, client, headers) : Effect.void)
          ),
        unsubscribe: (uri: string, client: number, headers: Headers.Headers) =>
          Effect.map(followerOf(headers), (one) => one.unfollow(uri)).pipe(
            Effect.andThen(keep.isTold ? lifecycle.unsubscribe(uri, client, headers) : Effect.void)
          )
      }, target)
  })
}

/** What there is does not change while a server runs; what it says does. */
const offered = (
  { capabilities: { prompts, resources, tools, ...rest } }: { readonly capabilities: Capabilities }
) => ({
  ...rest,
  ...tools && { tools: { listChanged: false } },
  ...prompts && { prompts: { listChanged: false } },
  ...resources && { resources: { listChanged: false, subscribe: true } }
})

const listeningFor = (keep: Keep) => {
  const ask = asking(keep)
  return <P extends typeof McpProtocol.v2026_07_28>(protocol: P): P => ({
    ...protocol,
    installHandlers: (core, lifecycle, target: Target) =>
      // @effect-diagnostics-next-line anyUnknownInErrorContext:off -- the library says nothing of what its handlers need.
      protocol.installHandlers(core, lifecycle, {
        ...target,
        install: (installed: object, rpcs: object, handlers: object) =>
          target.install(installed, rpcs, {
            ...handlers,
            ..."subscriptions/listen" in handlers && {
              "subscriptions/listen": (request: Listen, from: From) =>
                Effect.scoped(
                  Effect.andThen(Effect.mapError(keep.hold, refused), ask(listen(keep, target, request, from)))
                )
            }
          })
      })
  })
}

const listen = Effect.fnUntraced(function*(
  { news }: Keep,
  { context: { sendNotification, serverInfo } }: Target,
  { notifications: { resourceSubscriptions = [] } }: Listen,
  { client, requestId }: From
) {
  const meta = { "io.modelcontextprotocol/subscriptionId": requestId }
  const { isIn } = yield* Connection
  const tell = (tag: string, payload: object) =>
    sendNotification?.(McpProtocol.v2026_07_28.protocolVersion, client.id, { tag, payload }) ?? Effect.void
  const follower = Following.follower(news)
  for (const uri of resourceSubscriptions) yield* follower.follow(uri)
  yield* tell("notifications/subscriptions/acknowledged", {
    _meta: meta,
    notifications: resourceSubscriptions.length === 0 ? {} : { resourceSubscriptions }
  })
  for (let last = 0; yield* isIn;) {
    for (const { number, uri } of yield* follower.after(last)) {
      yield* tell("notifications/resources/updated", { _meta: meta, uri })
      last = number
    }
    yield* Effect.sleep(Following.every)
  }
  return { _meta: { ...meta, "io.modelcontextprotocol/serverInfo": serverInfo }, resultType: "complete" }
})
