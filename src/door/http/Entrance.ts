/**
 * Who makes a request, found out in one place for everything that this server serves. Whoever serves something else than the
 * API under the same address asks here too, so that the same limits hold.
 *
 * A request shows a token of ours or of an issuer in its header, else the certificate of its connection. What fails is
 * counted by address and by the id of the token: an address that fails too often is heard no more for a while, except with
 * what it was let in with lately; nobody is kept out by what others send.
 */
import { Clock, Context, Effect, Layer, Option, Redacted } from "effect"
import { HttpEffect, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Digest } from "../../audit/index.ts"
import type { Asker } from "../../operator/index.ts"
import { Caller, Callers, Issuers, type KnownBy } from "../../session/index.ts"
import { addressOf, counting, type Limits } from "./Limits.ts"
import * as Peer from "./Peer.ts"
import * as Problem from "./Problem.ts"

/** Somebody who was let in. */
export interface Entered {
  readonly asker: Asker.Identity
  /** Whether they still are: for answers that take long. Who cannot be asked for it just now still is. */
  readonly isIn: Effect.Effect<boolean>
}

/** Lets requests in. */
export class Entrance extends Context.Service<Entrance, {
  /** Who makes the request; a problem to answer it with when nobody does who is let in, or does too often. */
  readonly enter: Effect.Effect<Entered, Problem.Problem, HttpServerRequest.HttpServerRequest>
}>()("aosiq/door/http/Entrance") {}

/** Over the callers of the installation, the issuers and the certificates that are in force. */
export const layer = (limits: Limits): Layer.Layer<Entrance, never, Callers.Callers | Digest.Digest> =>
  Layer.effect(
    Entrance,
    Effect.gen(function*() {
      const look = yield* looking
      const certificateOf = yield* Peer.Current
      const guard = guarding(limits)
      const asking = counting({ ...limits, names: Caller.maxCallers })
      const enter = Effect.gen(function*() {
        const request = yield* HttpServerRequest.HttpServerRequest
        const shown = yield* shownBy(request, certificateOf)
        if (shown === null) return yield* new Problem.Unauthenticated(nothingShown)
        const address = addressOf(Option.getOrElse(request.remoteAddress, () => ""))
        const key = look.keyOf(shown)
        const wait = guard.wait(address, key, yield* Clock.currentTimeMillis)
        if (wait > 0) return yield* tooMany(wait, "too many requests from there showed nothing that lets anybody in")
        const { caller, until } = yield* Effect.catch(
          look.whose(shown),
          Effect.fnUntraced(function*(problem) {
            if (problem._tag !== "Unauthenticated") return yield* problem
            const wait = guard.failed({ address, key, prefix: prefixOf(shown) }, yield* Clock.currentTimeMillis)
            return yield* wait > 0
              ? tooMany(wait, "too many requests showed a token of that id, and not that token")
              : Effect.fail(problem)
          })
        )
        const now = yield* Clock.currentTimeMillis
        guard.passed(key, now)
        const { ceiling, name, role } = caller
        const seconds = asking.wait(name, now)
        if (seconds > 0) return yield* tooMany(seconds, `${name} asks more than ${limits.perSecond} times a second`)
        asking.take(name, now)
        // What the connection shows may have ended since, as its certificate does.
        const isIn = Effect.flatMap(
          shownBy(request, certificateOf),
          (shown) => shown === null ? Effect.succeed(false) : stillIn(look.whose(shown), until)
        )
        return { asker: { name, role, ceiling }, isIn }
      })
      return Entrance.of({ enter })
    })
  )

/** Turns a request away until so many seconds have gone by. */
export const tooMany = (seconds: number, detail: string) =>
  Effect.andThen(
    HttpEffect.appendPreResponseHandler((_request, response) =>
      Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", String(seconds)))
    ),
    new Problem.TooMany({ detail, remedy: `ask again in ${seconds} s`, retryAfterSeconds: seconds })
  )

// internal

/** What a request shows. */
type Shown =
  | { readonly _tag: "Ours"; readonly token: Redacted.Redacted }
  | { readonly _tag: "Issued"; readonly token: Redacted.Redacted }
  | { readonly _tag: "Certificate"; readonly names: ReadonlyArray<KnownBy.KnownBy> }

/** Who is let in, and until when what they showed is good. */
interface Found {
  readonly caller: Caller.Caller
  readonly until: number
}

/** A header that is there counts, and nothing else then: whoever sends it means to be let in by it. */
const shownBy = (
  request: HttpServerRequest.HttpServerRequest,
  certificateOf: Peer.CertificateOf
): Effect.Effect<Shown | null> => {
  const { authorization } = request.headers
  if (authorization === undefined) {
    if (isOfAnotherSite(request)) return Effect.succeed(null)
    return Effect.map(certificateOf(request), (names) => names.length === 0 ? null : { _tag: "Certificate", names })
  }
  // Source: RFC 6750 §2.1.
  const [, text = ""] = /^bearer +(\S+) *$/i.exec(authorization) ?? []
  if (text === "") return Effect.succeed(null)
  return Effect.succeed({ _tag: isJws(text) ? "Issued" : "Ours", token: Redacted.make(text) })
}

