/**
 * The backend `gemini`: models behind the Gemini API, through the vendor's own SDK, which is loaded when a backend is made
 * and never before.
 */
import { Effect, Redacted } from "effect"
import { OpenAiStructuredOutput } from "effect/ai"
import { type Backend, Failure, Setup, Vendor } from "../../src/backend/index.ts"
import * as Answer from "./Answer.ts"
import * as Events from "./Events.ts"
import * as Refusals from "./Refusals.ts"
import * as Request from "./Request.ts"

/** Which model, and how it is called; all but the model has a default. */
export interface Options extends Setup.Options {
  /** The key; otherwise `GEMINI_API_KEY` or `GOOGLE_API_KEY` of the configuration. */
  readonly apiKey?: Redacted.Redacted
}

/** The vendor's package. */
export const packageName = "@google/genai"
/** The variables that may hold the key; the first that is set does. */
export const keyVariables = ["GEMINI_API_KEY", "GOOGLE_API_KEY"] as const
/** The variable that may hold another address. */
export const urlVariable = "GOOGLE_GEMINI_BASE_URL"
/** Where the vendor is asked, unless set. */
export const vendorUrl = "https://generativelanguage.googleapis.com"

/** A backend over the model; fails when the SDK, the key or an option is amiss. */
export const make = (options: Options): Effect.Effect<Backend.Backend<"gemini">, Setup.SetupError> =>
  Effect.gen(function*() {
    const settings = yield* Setup.settings("gemini", options, {
      baseUrl: vendorUrl,
      baseUrlVariable: urlVariable,
      model: "gemini-3.5-flash"
    })
    const key = Redacted.value(yield* Setup.key("gemini", keyVariables, options.apiKey))
    const sdk = yield* Setup.load("gemini", packageName, () => import("@google/genai"))
    const { models } = new sdk.GoogleGenAI({
      apiKey: key,
      vertexai: false,
      httpOptions: { baseUrl: settings.baseUrl }
    })
    const api: Vendor.Vendor<Request.Body, Events.State> = {
      ...settings,
      name: "gemini",
      module: "Gemini",
      url: settings.baseUrl,
      secrets: [key],
      streams: ["text/event-stream"],
      body: (asked) => Request.of(asked, settings),
      whole: (body, call) => Vendor.promised(() => models.generateContent(during(body, call))),
      answer: Answer.of,
      events: (body, call) => Vendor.promised(() => models.generateContentStream(during(body, call))),
      start: Events.start,
      next: Events.next,
      last: Events.last,
      refused: (refusal) => Refusals.of(refusal, key),
      thrown: (error) => {
        // A piece of a stream that says what went wrong.
        if (error instanceof sdk.ApiError) return Refusals.told(error.message, key)
        // The SDK has no name for a stream that ends within a piece.
        return error instanceof Error && error.message.startsWith("Incomplete JSON")
          ? Failure.transport("CutShort", settings.baseUrl, "the stream ended within a piece")
          : undefined
      }
    }
    return {
      name: "gemini",
      model: settings.model,
      notice: null,
      maxOutputTokens: settings.maxOutputTokens,
      languageModel: yield* Vendor.languageModel(api, OpenAiStructuredOutput.toCodecOpenAI),
      counter: yield* Vendor.counter(api, {
        ask: (body, call) => Vendor.promised(() => models.countTokens(during(Request.counted(body), call))),
        tokens: Vendor.countIn("totalTokens")
      }, OpenAiStructuredOutput.toCodecOpenAI)
    }
  })

// internal

/** The SDK is made once, for it reads the environment each time; what belongs to one call goes with its parameters. */
const during = <Body extends Pick<Request.Body, "config">>(body: Body, { fetch, signal }: Vendor.Call): Body => ({
  ...body,
  config: { ...body.config, abortSignal: signal, httpOptions: { fetch } }
})
