/** Who shows nothing that lets anybody in, too often: what they are answered, and that nobody else notices. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as fc from "fast-check"
import { request } from "node:http"
import { Limits } from "../../../src/door/http/index.ts"
import { address, type Answer, ask, letIn, send, served } from "./world.ts"

/** Asks from another address of this machine. */
const from = (local: string, url: string, token: string) =>
  Effect.callback<{ readonly status: number; readonly retryAfter: string | undefined }>((resume) => {
    const headers = { authorization: `Bearer ${token}` }
    request(`${url}/v1/self`, { localAddress: local, headers }, (response) => {
      response.resume()
      response.on(
        "end",
        () => resume(Effect.succeed({ status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"] }))
      )
    }).end()
  })
const guess = (id: string, at: number) => `aosiq_${id}_${String(at).padStart(43, "x")}`
const wait = (answer: Answer) => Number(answer.headers.get("retry-after"))

layer(served({ failures: 5, failuresPerMinute: 30, perSecond: 1, burst: 3 }), {
  excludeTestServices: true,
  timeout: "60 seconds"
})("failures to be let in", (it) => {
  it.effect("are counted by address: it is heard no more, and told for how long; others are let in", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("vera", "viewer")
      const fresh = yield* letIn("fritz", "viewer")
      const self = (bearer: string) => ask(bearer, "GET", `${url}/v1/self`)
      assert.strictEqual((yield* self(token)).status, 200)
      for (let at = 0; at < 5; at++) assert.strictEqual((yield* self(guess(`00000000000${at}`, at))).status, 401)
      const refused = yield* self(guess("000000000009", 9))
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(wait(refused), refused.json.retryAfterSeconds)
      assert.include([1, 2], wait(refused))
      // Not even a right token is looked at from there, except one that was let in lately.
      assert.strictEqual((yield* self(fresh)).status, 429)
      assert.strictEqual((yield* self(token)).status, 200)
      // From elsewhere the same token is good at once, and a wrong one is wrong.
      assert.strictEqual((yield* from("127.0.0.2", url, fresh)).status, 200)
      assert.strictEqual((yield* from("127.0.0.3", url, guess("00000000000a", 1))).status, 401)
      // What it was told is true.
      yield* Effect.sleep(`${wait(refused)} seconds`)
      assert.strictEqual((yield* self(fresh)).status, 200)
      // A request that shows nothing is no guess.
      for (let at = 0; at < 10; at++) assert.strictEqual((yield* send(`${url}/v1/self`)).status, 401)
    }))

  it.effect("are counted by the id of the token, from wherever they come; the right token is let in", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("vito", "viewer")
      const id = token.split("_")[1] ?? ""
      const answers = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, at) => at),
        (at) => from(`127.0.1.${at + 1}`, url, guess(id, at))
      )
      assert.deepStrictEqual(answers.map(({ status }) => status), [401, 401, 401, 401, 401, 429, 429, 429])
      assert.include(["1", "2"], answers.at(-1)?.retryAfter)
      assert.strictEqual((yield* from("127.0.1.100", url, token)).status, 200)
    }))

  it.effect("of a caller to wait are answered with when it is heard again", () =>
    Effect.gen(function*() {
      const url = yield* address
      const [token, other] = [yield* letIn("vicky", "viewer"), yield* letIn("viola", "viewer")]
      const self = (bearer: string) => from("127.0.2.1", url, bearer)
      const first = yield* Effect.repeat(self(token), { until: ({ status }) => status === 429 })
      const at = yield* Clock.currentTimeMillis
      assert.strictEqual(first.retryAfter, "1")
      assert.strictEqual((yield* self(other)).status, 200)
      yield* Effect.sleep(`${Number(first.retryAfter)} seconds`)
      assert.strictEqual((yield* self(token)).status, 200)
      assert.isBelow((yield* Clock.currentTimeMillis) - at, 3000)
    }))

  it.effect("are told what to do who show nothing", () =>
    Effect.gen(function*() {
      const url = yield* address
      for (const headers of [{}, { authorization: "Basic YTpi" }, { authorization: "Bearer" }]) {
        const { json, status } = yield* send(`${url}/v1/self`, { headers })
        assert.strictEqual(status, 401)
        assert.include(json.remedy, "Authorization: Bearer TOKEN")
        assert.include(json.remedy, "aosiq callers add")
      }
      // No other place for a token than the header, and no header but one.
      const token = yield* letIn("vroni", "viewer")
      for (const key of ["access_token", "token", "authorization", "bearer"]) {
        assert.strictEqual((yield* send(`${url}/v1/self?${key}=${token}`)).status, 401)
      }
      const trusted = ["x-forwarded-user", "x-client-cert", "x-ssl-client-s-dn", "aosiq-by", "cookie", "x-api-key"]
      for (const name of trusted) {
        assert.strictEqual((yield* send(`${url}/v1/self`, { headers: { [name]: token } })).status, 401, name)
      }
    }))
})

describe("counting", () => {
  it("is bounded, says when the next is free, and no sooner", () => {
    const bounds = { burst: fc.integer({ min: 1, max: 20 }), perSecond: fc.integer({ min: 1, max: 50 }) }
    fc.assert(fc.property(
      fc.record({ ...bounds, names: fc.integer({ min: 1, max: 5 }) }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 500 })), { maxLength: 200 }),
      (terms, asked) => {
        const count = Limits.counting(terms)
        let now = 1_000_000
        for (const [name, later] of asked) {
          now += later
          const seconds = count.wait(String(name), now)
          count.take(String(name), now)
          assert.isAtMost(count.size(), terms.names)
          if (seconds === 0) continue
          assert.strictEqual(count.wait(String(name), now + seconds * 1000), 0)
          assert.isAtMost(seconds, Math.ceil(1 / terms.perSecond))
        }
      }
    ))
  })

  it("lets through no more than it says, in whatever time", () => {
    const count = Limits.counting({ burst: 5, perSecond: 2, names: 1 })
    let through = 0
    for (let now = 0; now <= 10_000; now += 10) {
      if (count.wait("a", now) === 0) through++
      count.take("a", now)
    }
    assert.isAtMost(through, 5 + 2 * 10)
    assert.isAtLeast(through, 5 + 2 * 10 - 1)
  })

  it("takes an IPv6 network for one address, however it is written, and an IPv4 address for itself", () => {
    const same = ["2001:db8:0:1::1", "2001:DB8::1:0:0:0:2", "2001:0db8:0000:0001:ffff:ffff:ffff:ffff"]
    assert.strictEqual(new Set(same.map(Limits.addressOf)).size, 1)
    assert.notStrictEqual(Limits.addressOf("2001:db8:0:2::1"), Limits.addressOf("2001:db8:0:1::1"))
    assert.strictEqual(Limits.addressOf("::ffff:127.0.0.1"), "127.0.0.1")
    assert.strictEqual(Limits.addressOf("::1"), "0:0:0:0::/64")
    assert.strictEqual(Limits.addressOf("fe80::1%eth0"), "fe80:0:0:0::/64")
  })
})
