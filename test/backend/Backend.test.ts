/** The governed call: heard while it comes, told again as it was said, and paid for where nobody says what it used. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import { LanguageModel, type Response } from "effect/ai"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, Agent } from "../../src/actor/index.ts"
import type { Backend } from "../../src/backend/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { governed } from "./governed.ts"

type Usage = Response.FinishPartEncoded["usage"]
const used: Usage = {
  inputTokens: { total: 10, uncached: 6, cacheRead: 3, cacheWrite: 1 },
  outputTokens: { total: 5, text: 3, reasoning: 2 }
}
const untold: Usage = { ...used, outputTokens: { total: undefined, text: undefined, reasoning: undefined } }

const finish = (usage: Usage, reason: Response.FinishReason = "stop") =>
  ({ type: "finish", reason, usage, response: undefined }) as const

/** A backend that says these parts, whole or in pieces. */
const saying = (
  whole: (options: LanguageModel.ProviderOptions, turn: number) => Array<Response.PartEncoded>,
  pieces: ReadonlyArray<Response.StreamPartEncoded> = []
): Effect.Effect<Backend.Backend<"scripted">> => {
  let turn = 0
  return Effect.map(
    LanguageModel.make({
      generateText: (options) => Effect.sync(() => whole(options, turn++)),
      streamText: () => Stream.fromIterable(pieces)
    }),
    (languageModel) => ({ name: "scripted", model: "m", notice: null, maxOutputTokens: 100, languageModel })
  )
}

describe("a turn", () => {
  const pieces: ReadonlyArray<Response.StreamPartEncoded> = [
    { type: "reasoning-start", id: "0" },
    { type: "reasoning-delta", id: "0", delta: "Hm." },
    { type: "reasoning-end", id: "0", metadata: { vendor: { seal: "s" } } },
    { type: "text-start", id: "1" },
    { type: "text-delta", id: "1", delta: "Hel" },
    { type: "text-delta", id: "1", delta: "lo" },
    { type: "text-end", id: "1" },
    { type: "tool-call", id: "c", name: "weather", params: { city: "Oslo" }, metadata: { vendor: { seal: "t" } } },
    finish(used, "tool-calls")
  ]
  const whole: Array<Response.PartEncoded> = [
    { type: "reasoning", text: "Hm.", metadata: { vendor: { seal: "s" } } },
    { type: "text", text: "Hello" },
    { type: "tool-call", id: "c", name: "weather", params: { city: "Oslo" }, metadata: { vendor: { seal: "t" } } },
    finish(used, "tool-calls")
  ]

  it.effect("is the same whether it came whole or piece by piece, with the seals of its thoughts", () =>
    Effect.gen(function*() {
      const backend = yield* saying(() => whole, pieces)
      const one = yield* governed(backend, "whole")
      const other = yield* governed(backend, "streamed")
      assert.deepInclude(one.turn, {
        text: "Hello",
        finish: "tool-calls",
        calls: [{ id: "c", name: "weather", params: { city: "Oslo" } }],
        usage: { input: 10, output: 5, cacheRead: 3, cacheWrite: 1, reasoning: 2 }
      })
      assert.deepStrictEqual(other.turn, one.turn)
      const seals = one.turn?.said?.flatMap((part) => JSON.stringify(part).match(/"seal":"\w"/g) ?? [])
      assert.deepStrictEqual(seals, ["\"seal\":\"s\"", "\"seal\":\"t\""])
    }))

  it.effect("is heard piece by piece while it comes", () =>
    Effect.gen(function*() {
      const heard: Array<string> = []
      const backend = yield* saying(() => whole, pieces)
      yield* governed(backend, "streamed", ({ type }) => Effect.sync(() => void heard.push(type)))
      assert.deepStrictEqual(heard, pieces.map(({ type }) => type))
    }))

  it.effect("of which nobody says what it used is paid for in full", () =>
    Effect.gen(function*() {
      const backend = yield* saying(() => [{ type: "text", text: "Hello" }, finish(untold)])
      const { account, reserved, turn } = yield* governed(backend, "whole")
      assert.isNull(turn?.usage)
      assert.isAbove(reserved, 100)
      assert.deepInclude(account, { reserved: 0, spent: reserved })
    }))
})

describe("an agent", () => {
  const Look = Tool.make("look", {
    description: "looks",
    capabilities: ["tool:look"],
    params: Schema.Struct({}),
    success: Schema.String
  })
  const Looker = Agent.make("Looker", {
    description: "looks, then concludes",
    input: Schema.Null,
    output: Schema.Struct({ seen: Schema.String }),
    tools: [Look],
    backends: ["scripted"],
    instructions: "Look.",
    task: () => "Look."
  })

  it.live("tells its model again what the model said, thoughts included", () =>
    Effect.gen(function*() {
      const asked: Array<LanguageModel.ProviderOptions["prompt"]> = []
      const backend = yield* saying((options, turn) => {
        asked.push(options.prompt)
        return turn === 0
          ? [
            { type: "reasoning", text: "Hm.", metadata: { vendor: { seal: "s" } } },
            { type: "tool-call", id: "c", name: "look", params: {}, metadata: { vendor: { seal: "t" } } },
            finish(used, "tool-calls")
          ]
          : [{ type: "tool-call", id: "d", name: "conclude", params: { seen: "a cat" } }, finish(used, "tool-calls")]
      })
      const looker = yield* Agent.on(Looker, backend)
      const grant = Grant.make(["tool:look", "backend:scripted"])
      const ended = yield* Dispatch.Dispatch.use((dispatch) => dispatch.start(looker, null, { grant, caller: "ada" }))
        .pipe(
          Effect.provide(Actor.layer(looker).pipe(Layer.provide(Tool.layer(Look, () => Effect.succeed("a cat")))))
        )
      assert.deepInclude(ended, { _tag: "Succeeded", output: { seen: "a cat" } })
      const said = asked[1]?.content.find(({ role }) => role === "assistant")
      assert.strictEqual(said?.role, "assistant")
      const parts = said?.role === "assistant" ? said.content : []
      assert.deepStrictEqual(parts.map(({ options, type }) => [type, options]), [
        ["reasoning", { vendor: { seal: "s" } }],
        ["tool-call", { vendor: { seal: "t" } }]
      ])
    }).pipe(Effect.provide(Memory.layer())))
})
