/**
 * The backend `openai`: models behind the Responses API, through the vendor's own SDK, which is loaded when a backend is
 * made and never before.
 */
import { Effect, Redacted } from "effect"
import { OpenAiStructuredOutput } from "effect/ai"
import { type Backend, Setup, Vendor } from "../../src/backend/index.ts"
import * as Answer from "./Answer.ts"
import * as Events from "./Events.ts"
import * as Refusals from "./Refusals.ts"
import * as Request from "./Request.ts"

/** Which model, and how it is called; all but the model has a default. */
export interface Options extends Setup.Options {
  /** The key; otherwise `OPENAI_API_KEY` of the configuration. */
  readonly apiKey?: Redacted.Redacted
  /**
   * Whether the model reasons, so that its sealed thoughts are asked for and told to it again. By default known from its
   * name. Gotchas: the vendor refuses the request when a model that does not reason is asked for them.
   */
  readonly thinks?: boolean
}

/** The vendor's package. */
export const packageName = "openai"
/** The variable that holds the key. */
export const keyVariable = "OPENAI_API_KEY"
/** The variable that may hold another address. */
export const urlVariable = "OPENAI_BASE_URL"
/** Where the vendor is asked, unless set. */
export const vendorUrl = "https://api.openai.com/v1"

/** A backend over the model; fails when the SDK, the key or an option is amiss. */
export const make = (options: Options): Effect.Effect<Backend.Backend<"openai">, Setup.SetupError> =>
  Effect.gen(function*() {
    const settings = {
      ...(yield* Setup.settings("openai", options, {
        baseUrl: vendorUrl,
        baseUrlVariable: urlVariable,
        model: "gpt-5.5"
      })),
      thinks: options.thinks ?? thinking.test(options.model)
    }
    const key = Redacted.value(yield* Setup.key("openai", [keyVariable], options.apiKey))
    const sdk = yield* Setup.load("openai", packageName, () => import("openai"))
    const responses = (fetch: typeof globalThis.fetch) =>
      new sdk.OpenAI({
        apiKey: key,
        adminAPIKey: null,
        baseURL: settings.baseUrl,
        maxRetries: 0,
        timeout: settings.timeoutMs + Vendor.spareMs,
        logLevel: "off",
        fetch
      }).responses
    const api: Vendor.Vendor<Request.Body, Events.State> = {
      ...settings,
      name: "openai",
      module: "OpenAi",
      url: `${settings.baseUrl}/responses`,
      secrets: [key],
      streams: ["text/event-stream"],
      body: (asked) => Request.of(asked, settings),
      whole: (body, { fetch, signal }) =>
        Vendor.promised(() => responses(fetch).create({ ...body, stream: false }, { signal })),
      answer: (value) => Answer.of(value, key),
      events: (body, { fetch, signal }) =>
        Vendor.promised(() => responses(fetch).create({ ...body, stream: true }, { signal })),
      start: () => Events.start(key),
      next: Events.next,
      refused: (refusal) => Refusals.of(refusal, key),
      // An event of a stream that says what went wrong.
      thrown: (error) =>
        error instanceof sdk.APIError && !(error instanceof sdk.APIConnectionError)
          ? Refusals.told(error.error, key)
          : undefined
    }
    return {
      name: "openai",
      model: settings.model,
      notice: null,
      maxOutputTokens: settings.maxOutputTokens,
      languageModel: yield* Vendor.languageModel(api, OpenAiStructuredOutput.toCodecOpenAI),
      counter: yield* Vendor.counter(api, {
        ask: (body, { fetch, signal }) =>
          Vendor.promised(() => responses(fetch).inputTokens.count(Request.counted(body), { signal })),
        tokens: Vendor.countIn("input_tokens")
      }, OpenAiStructuredOutput.toCodecOpenAI)
    }
  })

// internal

/** Families of models that reason, by how their names begin; their variants for chats do not. */
const thinking = /^(?:o\d|gpt-(?:[5-9]|\d\d)(?!.*-chat))/