/**
 * Whether a page of somebody else's makes the request. A browser shows its certificate for any page, which has not asked
 * whose it is; a token it would have to know. Browsers name the page's origin with every POST. Source: Fetch §3.1.
 */
const isOfAnotherSite = ({ headers: { host = "", origin } }: HttpServerRequest.HttpServerRequest): boolean =>
  origin !== undefined && origin !== `https://${host}`

/** Whether a token has the form of an issuer's. Ours have no dots. */
const isJws = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)

const looking = Effect.gen(function*() {
  const callers = yield* Callers.Callers
  const digest = yield* Digest.Digest
  const issuers = yield* Issuers.Current
  const forEver = Number.MAX_SAFE_INTEGER
  const whose = (shown: Shown): Effect.Effect<Found, Problem.Problem> => {
    switch (shown._tag) {
      case "Ours":
        return Effect.mapBoth(callers.authenticate(shown.token), {
          onFailure: turnedAway,
          onSuccess: (caller) => ({ caller, until: forEver })
        })
      case "Certificate":
        return Effect.mapBoth(callers.recognise(shown.names), {
          onFailure: turnedAway,
          onSuccess: (caller) => ({ caller, until: forEver })
        })
      case "Issued":
        return Effect.flatMap(
          Effect.mapError(issuers.verify(shown.token), notVouched),
          ({ knownBy, place, until }) =>
            Effect.mapBoth(callers.recognise([knownBy], place), {
              onFailure: turnedAway,
              onSuccess: (caller) => ({ caller, until })
            })
        )
    }
  }
  /** What is remembered of something that was shown: nothing that could be shown again. */
  const keyOf = (shown: Shown): Digest.Hash =>
    shown._tag === "Certificate"
      ? digest.sha256(JSON.stringify(shown.names))
      : digest.sha256(Redacted.value(shown.token))
  return { whose, keyOf }
})

/** A refusal ends it, and so does the time of what was shown. */
const stillIn = (whose: Effect.Effect<Found, Problem.Problem>, until: number): Effect.Effect<boolean> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    now >= until ? Effect.succeed(false) : Effect.match(whose, {
      onFailure: ({ _tag }) => _tag !== "Unauthenticated",
      onSuccess: () => true
    }))

/** Addresses, and ids of tokens, whose failures are counted; and what was let in lately. */
const maxNames = 10_000
/** How long what was let in is heard from an address that fails. */
const latelyMs = 3_600_000

interface Failure {
  readonly address: string
  readonly key: Digest.Hash
  readonly prefix: string | null
}

const guarding = ({ failures: burst, failuresPerMinute }: Limits) => {
  const counts = { burst, perSecond: failuresPerMinute / 60, names: maxNames }
  const addresses = counting(counts)
  const prefixes = counting(counts)
  const lately = new Map<Digest.Hash, number>()
  return {
    /** Seconds for which what is shown is not even looked at. */
    wait: (address: string, key: Digest.Hash, now: number): number => {
      const passedAt = lately.get(key)
      return passedAt !== undefined && now - passedAt < latelyMs ? 0 : addresses.wait(address, now)
    },
    /** Counts a failure; gives the seconds to wait when there were too many with the same id. */
    failed: ({ address, key, prefix }: Failure, now: number): number => {
      addresses.take(address, now)
      lately.delete(key)
      if (prefix === null) return 0
      const wait = prefixes.wait(prefix, now)
      prefixes.take(prefix, now)
      return wait
    },
    passed: (key: Digest.Hash, now: number): void => {
      lately.delete(key)
      lately.set(key, now)
      const [oldest] = lately.keys()
      if (lately.size > maxNames && oldest !== undefined) lately.delete(oldest)
    }
  }
}

/** The id of a token of ours, which names no more than whose it would be. */
const prefixOf = (shown: Shown): string | null =>
  shown._tag === "Ours" ? Option.getOrNull(Caller.parse(Redacted.value(shown.token)))?.id ?? null : null

const nothingShown = {
  detail: "the request shows nothing that says who asks",
  remedy: "send the header \"Authorization: Bearer TOKEN\"; whoever runs the server gives a token with "
    + "`aosiq callers add NAME --role ROLE`"
}

const turnedAway = ({ reason }: Callers.CallerError): Problem.Problem => {
  if (reason._tag === "InsideActor") return new Problem.Refused({ detail: "actors are not let in" })
  const { detail, remedy } = reason
  return reason._tag === "Unrecorded"
    ? new Problem.Unavailable({ detail, remedy })
    : new Problem.Unauthenticated({ detail, remedy })
}

const notVouched = ({ reason: { _tag, detail, remedy } }: Issuers.IssuerError): Problem.Problem =>
  _tag === "Unreachable" ? new Problem.Unavailable({ detail, remedy }) : new Problem.Unauthenticated({ detail, remedy })
