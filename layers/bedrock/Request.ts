/**
 * A request of `effect/ai` as the input of Converse, which is the same for the models of all vendors. What it has no place for
 * is refused here, before anything is sent.
 */
import type {
  ContentBlock,
  ConverseCommandInput,
  DocumentFormat,
  ImageFormat,
  ToolConfiguration,
  ToolResultContentBlock
} from "@aws-sdk/client-bedrock-runtime"
import { Result } from "effect"
import { AiError, AnthropicStructuredOutput, type LanguageModel, type Prompt } from "effect/ai"
import { Base64 } from "effect/encoding"
import { Pieces } from "../../src/backend/index.ts"

/** The input of a call, whether its answer is streamed or not. */
export type Body = ConverseCommandInput

/** The input that asks for `options`; a reason when the API could not be asked that. */
export const of = (
  options: LanguageModel.ProviderOptions,
  settings: { readonly model: string; readonly maxOutputTokens: number }
): Result.Result<Body, AiError.AiErrorReason> =>
  Result.gen(function*() {
    const system = Pieces.system(options)
    const turns = yield* Result.all(options.prompt.content.map(turnOf))
    const tools = yield* toolsOf(options)
    const format = yield* Pieces.format(options, AnthropicStructuredOutput.toCodecAnthropic)
    return {
      modelId: settings.model,
      messages: Pieces.joined(turns.flat()).map(({ content, role }) => ({ role, content })),
      inferenceConfig: { maxTokens: settings.maxOutputTokens },
      ...(system === undefined ? {} : { system: [{ text: system }] }),
      ...(tools === undefined ? {} : { toolConfig: tools }),
      ...(format === undefined ? {} : {
        outputConfig: {
          textFormat: {
            type: "json_schema",
            structure: { jsonSchema: { name: format.name, schema: JSON.stringify(format.schema) } }
          }
        }
      })
    }
  })

// internal

type Refusable<A> = Pieces.Refusable<A>

interface Turn {
  readonly role: "user" | "assistant"
  readonly content: ReadonlyArray<ContentBlock>
}

const turnOf = (message: Prompt.Message): Refusable<ReadonlyArray<Turn>> => {
  switch (message.role) {
    case "system":
      return Result.succeed([])
    case "user":
      return turn("user", message.content.map((part) => part.type === "text" ? text(part.text) : fileOf(part)))
    case "assistant":
      return turn("assistant", message.content.map(saidOf))
    case "tool":
      return turn("user", message.content.map((part) => part.type === "tool-result" ? resultOf(part) : nothing))
  }
}

type Blocks = ReadonlyArray<ContentBlock>

const turn = (role: Turn["role"], content: ReadonlyArray<Refusable<Blocks>>): Refusable<ReadonlyArray<Turn>> =>
  Result.map(Result.all(content), (blocks) => [{ role, content: blocks.flat() }])

const nothing: Refusable<Blocks> = Result.succeed([])

/** The API refuses empty texts. */
const text = (value: string): Refusable<Blocks> => value === "" ? nothing : Result.succeed([{ text: value }])

const saidOf = (part: Prompt.AssistantMessagePart): Refusable<Blocks> => {
  switch (part.type) {
    case "text":
      return text(part.text)
    case "reasoning":
      return Result.succeed(thoughtOf(part))
    case "tool-call":
      return Result.succeed([
        { toolUse: { toolUseId: part.id, name: part.name, input: documentOf(Pieces.argumentsOf(part.params)) } }
      ])
    case "file":
      return Pieces.saidFile
    case "tool-result":
    case "tool-approval-request":
      return nothing
  }
}

type Json = NonNullable<NonNullable<ContentBlock["toolUse"]>["input"]>

/** Arguments and schemas hold nothing but JSON, which is what the SDK calls a document. */
const documentOf = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json

/** Only what the vendor sealed can be told it again; another model's thoughts cannot. */
const thoughtOf = (part: Prompt.ReasoningPart): Blocks => {
  const { redacted, signature } = Pieces.own(part.options, "bedrock") ?? {}
  if (typeof redacted === "string") {
    return Result.match(Base64.decode(redacted), {
      onFailure: () => [],
      onSuccess: (redactedContent) => [{ reasoningContent: { redactedContent } }]
    })
  }
  return typeof signature === "string" ? [{ reasoningContent: { reasoningText: { text: part.text, signature } } }] : []
}

