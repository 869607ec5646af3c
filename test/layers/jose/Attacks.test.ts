/** The known attacks on verifiers of JWTs. Every forgery is a good token but for one thing, and is refused for it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { Jwk, Jws, KeySet } from "../../../layers/jose/index.ts"
import { Tokens } from "../../../src/capability/index.ts"
import { claims, forge, forgeOurs, issuedAt, layer, session } from "./fixture.ts"

type Tag = Tokens.TokenError["reason"]["_tag"]

const encode = (text: string | Uint8Array) => Buffer.from(text).toString("base64url")

/** Each token is refused for one of `tags`, twice, so that no refusal is kept as a success; a good token verifies. */
const refused = (
  tags: ReadonlyArray<Tag>,
  forgeries: (keys: KeySet.KeySet["Service"]) => ReadonlyArray<string>
) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(issuedAt * 1000)
    const tokens = yield* Tokens.Tokens
    const keys = yield* KeySet.KeySet
    assert.deepStrictEqual(yield* tokens.verify(forgeOurs(keys), session), claims)
    const forged = forgeries(keys)
    assert.isNotEmpty(forged)
    for (const token of [...forged, ...forged]) {
      const exit = yield* Effect.exit(Effect.flip(tokens.verify(token, session)))
      const shown = token.length > 400 ? `${token.slice(0, 400)}…` : token
      assert.isTrue(Exit.isSuccess(exit), `was accepted: ${shown}`)
      if (Exit.isSuccess(exit)) assert.include(tags, exit.value.reason._tag, shown)
    }
  }).pipe(Effect.provide(layer))

const stranger = generateKeyPairSync("ed25519").privateKey
const jwkOf = (key: KeyObject) => createPublicKey(key).export({ format: "jwk" })
const ourHeader = (keys: KeySet.KeySet["Service"], changes: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ alg: "EdDSA", typ: "aosiq+jwt", kid: keys.newest().jwk.kid, ...changes })
const ourClaims = JSON.stringify(claims)
const unsigned = (header: string, payload = ourClaims) => `${encode(header)}.${encode(payload)}`

describe("the algorithm", () => {
  it.effect("is never none, however it is spelt and signed", () =>
    refused(["Malformed"], (keys) =>
      ["none", "None", "NONE", "nOnE", "", "null"].flatMap((alg) => {
        const bare = unsigned(ourHeader(keys, { alg }))
        return [`${bare}.`, bare, `${bare}.${encode("null")}`, forgeOurs(keys, { alg })]
      })))

  it.effect("is EdDSA to the letter", () =>
    refused(
      ["Malformed"],
      (keys) =>
        ["eddsa", "EDDSA", "Ed25519", "EdDSA ", ["EdDSA"], { 0: "EdDSA" }, 1, null, true, undefined].map((alg) =>
          forgeOurs(keys, { alg })
        )
    ))

  it.effect("is never one that takes our public key for a shared secret", () =>
    refused(["Malformed"], (keys) => {
      const { jwk, key } = keys.newest()
      const open = createPublicKey(key)
      const secrets = [
        Buffer.from(jwk.x, "base64url"),
        Buffer.from(jwk.x),
        open.export({ format: "pem", type: "spki" }),
        open.export({ format: "der", type: "spki" }),
        Buffer.from(JSON.stringify(jwk)),
        Buffer.from(jwk.kid),
        Buffer.alloc(0)
      ]
      return [256, 384, 512].flatMap((bits) =>
        secrets.map((secret) => {
          const input = unsigned(ourHeader(keys, { alg: `HS${bits}` }))
          return `${input}.${createHmac(`sha${bits}`, secret).update(input).digest("base64url")}`
        })
      )
    }))

  it.effect("is never another asymmetric one, by the key of whoever sends it", () =>
    refused(["Malformed"], (keys) => {
      const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
      const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
      const es = unsigned(ourHeader(keys, { alg: "ES256" }))
      const rs = unsigned(ourHeader(keys, { alg: "RS256" }))
      const esSignature = sign("sha256", Buffer.from(es), { key: ec, dsaEncoding: "ieee-p1363" })
      return [`${es}.${encode(esSignature)}`, `${rs}.${encode(sign("sha256", Buffer.from(rs), rsa))}`]
    }))

  it.effect("of a key is not the algorithm of a token", () =>
    Effect.gen(function*() {
      // RS256 or ES256 turned into HS256: the same verifier, for the algorithms in which this was seen.
      for (
        const [algorithm, pair] of [
          ["RS256", generateKeyPairSync("rsa", { modulusLength: 2048 })],
          ["ES256", generateKeyPairSync("ec", { namedCurve: "P-256" })]
        ] as const
      ) {
        const pem = pair.publicKey.export({ format: "pem", type: "spki" })
        const input = unsigned(JSON.stringify({ alg: "HS256", kid: "k" }))
        const token = `${input}.${createHmac("sha256", pem).update(input).digest("base64url")}`
        for (const expected of [algorithm, "HS256"] as const) {
          const error = yield* Effect.flip(Jws.verifyJws(token, expected, () => Effect.succeed(pair.publicKey)))
          assert.strictEqual(error._tag, expected === "HS256" ? "Untrusted" : "Malformed")
        }
        assert.isTrue(Jwk.verifiers([{ ...jwkOf(pair.privateKey), kid: "k" }], "HS256")._tag === "Failure")
      }
    }))
})

