/** The MCP server over standard input and output, for a program that starts it: in the name of one caller, or of the owner. */
import { Cause, Effect, Fiber, Layer, Schedule, Schema, Stdio, Stream } from "effect"
import { McpSchema, McpServer } from "effect/ai"
import { Asker } from "../../operator/index.ts"
import * as Streams from "../Streams.ts"
import * as Following from "./Following.ts"
import * as Lines from "./Lines.ts"
import * as News from "./News.ts"
import * as Offer from "./Offer.ts"
import * as Subscriptions from "./Subscriptions.ts"
import * as Work from "./Work.ts"

/** Who asks is let in no more. */
export class NotLetIn extends Schema.TaggedError<NotLetIn>()("NotLetIn", {
  ...McpSchema.McpErrorBase.fields,
  code: Schema.tag(-32_001)
}) {}

/** Subscriptions of the one client at the same time, of the revision that has no sessions. */
export const maxListening = 64

/** Serves until the input ends: all that was asked by then is answered. */
export const serve = (client: Work.Client, as: Work.As, version: string) =>
  Effect.gen(function*() {
    // Looked at anew before every request, as often as a process does that knows callers by their tokens.
    const self = yield* Effect.cachedWithTTL(Work.self(client, as), "500 millis")
    const asker = Effect.mapError(self, ({ message }) => new NotLetIn({ message }))
    const entrance = McpServer.middleware<{ provides: Asker.Asker }>()((effect) =>
      Effect.flatMap(asker, (identity) => Effect.provideService(effect, Asker.Asker, identity))
    )
    const work = Work.over(client, as)
    const news = News.make(work)
    const follower = Following.follower(news)
    const hold = Streams.atMost(maxListening)("the client")
    yield* run(
      Layer.merge(Layer.provide(Offer.layer(work), entrance.layer), telling(follower, asker)),
      Subscriptions.revisions({ news, followerOf: () => follower, asker, hold, isTold: true }),
      version
    )
  })

/** Serves what `offer` registers. */
export const run = <E>(
  offer: Layer.Layer<never, E, McpServer.McpServer>,
  protocols: ReturnType<typeof Subscriptions.revisions>,
  version: string,
  bounds: Lines.Bounds = Lines.standard
) =>
  Effect.gen(function*() {
    const stdio = yield* Stdio.Stdio
    const guarded = yield* guard(stdio, bounds)
    const server = McpServer.layerStdio({ ...Offer.about, protocols, version, registrations: offer }).pipe(
      Layer.provide(Layer.succeed(Stdio.Stdio, guarded.stdio))
    )
    const fiber = yield* Effect.forkChild(Layer.launch(server))
    // The end of the input ends the server from within.
    yield* Effect.catchCause(Fiber.join(fiber), (cause) =>
      guarded.isOver() && Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.failCause(cause))
  })

// internal

/** Tells what the one client follows, while it is let in. */
const telling = (follower: Following.Follower, asker: Effect.Effect<Asker.Identity, NotLetIn>) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const { notifications } = yield* McpServer.McpServer
    let last = 0
    const tell = Effect.gen(function*() {
      const identity = yield* asker
      for (const { number, uri } of yield* Effect.provideService(follower.after(last), Asker.Asker, identity)) {
        yield* notifications["notifications/resources/updated"]({ uri })
        last = number
      }
    })
    yield* Effect.ignore(tell).pipe(Effect.repeat(Schedule.spaced(Following.every)), Effect.forkScoped)
  }))

/** The same input with nothing in it but messages. */
const guard = (stdio: Stdio.Stdio, bounds: Lines.Bounds) =>
  Effect.sync(() => {
    let isOver = false
    const split = Lines.splitting(bounds)
    const say = (text: string) => Stream.run(Stream.make(text), stdio.stdout({ endOnDone: false }))
    const stdin = stdio.stdin.pipe(
      Stream.decodeText,
      Stream.flatMap((piece) => Stream.fromIterable(split(piece))),
      Stream.mapEffect((line) => "pass" in line ? Effect.succeed([line.pass]) : Effect.as(say(line.answer), [])),
      Stream.flatMap(Stream.fromIterable),
      Stream.encodeText,
      Stream.onEnd(Effect.sync(() => {
        isOver = true
      }))
    )
    return { stdio: Stdio.make({ ...stdio, stdin }), isOver: () => isOver }
  })
