/** Cassettes: what is recorded is played back, and nothing else is. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Schema, Stream } from "effect"
import { AiError, LanguageModel, Prompt, type Response, Tool, Toolkit } from "effect/ai"
import { type Backend, Recorded, Scripted } from "../../src/backend/index.ts"

const Weather = Tool.make("weather", { parameters: Schema.Struct({ city: Schema.String }), success: Schema.String })
const Clock = Tool.make("clock", { success: Schema.String })
const raw = {
  toolkit: Toolkit.make(Weather, Clock),
  disableToolCallResolution: true,
  toolCallValidation: "deferred"
} as const

const ask = (backend: Backend.Backend<Backend.Name>, prompt: Prompt.RawInput) =>
  backend.languageModel.generateText({ prompt, ...raw })

/** A conversation with two calls of tools: each answer becomes part of the next question. */
const converse = (backend: Backend.Backend<Backend.Name>, question = "Weather?") =>
  Effect.gen(function*() {
    const first = yield* ask(backend, question)
    const history = Prompt.concat(Prompt.make(question), Prompt.fromResponseParts(first.content))
    const results = first.toolCalls.map(({ id, name }) =>
      Prompt.makePart("tool-result", { id, name, isFailure: false, result: { sky: "clear" }, providerExecuted: false })
    )
    const message = Prompt.makeMessage("tool", { content: results })
    const second = yield* ask(backend, Prompt.concat(history, Prompt.fromMessages([message])))
    return [first, second].map(({ content }) => JSON.stringify(content))
  })

const script = Scripted.turns([
  {
    text: "Looking.",
    calls: [
      { name: "weather", params: { city: "Oslo" } },
      { id: "own", name: "unheard_of", params: [1, null] }
    ]
  },
  { text: "It is clear." },
  { text: "spare" }
])

/** The cassette of a conversation, and what was said in it. */
const recorded = Effect.gen(function*() {
  const { backend, cassette } = yield* Recorded.record(yield* script)
  const said = yield* converse(backend)
  return { said, text: yield* cassette }
})

/** The text of a stream up to its error. */
const heard = (model: LanguageModel.LanguageModel) =>
  Effect.gen(function*() {
    const text: Array<string> = []
    const error = yield* Effect.flip(
      Stream.runForEach(
        model.streamText({ prompt: "Hi" }),
        (part) => Effect.sync(() => part.type === "text-delta" && text.push(part.delta))
      )
    )
    return { text, message: error.message }
  })

const reasonOf = <A>(effect: Effect.Effect<A, AiError.AiError>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

describe("a recording", () => {
  it.effect("is the backend to its caller", () =>
    Effect.gen(function*() {
      const backend = yield* script
      const recording = yield* Recorded.record(backend)
      assert.deepInclude(recording.backend, { name: "scripted", model: "script", notice: null, maxOutputTokens: 4096 })
      assert.deepStrictEqual(yield* converse(recording.backend), yield* converse(yield* script))
    }))

  it.effect("has a header and a line a call, the same each time", () =>
    Effect.gen(function*() {
      const { text } = yield* recorded
      assert.strictEqual(text, (yield* recorded).text)
      const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line))
      assert.deepStrictEqual(lines[0], {
        format: "aosiq-cassette",
        version: 1,
        backend: "scripted",
        model: "script",
        maxOutputTokens: 4096,
        notice: null
      })
      assert.strictEqual(lines.length, 3)
      assert.strictEqual(lines[1].request.model, "script")
      assert.deepStrictEqual(lines[1].request.tools, ["weather", "clock"])
      assert.include(JSON.stringify(lines[1].request.prompt), "Weather?")
      assert.deepStrictEqual(lines[1].parts.map(({ type }: { type: string }) => type), [
        "text",
        "tool-call",
        "tool-call",
        "finish"
      ])
    }))

  it.effect("runs no tools of its own accord and lets its caller run them", () =>
    Effect.gen(function*() {
      const { backend } = yield* Recorded.record(
        yield* Scripted.turns([{ calls: [{ name: "weather", params: { city: "Oslo" } }] }])
      )
      let runs = 0
      const toolkit = Toolkit.make(Weather)
      const handlers = toolkit.toLayer({
        weather: ({ city }) =>
          Effect.sync(() => {
            runs++
            return `clear in ${city}`
          })
      })
      const answer = yield* Effect.provide(backend.languageModel.generateText({ prompt: "Hi", toolkit }), handlers)
      assert.strictEqual(answer.toolResults[0]?.result, "clear in Oslo")
      assert.strictEqual(runs, 1)
    }))

  it.effect("leaves out what was interrupted", () =>
    Effect.gen(function*() {
      const languageModel = yield* LanguageModel.make({
        generateText: () => Effect.never,
        streamText: () => Stream.never
      })
      const { backend, cassette } = yield* Recorded.record({ ...(yield* script), languageModel })
      yield* Effect.timeoutOption(Effect.exit(ask(backend, "Hi")), 0)
      assert.strictEqual((yield* cassette).trimEnd().split("\n").length, 1)
    }))

  it.effect("is of texts only", () =>
    Effect.gen(function*() {
      const { backend } = yield* Recorded.record(yield* script)
      const reason = yield* reasonOf(
        backend.languageModel.generateObject({ prompt: "Hi", schema: Schema.Struct({ n: Schema.Finite }) })
      )
      assert.strictEqual(reason._tag, "InvalidRequestError")
    }))
})

