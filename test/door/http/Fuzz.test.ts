/**
 * Requests that nobody should send, by seed: whatever comes, the server answers in its own words, stays up, and keeps nothing.
 * AOSIQ_FUZZ says how many (300), AOSIQ_SEED which.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fc from "fast-check"
import { connect } from "node:net"
import { HttpDoor } from "../../../layers/http/index.ts"
import { Log } from "../../../src/audit/index.ts"
import { altered, endpoints } from "./endpoints.ts"
import { address, ask, letIn, runtime, send } from "./world.ts"

const runs = Number(process.env["AOSIQ_FUZZ"] ?? 300)
const seed = Number(process.env["AOSIQ_SEED"] ?? 4711)

const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("\u0000", "\ud800", "../../etc", "%00", "'; drop table x")
)
const body = fc.oneof(
  fc.json(),
  fc.json().map((json) => json.slice(0, -1)),
  fc.nat(5000).map(deep),
  fc.nat(200_000).map((length) => `{"actor":"${"x".repeat(length)}"}`),
  fc.constant(`"${"x".repeat(1_100_000)}"`),
  fc.constant(`{"actor":"Clerk","input":{"order":1e999},"__proto__":{"role":"admin"}}`),
  fc.constant(`{"actor":"Clerk","input":${deep(60)}}`),
  fc.uint8Array({ maxLength: 500 }),
  text,
  fc.record({ actor: text, input: fc.jsonValue(), reason: text, budgetMicroUsd: fc.oneof(fc.integer(), fc.double()) })
    .map((value) => JSON.stringify(value))
)
const value = fc.oneof(
  fc.jsonValue(),
  text,
  fc.constantFrom(undefined, -1, 0.5, 1e308, 2 ** 53, "", "x".repeat(10_000), [], {}, null, true)
)
const request = fc.record({
  endpoint: fc.constantFrom(...endpoints),
  method: fc.oneof(
    { weight: 7, arbitrary: fc.constant(undefined) },
    fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
  ),
  /** What stands in its path: a session that is there, or anything. */
  part: fc.option(text, { nil: undefined, freq: 3 }),
  /** Its own body with another value at one place; else anything. */
  near: fc.option(fc.record({ at: fc.nat(1000), value }), { nil: undefined, freq: 2 }),
  query: fc.option(fc.webQueryParameters(), { nil: "" }),
  body,
  type: fc.constantFrom(
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "multipart/form-data",
    "x"
  ),
  key: fc.option(fc.string({ unit: fc.constantFrom(..."abcdefghij"), minLength: 1, maxLength: 300 }), {
    nil: undefined
  }),
  /** Headers beyond all measure, and such as nobody should believe. */
  odd: fc.oneof(
    { weight: 6, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.nat(20_000).map((length) => ({ "x-long": "x".repeat(length) })) },
    {
      weight: 1,
      arbitrary: fc.nat(400).map((count) =>
        Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, "x"]))
      )
    },
    { weight: 1, arbitrary: fc.constant({ "content-encoding": "gzip", "x-forwarded-for": "::1", te: "trailers" }) }
  ),
  last: fc.option(fc.constantFrom("-1", "1e9", "abc", "999999999999999999999"), { nil: undefined })
})

const encoded = (part: string) => encodeURIComponent(part.toWellFormed()) || "x"

/** Waits as long as a client that sends nothing more, and says whether it was dropped. */
const slow = (url: string, start: string) =>
  Effect.callback<string>((resume) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(start))
    let heard = ""
    socket.on("data", (data: Buffer) => heard += data.toString())
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.succeed(heard)))
  })

const world = HttpDoor.layer({
  port: 0,
  limits: { perSecond: 1e6, burst: 1e6, timeMs: 5000 },
  headersMs: 1000,
  requestMs: 2000
}).pipe(Layer.provideMerge(runtime))

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("the HTTP API, whatever it is sent", (it) => {
  it.effect("answers in its own words", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("fuzz", "admin")
      const dispatched = yield* send(`${url}/v1/sessions`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": "first" },
        body: JSON.stringify({ actor: "Clerk", input: { order: "o" } })
      })
      const session: string = dispatched.json.id
      const statuses = new Map<number, number>()
      let peak = 0
      const property = fc.asyncProperty(request, (one) =>
        Effect.runPromise(Effect.gen(function*() {
          const { endpoint, key, last, near, odd, part = session, query } = one
          const isNear = near !== undefined && endpoint.example !== null
          const body = isNear ? JSON.stringify(altered(endpoint.example, near.at, near.value)) ?? "" : one.body
          const type = isNear ? "application/json" : one.type
          const method = one.method ?? endpoint.method
          // Nobody is kept out here, and nothing streams for ever.
          if (endpoint.path.endsWith("/events")) return
          const path = endpoint.path.replaceAll(/\{[a-z]+\}/gi, () => encoded(part))
          const { headers, json, status } = yield* send(`${url}${path}?${query}`, {
            method,
            headers: {
              authorization: `Bearer ${token}`,
              "content-type": type,
              ...odd,
              ...key === undefined ? {} : { "idempotency-key": key },
              ...last === undefined ? {} : { "last-event-id": last }
            },
            ...method === "GET" || method === "HEAD"
              ? {}
              : { body: typeof body === "string" ? body : Buffer.from(body) }
          })
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          peak = Math.max(peak, process.memoryUsage().rss)
          // What is too large to be read, or comes too slowly, is answered by the server below.
          if (status < 400 || status === 408 || status === 431 || method === "HEAD") return
          assert.strictEqual(headers.get("content-type"), "application/problem+json", `${method} ${path} ${status}`)
          assert.strictEqual(json.status, status)
          if (status === 500) assert.match(json.id, /^err_/)
          assert.notStrictEqual(status, 500, `${method} ${path}: ${JSON.stringify(json)}`)
        })))
      const before = process.memoryUsage().heapUsed
      const began = performance.now()
      yield* Effect.promise(() => fc.assert(property, { numRuns: runs, seed }))
      if (runs >= 10_000) {
        const seconds = Math.round((performance.now() - began) / 1000)
        const heap = Math.round((process.memoryUsage().heapUsed - before) / 1e6)
        const answers = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`)
        process.stdout.write(
          `${runs} requests in ${seconds} s; ${answers.join(", ")}; heap +${heap} MB, peak ${
            Math.round(peak / 1e6)
          } MB\n`
        )
      }
      assert.isBelow(process.memoryUsage().heapUsed - before, 300_000_000)
      assert.isAbove(statuses.get(400) ?? 0, 0)
      assert.strictEqual((yield* send(`${url}/v1/health`)).status, 200)
      const log = yield* Log.Log
      assert.isFalse((yield* log.sessions).some(({ actor }) => actor === "__proto__"))
    }), 3_600_000)

  it.effect("drops whoever sends slowly, and serves the others meanwhile", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("sloth", "viewer")
      const head = `POST /v1/audit/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`
      const starts = ["GET /v1/he", head, `${head}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{`]
      const [heard, other] = yield* Effect.all([
        Effect.forEach(starts, (start) => slow(url, start), { concurrency: "unbounded" }),
        ask(token, "GET", `${url}/v1/agents`)
      ], { concurrency: "unbounded" })
      assert.strictEqual(other.status, 200)
      for (const text of heard) assert.notInclude(text, "200 OK")
    }), 60_000)
})
