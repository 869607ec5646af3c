/** Whole answers: what is sent, what comes back, and how a backend is made. */
import { assert, describe, it, vi } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted, Schema, Stream, Tracer } from "effect"
import { Prompt, Tool, Toolkit } from "effect/ai"
import { Anthropic } from "../../../layers/anthropic/index.ts"
import { Setup } from "../../../src/backend/index.ts"
import { backed, json, key, message, usage } from "./fakeMessages.ts"

const Weather = Tool.make("weather", {
  description: "the weather in a city",
  parameters: Schema.Struct({ city: Schema.String }),
  success: Schema.String
})
const Now = Tool.make("now", { description: "the time" })
const tools = Toolkit.make(Weather, Now)
/** As the governed call asks: nobody runs anything. */
const raw = { toolkit: tools, disableToolCallResolution: true, toolCallValidation: "deferred" } as const

describe("a text", () => {
  it.live("is asked for with the key, the system text and the conversation, and comes back with its usage", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) =>
        json(response, message([{ type: "text", text: "Hello" }]))
      )
      const answer = yield* model.generateText({
        prompt: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "Hi" },
          { role: "assistant", content: "Yes?" },
          { role: "user", content: [{ type: "text", text: "Say hello" }, { type: "text", text: "" }] }
        ]
      })
      assert.strictEqual(answer.text, "Hello")
      assert.strictEqual(answer.finishReason, "stop")
      assert.strictEqual(answer.usage.inputTokens.total, 10)
      assert.strictEqual(answer.usage.outputTokens.total, 5)
      const [asked] = server.asked
      assert.strictEqual(asked?.path, "/v1/messages")
      assert.strictEqual(asked?.headers.authorization, `Bearer ${key}`)
      assert.deepStrictEqual(asked?.body, {
        model: "claude-sonnet-5",
        max_tokens: Setup.defaultMaxOutputTokens,
        system: "Be brief.",
        messages: [
          { role: "user", content: [{ type: "text", text: "Hi" }] },
          { role: "assistant", content: [{ type: "text", text: "Yes?" }] },
          { role: "user", content: [{ type: "text", text: "Say hello" }] }
        ]
      })
    }))

  it.live("that used the cache counts what was read and written as input", () =>
    Effect.gen(function*() {
      const { model } = yield* backed((_, response) =>
        json(
          response,
          message([{ type: "text", text: "ok" }], {
            usage: {
              input_tokens: 7,
              cache_read_input_tokens: 100,
              cache_creation_input_tokens: 20,
              output_tokens: 50,
              output_tokens_details: { thinking_tokens: 30 }
            }
          })
        )
      )
      const { usage } = yield* model.generateText({ prompt: "Hi" })
      assert.deepStrictEqual({ ...usage.inputTokens }, { uncached: 7, total: 127, cacheRead: 100, cacheWrite: 20 })
      assert.deepStrictEqual({ ...usage.outputTokens }, { total: 50, reasoning: 30, text: 20 })
    }))

  it.live("ends for the reason the provider gives", () =>
    Effect.gen(function*() {
      const reasons = {
        end_turn: "stop",
        stop_sequence: "stop",
        max_tokens: "length",
        model_context_window_exceeded: "length",
        tool_use: "tool-calls",
        pause_turn: "pause",
        refusal: "content-filter",
        something_new: "other"
      }
      for (const [stop_reason, expected] of Object.entries(reasons)) {
        const { model } = yield* backed((_, response) => json(response, message([], { stop_reason })))
        const answer = yield* model.generateText({ prompt: "Hi" })
        assert.strictEqual(answer.finishReason, expected)
        assert.strictEqual(answer.usage.outputTokens.total, 5, "a refusal is paid for like any answer")
      }
    }))

  it.live("leaves its usage on the span", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const { model } = yield* backed((_, response) => json(response, message([{ type: "text", text: "ok" }])))
      yield* Effect.withTracer(model.generateText({ prompt: "Hi" }), tracer)
      const attributes = spans.find(({ name }) => name === "LanguageModel.generateText")?.attributes
      assert.strictEqual(attributes?.get("gen_ai.usage.input_tokens"), 10)
      assert.strictEqual(attributes?.get("gen_ai.usage.output_tokens"), 5)
    }))
})

/** What the tool `weather` answered. */
const result = (id: string, result: unknown, isFailure: boolean) =>
  ({ type: "tool-result", id, name: "weather", isFailure, result }) as const

