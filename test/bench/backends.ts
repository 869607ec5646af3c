/**
 * A model call by its vendor's own SDK, beside the same call through our layer and through the Governor, by turns in one
 * run, all against a server on the loopback address that speaks the vendor's wire format and answers at once.
 */
import Anthropic from "@anthropic-ai/sdk"
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime"
import { GoogleGenAI } from "@google/genai"
import { NodeHttpHandler } from "@smithy/node-http-handler"
import { Effect, Layer, Schema } from "effect"
import { Prompt, Tool as AiTool, Toolkit } from "effect/ai"
import { performance } from "node:perf_hooks"
import { Ollama } from "ollama"
import OpenAI from "openai"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Backend } from "../../src/backend/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { serve } from "../backend/Loopback.ts"
import type { Wire } from "../backend/Wire.ts"
import { wire as anthropic } from "../layers/anthropic/wire.ts"
import { wire as bedrock } from "../layers/bedrock/wire.ts"
import { wire as google } from "../layers/google/wire.ts"
import { wire as ollama } from "../layers/ollama/wire.ts"
import { wire as openai } from "../layers/openai/wire.ts"

const question = "What is the weather in Oslo, and should I take a coat?"
const description = "the weather in a city"
const name = "weather"
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] } as const
const maxTokens = 8192

/** The call as the vendor's users make it, with one client for all calls. */
const direct: ReadonlyArray<readonly [Wire, (url: string) => () => Promise<unknown>]> = [
  [anthropic, (baseURL) => {
    const client = new Anthropic({ apiKey: anthropic.key ?? "", baseURL, maxRetries: 0 })
    return () =>
      client.messages.create({
        model: anthropic.model,
        max_tokens: maxTokens,
        messages: [{ role: "user", content: question }],
        tools: [{ name, description, input_schema: { ...schema, required: [...schema.required] } }]
      })
  }],
  [bedrock, (endpoint) => {
    const client = new BedrockRuntimeClient({
      endpoint,
      region: "eu-west-1",
      credentials: { accessKeyId: "AKIATEST", secretAccessKey: bedrock.key ?? "" },
      maxAttempts: 1,
      // As our layer speaks to it; the SDK's own choice is HTTP/2.
      requestHandler: new NodeHttpHandler()
    })
    return () =>
      client.send(
        new ConverseCommand({
          modelId: bedrock.model,
          messages: [{ role: "user", content: [{ text: question }] }],
          inferenceConfig: { maxTokens },
          toolConfig: {
            tools: [{
              toolSpec: { name, description, inputSchema: { json: { ...schema, required: [...schema.required] } } }
            }]
          }
        })
      )
  }],
  [google, (baseUrl) => {
    const { models } = new GoogleGenAI({ apiKey: google.key ?? "", vertexai: false, httpOptions: { baseUrl } })
    return () =>
      models.generateContent({
        model: google.model,
        contents: question,
        config: {
          maxOutputTokens: maxTokens,
          tools: [{ functionDeclarations: [{ name, description, parametersJsonSchema: schema }] }]
        }
      })
  }],
  [ollama, (host) => {
    const client = new Ollama({ host })
    return () =>
      client.chat({
        model: ollama.model,
        messages: [{ role: "user", content: question }],
        options: { num_predict: maxTokens },
        stream: false,
        tools: [{
          type: "function",
          function: { name, description, parameters: { ...schema, required: [...schema.required] } }
        }]
      })
  }],
  [openai, (baseURL) => {
    const client = new OpenAI({ apiKey: openai.key ?? "", baseURL, maxRetries: 0 })
    return () =>
      client.responses.create({
        model: openai.model,
        input: question,
        max_output_tokens: maxTokens,
        store: false,
        tools: [{ type: "function", name, description, parameters: schema, strict: false }]
      })
  }]
]

const params = Schema.Struct({ city: Schema.String })
const asked = {
  prompt: question,
  toolkit: Toolkit.make(AiTool.make(name, { description, parameters: params })),
  disableToolCallResolution: true,
  toolCallValidation: "deferred"
} as const
const request = { prompt: Prompt.make(question), tools: [{ name, description, params }] }

const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

const timed = <A, E, R>(times: Array<number>, call: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.ensuring(call, Effect.sync(() => times.push(performance.now() - start)))
  })

/** Milliseconds of each call: all ways by turns, so that what else the machine does hits all of them. */
const measured = Effect.fnUntraced(
  function*(wire: Wire, start: (url: string) => () => Promise<unknown>, rounds: number) {
    const { body, headers, status } = wire.whole({ text: "Take one." })
    const server = yield* serve((_, response) => {
      response.writeHead(status, headers)
      response.end(body)
    })
    const sdk = start(server.url)
    const backend = yield* Effect.orDie(wire.make(server.url, {}))
    const [bySdk, byLayer, byGovernor]: [Array<number>, Array<number>, Array<number>] = [[], [], []]
    const Ask = Tool.make("ask", {
      description: "",
      capabilities: [`backend:${backend.name}`],
      params: Schema.Null,
      success: Schema.Null
    })
    const Asker = DeterministicActor.make("Asker", {
      description: "asks in all ways",
      input: Schema.Natural,
      output: Schema.Null,
      tools: [Ask],
      run: (rounds) =>
        Effect.gen(function*() {
          for (let round = 0; round < rounds; round++) {
            yield* timed(bySdk, Effect.promise(sdk))
            yield* timed(byLayer, Effect.orDie(backend.languageModel.generateText(asked)))
            yield* timed(byGovernor, Effect.orDie(Backend.generate(backend, request)))
          }
          return null
        })
    })
    const grant = Grant.make([`backend:${backend.name}`], { budgetMicroUsd: 1e12 })
    const run = (rounds: number) =>
      Dispatch.Dispatch.use((dispatch) => dispatch.start(Asker, rounds, { grant, caller: "bench" }))
    yield* Effect.gen(function*() {
      const warm = yield* run(Math.ceil(rounds / 4))
      if (warm._tag !== "Succeeded") return yield* Effect.die(warm)
      for (const times of [bySdk, byLayer, byGovernor]) times.length = 0
      yield* run(rounds)
    }).pipe(
      Effect.provide(Actor.layer(Asker).pipe(Layer.provideMerge(Memory.layer()))),
      Effect.provideService(Dispatch.CurrentCeilings, { caller: 1e12, class: 1e12 })
    )
    return { bySdk, byLayer, byGovernor }
  }
)

/** Prints what the layer and the Governor add to a call, for each vendor that has an SDK. */
export const overhead = (
  report: (name: string, value: number, unit: string, wanted?: string) => void,
  isQuick: boolean
) =>
  Effect.forEach(direct, ([wire, start]) =>
    Effect.scoped(Effect.gen(function*() {
      const { byGovernor, byLayer, bySdk } = yield* measured(wire, start, isQuick ? 200 : 1000)
      report(`${wire.name}: call by the vendor's SDK, p50`, median(bySdk), "ms")
      report(`${wire.name}: call through our layer, p50`, median(byLayer), "ms")
      report(`${wire.name}: governed call, in memory, p50`, median(byGovernor), "ms")
      report(`${wire.name}: our layer over the SDK, p50`, median(byLayer) - median(bySdk), "ms", "≤ 2")
      report(`${wire.name}: governed over the SDK, p50`, median(byGovernor) - median(bySdk), "ms", "≤ 2")
    })), { discard: true })
