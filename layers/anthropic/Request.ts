/**
 * A request of `effect/ai` as the body of a Messages API call. What the API has no place for is refused here, before
 * anything is sent: tools that the provider itself would run, and files it cannot read.
 */
import type {
  ContentBlockParam,
  DocumentBlockParam,
  ImageBlockParam,
  MessageCreateParamsNonStreaming,
  TextBlockParam,
  ToolChoice,
  ToolResultBlockParam
} from "@anthropic-ai/sdk/resources/messages"
import { Option, Result, Schema } from "effect"
import { type AiError, AnthropicStructuredOutput, type LanguageModel, type Prompt } from "effect/ai"
import { Pieces } from "../../src/backend/index.ts"

/** The body of a call, whether its answer is streamed or not. */
export type Body = Omit<MessageCreateParamsNonStreaming, "stream">

/** The body that asks for `options`; a reason when the API could not be asked that. */
export const of = (
  options: LanguageModel.ProviderOptions,
  settings: { readonly model: string; readonly maxOutputTokens: number }
): Result.Result<Body, AiError.AiErrorReason> =>
  Result.gen(function*() {
    const system = Pieces.system(options)
    const messages = yield* Result.all(options.prompt.content.map(messageOf))
    const offered = yield* Pieces.tools(options)
    const tools = offered.map(({ description, name, schema }) => ({
      name,
      ...(description === undefined ? {} : { description }),
      input_schema: schema
    }))
    const format = yield* Pieces.format(options, AnthropicStructuredOutput.toCodecAnthropic)
    return {
      model: settings.model,
      max_tokens: settings.maxOutputTokens,
      ...(system === undefined ? {} : { system }),
      messages: Pieces.joined(messages.flat()),
      ...(tools.length === 0 ? {} : { tools, tool_choice: choiceOf(Pieces.choice(options)) }),
      ...(format === undefined ? {} : { output_config: { format: { type: "json_schema", schema: format.schema } } })
    }
  })

// internal

type Refusable<A> = Pieces.Refusable<A>

interface Turn {
  readonly role: "user" | "assistant"
  readonly content: ReadonlyArray<ContentBlockParam>
}

const messageOf = (message: Prompt.Message): Refusable<ReadonlyArray<Turn>> => {
  switch (message.role) {
    case "system":
      return Result.succeed([])
    case "user":
      return turn("user", message.content.map((part) => part.type === "text" ? text(part.text) : one(fileOf(part))))
    case "assistant":
      return turn("assistant", message.content.map(saidOf))
    case "tool":
      return turn("user", message.content.map((part) => part.type === "tool-result" ? one(resultOf(part)) : nothing))
  }
}

const turn = (
  role: Turn["role"],
  content: ReadonlyArray<Refusable<ReadonlyArray<ContentBlockParam>>>
): Refusable<ReadonlyArray<Turn>> => Result.map(Result.all(content), (blocks) => [{ role, content: blocks.flat() }])

const nothing: Refusable<ReadonlyArray<never>> = Result.succeed([])

const one = <A>(block: Refusable<A>): Refusable<ReadonlyArray<A>> => Result.map(block, (only) => [only])

/** The API refuses empty texts. */
const text = (value: string): Refusable<ReadonlyArray<TextBlockParam>> =>
  value === "" ? nothing : Result.succeed([{ type: "text", text: value }])

const saidOf = (part: Prompt.AssistantMessagePart): Refusable<ReadonlyArray<ContentBlockParam>> => {
  switch (part.type) {
    case "text":
      return text(part.text)
    case "reasoning":
      return Result.succeed(thoughtOf(part))
    case "tool-call":
      return Result.succeed([
        { type: "tool_use", id: part.id, name: part.name, input: Pieces.argumentsOf(part.params) }
      ])
    case "file":
      return Pieces.saidFile
    case "tool-result":
    case "tool-approval-request":
      return nothing
  }
}

/** What this provider said of a thought of its own; another model's thoughts cannot be sent to it. */
const Thought = Schema.Union([
  Schema.Struct({ signature: Schema.String }),
  Schema.Struct({ redactedData: Schema.String })
])

const thoughtOf = (part: Prompt.ReasoningPart): ReadonlyArray<ContentBlockParam> =>
  Option.match(Schema.decodeUnknownOption(Thought)(part.options["anthropic"]), {
    onNone: () => [],
    onSome: (thought) =>
      "signature" in thought
        ? [{ type: "thinking", thinking: part.text, signature: thought.signature }]
        : [{ type: "redacted_thinking", data: thought.redactedData }]
  })

const resultOf = (part: Prompt.ToolResultPart): Refusable<ToolResultBlockParam> => {
  const block = (content: NonNullable<ToolResultBlockParam["content"]>): ToolResultBlockParam => ({
    type: "tool_result",
    tool_use_id: part.id,
    content,
    ...(part.isFailure ? { is_error: true } : {})
  })
  if (part.modelOutput === undefined) {
    return Result.succeed(block(Pieces.resultText(part)))
  }
  return Result.map(
    Result.all(
      part.modelOutput.map((output): Refusable<ReadonlyArray<TextBlockParam | ImageBlockParam | DocumentBlockParam>> =>
        output.type === "text" ? text(output.text) : one(fileOf(output))
      )
    ),
    (blocks) => block(blocks.flat())
  )
}

const Image = Schema.Literals(["image/jpeg", "image/png", "image/gif", "image/webp"])

const fileOf = (part: Prompt.FilePart): Refusable<ImageBlockParam | DocumentBlockParam> => {
  const data = Pieces.data(part)
  if (Schema.is(Image)(part.mediaType)) {
    return Result.succeed({
      type: "image",
      source: "url" in data
        ? { type: "url", url: data.url }
        : { type: "base64", media_type: part.mediaType, data: data.base64 }
    })
  }
  if (part.mediaType === "application/pdf") {
    return Result.succeed({
      type: "document",
      source: "url" in data
        ? { type: "url", url: data.url }
        : { type: "base64", media_type: part.mediaType, data: data.base64 }
    })
  }
  return Pieces.unreadable(part, "JPEG, PNG, GIF, WebP or PDF")
}

const choiceOf = (choice: Pieces.Choice): ToolChoice => {
  switch (choice.mode) {
    case "auto":
    case "none":
      return { type: choice.mode }
    case "required":
      return { type: "any" }
    case "one":
      return { type: "tool", name: choice.name }
  }
}