describe("tools", () => {
  it.live("are described by their schemas, and parallel calls come back as they were written", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) =>
        json(
          response,
          message([
            { type: "text", text: "Looking." },
            { type: "tool_use", id: "t1", name: "weather", input: { city: "Oslo" } },
            { type: "tool_use", id: "t2", name: "weather", input: { town: 3 } },
            { type: "tool_use", id: "t3", name: "unheard_of", input: {} },
            { type: "server_tool_use", id: "t4", name: "web_search", input: {} }
          ], { stop_reason: "tool_use" })
        )
      )
      const answer = yield* model.generateText({ prompt: "Weather?", ...raw })
      assert.deepStrictEqual(
        answer.toolCalls.map(({ id, name, params }) => ({ id, name, params })),
        [
          { id: "t1", name: "weather", params: { city: "Oslo" } },
          { id: "t2", name: "weather", params: { town: 3 } },
          { id: "t3", name: "unheard_of", params: {} }
        ]
      )
      assert.strictEqual(answer.finishReason, "tool-calls")
      assert.strictEqual(answer.usage.outputTokens.total, usage.output_tokens)
      const [first, second] = server.asked[0]?.body["tools"] ?? []
      assert.strictEqual(first.name, "weather")
      assert.strictEqual(first.description, "the weather in a city")
      assert.deepInclude(first.input_schema, { type: "object", required: ["city"] })
      assert.strictEqual(second.input_schema.type, "object")
      assert.deepStrictEqual(server.asked[0]?.body["tool_choice"], { type: "auto" })
    }))

  it.live("are chosen as asked", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => json(response, message([])))
      const choices = [
        "none",
        "required",
        { tool: "weather" },
        { oneOf: ["now"] },
        { oneOf: ["now"], mode: "required" }
      ] as const
      for (const toolChoice of choices) yield* model.generateText({ prompt: "Hi", ...raw, toolChoice })
      assert.deepStrictEqual(server.asked.map(({ body }) => body["tool_choice"]), [
        { type: "none" },
        { type: "any" },
        { type: "tool", name: "weather" },
        { type: "auto" },
        { type: "any" }
      ])
      assert.deepStrictEqual(server.asked[3]?.body["tools"].map(({ name }: { name: string }) => name), ["now"])
    }))

  it.live("give their results in the one message that follows their calls", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => json(response, message([])))
      yield* model.generateText({
        prompt: [
          { role: "user", content: "Weather?" },
          {
            role: "assistant",
            content: [
              { type: "tool-call", id: "t1", name: "weather", params: { city: "Oslo" } },
              { type: "tool-call", id: "t2", name: "weather", params: { city: "Bergen" } }
            ]
          },
          { role: "tool", content: [result("t1", "sunny", false)] },
          { role: "tool", content: [result("t2", { code: 7 }, true)] },
          { role: "user", content: "And?" }
        ],
        ...raw
      })
      assert.deepStrictEqual(server.asked[0]?.body["messages"].slice(1), [
        {
          role: "assistant",
          content: [
            { type: "tool_use", id: "t1", name: "weather", input: { city: "Oslo" } },
            { type: "tool_use", id: "t2", name: "weather", input: { city: "Bergen" } }
          ]
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "t1", content: "sunny" },
            { type: "tool_result", tool_use_id: "t2", content: "{\"code\":7}", is_error: true },
            { type: "text", text: "And?" }
          ]
        }
      ])
    }))

  it.live("without parameters, or with a named schema, are an object to the provider", () =>
    Effect.gen(function*() {
      class Place extends Schema.Class<Place>("Place")({ city: Schema.String }) {}
      const kit = Toolkit.make(
        Tool.dynamic("nothing", { parameters: Schema.Struct({}) }),
        Tool.dynamic("place", { parameters: Place })
      )
      const { model, server } = yield* backed((_, response) => json(response, message([])))
      yield* model.generateText({ ...raw, prompt: "Hi", toolkit: kit })
      const [nothing, place] = server.asked[0]?.body["tools"] ?? []
      assert.deepStrictEqual(nothing.input_schema, { type: "object" })
      assert.strictEqual(place.input_schema.type, "object")
      assert.deepStrictEqual(place.input_schema.properties, { city: { type: "string" } })
    }))

  it.live("that cannot be offered are refused before anything is sent", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => json(response, message([])))
      const Search = Tool.providerDefined({
        id: "anthropic.web_search",
        customName: "search",
        providerName: "web_search",
        parameters: Schema.Struct({ query: Schema.String })
      })
      const either = Schema.Union([Schema.Struct({ a: Schema.String }), Schema.String])
      for (const tool of [Search(undefined), Tool.dynamic("either", { parameters: either })]) {
        const error = yield* Effect.flip(
          model.generateText({ ...raw, prompt: "Hi", toolkit: Toolkit.make(tool) })
        )
        assert.strictEqual(error.reason._tag, "ToolConfigurationError")
      }
      assert.strictEqual(server.asked.length, 0)
    }))
})

describe("thoughts", () => {
  it.live("come back, and are told to the provider again as it signed them", () =>
    Effect.gen(function*() {
      const content = [
        { type: "thinking", thinking: "Hm.", signature: "sig" },
        { type: "redacted_thinking", data: "opaque" },
        { type: "text", text: "Yes" }
      ]
      const { model, server } = yield* backed((_, response) => json(response, message(content)))
      const answer = yield* model.generateText({ prompt: "Hi" })
      assert.strictEqual(answer.reasoningText, "Hm.")
      const prompt = Prompt.concat(Prompt.make("Hi"), Prompt.fromResponseParts(answer.content))
      yield* model.generateText({ prompt: Prompt.concat(prompt, "Go on") })
      assert.deepStrictEqual(server.asked[1]?.body["messages"][1], { role: "assistant", content })
    }))

  it.live("of another model are left out", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => json(response, message([])))
      yield* model.generateText({
        prompt: [
          { role: "user", content: "Hi" },
          { role: "assistant", content: [{ type: "reasoning", text: "Hm." }] },
          { role: "user", content: "Well?" }
        ]
      })
      assert.deepStrictEqual(server.asked[0]?.body["messages"], [
        { role: "user", content: [{ type: "text", text: "Hi" }, { type: "text", text: "Well?" }] }
      ])
    }))
})

