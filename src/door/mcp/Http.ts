/**
 * The MCP server by streamable HTTP, at `/mcp`. Before the protocol sees a request it is found out whether it comes from where
 * it may, who asks, how often, and whether the body can be read; each request shows its token, in its header alone.
 */
import { Clock, Context, Effect, Layer, Option, Result, Schema, Stream } from "effect"
import { McpServer } from "effect/ai"
import { Headers, HttpClientRequest, HttpEffect, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Asker } from "../../operator/index.ts"
import { isDeeper } from "../Depth.ts"
import type { Hold } from "../Streams.ts"
import type { News } from "./News.ts"
import { about } from "./Offer.ts"
import * as Origins from "./Origins.ts"
import * as Sessions from "./Sessions.ts"
import * as SignIn from "./SignIn.ts"
import * as Streaming from "./Streaming.ts"
import * as Subscriptions from "./Subscriptions.ts"
import { Connection, type Held } from "./Waiting.ts"

/** Where the server is. */
export const path = "/mcp"
/** Messages of one batch at the most; only the revision of March 2025 knows batches. */
export const maxBatch = 20

/** How the door is kept. */
export interface Options extends SignIn.Options {
  /** The version that the server names itself with. */
  readonly version: string
  /** Levels of a JSON body. */
  readonly depth: number
}

/** What stands before the server. */
export interface Entrance {
  /** Finds out who makes a request, and whether they are still let in later; fails with how it is turned away. */
  readonly enter: Effect.Effect<
    { readonly asker: Asker.Identity; readonly isIn: Effect.Effect<boolean> },
    HttpServerResponse.HttpServerResponse,
    HttpServerRequest.HttpServerRequest
  >
  /** Counts what goes on for long, with all that whoever asks has open at other doors. */
  readonly hold: Hold
}

/** Routes of a server that offers what `offer` registers and tells its news, to those whom `entrance` lets in. */
export const routes = <E, R>(offer: Layer.Layer<never, E, R>, news: News, entrance: Entrance, options: Options) =>
  Layer.unwrap(Effect.gen(function*() {
    const router = yield* HttpRouter.HttpRouter
    const sessions = Sessions.make(news, (id) => ending(router, id))
    yield* SignIn.serve(path, options)
    const protocols = Subscriptions.revisions({ news, followerOf: followerOf(sessions), asker, hold, isTold: false })
    return McpServer.layerHttp({
      ...about,
      version: options.version,
      protocols,
      path,
      // Origins are checked before, with what may be said of hosts.
      allowedOrigins: [],
      allowSessionTermination: true,
      registrations: offer
    }).pipe(Layer.provide(door(sessions, agreedOf(protocols), entrance, options).layer))
  }))

// internal

const sessionId = "mcp-session-id"
const eventStream = "text/event-stream"

const forbidden = -32_004
const parseError = -32_700
const invalidRequest = -32_600

const refusal = (status: number, code: number, message: string) =>
  HttpServerResponse.jsonUnsafe({ jsonrpc: "2.0", id: null, error: { code, message } }, { status })
/** Marks what the door itself asks of the server behind it. */
class Inside extends Context.Reference<boolean>("aosiq/door/mcp/Http/Inside", { defaultValue: () => false }) {}

type SessionsOf = ReturnType<typeof Sessions.make>
type Request = HttpServerRequest.HttpServerRequest
type Turned = HttpServerResponse.HttpServerResponse

const door = (sessions: SessionsOf, agreed: ReadonlySet<string>, entrance: Entrance, options: Options) =>
  HttpRouter.middleware<{ provides: Asker.Asker }>()(Effect.succeed(
    (app) =>
      Effect.gen(function*() {
        if (yield* Inside) return yield* Effect.provideService(app, Asker.Asker, nobody)
        const original = yield* HttpServerRequest.HttpServerRequest
        const objection = Origins.objection(original.headers, options)
        if (objection !== null) return refusal(403, forbidden, `requests from this ${objection} are not let in`)
        // The body is read once, by this view of the request and none other.
        const request = original.modify({ headers: readable(original.headers, agreed) })
        const admitted = yield* Effect.result(admit(request, entrance, options))
        if (Result.isFailure(admitted)) return SignIn.told(admitted.failure, request.headers, path, options)
        const { asker, isIn } = admitted.success
        const now = yield* Clock.currentTimeMillis
        const id = request.headers[sessionId]
        if (id !== undefined && !sessions.isOf(id, asker.name, now)) return HttpServerResponse.empty({ status: 404 })
        if (id === undefined) yield* sessions.makeRoom(asker.name, now)
        if (request.method === "DELETE" && id !== undefined) sessions.ended(id)
        const hold = entrance.hold(asker.name)
        if (request.method === "GET" && id !== undefined) {
          return yield* listening(request, sessions, { id, asker, isIn, hold })
        }
        return yield* watched(app, { isIn, hold }).pipe(
          Effect.tap(() => HttpEffect.appendPreResponseHandler(noting(sessions, asker.name, now))),
          Effect.provideService(Asker.Asker, asker),
          Effect.provideService(HttpServerRequest.HttpServerRequest, request)
        )
      })
  ))

