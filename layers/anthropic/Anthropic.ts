/**
 * The backend `anthropic`: models behind the Messages API, through the vendor's own SDK. The SDK is loaded when a backend
 * is made, never before; its retries, logs and traces are off. Retries are ours: few, only for what the provider refused
 * because of load, and as late as it asks. An interrupted call closes its connection.
 */
import type * as Sdk from "@anthropic-ai/sdk"
import { Clock, Config, Effect, Redacted, Result, Schedule, Schema, Stream } from "effect"
import { AiError, AnthropicStructuredOutput, LanguageModel, Telemetry } from "effect/ai"
import type { Backend } from "../../src/backend/index.ts"
import * as Answer from "./Answer.ts"
import * as Events from "./Events.ts"
import * as Failure from "./Failure.ts"
import * as Request from "./Request.ts"

/** The SDK is not installed, or cannot be loaded. */
export class MissingPackage extends Schema.TaggedError<MissingPackage>()("MissingPackage", {
  name: Schema.String,
  remedy: Schema.String
}) {}
/** There is no key to call with. */
export class MissingKey extends Schema.TaggedError<MissingKey>()("MissingKey", {
  variable: Schema.String,
  remedy: Schema.String
}) {}
/** An option cannot be used. */
export class BadOption extends Schema.TaggedError<BadOption>()("BadOption", {
  option: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** The backend was not made; nothing was called. */
export class SetupError extends Schema.TaggedError<SetupError>()("AnthropicSetupError", {
  reason: Schema.Union([MissingPackage, MissingKey, BadOption])
}) {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "MissingPackage":
        return `${reason.name} cannot be loaded: ${reason.remedy}`
      case "MissingKey":
        return `there is no ${reason.variable}: ${reason.remedy}`
      case "BadOption":
        return `${reason.option} ${reason.detail}: ${reason.remedy}`
    }
  }
}

/** Which model, and how it is called; all but the model has a default. */
export interface Options {
  /** The vendor's name of the model, such as `claude-sonnet-5`. */
  readonly model: string
  /** The key; otherwise `ANTHROPIC_API_KEY` of the configuration. */
  readonly apiKey?: Redacted.Redacted
  /** The address of the API or of a gateway to it, without credentials; default the vendor's. */
  readonly baseUrl?: string
  /** The most tokens one answer may have, thoughts included; default `defaultMaxOutputTokens`. */
  readonly maxOutputTokens?: number
  /** Of each attempt: until a whole answer is there, or the next event of a streamed one; default `defaultTimeoutMs`. */
  readonly timeoutMs?: number
}

/** The variable that holds the key. */
export const keyVariable = "ANTHROPIC_API_KEY"
/** Tokens of one answer at most, unless set. */
export const defaultMaxOutputTokens = 8192
/** Milliseconds of one attempt at most, unless set. */
export const defaultTimeoutMs = 300_000
/** Attempts after the first, when the provider is short of capacity. */
export const maxRetries = 2
/** Milliseconds before the first retry, when the provider does not say; doubled for each that follows. */
export const firstRetryMs = 500
/** A provider that wants to be left alone for longer, in milliseconds, is not waited for. */
export const maxRetryAfterMs = 60_000

/** A backend over the model; fails when the SDK, the key or an option is amiss. */
export const make = (options: Options): Effect.Effect<Backend.Backend<"anthropic">, SetupError> =>
  Effect.gen(function*() {
    const settings = yield* settingsOf(options)
    const key = Redacted.value(yield* keyOf(options))
    const sdk = yield* load
    const client = new sdk.Anthropic({
      apiKey: key,
      baseURL: settings.baseUrl,
      maxRetries: 0,
      timeout: settings.timeoutMs,
      logLevel: "off",
      openTelemetry: false
    })
    const languageModel = yield* languageModelOf({ ...settings, sdk, client, key, url: `${settings.baseUrl}${path}` })
    return {
      name: "anthropic",
      model: settings.model,
      notice: null,
      maxOutputTokens: settings.maxOutputTokens,
      languageModel
    }
  })