describe("files", () => {
  it.live("are images or PDF, by value or by address", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => json(response, message([])))
      yield* model.generateText({
        prompt: [{
          role: "user",
          content: [
            { type: "file", mediaType: "image/png", data: new Uint8Array([1, 2, 3]) },
            { type: "file", mediaType: "image/jpeg", data: "data:image/jpeg;base64,AQID" },
            { type: "file", mediaType: "application/pdf", data: new URL("https://example.org/a.pdf") }
          ]
        }]
      })
      assert.deepStrictEqual(server.asked[0]?.body["messages"][0].content, [
        { type: "image", source: { type: "base64", media_type: "image/png", data: "AQID" } },
        { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "AQID" } },
        { type: "document", source: { type: "url", url: "https://example.org/a.pdf" } }
      ])
    }))

  it.live("of another kind are refused before anything is sent", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => json(response, message([])))
      const error = yield* Effect.flip(model.generateText({
        prompt: [{ role: "user", content: [{ type: "file", mediaType: "audio/wav", data: "AQID" }] }]
      }))
      assert.strictEqual(error.reason._tag, "InvalidUserInputError")
      assert.strictEqual(server.asked.length, 0)
    }))
})

describe("an object", () => {
  it.live("is asked for by its schema and decoded", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) =>
        json(response, message([{ type: "text", text: "{\"n\":3}" }]))
      )
      const answer = yield* model.generateObject({ prompt: "Count", schema: Schema.Struct({ n: Schema.Finite }) })
      assert.deepStrictEqual(answer.value, { n: 3 })
      const format = server.asked[0]?.body["output_config"].format
      assert.strictEqual(format.type, "json_schema")
      assert.deepInclude(format.schema, { type: "object", required: ["n"], additionalProperties: false })
    }))
})

const environment = (variables: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(variables))

describe("a backend", () => {
  it.live("writes nothing to the console, whatever the SDK thinks of the model", () =>
    Effect.gen(function*() {
      const written = (["log", "warn", "error"] as const).map((method) => vi.spyOn(console, method))
      const { model } = yield* backed((_, response) => json(response, { nonsense: true }), {
        model: "claude-sonnet-4-5"
      })
      yield* Effect.flip(model.generateText({ prompt: "Hi" }))
      yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
      for (const spy of written) {
        assert.strictEqual(spy.mock.calls.length, 0)
        spy.mockRestore()
      }
    }))

  it.effect("has the name, the model and the bound it was made with", () =>
    Effect.gen(function*() {
      const backend = yield* Anthropic.make({ model: "m", apiKey: Redacted.make(key), maxOutputTokens: 100 })
      assert.deepInclude(backend, { name: "anthropic", model: "m", notice: null, maxOutputTokens: 100 })
    }))

  it.live("takes its key from the configuration", () =>
    Effect.gen(function*() {
      const { server } = yield* backed((_, response) => json(response, message([])))
      const backend = yield* Anthropic.make({ model: "m", baseUrl: `${server.url}/` }).pipe(
        environment({ ANTHROPIC_API_KEY: key })
      )
      yield* backend.languageModel.generateText({ prompt: "Hi" })
      assert.strictEqual(server.asked[0]?.headers.authorization, `Bearer ${key}`)
    }))

  it.effect("is not made without a key", () =>
    Effect.gen(function*() {
      for (const variables of [{}, { ANTHROPIC_API_KEY: " " }]) {
        const error = yield* Effect.flip(Anthropic.make({ model: "m" }).pipe(environment(variables)))
        assert.strictEqual(error.reason._tag, "MissingKey")
        assert.include(error.message, "set ANTHROPIC_API_KEY")
      }
    }))

  it.effect("is not made from options that cannot work", () =>
    Effect.gen(function*() {
      const apiKey = Redacted.make(key)
      const wrong: ReadonlyArray<[string, Anthropic.Options]> = [
        ["baseUrl", { model: "m", baseUrl: "example.org" }],
        ["baseUrl", { model: "m", baseUrl: "file:///etc/passwd" }],
        ["baseUrl", { model: "m", baseUrl: "https://me:hunter22@example.org" }],
        ["model", { model: " " }],
        ["maxOutputTokens", { model: "m", maxOutputTokens: 0 }],
        ["timeoutMs", { model: "m", timeoutMs: 1.5 }]
      ]
      for (const [option, options] of wrong) {
        const error = yield* Effect.flip(Anthropic.make({ ...options, apiKey }))
        assert.deepInclude(error.reason, { _tag: "BadOption", option })
        assert.notInclude(error.message, "hunter22")
      }
    }))
})