describe("the key", () => {
  it.effect("is never one that the token brings or points to", () =>
    refused(["Malformed"], (keys) => {
      const jwk = { ...jwkOf(stranger), kid: keys.newest().jwk.kid }
      const ours = keys.newest().jwk
      const pointers = [
        { jwk },
        { jwk: ours },
        { jku: "https://attacker.example/jwks.json" },
        { x5u: "https://attacker.example/cert.pem" },
        { x5c: ["MIIB"] },
        { x5t: "AAAA" },
        { "x5t#S256": "AAAA" },
        { jwk: null },
        { jku: "" }
      ]
      return pointers.flatMap((extra) => [
        forgeOurs(keys, extra),
        forge(ourHeader(keys, extra), ourClaims, stranger)
      ])
    }))

  it.effect("is never a stranger's", () =>
    refused(["Untrusted"], (keys) => [
      forge(ourHeader(keys), ourClaims, stranger),
      forge(ourHeader(keys, { kid: "theirs" }), ourClaims, stranger)
    ]))

  it.effect("is named by a kid of ours, which is not a path, a query or an inherited name", () =>
    refused(["Untrusted"], (keys) => {
      const { kid } = keys.newest().jwk
      return [
        "../../../../../../dev/null",
        "keys.json",
        "/proc/sys/kernel/randomize_va_space",
        "x' UNION SELECT 'secret' --",
        "| id",
        "",
        " ",
        `${kid} `,
        kid.toLowerCase(),
        `${kid}\u0000`,
        "__proto__",
        "constructor",
        "toString"
      ].map((wrong) => forgeOurs(keys, { kid: wrong }))
    }))

  it.effect("is named by one text", () =>
    refused(["Malformed"], (keys) => {
      const { key, jwk: { kid } } = keys.newest()
      return [
        ...[1, null, true, [kid], { kid }, undefined].map((wrong) => forgeOurs(keys, { kid: wrong })),
        forge(`{"alg":"EdDSA","typ":"aosiq+jwt","kid":"${kid}","kid":"x"}`, ourClaims, key),
        forge(`{"alg":"EdDSA","typ":"aosiq+jwt","kid":"x","kid":"${kid}"}`, ourClaims, key),
        forge(`{"alg":"EdDSA","typ":"aosiq+jwt","kid":"x","k\\u0069d":"${kid}"}`, ourClaims, key)
      ]
    }))

  it("is not an RSA key, of a broken generator or a good one", () => {
    const key = { kty: "RSA", kid: "k", n: encode(Buffer.alloc(256, 0xff)), e: "AQAB" }
    assert.isTrue(Jwk.verifiers([key], "EdDSA")._tag === "Failure")
  })
})

