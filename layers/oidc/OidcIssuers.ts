/**
 * Tokens of issuers, verified: JWTs signed by a key that the issuer publishes, with an algorithm that the settings admit, made
 * out to this installation, in time. What else a header says how it is to be verified is refused. Source: RFC 8725, RFC 9068 §4.
 */
import { Clock, Effect, Layer, Option, Redacted, Result } from "effect"
import { compactVerify } from "jose"
import { Issuers, type KnownBy } from "../../src/session/index.ts"
import { Encoding, Jwk } from "../jose/index.ts"
import * as KeyCache from "./KeyCache.ts"
import * as OidcSettings from "./OidcSettings.ts"

/** Characters of a token that is looked at, at most. */
export const maxLength = 16_384
/** Algorithms, types and skew, unless the settings say otherwise. */
export const algorithms: ReadonlyArray<Issuers.Algorithm> = ["EdDSA", "ES256", "PS256", "RS256"]
export const types: ReadonlyArray<string> = ["at+jwt"]
export const skewSeconds = 30

/** The issuers of these settings. */
export const layer = (
  settings: Issuers.Settings,
  fetch: typeof globalThis.fetch = globalThis.fetch
): Layer.Layer<never> =>
  Layer.effect(
    Issuers.Current,
    settings.issuers.length === 0 ? Issuers.Current : Effect.gen(function*() {
      const known = yield* Effect.forEach(settings.issuers, (issuer) =>
        Effect.map(KeyCache.make(issuer, fetch), (keys) => [issuer.issuer, { issuer, keys }] as const))
      const byName = new Map(known)
      return {
        signIn: {
          issuers: [...byName.keys()],
          scopes: [
            ...new Set(settings.issuers.flatMap(({ scopes = [] }) =>
              scopes
            ))
          ]
        },
        verify: (token) =>
          Effect.mapError(verify(byName, Redacted.value(token)), (reason) => new Issuers.IssuerError({ reason }))
      }
    })
  )

/** The issuers that the environment names. */
export const layerConfig = Layer.unwrap(Effect.map(OidcSettings.fromConfig, (settings) => layer(settings)))

// internal

interface Known {
  readonly issuer: Issuers.Issuer
  readonly keys: KeyCache.KeyCache
}
type Claims = Readonly<Record<string, unknown>>

interface Read {
  readonly alg: string
  readonly kid: string
  readonly typ: string
  readonly claims: Claims
}

const verify = Effect.fnUntraced(function*(known: ReadonlyMap<string, Known>, token: string) {
  const read = yield* Effect.fromResult(parse(token))
  const { alg, claims, kid, typ } = read
  const found = typeof claims["iss"] === "string" ? known.get(claims["iss"]) : undefined
  if (found === undefined) return yield* unfit("no issuer that is trusted made it")
  const { issuer, keys } = found
  const algorithm = (issuer.algorithms ?? algorithms).find((one) => one === alg)
  if (algorithm === undefined) return yield* unfit("its algorithm is not one that is taken")
  if (!(issuer.types ?? types).some((one) => typeOf(one) === typeOf(typ))) {
    return yield* unfit("its type is not one that is taken: an access token is wanted")
  }
  const jwk = yield* keys.find(kid)
  if (Option.isNone(jwk)) return yield* unfit("no key of its issuer has its kid")
  const verifier = Result.getOrUndefined(Jwk.verifiers([jwk.value], algorithm))?.get(kid)
  if (verifier === undefined) return yield* unfit("the key with its kid is not one for its algorithm")
  yield* Effect.tryPromise({
    try: () => compactVerify(token, verifier, { algorithms: [algorithm] }),
    catch: () => unfit("its signature does not verify")
  })
  return yield* Effect.fromResult(judge(issuer, claims, yield* Clock.currentTimeMillis))
})

const unfit = (detail: string) =>
  new Issuers.Unfit({
    detail: `the token is refused: ${detail}`,
    remedy: "have the issuer give an access token for this installation"
  })
