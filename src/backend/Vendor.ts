/**
 * A vendor's API as a language model. The vendor's layer says how a request is written, how an answer is read and what
 * its refusals mean; everything that is the same for all is here: few retries, as late as the vendor asks; time-outs;
 * bounds on what is read; interruption that closes the connection; a stream that is whole only with its end; usage on the
 * span. The SDK's own retries, logs and traces are to be off.
 */
import { Clock, Effect, Exit, Predicate, Result, Schedule, type Scope, Stream } from "effect"
import { AiError, LanguageModel, type Response, Telemetry } from "effect/ai"
import { FetchHttpClient } from "effect/http"
import type { Name } from "./Backend.ts"
import * as Failure from "./Failure.ts"
import * as Fetch from "./Fetch.ts"

/** One request on its way: what its SDK is to use for it. */
export interface Call extends Fetch.Terms {
  /** The only `fetch` of the call; it keeps the terms by itself. */
  readonly fetch: typeof globalThis.fetch
}

/** What an SDK rejected with, before anybody has made sense of it. */
export interface Thrown {
  readonly error: unknown
}

/** An answer, or the way to it, for as long as the scope is open. */
export type Asked<A> = Effect.Effect<A, Thrown, Scope.Scope>

/** What an SDK promises. */
export const promised = <A>(promise: () => PromiseLike<A>): Asked<A> =>
  Effect.tryPromise({ try: promise, catch: (error): Thrown => ({ error }) })

/** A step of a stream: the state after an event, and the parts that the event completed. */
export type Step<State> = Result.Result<
  readonly [State, ReadonlyArray<Response.StreamPartEncoded>],
  Failure.Failure
>

/** The API of a vendor. */
export interface Vendor<Body, State> {
  readonly name: Name
  /** Whose words errors are in, such as `OpenAi`. */
  readonly module: string
  readonly model: string
  readonly maxOutputTokens: number
  /** Of each attempt: until a whole answer is there, or the next piece of a streamed one. */
  readonly timeoutMs: number
  /** Bytes of one answer at most. */
  readonly maxAnswerBytes: number
  /** The address that is asked, without credentials. */
  readonly url: string
  /** Taken out of whatever is told of a failure. */
  readonly secrets: ReadonlyArray<string>
  /** Content types of streamed answers. */
  readonly streams: Fetch.Terms["accepts"]
  /** The request, or why it cannot be put to this vendor. */
  readonly body: (options: LanguageModel.ProviderOptions) => Result.Result<Body, AiError.AiErrorReason>
  /** Asks for a whole answer. */
  readonly whole: (body: Body, call: Call) => Asked<unknown>
  /** Reads a whole answer; its last part is its end. */
  readonly answer: (
    value: unknown,
    options: LanguageModel.ProviderOptions
  ) => Result.Result<Array<Response.PartEncoded>, Failure.Failure>
  /** Asks for an answer event by event. */
  readonly events: (body: Body, call: Call) => Asked<AsyncIterable<unknown>>
  /** Before the first event. */
  readonly start: (options: LanguageModel.ProviderOptions) => State
  /** Takes the next event, which nobody has checked. The part `finish` ends the stream. */
  readonly next: (state: State, event: unknown) => Step<State>
  /** What is left to say when no more events come; nothing, where the end is an event. */
  readonly last?: (state: State) => Result.Result<ReadonlyArray<Response.StreamPartEncoded>, Failure.Failure>
  /** What a refusal means. */
  readonly refused: (refused: Refusal) => Failure.Failure
  /** What an error of the SDK means that is no refusal; `undefined` when it says nothing of its own. */
  readonly thrown?: (error: unknown) => Failure.Failure | undefined
}

/** A refusal, with what helps to read it. */
export interface Refusal {
  readonly status: number
  readonly headers: Headers
  /** The body, if it is JSON. */
  readonly json: unknown
  readonly retryAfterMs: number | undefined
}

/** Attempts after the first, where the vendor refused for a cause that passes. */
export const maxRetries = 2
/** Milliseconds before the first retry, when the vendor does not say; doubled for each that follows. */
export const firstRetryMs = 500
/** A vendor that wants to be left alone for longer, in milliseconds, is not waited for. */
export const maxRetryAfterMs = 60_000
/** Milliseconds that an SDK's own time-out, where it must have one, comes after ours. */
export const spareMs = 60_000
/** Milliseconds that a stream may take as a whole, however lively. */
export const maxStreamMs = 1_200_000