describe("the signature", () => {
  it.effect("is there, whole and of these very parts", () =>
    refused(["Malformed", "Untrusted"], (keys) => {
      const token = forgeOurs(keys)
      const [header = "", payload = "", signature = ""] = token.split(".")
      const [, otherPayload = "", otherSignature = ""] = forgeOurs(keys, {}, { budget: 9 }).split(".")
      return [
        `${header}.${payload}.`,
        `${header}.${payload}.${encode("null")}`,
        `${header}.${payload}.${encode("\0")}`,
        `${header}.${payload}.${encode(Buffer.alloc(64))}`,
        `${header}.${payload}.${encode(" ".repeat(64))}`,
        `${header}.${payload}.${encode(Buffer.from(signature, "base64url").subarray(0, 63))}`,
        `${header}.${payload}.${encode(Buffer.concat([Buffer.from(signature, "base64url"), Buffer.alloc(1)]))}`,
        `${header}.${payload}.${otherSignature}`,
        `${header}.${otherPayload}.${signature}`,
        `${header}..${signature}`,
        `.${payload}.${signature}`,
        ".."
      ]
    }))

  it.effect("is the third of three parts", () =>
    refused(["Malformed"], (keys) => {
      const token = forgeOurs(keys)
      const [header = "", payload = "", signature = ""] = token.split(".")
      return [
        `${header}.${payload}`,
        `${header}.${signature}`,
        header,
        `${token}.`,
        `${token}..`,
        `${token}.${signature}`,
        `.${token}`,
        "",
        "."
      ]
    }))

  it.effect("covers one spelling of base64url", () =>
    refused(["Malformed"], (keys) => {
      const token = forgeOurs(keys)
      const [header = "", payload = "", signature = ""] = token.split(".")
      // 64 bytes leave four bits over: sixteen letters would spell the same end, and one is right.
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
      const last = alphabet.indexOf(signature.at(-1) ?? "")
      const { key } = keys.newest()
      const padded = `${header}=.${payload}`
      const spaced = `${header} .${payload}`
      return [
        `${token}==`,
        `${token}=`,
        ` ${token}`,
        `${token}\n`,
        `${header} .${payload}.${signature}`,
        `${header}.${payload.slice(0, 4)}\n${payload.slice(4)}.${signature}`,
        `${header}.${payload}.${signature.slice(0, -1)}${alphabet[last + 1]}`,
        `${header}.${payload}.+/${signature.slice(2)}`,
        `${header}.${payload}.${signature}?`,
        // Signed in their wrong spelling.
        `${padded}.${encode(sign(null, Buffer.from(padded), key))}`,
        `${spaced}.${encode(sign(null, Buffer.from(spaced), key))}`
      ]
    }))

  it.effect("is in compact form only", () =>
    refused(["Malformed"], (keys) => {
      const [header, payload, signature] = forgeOurs(keys).split(".")
      return [
        JSON.stringify({ protected: header, payload, signature }),
        JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
        JSON.stringify({ header: { alg: "EdDSA" }, payload, signature }),
        JSON.stringify([`${header}.${payload}.${signature}`])
      ]
    }))
})

describe("the header", () => {
  it.effect("asks for no extension, known to the library or not", () =>
    refused(["Malformed"], (keys) => {
      const extensions = [
        { crit: ["exp"] },
        { crit: ["exp"], exp: 1 },
        { crit: [] },
        { crit: null },
        { crit: "b64" },
        { crit: ["b64"], b64: false },
        { crit: ["b64"], b64: true },
        { crit: ["b64"] },
        { b64: false },
        { b64: true },
        { zip: "DEF" },
        { cty: "JWT" },
        { enc: "A256GCM" },
        { "": 1 }
      ]
      const { key } = keys.newest()
      const bare = `${encode(ourHeader(keys, { crit: ["b64"], b64: false }))}.${ourClaims}`
      return [
        ...extensions.map((extension) => forgeOurs(keys, extension)),
        `${bare}.${encode(sign(null, Buffer.from(bare), key))}`
      ]
    }))

  it.effect("is one JSON object, in UTF-8, that names nothing twice", () =>
    refused(["Malformed"], (keys) => {
      const { key, jwk: { kid } } = keys.newest()
      const good = ourHeader(keys)
      const bad = `${
        encode(Buffer.concat([Buffer.from(good.slice(0, -2)), Buffer.from([0xff]), Buffer.from("\"}")]))
      }.${encode(ourClaims)}`
      return [
        ...[`[${good}]`, "null", "1", "\"EdDSA\"", "", "{", `${good}{}`, `\ufeff${good}`, `${good},`].map((header) =>
          forge(header, ourClaims, key)
        ),
        forge(`{"alg":"none","alg":"EdDSA","typ":"aosiq+jwt","kid":"${kid}"}`, ourClaims, key),
        forge(`{"alg":"EdDSA","typ":"aosiq+jwt","kid":"${kid}","typ":"aosiq+jwt"}`, ourClaims, key),
        forge(`{"alg":"EdDSA","typ":"aosiq+jwt","kid":"${kid}","__proto__":{"alg":"none"}}`, ourClaims, key),
        `${bad}.${encode(sign(null, Buffer.from(bad), key))}`
      ]
    }))

  it.effect("names the type of a capability token, not of another JWT by the same keys", () =>
    refused(
      ["Misdirected"],
      (keys) =>
        [undefined, "", "JWT", "jwt", "at+jwt", "AOSIQ+JWT", "application/aosiq+jwt", "aosiq+jwt "].map((typ) =>
          forgeOurs(keys, { typ })
        )
    ))

  it.effect("gives its type as text", () =>
    refused(["Malformed"], (keys) => [1, null, ["aosiq+jwt"], {}].map((typ) => forgeOurs(keys, { typ }))))
})

