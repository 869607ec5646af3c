/** What is Gemini's own: seals of thoughts, waits that stand in the body, prompts that are blocked, an SDK with habits. */
import { assert, describe, it, vi } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted, Stream } from "effect"
import { Prompt, Tool, Toolkit } from "effect/ai"
import type * as http from "node:http"
import { Gemini } from "../../../layers/google/index.ts"
import { Failure } from "../../../src/backend/index.ts"
import { type Answering, serve } from "../../backend/Loopback.ts"
import { chunk, chunks, frame, key, wire } from "./wire.ts"

const raw = {
  toolkit: Toolkit.make(Tool.dynamic("look", { parameters: { type: "object" } })),
  disableToolCallResolution: true,
  toolCallValidation: "deferred"
} as const

const json = (response: http.ServerResponse, value: unknown, status = 200) => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(value))
}
const play = (response: http.ServerResponse, all: ReadonlyArray<object>) => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.end(all.map(frame).join(""))
}
const ok = (response: http.ServerResponse) => response.end(wire.whole({ text: "ok" }).body)

const backed = (answering: Answering) =>
  Effect.gen(function*() {
    const server = yield* serve(answering)
    const { languageModel } = yield* Gemini.make({
      model: "gemini-3.5-flash",
      apiKey: Redacted.make(key),
      baseUrl: server.url
    })
    return { model: languageModel, server }
  })

describe("a conversation", () => {
  it.live("is told again with the seals of its thoughts, in calls and in texts, and with no ids but the vendor's", () =>
    Effect.gen(function*() {
      const call = (city: string, seal?: string) => ({
        functionCall: { name: "look", args: { city } },
        ...(seal === undefined ? {} : { thoughtSignature: seal })
      })
      const parts = [{ text: "Let me see.", thoughtSignature: "first" }, call("Oslo", "second"), call("Bergen")]
      const end = { finishReason: "STOP" }
      const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5 }
      for (const way of ["whole", "streamed"] as const) {
        const { model, server } = yield* backed((_, response, attempt) => {
          if (attempt === 2) return json(response, { ...chunk([{ text: "ok" }], end), usageMetadata })
          return way === "whole"
            ? json(response, { ...chunk(parts, end), usageMetadata })
            : play(response, [...parts.map((part) => chunk([part])), { ...chunk([], end), usageMetadata }])
        })
        const first = way === "whole"
          ? (yield* model.generateText({ ...raw, prompt: "Hi" })).content
          : yield* Stream.runCollect(model.streamText({ ...raw, prompt: "Hi" }))
        const results = first.flatMap((part) =>
          part.type === "tool-call"
            ? [
              Prompt.makePart("tool-result", {
                id: part.id,
                name: part.name,
                isFailure: false,
                result: part.id,
                providerExecuted: false
              })
            ]
            : []
        )
        const history = Prompt.concat(Prompt.make("Hi"), Prompt.fromResponseParts(first))
        yield* model.generateText({
          ...raw,
          prompt: Prompt.concat(history, Prompt.fromMessages([Prompt.makeMessage("tool", { content: results })]))
        })
        const [, said, told] = server.asked[1]?.body["contents"] ?? []
        assert.deepStrictEqual(said, { role: "model", parts })
        assert.deepStrictEqual(
          told.parts,
          ["call-1", "call-2"].map((output) => ({
            functionResponse: { name: "look", response: { output } }
          }))
        )
      }
    }))
})