/** The language model that asks the vendor. */
export const languageModel = <Body, State>(
  vendor: Vendor<Body, State>,
  codecTransformer: LanguageModel.CodecTransformer
): Effect.Effect<LanguageModel.LanguageModel> =>
  Effect.gen(function*() {
    const fetch = yield* FetchHttpClient.Fetch
    const told = (method: string) => ({ reason }: Failure.Failure) =>
      AiError.make({ module: vendor.module, method, reason })
    return yield* LanguageModel.make({
      codecTransformer,
      generateText: (options) => Effect.mapError(whole(vendor, fetch, options), told("generateText")),
      streamText: (options) => Stream.mapError(streamed(vendor, fetch, options), told("streamText"))
    })
  })

/** How the vendor is asked what a request comes to, and how it says so: input tokens, `undefined` when it says none. */
export interface Counting<Body> {
  readonly ask: (body: Body, call: Call) => Asked<unknown>
  readonly tokens: (value: unknown) => number | undefined
}

/** The counter of a backend: asked as the language model is, it says nothing, and its usage is what was counted. */
export const counter = <Body, State>(
  vendor: Vendor<Body, State>,
  counting: Counting<Body>,
  codecTransformer: LanguageModel.CodecTransformer
): Effect.Effect<LanguageModel.LanguageModel> =>
  Effect.gen(function*() {
    const fetch = yield* FetchHttpClient.Fetch
    return yield* LanguageModel.make({
      codecTransformer,
      generateText: (options) =>
        asked(vendor, counting.ask, fetch, options).pipe(
          Effect.map((value) => [counted(counting.tokens(value))]),
          Effect.mapError(({ reason }) => AiError.make({ module: vendor.module, method: "countTokens", reason }))
        ),
      streamText: () => Stream.empty
    })
  })

/** A count where a vendor calls it so, in an object. */
export const countIn = (field: string) => (value: unknown): number | undefined => {
  const count: unknown = Predicate.isObject(value) ? Reflect.get(value, field) : undefined
  return Predicate.isNumber(count) && Number.isSafeInteger(count) && count >= 0 ? count : undefined
}

// internal

type Any<Body, State> = Vendor<Body, State>
type FetchFunction = typeof globalThis.fetch

const json: Fetch.Terms["accepts"] = ["application/json"]

const bodyOf = <Body, State>(vendor: Any<Body, State>, options: LanguageModel.ProviderOptions) =>
  Effect.fromResult(Result.mapError(vendor.body(options), Failure.unsent))

/** Closing the scope aborts the request, unless `isDone` says that its end is the end of its answer. */
const calling = (
  maxBytes: number,
  fetch: FetchFunction,
  accepts: Fetch.Terms["accepts"],
  isDone: (exit: Exit.Exit<unknown, unknown>) => boolean
): Effect.Effect<Call, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new AbortController()),
      (controller, exit) => Effect.sync(() => isDone(exit) || controller.abort())
    ),
    ({ signal }) => {
      const terms = { signal, accepts, maxBytes }
      return { ...terms, fetch: Fetch.under(fetch, terms) }
    }
  )

const whole = <Body, State>(
  vendor: Any<Body, State>,
  fetch: FetchFunction,
  options: LanguageModel.ProviderOptions
): Effect.Effect<Array<Response.PartEncoded>, Failure.Failure> =>
  Effect.gen(function*() {
    const value = yield* asked(vendor, vendor.whole, fetch, options)
    const parts = yield* Effect.fromResult(vendor.answer(value, options))
    annotate(options, vendor, parts)
    return parts
  })

const asked = <Body, State>(
  vendor: Any<Body, State>,
  ask: (body: Body, call: Call) => Asked<unknown>,
  fetch: FetchFunction,
  options: LanguageModel.ProviderOptions
): Effect.Effect<unknown, Failure.Failure> =>
  Effect.gen(function*() {
    const body = yield* bodyOf(vendor, options)
    const call = calling(vendor.maxAnswerBytes, fetch, json, Exit.isSuccess)
    return yield* attempts(vendor, Effect.scoped(Effect.flatMap(call, (open) => ask(body, open))))
  })

const counted = (total: number | undefined): Response.FinishPartEncoded => ({
  type: "finish",
  reason: "stop",
  usage: {
    inputTokens: { total, uncached: undefined, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 0, text: undefined, reasoning: undefined }
  },
  response: undefined
})

const streamed = <Body, State>(
  vendor: Any<Body, State>,
  fetch: FetchFunction,
  options: LanguageModel.ProviderOptions
): Stream.Stream<Response.StreamPartEncoded, Failure.Failure> =>
  Stream.unwrap(Effect.gen(function*() {
    const body = yield* bodyOf(vendor, options)
    const call = calling(vendor.maxAnswerBytes, fetch, vendor.streams, () => false)
    const events = yield* attempts(vendor, Effect.flatMap(call, (open) => vendor.events(body, open)))
    return parts(vendor, options, events)
  })).pipe(
    // However lively, it ends.
    Stream.interruptWhen(
      Effect.delay(Effect.fail(Failure.transport("TimedOut", vendor.url, "the stream took too long")), maxStreamMs)
    )
  )

