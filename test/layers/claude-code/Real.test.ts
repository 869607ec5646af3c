/**
 * The program itself, where it is installed (on the path, or where AOSIQ_TEST_CLAUDE says), against the Messages API of a
 * server on the loopback address: that it takes what it is given, and writes what the fake writes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema, Stream } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import { ClaudeCode } from "../../../layers/claude-code/index.ts"
import { Failure } from "../../../src/backend/index.ts"
import { type Answering, type Asked, serve } from "../../backend/Loopback.ts"
import type { Said } from "../../backend/Wire.ts"
import { stream } from "../anthropic/fakeMessages.ts"
import { events, read, wire as messages } from "../anthropic/wire.ts"

const isThere = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const program = [
  process.env["AOSIQ_TEST_CLAUDE"],
  ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "claude"))
].find((file) => file !== undefined && isThere(file))

const Weather = Tool.make("weather", {
  description: "the weather in a city",
  parameters: Schema.Struct({ city: Schema.String }),
  success: Schema.String
})
const raw = {
  toolkit: Toolkit.make(Weather),
  disableToolCallResolution: true,
  toolCallValidation: "deferred"
} as const

/** Questions to the model, without the program's own calls. */
const questions = (asked: ReadonlyArray<Asked>) => asked.filter(({ path }) => path.startsWith("/v1/messages?"))

const backed = (answering: Answering) =>
  Effect.gen(function*() {
    const server = yield* serve((asked, response, attempt) => {
      if (asked.path.startsWith("/v1/messages?")) return answering(asked, response, attempt)
      response.writeHead(404)
      response.end()
    })
    const backend = yield* ClaudeCode.make({
      model: "claude-sonnet-5",
      program: program ?? "claude",
      apiKey: Redacted.make("sk-ant-test-0123456789abcdefghij"),
      baseUrl: server.url,
      maxOutputTokens: 1234
    })
    return { server, model: backend.languageModel }
  })

const saying = (said: Said) => backed((_, response) => stream(response, events(said)))

describe.skipIf(program === undefined)("the program itself", () => {
  it.live("asks what it was given, with our tools and none of its own", () =>
    Effect.gen(function*() {
      const { model, server } = yield* saying({
        text: "Hello, wörld 🌍",
        used: { fresh: 7, cacheRead: 100, cacheWrite: 20, answer: 9, reasoning: 0 }
      })
      const { finishReason, text, usage } = yield* model.generateText({
        ...raw,
        prompt: [
          { role: "system", content: "Be brief." },
          {
            role: "user",
            content: [
              { type: "text", text: "What is it?" },
              {
                type: "file",
                mediaType: "image/png",
                data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
              }
            ]
          }
        ]
      })
      assert.strictEqual(text, "Hello, wörld 🌍")
      assert.strictEqual(finishReason, "stop")
      assert.deepInclude({ ...usage.inputTokens }, { total: 127, cacheRead: 100, cacheWrite: 20 })
      assert.strictEqual(usage.outputTokens.total, 9)
      const [asked, ...more] = questions(server.asked)
      assert.lengthOf(more, 0)
      const body = {
        ...asked?.body,
        system: asked?.body["system"].map(({ text }: { text: string }) => text).join("\n")
      }
      const question = read(body as Record<string, any>)
      assert.include(question.system, "Be brief.")
      assert.include(question.texts.join("\n"), "What is it?")
      assert.lengthOf(question.images, 1)
      assert.deepStrictEqual(question.tools.map(({ description, name }) => ({ description, name })), [
        { name: "mcp__aosiq__weather", description: "the weather in a city" }
      ])
      assert.strictEqual(question.maxOutputTokens, 1234)
    }))

  it.live("hands calls back and runs none", () =>
    Effect.gen(function*() {
      const calls = [
        { id: "toolu_1", name: "mcp__aosiq__weather", params: { city: "Oslo" } },
        { id: "toolu_2", name: "mcp__aosiq__weather", params: { town: 3 } }
      ]
      const { model, server } = yield* saying({ text: "Looking.", calls })
      const parts = yield* Stream.runCollect(model.streamText({ ...raw, prompt: "Weather?" }))
      assert.deepStrictEqual(
        parts.flatMap((part) => part.type === "tool-call" ? [[part.name, part.params]] : []),
        [["weather", { city: "Oslo" }], ["weather", { town: 3 }]]
      )
      assert.deepInclude(parts.at(-1), { type: "finish", reason: "tool-calls" })
      assert.lengthOf(questions(server.asked), 1)
    }))

  it.live("asks once where an answer is cut at its limit", () =>
    Effect.gen(function*() {
      const { model, server } = yield* saying({ text: "Hel", stop: "length" })
      const { finishReason, text } = yield* model.generateText({ prompt: "Hi" })
      assert.strictEqual(text, "Hel")
      assert.strictEqual(finishReason, "length")
      assert.lengthOf(questions(server.asked), 1)
    }))

  it.live("refuses as the model does", () =>
    Effect.gen(function*() {
      const { model } = yield* saying({ text: "No.", stop: "refusal" })
      const { finishReason, usage } = yield* model.generateText({ prompt: "Hi" })
      assert.strictEqual(finishReason, "content-filter")
      assert.isUndefined(usage.outputTokens.total, "it does not say")
    }))

  it.live("answers an object", () =>
    Effect.gen(function*() {
      const { model } = yield* saying({ calls: [{ id: "toolu_1", name: "StructuredOutput", params: { n: 3 } }] })
      const { value } = yield* model.generateObject({ prompt: "Count", schema: Schema.Struct({ n: Schema.Finite }) })
      assert.deepStrictEqual(value, { n: 3 })
    }))

  it.live("tells a stream that was cut from one that ended", () =>
    Effect.gen(function*() {
      const { model } = yield* backed((_, response) => stream(response, events({ text: "Hello" }).slice(0, -2)))
      const error = yield* Effect.flip(model.generateText({ prompt: "Hi" }))
      assert.strictEqual(Failure.kindOf(error.reason), "CutShort")
    }))

  const kinds = {
    tooLong: "ContextTooLong",
    unauthorized: "Unauthorized",
    quota: "QuotaExhausted",
    filtered: "ContentFiltered"
  } as const
  for (const [refusal, kind] of Object.entries(kinds) as ReadonlyArray<[keyof typeof kinds, Failure.Kind]>) {
    it.live(`says that "${refusal}" is ${kind}`, () =>
      Effect.gen(function*() {
        const { model } = yield* backed((_, response) => {
          const { body, headers, status } = messages.refuse(refusal, "so it is")
          response.writeHead(status, headers)
          response.end(body)
        })
        const error = yield* Effect.flip(model.generateText({ prompt: "Hi" }))
        assert.strictEqual(Failure.kindOf(error.reason), kind)
      }))
  }

  it.live("is started again where the vendor is short of capacity", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => {
        if (questions(server.asked).length > 1) return stream(response, events({ text: "ok" }))
        const { body, headers, status } = messages.refuse("rate", "slow down")
        response.writeHead(status, headers)
        response.end(body)
      })
      assert.strictEqual((yield* model.generateText({ prompt: "Hi" })).text, "ok")
      assert.lengthOf(questions(server.asked), 2)
    }))
})
