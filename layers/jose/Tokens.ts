/**
 * Capability tokens as JWTs: `EdDSA`, `typ` `aosiq+jwt`, signed by the keys of this installation and by nobody else's.
 *
 * A token whose signature was once good is kept, and its next verification does no cryptography; who it is for, its
 * times, its session and that its key still stands are checked every time. Expiry has no tolerance.
 */
import { Effect, Layer, Result, Schema } from "effect"
import { CompactSign } from "jose"
import { Claims, Tokens } from "../../src/capability/index.ts"
import { fromJsonObject } from "./Encoding.ts"
import { maxLength, type Verified, verifyJws } from "./Jws.ts"
import { KeySet } from "./KeySet.ts"

/** The one type of token: what else these keys may sign is never one. */
export const typ = "aosiq+jwt"

/** Verified tokens that are kept, at most; the one that was not used for longest goes first. */
export const maxCached = 2048

/** Two machines of one installation disagree on the time by so much, at most: a token may seem to be issued later than now. */
export const skewSeconds = 5

/** Mints and verifies tokens with the `KeySet`, for one issuer and one audience, both `aosiq` unless set. */
export const layer = (
  options: { readonly issuer?: string; readonly audience?: string } = {}
): Layer.Layer<Tokens.Tokens, never, KeySet> =>
  Layer.effect(
    Tokens.Tokens,
    Effect.gen(function*() {
      const keys = yield* KeySet
      const { issuer = "aosiq", audience = "aosiq" } = options
      const kept = new Map<string, Kept>()

      const mint = Effect.fnUntraced(function*(claims: Claims.Claims) {
        const payload = new TextEncoder().encode(JSON.stringify(yield* Effect.orDie(encodeClaims(claims))))
        const { jwk: { kid }, key } = keys.newest()
        const token = yield* Effect.promise(() =>
          new CompactSign(payload).setProtectedHeader({ alg: "EdDSA", typ, kid }).sign(key)
        )
        return token.length <= maxLength ? token : yield* Effect.die(tooLong(token.length))
      })

      /** The way of a token that is not kept: everything about it that cannot change while its key stands. */
      const open = (token: string) =>
        verifyJws(token, "EdDSA", keys.find).pipe(
          Effect.flatMap((verified) => Effect.fromResult(decode(verified))),
          Effect.tap((fresh) => Effect.sync(() => keep(token, fresh)))
        )

      const keep = (token: string, entry: Kept) => {
        kept.delete(token)
        kept.set(token, entry)
        const [oldest] = kept.keys()
        if (kept.size > maxCached && oldest !== undefined) kept.delete(oldest)
      }

      /** The way of every token, every time. */
      const judge = (claims: Claims.Claims, session: Claims.SessionId, nowMs: number) => {
        if (claims.iss !== issuer) return misdirected("made by another issuer")
        if (claims.aud !== audience) return misdirected("made for another audience")
        if (nowMs >= claims.exp * 1000) return outOfTime("expired")
        if (nowMs < (claims.iat - skewSeconds) * 1000) return outOfTime("issued in the future")
        if (claims.sid !== session) return misdirected("made for another session")
        return Result.succeed(claims)
      }

      const verify = (token: string, session: Claims.SessionId) =>
        Effect.clockWith((clock) => {
          const judgeNow = ({ claims }: Kept) =>
            Effect.fromResult(judge(claims, session, clock.currentTimeMillisUnsafe()))
          const entry = kept.get(token)
          if (entry === undefined || keys.known(entry.kid) === undefined) return Effect.flatMap(open(token), judgeNow)
          keep(token, entry)
          return judgeNow(entry)
        }).pipe(Effect.mapError((reason) => new Tokens.TokenError({ reason })))

      return Tokens.Tokens.of({ issuer, audience, mint, verify })
    })
  )

// internal

interface Kept {
  readonly kid: string
  readonly claims: Claims.Claims
}

const encodeClaims = Schema.encodeEffect(Claims.Claims)
const decodeClaims = Schema.decodeUnknownResult(Claims.Claims, { onExcessProperty: "error" })

const decode = ({ kid, payload, typ: found }: Verified): Result.Result<Kept, Tokens.Misdirected | Tokens.Malformed> => {
  if (found !== typ) return Result.fail(new Tokens.Misdirected({ detail: `not of type ${typ}` }))
  const json = fromJsonObject(payload)
  if (json === undefined) {
    return Result.fail(new Tokens.Malformed({ detail: "the payload is no JSON object, or names a member twice" }))
  }
  return Result.mapBoth(decodeClaims(json), {
    onFailure: () => new Tokens.Malformed({ detail: "the claims are not those of a capability token" }),
    onSuccess: (claims) => ({ kid, claims: freeze(claims) })
  })
}

/** Every holder of one token is given the same value. */
const freeze = (claims: Claims.Claims): Claims.Claims => {
  for (const part of [claims.anc, claims.capabilities, claims.backends, claims.limits]) Object.freeze(part)
  return Object.freeze(claims)
}

type Refusal = Result.Result<never, Tokens.Misdirected | Tokens.OutOfTime>
const misdirected = (detail: string): Refusal => Result.fail(new Tokens.Misdirected({ detail }))
const outOfTime = (detail: string): Refusal => Result.fail(new Tokens.OutOfTime({ detail }))
const tooLong = (length: number) =>
  new Tokens.TokenError({
    reason: new Tokens.Malformed({
      detail: `${length} characters, of which ${maxLength} are allowed: grant fewer capabilities`
    })
  })