const parts = <Body, State>(
  vendor: Any<Body, State>,
  options: LanguageModel.ProviderOptions,
  events: AsyncIterable<unknown>
): Stream.Stream<Response.StreamPartEncoded, Failure.Failure> => {
  let state = vendor.start(options)
  let metadata: Response.StreamPartEncoded | undefined
  let ended = false
  const heard = (part: Response.StreamPartEncoded) => {
    if (part.type === "response-metadata") metadata = part
    if (part.type !== "finish") return
    ended = true
    annotate(options, vendor, metadata === undefined ? [part] : [metadata, part])
  }
  const last = Effect.suspend(() => {
    const left = vendor.last?.(state) ?? Result.succeed([])
    return Effect.fromResult(left)
  })
  return Stream.fromAsyncIterable(events, (error) => error).pipe(
    Stream.catch((error) => Stream.fromEffect(failed(vendor, error))),
    Stream.mapEffect((event) =>
      Effect.map(Effect.fromResult(vendor.next(state, event)), ([after, completed]) => {
        state = after
        return completed
      })
    ),
    Stream.concat(Stream.fromEffect(Effect.suspend(() => ended ? Effect.succeed([]) : last))),
    Stream.flattenIterable,
    // What says nothing does not count: a connection can be kept alive for ever.
    Stream.timeoutOrElse({
      duration: vendor.timeoutMs,
      orElse: () => Stream.fail(Failure.transport("TimedOut", vendor.url, "nothing more of the answer in time"))
    }),
    Stream.tap((part) => Effect.sync(() => heard(part))),
    Stream.takeUntil((part) => part.type === "finish"),
    Stream.concat(Stream.suspend(() =>
      ended
        ? Stream.empty
        : Stream.fail(Failure.transport("CutShort", vendor.url, "the stream ended before its end was told"))
    ))
  )
}

/** Sends a request, again where that can help. */
const attempts = <A, R, Body, State>(
  vendor: Any<Body, State>,
  asked: Effect.Effect<A, Thrown, R>
): Effect.Effect<A, Failure.Failure, R> =>
  asked.pipe(
    Effect.catch(({ error }) => failed(vendor, error)),
    Effect.timeoutOrElse({
      duration: vendor.timeoutMs,
      orElse: () => Effect.fail(Failure.transport("TimedOut", vendor.url, "no answer in time"))
    }),
    Effect.retry({
      times: maxRetries,
      while: ({ mayRetry, retryAfterMs }) => mayRetry && (retryAfterMs ?? 0) <= maxRetryAfterMs,
      schedule: backoff
    })
  )

/** As late as the vendor asks; otherwise later each time, and not all callers at once. */
const backoff = Schedule.exponential(firstRetryMs).pipe(
  Schedule.jittered,
  Schedule.setInputType<Failure.Failure>(),
  Schedule.modifyDelay(({ duration, input }) => Effect.succeed(input.retryAfterMs ?? duration))
)

const failed = <Body, State>(vendor: Any<Body, State>, error: unknown): Effect.Effect<never, Failure.Failure> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const refused = Fetch.causeOf(error)
    if (refused instanceof Fetch.Refused) {
      const { body, headers, status } = refused
      const retryAfterMs = Failure.retryAfterMs(headers, now)
      return Effect.fail(vendor.refused({ status, headers, json: parsed(body), retryAfterMs }))
    }
    return Effect.fail(vendor.thrown?.(error) ?? Failure.thrown(error, vendor.url))
  })

const parsed = (body: string): unknown => Result.getOrUndefined(Result.try((): unknown => JSON.parse(body)))

/** Usage is on the span even when nothing can be made of the answer. */
const annotate = <Body, State>(
  { span }: LanguageModel.ProviderOptions,
  { maxOutputTokens, model, name }: Any<Body, State>,
  all: ReadonlyArray<Response.PartEncoded | Response.StreamPartEncoded>
): void => {
  const told = all.find((part) => part.type === "response-metadata")
  const finish = all.find((part) => part.type === "finish")
  if (finish === undefined) return
  Telemetry.addGenAIAnnotations(span, {
    provider: { name },
    operation: { name: "chat" },
    request: { model, maxTokens: maxOutputTokens },
    response: { id: told?.id ?? null, model: told?.modelId ?? null, finishReasons: [finish.reason] },
    usage: {
      inputTokens: finish.usage.inputTokens.total,
      outputTokens: finish.usage.outputTokens.total
    }
  })
}
