/**
 * A request of `effect/ai` as the body of a Messages API call. What the API has no place for is refused here, before
 * anything is sent: tools that the provider itself would run, and files it cannot read.
 */
import type {
  ContentBlockParam,
  DocumentBlockParam,
  ImageBlockParam,
  MessageCreateParamsNonStreaming,
  MessageParam,
  TextBlockParam,
  Tool as ToolParam,
  ToolChoice,
  ToolResultBlockParam
} from "@anthropic-ai/sdk/resources/messages"
import { Option, Result, Schema } from "effect"
import { AiError, AnthropicStructuredOutput, type LanguageModel, type Prompt, Tool } from "effect/ai"
import { Base64 } from "effect/encoding"

/** The body of a call, whether its answer is streamed or not. */
export type Body = Omit<MessageCreateParamsNonStreaming, "stream">

/** The body that asks for `options`; a reason when the API could not be asked that. */
export const of = (
  options: LanguageModel.ProviderOptions,
  settings: { readonly model: string; readonly maxOutputTokens: number }
): Result.Result<Body, AiError.AiErrorReason> =>
  Result.gen(function*() {
    const system = options.prompt.content.flatMap((message) => message.role === "system" ? [message.content] : [])
    const messages = yield* Result.all(options.prompt.content.map(messageOf))
    const tools = yield* Result.all(options.tools.map(toolOf))
    const format = yield* formatOf(options.responseFormat)
    return {
      model: settings.model,
      max_tokens: settings.maxOutputTokens,
      ...(system.length === 0 ? {} : { system: system.join("\n\n") }),
      messages: joined(messages.flat()),
      ...(tools.length === 0 ? {} : { tools, tool_choice: choiceOf(options.toolChoice) }),
      ...(format === undefined ? {} : { output_config: { format } })
    }
  })

// internal

type Refusable<A> = Result.Result<A, AiError.AiErrorReason>

interface Turn {
  readonly role: "user" | "assistant"
  readonly content: ReadonlyArray<ContentBlockParam>
}

/** Neighbours of one role become one message: all results of parallel calls must stand in the one that follows them. */
const joined = (turns: ReadonlyArray<Turn>): Array<MessageParam> => {
  const messages: Array<{ role: Turn["role"]; content: Array<ContentBlockParam> }> = []
  for (const { content, role } of turns) {
    if (content.length === 0) continue
    const last = messages.at(-1)
    if (last?.role === role) last.content.push(...content)
    else messages.push({ role, content: [...content] })
  }
  return messages
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
      return Result.succeed([{ type: "tool_use", id: part.id, name: part.name, input: part.params }])
    case "file":
      return Result.fail(new AiError.InvalidUserInputError({ description: "an assistant message cannot hold a file" }))
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
    return Result.succeed(block(typeof part.result === "string" ? part.result : JSON.stringify(part.result ?? null)))
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
  const data = dataOf(part.data)
  if (Schema.is(Image)(part.mediaType)) {
    return Result.succeed({
      type: "image",
      source: "url" in data ? { type: "url", ...data } : { type: "base64", media_type: part.mediaType, ...data }
    })
  }
  if (part.mediaType === "application/pdf") {
    return Result.succeed({
      type: "document",
      source: "url" in data ? { type: "url", ...data } : { type: "base64", media_type: part.mediaType, ...data }
    })
  }
  return Result.fail(
    new AiError.InvalidUserInputError({
      description: `files are JPEG, PNG, GIF, WebP or PDF; extract the text of anything else, such as ${
        part.mediaType.slice(0, 80)
      }`
    })
  )
}

const dataOf = (data: Prompt.FilePart["data"]): { readonly url: string } | { readonly data: string } => {
  if (data instanceof Uint8Array) return { data: Base64.encode(data) }
  const written = data instanceof URL ? data.href : data
  if (written.startsWith("data:")) return { data: written.slice(written.indexOf(",") + 1) }
  return /^https?:\/\//.test(written) ? { url: written } : { data: written }
}

const toolOf = (tool: Tool.Any): Refusable<ToolParam> => {
  if (Tool.isProviderDefined(tool)) return unusable(tool, "the provider would run it, outside of every permission")
  const description = Tool.getDescription(tool)
  return Result.map(inputOf(tool), (input_schema) => ({
    name: tool.name,
    ...(description === undefined ? {} : { description }),
    input_schema
  }))
}

/**
 * The API takes an object at the top of a tool's schema, and neither a union nor a reference. A tool without parameters
 * has a schema that says nothing of objects.
 */
const inputOf = (tool: Tool.Any): Refusable<ToolParam["input_schema"]> => {
  const written = Tool.getJsonSchema(tool)
  const { $ref, ...rest } = written
  const name = typeof $ref === "string" ? /^#\/\$defs\/(.+)$/.exec($ref)?.[1] : undefined
  const definitions: unknown = rest["$defs"]
  const { not, ...schema } = name !== undefined && isRecord(definitions) && isRecord(definitions[name])
    ? { ...definitions[name], $defs: definitions }
    : written
  if (["anyOf", "oneOf", "allOf", "$ref"].some((key) => key in schema) || (schema.type ?? "object") !== "object") {
    return unusable(tool, "its parameters are not one object; wrap them in a struct")
  }
  return Result.succeed({ ...schema, type: "object" })
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

const unusable = (tool: Tool.Any, description: string): Refusable<never> =>
  Result.fail(new AiError.ToolConfigurationError({ toolName: tool.name, description }))

const choiceOf = (choice: LanguageModel.ProviderOptions["toolChoice"]): ToolChoice => {
  if (choice === "none") return { type: "none" }
  if (choice === "auto") return { type: "auto" }
  if (choice === "required") return { type: "any" }
  return "tool" in choice
    ? { type: "tool", name: String(choice.tool) }
    : { type: choice.mode === "required" ? "any" : "auto" }
}

const formatOf = (format: LanguageModel.ProviderOptions["responseFormat"]) =>
  format.type === "text" ? Result.succeed(undefined) : Result.try({
    try: () => ({
      type: "json_schema" as const,
      schema: { ...AnthropicStructuredOutput.toCodecAnthropic(format.schema).jsonSchema }
    }),
    catch: (error): AiError.AiErrorReason =>
      new AiError.UnsupportedSchemaError({ description: error instanceof Error ? error.message : "unsupported schema" })
  })
