/**
 * Which JSON Web Keys may check signatures of an algorithm. A set serves one algorithm, and one key that is not fit for
 * it refuses the whole set: whoever wrote such a set did not mean it.
 */
import { Result } from "effect"
import { createPublicKey, createSecretKey, type KeyObject, verify } from "node:crypto"
import { fromBase64Url } from "./Encoding.ts"

/** A JSON Web Key as read; *not yet checked*. */
export type Jwk = Readonly<Record<string, unknown>>

interface Family {
  readonly kty: string
  readonly crv?: string
  /** Bytes of a shared secret, at least. */
  readonly bytesMin?: number
}

/** The keys that an algorithm takes. Source: RFC 7518 §3, RFC 8037 §3.1. */
const families = {
  EdDSA: { kty: "OKP", crv: "Ed25519" },
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  ES512: { kty: "EC", crv: "P-521" },
  HS256: { kty: "oct", bytesMin: 32 },
  HS384: { kty: "oct", bytesMin: 48 },
  HS512: { kty: "oct", bytesMin: 64 },
  PS256: { kty: "RSA" },
  PS384: { kty: "RSA" },
  PS512: { kty: "RSA" },
  RS256: { kty: "RSA" },
  RS384: { kty: "RSA" },
  RS512: { kty: "RSA" }
} as const satisfies Record<string, Family>

/** The name of a signature algorithm. Tokens and anchors know one, EdDSA. */
export type Algorithm = keyof typeof families

/** Keys in a set: enough for years of rotations. */
export const maxKeys = 16

/** The keys by `kid`, ready to check signatures of `algorithm`; or why the set is refused. Quotes nothing of a key. */
export const verifiers = (
  keys: ReadonlyArray<Jwk>,
  algorithm: Algorithm
): Result.Result<ReadonlyMap<string, KeyObject>, string> => {
  if (keys.length === 0) return Result.fail("it holds no key")
  if (keys.length > maxKeys) return Result.fail(`it holds more than ${maxKeys} keys`)
  const found = new Map<string, KeyObject>()
  for (const jwk of keys) {
    const { kid } = jwk
    if (typeof kid !== "string" || kid === "") return Result.fail("a key has no kid")
    if (found.has(kid)) return Result.fail("two keys have the same kid")
    const flaw = mismatch(jwk, algorithm)
    if (flaw !== undefined) return Result.fail(flaw)
    const key = importKey(jwk)
    if (key === undefined) return Result.fail("a key is malformed")
    if (!isStrong(key, algorithm)) return Result.fail("a key is too weak")
    found.set(kid, key)
  }
  return Result.succeed(found)
}

/** Whether `signature` is the Ed25519 signature of `bytes` by `key`. Source: RFC 8032 §5.1.7. */
export const verifyBytes = (key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean =>
  key.asymmetricKeyType === "ed25519" && verify(null, bytes, key, signature)

// internal

/** How the key's own words contradict its use. */
const mismatch = (jwk: Jwk, algorithm: Algorithm): string | undefined => {
  const family: Family = families[algorithm]
  if (jwk["kty"] !== family.kty || jwk["crv"] !== family.crv) return `a key is not one for ${algorithm}`
  if (jwk["alg"] !== undefined && jwk["alg"] !== algorithm) return `a key says that it is not for ${algorithm}`
  if (jwk["use"] !== undefined && jwk["use"] !== "sig") return "a key says that it is not for signatures"
  const operations = jwk["key_ops"]
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) {
    return "a key says that it does not verify"
  }
  return jwk["d"] === undefined ? undefined : "a key to verify with is private"
}

const materials = ["x", "y", "n", "e", "k"]

const importKey = (jwk: Jwk): KeyObject | undefined => {
  const spelled = materials.map((name) => jwk[name]).filter((value) => value !== undefined)
  if (!spelled.every((value) => typeof value === "string" && fromBase64Url(value) !== undefined)) return undefined
  try {
    const { k } = jwk
    return typeof k === "string"
      ? createSecretKey(k, "base64url")
      : createPublicKey({ format: "jwk", key: { ...jwk } })
  } catch {
    return undefined
  }
}

const isStrong = (key: KeyObject, algorithm: Algorithm): boolean => {
  const family: Family = families[algorithm]
  if (family.kty === "oct") return (key.symmetricKeySize ?? 0) >= (family.bytesMin ?? Infinity)
  if (family.kty !== "RSA") return true
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  // Source: RFC 7518 §3.3 for the modulus, FIPS 186-5 §5.4 for the exponent.
  return modulusLength >= 2048 && publicExponent > 65_536n && publicExponent % 2n === 1n && !isRoca(key)
}

/** Primes below which a modulus by the broken generator is a power of 65537, as one in 2^27 of others are. */
const rocaPrimes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]

/** Whether an RSA key has the fingerprint of CVE-2017-15361, whose private half can be computed. */
const isRoca = (key: KeyObject): boolean => {
  const modulus = BigInt(`0x${Buffer.from(key.export({ format: "jwk" }).n ?? "", "base64url").toString("hex")}`)
  return rocaPrimes.every((prime) => {
    const residue = Number(modulus % BigInt(prime))
    let power = 1
    for (let i = 1; i < prime && power !== residue; i++) power = (power * 65_537) % prime
    return power === residue
  })
}
