/**
 * The backend `bedrock`: models of many vendors behind Amazon Bedrock's Converse, through the vendor's own SDK, which is
 * loaded when a backend is made and never before.
 */
import { Config, Effect, Option, Redacted } from "effect"
import { AnthropicStructuredOutput } from "effect/ai"
import { type Backend, Setup, Vendor } from "../../src/backend/index.ts"
import * as Answer from "./Answer.ts"
import * as Door from "./Door.ts"
import * as Events from "./Events.ts"
import * as Refusals from "./Refusals.ts"
import * as Request from "./Request.ts"

/** Keys of an account. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted
}

/** Which model, and how it is called; all but the model has a default. */
export interface Options extends Setup.Options {
  /** The region; otherwise `AWS_REGION` or `AWS_DEFAULT_REGION` of the configuration, or the profile's. */
  readonly region?: string
  /** A key of Bedrock's own; otherwise `AWS_BEARER_TOKEN_BEDROCK` of the configuration, if it is there. */
  readonly apiKey?: Redacted.Redacted
  /** Keys of an account, where there is no key of Bedrock's own; otherwise wherever the SDK finds some. */
  readonly credentials?: Credentials
}

/** The vendor's packages. */
export const packageNames = ["@aws-sdk/client-bedrock-runtime", "@smithy/node-http-handler"] as const
/** The variable that may hold a key of Bedrock's own. */
export const keyVariable = "AWS_BEARER_TOKEN_BEDROCK"

/** The variable that may hold another address. */
export const urlVariable = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
/** The region that the configuration names. */
export const regionSet: Effect.Effect<string | undefined> = Effect.gen(function*() {
  return (yield* Setup.variable("AWS_REGION")) ?? (yield* Setup.variable("AWS_DEFAULT_REGION"))
})
/** Where the vendor is asked in a region, as far as it is told here. */
export const vendorUrl = (region: string | undefined): string =>
  `https://bedrock-runtime.${region ?? "us-east-1"}.amazonaws.com`

/** A backend over the model; fails when the SDK, a key, the region or an option is amiss. */
export const make = (options: Options): Effect.Effect<Backend.Backend<"bedrock">, Setup.SetupError> =>
  Effect.gen(function*() {
    const region = options.region ?? (yield* regionSet)
    const settings = yield* Setup.settings("bedrock", options, {
      baseUrl: vendorUrl(region),
      baseUrlVariable: urlVariable,
      model: "amazon.nova-pro-v1:0"
    })
    const key = options.apiKey ??
      (options.credentials === undefined ? yield* optional(Config.Redacted(keyVariable)) : undefined)
    const [sdk, http] = yield* Effect.all([
      Setup.load("bedrock", packageNames[0], () => import("@aws-sdk/client-bedrock-runtime")),
      Setup.load("bedrock", packageNames[1], () => import("@smithy/node-http-handler"))
    ])
    const door = Door.make(new http.NodeHttpHandler({ httpAgent: sockets, httpsAgent: sockets, logger: silent }))
    const client = new sdk.BedrockRuntimeClient({
      ...(region === undefined ? {} : { region }),
      ...(settings.baseUrl === vendorUrl(region) ? {} : { endpoint: settings.baseUrl }),
      ...(key === undefined ? {} : { token: { token: Redacted.value(key) }, authSchemePreference: ["httpBearerAuth"] }),
      ...(options.credentials === undefined ? {} : { credentials: plain(options.credentials) }),
      maxAttempts: 1,
      requestHandler: door.handler,
      logger: silent
    })
    yield* found(() => client.config.region(), "region", "is not known", "set AWS_REGION, or pass region")
    if (key === undefined) yield* keyed(() => client.config.credentials())
    const secrets = secretsOf(key, options.credentials)
    const api: Vendor.Vendor<Request.Body, Events.State> = {
      ...settings,
      name: "bedrock",
      module: "Bedrock",
      url: settings.baseUrl,
      secrets,
      streams: ["application/vnd.amazon.eventstream"],
      body: (asked) => Request.of(asked, settings),
      whole: (body, call) =>
        Vendor.promised(() => {
          door.under(call)
          return client.send(new sdk.ConverseCommand(body), { abortSignal: call.signal })
        }),
      answer: (value) => Answer.of(value, settings.model),
      events: (body, call) =>
        Vendor.promised(() => {
          door.under(call)
          return client.send(new sdk.ConverseStreamCommand(body), { abortSignal: call.signal })
            .then(({ stream }) => stream ?? nothing())
        }),
      start: () => Events.start(settings.model),
      next: Events.next,
      refused: (refusal) => Refusals.of(refusal, secrets),
      thrown: (error) => Refusals.thrown(error, settings.baseUrl, secrets)
    }
    return {
      name: "bedrock",
      model: settings.model,
      notice: null,
      maxOutputTokens: settings.maxOutputTokens,
      languageModel: yield* Vendor.languageModel(api, AnthropicStructuredOutput.toCodecAnthropic),
      counter: yield* Vendor.counter(api, {
        ask: ({ messages, modelId, system, toolConfig }, call) =>
          Vendor.promised(() => {
            door.under(call)
            const input = { converse: { messages, system, toolConfig } }
            return client.send(new sdk.CountTokensCommand({ modelId, input }), { abortSignal: call.signal })
          }),
        tokens: Vendor.countIn("inputTokens")
      }, AnthropicStructuredOutput.toCodecAnthropic)
    }
  })

// internal

/** Connections at once: the SDK would have calls wait for each other at fifty. */
const sockets = { maxSockets: 1000 }

/** The SDK has its say in errors alone. */
const silent = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

const optional = <A>(config: Config.Config<A>): Effect.Effect<A | undefined> =>
  Effect.map(Effect.option(config), Option.getOrUndefined)

const plain = ({ accessKeyId, secretAccessKey, sessionToken }: Credentials) => ({
  accessKeyId,
  secretAccessKey: Redacted.value(secretAccessKey),
  ...(sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) })
})

const secretsOf = (key: Redacted.Redacted | undefined, credentials: Credentials | undefined): ReadonlyArray<string> =>
  [key, credentials?.secretAccessKey, credentials?.sessionToken].flatMap((secret) =>
    secret === undefined ? [] : [Redacted.value(secret)]
  )

const found = <A>(from: () => Promise<A>, option: string, detail: string, remedy: string) =>
  Effect.catch(Effect.tryPromise(from), () => Setup.bad("bedrock", option, detail, remedy))

const keyed = <A>(from: () => Promise<A>): Effect.Effect<A, Setup.SetupError> =>
  Effect.mapError(Effect.tryPromise(from), () =>
    new Setup.SetupError({
      backend: "bedrock",
      reason: new Setup.MissingKey({
        variable: "AWS_ACCESS_KEY_ID",
        remedy: `set it with AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or ${keyVariable}, or pass credentials`
      })
    }))

async function* nothing(): AsyncGenerator<never> {}
