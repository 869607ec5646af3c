/** What is Ollama's own: prompts that it would cut, lines that its SDK would lose, files that its SDK would read. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted, Stream } from "effect"
import { Tool, Toolkit } from "effect/ai"
import type * as http from "node:http"
import { Ollama } from "../../../layers/ollama/index.ts"
import { Failure } from "../../../src/backend/index.ts"
import { type Answering, serve } from "../../backend/Loopback.ts"
import { chunk, chunks, frame, wire } from "./wire.ts"

const raw = {
  toolkit: Toolkit.make(Tool.dynamic("look", { parameters: { type: "object" } })),
  disableToolCallResolution: true,
  toolCallValidation: "deferred"
} as const

const ok = (response: http.ServerResponse) => {
  const { body, headers, status } = wire.whole({ text: "ok" })
  response.writeHead(status, headers)
  response.end(body)
}

const backed = (answering: Answering, options: Partial<Ollama.Options> = {}) =>
  Effect.gen(function*() {
    const server = yield* serve(answering)
    const { languageModel } = yield* Ollama.make({ model: "llama3.3", baseUrl: server.url, ...options })
    return { model: languageModel, server }
  })

describe("a request", () => {
  it.live("is to be refused rather than cut, in the context that was asked for", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => ok(response), { contextTokens: 32_768 })
      yield* model.generateText({ prompt: "Hi" })
      assert.deepInclude(server.asked[0]?.body, { truncate: false, shift: false })
      assert.strictEqual(server.asked[0]?.body["options"].num_ctx, 32_768)
    }))

  it.live("has a key only where there is one", () =>
    Effect.gen(function*() {
      for (const apiKey of [undefined, Redacted.make("a key of a server")]) {
        const { model, server } = yield* backed(
          (_, response) => ok(response),
          apiKey === undefined ? {} : { apiKey }
        )
        yield* model.generateText({ prompt: "Hi" })
        const sent = server.asked[0]?.headers.authorization
        assert.strictEqual(sent, apiKey === undefined ? undefined : "Bearer a key of a server")
      }
    }))

  it.live("never reads a file of this machine for an image", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => ok(response))
      const image = (data: string | URL) =>
        model.generateText({
          prompt: [{ role: "user", content: [{ type: "file", mediaType: "image/png", data }] }]
        })
      // Four letters are base 64, and a folder that is there.
      yield* image("/etc")
      assert.deepStrictEqual(server.asked[0]?.body["messages"][0].images, ["/etc"])
      for (const data of ["/etc/passwd", new URL("https://example.org/a.png")]) {
        const error = yield* Effect.flip(image(data))
        assert.strictEqual(Failure.kindOf(error.reason), "Unsupported")
      }
      assert.lengthOf(server.asked, 1)
    }))

  it.live("that a tool must be called cannot be made, and is not sent", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => ok(response))
      const error = yield* Effect.flip(model.generateText({ ...raw, prompt: "Hi", toolChoice: "required" }))
      assert.strictEqual(Failure.kindOf(error.reason), "Unsupported")
      assert.lengthOf(server.asked, 0)
      yield* model.generateText({ ...raw, prompt: "Hi", toolChoice: "none" })
      assert.isUndefined(server.asked[0]?.body["tools"])
    }))
})

describe("a stream", () => {
  const streamed = (lines: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const { model } = yield* backed((_, response) => {
        response.writeHead(200, { "content-type": "application/x-ndjson" })
        response.end(lines.join(""))
      })
      return yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
    })

  it.live("with a line that is broken is refused, not told without it", () =>
    Effect.gen(function*() {
      const [first = "", second = "", ...rest] = chunks({ text: "Hello there" }).map(frame)
      const error = yield* streamed([first, second.replace("}", "]"), ...rest])
      assert.strictEqual(Failure.kindOf(error.reason), "InvalidAnswer")
    }))

  it.live("that says what went wrong is that", () =>
    Effect.gen(function*() {
      const error = yield* streamed([frame(chunk({ content: "Hel" })), frame({ error: "the runner has died" })])
      assert.strictEqual(Failure.kindOf(error.reason), "CutShort")
      assert.include(error.message, "the runner has died")
    }))
})

describe("a server", () => {
  it.live("that has not the model says how to get it", () =>
    Effect.gen(function*() {
      const { model } = yield* backed((_, response) => {
        response.writeHead(404, { "content-type": "application/json" })
        response.end(JSON.stringify({ error: "model 'llama3.3' not found" }))
      })
      const error = yield* Effect.flip(model.generateText({ prompt: "Hi" }))
      assert.strictEqual(Failure.kindOf(error.reason), "InvalidRequest")
      assert.include(error.message, "ollama pull llama3.3")
    }))

  it.live("is where its variable says, in each of its forms", () =>
    Effect.gen(function*() {
      const server = yield* serve((_, response) => ok(response))
      const port = new URL(server.url).port
      const forms = [`http://127.0.0.1:${port}/`, `127.0.0.1:${port}`, `:${port}`, `0.0.0.0:${port}`]
      for (const OLLAMA_HOST of forms) {
        const { languageModel } = yield* Ollama.make({ model: "m" }).pipe(
          Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({ OLLAMA_HOST }))
        )
        yield* languageModel.generateText({ prompt: "Hi" })
      }
      assert.lengthOf(server.asked, forms.length)
    }))
})
