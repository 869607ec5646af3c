/**
 * The backend `ollama`: models that an Ollama server runs, through the vendor's own SDK, which is loaded when a backend is
 * made and never before. Nobody bills for them.
 */
import { Config, Effect, Option, Redacted } from "effect"
import { OpenAiStructuredOutput } from "effect/ai"
import { type Backend, Setup, Vendor } from "../../src/backend/index.ts"
import * as Answer from "./Answer.ts"
import * as Events from "./Events.ts"
import * as Lines from "./Lines.ts"
import * as Refusals from "./Refusals.ts"
import * as Request from "./Request.ts"

/** Which model, and how it is called; all but the model has a default. */
export interface Options extends Setup.Options {
  /** The key of a server that wants one; otherwise `OLLAMA_API_KEY` of the configuration, if it is there. */
  readonly apiKey?: Redacted.Redacted
  /** Tokens of the model's context, prompt and answer together; default the server's. */
  readonly contextTokens?: number
}

/** The vendor's package. */
export const packageName = "ollama"
/** The variable that may hold the address of the server. */
export const hostVariable = "OLLAMA_HOST"
/** The variable that may hold a key. */
export const keyVariable = "OLLAMA_API_KEY"
/** Where the server is, unless set. */
export const vendorUrl = "http://127.0.0.1:11434"

/** The server that the configuration names, or the usual one. */
export const hostSet: Effect.Effect<string> = Effect.suspend(() => Effect.map(Setup.variable(hostVariable), serverOf))

/** A backend over the model; fails when the SDK or an option is amiss. Whether the server is there is seen when it is asked. */
export const make = (options: Options): Effect.Effect<Backend.Backend<"ollama">, Setup.SetupError> =>
  Effect.gen(function*() {
    const host = options.baseUrl ?? (yield* hostSet)
    const settings = {
      ...(yield* Setup.settings("ollama", { ...options, baseUrl: host }, {
        baseUrl: vendorUrl,
        baseUrlVariable: hostVariable,
        model: "llama3.3"
      })),
      contextTokens: options.contextTokens === undefined
        ? undefined
        : yield* Setup.whole("ollama", "contextTokens", options.contextTokens)
    }
    const key = options.apiKey ?? (yield* optional(Config.Redacted(keyVariable)))
    const secrets = key === undefined ? [] : [Redacted.value(key)]
    const sdk = yield* Setup.load("ollama", packageName, () => import("ollama"))
    const client = (fetch: typeof globalThis.fetch) =>
      new sdk.Ollama({
        host: settings.baseUrl,
        headers: secrets.length === 0 ? {} : { authorization: `Bearer ${secrets[0]}` },
        fetch: Lines.checked(fetch)
      })
    const languageModel = yield* Vendor.languageModel<Request.Body, Events.State>({
      ...settings,
      name: "ollama",
      module: "Ollama",
      url: `${settings.baseUrl}/api/chat`,
      secrets,
      streams: [Lines.type],
      body: (asked) => Request.of(asked, settings),
      whole: (body, { fetch }) => Vendor.promised(() => client(fetch).chat({ ...body, stream: false })),
      answer: Answer.of,
      events: (body, { fetch }) => Vendor.promised(() => client(fetch).chat({ ...body, stream: true })),
      start: Events.start,
      next: Events.next,
      refused: (refusal) => Refusals.of(refusal, settings.model, secrets),
      // A line of a stream that says what went wrong, or that the last line did not come.
      thrown: (error) =>
        error instanceof Error && error.name === "Error" && error.cause === undefined
          ? Refusals.told(error.message, secrets)
          : undefined
    }, OpenAiStructuredOutput.toCodecOpenAI)
    return {
      name: "ollama",
      model: settings.model,
      notice: null,
      maxOutputTokens: settings.maxOutputTokens,
      languageModel
    }
  })

// internal

const optional = <A>(config: Config.Config<A>): Effect.Effect<A | undefined> =>
  Effect.map(Effect.option(config), Option.getOrUndefined)

/** The server's own variable, which may leave out the protocol, and names where to listen: everywhere is here, too. */
const serverOf = (host: string | undefined): string => {
  if (host === undefined) return vendorUrl
  const written = /^https?:\/\//.test(host) ? host : `http://${host.startsWith(":") ? `127.0.0.1${host}` : host}`
  const url = written.replace("//0.0.0.0", "//127.0.0.1")
  return /:\d+(?:\/|$)/.test(url.replace(/^https?:\/\//, "")) || url.startsWith("https:") ? url : `${url}:11434`
}
