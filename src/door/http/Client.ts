/**
 * The typed client of the HTTP API, made of the same definition as the server. It works wherever there is an `HttpClient`.
 * A POST goes under a key of its own, so that it may be sent again until it is answered, and is carried out once.
 */
import { type Duration, Effect, type Redacted, Schedule, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import type { Claims } from "../../capability/index.ts"
import { Api, beatMs, type Event } from "./Api.ts"
import { Missing, Refused, Unauthenticated } from "./Problem.ts"

/** Where the API is, and who asks. */
export interface Options {
  /** As `aosiq serve` prints it. */
  readonly url: string
  /** A caller's token. */
  readonly token: Redacted.Redacted
}

/** The operations, by group. */
export type Client = HttpApiClient.ForApi<typeof Api>

/** Attempts at a request that is lost on its way, beside the first. */
const retries = 3
/** Between two connections of a watcher. */
const reconnecting = "500 millis"

/** A client in the name of the token's caller. */
export const make = Effect.fnUntraced(function*({ token, url }: Options) {
  const random = yield* SecureRandom.SecureRandom
  const keyed = (request: HttpClientRequest.HttpClientRequest) =>
    request.method !== "POST" || request.headers["idempotency-key"] !== undefined
      ? Effect.succeed(request)
      : Effect.map(random.ulid, (key) => HttpClientRequest.setHeader(request, "idempotency-key", key))
  return yield* HttpApiClient.make(Api, {
    baseUrl: url,
    transformClient: (client) =>
      client.pipe(
        HttpClient.mapRequest(HttpClientRequest.bearerToken(token)),
        HttpClient.mapRequestEffect(keyed),
        HttpClient.retryTransient({ schedule: Schedule.exponential(100), times: retries })
      )
  })
})

/** How long a connection may be silent, ms, before a watcher takes it for dead: three beats of the server. */
export const silentMs = 3 * beatMs

/** A row or the end of a session, as it comes. */
export type Watched = Exclude<Event, { readonly event: "beat" }>

/**
 * Watches a session from a row on until it has ended: its rows in order, each once, whatever becomes of connections and
 * servers meanwhile. A connection on which nothing comes for `silentMs` is given up, also one that was never answered, and
 * the next goes on where it stood. Fails when there is no such session, or its caller is let in no more.
 */
export const watch = (
  client: Client,
  session: Claims.SessionId,
  from = 0,
  silence: Duration.Input = silentMs
): Stream.Stream<
  Watched,
  Missing | Refused | Unauthenticated
> =>
  Stream.suspend(() => {
    let next = from
    let isOver = false
    const connect = Effect.suspend(() =>
      client.sessions.events({ params: { session }, headers: next === 0 ? {} : { "last-event-id": next - 1 } })
    )
    const connection = Stream.unwrap(connect).pipe(
      // Beats count: a server that is there is never silent for as long.
      Stream.timeout(silence),
      Stream.filter((event): event is Watched => event.event !== "beat"),
      Stream.filter((event) => {
        if (event.event === "end") return isOver = true
        if (event.data.seq !== next) return false
        next++
        return true
      }),
      // Whatever else breaks a connection off is made up for by the next.
      Stream.catch((error) => isFinal(error) ? Stream.fail(error) : Stream.empty)
    )
    return connection.pipe(
      Stream.concat(Stream.fromEffectDrain(Effect.suspend(() => isOver ? Effect.void : Effect.sleep(reconnecting)))),
      Stream.repeat(Schedule.recurs(Number.MAX_SAFE_INTEGER).pipe(Schedule.while(() => !isOver)))
    )
  })

// internal

const isFinal = (error: unknown): error is Missing | Refused | Unauthenticated =>
  error instanceof Missing || error instanceof Refused || error instanceof Unauthenticated
