/**
 * A backend is a model somewhere, behind one contract: an `effect/ai` language model with its name, its price list entry
 * and an upper bound on what a call can produce. The name is in the type: an actor class that lists its backends accepts
 * no other.
 */
import { Effect, Result, Schema } from "effect"
import { AiError, type LanguageModel, type Prompt, type Response, Tool as AiTool, Toolkit } from "effect/ai"
import { Digest } from "../audit/index.ts"
import type { Capability } from "../capability/index.ts"
import { Prices } from "../cost/index.ts"
import { type Bill, Governor, type GovernorError, type Outcome, type Session } from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"

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
}

/** A tool call a model asks for. Its parameters are a stranger's JSON. */
export const ToolCall = Schema.Struct({ id: Schema.String, name: Schema.String, params: Schema.Json })
export type ToolCall = typeof ToolCall.Type

/** What one model call came to. Token counts are whole; `input` includes cached tokens. */
export const Turn = Schema.Struct({
  text: Schema.String,
  calls: Schema.Array(ToolCall),
  finish: Schema.String,
  notice: Schema.NullOr(Schema.String),
  usage: Schema.Struct({
    input: Schema.Natural,
    output: Schema.Natural,
    cacheRead: Schema.Natural,
    cacheWrite: Schema.Natural
  })
})
export type Turn = typeof Turn.Type

/** The model call failed. It may have been billed; the reservation was settled in full. */
export class BackendError extends Schema.TaggedError<BackendError>()("BackendError", {
  backend: Schema.String,
  model: Schema.String,
  /** The reason's name, as `effect/ai` has it: `RateLimitError`, `AuthenticationError`, … */
  kind: Schema.String,
  detail: Schema.String,
  retryable: Schema.Boolean
}) {
  override get message(): string {
    return `${this.backend}/${this.model}: ${this.kind}: ${this.detail}`
  }
}

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
export const generate = <N extends Name>(
  backend: Backend<N>,
  request: Request
): Effect.Effect<Outcome<Turn>, BackendError | GovernorError | Prices.UnknownModel, Requirements<N>> =>
  Effect.gen(function*() {
    const governor = yield* Governor
    const digest = yield* Digest.Digest
    const prices = yield* Prices.Prices
    const json = describe(backend, request)
    const bound = upperBound(digest, backend, json)
    const price = (usage: Turn["usage"]) => prices.price(backend.name, backend.model, usage)
    const reserve = yield* Effect.fromResult(price(bound))
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
      bill: (_, turn): Bill =>
        turn === undefined
          ? { costMicroUsd: reserve }
          : {
            costMicroUsd: Result.getOrElse(price(turn.usage), () => reserve),
            usage: { backend: backend.name, model: backend.model, ...turn.usage }
          },
      timeoutMs: callTimeoutMs,
      trust: "untrusted",
      run: (asked) => ask(backend, asked),
      success: turnCodec,
      failure: errorCodec
    })
  })

// internal

/** The longest a provider may take over one call. */
const callTimeoutMs = 300_000

const turnCodec = Tool.codec(Turn)
const errorCodec = Tool.codec(BackendError)

const describe = (backend: Backend<Name>, request: Request): Schema.Json => ({
  model: backend.model,
  maxOutputTokens: backend.maxOutputTokens,
  prompt: plain(request.prompt.content),
  tools: request.tools.map((tool) => ({
    name: tool.name,
    description: tool.description,
    params: plain(schemaOf(tool))
  }))
})

/** Prompts and JSON Schemas hold nothing but JSON; this drops their prototypes. */
const plain = (value: unknown): Schema.Json => JSON.parse(JSON.stringify(value)) as Schema.Json

const schemaOf = (tool: Offered) => AiTool.getJsonSchemaFromSchema(tool.params)

/** No token is shorter than a byte, and most are about four: a third of the bytes bounds the input from above. */
const upperBound = (digest: Digest.Digest["Service"], backend: Backend<Name>, json: Schema.Json) => ({
  input: Math.ceil(new TextEncoder().encode(digest.canonical(json)).length / 3) + 64,
  output: backend.maxOutputTokens,
  cacheRead: 0,
  cacheWrite: 0
})

const ask = <N extends Name>(backend: Backend<N>, request: Request): Effect.Effect<Turn, BackendError> =>
  backend.languageModel.generateText({
    prompt: request.prompt,
    toolkit: toolkit(request.tools),
    disableToolCallResolution: true,
    toolCallValidation: "deferred"
  }).pipe(
    Effect.map((response): Turn => ({
      text: response.text,
      calls: response.content.flatMap((part) =>
        part.type === "tool-call" ? [{ id: part.id, name: part.name, params: plain(part.params) }] : []
      ),
      finish: response.finishReason,
      notice: backend.notice,
      usage: counts(response.usage)
    })),
    Effect.mapError((error) =>
      new BackendError({
        backend: backend.name,
        model: backend.model,
        kind: AiError.isAiError(error) ? error.reason._tag : "UnknownError",
        detail: AiError.isAiError(error) ? error.reason.message : String(error),
        retryable: AiError.isAiError(error) && error.isRetryable
      })
    )
  )

const counts = (usage: Response.Usage): Turn["usage"] => ({
  input: usage.inputTokens.total ?? 0,
  output: usage.outputTokens.total ?? 0,
  cacheRead: usage.inputTokens.cacheRead ?? 0,
  cacheWrite: usage.inputTokens.cacheWrite ?? 0
})

/**
 * Whether the history claims that somebody approved or was asked to. `effect/ai` runs a call that its history approves,
 * by whatever handler is in reach; here a history is data.
 */
const approves = (prompt: Prompt.Prompt): boolean =>
  prompt.content.some(({ content }) =>
    typeof content !== "string" && content.some(({ type }) => type.startsWith("tool-approval"))
  )

/** Definitions only: no handler is ever attached, so nothing can run around the Governor. */
const toolkit = (tools: ReadonlyArray<Offered>) =>
  Toolkit.make(
    ...tools.map((tool) => AiTool.dynamic(tool.name, { description: tool.description, parameters: schemaOf(tool) }))
  )
