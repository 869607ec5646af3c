/**
 * A backend is a model somewhere, behind one contract: an `effect/ai` language model with its name, its price list entry
 * and an upper bound on what a call can produce. The name is in the type: an actor class that lists its backends accepts
 * no other.
 */
import { Effect, Result, Schema, Stream } from "effect"
import { type LanguageModel, Prompt, type Response, Tool as AiTool, Toolkit } from "effect/ai"
import { Digest } from "../audit/index.ts"
import type { Capability } from "../capability/index.ts"
import { Prices } from "../cost/index.ts"
import { type Bill, Governor, GovernorError, type Outcome, Refusal, type Session } from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import * as BackendErrors from "./BackendError.ts"
import { BackendError } from "./BackendError.ts"
import { blanked, plain } from "./Clean.ts"
import * as Estimate from "./Estimate.ts"

/** The known backends; a name outside the list is a compile error. */
export const names = [
  "anthropic",
  "bedrock",
  "openai",
  "gemini",
  "ollama",
  "claude-code",
  "scripted",
  "recorded",
  "offline"
] as const
export type Name = (typeof names)[number]

/** One backend, ready to be called. */
export interface Backend<out N extends Name> {
  readonly name: N
  readonly model: string
  /** Said beside every output, when the output is not a model's own. */
  readonly notice: string | null
  /** The most tokens one call may produce. */
  readonly maxOutputTokens: number
  readonly languageModel: LanguageModel.LanguageModel
  /**
   * Asks the vendor how many tokens a request is, where it has an endpoint for that: the input tokens of its answer, which
   * says nothing. Nothing is generated and nobody bills it, but the vendor sees the whole conversation.
   */
  readonly counter?: LanguageModel.LanguageModel | undefined
}

/** A tool call a model asks for. Its parameters are a stranger's JSON. */
export const ToolCall = Schema.Struct({ id: Schema.String, name: Schema.String, params: Schema.Json })
export type ToolCall = typeof ToolCall.Type

/** What one model call came to. Token counts are whole; `input` includes cached tokens, `output` includes reasoning. */
export const Turn = Schema.Struct({
  text: Schema.String,
  calls: Schema.Array(ToolCall),
  finish: Schema.String,
  notice: Schema.NullOr(Schema.String),
  /** `null` where the vendor did not say. */
  usage: Schema.NullOr(Schema.Struct({
    input: Schema.Natural,
    output: Schema.Natural,
    cacheRead: Schema.Natural,
    cacheWrite: Schema.Natural,
    reasoning: Schema.optionalKey(Schema.Natural)
  })),
  /** What the backend must be told again of this turn, as the content of an assistant message. */
  said: Schema.optionalKey(Schema.Array(Schema.Json))
})
export type Turn = typeof Turn.Type

/** A turn as the content of the assistant message that a conversation goes on from. */
export const said = (turn: Turn): ReadonlyArray<Schema.Json> =>
  turn.said ?? [
    ...(turn.text === "" ? [] : [{ type: "text", text: turn.text }]),
    ...turn.calls.map((call) => ({ type: "tool-call", ...call, providerExecuted: false }))
  ]

/** What is asked of a model. */
export interface Request {
  readonly prompt: Prompt.Prompt
  readonly tools: ReadonlyArray<Offered>
}
/** A tool as a model is told of it. */
export interface Offered {
  readonly name: string
  readonly description: string
  readonly params: Plain
}

/** What a program that calls the backend requires. */
export type Requirements<N extends Name> =
  | Capability.Capabilities<`backend:${N}`>
  | Governor
  | Session
  | Digest.Digest
  | Prices.Prices

/**
 * One governed model call: the worst case is reserved before the provider is called, and the true cost settled after.
 * Tool calls come back as raw JSON; nobody has run them.
 */
export const generate = <N extends Name>(backend: Backend<N>, request: Request): Called<N> =>
  call(backend, request, (asked) => whole(backend, asked))

/** A piece of an answer while it comes. */
export type Heard = Response.AnyPart

/**
 * The same call, and `hear` is given each piece of the answer as it comes: a stranger's text, of which nothing is recorded
 * until the turn is whole. A turn that is answered from the log is not heard again.
 */
export const stream = <N extends Name>(
  backend: Backend<N>,
  request: Request,
  hear: (piece: Heard) => Effect.Effect<void>
): Called<N> => call(backend, request, (asked) => streamed(backend, asked, hear))

// internal

type Called<N extends Name> = Effect.Effect<
  Outcome<Turn>,
  BackendError | GovernorError | Prices.UnknownModel,
  Requirements<N>
>