describe("the SDK", () => {
  it.live("does not go on by itself where the vendor would let it", () =>
    Effect.gen(function*() {
      const unfinished = { ...chunk([{ text: "Hel" }], { finishReason: "CONTINUATION" }), continuationToken: "more" }
      const { model, server } = yield* backed((_, response) =>
        json(response, { ...unfinished, usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5 } })
      )
      const { finishReason } = yield* model.generateText({ prompt: "Hi" })
      assert.strictEqual(finishReason, "pause")
      assert.lengthOf(server.asked, 1)
    }))

  it.live("sends the key as a header, and nothing else of the environment's", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        ok(response)
      })
      yield* model.generateText({ prompt: "Hi" })
      assert.strictEqual(server.asked[0]?.headers["x-goog-api-key"], key)
      assert.strictEqual(server.asked[0]?.path, "/v1/models/gemini-3.5-flash:generateContent")
    }))

  it.live("has no say on the console about texts that are not alone", () =>
    Effect.gen(function*() {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => {})
      const { model } = yield* backed((_, response) => play(response, chunks({ thought: "Hm.", text: "Yes" })))
      yield* Stream.runDrain(model.streamText({ prompt: "Hi" }))
      assert.lengthOf(warn.mock.calls, 0)
      warn.mockRestore()
    }))
})

describe("an answer", () => {
  it.live("to a prompt that is blocked is none, says why, and what it used", () =>
    Effect.gen(function*() {
      const blocked = { promptFeedback: { blockReason: "SAFETY" }, usageMetadata: { promptTokenCount: 12 } }
      for (const way of ["whole", "streamed"] as const) {
        const { model } = yield* backed((_, response) =>
          way === "whole" ? json(response, blocked) : play(response, [blocked])
        )
        const parts = way === "whole"
          ? (yield* model.generateText({ prompt: "Hi" })).content
          : yield* Stream.runCollect(model.streamText({ prompt: "Hi" }))
        const finish = parts.find((part) => part.type === "finish")
        assert.strictEqual(finish?.reason, "content-filter")
        assert.strictEqual(finish?.usage.inputTokens.total, 12)
        assert.strictEqual(finish?.usage.outputTokens.total, 0)
      }
    }))

  it.live("whose call is malformed keeps its usage", () =>
    Effect.gen(function*() {
      const { model } = yield* backed((_, response) =>
        json(response, {
          ...chunk([], { finishReason: "MALFORMED_FUNCTION_CALL" }),
          usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, toolUsePromptTokenCount: 2 }
        })
      )
      const { finishReason, usage } = yield* model.generateText({ ...raw, prompt: "Hi" })
      assert.strictEqual(finishReason, "error")
      assert.strictEqual(usage.inputTokens.total, 12)
      assert.strictEqual(usage.outputTokens.total, 5)
    }))

  it.live("that says what went wrong in the middle is that, and is not asked for again", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write(frame(chunk([{ text: "Hel" }])))
        response.end(frame({ error: { code: 503, status: "UNAVAILABLE", message: "overloaded" } }))
      })
      const error = yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
      assert.strictEqual(Failure.kindOf(error.reason), "CutShort")
      assert.include(error.message, "overloaded")
      assert.lengthOf(server.asked, 1)
    }))
})

describe("a refusal", () => {
  it.live("says how long to wait in its body", () =>
    Effect.gen(function*() {
      const detail = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.02s" }
      const { model, server } = yield* backed((_, response, attempt) => {
        if (attempt > 1) {
          response.writeHead(200, { "content-type": "application/json" })
          return ok(response)
        }
        json(response, { error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "slow", details: [detail] } }, 429)
      })
      const before = process.hrtime.bigint()
      yield* model.generateText({ prompt: "Hi" })
      assert.lengthOf(server.asked, 2)
      // Less than our own pause would have been.
      assert.isBelow(Number(process.hrtime.bigint() - before) / 1e6, 390)
    }))

  it.effect("before anything is asked is for want of a key", () =>
    Effect.gen(function*() {
      const under = (variables: Record<string, string>) =>
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(variables))
      const error = yield* Effect.flip(Gemini.make({ model: "m" }).pipe(under({})))
      assert.include(error.message, "set GEMINI_API_KEY")
      for (const variable of ["GEMINI_API_KEY", "GOOGLE_API_KEY"]) {
        assert.strictEqual((yield* Gemini.make({ model: "m" }).pipe(under({ [variable]: key }))).name, "gemini")
      }
    }))
})
