/** The keys of a running process: what they sign, what they show, and how they change while tokens are in use. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { TestClock } from "effect/testing"
import { join } from "node:path"
import { inspect } from "node:util"
import { JoseTokens, Jwk, Keys, KeySet } from "../../../layers/jose/index.ts"
import { Tokens } from "../../../src/capability/index.ts"
import { claims, freshFolder, issuedAt, session, until } from "./fixture.ts"

const provided = Effect.provide(NodeServices.layer)

const kidOf = (token: string): unknown => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid

const untilRefused = (verify: Effect.Effect<unknown, Tokens.TokenError>) => {
  let isRefused = false
  const look = Effect.map(Effect.result(verify), ({ _tag }) => {
    isRefused = _tag === "Failure"
  })
  return until(() => isRefused, look)
}

describe("the keys of a process", () => {
  it.effect("sign bytes, which the public halves alone verify", () =>
    Effect.gen(function*() {
      const folder = yield* freshFolder
      yield* Keys.loadOrCreate(folder)
      const older = yield* Effect.provide(KeySet.KeySet, KeySet.layer(folder))
      yield* Keys.rotate(folder)
      const keys = yield* Effect.provide(KeySet.KeySet, KeySet.layerFile(join(folder, Keys.fileName)))
      const text = new TextEncoder().encode("aosiq.example/log\n1\n")
      for (const by of [keys.sign(text), older.sign(text)]) {
        assert.strictEqual(by.signature.length, 64)
        assert.isTrue(keys.verify(text, by))
        assert.isFalse(keys.verify(text.slice(1), by))
        assert.isFalse(keys.verify(text, { ...by, signature: by.signature.slice(1) }))
        assert.isFalse(keys.verify(text, { ...by, kid: "k" }))
        const verifiers = yield* Effect.fromResult(
          Jwk.verifiers(keys.publicJwks().keys, "EdDSA")
        )
        const key = verifiers.get(by.kid)
        assert.isTrue(key !== undefined && Jwk.verifyBytes(key, text, by.signature))
      }
      assert.notStrictEqual(keys.sign(text).kid, older.sign(text).kid)
      assert.isFalse(keys.verify(text, { kid: keys.sign(text).kid, signature: older.sign(text).signature }))
    }).pipe(provided))

  it.effect("show nothing private", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* freshFolder
      const loaded = yield* Keys.loadOrCreate(folder)
      const keys = yield* Effect.provide(KeySet.KeySet, KeySet.layer(folder))
      const { keys: [stored] } = JSON.parse(yield* fs.readFileString(join(folder, Keys.fileName)))
      assert.match(stored.d, /^[\w-]{43}$/)
      const shown = [
        inspect(loaded, { depth: 9, showHidden: true }),
        JSON.stringify(loaded),
        JSON.stringify(keys.publicJwks()),
        inspect(keys, { depth: 9 })
      ]
      for (const text of shown) assert.notInclude(text, stored.d)
      assert.deepStrictEqual(keys.publicJwks(), { keys: [loaded.newest.jwk] })
    }).pipe(provided))
})

describe("the keys of a process that runs on", () => {
  it.effect("rotate without a pause, and a retired key verifies nothing, kept or not, in this process or another", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(issuedAt * 1000)
      const folder = yield* freshFolder
      const { newest } = yield* Keys.loadOrCreate(folder)
      const process = Layer.provide(JoseTokens.layer(), KeySet.layer(folder))
      const running = yield* Effect.service(Tokens.Tokens).pipe(Effect.provide(yield* Layer.build(process)))
      const old = yield* running.mint(claims)
      const unseen = yield* running.mint({ ...claims, budget: 1 })
      yield* running.verify(old, session)

      const kid = yield* Keys.rotate(folder)
      const started = yield* Effect.service(Tokens.Tokens).pipe(
        Effect.provide(yield* Layer.build(Layer.fresh(process)))
      )
      const fresh = yield* started.mint(claims)
      assert.strictEqual(kidOf(old), newest.jwk.kid)
      assert.strictEqual(kidOf(fresh), kid)
      for (const tokens of [running, started]) {
        for (const token of [old, fresh]) assert.strictEqual((yield* tokens.verify(token, session)).jti, claims.jti)
      }
      assert.strictEqual(kidOf(yield* running.mint(claims)), kid)

      yield* Keys.retire(folder, newest.jwk.kid)
      yield* TestClock.adjust("5 seconds")
      for (const tokens of [running, started]) {
        yield* untilRefused(tokens.verify(old, session))
        for (const token of [old, unseen]) {
          assert.strictEqual((yield* Effect.flip(tokens.verify(token, session))).reason._tag, "Untrusted")
        }
        yield* tokens.verify(fresh, session)
      }
    }).pipe(provided))

  it.effect("go on when their file is spoilt, and follow it again when it is whole", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* freshFolder
      const path = join(folder, Keys.fileName)
      const { newest } = yield* Keys.loadOrCreate(folder)
      const keys = yield* Effect.service(KeySet.KeySet).pipe(Effect.provide(yield* Layer.build(KeySet.layer(folder))))
      const whole = yield* fs.readFileString(path)
      yield* fs.writeFileString(path, "{")
      assert.isUndefined(yield* keys.find("k"))
      assert.isDefined(yield* keys.find(newest.jwk.kid))
      assert.strictEqual(keys.newest().jwk.kid, newest.jwk.kid)
      yield* fs.writeFileString(path, whole)
      const kid = yield* Keys.rotate(folder)
      assert.isDefined(yield* keys.find(kid))
      assert.strictEqual(keys.newest().jwk.kid, kid)
    }).pipe(provided))
})
