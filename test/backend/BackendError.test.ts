/** Why a call came to nothing: told once, and the same after it was written down. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { AiError } from "effect/ai"
import { BackendError, Failure } from "../../src/backend/index.ts"
import { Tool } from "../../src/tool/index.ts"

const backend = { name: "anthropic", model: "m" }
const codec = Schema.toCodecJson(AiError.AiError)

const failures: ReadonlyArray<Failure.Failure> = [
  ...Failure.kinds.map((kind) => Failure.make(kind, { detail: "so it is", retryAfterMs: 1500 })),
  ...(["NotConnected", "TimedOut", "CutShort"] as const).map((kind) =>
    Failure.transport(kind, "http://127.0.0.1/x", "so it is")
  ),
  Failure.invalidAnswer("so it is")
]
const errorOf = ({ reason }: Failure.Failure) => AiError.make({ module: "Anthropic", method: "generateText", reason })

describe("an error", () => {
  it.effect("keeps its kind, before and after it was written as JSON", () =>
    Effect.gen(function*() {
      const kinds: Array<Failure.Kind> = []
      for (const failure of failures) {
        const error = errorOf(failure)
        const kind = Failure.kindOf(error.reason)
        const json: unknown = JSON.parse(JSON.stringify(yield* Schema.encodeEffect(codec)(error)))
        const again = yield* Schema.decodeUnknownEffect(codec)(json)
        assert.strictEqual(Failure.kindOf(again.reason), kind)
        assert.strictEqual(BackendError.of(backend, again).message, BackendError.of(backend, error).message)
        kinds.push(kind)
      }
      assert.deepStrictEqual(kinds.slice(0, Failure.kinds.length), [...Failure.kinds])
      assert.deepStrictEqual(kinds.slice(Failure.kinds.length), [
        "NotConnected",
        "TimedOut",
        "CutShort",
        "InvalidAnswer"
      ])
    }))

  it.effect("is the same when a journal answers with it", () =>
    Effect.gen(function*() {
      const { decode, encode } = Tool.codec(BackendError.BackendError)
      for (const failure of failures) {
        const error = BackendError.of(backend, errorOf(failure))
        const again = yield* decode(yield* encode(error))
        assert.deepStrictEqual({ ...again.reason }, { ...error.reason })
        assert.strictEqual(again.message, error.message)
      }
    }))

  it("tells connections that were not made from those that broke or fell silent", () => {
    const kindOf = (code: string) =>
      Failure.kindOf(
        Failure.thrown(new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code }) }), "http://x")
          .reason
      )
    assert.strictEqual(kindOf("ECONNREFUSED"), "NotConnected")
    assert.strictEqual(kindOf("ENOTFOUND"), "NotConnected")
    assert.strictEqual(kindOf("ECONNRESET"), "CutShort")
    assert.strictEqual(kindOf("UND_ERR_HEADERS_TIMEOUT"), "TimedOut")
    const error = Failure.thrown(new TypeError("a mistake"), "http://x")
    assert.strictEqual(Failure.kindOf(error.reason), "Unknown")
  })

  it("says what happened and what would help", () => {
    for (const failure of failures) {
      const error = BackendError.of(backend, errorOf(failure))
      assert.match(error.message, /^anthropic\/m: \w+: .+; .+/)
      assert.isTrue(error.message.endsWith(error.remedy))
    }
  })

  it("hands on how long the vendor asked to be left alone", () => {
    const { reason } = BackendError.of(
      backend,
      errorOf(Failure.make("RateLimited", { detail: "", retryAfterMs: 1500.2 }))
    )
    assert.deepInclude(reason, { _tag: "RateLimited", retryAfterMs: 1501 })
  })

  it("costs nothing where the vendor said that it did nothing, and may cost all where it was not heard to the end", () => {
    const charged = Failure.kinds.filter((kind) =>
      BackendError.of(backend, errorOf(Failure.make(kind, { detail: "" }))).charged
    )
    assert.deepStrictEqual(charged, ["ContentFiltered", "TimedOut", "CutShort", "InvalidAnswer", "Unknown"])
  })

  it("may be asked for again only where nothing was done, and the vendor does not say that it is of no use", () => {
    const again = Failure.kinds.filter((kind) => Failure.make(kind, { detail: "" }).mayRetry)
    assert.deepStrictEqual(again, ["RateLimited", "Overloaded", "ProviderFailed", "NotConnected"])
    assert.isFalse(Failure.make("RateLimited", { detail: "", hopeless: true }).mayRetry)
    for (const kind of again) {
      assert.isFalse(BackendError.of(backend, errorOf(Failure.make(kind, { detail: "" }))).charged)
    }
  })

  it("of someone else's is understood as well", () => {
    const reasons: ReadonlyArray<readonly [AiError.AiErrorReason, string]> = [
      [new AiError.RateLimitError({}), "RateLimited"],
      [new AiError.InvalidOutputError({ description: "no" }), "InvalidAnswer"],
      [new AiError.NetworkError({ reason: "TransportError", method: "POST", url: "http://x" }), "CutShort"],
      [new AiError.ToolNotFoundError({ toolName: "t", availableTools: [] }), "Unknown"]
    ]
    for (const [reason, tag] of reasons) {
      const error = AiError.make({ module: "Other", method: "generateText", reason })
      assert.strictEqual(BackendError.of(backend, error).reason._tag, tag)
    }
  })
})

describe("a wait", () => {
  const after = (headers: Record<string, string>) => Failure.retryAfterMs(new Headers(headers), 10_000)

  it("is read from each of its forms, and from nothing else", () => {
    assert.strictEqual(after({ "retry-after": "3" }), 3000)
    assert.strictEqual(after({ "retry-after": "0.5" }), 500)
    assert.strictEqual(after({ "retry-after-ms": "20", "retry-after": "3" }), 20)
    assert.strictEqual(after({ "retry-after": "Thu, 01 Jan 1970 00:00:25 GMT" }), 15_000)
    assert.strictEqual(after({ "retry-after": "Thu, 01 Jan 1970 00:00:05 GMT" }), 0)
    for (const none of [{}, { "retry-after": "" }, { "retry-after": "-1" }, { "retry-after": "soon" }]) {
      assert.isUndefined(after(none))
    }
  })
})