describe("a cassette", () => {
  it.effect("plays the conversation back, as often as it is put in", () =>
    Effect.gen(function*() {
      const { said, text } = yield* recorded
      for (const _ of [1, 2]) {
        const backend = yield* Recorded.fromCassette(text)
        assert.deepStrictEqual(yield* converse(backend), said)
      }
    }))

  it.effect("is a backend that says what it is", () =>
    Effect.gen(function*() {
      const backend = yield* Recorded.fromCassette((yield* recorded).text)
      assert.deepInclude(backend, {
        name: "recorded",
        model: "script",
        maxOutputTokens: 4096,
        notice: "a recording of scripted, played back"
      })
    }))

  it.effect("recorded again is the same cassette, but for its header", () =>
    Effect.gen(function*() {
      const { text } = yield* recorded
      const again = yield* Recorded.record(yield* Recorded.fromCassette(text))
      yield* converse(again.backend)
      assert.deepStrictEqual((yield* again.cassette).split("\n").slice(1), text.split("\n").slice(1))
    }))

  it.effect("plays failures back", () =>
    Effect.gen(function*() {
      const failure = AiError.make({
        module: "Scripted",
        method: "generateText",
        reason: new AiError.RateLimitError({ retryAfter: Duration.seconds(7) })
      })
      const live = yield* Scripted.fromFunction((_, turn) => turn === 0 ? failure : { text: "ok" })
      const { backend, cassette } = yield* Recorded.record(live)
      yield* Effect.flip(ask(backend, "Hi"))
      yield* ask(backend, "Hi")
      const played = yield* Recorded.fromCassette(yield* cassette)
      const error = yield* Effect.flip(ask(played, "Hi"))
      assert.strictEqual(error.message, failure.message)
      assert.isTrue(AiError.isAiError(error) && Duration.toSeconds(error.retryAfter ?? 0) === 7)
      assert.strictEqual((yield* ask(played, "Hi")).text, "ok")
    }))

  it.effect("plays streams back, cut where they were cut", () =>
    Effect.gen(function*() {
      const parts: ReadonlyArray<Response.StreamPartEncoded> = [
        { type: "text-start", id: "0" },
        { type: "text-delta", id: "0", delta: "He" },
        { type: "text-delta", id: "0", delta: "llo" }
      ]
      const cut = AiError.make({
        module: "Test",
        method: "streamText",
        reason: new AiError.InternalProviderError({ description: "cut" })
      })
      const languageModel = yield* LanguageModel.make({
        generateText: () => Effect.succeed([]),
        streamText: () => Stream.concat(Stream.fromIterable(parts), Stream.fail(cut))
      })
      const { backend, cassette } = yield* Recorded.record({ ...(yield* script), languageModel })
      const live = yield* heard(backend.languageModel)
      assert.deepStrictEqual(live.text, ["He", "llo"])
      const played = yield* Recorded.fromCassette(yield* cassette)
      assert.deepStrictEqual(yield* heard(played.languageModel), live)
    }))
})

