/** What is Bedrock's own: signatures, keys of two kinds, exceptions within streams, thoughts that are not shown. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted, Stream } from "effect"
import { Prompt, Tool, Toolkit } from "effect/ai"
import type * as http from "node:http"
import { Bedrock } from "../../../layers/bedrock/index.ts"
import { Failure } from "../../../src/backend/index.ts"
import { type Answering, serve } from "../../backend/Loopback.ts"
import { events, frame, key, wire } from "./wire.ts"

const raw = {
  toolkit: Toolkit.make(Tool.dynamic("look", { parameters: { type: "object" } })),
  disableToolCallResolution: true,
  toolCallValidation: "deferred"
} as const

const credentials = { accessKeyId: "AKIATEST", secretAccessKey: Redacted.make(key) }

const ok = (response: http.ServerResponse) => {
  const { body, headers, status } = wire.whole({ text: "ok" })
  response.writeHead(status, headers)
  response.end(body)
}
const play = (response: http.ServerResponse, frames: ReadonlyArray<Uint8Array>) => {
  response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" })
  response.end(Buffer.concat(frames))
}

const backed = (answering: Answering, options: Partial<Bedrock.Options> = { credentials }) =>
  Effect.gen(function*() {
    const server = yield* serve(answering)
    const { languageModel } = yield* Bedrock.make({
      model: "anthropic.claude-sonnet-5-v1:0",
      region: "eu-west-1",
      baseUrl: server.url,
      ...options
    })
    return { model: languageModel, server }
  })

const environment = (variables: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(variables))

describe("a request", () => {
  it.live("is signed for the region with keys of an account, or carries a key of Bedrock's own", () =>
    Effect.gen(function*() {
      const signed = yield* backed((_, response) => ok(response))
      yield* signed.model.generateText({ prompt: "Hi" })
      assert.match(
        signed.server.asked[0]?.headers.authorization ?? "",
        /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d+\/eu-west-1\/bedrock\/aws4_request/
      )
      assert.strictEqual(signed.server.asked[0]?.path, "/model/anthropic.claude-sonnet-5-v1%3A0/converse")
      const keyed = yield* backed((_, response) => ok(response), { apiKey: Redacted.make("key-of-bedrock") })
      yield* keyed.model.generateText({ prompt: "Hi" })
      assert.strictEqual(keyed.server.asked[0]?.headers.authorization, "Bearer key-of-bedrock")
    }))

  it.live("tells thoughts again as they were sealed, shown or not", () =>
    Effect.gen(function*() {
      const message = {
        content: [
          { reasoningContent: { reasoningText: { text: "Hm.", signature: "sig" } } },
          { reasoningContent: { redactedContent: "AQID" } },
          { text: "Yes" }
        ]
      }
      const whole = { output: { message }, stopReason: "end_turn", usage: { inputTokens: 1, outputTokens: 1 } }
      const delta = (contentBlockIndex: number, piece: object) =>
        frame("contentBlockDelta", { contentBlockIndex, delta: piece })
      const stop = (contentBlockIndex: number) => frame("contentBlockStop", { contentBlockIndex })
      const frames = [
        frame("messageStart", { role: "assistant" }),
        delta(0, { reasoningContent: { text: "Hm." } }),
        delta(0, { reasoningContent: { signature: "sig" } }),
        stop(0),
        delta(1, { reasoningContent: { redactedContent: "AQID" } }),
        stop(1),
        delta(2, { text: "Yes" }),
        stop(2),
        frame("messageStop", { stopReason: "end_turn" }),
        frame("metadata", { usage: { inputTokens: 1, outputTokens: 1 } })
      ]
      for (const way of ["whole", "streamed"] as const) {
        const { model, server } = yield* backed((_, response, attempt) => {
          if (attempt === 1 && way === "streamed") return play(response, frames)
          response.writeHead(200, { "content-type": "application/json" })
          response.end(JSON.stringify(whole))
        })
        const parts = way === "whole"
          ? (yield* model.generateText({ prompt: "Hi" })).content
          : yield* Stream.runCollect(model.streamText({ prompt: "Hi" }))
        const history = Prompt.concat(Prompt.make("Hi"), Prompt.fromResponseParts(parts))
        yield* model.generateText({ prompt: Prompt.concat(history, "Go on") })
        assert.deepStrictEqual(server.asked[1]?.body["messages"][1].content, message.content)
      }
    }))

  it.live("that no tool may be called cannot be made once calls stand in the conversation", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => ok(response))
      yield* model.generateText({ ...raw, prompt: "Hi", toolChoice: "none" })
      assert.isUndefined(server.asked[0]?.body["toolConfig"])
      const error = yield* Effect.flip(model.generateText({
        ...raw,
        toolChoice: "none",
        prompt: [
          { role: "user", content: "Hi" },
          { role: "assistant", content: [{ type: "tool-call", id: "a", name: "look", params: {} }] },
          { role: "tool", content: [{ type: "tool-result", id: "a", name: "look", isFailure: false, result: 1 }] }
        ]
      }))
      assert.strictEqual(Failure.kindOf(error.reason), "Unsupported")
      assert.lengthOf(server.asked, 1)
      for (
        const [toolChoice, told] of [["required", { any: {} }], [{ tool: "look" }, { tool: { name: "look" } }]] as const
      ) {
        yield* model.generateText({ ...raw, prompt: "Hi", toolChoice })
        assert.deepStrictEqual(server.asked.at(-1)?.body["toolConfig"].toolChoice, told)
      }
    }))

  it.live("may hold documents, under names that the vendor takes", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => ok(response))
      const file = { type: "file", mediaType: "application/pdf", data: "AQID" } as const
      yield* model.generateText({
        prompt: [{ role: "user", content: [{ ...file, fileName: "../../a_b.pdf" }, file] }]
      })
      assert.deepStrictEqual(server.asked[0]?.body["messages"][0].content, [
        { document: { format: "pdf", name: "-a-b-pdf", source: { bytes: "AQID" } } },
        { document: { format: "pdf", name: "document", source: { bytes: "AQID" } } }
      ])
    }))
})

describe("a stream", () => {
  const begun = events({ text: "Hello there" }).slice(0, 3).map(([type, payload]) => frame(type, payload))
  const failing = (frames: ReadonlyArray<Uint8Array>) =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => play(response, [...begun, ...frames]))
      const error = yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
      assert.lengthOf(server.asked, 1)
      return { kind: Failure.kindOf(error.reason), message: error.message }
    })

  it.live("that says what went wrong is cut short, in the vendor's words", () =>
    Effect.gen(function*() {
      for (const type of ["throttlingException", "modelStreamErrorException", "internalServerException"]) {
        const { kind, message } = yield* failing([frame(type, { message: "the model fell over" }, "exception")])
        assert.strictEqual(kind, "CutShort")
        assert.include(message, "the model fell over")
      }
    }))

  it.live("that ends within a frame is cut short; one whose frame does not add up is no answer", () =>
    Effect.gen(function*() {
      const [type = "", payload] = events({ text: "x" }).at(-1) ?? []
      const whole = frame(type, payload)
      assert.strictEqual((yield* failing([whole.subarray(0, whole.length - 5)])).kind, "CutShort")
      const wrong = Buffer.from(whole)
      wrong.writeUInt8(wrong.readUInt8(wrong.length - 1) ^ 1, wrong.length - 1)
      assert.strictEqual((yield* failing([wrong])).kind, "InvalidAnswer")
    }))

  it.live("without its usage is not whole", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        (yield* failing([
          frame("contentBlockStop", { contentBlockIndex: 0 }),
          frame("messageStop", { stopReason: "end_turn" })
        ])).kind,
        "CutShort"
      )
    }))
})

describe("a backend", () => {
  const nowhere = {
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/nowhere",
    AWS_SHARED_CREDENTIALS_FILE: "/nowhere"
  }

  it.live("is not made without keys or a region, and says what would help", () =>
    Effect.gen(function*() {
      // The SDK looks for keys in the environment of the process itself.
      const before = { ...process.env }
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.assign(process.env, nowhere)),
        () =>
          Effect.sync(() =>
            Object.keys(nowhere).forEach((name) => {
              if (before[name] === undefined) delete process.env[name]
              else process.env[name] = before[name]
            })
          )
      )
      const keyless = yield* Effect.flip(Bedrock.make({ model: "m", region: "eu-west-1" }).pipe(environment({})))
      assert.deepInclude(keyless.reason, { _tag: "MissingKey", variable: "AWS_ACCESS_KEY_ID" })
      assert.include(keyless.message, "AWS_BEARER_TOKEN_BEDROCK")
      const placeless = yield* Effect.flip(Bedrock.make({ model: "m", credentials }).pipe(environment({})))
      assert.deepInclude(placeless.reason, { _tag: "BadOption", option: "region" })
      const both = Bedrock.make({ model: "m" }).pipe(
        environment({ AWS_REGION: "eu-west-1", AWS_BEARER_TOKEN_BEDROCK: "k" })
      )
      assert.strictEqual((yield* both).name, "bedrock")
    }))
})