const call = <N extends Name>(
  backend: Backend<N>,
  given: Request,
  ask: (request: Request) => Effect.Effect<Turn, BackendError>
): Called<N> =>
  Effect.gen(function*() {
    const governor = yield* Governor
    const digest = yield* Digest.Digest
    const prices = yield* Prices.Prices
    const request = { ...given, prompt: blanked(given.prompt) }
    const json = describe(backend, request)
    const price = (usage: Prices.Usage) => prices.price(backend.name, backend.model, usage)
    const atMost = (input: number) => dearest(price, input, backend.maxOutputTokens)
    let reserve = yield* Effect.fromResult(atMost(Estimate.inputTokens(request.prompt, toolsOf(request))))
    const first = reserve
    const closer = (counter: LanguageModel.LanguageModel) =>
      Effect.map(count(backend, counter, request, json), (input) => {
        const counted = input === undefined ? undefined : Result.getOrUndefined(atMost(Estimate.withMargin(input)))
        reserve = Math.min(first, counted ?? first)
        return reserve
      })
    let isFree = false
    return yield* governor.act({
      name: `model:${backend.name}`,
      description: `ask ${backend.model}`,
      capabilities: [`backend:${backend.name}` as const],
      backend: backend.name,
      reversible: true,
      schema: digest.sha256(digest.canonical({ backend: backend.name, model: backend.model })),
      decode: approves(request.prompt)
        ? Effect.fail("the conversation holds an approval: approvals are tickets, and a history cannot give one")
        : Effect.succeed({ args: request, json }),
      reserve,
      closer: backend.counter === undefined ? undefined : closer(backend.counter),
      bill: (_, turn): Bill => {
        if (turn === undefined) return { costMicroUsd: isFree ? 0 : reserve }
        if (turn.usage === null) return { costMicroUsd: reserve }
        const { cacheRead, cacheWrite, input, output } = turn.usage
        return {
          costMicroUsd: Result.getOrElse(price(turn.usage), () => reserve),
          usage: { backend: backend.name, model: backend.model, input, output, cacheRead, cacheWrite }
        }
      },
      timeoutMs: callTimeoutMs,
      trust: "untrusted",
      run: (asked) =>
        Effect.tapError(ask(asked), (error) =>
          Effect.sync(() => {
            isFree = !error.charged
          })),
      success: turnCodec,
      failure: errorCodec
    })
  })

/** The longest a provider may take over one call. */
const callTimeoutMs = 300_000

const turnCodec = Tool.codec(Turn)
const errorCodec = Tool.codec(BackendError)

const describe = (backend: Backend<Name>, request: Request): Schema.Json => ({
  model: backend.model,
  maxOutputTokens: backend.maxOutputTokens,
  prompt: plain(request.prompt.content),
  tools: toolsOf(request)
})

const toolsOf = (request: Request) =>
  request.tools.map((tool) => ({
    name: tool.name,
    description: tool.description,
    params: made(tool).json
  }))

/** What a call can cost at the most: its input may all be written to the vendor's cache, where that is the dearer. */
const dearest = (
  price: (usage: Prices.Usage) => Result.Result<number, Prices.UnknownModel>,
  input: number,
  output: number
) =>
  Result.map(
    Result.all([
      price({ input, output, cacheRead: 0, cacheWrite: 0 }),
      price({ input, output, cacheRead: 0, cacheWrite: input })
    ]),
    (costs) => Math.max(...costs)
  )

/**
 * Has the vendor count the tokens of a request; `undefined` when it does not. It is told the conversation by that, so this
 * is an act like the call: by the same capability, in the chain, and answered from there in a re-run.
 */
const count = <N extends Name>(
  backend: Backend<N>,
  counter: LanguageModel.LanguageModel,
  request: Request,
  json: Schema.Json
): Effect.Effect<number | undefined, GovernorError, Requirements<N>> =>
  Effect.gen(function*() {
    const governor = yield* Governor
    const digest = yield* Digest.Digest
    const { value } = yield* governor.act({
      name: `count:${backend.name}`,
      description: `count the tokens for ${backend.model}`,
      capabilities: [`backend:${backend.name}` as const],
      backend: backend.name,
      reversible: true,
      schema: digest.sha256(digest.canonical({ counter: backend.name, model: backend.model })),
      decode: Effect.succeed({ args: request, json }),
      reserve: 0,
      // Counted tokens are not used ones.
      bill: (): Bill => ({ costMicroUsd: 0, usage: { backend: backend.name, model: backend.model, ...unused } }),
      timeoutMs: countTimeoutMs,
      trust: "untrusted",
      run: (asked) => counted(backend, counter, asked),
      success: Tool.codec(Schema.Natural),
      failure: errorCodec
    })
    return value
  }).pipe(
    Effect.catch((error) =>
      error instanceof GovernorError && Refusal.endsRun(error.reason) ? Effect.fail(error) : Effect.undefined
    )
  )

