/** The bound on input tokens, against real tokenizers; and what is asked of the vendor where it does not fit. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Layer, Result, Schema } from "effect"
import { LanguageModel, Prompt } from "effect/ai"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { Tiktoken } from "js-tiktoken/lite"
import cl100k from "js-tiktoken/ranks/cl100k_base"
import o200k from "js-tiktoken/ranks/o200k_base"
import { setTimeout } from "node:timers/promises"
import { Actor, Agent } from "../../src/actor/index.ts"
import { type Backend, Estimate } from "../../src/backend/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Prices } from "../../src/cost/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import * as W from "../actor/world.ts"

const tokenizers = [new Tiktoken(o200k), new Tiktoken(cl100k)]
const tokensOf = (text: string) => Math.max(...tokenizers.map((one) => one.encode(text, [], []).length))

/** Texts of which a token stands for little. */
const dense = fc.oneof(
  fc.string({ unit: "binary", maxLength: 120 }),
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), maxLength: 300 }),
  fc.string({ unit: fc.constantFrom("🜚", "👩‍👩‍👧‍👦", "𒀀", "ᚠ", "ꙮ", "ﷺ", "\u0000", "\ud800"), maxLength: 60 }),
  fc.string({ unit: fc.constantFrom("\n", "\t", "\"", "\\", " ", "{", "}"), maxLength: 120 })
)

const user = (...content: ReadonlyArray<Prompt.UserMessagePartEncoded>) =>
  Prompt.make([{ role: "user" as const, content: [...content] }])
const file = (mediaType: string, bytes: number) => ({ type: "file", mediaType, data: new Uint8Array(bytes) }) as const

describe("the bound on input tokens", () => {
  it("is never less than what tokenizers make of the text, wherever it stands", () => {
    let densest = 0
    fc.assert(
      fc.property(dense, dense, dense, dense, (system, said, result, description) => {
        const prompt = Prompt.make([
          { role: "system", content: system },
          { role: "user", content: [{ type: "text", text: said }] },
          { role: "assistant", content: [{ type: "tool-call", id: "c", name: "t", params: { a: said } }] },
          { role: "tool", content: [{ type: "tool-result", id: "c", name: "t", isFailure: false, result }] }
        ])
        const texts = [system, said, JSON.stringify({ a: said }), result, description]
        const tokens = texts.reduce((total, text) => total + tokensOf(text), 0)
        assert.isAtLeast(Estimate.inputTokens(prompt, [{ description }]), tokens)
        const bytes = texts.reduce((total, text) => total + new TextEncoder().encode(text).length, 0)
        if (bytes > 0) densest = Math.max(densest, tokens / bytes)
      }),
      { numRuns: 150, seed: 20_261_126 }
    )
    // A third of the bytes would not have been a bound.
    assert.isAbove(densest, 0.4)
  }, 60_000)

  it("of an image is what vendors document, not its bytes", () => {
    const bare = Estimate.inputTokens(user({ type: "text", text: "what is it?" }), [])
    for (const size of [10, 3_000_000]) {
      const seen = Estimate.inputTokens(user({ type: "text", text: "what is it?" }, file("image/png", size)), [])
      assert.isAtLeast(seen, bare + Estimate.imageTokens)
      assert.isBelow(seen, bare + Estimate.imageTokens + 500)
    }
    const document = Estimate.inputTokens(user(file("application/pdf", 10)), [])
    assert.isAtLeast(document, Estimate.fileTokens)
  })

  it("is not fooled by a result that looks like a file", () => {
    const data = "0123456789".repeat(20_000)
    const result = { type: "file", mediaType: "image/png", data }
    const prompt = Prompt.make([
      { role: "tool", content: [{ type: "tool-result", id: "c", name: "t", isFailure: false, result }] }
    ])
    assert.isAtLeast(Estimate.inputTokens(prompt, []), data.length)
  })
})

