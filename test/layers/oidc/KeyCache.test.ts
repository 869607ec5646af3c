/** How keys of an issuer are asked for, kept, changed over and done without; and what is never asked. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { KeyCache } from "../../../layers/oidc/index.ts"
import { audience, type Issuer, jwkOf, makeKey, now, start, verifying } from "./issuer.ts"

const begun = Effect.gen(function*() {
  yield* TestClock.setTime(now * 1000)
  const issuer = yield* start()
  const verify = yield* verifying({ issuer: issuer.url, audience })
  return { issuer, verify }
})
const late = { exp: now + 1_000_000 }
const looks = (issuer: Issuer) => issuer.asked.filter((path) => path === "/keys").length
const reasonOf = <A, E extends { readonly reason: { readonly _tag: string } }>(exit: Exit.Exit<A, E>) =>
  Effect.match(exit, { onFailure: ({ reason }) => reason._tag, onSuccess: () => "good" })

describe("keys of an issuer", () => {
  it.effect("are asked for once, however many tokens come at a time", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* begun
      yield* Effect.forEach(Array.from({ length: 50 }), () => verify(issuer.token()), { concurrency: "unbounded" })
      assert.deepStrictEqual(issuer.asked, ["/.well-known/openid-configuration", "/keys"])
    }).pipe(Effect.scoped))

  it.effect("change over: a new key is good at its first token, an old one until it is gone", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* begun
      const [old] = issuer.keys
      const before = issuer.token(late)
      yield* verify(before)
      const next = makeKey("next")
      issuer.keys = [next, ...old === undefined ? [] : [old]]
      yield* TestClock.adjust(KeyCache.pauseMs)
      yield* verify(issuer.token(late))
      yield* verify(before)
      assert.strictEqual(looks(issuer), 2)
      issuer.keys = [next]
      yield* TestClock.adjust(KeyCache.freshMs)
      // The look is beside the request that was due for it.
      yield* verify(issuer.token(late))
      yield* Effect.repeat(Effect.exit(verify(before)), { until: Exit.isFailure })
      assert.strictEqual(looks(issuer), 3)
    }).pipe(Effect.scoped))

  it.effect("are not asked for more often by whoever sends tokens with strange kids", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* begun
      yield* verify(issuer.token())
      for (let at = 0; at < 200; at++) yield* Effect.flip(verify(issuer.token({}, { kid: `k${at}` })))
      assert.strictEqual(looks(issuer), 1)
      yield* TestClock.adjust(KeyCache.pauseMs)
      for (let at = 0; at < 200; at++) yield* Effect.flip(verify(issuer.token({}, { kid: `k${at}` })))
      assert.strictEqual(looks(issuer), 2)
      // Nor are tokens that are refused for something else.
      const asked = issuer.asked.length
      yield* TestClock.adjust(KeyCache.pauseMs)
      yield* Effect.flip(verify(issuer.token({}, { alg: "none", kid: "k" })))
      yield* Effect.flip(verify(issuer.token({ iss: "http://127.0.0.1:1" })))
      assert.strictEqual(issuer.asked.length, asked)
    }).pipe(Effect.scoped))

  it.effect("that were had are used for an hour while the issuer is away, and then nobody is let in", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* begun
      const token = issuer.token(late)
      yield* verify(token)
      issuer.answer = (_path, response) => {
        response.writeHead(500).end()
        return true
      }
      yield* TestClock.adjust(KeyCache.usableMs - 1)
      yield* verify(token)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* reasonOf(yield* Effect.exit(verify(token))), "Unreachable")
      const asked = issuer.asked.length
      yield* Effect.exit(verify(token))
      assert.strictEqual(issuer.asked.length, asked)
      issuer.answer = undefined
      yield* TestClock.adjust(KeyCache.pauseMs)
      yield* verify(token)
    }).pipe(Effect.scoped))

  it.effect("that never were had let nobody in", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* begun
      issuer.answer = (_path, response) => {
        response.destroy()
        return true
      }
      assert.strictEqual(yield* reasonOf(yield* Effect.exit(verify(issuer.token()))), "Unreachable")
    }).pipe(Effect.scoped))

  it.effect("are taken from the issuer's own host, with no redirect, in bounds, and each kid once", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now * 1000)
      const stranger = yield* start()
      const json = { "content-type": "application/json" }
      const discovery = "/.well-known/openid-configuration"
      const lies: ReadonlyArray<(issuer: Issuer) => Issuer["answer"]> = [
        (issuer) => (path, response) => {
          if (path !== discovery) return false
          response.writeHead(200, json).end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${stranger.url}/keys` }))
          return true
        },
        (issuer) => (path, response) => {
          if (path !== discovery) return false
          response.writeHead(200, json).end(JSON.stringify({ issuer: stranger.url, jwks_uri: `${issuer.url}/keys` }))
          return true
        },
        (issuer) => (path, response) => {
          if (path !== discovery) return false
          const uri = "http://169.254.169.254/latest/meta-data"
          response.writeHead(200, json).end(JSON.stringify({ issuer: issuer.url, jwks_uri: uri }))
          return true
        },
        (issuer) => (path, response) => {
          if (path !== discovery) return false
          response.writeHead(200, json).end(JSON.stringify({ issuer: issuer.url, jwks_uri: "file:///etc/passwd" }))
          return true
        },
        () => (_path, response) => {
          response.writeHead(302, { location: `${stranger.url}/keys` }).end()
          return true
        },
        () => (path, response) => {
          if (path !== "/keys") return false
          response.writeHead(200, json).end(`{"keys":[${" ".repeat(300_000)}]}`)
          return true
        },
        () => (path, response) => {
          if (path !== "/keys") return false
          response.writeHead(200, { "content-type": "text/html" }).end("<html>")
          return true
        },
        (issuer) => (path, response) => {
          if (path !== "/keys") return false
          response.writeHead(200, json).end(`{"keys":${JSON.stringify(issuer.keys.map(jwkOf))},"keys":[]}`)
          return true
        },
        (issuer) => (path, response) => {
          if (path !== "/keys") return false
          response.writeHead(200, json).end(JSON.stringify({ keys: Array(65).fill(issuer.keys.map(jwkOf)[0]) }))
          return true
        }
      ]
      for (const [at, lie] of lies.entries()) {
        const issuer = yield* start()
        issuer.answer = lie(issuer)
        stranger.keys = issuer.keys
        const verify = yield* verifying({ issuer: issuer.url, audience })
        assert.strictEqual(yield* reasonOf(yield* Effect.exit(verify(issuer.token()))), "Unreachable", String(at))
      }
      assert.deepStrictEqual(stranger.asked, [])
      // A kid that two keys have is nobody's.
      const issuer = yield* start()
      issuer.keys = [makeKey("one"), makeKey("one")]
      const verify = yield* verifying({ issuer: issuer.url, audience })
      assert.strictEqual(yield* reasonOf(yield* Effect.exit(verify(issuer.token()))), "Unfit")
      // Elsewhere, where the operator says so.
      const elsewhere = yield* verifying({ issuer: issuer.url, audience, jwksUri: `${stranger.url}/keys` })
      stranger.keys = [makeKey("one")]
      yield* elsewhere(issuer.token({}, {}, stranger.keys[0]))
      assert.deepStrictEqual(stranger.asked, ["/keys"])
    }).pipe(Effect.scoped))

  it.effect("are had by all others, though whoever made us look hangs up each time", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* begun
      let answer = () => {}
      issuer.answer = (path, response) => {
        if (path !== "/keys") return false
        answer = () => {
          response.writeHead(200, { "content-type": "application/json" })
          response.end(JSON.stringify({ keys: issuer.keys.map(jwkOf) }))
        }
        return true
      }
      const leaving = yield* Effect.forkChild(verify(issuer.token({}, { kid: "nobody's" })), { startImmediately: true })
      const isAsked = Effect.sync(() => looks(issuer) > 0)
      yield* Effect.repeat(Effect.andThen(Effect.promise(() => new Promise(setImmediate)), isAsked), {
        until: (isThere) => isThere
      })
      yield* Fiber.interrupt(leaving)
      answer()
      assert.strictEqual((yield* verify(issuer.token())).knownBy.subject, "user-1")
      assert.strictEqual(looks(issuer), 1)
    }).pipe(Effect.scoped))

  it.effect("that are weak, private, or for something else verify nothing", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now * 1000)
      const changes: ReadonlyArray<Readonly<Record<string, unknown>>> = [
        { use: "enc" },
        { key_ops: ["encrypt"] },
        { alg: "ES384" },
        { alg: "HS256" },
        { kty: "oct", k: "AAAA" },
        { d: "AAAA" },
        { x: "" }
      ]
      for (const change of changes) {
        const issuer = yield* start()
        issuer.answer = (path, response) => {
          if (path !== "/keys") return false
          response.writeHead(200, { "content-type": "application/json" })
          response.end(JSON.stringify({ keys: issuer.keys.map((key) => ({ ...jwkOf(key), ...change })) }))
          return true
        }
        const verify = yield* verifying({ issuer: issuer.url, audience })
        assert.strictEqual(yield* reasonOf(yield* Effect.exit(verify(issuer.token()))), "Unfit", JSON.stringify(change))
      }
    }).pipe(Effect.scoped))
})