// internal

const packageName = "@anthropic-ai/sdk"
const vendorUrl = "https://api.anthropic.com"
/** Asked for by its path: the SDK's `messages.create` writes warnings about models to the console. */
const path = "/v1/messages"

const load: Effect.Effect<typeof Sdk, SetupError> = Effect.tryPromise({
  try: () => import("@anthropic-ai/sdk"),
  catch: () =>
    new SetupError({ reason: new MissingPackage({ name: packageName, remedy: `run npm install ${packageName}` }) })
})

const keyOf = (options: Options): Effect.Effect<Redacted.Redacted, SetupError> => {
  const missing = new SetupError({
    reason: new MissingKey({ variable: keyVariable, remedy: `set ${keyVariable}, or pass apiKey` })
  })
  const key = options.apiKey === undefined
    ? Effect.mapError(Config.Redacted(keyVariable), () => missing)
    : Effect.succeed(options.apiKey)
  return Effect.filterOrFail(key, (given) => Redacted.value(given).trim() !== "", () => missing)
}

interface Settings {
  readonly model: string
  readonly baseUrl: string
  readonly maxOutputTokens: number
  readonly timeoutMs: number
}

const bad = (option: string, detail: string, remedy: string): Effect.Effect<never, SetupError> =>
  Effect.fail(new SetupError({ reason: new BadOption({ option, detail, remedy }) }))

const settingsOf = (options: Options): Effect.Effect<Settings, SetupError> =>
  Effect.gen(function*() {
    if (options.model.trim() === "") return yield* bad("model", "is empty", "name a model, such as claude-sonnet-5")
    return {
      model: options.model,
      baseUrl: yield* baseUrlOf(options.baseUrl ?? vendorUrl),
      maxOutputTokens: yield* whole("maxOutputTokens", options.maxOutputTokens ?? defaultMaxOutputTokens),
      timeoutMs: yield* whole("timeoutMs", options.timeoutMs ?? defaultTimeoutMs)
    }
  })

const whole = (option: string, value: number): Effect.Effect<number, SetupError> =>
  Number.isSafeInteger(value) && value > 0
    ? Effect.succeed(value)
    : bad(option, "is not a whole number above 0", "give one, or leave it out")

/** The address without a trailing slash; one with credentials would end up in messages and is refused. */
const baseUrlOf = (address: string): Effect.Effect<string, SetupError> => {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return bad("baseUrl", "is not an http or https URL", `give one such as ${vendorUrl}, or leave it out`)
  }
  return url.username === "" && url.password === "" && url.search === ""
    ? Effect.succeed(`${url.origin}${url.pathname.replace(/\/+$/, "")}`)
    : bad("baseUrl", "holds credentials or parameters", "leave them out of the address")
}

interface Connection extends Settings {
  readonly sdk: typeof Sdk
  readonly client: Sdk.Anthropic
  readonly key: string
  readonly url: string
}

const languageModelOf = (connection: Connection): Effect.Effect<LanguageModel.LanguageModel> =>
  LanguageModel.make({
    codecTransformer: AnthropicStructuredOutput.toCodecAnthropic,
    generateText: (options) =>
      Effect.gen(function*() {
        const body = yield* bodyOf(options, connection)
        const value = yield* attempts(connection, (signal) => connection.client.post<unknown>(path, { body, signal }))
        const { end, parts } = yield* Effect.fromResult(Answer.of(value))
        annotate(options, connection, end)
        return parts
      }).pipe(Effect.mapError(({ reason }) => AiError.make({ module: "Anthropic", method: "generateText", reason }))),
    streamText: (options) =>
      Stream.mapError(
        Stream.unwrap(Effect.flatMap(bodyOf(options, connection), (body) => stream(body, options, connection))),
        ({ reason }) => AiError.make({ module: "Anthropic", method: "streamText", reason })
      )
  })

