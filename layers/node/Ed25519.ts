/**
 * Ed25519 (RFC 8032) by node:crypto: signs anchors with an installation's private key, checks them with its public one.
 */
import { Effect, Layer, Result } from "effect"
import { Base64, Base64Url } from "effect/encoding"
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto"
import { Note, Signer } from "../../src/audit/index.ts"
import { digest } from "./Digest.ts"

/** A private key as RFC 8037 §2 writes it; other members are passed over. */
export interface PrivateJwk {
  readonly kty: string
  readonly crv?: string | undefined
  /** The public key, 32 bytes, base64url. */
  readonly x?: string | undefined
  /** The private key, 32 bytes, base64url. */
  readonly d?: string | undefined
}

/** The verifier of this process. */
export const verifier: Signer.Verifier["Service"] = {
  verify: (text, signature, publicKey) => {
    const key = publicKeyOf(publicKey)
    const bytes = Result.getOrUndefined(Base64.decode(signature))
    return key !== undefined && bytes?.length === 64 && verify(null, Buffer.from(text, "utf8"), key, bytes)
  }
}

/** The verifier as a service. */
export const layerVerifier: Layer.Layer<Signer.Verifier> = Layer.succeed(Signer.Verifier, verifier)

/**
 * A signer that holds `privateJwk` and signs as `name`; fails when the key is not Ed25519, or its halves do not belong
 * together, or the name has spaces or a `+`.
 */
export const layer = (options: {
  readonly name: string
  readonly privateJwk: PrivateJwk
}): Layer.Layer<Signer.Signer | Signer.Verifier, Signer.SignerError> =>
  Layer.effect(
    Signer.Signer,
    Effect.gen(function*() {
      const { name, privateJwk } = options
      if (!Note.isName(name)) return yield* refuse(`the name "${name}"`, "give a name without spaces and without `+`")
      const pair = pairOf(privateJwk)
      if (pair === undefined) return yield* refuse("the key", "give an Ed25519 private key as a JWK with `x` and `d`")
      const publicKey = Base64.encode(pair.x)
      return Signer.Signer.of({
        name,
        publicKey,
        keyId: Note.keyId(digest, { name, publicKey }),
        sign: (text) => Effect.sync(() => Base64.encode(sign(null, Buffer.from(text, "utf8"), pair.key)))
      })
    })
  ).pipe(Layer.merge(layerVerifier))

// internal

const refuse = (what: string, remedy: string) =>
  Effect.fail(new Signer.SignerError({ detail: `${what} cannot sign anchors`, remedy }))

const publicKeyOf = (publicKey: string): KeyObject | undefined => {
  const bytes = Result.getOrUndefined(Base64.decode(publicKey))
  if (bytes?.length !== 32) return undefined
  const jwk = { kty: "OKP", crv: "Ed25519", x: Base64Url.encode(bytes) }
  return Result.getOrUndefined(Result.try(() => createPublicKey({ key: jwk, format: "jwk" })))
}

/** Node does not compare the halves of a JWK: a wrong `x` would sign what nobody can check. */
const pairOf = ({ crv, d, kty, x }: PrivateJwk): { readonly key: KeyObject; readonly x: Uint8Array } | undefined => {
  if (kty !== "OKP" || crv !== "Ed25519" || d === undefined || x === undefined) return undefined
  const key = Result.getOrUndefined(Result.try(() => createPrivateKey({ key: { kty, crv, d, x }, format: "jwk" })))
  const derived = key === undefined ? undefined : createPublicKey(key).export({ format: "jwk" }).x
  const bytes = Result.getOrUndefined(Base64Url.decode(x))
  return key !== undefined && bytes?.length === 32 && derived === Base64Url.encode(bytes)
    ? { key, x: bytes }
    : undefined
}