const resultOf = (part: Prompt.ToolResultPart): Refusable<Blocks> => {
  const block = (content: Array<ToolResultContentBlock>): Blocks => [
    { toolResult: { toolUseId: part.id, content, status: part.isFailure ? "error" : "success" } }
  ]
  if (part.modelOutput === undefined) return Result.succeed(block([{ text: Pieces.resultText(part) }]))
  return Result.map(
    Result.all(part.modelOutput.map((output): Refusable<ReadonlyArray<ToolResultContentBlock>> =>
      output.type === "text"
        ? Result.succeed(output.text === "" ? [] : [{ text: output.text }])
        : Result.map(fileOf(output), (files) => files.flatMap(handed))
    )),
    (all) => block(all.flat())
  )
}

/** What a file is as a result. */
const handed = ({ document, image }: ContentBlock): ReadonlyArray<ToolResultContentBlock> => {
  if (image !== undefined) return [{ image }]
  return document === undefined ? [] : [{ document }]
}

const images: Readonly<Record<string, ImageFormat>> = {
  "image/png": "png",
  "image/jpeg": "jpeg",
  "image/gif": "gif",
  "image/webp": "webp"
}
const documents: Readonly<Record<string, DocumentFormat>> = {
  "application/pdf": "pdf",
  "text/csv": "csv",
  "text/html": "html",
  "text/markdown": "md",
  "text/plain": "txt"
}

const fileOf = (part: Prompt.FilePart): Refusable<Blocks> => {
  const image = images[part.mediaType]
  const document = documents[part.mediaType]
  if (image === undefined && document === undefined) {
    return Pieces.unreadable(part, "PNG, JPEG, GIF, WebP, PDF, CSV, HTML, Markdown or plain text")
  }
  return Result.map(bytesOf(part), (bytes): Blocks =>
    image !== undefined
      ? [{ image: { format: image, source: { bytes } } }]
      : [{ document: { format: document ?? "txt", name: nameOf(part), source: { bytes } } }])
}

const bytesOf = (part: Prompt.FilePart): Refusable<Uint8Array> => {
  if (part.data instanceof Uint8Array) return Result.succeed(part.data)
  const data = Pieces.data(part)
  return "url" in data ? byValue : Result.orElse(Base64.decode(data.base64), () => byValue)
}

const byValue: Refusable<never> = Result.fail(
  new AiError.InvalidUserInputError({ description: "files are given by value, in base 64" })
)

/** The API takes few characters in names. */
const nameOf = (part: Prompt.FilePart): string =>
  (part.fileName ?? "").replaceAll(/[^A-Za-z0-9 ()[\]-]+/g, "-").slice(0, 100) || "document"

/** The API wants tools wherever a conversation holds calls, and cannot be told to call none of them. */
const toolsOf = (options: LanguageModel.ProviderOptions): Refusable<ToolConfiguration | undefined> => {
  const choice = Pieces.choice(options)
  if (options.tools.length === 0) return Result.succeed(undefined)
  if (choice.mode === "none") {
    return hasCalls(options) ? Pieces.noChoice("Bedrock", "no tool may be called") : Result.succeed(undefined)
  }
  return Result.map(Pieces.tools(options), (tools) => ({
    tools: tools.map(({ description, name, schema }) => ({
      toolSpec: {
        name,
        ...(description === undefined ? {} : { description }),
        inputSchema: { json: documentOf(schema) }
      }
    })),
    toolChoice: choice.mode === "one"
      ? { tool: { name: choice.name } }
      : choice.mode === "required"
      ? { any: {} }
      : { auto: {} }
  }))
}

const hasCalls = ({ prompt }: LanguageModel.ProviderOptions): boolean =>
  prompt.content.some((message) =>
    message.role === "assistant" && message.content.some(({ type }) => type === "tool-call")
  )
