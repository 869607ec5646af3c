/**
 * The contract that every backend keeps, asked over the vendor's wire format of a server on the loopback address. All cases
 * are for all backends: where a format has no place for something, its wire says so, and the case is what follows from that.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Fiber, Schema, Stream } from "effect"
import { type AiError, type LanguageModel, Prompt, type Response, Tool, Toolkit } from "effect/ai"
import { TestClock } from "effect/testing"
import type * as http from "node:http"
import { setImmediate, setTimeout } from "node:timers/promises"
import { type Backend, Failure, type Setup, Vendor } from "../../src/backend/index.ts"
import { governed } from "./governed.ts"
import { type Answering, serve } from "./Loopback.ts"
import { type Reply, type Said, stops, type Streamed, usual, type Wire } from "./Wire.ts"

const Weather = Tool.make("weather", {
  description: "the weather in a city",
  parameters: Schema.Struct({ city: Schema.String }),
  success: Schema.String
})
const Now = Tool.make("now", { description: "the time" })
/** As the governed call asks: nobody runs anything. */
const raw = {
  toolkit: Toolkit.make(Weather, Now),
  disableToolCallResolution: true,
  toolCallValidation: "deferred"
} as const

/** Words that must not leave a bad answer. */
const confidence = "told in confidence"

// --- sending -----------------------------------------------------------------

const send = (response: http.ServerResponse, { body, headers, status }: Reply, more: Record<string, string> = {}) => {
  response.writeHead(status, { ...headers, ...more })
  response.end(body)
}

const begin = (response: http.ServerResponse, { headers, pieces }: Streamed, count = pieces.length) => {
  response.writeHead(200, headers)
  response.flushHeaders()
  for (const piece of pieces.slice(0, count)) response.write(piece)
}

/** Sends the beginning of an answer, and leaves its end open. */
const open = (response: http.ServerResponse, { headers, pieces }: Streamed) =>
  begin(response, { headers, pieces }, Math.min(3, pieces.length - 1))

const play = (response: http.ServerResponse, streamed: Streamed, count?: number) => {
  begin(response, streamed, count)
  response.end()
}

/** Sends this again and again until nobody listens; gives how many bytes there were. */
const flood = (
  response: http.ServerResponse,
  piece: string | Uint8Array,
  pauseMs: number | undefined,
  sent = 0
): Promise<number> => {
  if (response.destroyed) return Promise.resolve(sent)
  const hasRoom = response.write(piece)
  const pause = pauseMs === undefined && hasRoom ? setImmediate() : setTimeout(pauseMs ?? 20)
  return pause.then(() => flood(response, piece, pauseMs, sent + piece.length))
}

/** Sends bytes a few at a time. */
const trickle = (response: http.ServerResponse, bytes: Buffer): Promise<void> => {
  if (bytes.length === 0) return Promise.resolve(void response.end())
  response.write(bytes.subarray(0, 7))
  return setImmediate().then(() => trickle(response, bytes.subarray(7)))
}

// --- hearing -----------------------------------------------------------------

const finishOf = (parts: ReadonlyArray<Response.AnyPart>) => parts.find((part) => part.type === "finish")
const textOf = (parts: ReadonlyArray<Response.AnyPart>) =>
  parts.flatMap((part) => part.type === "text-delta" ? [part.delta] : part.type === "text" ? [part.text] : []).join("")
const thoughtOf = (parts: ReadonlyArray<Response.AnyPart>) =>
  parts.flatMap((part) => part.type === "reasoning-delta" ? [part.delta] : part.type === "reasoning" ? [part.text] : [])
    .join("")
const callsOf = (parts: ReadonlyArray<Response.AnyPart>) =>
  parts.flatMap((part) => part.type === "tool-call" ? [{ id: part.id, name: part.name, params: part.params }] : [])
const usageOf = (usage: Response.Usage | undefined) => ({
  input: usage?.inputTokens.total,
  cacheRead: usage?.inputTokens.cacheRead ?? 0,
  cacheWrite: usage?.inputTokens.cacheWrite ?? 0,
  output: usage?.outputTokens.total,
  reasoning: usage?.outputTokens.reasoning ?? 0
})

/** Both ways of asking: for a whole answer, and for its pieces. */
const ways = ["whole", "streamed"] as const
type Way = (typeof ways)[number]
const ask = (
  model: LanguageModel.LanguageModel,
  way: Way,
  prompt: Prompt.RawInput = "Hi"
): Effect.Effect<ReadonlyArray<Response.AnyPart>, AiError.AiError> =>
  way === "whole"
    ? Effect.map(model.generateText({ prompt, ...raw }), ({ content }) => content)
    : Stream.runCollect(model.streamText({ prompt, ...raw }))