describe("the claims", () => {
  it.effect("are all there and no other", () =>
    refused(["Malformed"], (keys) => [
      ...Object.keys(claims).map((name) => forgeOurs(keys, {}, { [name]: undefined })),
      ...Object.keys(claims).map((name) => forgeOurs(keys, {}, { [name]: null })),
      ...[{ nbf: 0 }, { nbf: issuedAt + 60 }, { admin: true }, { scope: "*" }, { "": 1 }].map((more) =>
        forgeOurs(keys, {}, more)
      ),
      forgeOurs(keys, {}, { limits: { ...claims.limits, gpuMs: 1 } }),
      forgeOurs(keys, {}, { limits: { cpuMs: 1 } })
    ]))

  it.effect("are of the right kinds", () =>
    refused(["Malformed"], (keys) =>
      [
        { aud: ["aosiq"] },
        { aud: ["aosiq", "other"] },
        { iss: ["aosiq"] },
        { exp: `${claims.exp}` },
        { exp: claims.exp + 0.5 },
        { exp: -1 },
        { exp: 1e300 },
        { exp: { $gt: 0 } },
        { iat: "now" },
        { depth: -1 },
        { budget: 0.5 },
        { capabilities: ["root:all"] },
        { capabilities: ["tool:*"] },
        { capabilities: ["memory:write@notes/../secrets"] },
        { capabilities: "tool:read_metrics" },
        { capabilities: { 0: "tool:read_metrics" } },
        { backends: [""] },
        { sid: "" },
        { sid: [session] },
        { jti: "" },
        { anc: [""] }
      ].map((changes) => forgeOurs(keys, {}, changes))))
})

describe("the payload", () => {
  it.effect("names each claim once, at any depth and in any spelling", () =>
    refused(["Malformed"], (keys) => {
      const { key } = keys.newest()
      const body = ourClaims.slice(1)
      return [
        `{"budget":999999999,${body}`,
        `{${body.slice(0, -1)},"budget":999999999}`,
        `{"budg\\u0065t":999999999,${body}`,
        `{"exp" : 9999999999,${body}`,
        ourClaims.replace("\"limits\":{", "\"limits\":{\"cpuMs\":999999,"),
        `{"__proto__":{"budget":999999999},${body}`,
        `{"constructor":{},${body}`
      ].map((payload) => forge(ourHeader(keys), payload, key))
    }))

  it.effect("is one JSON object", () =>
    refused(
      ["Malformed"],
      (keys) =>
        ["", "null", "1", "[]", `[${ourClaims}]`, `${ourClaims}${ourClaims}`, `\ufeff${ourClaims}`, "{", "{}"].map((
          payload
        ) => forge(ourHeader(keys), payload, keys.newest().key))
    ))

  it.effect("is in time, for us and of this session", () =>
    Effect.all([
      refused(["OutOfTime"], (keys) =>
        [{ exp: issuedAt }, { exp: 0 }, { exp: issuedAt - 1 }, { iat: issuedAt + 60 }].map((changes) =>
          forgeOurs(keys, {}, changes)
        )),
      refused(["Misdirected"], (keys) =>
        [{ iss: "aosiq2" }, { iss: "AOSIQ" }, { aud: "aosiq/" }, { aud: "*" }, { sid: "session-2" }, {
          sid: "session-1 "
        }]
          .map((changes) =>
            forgeOurs(keys, {}, changes)
          ))
    ], { discard: true }))
})

describe("the size", () => {
  it.effect("is bounded before anything is read", () =>
    refused(["Malformed"], (keys) => {
      const good = forgeOurs(keys)
      const long = forgeOurs(keys, {}, { sub: "a".repeat(Jws.maxLength) })
      const deep = forge(ourHeader(keys), `${"[".repeat(12_000)}`, keys.newest().key)
      const nested = forge(ourHeader(keys), `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`, keys.newest().key)
      return [
        long,
        `${good}${"A".repeat(Jws.maxLength)}`,
        ".".repeat(Jws.maxLength),
        "A".repeat(5_000_000),
        deep,
        nested
      ]
    }))

  it.effect("may reach the bound", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(issuedAt * 1000)
      const tokens = yield* Tokens.Tokens
      const keys = yield* KeySet.KeySet
      const spare = Jws.maxLength - forgeOurs(keys, {}, { sub: "" }).length
      const fits = forgeOurs(keys, {}, { sub: "a".repeat(Math.floor(spare * 3 / 4)) })
      assert.isAtMost(fits.length, Jws.maxLength)
      assert.isAbove(fits.length, Jws.maxLength - 4)
      yield* tokens.verify(fits, session)
    }).pipe(Effect.provide(layer)))
})
