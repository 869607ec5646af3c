/** A runtime elsewhere, as the command line asks it: by HTTP, at the address that was given and at no other. */
import { Effect, Layer, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { FetchHttpClient, HttpClient, HttpClientError } from "effect/http"
import type { Client, Watched, Where } from "../../src/door/cli/index.ts"
import { Client as Http, Remote } from "../../src/door/http/index.ts"

/** Its operations, in the name of the token's caller. Nothing is sent before one is asked for. */
export const open = Effect.fnUntraced(function*(where: Extract<Where, { readonly _tag: "Remote" }>) {
  const context = yield* Layer.build(Layer.merge(transport, SecureRandom.layerWebCrypto))
  const client = yield* Effect.provideContext(Http.make(where), context)
  const opened: Client = {
    ...Remote.make(client),
    session_watch: ({ from, session }) =>
      Http.watch(client, session, from).pipe(
        Stream.map((event): Watched =>
          event.event === "row" ? { event: "row", data: event.data } : { event: "end", data: event.data }
        ),
        Stream.mapError(Remote.failed)
      ),
    health: Remote.ready(client)
  }
  return opened
})

// internal

/** How long an answer may take to begin; a server gives up sooner. */
const patience = "90 seconds"

const transport = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(
    HttpClient.HttpClient,
    (client) =>
      HttpClient.transform(client, (effect, request) =>
        Effect.timeoutOrElse(effect, {
          duration: patience,
          orElse: () => {
            const reason = new HttpClientError.TransportError({ request, description: `no answer in ${patience}` })
            return Effect.fail(new HttpClientError.HttpClientError({ reason }))
          }
        }))
  )
).pipe(
  Layer.provide(FetchHttpClient.layer),
  // A token goes nowhere else than where it was meant to go.
  Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "error" }))
)