const refused = (detail: string) => Result.fail(unfit(detail))

/** Names of the key beside `kid` are read past. Everything else changes how a text is to be verified. */
const members: ReadonlySet<string> = new Set(["alg", "kid", "typ", "x5t", "x5t#S256"])
const maxKid = 200

const parse = (token: string): Result.Result<Read, Issuers.Unfit> => {
  if (token.length > maxLength) return refused(`it is longer than ${maxLength} characters`)
  const parts = token.split(".")
  const [head, body, signature] = parts.map(Encoding.fromBase64Url)
  if (parts.length !== 3 || head === undefined || body === undefined || signature === undefined) {
    return refused("it is not three parts of base64url")
  }
  const header = Encoding.fromJsonObject(head)
  const claims = Encoding.fromJsonObject(body)
  if (header === undefined || claims === undefined) return refused("it is no JSON, or names a member twice")
  if (Object.keys(header).some((name) => !members.has(name))) return refused("its header says how to verify it")
  const { alg, kid, typ } = header
  if (typeof alg !== "string" || typeof typ !== "string") return refused("its header has no algorithm or no type")
  if (typeof kid !== "string" || kid === "" || kid.length > maxKid) return refused("its header names no key")
  return Result.succeed({ alg, kid, typ, claims })
}

/** Source: RFC 7515 §4.1.9. */
const typeOf = (typ: string): string => typ.toLowerCase().replace(/^application\//, "")

/** Claims that tokens about a login have, and tokens to ask with have not. Source: OpenID Connect Core 1.0 §3.1.3.6, §3.3.2.11. */
const ofLogins = ["nonce", "at_hash", "c_hash", "s_hash"]

const judge = (
  issuer: Issuers.Issuer,
  claims: Claims,
  nowMs: number
): Result.Result<Issuers.Vouched, Issuers.Unfit> => {
  const { aud, exp, iat, nbf, sub } = claims
  if (aud !== issuer.audience && !(Array.isArray(aud) && aud.every(isText) && aud.includes(issuer.audience))) {
    return refused("it is made out to somebody else")
  }
  if (ofLogins.some((name) => Object.hasOwn(claims, name)) || claims["typ"] === "ID") {
    return refused("it says who logged in, and is none to ask with")
  }
  const skew = issuer.skewSeconds ?? skewSeconds
  const now = nowMs / 1000
  if (typeof exp !== "number" || now >= exp + skew) return refused("it has expired, or never does")
  if (nbf !== undefined && (typeof nbf !== "number" || now < nbf - skew)) return refused("it is not good yet")
  if (iat !== undefined && (typeof iat !== "number" || now < iat - skew)) return refused("it was made in the future")
  if (typeof sub !== "string" || sub === "" || sub.length > maxSubject || !isKept(sub)) {
    return refused("it is about nobody")
  }
  const knownBy: typeof KnownBy.Subject.Type = { kind: "subject", issuer: issuer.issuer, subject: sub }
  return Result.succeed({ knownBy, place: placeIn(issuer, claims), until: (exp + skew) * 1000 })
}

const maxSubject = 255
/** No database keeps any other. */
const isKept = (text: string): boolean => !text.includes("\u0000") && text.isWellFormed()
const isText = (value: unknown): value is string => typeof value === "string"

const placeIn = (issuer: Issuers.Issuer, claims: Claims): Issuers.Place | null => {
  if (issuer.groups === undefined) return null
  const said = own(claims, issuer.groups.claim)
  const groups = isText(said) ? [said] : Array.isArray(said) ? said.filter(isText) : []
  const name = issuer.groups.name === undefined ? null : own(claims, issuer.groups.name)
  // Whom the issuer gives no name, where names are taken from it, has no place.
  if (issuer.groups.name !== undefined && !isText(name)) return null
  return Issuers.placeOf(issuer, { groups, name: isText(name) ? name : null })
}

const own = (claims: Claims, name: string): unknown => Object.hasOwn(claims, name) ? claims[name] : undefined
