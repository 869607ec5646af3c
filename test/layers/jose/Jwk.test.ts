/** Which keys may verify for an algorithm: all of a set, or none. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto"
import { Jwk } from "../../../layers/jose/index.ts"

const ed = generateKeyPairSync("ed25519")
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })

const edJwk = { ...ed.publicKey.export({ format: "jwk" }), kid: "ed" }
const ecJwk = { ...ec.publicKey.export({ format: "jwk" }), kid: "ec" }
const rsaJwk = { ...rsa.publicKey.export({ format: "jwk" }), kid: "rsa" }
const secret = { kty: "oct", kid: "secret", k: Buffer.alloc(64, 1).toString("base64url") }

const why = (keys: ReadonlyArray<Jwk.Jwk>, algorithm: Jwk.Algorithm = "EdDSA") =>
  Result.match(Jwk.verifiers(keys, algorithm), { onFailure: (detail) => detail, onSuccess: () => "" })

describe("verifiers", () => {
  it("are the keys of a set, each for the algorithm of the set", () => {
    assert.strictEqual(why([edJwk]), "")
    assert.strictEqual(why([{ ...edJwk, alg: "EdDSA", use: "sig", key_ops: ["verify"] }]), "")
    assert.strictEqual(why([ecJwk], "ES256"), "")
    assert.strictEqual(why([rsaJwk], "RS256"), "")
    assert.strictEqual(why([secret], "HS512"), "")
    assert.strictEqual(why([]), "it holds no key")
  })

  it("are none when one key is of another family, a shared secret among public ones above all", () => {
    for (
      const other of [ecJwk, rsaJwk, secret, { ...edJwk, kid: "x", crv: "X25519" }, { ...edJwk, kid: "x", kty: "EC" }]
    ) {
      assert.strictEqual(why([edJwk, other]), "a key is not one for EdDSA")
    }
    for (const algorithm of ["RS256", "PS512"] as const) {
      assert.strictEqual(why([secret], algorithm), `a key is not one for ${algorithm}`)
      assert.strictEqual(why([rsaJwk, secret], algorithm), `a key is not one for ${algorithm}`)
    }
    for (const key of [edJwk, ecJwk, rsaJwk]) {
      assert.strictEqual(why([secret, key], "HS256"), "a key is not one for HS256")
    }
    assert.strictEqual(why([ecJwk], "ES384"), "a key is not one for ES384")
  })

  it("are none when a key is weak", () => {
    const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" })
    assert.strictEqual(why([{ ...short, kid: "k" }], "RS256"), "a key is too weak")
    for (const exponent of ["AQ", "Aw", "AQAA"]) {
      assert.include(["a key is too weak", "a key is malformed"], why([{ ...rsaJwk, e: exponent }], "RS256"))
    }
    for (const [algorithm, bytes] of [["HS256", 32], ["HS384", 48], ["HS512", 64]] as const) {
      const k = (length: number) => Buffer.alloc(length, 1).toString("base64url")
      assert.strictEqual(why([{ ...secret, k: k(bytes - 1) }], algorithm), "a key is too weak")
      assert.strictEqual(why([{ ...secret, k: k(bytes) }], algorithm), "")
    }
  })

  it("are none when a key is private, or is spelt in another way than an encoder would", () => {
    assert.strictEqual(why([{ ...edJwk, d: edJwk.x }]), "a key to verify with is private")
    const { x = "" } = edJwk
    for (const wrong of [`${x}=`, ` ${x}`, `${x}\n`, x.slice(1), `${x}AAAA`, "", 1, null, undefined]) {
      assert.strictEqual(why([{ ...edJwk, x: wrong }]), "a key is malformed", `${wrong}`)
    }
  })
})

describe("verifyBytes", () => {
  it("knows Ed25519 and nothing else", () => {
    const bytes = Buffer.from("text")
    assert.isTrue(Jwk.verifyBytes(ed.publicKey, bytes, sign(null, bytes, ed.privateKey)))
    assert.isTrue(Jwk.verifyBytes(createPublicKey(ed.privateKey), bytes, sign(null, bytes, ed.privateKey)))
    for (const other of [ec, rsa]) {
      assert.isFalse(Jwk.verifyBytes(other.publicKey, bytes, sign(null, bytes, other.privateKey)))
    }
    assert.isFalse(Jwk.verifyBytes(ed.publicKey, bytes, new Uint8Array()))
  })
})