describe("a request that differs", () => {
  it.effect("is refused with the place where it does, and the tape stays where it is", () =>
    Effect.gen(function*() {
      const backend = yield* Recorded.fromCassette((yield* recorded).text)
      const reason = yield* reasonOf(ask(backend, "Weather in confidence?"))
      assert.deepInclude(reason, {
        _tag: "InvalidRequestError",
        parameter: "prompt[0].content",
        constraint: "differs from call 1 of the cassette"
      })
      assert.notInclude(reason.message, "confidence")
      assert.isFalse(reason.isRetryable)
      yield* converse(backend)
    }))

  it.effect("in its tools is refused", () =>
    Effect.gen(function*() {
      const backend = yield* Recorded.fromCassette((yield* recorded).text)
      const reason = yield* reasonOf(
        backend.languageModel.generateText({ ...raw, prompt: "Weather?", toolkit: Toolkit.make(Weather) })
      )
      assert.deepInclude(reason, { parameter: "tools[1]" })
    }))

  it.effect("later on is refused at its own place", () =>
    Effect.gen(function*() {
      const backend = yield* Recorded.fromCassette((yield* recorded).text)
      yield* ask(backend, "Weather?")
      const reason = yield* reasonOf(ask(backend, "Weather?"))
      assert.deepInclude(reason, { parameter: "prompt[1]", constraint: "differs from call 2 of the cassette" })
    }))

  it.effect("in being streamed is refused", () =>
    Effect.gen(function*() {
      const backend = yield* Recorded.fromCassette((yield* recorded).text)
      const error = yield* Effect.flip(
        Stream.runDrain(backend.languageModel.streamText({ prompt: "Weather?", ...raw }))
      )
      assert.deepInclude(error.reason, { parameter: "mode" })
    }))

  it.effect("by coming after the last is refused", () =>
    Effect.gen(function*() {
      const backend = yield* Recorded.fromCassette((yield* recorded).text)
      yield* converse(backend)
      assert.include((yield* reasonOf(ask(backend, "More?"))).message, "the cassette has no call 3")
    }))
})

describe("secrets", () => {
  const token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
  const leaky = Scripted.turns([
    { text: `use ${token}`, calls: [{ name: "weather", params: { city: "Oslo", password: "correct horse battery" } }] },
    { text: "done" }
  ])

  it.effect("are in neither requests nor answers of a cassette, and it plays all the same", () =>
    Effect.gen(function*() {
      const { backend, cassette } = yield* Recorded.record(yield* leaky)
      const question = `my key is ${token}, my login postgres://me:hunter22@db/x`
      const [live] = yield* converse(backend, question)
      assert.include(live, token, "the caller gets what the backend said")
      const text = yield* cassette
      for (const secret of [token, "hunter22", "correct horse", "battery"]) assert.notInclude(text, secret)
      assert.include(text, "[redacted:github-token]")
      const played = yield* converse(yield* Recorded.fromCassette(text), question)
      assert.notInclude(JSON.stringify(played), token)
      assert.include(played[0], "[redacted:github-token]")
    }))

  it.effect("in failures are not on it either", () =>
    Effect.gen(function*() {
      const live = yield* Scripted.fromFunction(() =>
        AiError.make({
          module: "Scripted",
          method: "generateText",
          reason: new AiError.InvalidRequestError({ description: `bad key ${token}` })
        })
      )
      const { backend, cassette } = yield* Recorded.record(live)
      yield* Effect.flip(ask(backend, "Hi"))
      assert.notInclude(yield* cassette, token)
      assert.include(yield* cassette, "bad key [redacted:github-token]")
    }))
})

describe("a text that is no cassette", () => {
  const header = {
    format: "aosiq-cassette",
    version: 1,
    backend: "scripted",
    model: "m",
    maxOutputTokens: 1,
    notice: null
  }
  const call = { mode: "whole", request: {}, parts: [{ type: "text", text: "A" }] }
  const texts: ReadonlyArray<readonly [string, number, ReadonlyArray<object | string>]> = [
    ["is empty", 1, [""]],
    ["is not JSON", 1, ["{"]],
    ["is of another format", 1, [{ ...header, format: "tape" }]],
    ["is of another version", 1, [{ ...header, version: 2 }]],
    ["has a line that is not JSON", 3, [header, call, "{"]],
    ["has an empty line", 2, [header, "", call]],
    ["has a call of no known mode", 2, [header, { ...call, mode: "half" }]],
    ["has an answer of no known shape", 2, [header, { ...call, parts: [{ type: "text" }] }]],
    ["has a streamed part in a whole answer", 2, [header, { ...call, parts: [{ type: "text-start", id: "0" }] }]]
  ]
  for (const [name, number, lines] of texts) {
    it.effect(`because it ${name} is refused with its line`, () =>
      Effect.gen(function*() {
        const text = lines.map((line) => typeof line === "string" ? line : JSON.stringify(line)).join("\n")
        const error = yield* Effect.flip(Recorded.fromCassette(text))
        assert.strictEqual(error._tag, "CassetteError")
        assert.strictEqual(error.line, number)
        assert.include(error.message, "record the cassette again")
      }))
  }
})