/** Counting is for a call that waits: it may not take long, and the bound by bytes is there without it. */
const countTimeoutMs = 10_000

const unused = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }

const counted = (
  backend: Backend<Name>,
  counter: LanguageModel.LanguageModel,
  request: Request
): Effect.Effect<number, BackendError> =>
  counter.generateText(asking(request)).pipe(
    Effect.mapError((error) => BackendErrors.of(backend, error)),
    Effect.flatMap(({ usage }) => {
      const { name, model } = backend
      const reason = new BackendErrors.InvalidAnswer({ detail: "it gives no count" })
      const { total } = usage.inputTokens
      return total === undefined
        ? Effect.fail(new BackendError({ backend: name, model, reason }))
        : Effect.succeed(total)
    })
  )

const asking = (request: Request) => ({
  prompt: request.prompt,
  toolkit: toolkit(request.tools),
  disableToolCallResolution: true as const,
  toolCallValidation: "deferred" as const
})

const whole = <N extends Name>(backend: Backend<N>, request: Request): Effect.Effect<Turn, BackendError> =>
  backend.languageModel.generateText(asking(request)).pipe(
    Effect.map(({ content, finishReason, text, usage }) => turnOf(backend, text, content, finishReason, usage)),
    Effect.mapError((error) => BackendErrors.of(backend, error))
  )

const streamed = <N extends Name>(
  backend: Backend<N>,
  request: Request,
  hear: (piece: Heard) => Effect.Effect<void>
): Effect.Effect<Turn, BackendError> =>
  Effect.gen(function*() {
    const pieces = yield* backend.languageModel.streamText(asking(request)).pipe(
      Stream.tap((piece) => hear(piece)),
      Stream.runCollect
    )
    const text = pieces.flatMap((piece) => piece.type === "text-delta" ? [piece.delta] : []).join("")
    const finish = pieces.find((piece) => piece.type === "finish")
    return turnOf(backend, text, pieces, finish?.reason ?? "unknown", finish?.usage)
  }).pipe(Effect.mapError((error) => BackendErrors.of(backend, error)))

const turnOf = (
  backend: Backend<Name>,
  text: string,
  parts: ReadonlyArray<Response.AnyPart>,
  finish: Response.FinishReason,
  usage: Response.Usage | undefined
): Turn => ({
  text,
  calls: parts.flatMap((part) =>
    part.type === "tool-call" ? [{ id: part.id, name: part.name, params: plain(part.params) }] : []
  ),
  finish,
  notice: backend.notice,
  usage: counts(usage),
  said: Prompt.fromResponseParts(parts).content.flatMap((message) =>
    message.role === "assistant" ? message.content.map(written) : []
  )
})

/** A part without the marks that tell it apart in memory. */
const written = (part: Prompt.AssistantMessagePart): Schema.Json =>
  plain(Object.fromEntries(Object.entries(part).filter(([field]) => !field.startsWith("~"))))

/** A vendor that does not say what was read or written has not said what it will bill. */
const counts = (usage: Response.Usage | undefined): Turn["usage"] => {
  const { inputTokens, outputTokens } = usage ?? {}
  if (inputTokens?.total === undefined || outputTokens?.total === undefined) return null
  return {
    input: inputTokens.total,
    output: outputTokens.total,
    cacheRead: inputTokens.cacheRead ?? 0,
    cacheWrite: inputTokens.cacheWrite ?? 0,
    ...(outputTokens.reasoning === undefined ? {} : { reasoning: outputTokens.reasoning })
  }
}

/**
 * Whether the history claims that somebody approved or was asked to. `effect/ai` runs a call that its history approves,
 * by whatever handler is in reach; here a history is data.
 */
const approves = (prompt: Prompt.Prompt): boolean =>
  prompt.content.some(({ content }) =>
    typeof content !== "string" && content.some(({ type }) => type.startsWith("tool-approval"))
  )

/** Definitions only: no handler is ever attached, so nothing can run around the Governor. */
const toolkit = (tools: ReadonlyArray<Offered>) => Toolkit.make(...tools.map((tool) => made(tool).definition))

/** A definition by the parameters of its tool: from it, others make schemas that take longer than all else in a call. */
const definitions = new WeakMap<Plain, ReturnType<typeof define>>()

const made = (tool: Offered): ReturnType<typeof define> => {
  const known = definitions.get(tool.params)
  if (known?.name === tool.name && known.description === tool.description) return known
  const fresh = define(tool)
  definitions.set(tool.params, fresh)
  return fresh
}

const define = ({ description, name, params }: Offered) => {
  const parameters = AiTool.getJsonSchemaFromSchema(params)
  return { name, description, json: plain(parameters), definition: AiTool.dynamic(name, { description, parameters }) }
}