const bodyOf = (options: LanguageModel.ProviderOptions, connection: Connection) =>
  Effect.fromResult(Result.mapError(Request.of(options, connection), Failure.final))

/** Closing the scope aborts the request, whether its answer is complete or not. */
const stream = (body: Request.Body, options: LanguageModel.ProviderOptions, connection: Connection) =>
  Effect.gen(function*() {
    const controller = yield* Effect.acquireRelease(
      Effect.sync(() => new AbortController()),
      (controller) => Effect.sync(() => controller.abort())
    )
    const { data, response } = yield* attempts(connection, () =>
      connection.client.post<AsyncIterable<unknown>>(path, {
        body: { ...body, stream: true },
        stream: true,
        signal: controller.signal
      }).withResponse())
    if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
      return yield* Effect.fail(Failure.invalidResponse("the answer is not a stream of events"))
    }
    let ended = false
    const advance = (state: Events.State, event: unknown) =>
      Effect.map(Effect.fromResult(Events.next(state, event)), (step) => {
        const { end } = step[0]
        if (end !== undefined) {
          ended = true
          annotate(options, connection, end)
        }
        return step
      })
    return Stream.fromAsyncIterable(data, (error) => error).pipe(
      Stream.catch((error) => Stream.fromEffect(failure(error, connection))),
      Stream.timeoutOrElse({
        duration: connection.timeoutMs,
        orElse: () => Stream.fail(Failure.network(connection.url, "no further event in time"))
      }),
      Stream.mapAccumEffect(() => Events.start, advance),
      Stream.takeUntil((part) => part.type === "finish"),
      Stream.concat(Stream.suspend(() =>
        ended
          ? Stream.empty
          : Stream.fail(Failure.network(connection.url, "the stream ended before message_stop"))
      ))
    )
  })

/** Sends a request, again where that can help; interrupting it aborts the attempt that is under way. */
const attempts = <A>(
  connection: Connection,
  send: (signal: AbortSignal) => PromiseLike<A>
): Effect.Effect<A, Failure.Failure> =>
  Effect.tryPromise({ try: send, catch: (error) => ({ error }) }).pipe(
    Effect.catch(({ error }) => failure(error, connection)),
    Effect.timeoutOrElse({
      duration: connection.timeoutMs,
      orElse: () => Effect.fail(Failure.network(connection.url, "no answer in time"))
    }),
    Effect.retry({
      times: maxRetries,
      while: ({ mayRetry, retryAfterMs }) => mayRetry && (retryAfterMs ?? 0) <= maxRetryAfterMs,
      schedule: backoff
    })
  )

/** As late as the provider asks; otherwise later each time, and not all callers at once. */
const backoff = Schedule.exponential(firstRetryMs).pipe(
  Schedule.jittered,
  Schedule.setInputType<Failure.Failure>(),
  Schedule.modifyDelay(({ duration, input }) => Effect.succeed(input.retryAfterMs ?? duration))
)

const failure = (error: unknown, { key, sdk, url }: Connection): Effect.Effect<never, Failure.Failure> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(Failure.of(error, { sdk, url, key, now })))

/** Usage is on the span even when nothing can be made of the answer. */
const annotate = (
  { span }: LanguageModel.ProviderOptions,
  { maxOutputTokens, model }: Connection,
  { finish, id, model: answering }: Answer.End
): void =>
  Telemetry.addGenAIAnnotations(span, {
    provider: { name: "anthropic" },
    operation: { name: "chat" },
    request: { model, maxTokens: maxOutputTokens },
    response: { id, model: answering, finishReasons: [finish.reason] },
    usage: {
      inputTokens: finish.usage.inputTokens.total,
      outputTokens: finish.usage.outputTokens.total
    }
  })
