/** Streamed answers, whole and cut short. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Schema, Stream } from "effect"
import { Prompt, Tool, Toolkit } from "effect/ai"
import {
  backed,
  block,
  closing,
  type Event,
  json,
  message,
  opening,
  reset,
  send,
  stream,
  text
} from "./fakeMessages.ts"

const Weather = Tool.make("weather", { parameters: Schema.Struct({ city: Schema.String }), success: Schema.String })
const raw = {
  toolkit: Toolkit.make(Weather),
  disableToolCallResolution: true,
  toolCallValidation: "deferred"
} as const

/** The parts of a streamed answer to these events. */
const streamed = (events: ReadonlyArray<Event>) =>
  Effect.gen(function*() {
    const { model } = yield* backed((_, response) => stream(response, events))
    return yield* Stream.runCollect(model.streamText({ prompt: "Hi", ...raw }))
  })

const args = (pieces: ReadonlyArray<string>) =>
  pieces.map((partial_json) => ({ type: "input_json_delta", partial_json }))
const call = (index: number, id: string, pieces: ReadonlyArray<string>) =>
  block(index, { type: "tool_use", id, name: "weather", input: {} }, args(pieces))

/** The error, and what had arrived before it. */
const broken = (events: ReadonlyArray<Event>) =>
  Effect.gen(function*() {
    const { model } = yield* backed((_, response) => stream(response, events))
    const before: Array<string> = []
    const error = yield* Effect.flip(
      Stream.runForEach(
        model.streamText({ prompt: "Hi", ...raw }),
        ({ type }) => Effect.sync(() => before.push(type))
      )
    )
    return { before, reason: error.reason, message: error.message }
  })

describe("a stream", () => {
  it.live("of text arrives piece by piece and ends with its usage", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) =>
        stream(response, [
          {
            ...opening,
            message: message([], { usage: { input_tokens: 3, cache_read_input_tokens: 40, output_tokens: 1 } })
          },
          { type: "ping" },
          ...text(0, ["Hel", "lo"]),
          { type: "something_new", field: 1 },
          ...closing("end_turn", { output_tokens: 9, cache_read_input_tokens: null })
        ])
      )
      const parts = yield* Stream.runCollect(model.streamText({ prompt: "Hi" }))
      assert.deepStrictEqual(parts.map(({ type }) => type), [
        "response-metadata",
        "text-start",
        "text-delta",
        "text-delta",
        "text-end",
        "finish"
      ])
      assert.strictEqual(parts.flatMap((part) => part.type === "text-delta" ? [part.delta] : []).join(""), "Hello")
      const finish = parts.find((part) => part.type === "finish")
      assert.strictEqual(finish?.reason, "stop")
      assert.deepInclude({ ...finish?.usage.inputTokens }, { uncached: 3, total: 43, cacheRead: 40 })
      assert.strictEqual(finish?.usage.outputTokens.total, 9)
      assert.isTrue(server.asked[0]?.body["stream"])
    }))

  it.live("of parallel calls gives each with its arguments, interleaved or not", () =>
    Effect.gen(function*() {
      const parts = yield* streamed([
        opening,
        {
          type: "content_block_start",
          index: 0,
          content_block: { type: "tool_use", id: "a", name: "weather", input: {} }
        },
        {
          type: "content_block_start",
          index: 1,
          content_block: { type: "tool_use", id: "b", name: "weather", input: {} }
        },
        { type: "content_block_delta", index: 0, delta: args(["{\"city\":"])[0] },
        { type: "content_block_delta", index: 1, delta: args(["{\"city\":\"Bergen\"}"])[0] },
        { type: "content_block_delta", index: 0, delta: args(["\"Oslo\"}"])[0] },
        { type: "content_block_stop", index: 1 },
        { type: "content_block_stop", index: 0 },
        ...call(2, "c", []),
        ...closing("tool_use")
      ])
      const calls = parts.flatMap((part) => part.type === "tool-call" ? [[part.id, part.params]] : [])
      assert.deepStrictEqual(calls, [["b", { city: "Bergen" }], ["a", { city: "Oslo" }], ["c", {}]])
      const deltas = parts.flatMap((part) => part.type === "tool-params-delta" && part.id === "a" ? [part.delta] : [])
      assert.deepStrictEqual(deltas, ["{\"city\":", "\"Oslo\"}"])
      assert.deepInclude(parts.at(-1), { type: "finish", reason: "tool-calls" })
    }))

  it.live("of arguments that are not JSON hands them on as they were written, with the usage", () =>
    Effect.gen(function*() {
      for (const [stop, reason] of [["tool_use", "tool-calls"], ["max_tokens", "length"]] as const) {
        const parts = yield* streamed([opening, ...call(0, "a", ["{\"city\":\"Os"]), ...closing(stop)])
        const calls = parts.flatMap((part) => part.type === "tool-call" ? [part.params] : [])
        assert.deepStrictEqual(calls, ["{\"city\":\"Os"])
        assert.deepInclude(parts.at(-1), { type: "finish", reason })
      }
    }))

  it.live("of thoughts keeps what the provider must be told again", () =>
    Effect.gen(function*() {
      const parts = yield* streamed([
        opening,
        ...block(0, { type: "thinking", thinking: "", signature: "" }, [
          { type: "thinking_delta", thinking: "H" },
          { type: "thinking_delta", thinking: "m." },
          { type: "signature_delta", signature: "si" },
          { type: "signature_delta", signature: "g" }
        ]),
        ...block(1, { type: "redacted_thinking", data: "opaque" }, []),
        ...text(2, ["Yes"]),
        ...closing("end_turn")
      ])
      assert.strictEqual(parts.flatMap((part) => part.type === "reasoning-delta" ? [part.delta] : []).join(""), "Hm.")
      const [said] = Prompt.fromResponseParts(parts).content
      assert.strictEqual(said?.role, "assistant")
      const thoughts = said?.role === "assistant" ? said.content.filter(({ type }) => type === "reasoning") : []
      assert.deepStrictEqual(thoughts.map(({ options }) => options), [
        { anthropic: { signature: "sig" } },
        { anthropic: { redactedData: "opaque" } }
      ])
    }))

  it.live("passes over blocks that were never asked for", () =>
    Effect.gen(function*() {
      const parts = yield* streamed([
        opening,
        ...block(0, { type: "server_tool_use", id: "s", name: "web_search", input: {} }, args(["{}"])),
        ...block(1, { type: "text", text: "A" }, [
          { type: "citations_delta", citation: {} },
          { type: "text_delta", text: "B" }
        ]),
        ...closing("end_turn")
      ])
      assert.strictEqual(parts.flatMap((part) => part.type === "text-delta" ? [part.delta] : []).join(""), "AB")
      assert.isFalse(parts.some(({ type }) => type === "tool-call"))
    }))

  it.live("is over with message_stop, whether the connection closes or not", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) =>
        send(response, [opening, ...text(0, ["A"]), ...closing("end_turn")])
      )
      const parts = yield* Stream.runCollect(model.streamText({ prompt: "Hi" }))
      assert.strictEqual(parts.at(-1)?.type, "finish")
      yield* server.abandoned
    }))
})

