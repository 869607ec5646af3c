/**
 * The keys of one issuer, as its discovery document leads to them. They are asked for where they are needed and then kept:
 * looked at anew after `freshMs`, and used no longer than `usableMs` when they cannot be had any more. A key that is not
 * known is looked for at once, but never more often than every `pauseMs`, whatever tokens come.
 */
import { Clock, Effect, Fiber, Option, type Scope, Semaphore } from "effect"
import { Fetch } from "../../src/backend/index.ts"
import { Issuers } from "../../src/session/index.ts"
import { Encoding } from "../jose/index.ts"
import { isSafe } from "./OidcSettings.ts"

/** How long keys are believed without a look. */
export const freshMs = 600_000
/** How long keys are used while their issuer does not answer. */
export const usableMs = 3_600_000
/** Between two looks. */
export const pauseMs = 10_000
/** How long a look may take, and what it may bring. */
const patience = "5 seconds"
const maxBytes = 262_144
const maxKeys = 64

/** A key as it was published; *not yet checked*. */
export type PublishedKey = Readonly<Record<string, unknown>>

/** Finds keys by `kid`. */
export interface KeyCache {
  /** The one key with this `kid`; none when there is none, or when there are several. */
  readonly find: (kid: string) => Effect.Effect<Option.Option<PublishedKey>, Issuers.Unreachable>
}

/** Keys of this issuer, for as long as the scope is open. */
export const make = (
  issuer: Pick<Issuers.Issuer, "issuer" | "jwksUri">,
  fetch: typeof globalThis.fetch
): Effect.Effect<KeyCache, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const alone = yield* Semaphore.make(1)
    let held: { readonly keys: ReadonlyArray<PublishedKey>; readonly at: number } | undefined
    let lookedAt = Number.NEGATIVE_INFINITY
    let why = "they were not asked for yet"

    /** One look at a time; whoever waited for another's does not look again. */
    const look = alone.withPermits(1)(Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      if (now - lookedAt < pauseMs) return
      lookedAt = now
      yield* Effect.matchEffect(published(issuer, fetch), {
        onSuccess: (keys) => Effect.sync(() => void (held = { keys, at: now })),
        onFailure: (detail) => {
          why = detail
          return Effect.logWarning(`the keys of ${issuer.issuer} cannot be had: ${detail}`)
        }
      })
    }))

    /** A look goes on when whoever needed it is gone: else a client that hangs up keeps the keys from all others. */
    const looked = Effect.flatMap(Effect.forkIn(look, scope), Fiber.join)

    const usable = Effect.map(Clock.currentTimeMillis, (now) => held !== undefined && now - held.at < usableMs)
    const one = (kid: string): Option.Option<PublishedKey> => {
      const found = held?.keys.filter((key) => key["kid"] === kid) ?? []
      return found.length === 1 ? Option.fromUndefinedOr(found[0]) : Option.none()
    }

    const find = Effect.fnUntraced(function*(kid: string) {
      const now = yield* Clock.currentTimeMillis
      if (!(yield* usable)) yield* looked
      else if (held !== undefined && now - held.at >= freshMs) yield* Effect.forkIn(look, scope)
      if (!(yield* usable)) {
        return yield* new Issuers.Unreachable({
          detail: `the keys of ${issuer.issuer} cannot be had: ${why}`,
          remedy: "ask again a little later, or have whoever runs the server look at its log"
        })
      }
      const known = one(kid)
      if (Option.isSome(known)) return known
      yield* looked
      return one(kid)
    })
    return { find }
  })

// internal

const published = Effect.fnUntraced(function*(
  { issuer, jwksUri }: Pick<Issuers.Issuer, "issuer" | "jwksUri">,
  fetch: typeof globalThis.fetch
) {
  const set = yield* fetched(fetch, jwksUri ?? (yield* discovered(issuer, fetch)))
  const keys = set["keys"]
  if (!Array.isArray(keys) || !keys.every(Encoding.isRecord)) return yield* Effect.fail("they are no set of keys")
  if (keys.length > maxKeys) return yield* Effect.fail(`there are more than ${maxKeys}`)
  return keys
})

/** Source: OpenID Connect Discovery 1.0 §4. */
const discovered = Effect.fnUntraced(function*(issuer: string, fetch: typeof globalThis.fetch) {
  const document = yield* fetched(fetch, `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`)
  if (document["issuer"] !== issuer) return yield* Effect.fail("its discovery document is another issuer's")
  const uri = document["jwks_uri"]
  if (typeof uri !== "string" || !isSafe(uri)) {
    return yield* Effect.fail("its discovery document names no place for them")
  }
  if (URL.parse(uri)?.origin !== URL.parse(issuer)?.origin) {
    return yield* Effect.fail("its discovery document names another host; have it named as jwksUri in the settings")
  }
  return uri
})

const fetched = (fetch: typeof globalThis.fetch, url: string) =>
  Effect.tryPromise({
    try: (signal) =>
      Fetch.under(fetch, { signal, maxBytes, accepts: ["application/json", "application/jwk-set+json"] })(url, {
        headers: { accept: "application/json" }
      }).then((response) => response.arrayBuffer()),
    catch: (error) => {
      const cause = Fetch.causeOf(error)
      if (cause === undefined) return "there is no answer"
      return cause._tag === "Refused" ? `the answer is ${cause.status}` : cause.detail
    }
  }).pipe(
    Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(`there is no answer within ${patience}`) }),
    Effect.flatMap((bytes) => {
      const json = Encoding.fromJsonObject(new Uint8Array(bytes))
      return json === undefined ? Effect.fail("the answer is no JSON object") : Effect.succeed(json)
    })
  )
