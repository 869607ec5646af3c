/** An issuer on this machine: its discovery document, its keys, and tokens by them; it can change its keys, lie and go away. */
import { Effect, Layer, Redacted, type Scope } from "effect"
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { createServer, type ServerResponse } from "node:http"
import { OidcIssuers } from "../../../layers/oidc/index.ts"
import { Issuers } from "../../../src/session/index.ts"
import { listening } from "./listening.ts"

/** A key of an issuer, and how it signs. */
export interface Key {
  readonly kid: string
  readonly alg: "RS256" | "ES256" | "EdDSA"
  readonly key: KeyObject
}

const pairs = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  EdDSA: () => generateKeyPairSync("ed25519").privateKey
}
export const makeKey = (kid: string, alg: Key["alg"] = "ES256"): Key => ({ kid, alg, key: pairs[alg]() })
export const jwkOf = ({ alg, key, kid }: Key) => ({
  ...createPublicKey(key).export({ format: "jwk" }),
  kid,
  alg,
  use: "sig"
})

const encode = (text: string | Uint8Array) => Buffer.from(text).toString("base64url")
/** Any header over any payload, as they stand, signed by the key. */
export const signed = ({ alg, key }: Pick<Key, "alg" | "key">, header: string, payload: string): string => {
  const input = `${encode(header)}.${encode(payload)}`
  const bytes = Buffer.from(input)
  const signature = alg === "EdDSA" ?
    sign(null, bytes, key)
    : alg === "ES256" ?
    sign("sha256", bytes, { key, dsaEncoding: "ieee-p1363" })
    : sign("sha256", bytes, key)
  return `${input}.${encode(signature)}`
}
/** The same by a shared secret. */
export const authenticated = (secret: string | Uint8Array, header: string, payload: string): string => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`
}

/** The issuer as a test sees it. */
export interface Issuer {
  readonly url: string
  /** What it publishes. */
  keys: ReadonlyArray<Key>
  /** How it answers instead, if it does. */
  answer: ((path: string, response: ServerResponse) => boolean) | undefined
  readonly asked: Array<string>
  readonly claims: (changes?: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  /** A token that is good but for these changes; `undefined` leaves a member out. */
  readonly token: (
    changes?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
    key?: Key
  ) => string
}

export const audience = "aosiq"
/** Now, by the claims: seconds. */
export const now = 1_800_000_000

/** Starts an issuer; it goes with the scope. `at` are the seconds that its tokens are made at. */
export const start = (at: number = now): Effect.Effect<Issuer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const server = createServer((request, response) => {
      const path = request.url ?? ""
      issuer.asked.push(path)
      if (issuer.answer?.(path, response) === true) return
      const body = path === "/.well-known/openid-configuration"
        ? { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }
        : path === "/keys"
        ? { keys: issuer.keys.map(jwkOf) }
        : undefined
      response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" })
      response.end(JSON.stringify(body ?? {}))
    })
    const url = yield* listening(server)
    const claims: Issuer["claims"] = (changes = {}) => ({
      iss: url,
      aud: audience,
      sub: "user-1",
      iat: at,
      exp: at + 300,
      ...changes
    })
    const issuer: Issuer = {
      url,
      keys: [makeKey("one")],
      answer: undefined,
      asked: [],
      claims,
      token: (changes = {}, header = {}, key = issuer.keys[0] ?? makeKey("none")) =>
        signed(
          key,
          JSON.stringify({ alg: key.alg, kid: key.kid, typ: "at+jwt", ...header }),
          JSON.stringify(claims(changes))
        )
    }
    return issuer
  })

/** Verifies by the issuers of these settings. */
export const verifying = (...issuers: ReadonlyArray<Issuers.Issuer>) =>
  Effect.map(
    Effect.flatMap(Layer.build(OidcIssuers.layer({ version: 1, issuers })), (context) =>
      Effect.provideContext(Issuers.Current, context)),
    ({ verify }) => (token: string) =>
      verify(Redacted.make(token))
  )