describe("a broken stream", () => {
  it.live("that ends before message_stop is an error, however far it came", () =>
    Effect.gen(function*() {
      const whole = [opening, ...text(0, ["A", "B"]), ...closing("end_turn")]
      for (let kept = 0; kept < whole.length; kept++) {
        const { before, reason } = yield* broken(whole.slice(0, kept))
        assert.strictEqual(reason._tag, "NetworkError", `cut after ${kept} events`)
        assert.include(reason.message, "before its end was told")
        assert.notInclude(before, "finish")
      }
    }))

  it.live("whose connection is reset is an error", () =>
    Effect.gen(function*() {
      const { model } = yield* backed((_, response) => {
        send(response, [opening, ...text(0, ["A"])])
        reset(response)
      })
      const error = yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
      assert.strictEqual(error.reason._tag, "NetworkError")
    }))

  it.live("that says what went wrong is that error, and is not started again", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) =>
        stream(response, [opening, ...text(0, ["A"]), {
          type: "error",
          error: { type: "overloaded_error", message: "Overloaded" }
        }])
      )
      const error = yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
      assert.strictEqual(error.reason._tag, "InternalProviderError")
      assert.include(error.message, "Overloaded")
      assert.strictEqual(server.asked.length, 1)
    }))

  it.live("of events out of order is not an answer", () =>
    Effect.gen(function*() {
      const [begin, grow, end] = text(0, ["A"])
      const orders = [
        [...text(0, ["A"])],
        [opening, opening],
        [opening, grow, end],
        [opening, begin, begin],
        [opening, begin, ...closing("end_turn")],
        [opening, begin, { type: "content_block_delta", index: 0, delta: args(["{}"])[0] }]
      ]
      for (const events of orders) {
        const { reason } = yield* broken(events.filter((event) => event !== undefined))
        assert.strictEqual(reason._tag, "InvalidResponseError")
      }
    }))

  it.live("whose known events do not have their shape is not an answer, and is not quoted", () =>
    Effect.gen(function*() {
      const { message, reason } = yield* broken([
        opening,
        ...block(0, { type: "text", text: "" }, [{ type: "text_delta", text: { nonsense: "told in confidence" } }])
      ])
      assert.strictEqual(reason._tag, "InvalidResponseError")
      assert.notInclude(message, "confidence")
    }))

  it.live("that is no stream of events is refused", () =>
    Effect.gen(function*() {
      const { model } = yield* backed((_, response) => json(response, message([{ type: "text", text: "A" }])))
      const error = yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
      assert.strictEqual(error.reason._tag, "InvalidResponseError")
    }))

  it.live("that is not JSON is refused", () =>
    Effect.gen(function*() {
      const { model } = yield* backed((_, response) => {
        send(response, [opening])
        response.end("event: content_block_start\ndata: {nonsense\n\n")
      })
      const error = yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
      assert.strictEqual(error.reason._tag, "InvalidResponseError")
    }))

  it.live("that falls silent is given up", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => send(response, [opening]), { timeoutMs: 50 })
      const error = yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "Hi" })))
      assert.strictEqual(error.reason._tag, "NetworkError")
      assert.include(error.message, "nothing more of the answer in time")
      yield* server.abandoned
    }))
})

describe("an interrupted stream", () => {
  it.live("closes its connection", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => send(response, [opening, ...text(0, ["A"])]))
      const begun = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(model.streamText({ prompt: "Hi" }), () => Deferred.succeed(begun, undefined))
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      yield* server.abandoned
    }))

  it.live("closes its connection when its reader has had enough", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed((_, response) => send(response, [opening, ...text(0, ["A"])]))
      yield* Stream.runDrain(Stream.take(model.streamText({ prompt: "Hi" }), 1))
      yield* server.abandoned
    }))

  it.live("closes its connection before the first event", () =>
    Effect.gen(function*() {
      const { model, server } = yield* backed(() => {})
      const fiber = yield* Effect.forkChild(Stream.runDrain(model.streamText({ prompt: "Hi" })))
      yield* server.arrived(1)
      yield* Fiber.interrupt(fiber)
      yield* server.abandoned
    }))
})
