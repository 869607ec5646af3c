/** What goes wrong, in the vocabulary of `effect/ai`; what is tried again and what is not. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Redacted, Stream } from "effect"
import type { AiError } from "effect/ai"
import { TestClock } from "effect/testing"
import type * as http from "node:http"
import { setTimeout } from "node:timers/promises"
import type { Anthropic } from "../../../layers/anthropic/index.ts"
import { Vendor } from "../../../src/backend/index.ts"
import { type Answering, backed, json, key, message, refuse, reset } from "./fakeMessages.ts"

const ok = (response: http.ServerResponse) => json(response, message([{ type: "text", text: "ok" }]))

/** The error that an answer becomes, and how often it was asked for. */
const failing = (answering: Answering, options: Partial<Anthropic.Options> = {}) =>
  Effect.gen(function*() {
    const { model, server } = yield* backed(answering, options)
    const error = yield* Effect.flip(model.generateText({ prompt: "Hi" }))
    return { error, reason: error.reason, asked: server.asked.length }
  })

describe("an error of the provider", () => {
  const cases: ReadonlyArray<readonly [number, string, string, AiError.AiErrorReason["_tag"]]> = [
    [400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum", "InvalidRequestError"],
    [400, "invalid_request_error", "Output blocked by content filtering policy", "ContentPolicyError"],
    [401, "authentication_error", "invalid x-api-key", "AuthenticationError"],
    [402, "billing_error", "credit balance is too low", "QuotaExhaustedError"],
    [403, "permission_error", "not allowed", "AuthenticationError"],
    [404, "not_found_error", "model: claude-nonesuch", "InvalidRequestError"],
    [413, "request_too_large", "too large", "InvalidRequestError"],
    [504, "timeout_error", "timed out", "InternalProviderError"]
  ]
  for (const [status, type, text, tag] of cases) {
    it.live(`${status} ${type} (${text}) is ${tag} and is not repeated`, () =>
      Effect.gen(function*() {
        const { asked, error, reason } = yield* failing((_, response) => refuse(response, status, type, text))
        assert.strictEqual(reason._tag, tag)
        assert.strictEqual(asked, 1)
        if (tag !== "QuotaExhaustedError") assert.include(error.message, text)
        assert.deepStrictEqual("metadata" in reason ? reason.metadata["anthropic"] : undefined, {
          status,
          type,
          requestId: "req_1"
        })
      }))
  }

  it.live("tells keys that are wrong from keys that may not", () =>
    Effect.gen(function*() {
      const kinds = [[401, "InvalidKey"], [403, "InsufficientPermissions"]] as const
      for (const [status, kind] of kinds) {
        const { reason } = yield* failing((_, response) => json(response, {}, status))
        assert.deepInclude(reason, { _tag: "AuthenticationError", kind })
      }
    }))

  it.live("whose body is a proxy's page is told by its status alone", () =>
    Effect.gen(function*() {
      const { error, reason } = yield* failing((_, response) => {
        response.writeHead(502, { "content-type": "text/html" })
        response.end("<h1>told in confidence</h1>")
      })
      assert.strictEqual(reason._tag, "InternalProviderError")
      assert.include(error.message, "status 502")
      assert.notInclude(error.message, "confidence")
    }))

  it.live("never repeats the key, whatever it looks like", () =>
    Effect.gen(function*() {
      for (const apiKey of [key, "an odd key / of no known form"]) {
        const { error } = yield* failing(
          (_, response) => refuse(response, 401, "authentication_error", `Bearer ${apiKey} (${apiKey}) is not valid`),
          { apiKey: Redacted.make(apiKey) }
        )
        assert.include(error.message, "is not valid")
        assert.notInclude(JSON.stringify(error) + error.message, apiKey)
      }
    }))
})

describe("an answer that is none", () => {
  const answers: ReadonlyArray<readonly [string, (response: http.ServerResponse) => void]> = [
    ["malformed JSON", (response) => {
      response.writeHead(200, { "content-type": "application/json" })
      response.end("{\"type\":\"message\", told in confidence")
    }],
    ["another content type", (response) => {
      response.writeHead(200, { "content-type": "text/plain" })
      response.end(JSON.stringify(message([{ type: "text", text: "told in confidence" }])))
    }],
    ["JSON of another shape", (response) => json(response, { completion: "told in confidence" })],
    ["no content", (response) => {
      response.writeHead(204)
      response.end()
    }],
    [
      "a known block without its text",
      (response) => json(response, message([{ type: "text", note: "told in confidence" }]))
    ],
    [
      "a fraction of a token",
      (response) => json(response, message([], { usage: { input_tokens: 1.5, output_tokens: 1 } }))
    ],
    [
      "fewer than no tokens",
      (response) => json(response, message([], { usage: { input_tokens: 1, output_tokens: -1 } }))
    ]
  ]
  for (const [name, answer] of answers) {
    it.live(`(${name}) is refused without being quoted`, () =>
      Effect.gen(function*() {
        const { error, reason } = yield* failing((_, response) => answer(response))
        assert.strictEqual(reason._tag, "InvalidResponseError")
        assert.notInclude(JSON.stringify(error) + error.message, "confidence")
      }))
  }
})

describe("a connection", () => {
  it.live("that is refused is a network error with the system's code", () =>
    Effect.gen(function*() {
      const { reason } = yield* failing(() => {}, { baseUrl: "http://127.0.0.1:1/prefix" })
      assert.deepInclude(reason, { _tag: "NetworkError", url: "http://127.0.0.1:1/prefix/v1/messages", method: "POST" })
    }))

  it.live("that breaks off in an answer is a network error", () =>
    Effect.gen(function*() {
      const { asked, reason } = yield* failing((_, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "5000" })
        response.write("{\"type\":")
        reset(response)
      })
      assert.strictEqual(reason._tag, "NetworkError")
      assert.strictEqual(asked, 1)
    }))

  it.live("on which nothing comes is given up and closed", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed(() => {}, { timeoutMs: 50 })
      const error = yield* Effect.flip(model.generateText({ prompt: "Hi" }))
      assert.strictEqual(error.reason._tag, "NetworkError")
      assert.include(error.message, "no answer in time")
      assert.strictEqual(server.asked.length, 1)
      yield* server.abandoned
    }))

  it.live("is closed when its caller is interrupted", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed(() => {})
      const fiber = yield* Effect.forkChild(model.generateText({ prompt: "Hi" }))
      yield* server.arrived(1)
      yield* Fiber.interrupt(fiber)
      yield* server.abandoned
    }))

  it.live("is closed when its caller is interrupted in the middle of an answer", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        response.write("{\"type\":")
      })
      const fiber = yield* Effect.forkChild(model.generateText({ prompt: "Hi" }))
      yield* server.arrived(1)
      yield* Effect.sleep("20 millis")
      yield* Fiber.interrupt(fiber)
      yield* server.abandoned
    }))
})