/** Who makes a request, as the door found out. */
const asker = Effect.flatMap(
  Effect.serviceOption(Asker.Asker),
  Option.match({
    onNone: () => Effect.fail({ message: "nobody asks" }),
    onSome: (one) => Effect.succeed(one)
  })
)

/** Counts what goes on for long, as the door does for whoever asks. */
const hold = Effect.flatMap(Connection, ({ hold }) => hold)

const followerOf = (sessions: SessionsOf) => (headers: Headers.Headers) => sessions.followerOf(headers[sessionId] ?? "")

/** A stream of what a session follows. */
const listening = Effect.fnUntraced(function*(
  request: Request,
  sessions: SessionsOf,
  { asker, hold, id, isIn }: Held & { readonly id: string; readonly asker: Asker.Identity }
) {
  const follower = sessions.followerOf(id)
  if (follower === undefined) return HttpServerResponse.empty({ status: 404 })
  if (request.headers["accept"]?.includes(eventStream) !== true) return HttpServerResponse.empty({ status: 406 })
  const held = yield* Effect.result(hold)
  if (Result.isFailure(held)) {
    return HttpServerResponse.setHeader(refusal(429, forbidden, held.failure.detail), "retry-after", "1")
  }
  const isUsed = Effect.map(Clock.currentTimeMillis, (now) => sessions.isOf(id, asker.name, now))
  const stream = Streaming.of(follower, request.headers["last-event-id"], Effect.all([isIn, isUsed]))
  return HttpServerResponse.stream(
    Stream.encodeText(Stream.provideService(stream, Asker.Asker, asker)),
    { contentType: eventStream }
  )
})

/** A session speaks the revision that was agreed on when it began: one that its client says again decides nothing. */
const readable = (headers: Headers.Headers, agreed: ReadonlySet<string>): Headers.Headers => {
  const isAgreed = headers[sessionId] !== undefined && agreed.has(headers["mcp-protocol-version"] ?? "")
  return Headers.removeMany(headers, isAgreed ? ["origin", "mcp-protocol-version"] : ["origin"])
}
const agreedOf = (protocols: ReturnType<typeof Subscriptions.revisions>): ReadonlySet<string> =>
  new Set(protocols.flatMap(({ protocolVersion, runtime }) => runtime._tag === "Stateful" ? [protocolVersion] : []))

/** Finds out who asks, and whether what is asked can be looked at. */
const admit = Effect.fnUntraced(function*(request: Request, { enter }: Entrance, { depth }: Options) {
  const entering = Effect.provideService(enter, HttpServerRequest.HttpServerRequest, request)
  const entered = yield* entering
  const text = request.method === "POST" ? yield* Effect.orElseSucceed(request.text, () => "") : ""
  if (isDeeper(text, depth)) {
    return yield* Effect.fail(refusal(400, parseError, `the body goes deeper than ${depth} levels`))
  }
  const messages = batchOf(text)
  if (messages > maxBatch) {
    return yield* Effect.fail(refusal(400, invalidRequest, `a batch has at most ${maxBatch} messages`))
  }
  for (let count = 1; count < messages; count++) yield* entering
  return entered
})

/** Messages of a batch; 0 for what is none. */
const batchOf = (text: string): number => {
  if (!/^\s*\[/.test(text)) return 0
  const found = Option.getOrUndefined(decode(text))
  return Array.isArray(found) ? found.length : 0
}
const decode = Schema.decodeOption(Schema.fromJsonString(Schema.Unknown))

/** Tells those who wait behind it when the connection is gone: before what they do is interrupted for it. */
const watched = <E, R>(app: Effect.Effect<Turned, E, R>, held: Held) =>
  Effect.gen(function*() {
    let isGone = false
    const left = Effect.sync(() => {
      isGone = true
    })
    return yield* app.pipe(
      Effect.onInterrupt(() => left),
      Effect.tap(() => Effect.addFinalizer(() => left)),
      Effect.provideService(Connection, { isGone: () => isGone, ...held })
    )
  })

/** Notes whose a session is that begins with this answer. */
const noting = (sessions: SessionsOf, caller: string, now: number) => (_: Request, response: Turned) =>
  Effect.sync(() => {
    const id = response.headers[sessionId]
    if (id !== undefined) sessions.begun(id, caller, now)
    return response
  })

/** Ends a session as its client would. */
const ending = (router: HttpRouter.HttpRouter, id: string): Effect.Effect<void> =>
  // @effect-diagnostics-next-line anyUnknownInErrorContext:off -- a router says nothing of its routes' errors; they are ignored.
  router.asHttpEffect().pipe(
    Effect.provideService(
      HttpServerRequest.HttpServerRequest,
      HttpServerRequest.fromClientRequest(
        HttpClientRequest.delete(`http://localhost${path}`, { headers: { [sessionId]: id } })
      )
    ),
    Effect.provideService(Inside, true),
    Effect.scoped,
    Effect.ignore
  )

const nobody: Asker.Identity = { name: "aosiq", role: "viewer", ceiling: null }
