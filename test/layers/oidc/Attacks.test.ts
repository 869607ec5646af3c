/** The known attacks on verifiers of JWTs, against a real issuer. Each forgery is a good token but for one thing. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { createPublicKey, type KeyObject } from "node:crypto"
import type { Issuers } from "../../../src/session/index.ts"
import { audience, authenticated, type Issuer, jwkOf, makeKey, now, signed, start, verifying } from "./issuer.ts"

type Settings = Partial<Issuers.Issuer>

/** None is accepted, each twice; a good token is, before and after. */
const refused = (
  words: string,
  forgeries: (issuer: Issuer) => ReadonlyArray<string>,
  settings: Settings = {}
): Effect.Effect<void, Issuers.IssuerError, Scope.Scope> =>
  Effect.gen(function*() {
    yield* TestClock.setTime(now * 1000)
    const issuer = yield* start()
    issuer.keys = [makeKey("one"), makeKey("two", "RS256")]
    const verify = yield* verifying({ issuer: issuer.url, audience, ...settings })
    const isGood = Effect.map(verify(issuer.token()), ({ knownBy }) => knownBy.subject === "user-1")
    assert.isTrue(yield* isGood)
    const forged = forgeries(issuer)
    assert.isNotEmpty(forged)
    for (const token of [...forged, ...forged]) {
      const exit = yield* Effect.exit(Effect.flip(verify(token)))
      assert.isTrue(Exit.isSuccess(exit), `was accepted: ${token}`)
      if (Exit.isFailure(exit)) continue
      assert.strictEqual(exit.value.reason._tag, "Unfit")
      assert.include(exit.value.message, words, token.slice(0, 300))
      if (token !== "") assert.notInclude(exit.value.message, token)
    }
    assert.isTrue(yield* isGood)
  }).pipe(Effect.scoped)

