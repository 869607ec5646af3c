/** What a verifier lets through, at which second, for whom; and that keeping a verdict changes none. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FileSystem, Layer } from "effect"
import { TestClock } from "effect/testing"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { JoseTokens, Jws, KeySet } from "../../../layers/jose/index.ts"
import { Claims, Tokens } from "../../../src/capability/index.ts"
import { claims, forgeOurs, issuedAt, layer, session } from "./fixture.ts"

const refusal = (token: string, to = session) =>
  Effect.gen(function*() {
    const tokens = yield* Tokens.Tokens
    const { reason } = yield* Effect.flip(tokens.verify(token, to))
    return reason
  })

const atIssue = TestClock.setTime(issuedAt * 1000)

describe("Tokens", () => {
  it.effect("gives back by verify what was minted", () =>
    Effect.gen(function*() {
      yield* atIssue
      const tokens = yield* Tokens.Tokens
      const token = yield* tokens.mint(claims)
      assert.deepStrictEqual(yield* tokens.verify(token, session), claims)
      assert.deepStrictEqual(yield* tokens.verify(token, session), claims)
    }).pipe(Effect.provide(layer)))

  it.effect("the header says algorithm, type and key, and nothing else", () =>
    Effect.gen(function*() {
      const tokens = yield* Tokens.Tokens
      const keys = yield* KeySet.KeySet
      const [header = ""] = (yield* tokens.mint(claims)).split(".")
      assert.deepStrictEqual(JSON.parse(Buffer.from(header, "base64url").toString()), {
        alg: "EdDSA",
        typ: "aosiq+jwt",
        kid: keys.newest().jwk.kid
      })
    }).pipe(Effect.provide(layer)))
})

describe("a token", () => {
  it.effect("expires at the very second, kept or not", () =>
    Effect.gen(function*() {
      const tokens = yield* Tokens.Tokens
      const token = yield* tokens.mint(claims)
      yield* TestClock.setTime(claims.exp * 1000 - 1)
      assert.strictEqual((yield* tokens.verify(token, session)).jti, claims.jti)
      yield* TestClock.setTime(claims.exp * 1000)
      assert.strictEqual((yield* refusal(token))._tag, "OutOfTime")
      const other = yield* tokens.mint({ ...claims, jti: Claims.TokenId.make("never kept") })
      assert.strictEqual((yield* refusal(other))._tag, "OutOfTime")
    }).pipe(Effect.provide(layer)))

  it.effect("is not valid before it was issued, by more than two clocks may differ", () =>
    Effect.gen(function*() {
      const tokens = yield* Tokens.Tokens
      const token = yield* tokens.mint(claims)
      yield* TestClock.setTime((issuedAt - JoseTokens.skewSeconds) * 1000 - 1)
      assert.strictEqual((yield* refusal(token))._tag, "OutOfTime")
      yield* TestClock.setTime((issuedAt - JoseTokens.skewSeconds) * 1000)
      assert.strictEqual((yield* tokens.verify(token, session)).jti, claims.jti)
    }).pipe(Effect.provide(layer)))

  it.effect("is for one session, one issuer and one audience, kept or not", () =>
    Effect.gen(function*() {
      yield* atIssue
      const tokens = yield* Tokens.Tokens
      const other = Claims.SessionId.make("session-2")
      const token = yield* tokens.mint(claims)
      assert.strictEqual((yield* refusal(token, other))._tag, "Misdirected")
      yield* tokens.verify(token, session)
      assert.strictEqual((yield* refusal(token, other))._tag, "Misdirected")
      for (const elsewhere of [{ iss: "other" }, { aud: "other" }]) {
        const stray = yield* tokens.mint({ ...claims, ...elsewhere })
        assert.strictEqual((yield* refusal(stray))._tag, "Misdirected")
        assert.strictEqual((yield* refusal(stray))._tag, "Misdirected")
      }
    }).pipe(Effect.provide(layer)))

  it.effect("an installation of another name verifies its own tokens only, with the same keys", () =>
    Effect.gen(function*() {
      yield* atIssue
      const keys = yield* KeySet.KeySet
      const elsewhere = JoseTokens.layer({ issuer: "north", audience: "south" }).pipe(
        Layer.provide(Layer.succeed(KeySet.KeySet, keys))
      )
      const ours = yield* (yield* Tokens.Tokens).mint(claims)
      yield* Effect.gen(function*() {
        const tokens = yield* Tokens.Tokens
        assert.deepStrictEqual([tokens.issuer, tokens.audience], ["north", "south"])
        const theirs = yield* tokens.mint({ ...claims, iss: "north", aud: "south" })
        assert.strictEqual((yield* tokens.verify(theirs, session)).iss, "north")
        assert.strictEqual((yield* refusal(ours))._tag, "Misdirected")
      }).pipe(Effect.provide(elsewhere))
    }).pipe(Effect.provide(layer)))
})

describe("a verdict that is kept", () => {
  it.effect("is given again without waiting, and stays as it was", () =>
    Effect.gen(function*() {
      yield* atIssue
      const tokens = yield* Tokens.Tokens
      const context = yield* Effect.context<never>()
      const token = yield* tokens.mint(claims)
      // The first verification waits for cryptography, so it cannot end at once.
      assert.isTrue(Exit.isFailure(Effect.runSyncExitWith(context)(tokens.verify(token, session))))
      yield* tokens.verify(token, session)
      const again = Effect.runSyncWith(context)(tokens.verify(token, session))
      assert.deepStrictEqual(again, claims)
      for (const part of [again, again.anc, again.capabilities, again.backends, again.limits]) {
        assert.isTrue(Object.isFrozen(part))
      }
    }).pipe(Effect.provide(layer)))

  it.effect("is one of so many, and the one used longest ago goes", () =>
    Effect.gen(function*() {
      yield* atIssue
      const tokens = yield* Tokens.Tokens
      const keys = yield* KeySet.KeySet
      const context = yield* Effect.context<never>()
      const isKept = (token: string) => Exit.isSuccess(Effect.runSyncExitWith(context)(tokens.verify(token, session)))
      const made = Array.from({ length: JoseTokens.maxCached }, (_, i) => forgeOurs(keys, {}, { jti: `token ${i}` }))
      yield* Effect.forEach(made, (token) => tokens.verify(token, session), { discard: true })
      assert.isTrue(isKept(made[0] ?? ""))
      yield* tokens.verify(yield* tokens.mint(claims), session)
      assert.isTrue(isKept(made[0] ?? ""))
      assert.isFalse(isKept(made[1] ?? ""))
      assert.isTrue(isKept(made[2] ?? ""))
    }).pipe(Effect.provide(layer)))

  it.effect("is never a refusal, nor hides one", () =>
    Effect.gen(function*() {
      yield* atIssue
      const tokens = yield* Tokens.Tokens
      const token = yield* tokens.mint(claims)
      const broken = `${token.slice(0, -10)}AAAAAAAAAA`
      for (let i = 0; i < 3; i++) assert.include(["Untrusted", "Malformed"], (yield* refusal(broken))._tag)
      yield* tokens.verify(token, session)
      assert.include(["Untrusted", "Malformed"], (yield* refusal(broken))._tag)
    }).pipe(Effect.provide(layer)))
})

describe("claims", () => {
  it.effect("that are none, or do not fit, are never signed", () =>
    Effect.gen(function*() {
      const tokens = yield* Tokens.Tokens
      const signed = yield* Effect.exit(tokens.mint({ ...claims, budget: -1 }))
      assert.isTrue(Exit.hasDies(signed))
      const climbing = yield* Effect.exit(tokens.mint({ ...claims, capabilities: ["memory:write@notes/../secrets"] }))
      assert.isTrue(Exit.hasDies(climbing))
      const many = Array.from({ length: 400 }, (_, i) => `memory:read@${"folder/".repeat(5)}${i}` as const)
      assert.isTrue(Exit.hasDies(yield* Effect.exit(tokens.mint({ ...claims, capabilities: many }))))
      const some = yield* tokens.mint({ ...claims, capabilities: many.slice(0, 100) })
      assert.isBelow(some.length, Jws.maxLength)
    }).pipe(Effect.provide(layer)))
})

describe("the format", () => {
  // The key of RFC 8037 appendix A, published for tests.
  const published = {
    kty: "OKP",
    crv: "Ed25519",
    d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
  }
  const golden = readFileSync(`${import.meta.dirname}/golden/token-1.jwt`, "utf8").trim()

  it.effect("of a token is the one that was published: minted alike, and verified", () =>
    Effect.gen(function*() {
      yield* atIssue
      const fs = yield* FileSystem.FileSystem
      const path = join(yield* fs.makeTempDirectoryScoped(), "jwks.json")
      yield* fs.writeFileString(path, JSON.stringify({ keys: [published] }), { mode: 0o600 })
      const keys = KeySet.layerFile(path)
      yield* Effect.gen(function*() {
        const tokens = yield* Tokens.Tokens
        const { newest } = yield* KeySet.KeySet
        assert.strictEqual(newest().jwk.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        assert.strictEqual(yield* tokens.mint(claims), golden)
        assert.deepStrictEqual(yield* tokens.verify(golden, session), claims)
      }).pipe(Effect.provide(JoseTokens.layer().pipe(Layer.provideMerge(keys))))
    }).pipe(Effect.provide(NodeServices.layer)))
})
