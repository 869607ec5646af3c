/**
 * Tokens and randomness without a thread: signatures of real keys are made on threads of their own and come back in an
 * order that no seed decides. These keep the contract of tokens (who issued one, for whom, for which session, from when
 * until when) with a hash in the place of a signature.
 */
import { Clock, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { digest } from "../../layers/node/Digest.ts"
import { Claims, Tokens } from "../../src/capability/index.ts"
import type { Dice } from "./Dice.ts"

/** Clocks of one installation differ by so much at the most, as for real tokens. */
const skewMs = 5000
const secret = "known to the simulation alone"
const issuer = "simulated"

/** Randomness from the seed. */
export const random = (dice: Dice): Layer.Layer<SecureRandom.SecureRandom> =>
  Layer.sync(SecureRandom.SecureRandom, () => SecureRandom.make((size) => dice.bytes(size)))

/** Mints and verifies; two processes have the same keys. */
export const tokens: Layer.Layer<Tokens.Tokens> = Layer.sync(Tokens.Tokens, () => {
  const kept = new Map<string, Claims.Claims>()
  const open = (token: string): Claims.Claims | Tokens.TokenError["reason"] => {
    const known = kept.get(token)
    if (known !== undefined) return known
    const [text = "", mark] = token.split("~")
    if (mark !== markOf(text)) return new Tokens.Untrusted({ detail: "no key of ours signed it" })
    const claims = decode(text)
    if (claims._tag === "None") return new Tokens.Malformed({ detail: "no claims" })
    kept.set(token, claims.value)
    return claims.value
  }
  const verify = Effect.fnUntraced(function*(token: string, session: Claims.SessionId) {
    const claims = open(token)
    if ("_tag" in claims) return yield* new Tokens.TokenError({ reason: claims })
    const reason = objection(claims, session, yield* Clock.currentTimeMillis)
    return reason === undefined ? claims : yield* new Tokens.TokenError({ reason })
  })
  return {
    issuer,
    audience: issuer,
    mint: (claims) =>
      Effect.sync(() => {
        const text = JSON.stringify(encode(claims))
        return `${text}~${markOf(text)}`
      }),
    verify
  }
})

// internal

const encode = Schema.encodeSync(Claims.Claims)
const decode = Schema.decodeOption(Schema.fromJsonString(Claims.Claims))
const markOf = (text: string) => digest.sha256(secret + text)

const objection = (claims: Claims.Claims, session: Claims.SessionId, nowMs: number) => {
  if (claims.iss !== issuer || claims.aud !== issuer) return new Tokens.Misdirected({ detail: "made elsewhere" })
  if (nowMs >= claims.exp * 1000) return new Tokens.OutOfTime({ detail: "expired" })
  if (nowMs < claims.iat * 1000 - skewMs) return new Tokens.OutOfTime({ detail: "issued in the future" })
  if (claims.sid !== session) return new Tokens.Misdirected({ detail: "made for another session" })
  return undefined
}