const header = (issuer: Issuer, changes: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ alg: "ES256", kid: issuer.keys[0]?.kid, typ: "at+jwt", ...changes })
const payload = (issuer: Issuer, changes: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify(issuer.claims(changes))
const keyOf = (issuer: Issuer, at = 0) => issuer.keys[at] ?? makeKey("none")
const encode = (text: string) => Buffer.from(text).toString("base64url")
const spki = (key: KeyObject, format: "pem" | "der") =>
  format === "pem"
    ? createPublicKey(key).export({ format, type: "spki" })
    : createPublicKey(key).export({ format, type: "spki" })

describe("tokens of issuers", () => {
  it.effect("without a signature are none", () =>
    refused("algorithm", (issuer) =>
      ["none", "None", "NONE", "nOnE"].flatMap((alg) => [
        `${encode(header(issuer, { alg }))}.${encode(payload(issuer))}.`,
        signed(keyOf(issuer), header(issuer, { alg }), payload(issuer))
      ])))

  it.effect("have three parts, of base64url to the letter, and are no JSON serialisation", () =>
    refused("three parts", (issuer) => {
      const [head = "", body = "", signature = ""] = issuer.token().split(".")
      return [
        "",
        `${head}.${body}`,
        `${head}.${body}.${signature}.`,
        `${head}=.${body}.${signature}`,
        `${head}.${body}.${signature}=`,
        ` ${head}.${body}.${signature}`,
        JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] })
      ]
    }))

  it.effect("with an empty, zero or changed signature do not verify", () =>
    refused("signature", (issuer) => {
      const [head = "", body = "", signature = ""] = issuer.token().split(".")
      const zero = Buffer.alloc(64).toString("base64url")
      const other = Buffer.from(signature, "base64url")
      other[3] = (other[3] ?? 0) ^ 1
      return [
        `${head}.${body}.`,
        `${head}.${body}.${zero}`,
        `${head}.${body}.${other.toString("base64url")}`,
        `${head}.${encode(payload(issuer, { sub: "admin" }))}.${signature}`,
        signed(makeKey("one"), header(issuer), payload(issuer)),
        issuer.token({}, { kid: "two", alg: "RS256" })
      ]
    }))

  it.effect("are never authenticated by a public key taken for a secret", () =>
    refused("algorithm", (issuer) =>
      ["HS256", "HS384", "HS512"].flatMap((alg) =>
        issuer.keys.flatMap((key) =>
          [
            spki(key.key, "pem"),
            spki(key.key, "der"),
            JSON.stringify(jwkOf(key)),
            jwkOf(key).n ?? jwkOf(key).x ?? "",
            ""
          ].map((secret) => authenticated(Buffer.from(secret), header(issuer, { alg, kid: key.kid }), payload(issuer)))
        )
      )))

  it.effect("name an algorithm that their key is for, and that is admitted", () =>
    refused("algorithm", (issuer) => [
      issuer.token({}, { alg: "RS512", kid: "two" }, keyOf(issuer, 1)),
      issuer.token({}, { alg: "es256" }),
      issuer.token({}, { alg: "ES384" }),
      issuer.token({}, { alg: ["ES256"] })
    ]))

  it.effect("do not have a key used for another algorithm than its own", () =>
    refused("not one for its algorithm", (issuer) => [
      issuer.token({}, { alg: "RS256" }),
      issuer.token({}, { alg: "PS256", kid: "two" }, keyOf(issuer, 1)),
      issuer.token({}, { kid: "two" })
    ]))

  it.effect("by RS256 are none where only ES256 is admitted", () =>
    refused("algorithm", (issuer) => [issuer.token({}, {}, keyOf(issuer, 1))], { algorithms: ["ES256"] }))

  it.effect("bring no key along, and no place to find one", () =>
    refused("says how to verify", (issuer) => {
      const own = makeKey("one")
      const extra: ReadonlyArray<Readonly<Record<string, unknown>>> = [
        { jwk: jwkOf(own) },
        { jku: `${issuer.url}/others` },
        { x5u: `${issuer.url}/others` },
        { x5c: ["MIIB"] },
        { crit: ["exp"], exp: 1 },
        { b64: false, crit: ["b64"] },
        { zip: "DEF" },
        { enc: "A128GCM" },
        { p2c: 1_000_000_000 },
        { cty: "JWT" }
      ]
      return extra.flatMap((more) => [
        signed(own, header(issuer, more), payload(issuer)),
        signed(keyOf(issuer), header(issuer, more), payload(issuer))
      ])
    }))

  it.effect("name a key of the issuer by its kid, whatever is tried", () =>
    refused("kid", (issuer) =>
      [
        "three",
        "../one",
        "one\u0000",
        "' or 1=1 --",
        "/dev/null",
        "One",
        "one ",
        "__proto__",
        "constructor"
      ].map((kid) => issuer.token({}, { kid }))))

  it.effect("name one key, in words", () =>
    refused(
      "names no key",
      (issuer) => [undefined, null, "", 1, ["one"], { one: 1 }, "k".repeat(300)].map((kid) => issuer.token({}, { kid }))
    ))

  it.effect("are made out to this installation", () =>
    refused(
      "made out to somebody else",
      (issuer) =>
        ["other", "", undefined, null, [], ["other"], "aosiq ", "AOSIQ", { aosiq: 1 }, ["aosiq", 1], 1].map((aud) =>
          issuer.token({ aud })
        )
    ))

  it.effect("are by an issuer that is trusted, to the letter", () =>
    refused("no issuer", (issuer) =>
      [
        "https://evil.example",
        `${issuer.url}/`,
        issuer.url.toUpperCase(),
        undefined,
        null,
        [issuer.url],
        "__proto__"
      ].map((iss) => issuer.token({ iss }))))

  it.effect("are in time", () =>
    Effect.gen(function*() {
      yield* refused("expired", (issuer) =>
        [now - 30, now - 1000, undefined, null, "soon", String(now + 100)].map((exp) => issuer.token({ exp })))
      yield* refused("not good yet", (issuer) =>
        [now + 31, now + 1000, "now", null].map((nbf) => issuer.token({ nbf })))
      yield* refused("in the future", (issuer) => [now + 31, "now", null].map((iat) => issuer.token({ iat })))
      yield* refused("expired", (issuer) => [issuer.token({ exp: now })], { skewSeconds: 0 })
    }))

  it.effect("are access tokens, and no others", () =>
    Effect.gen(function*() {
      yield* refused("type", (issuer) =>
        ["JWT", "aosiq+jwt", "logout+jwt", "dpop+jwt", "", "at+jwt "].map((typ) => issuer.token({}, { typ })))
      yield* refused("no type", (issuer) =>
        [undefined, null, 1].map((typ) => issuer.token({}, { typ })))
      // Where the issuer types its access tokens as it does all others, what only tokens about logins have gives them away.
      yield* refused("who logged in", (issuer) =>
        [{ nonce: "n" }, { at_hash: "h" }, { c_hash: "h" }, { s_hash: "h" }, { typ: "ID" }].map((more) =>
          issuer.token(more, { typ: "JWT" })
        ), { types: ["at+jwt", "JWT"] })
    }))

  it.effect("are about somebody", () =>
    refused(
      "about nobody",
      (issuer) =>
        [undefined, null, "", 1, ["user-1"], "s".repeat(256), "user\u0000", "user\ud800"].map((sub) =>
          issuer.token({ sub })
        )
    ))

  it.effect("say each thing once", () =>
    refused("twice", (issuer) => [
      signed(keyOf(issuer), header(issuer), payload(issuer).replace("{", "{\"sub\":\"admin\",")),
      signed(keyOf(issuer), header(issuer), payload(issuer).replace("{", "{\"\\u0073ub\":\"admin\",")),
      signed(keyOf(issuer), header(issuer).replace("{", "{\"alg\":\"none\","), payload(issuer)),
      signed(keyOf(issuer), header(issuer).replace("{", "{\"kid\":\"two\","), payload(issuer)),
      signed(keyOf(issuer), header(issuer), "[]"),
      signed(keyOf(issuer), header(issuer), "null"),
      signed(keyOf(issuer), header(issuer), `\ufeff${payload(issuer)}`)
    ]))

  it.effect("are not endless", () =>
    refused("longer than", (issuer) => [issuer.token({ pad: "x".repeat(20_000) }), "a.".repeat(10_000)]))

  it.effect("within the skew, and with several audiences, are good; and say until when", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now * 1000)
      const issuer = yield* start()
      const verify = yield* verifying({ issuer: issuer.url, audience })
      assert.strictEqual((yield* verify(issuer.token({ exp: now - 29 }))).until, (now + 1) * 1000)
      yield* verify(issuer.token({ nbf: now + 29, iat: now + 29 }))
      yield* verify(issuer.token({ aud: ["other", "aosiq"] }))
      yield* verify(issuer.token({}, { typ: "application/at+jwt", x5t: "abc" }))
      for (const alg of ["RS256", "EdDSA"] as const) {
        issuer.keys = [makeKey(alg, alg)]
        yield* TestClock.adjust("11 seconds")
        assert.strictEqual((yield* verify(issuer.token())).knownBy.subject, "user-1")
      }
    }).pipe(Effect.scoped))

  it.effect("of two issuers do not pass for each other's", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now * 1000)
      const [one, other] = [yield* start(), yield* start()]
      const verify = yield* verifying({ issuer: one.url, audience }, { issuer: other.url, audience })
      assert.strictEqual((yield* verify(one.token())).knownBy.issuer, one.url)
      assert.strictEqual((yield* verify(other.token())).knownBy.issuer, other.url)
      // The same kid, the other's key.
      const error = yield* Effect.flip(verify(one.token({ iss: other.url })))
      assert.include(error.message, "signature")
    }).pipe(Effect.scoped))
})