const kindOf = <A>(effect: Effect.Effect<A, AiError.AiError>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => Failure.kindOf(reason))

/** The suite for a vendor. */
export const BackendSuite = (wire: Wire): void => {
  type Options = Omit<Setup.Options, "model" | "baseUrl">

  /** A server and a backend that asks it. */
  const backed = (answering: Answering, options: Options = {}) =>
    Effect.gen(function*() {
      const server = yield* serve(answering)
      const backend = yield* Effect.orDie(wire.make(server.url, options))
      return { server, backend, model: backend.languageModel }
    })

  const answer = (response: http.ServerResponse, way: Way, said: Said) =>
    way === "whole" ? send(response, wire.whole(said)) : play(response, wire.stream(said))

  const saying = (way: Way, said: Said) => backed((_, response) => answer(response, way, said))

  /** With a clock that moves on only while the caller waits; says when each request came. */
  const timed = (
    answering: (response: http.ServerResponse, attempt: number) => void,
    way: Way = "whole",
    step: Duration.Input = "50 millis"
  ) =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const at: Array<number> = []
      const { model, server } = yield* backed((_, response, attempt) => {
        at.push(clock.currentTimeMillisUnsafe())
        answering(response, attempt)
      })
      const fiber = yield* Effect.forkChild(Effect.result(ask(model, way)))
      while (fiber.pollUnsafe() === undefined) {
        yield* Effect.promise(() => setTimeout(5))
        yield* TestClock.adjust(step)
      }
      return { result: yield* Fiber.join(fiber), at, server }
    })

  describe(`${wire.name}: an answer`, () => {
    for (const way of ways) {
      it.live(`that is a text is asked for and comes back, ${way}`, () =>
        Effect.gen(function*() {
          const question = yield* Deferred.make<Effect.Success<ReturnType<Wire["question"]>>>()
          const { model } = yield* backed((asked, response) => {
            void Effect.runPromise(Effect.andThen(
              Effect.flatMap(wire.question(asked), (read) => Deferred.succeed(question, read)),
              Effect.sync(() => answer(response, way, { text: "Hello, wörld 🌍" }))
            ))
          }, { maxOutputTokens: 1234 })
          const parts = yield* ask(model, way, [
            { role: "system", content: "Be brief." },
            { role: "user", content: [{ type: "text", text: "Say hello" }, { type: "text", text: "" }] }
          ])
          assert.strictEqual(textOf(parts), "Hello, wörld 🌍")
          assert.strictEqual(finishOf(parts)?.reason, "stop")
          const asked = yield* Deferred.await(question)
          assert.strictEqual(asked.system, "Be brief.")
          assert.include(asked.texts.join("\n"), "Say hello")
          assert.strictEqual(asked.maxOutputTokens, 1234)
          assert.deepStrictEqual(asked.tools.map(({ description, name }) => ({ description, name })), [
            { name: "weather", description: "the weather in a city" },
            { name: "now", description: "the time" }
          ])
          assert.deepInclude(asked.tools[0]?.schema, { type: "object", required: ["city"] })
          assert.deepInclude(asked.tools[1]?.schema, { type: "object" })
        }))

      it.live(`with parallel calls gives each as it was written, and nobody runs them, ${way}`, () =>
        Effect.gen(function*() {
          const calls = [
            { id: "call_a", name: "weather", params: { city: "Oslo" } },
            { id: "call_b", name: "weather", params: { city: "Bergen", nested: [1, { deep: null }] } },
            { id: "call_c", name: "now", params: {} }
          ]
          const { model } = yield* saying(way, { text: "Looking.", calls })
          const parts = yield* ask(model, way)
          const got = callsOf(parts)
          assert.deepStrictEqual(
            got.map(({ name, params }) => ({ name, params })),
            calls.map(({ name, params }) => ({ name, params }))
          )
          if (wire.ids) assert.deepStrictEqual(got.map(({ id }) => id), ["call_a", "call_b", "call_c"])
          assert.strictEqual(new Set(got.map(({ id }) => id)).size, 3)
          assert.strictEqual(textOf(parts), "Looking.")
          assert.strictEqual(finishOf(parts)?.reason, "tool-calls")
          assert.isFalse(parts.some(({ type }) => type === "tool-result"))
        }))

      it.live(`whose calls are wrong is an answer all the same, with its usage, ${way}`, () =>
        Effect.gen(function*() {
          const calls = [
            { id: "call_a", name: "weather", params: { town: 3 } },
            { id: "call_b", name: "unheard_of", params: { any: "thing" } }
          ]
          const { model } = yield* saying(way, { calls })
          const parts = yield* ask(model, way)
          assert.deepStrictEqual(
            callsOf(parts).map(({ name, params }) => ({ name, params })),
            calls.map(({ name, params }) => ({ name, params }))
          )
          assert.deepInclude(usageOf(finishOf(parts)?.usage), { input: 10, output: 5 })
        }))

      it.live(`counts every kind of token once, ${way}`, () =>
        Effect.gen(function*() {
          const { cacheRead, cacheWrite, reasoning } = wire.counts
          const used = {
            fresh: 7,
            cacheRead: cacheRead ? 100 : 0,
            cacheWrite: cacheWrite ? 20 : 0,
            answer: 50,
            reasoning: reasoning ? 30 : 0
          }
          const { model } = yield* saying(way, { text: "ok", used })
          assert.deepStrictEqual(usageOf(finishOf(yield* ask(model, way))?.usage), {
            input: used.fresh + used.cacheRead + used.cacheWrite,
            cacheRead: used.cacheRead,
            cacheWrite: used.cacheWrite,
            output: used.answer + used.reasoning,
            reasoning: used.reasoning
          })
        }))

      it.live(`ends for the reason that the vendor gives, paid for all the same, ${way}`, () =>
        Effect.gen(function*() {
          for (const stop of stops) {
            const { model } = yield* saying(way, { text: "Well", stop })
            const finish = finishOf(yield* ask(model, way))
            assert.strictEqual(finish?.reason, wire.ends[stop], stop)
            // What nobody tells is paid for in full.
            const isTold = wire.counts.refusals || (stop !== "refusal" && stop !== "filter")
            const used = { input: usual.fresh, output: isTold ? usual.answer : undefined }
            assert.deepInclude(usageOf(finish?.usage), used, stop)
          }
        }))

      it.live(`keeps thoughts apart, ${way}`, () =>
        Effect.gen(function*() {
          const { model } = yield* saying(way, { thought: "Hm.", text: "Yes" })
          const parts = yield* ask(model, way)
          assert.strictEqual(textOf(parts), "Yes")
          assert.strictEqual(thoughtOf(parts), wire.thinks ? "Hm." : "")
        }))
    }

    it.live("comes piece by piece", () =>
      Effect.gen(function*() {
        const said = { text: "Hello there", calls: [{ id: "call_a", name: "weather", params: { city: "Oslo" } }] }
        const { model } = yield* saying("streamed", said)
        const types = (yield* ask(model, "streamed")).map(({ type }) => type)
        const order = ["text-start", "text-delta", "text-end", "tool-call", "finish"] as const
        assert.deepStrictEqual(types.filter((type) => order.includes(type as typeof order[number])), [
          "text-start",
          "text-delta",
          "text-delta",
          "text-end",
          "tool-call",
          "finish"
        ])
        assert.include(types, "response-metadata")
      }))

    it.live("that is an object is asked for by its schema and decoded", () =>
      Effect.gen(function*() {
        const question = yield* Deferred.make<Effect.Success<ReturnType<Wire["question"]>>>()
        const { model } = yield* backed((asked, response) => {
          void Effect.runPromise(Effect.andThen(
            Effect.flatMap(wire.question(asked), (read) => Deferred.succeed(question, read)),
            Effect.sync(() => answer(response, "whole", { text: "{\"n\":3}" }))
          ))
        })
        const { usage, value } = yield* model.generateObject({
          prompt: "Count",
          schema: Schema.Struct({ n: Schema.Finite })
        })
        assert.deepStrictEqual(value, { n: 3 })
        assert.deepInclude(usageOf(usage), { input: 10, output: 5 })
        const { schema } = yield* Deferred.await(question)
        assert.deepInclude(schema, { type: "object", required: ["n"] })
      }))

    it.live("goes into the next question, with what was found out", () =>
      Effect.gen(function*() {
        const question = yield* Deferred.make<Effect.Success<ReturnType<Wire["question"]>>>()
        const calls = [
          { id: "call_a", name: "weather", params: { city: "Oslo" } },
          { id: "call_b", name: "weather", params: { city: "Bergen" } }
        ]
        const { model } = yield* backed((asked, response, attempt) => {
          if (attempt === 1) return answer(response, "whole", { thought: "Hm.", text: "Looking.", calls })
          void Effect.runPromise(Effect.andThen(
            Effect.flatMap(wire.question(asked), (read) => Deferred.succeed(question, read)),
            Effect.sync(() => answer(response, "whole", { text: "ok" }))
          ))
        })
        const first = yield* model.generateText({ prompt: "Weather?", ...raw })
        const results = first.toolCalls.map(({ id, name }, index) =>
          Prompt.makePart("tool-result", {
            id,
            name,
            isFailure: index === 1,
            result: index === 1 ? { code: 7 } : "sunny",
            providerExecuted: false
          })
        )
        yield* model.generateText({
          ...raw,
          prompt: Prompt.fromMessages([
            ...Prompt.make("Weather?").content,
            ...Prompt.fromResponseParts(first.content).content,
            ...results.map((result) => Prompt.makeMessage("tool", { content: [result] })),
            ...Prompt.make("And?").content
          ])
        })
        const asked = yield* Deferred.await(question)
        assert.deepStrictEqual(asked.calls, [
          { name: "weather", params: { city: "Oslo" }, result: "sunny" },
          { name: "weather", params: { city: "Bergen" }, result: "{\"code\":7}" }
        ])
        assert.include(asked.texts.join("\n"), "And?")
      }))

    it.live("may be about an image; a file of an unknown kind is not sent", () =>
      Effect.gen(function*() {
        const question = yield* Deferred.make<Effect.Success<ReturnType<Wire["question"]>>>()
        const { model, server } = yield* backed((asked, response) => {
          void Effect.runPromise(Effect.andThen(
            Effect.flatMap(wire.question(asked), (read) => Deferred.succeed(question, read)),
            Effect.sync(() => answer(response, "whole", { text: "a cat" }))
          ))
        })
        const file = (mediaType: string, data: string | Uint8Array): Prompt.RawInput => [
          { role: "user", content: [{ type: "text", text: "What is it?" }, { type: "file", mediaType, data }] }
        ]
        const refused = yield* kindOf(model.generateText({ prompt: file("audio/x-unheard-of", "AQID") }))
        assert.strictEqual(refused, "Unsupported")
        assert.strictEqual(server.asked.length, 0)
        yield* model.generateText({ prompt: file("image/png", new Uint8Array([1, 2, 3])) })
        assert.deepStrictEqual((yield* Deferred.await(question)).images, ["AQID"])
      }))
  })

  describe(`${wire.name}: a refusal`, () => {
    const kinds = { tooLong: "ContextTooLong", unauthorized: "Unauthorized", quota: "QuotaExhausted" } as const
    for (const [refusal, kind] of Object.entries(kinds) as ReadonlyArray<[keyof typeof kinds, Failure.Kind]>) {
      for (const way of ways) {
        it.live(`for "${refusal}" is ${kind}, and is not repeated, ${way}`, () =>
          Effect.gen(function*() {
            const { model, server } = yield* backed((_, response) => send(response, wire.refuse(refusal, "so it is")))
            assert.strictEqual(yield* kindOf(ask(model, way)), kind)
            assert.strictEqual(server.asked.length, 1)
          }))
      }
    }

    it.live("by a filter is told from others where the vendor tells", () =>
      Effect.gen(function*() {
        const { model } = yield* backed((_, response) => send(response, wire.refuse("filtered", "so it is")))
        assert.strictEqual(yield* kindOf(ask(model, "whole")), wire.filters ? "ContentFiltered" : "InvalidRequest")
      }))

    it.live("never repeats the key", () =>
      Effect.gen(function*() {
        const key = wire.key ?? "sk-none-0123456789abcdefghij"
        const { model } = yield* backed((_, response) => send(response, wire.refuse("unauthorized", `${key} is wrong`)))
        const error = yield* Effect.flip(ask(model, "whole"))
        assert.notInclude(JSON.stringify(error) + error.message, key)
      }))

    it.live("that sends elsewhere is not followed with the key in hand", () =>
      Effect.gen(function*() {
        const elsewhere = yield* serve((_, response) => answer(response, "whole", { text: "caught" }))
        for (const way of ways) {
          const { model } = yield* backed((_, response) =>
            send(response, { status: 307, headers: { location: elsewhere.url }, body: "" })
          )
          yield* Effect.flip(ask(model, way))
        }
        assert.strictEqual(elsewhere.asked.length, 0)
      }))
  })

  describe(`${wire.name}: a vendor short of capacity`, () => {
    for (const way of ways) {
      for (const refusal of ["rate", "overloaded", "failed"] as const) {
        it.effect(`("${refusal}") is asked again, later each time, ${way}`, () =>
          Effect.gen(function*() {
            const { at, result } = yield* timed(
              (response, attempt) =>
                attempt < 3 ? send(response, wire.refuse(refusal, "slow down")) : answer(response, way, { text: "ok" }),
              way
            )
            assert.strictEqual(result._tag, "Success")
            const [first = 0, second = 0, third = 0] = at
            assert.isAtLeast(second - first, Vendor.firstRetryMs * 0.8)
            assert.isAtLeast(third - second, Vendor.firstRetryMs * 1.6)
          }))
      }

      it.effect(`is asked a bounded number of times, ${way}`, () =>
        Effect.gen(function*() {
          const { result, server } = yield* timed(
            (response) => send(response, wire.refuse("rate", "slow down")),
            way
          )
          assert.strictEqual(result._tag === "Failure" ? Failure.kindOf(result.failure.reason) : "", "RateLimited")
          assert.strictEqual(server.asked.length, 1 + Vendor.maxRetries)
        }))

      // The clock of a test starts with 1970.
      for (const after of ["30", "Thu, 01 Jan 1970 00:00:30 GMT"]) {
        it.effect(`is asked again when it says (${after}), ${way}`, () =>
          Effect.gen(function*() {
            const { at, result } = yield* timed(
              (response, attempt) =>
                attempt === 1
                  ? send(response, wire.refuse("rate", "slow down"), { "retry-after": after })
                  : answer(response, way, { text: "ok" }),
              way,
              "500 millis"
            )
            assert.strictEqual(result._tag, "Success")
            const [first = 0, second = 0] = at
            if (wire.saysWhen) assert.isAtLeast(second, after === "30" ? first + 30_000 : 30_000)
            else assert.isAbove(second, first)
          }))
      }
    }

    it.live("that wants to be left alone for long is not waited for, and what it said is handed on", () =>
      Effect.gen(function*() {
        const { model, server } = yield* backed((_, response) =>
          send(response, wire.refuse("rate", "slow down"), { "retry-after": "3600" })
        )
        const error = yield* Effect.flip(ask(model, "whole"))
        assert.isTrue(error.isRetryable)
        if (!wire.saysWhen) return
        assert.strictEqual(server.asked.length, 1)
        assert.strictEqual(error.retryAfter === undefined ? 0 : Duration.toSeconds(error.retryAfter), 3600)
      }))
  })

  describe(`${wire.name}: a broken answer`, () => {
    it.live("that ends before its end is cut short, however far it came", () =>
      Effect.gen(function*() {
        const whole = wire.stream({
          thought: "Hm.",
          text: "Hello there",
          calls: [{ id: "call_a", name: "weather", params: { city: "Oslo" } }]
        })
        for (let kept = 0; kept < whole.pieces.length; kept++) {
          const { model } = yield* backed((_, response) => play(response, whole, kept))
          const heard: Array<string> = []
          const error = yield* Effect.flip(
            Stream.runForEach(
              model.streamText({ prompt: "Hi", ...raw }),
              ({ type }) => Effect.sync(() => heard.push(type))
            )
          )
          assert.strictEqual(Failure.kindOf(error.reason), "CutShort", `cut after ${kept} pieces`)
          assert.notInclude(heard, "finish")
        }
      }))

    for (const way of ways) {
      it.live(`whose connection is reset is cut short, and not asked for again, ${way}`, () =>
        Effect.gen(function*() {
          const { model, server } = yield* backed((_, response) => {
            if (way === "streamed") open(response, wire.stream({ text: "Hello there" }))
            else {
              const { body, headers, status } = wire.whole({ text: "Hello there" })
              response.writeHead(status, { ...headers, "content-length": String(body.length + 1000) })
              response.write(body.slice(0, 20))
            }
            void setTimeout(30).then(() => response.destroy())
          })
          assert.strictEqual(yield* kindOf(ask(model, way)), "CutShort")
          assert.strictEqual(server.asked.length, 1)
        }))

      it.live(`that is malformed is refused without being quoted, ${way}`, () =>
        Effect.gen(function*() {
          const { headers, pieces } = wire.stream({ text: "Hello there" })
          const { model } = yield* backed((_, response) =>
            way === "whole"
              ? send(response, { ...wire.whole({}), body: `{"nonsense": ${confidence}\n` })
              : play(response, { headers, pieces: [pieces[0] ?? "", wire.malformed(confidence), ...pieces.slice(1)] })
          )
          const error = yield* Effect.flip(ask(model, way))
          assert.strictEqual(Failure.kindOf(error.reason), "InvalidAnswer")
          assert.notInclude(JSON.stringify(error) + error.message, confidence)
        }))

      it.live(`of another shape is refused without being quoted, ${way}`, () =>
        Effect.gen(function*() {
          const { headers } = way === "whole" ? wire.whole({}) : wire.stream({})
          const { model } = yield* backed((_, response) =>
            send(response, { status: 200, headers, body: JSON.stringify([confidence]) })
          )
          const error = yield* Effect.flip(ask(model, way))
          assert.include(["InvalidAnswer", "CutShort"], Failure.kindOf(error.reason))
          assert.notInclude(JSON.stringify(error) + error.message, confidence)
        }))

      it.live(`of another type is refused without being quoted, ${way}`, () =>
        Effect.gen(function*() {
          const { model } = yield* backed((_, response) =>
            send(response, {
              status: 200,
              headers: { "content-type": "text/html" },
              body: `<h1>${confidence}</h1>`
            })
          )
          const error = yield* Effect.flip(ask(model, way))
          assert.strictEqual(Failure.kindOf(error.reason), "InvalidAnswer")
          assert.notInclude(JSON.stringify(error) + error.message, confidence)
        }))

      it.live(`that never ends is read up to its bound, ${way}`, () =>
        Effect.gen(function*() {
          const maxAnswerBytes = 262_144
          let sent = Promise.resolve(0)
          const { model } = yield* backed((_, response) => {
            const { headers } = way === "whole" ? wire.whole({}) : wire.stream({})
            response.writeHead(200, headers)
            if (way === "whole") response.write("{\"nonsense\":\"")
            sent = flood(response, way === "whole" ? "x".repeat(8192) : wire.noise, undefined)
          }, { maxAnswerBytes })
          const error = yield* Effect.flip(ask(model, way))
          assert.strictEqual(Failure.kindOf(error.reason), "InvalidAnswer")
          assert.isBelow(yield* Effect.promise(() => sent), maxAnswerBytes + 16 * 1024 * 1024)
        }))

      it.live(`that drips without ever saying anything is given up, ${way}`, () =>
        Effect.gen(function*() {
          const { model, server } = yield* backed((_, response) => {
            const { headers } = way === "whole" ? wire.whole({}) : wire.stream({})
            response.writeHead(200, headers)
            void flood(response, way === "whole" ? " " : wire.noise, 10)
          }, { timeoutMs: 3 * wire.promptMs })
          assert.strictEqual(yield* kindOf(ask(model, way)), "TimedOut")
          yield* server.abandoned
        }))
    }

    it.effect("that drips on and on is given up in the end", () =>
      Effect.gen(function*() {
        const spoken = wire.stream({ text: "Hello there" })
        const first = spoken.pieces.findIndex((piece) => Buffer.from(piece).includes("Hello"))
        const { result, server } = yield* timed(
          (response) => {
            begin(response, spoken, first)
            void flood(response, spoken.pieces[first] ?? "", 5)
          },
          "streamed",
          // As much of its time in an instant as the answer needs to begin.
          Duration.millis(1_800_000 / wire.promptMs)
        )
        assert.strictEqual(result._tag === "Failure" ? Failure.kindOf(result.failure.reason) : "", "TimedOut")
        yield* server.abandoned
      }))

    it.live("in bytes that come one by one is whole", () =>
      Effect.gen(function*() {
        const { headers, pieces } = wire.stream({ text: "wörld 🌍", used: { ...usual, answer: 9 } })
        const { model } = yield* backed((_, response) => {
          response.writeHead(200, headers)
          void trickle(response, Buffer.concat(pieces.map((piece) => Buffer.from(piece))))
        })
        const parts = yield* ask(model, "streamed")
        assert.strictEqual(textOf(parts), "wörld 🌍")
        assert.strictEqual(finishOf(parts)?.usage.outputTokens.total, 9)
      }))

    it.live("writes nothing to the console", () =>
      Effect.gen(function*() {
        const written = (["log", "info", "warn", "error", "debug"] as const).map((method) =>
          vi.spyOn(console, method).mockImplementation(() => {})
        )
        const said: Array<unknown> = []
        for (const way of ways) {
          const { headers } = way === "whole" ? wire.whole({}) : wire.stream({})
          const replies: ReadonlyArray<Reply> = [
            wire.refuse("unauthorized", confidence),
            { status: 502, headers: { "content-type": "text/html" }, body: confidence },
            { status: 500, headers: { "content-type": "application/json" }, body: `{${confidence}` },
            { status: 200, headers, body: wire.malformed(confidence) }
          ]
          for (const reply of replies) {
            const { model } = yield* backed((_, response) => send(response, reply))
            yield* Effect.timeoutOption(Effect.exit(ask(model, way)), "5 seconds")
          }
        }
        for (const spy of written) {
          said.push(...spy.mock.calls)
          spy.mockRestore()
        }
        assert.deepStrictEqual(said, [])
      }))
  })

  describe(`${wire.name}: a connection`, () => {
    it.live("on which nothing comes is given up and closed", () =>
      Effect.gen(function*() {
        for (const way of ways) {
          const { model, server } = yield* backed(() => {}, { timeoutMs: wire.promptMs })
          assert.strictEqual(yield* kindOf(ask(model, way)), "TimedOut")
          assert.strictEqual(server.asked.length, 1)
          yield* server.abandoned
        }
      }))

    it.live("on which a stream falls silent is given up and closed", () =>
      Effect.gen(function*() {
        const { model, server } = yield* backed(
          (_, response) => open(response, wire.stream({ text: "Hello there" })),
          { timeoutMs: wire.promptMs }
        )
        assert.strictEqual(yield* kindOf(ask(model, "streamed")), "TimedOut")
        yield* server.abandoned
      }))

    for (const way of ways) {
      it.live(`is closed when its caller is interrupted, ${way}`, () =>
        Effect.gen(function*() {
          const { model, server } = yield* backed(() => {})
          const fiber = yield* Effect.forkChild(ask(model, way))
          yield* server.arrived(1)
          yield* Fiber.interrupt(fiber)
          yield* server.abandoned
        }))

      it.live(`is closed when its caller is interrupted in the middle of an answer, ${way}`, () =>
        Effect.gen(function*() {
          const { model, server } = yield* backed((_, response) => {
            if (way === "streamed") return open(response, wire.stream({ text: "Hello there" }))
            response.writeHead(200, wire.whole({}).headers)
            response.write("{")
          })
          const fiber = yield* Effect.forkChild(ask(model, way))
          yield* server.arrived(1)
          yield* Effect.sleep("30 millis")
          yield* Fiber.interrupt(fiber)
          yield* server.abandoned
        }))
    }

    it.live("is closed when its reader has had enough", () =>
      Effect.gen(function*() {
        const { model, server } = yield* backed((_, response) => open(response, wire.stream({ text: "Hello there" })))
        yield* Stream.runDrain(Stream.take(model.streamText({ prompt: "Hi" }), 1))
        yield* server.abandoned
      }))

    it.effect("that cannot be made is told as that, after a bounded number of attempts", () =>
      Effect.gen(function*() {
        // Where a server was, and is no more.
        const { url } = yield* Effect.scoped(serve(() => {}))
        const backend: Backend.Backend<Backend.Name> = yield* Effect.orDie(wire.make(url, {}))
        const fiber = yield* Effect.forkChild(kindOf(ask(backend.languageModel, "whole")))
        while (fiber.pollUnsafe() === undefined) {
          yield* Effect.promise(() => setTimeout(5))
          yield* TestClock.adjust("50 millis")
        }
        assert.strictEqual(yield* Fiber.join(fiber), "NotConnected")
      }))
  })

  describe(`${wire.name}: a governed call`, () => {
    for (const way of ways) {
      it.live(`pays for what was used, ${way}`, () =>
        Effect.gen(function*() {
          const { backend } = yield* saying(way, { text: "ok", used: { ...usual, fresh: 30, answer: 7 } })
          const { account, turn } = yield* governed(backend, way)
          assert.deepInclude(turn?.usage, { input: 30, output: 7 })
          assert.deepInclude(account, { reserved: 0, spent: 30 + 10 * 7 })
        }))

      it.live(`that is refused by the vendor costs nothing, ${way}`, () =>
        Effect.gen(function*() {
          const { backend } = yield* backed((_, response) => send(response, wire.refuse("tooLong", "so it is")))
          const { account, error } = yield* governed(backend, way)
          assert.strictEqual(error, "ContextTooLong")
          assert.deepInclude(account, { reserved: 0, spent: 0 })
        }))

      it.live(`whose arguments are no use keeps its usage and its price, ${way}`, () =>
        Effect.gen(function*() {
          const calls = [{ id: "call_a", name: "unheard_of", params: { any: "thing" } }]
          const { backend } = yield* saying(way, { calls })
          const { account, turn } = yield* governed(backend, way)
          assert.deepStrictEqual(turn?.calls.map(({ name, params }) => ({ name, params })), [
            { name: "unheard_of", params: { any: "thing" } }
          ])
          assert.deepInclude(account, { reserved: 0, spent: 10 + 10 * 5 })
        }))
    }

    it.live("that is cut short is an error, and is paid for in full", () =>
      Effect.gen(function*() {
        const cut = wire.stream({ text: "Hello there" })
        const { backend } = yield* backed((_, response) => play(response, cut, cut.pieces.length - 1))
        const { account, error, reserved } = yield* governed(backend, "streamed")
        assert.strictEqual(error, "CutShort")
        assert.isAbove(reserved, 0)
        assert.deepInclude(account, { reserved: 0, spent: reserved })
      }))
  })

  describe(`${wire.name}: a count`, () => {
    /** Answers one count after another, and calls with a word. */
    const counting = (...counts: ReadonlyArray<Reply>) => {
      let asked = 0
      return backed(({ path }, response) => {
        const isCount = wire.counter?.path.test(path) === true
        send(response, isCount ? counts[asked++] ?? wire.refuse("failed", "") : wire.whole({ text: "ok" }))
      }, { maxOutputTokens: 10 })
    }
    /** Less than the bound by bytes, more than what is counted. */
    const tight = 1000
    const none = { reserved: 0, spent: 0 }

    it.live("is of the whole request, and generates nothing", () =>
      Effect.gen(function*() {
        const { backend, server } = yield* counting(wire.counter?.reply(321) ?? wire.whole({}))
        assert.strictEqual(backend.counter === undefined, wire.counter === undefined)
        if (backend.counter === undefined) return
        const prompt = Prompt.make([
          { role: "system", content: "Be brief." },
          { role: "user", content: [{ type: "text", text: "How is it in Oslo?" }] }
        ])
        const { content, usage } = yield* backend.counter.generateText({ prompt, ...raw })
        assert.strictEqual(usage.inputTokens.total, 321)
        assert.strictEqual(usage.outputTokens.total, 0)
        assert.deepStrictEqual(content.map(({ type }) => type), ["finish"])
        assert.strictEqual(server.asked.length, 1)
        const told = JSON.stringify(server.asked[0]?.body)
        for (const part of ["Be brief.", "How is it in Oslo?", "weather", "city", "the time"]) {
          assert.include(told, part)
        }
      }))

    it.live("lets a call through whose bound by bytes does not fit, where the vendor counts", () =>
      Effect.gen(function*() {
        const { backend, server } = yield* counting(wire.counter?.reply(100) ?? wire.whole({}))
        const { account, error, reserved, rows } = yield* governed(backend, "whole", undefined, tight)
        const acts = rows.flatMap(({ body }) => body.kind === "outcome" ? [body.act] : [])
        if (wire.counter === undefined) {
          assert.deepInclude({ error, account, asked: server.asked.length }, { error: "Refused", asked: 0 })
          assert.deepInclude(account, none)
          return
        }
        assert.isUndefined(error)
        assert.deepStrictEqual(acts, [`count:${wire.name}`, `model:${wire.name}`])
        // With five in a hundred and 256 tokens more, and ten tokens to answer with.
        assert.strictEqual(reserved, 105 + 256 + 10 * 10)
        assert.deepInclude(account, { reserved: 0, spent: 10 + 10 * 5 })
      }))

    it.live("is not asked for where the bound by bytes fits", () =>
      Effect.gen(function*() {
        const { backend, server } = yield* counting()
        const { error } = yield* governed(backend, "whole")
        assert.isUndefined(error)
        assert.strictEqual(server.asked.length, 1)
      }))

    it.live("that is too high, that fails or that is no count makes no call", () =>
      Effect.gen(function*() {
        const bad = [wire.counter?.reply(9000), wire.refuse("tooLong", ""), wire.whole({})]
        for (const reply of bad) {
          const { backend, server } = yield* counting(reply ?? wire.whole({}))
          const { account, error, rows } = yield* governed(backend, "whole", undefined, tight)
          assert.strictEqual(error, "Refused")
          assert.deepInclude(account, none)
          assert.strictEqual(server.asked.length, wire.counter === undefined ? 0 : 1)
          assert.deepInclude(rows.findLast(({ body }) => body.kind === "refusal")?.body, {
            act: `model:${wire.name}`,
            layer: "budget",
            ran: false
          })
        }
      }))
  })
}