describe("a call whose bound does not fit", () => {
  const Seeker = Agent.make("Seeker", {
    description: "seeks",
    input: Schema.String,
    output: Schema.String,
    tools: [W.Look],
    backends: ["scripted"],
    instructions: "seek",
    task: (question) => question
  })
  const prices = Layer.succeed(Prices.Prices, {
    asOf: "2026-01-01",
    price: (_, __, { input, output }) => Result.succeed(input + output)
  })
  const grant = (budgetMicroUsd: number) => Grant.make(["tool:look", "backend:scripted"], { budgetMicroUsd })

  /** A backend that counts so many tokens, and how often it was asked to. */
  const counting = Effect.fnUntraced(function*(tokens: number) {
    const model = yield* W.model((_, prompt) =>
      prompt.some(({ role }) => role === "tool") ? W.conclude("there") : { calls: [W.look("a")] }
    )
    const asked: Array<number> = []
    const counter = yield* LanguageModel.make({
      generateText: () =>
        Effect.sync(() => {
          asked.push(tokens)
          return [{
            type: "finish" as const,
            reason: "stop" as const,
            usage: {
              inputTokens: { total: tokens, uncached: undefined, cacheRead: undefined, cacheWrite: undefined },
              outputTokens: { total: 0, text: undefined, reasoning: undefined }
            },
            response: undefined
          }]
        }),
      streamText: () => assert.fail("nobody streams here")
    })
    const backend: Backend.Backend<"scripted"> = { ...model.backend, counter }
    return { backend, asked, prompts: model.prompts }
  })

  beforeEach(() => {
    W.done.length = 0
    W.revive()
  })

  it.live("that died between count and call is not counted again: the log has it", () =>
    Effect.gen(function*() {
      // Two calls of at most 100 tokens of answer each; by bytes one is more than two thousand.
      const { asked, backend } = yield* counting(50)
      const agent = yield* Agent.on(Seeker, backend)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        let died = 0
        for (let at = 1; at < 60; at++) {
          asked.length = 0
          Object.assign(W.killed, { at, when: "after", commits: 0 })
          const exit = yield* Effect.exit(dispatch.start(agent, "find it", { grant: grant(1500), caller: "test" }))
          W.revive()
          const session = (yield* W.sessions).at(-1)
          if (session === undefined) return assert.fail("no session was opened")
          const ended = Exit.isSuccess(exit) ? exit.value : yield* dispatch.resume(session.id)
          assert.deepInclude(ended, { _tag: "Succeeded", output: "there" })
          const rows = yield* W.rows(session.id)
          const done = W.bodies(rows, "outcome").filter(({ status }) => status === "succeeded").map(({ act }) => act)
          assert.deepStrictEqual(done, ["count:scripted", "model:scripted", "look", "count:scripted", "model:scripted"])
          const begun = W.bodies(rows, "intent").filter(({ act }) => act === "count:scripted").length
          assert.isAtMost(asked.length, begun)
          const held = W.bodies(rows, "intent").filter(({ act }) => act === "model:scripted")
          for (const { reservedMicroUsd } of held) {
            assert.strictEqual(reservedMicroUsd, Math.ceil(50 * 1.05) + 256 + 100)
          }
          if (Exit.isSuccess(exit)) break
          died++
        }
        assert.isAbove(died, 8)
      }).pipe(Effect.provide(Actor.layer(agent).pipe(Layer.provide(prices))))
    }).pipe(Effect.provide(W.app)))

  it.effect("waits ten seconds for a count, and is then refused by its bytes", () =>
    Effect.gen(function*() {
      const { backend, prompts } = yield* counting(50)
      const counter = yield* LanguageModel.make({
        generateText: () => Effect.never,
        streamText: () => assert.fail("nobody streams here")
      })
      const agent = yield* Agent.on(Seeker, { ...backend, counter })
      const fiber = yield* Dispatch.Dispatch.use((dispatch) =>
        dispatch.start(agent, "find it", { grant: grant(1500), caller: "test" })
      ).pipe(Effect.provide(Actor.layer(agent).pipe(Layer.provide(prices))), Effect.forkChild)
      const start = yield* Clock.currentTimeMillis
      while (fiber.pollUnsafe() === undefined) {
        yield* Effect.promise(() => setTimeout(5))
        yield* TestClock.adjust(500)
      }
      const ended = yield* Fiber.join(fiber)
      assert.deepInclude(ended, { _tag: "Failed", stop: "budget" })
      assert.strictEqual(prompts.length, 0)
      assert.isAtLeast((yield* Clock.currentTimeMillis) - start, 10_000)
      const outcomes = W.bodies(yield* W.rows(ended.session), "outcome")
      assert.deepStrictEqual(outcomes.map(({ act, status }) => [act, status]), [["count:scripted", "timed_out"]])
    }).pipe(Effect.provide(W.app)))

  it.live("is neither counted nor called where the token does not admit the backend", () =>
    Effect.gen(function*() {
      const { asked, backend, prompts } = yield* counting(50)
      const agent = yield* Agent.on(Seeker, backend)
      // The compiler refuses such a grant; the token must, too.
      const narrow = grant(1500).narrow(["tool:look"]) as unknown as ReturnType<typeof grant>
      const ended = yield* Dispatch.Dispatch.use((dispatch) =>
        dispatch.start(agent, "find it", { grant: narrow, caller: "test" })
      ).pipe(Effect.provide(Actor.layer(agent).pipe(Layer.provide(prices))))
      assert.strictEqual(ended._tag, "Failed")
      assert.deepStrictEqual([asked.length, prompts.length], [0, 0])
    }).pipe(Effect.provide(W.app)))

  it.live("is not begun for a model that nobody has a price for", () =>
    Effect.gen(function*() {
      const { asked, backend, prompts } = yield* counting(50)
      const agent = yield* Agent.on(Seeker, backend)
      const unknown = Layer.succeed(Prices.Prices, {
        asOf: "2026-01-01",
        price: (name, model) => Result.fail(new Prices.UnknownModel({ backend: name, model, remedy: "name another" }))
      })
      const ended = yield* Dispatch.Dispatch.use((dispatch) =>
        dispatch.start(agent, "find it", { grant: grant(1_000_000), caller: "test" })
      ).pipe(Effect.provide(Actor.layer(agent).pipe(Layer.provide(unknown))))
      assert.deepInclude(ended, { _tag: "Failed" })
      assert.deepStrictEqual([asked.length, prompts.length], [0, 0])
    }).pipe(Effect.provide(W.app)))
})
