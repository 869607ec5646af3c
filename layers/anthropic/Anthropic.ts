/**
 * The backend `anthropic`: models behind the Messages API, through the vendor's own SDK, which is loaded when a backend is
 * made and never before.
 */
import { Effect, Redacted, Result } from "effect"
import { AnthropicStructuredOutput } from "effect/ai"
import { type Backend, Setup, Vendor } from "../../src/backend/index.ts"
import * as Answer from "./Answer.ts"
import * as Events from "./Events.ts"
import * as Refusals from "./Refusals.ts"
import * as Request from "./Request.ts"

/** Which model, and how it is called; all but the model has a default. */
export interface Options extends Setup.Options {
  /** The key; otherwise `ANTHROPIC_API_KEY` of the configuration. */
  readonly apiKey?: Redacted.Redacted
}

/** The vendor's package. */
export const packageName = "@anthropic-ai/sdk"
/** The variable that holds the key. */
export const keyVariable = "ANTHROPIC_API_KEY"
/** The variable that may hold another address. */
export const urlVariable = "ANTHROPIC_BASE_URL"
/** Where the vendor is asked, unless set. */
export const vendorUrl = "https://api.anthropic.com"

/** A backend over the model; fails when the SDK, the key or an option is amiss. */
export const make = (options: Options): Effect.Effect<Backend.Backend<"anthropic">, Setup.SetupError> =>
  Effect.gen(function*() {
    const settings = yield* Setup.settings("anthropic", options, {
      baseUrl: vendorUrl,
      baseUrlVariable: urlVariable,
      model: "claude-sonnet-5"
    })
    const key = Redacted.value(yield* Setup.key("anthropic", [keyVariable], options.apiKey))
    const sdk = yield* Setup.load("anthropic", packageName, () => import("@anthropic-ai/sdk"))
    const client = (fetch: typeof globalThis.fetch) =>
      new sdk.Anthropic({
        apiKey: key,
        baseURL: settings.baseUrl,
        maxRetries: 0,
        timeout: settings.timeoutMs + Vendor.spareMs,
        logLevel: "off",
        openTelemetry: false,
        fetch
      })
    const api: Vendor.Vendor<Request.Body, Events.State> = {
      ...settings,
      name: "anthropic",
      module: "Anthropic",
      url: `${settings.baseUrl}${path}`,
      secrets: [key],
      streams: ["text/event-stream"],
      body: (asked) => Request.of(asked, settings),
      whole: (body, { fetch, signal }) => Vendor.promised(() => client(fetch).post<unknown>(path, { body, signal })),
      answer: (value) => Result.map(Answer.of(value), ({ parts }) => parts),
      events: (body, { fetch, signal }) =>
        Vendor.promised(() =>
          client(fetch).post<AsyncIterable<unknown>>(path, { body: { ...body, stream: true }, stream: true, signal })
        ),
      start: () => Events.start,
      next: Events.next,
      refused: (refusal) => Refusals.of(refusal, key),
      // An event of a stream that says what went wrong.
      thrown: (error) =>
        error instanceof sdk.APIError && !(error instanceof sdk.APIConnectionError)
          ? Refusals.told(error.error, key)
          : undefined
    }
    return {
      name: "anthropic",
      model: settings.model,
      notice: null,
      maxOutputTokens: settings.maxOutputTokens,
      languageModel: yield* Vendor.languageModel(api, AnthropicStructuredOutput.toCodecAnthropic),
      counter: yield* Vendor.counter(api, {
        ask: ({ max_tokens: _, ...body }, { fetch, signal }) =>
          Vendor.promised(() => client(fetch).post<unknown>(`${path}/count_tokens`, { body, signal })),
        tokens: Vendor.countIn("input_tokens")
      }, AnthropicStructuredOutput.toCodecAnthropic)
    }
  })

// internal

/** Asked for by its path: the SDK's `messages.create` writes warnings about models to the console. */
const path = "/v1/messages"