/** Runs with a clock that moves on only while the caller waits, and says when each request came. */
const timed = (answering: (response: http.ServerResponse, attempt: number) => void) =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const at: Array<number> = []
    const { model, server } = yield* backed((_, response, attempt) => {
      at.push(clock.currentTimeMillisUnsafe())
      answering(response, attempt)
    })
    const fiber = yield* Effect.forkChild(Effect.result(model.generateText({ prompt: "Hi" })))
    while (fiber.pollUnsafe() === undefined) {
      yield* Effect.promise(() => setTimeout(5))
      yield* TestClock.adjust("50 millis")
    }
    return { result: yield* Fiber.join(fiber), at, server }
  })

describe("a provider short of capacity", () => {
  it.effect("is asked again, later each time", () =>
    Effect.gen(function*() {
      const { at, result } = yield* timed((response, attempt) =>
        attempt < 3 ? refuse(response, 529, "overloaded_error", "Overloaded") : ok(response)
      )
      assert.strictEqual(result._tag, "Success")
      const [first = 0, second = 0, third = 0] = at
      assert.isAtLeast(second - first, Vendor.firstRetryMs * 0.8)
      assert.isAtLeast(third - second, Vendor.firstRetryMs * 1.6)
    }))

  it.effect("is asked a bounded number of times", () =>
    Effect.gen(function*() {
      const { result, server } = yield* timed((response) => refuse(response, 429, "rate_limit_error", "slow down"))
      assert.strictEqual(result._tag, "Failure")
      assert.strictEqual(server.asked.length, 1 + Vendor.maxRetries)
    }))

  it.live("is asked again when it says: in seconds, milliseconds or by a date", () =>
    Effect.gen(function*() {
      const past = "Thu, 01 Jan 2026 00:00:00 GMT"
      for (const headers of [{ "retry-after": "0.02" }, { "retry-after-ms": "20" }, { "retry-after": past }]) {
        const { model, server } = yield* backed((_, response, attempt) =>
          attempt === 1 ? refuse(response, 429, "rate_limit_error", "slow down", headers) : ok(response)
        )
        assert.strictEqual((yield* model.generateText({ prompt: "Hi" })).text, "ok")
        assert.strictEqual(server.asked.length, 2)
      }
    }))

  it.effect("is not asked before it said", () =>
    Effect.gen(function*() {
      const { at, result } = yield* timed((response, attempt) =>
        attempt === 1 ? refuse(response, 429, "rate_limit_error", "slow down", { "retry-after": "3" }) : ok(response)
      )
      assert.strictEqual(result._tag, "Success")
      const [first = 0, second = 0] = at
      assert.isAtLeast(second - first, 3000)
    }))

  it.live("that wants to be left alone for long is not waited for, and what it said is handed on", () =>
    Effect.gen(function*() {
      const { asked, error } = yield* failing((_, response) =>
        refuse(response, 429, "rate_limit_error", "slow down", { "retry-after": "3600" })
      )
      assert.strictEqual(asked, 1)
      assert.strictEqual(error.reason._tag, "RateLimitError")
      assert.strictEqual(error.retryAfter === undefined ? 0 : Duration.toSeconds(error.retryAfter), 3600)
      assert.isTrue(error.isRetryable)
    }))

  it.live("is left alone when it says that it is of no use, or that the money is spent", () =>
    Effect.gen(function*() {
      const hopeless = yield* failing((_, response) =>
        refuse(response, 429, "rate_limit_error", "no", { "x-should-retry": "false" })
      )
      assert.strictEqual(hopeless.asked, 1)
      const spent = yield* failing((_, response) =>
        refuse(response, 429, "rate_limit_error", "limit", {}, { error_code: "contract_spend_limit_reached" })
      )
      assert.strictEqual(spent.asked, 1)
      assert.strictEqual(spent.reason._tag, "QuotaExhaustedError")
      assert.isFalse(spent.error.isRetryable)
    }))

  it.live("is asked again for a stream that has not begun", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response, attempt) =>
        attempt === 1
          ? refuse(response, 503, "api_error", "unavailable", { "retry-after-ms": "10" })
          : refuse(response, 400, "invalid_request_error", "enough")
      )
      const error = yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
      assert.strictEqual(error.reason._tag, "InvalidRequestError")
      assert.strictEqual(server.asked.length, 2)
    }))
})
