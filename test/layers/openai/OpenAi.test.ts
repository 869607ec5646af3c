/** What is OpenAI's own: sealed thoughts, phases, refusals in words, answers that fail midway. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted, Stream } from "effect"
import { Prompt } from "effect/ai"
import type * as http from "node:http"
import { OpenAi } from "../../../layers/openai/index.ts"
import { Failure } from "../../../src/backend/index.ts"
import { type Answering, serve } from "../../backend/Loopback.ts"
import { events, frame, key, whole } from "./wire.ts"

const json = (response: http.ServerResponse, value: unknown) => {
  response.writeHead(200, { "content-type": "application/json" })
  response.end(JSON.stringify(value))
}
const play = (response: http.ServerResponse, all: ReadonlyArray<{ readonly type: string }>) => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.end(all.map(frame).join(""))
}

const backed = (answering: Answering, options: Partial<OpenAi.Options> = {}) =>
  Effect.gen(function*() {
    const server = yield* serve(answering)
    const { languageModel } = yield* OpenAi.make({
      model: "gpt-5.5",
      apiKey: Redacted.make(key),
      baseUrl: server.url,
      ...options
    })
    return { model: languageModel, server }
  })

describe("a request", () => {
  it.live("has nothing stored, and asks for sealed thoughts of models that have some", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [Partial<OpenAi.Options>, boolean]> = [
        [{ model: "gpt-5.5" }, true],
        [{ model: "o4-mini" }, true],
        [{ model: "gpt-4.1" }, false],
        [{ model: "gpt-5-chat-latest" }, false],
        [{ model: "my-own", thinks: true }, true]
      ]
      for (const [options, thinks] of cases) {
        const { model, server } = yield* backed((_, response) => json(response, whole({ text: "ok" })), options)
        yield* model.generateText({ prompt: "Hi" })
        assert.isFalse(server.asked[0]?.body["store"])
        assert.deepStrictEqual(server.asked[0]?.body["include"], thinks ? ["reasoning.encrypted_content"] : undefined)
        assert.strictEqual(server.asked[0]?.headers.authorization, `Bearer ${key}`)
      }
    }))

  it.live("tells thoughts and phases again as they were sealed, whole or streamed; another's thoughts it does not", () =>
    Effect.gen(function*() {
      const said = { thought: "Hm.", text: "Yes" }
      for (const way of ["whole", "streamed"] as const) {
        const { model, server } = yield* backed((_, response, attempt) =>
          attempt === 1 && way === "streamed" ? play(response, events(said)) : json(response, whole(said))
        )
        const parts = way === "whole"
          ? (yield* model.generateText({ prompt: "Hi" })).content
          : yield* Stream.runCollect(model.streamText({ prompt: "Hi" }))
        const history = Prompt.concat(Prompt.make("Hi"), Prompt.fromResponseParts(parts))
        yield* model.generateText({ prompt: Prompt.concat(history, "Go on") })
        assert.deepStrictEqual(server.asked[1]?.body["input"].slice(1, 3), [
          {
            type: "reasoning",
            id: "rs_1",
            summary: [{ type: "summary_text", text: "Hm." }],
            encrypted_content: "sealed"
          },
          { type: "message", role: "assistant", content: "Yes", phase: "final_answer" }
        ])
      }
      const { model, server } = yield* backed((_, response) => json(response, whole({ text: "ok" })))
      const foreign = { type: "reasoning", text: "Hm.", options: { anthropic: { signature: "sig" } } } as const
      yield* model.generateText({
        prompt: [{ role: "user", content: "Hi" }, { role: "assistant", content: [foreign] }]
      })
      assert.lengthOf(server.asked[0]?.body["input"], 1)
    }))

  it.live("may hold a PDF, by value or by address", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => json(response, whole({ text: "ok" })))
      yield* model.generateText({
        prompt: [{
          role: "user",
          content: [
            { type: "file", mediaType: "application/pdf", fileName: "a.pdf", data: new Uint8Array([1, 2, 3]) },
            { type: "file", mediaType: "application/pdf", data: new URL("https://example.org/a.pdf") }
          ]
        }]
      })
      assert.deepStrictEqual(server.asked[0]?.body["input"][0].content, [
        { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AQID" },
        { type: "input_file", file_url: "https://example.org/a.pdf" }
      ])
    }))
})

describe("an answer", () => {
  it.live("whose items were under way when the room ran out is ended with them", () =>
    Effect.gen(function*() {
      const all = events({ calls: [{ id: "call_a", name: "weather", params: { city: "Oslo" } }], stop: "length" })
      const { model } = yield* backed((_, response) =>
        play(response, all.filter(({ type }) => type !== "response.output_item.done"))
      )
      const parts = yield* Stream.runCollect(
        model.streamText({ prompt: "Hi", toolCallValidation: "deferred", disableToolCallResolution: true })
      )
      assert.deepInclude(parts.at(-1), { type: "finish", reason: "length" })
      assert.isTrue(parts.some(({ type }) => type === "tool-call"))
    }))

  const broken: ReadonlyArray<readonly [string, object, Failure.Kind]> = [
    [
      "fails midway",
      {
        type: "response.failed",
        response: { ...whole({}), status: "failed", error: { code: "server_error", message: "boom" } }
      },
      "CutShort"
    ],
    [
      "is filtered midway",
      {
        type: "response.failed",
        response: { ...whole({}), status: "failed", error: { code: "bio_policy", message: "no" } }
      },
      "ContentFiltered"
    ],
    ["says that it failed", { type: "error", code: "server_error", message: "boom", param: null }, "CutShort"]
  ]
  for (const [name, event, kind] of broken) {
    it.live(`that ${name} is ${kind}, in the vendor's words, and is not asked for again`, () =>
      Effect.gen(function*() {
        const { model, server } = yield* backed((_, response) =>
          play(response, [...events({ text: "Hello" }).slice(0, 4), event as { readonly type: string }])
        )
        const error = yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
        assert.strictEqual(Failure.kindOf(error.reason), kind)
        assert.match(error.message, /boom|no/)
        assert.lengthOf(server.asked, 1)
      }))
  }

  it.live("that failed as a whole is an error, not an answer", () =>
    Effect.gen(function*() {
      const { model } = yield* backed((_, response) =>
        json(response, { ...whole({}), status: "failed", error: { code: "server_error", message: "boom" } })
      )
      const error = yield* Effect.flip(model.generateText({ prompt: "Hi" }))
      assert.strictEqual(Failure.kindOf(error.reason), "CutShort")
    }))
})

it.effect("a backend is not made without a key, or with an address that holds one", () =>
  Effect.gen(function*() {
    const nowhere = Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({}))
    const keyless = yield* Effect.flip(OpenAi.make({ model: "m" }).pipe(nowhere))
    assert.include(keyless.message, "set OPENAI_API_KEY")
    const told = yield* Effect.flip(OpenAi.make({ model: "m", apiKey: Redacted.make(key), baseUrl: "https://a:b@c" }))
    assert.deepInclude(told.reason, { _tag: "BadOption", option: "baseUrl" })
  }))
