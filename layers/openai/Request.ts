/**
 * A request of `effect/ai` as the body of a Responses API call. Nothing is stored at the vendor's: the whole conversation
 * is told each time, thoughts included, as the vendor sealed them. What the API has no place for is refused here, before
 * anything is sent.
 */
import { Result } from "effect"
import { type AiError, type LanguageModel, OpenAiStructuredOutput, type Prompt } from "effect/ai"
import type { InputTokenCountParams } from "openai/resources/responses/input-tokens"
import type {
  FunctionTool,
  ResponseCreateParamsNonStreaming,
  ResponseFunctionCallOutputItem,
  ResponseInputContent,
  ResponseInputItem
} from "openai/resources/responses/responses"
import { Pieces } from "../../src/backend/index.ts"

/** The body of a call, whether its answer is streamed or not. */
export type Body = Omit<ResponseCreateParamsNonStreaming, "stream">

/** The body that asks for `options`; a reason when the API could not be asked that. */
export const of = (
  options: LanguageModel.ProviderOptions,
  settings: { readonly model: string; readonly maxOutputTokens: number; readonly thinks: boolean }
): Result.Result<Body, AiError.AiErrorReason> =>
  Result.gen(function*() {
    const system = Pieces.system(options)
    const input = yield* Result.all(options.prompt.content.map(itemsOf))
    const tools = (yield* Pieces.tools(options)).map(toolOf)
    const format = yield* Pieces.format(options, OpenAiStructuredOutput.toCodecOpenAI)
    return {
      model: settings.model,
      store: false,
      max_output_tokens: settings.maxOutputTokens,
      ...(system === undefined ? {} : { instructions: system }),
      input: input.flat(),
      ...(settings.thinks ? { include: ["reasoning.encrypted_content"] as const satisfies Body["include"] } : {}),
      ...(tools.length === 0 ? {} : { tools, tool_choice: choiceOf(Pieces.choice(options)) }),
      ...(format === undefined ? {} : {
        text: { format: { type: "json_schema", name: format.name, schema: format.schema, strict: true } }
      })
    }
  })

/** The body that has a request counted: what the model reads of it, and nothing of its answer. */
export const counted = (body: Body): InputTokenCountParams => {
  const { include: _, max_output_tokens: __, store: ___, truncation: ____, ...read } = body
  return read
}

// internal

type Refusable<A> = Pieces.Refusable<A>
type Items = ReadonlyArray<ResponseInputItem>

const itemsOf = (message: Prompt.Message): Refusable<Items> => {
  switch (message.role) {
    case "system":
      return none
    case "user":
      return Result.map(Result.all(message.content.map(contentOf)), (content) => {
        const all = content.flat()
        return all.length === 0 ? [] : [{ type: "message", role: "user", content: all }]
      })
    case "assistant":
      return Result.map(Result.all(message.content.map(saidOf)), (items) => items.flat())
    case "tool":
      return Result.map(
        Result.all(message.content.map((part) => part.type === "tool-result" ? resultOf(part) : none)),
        (items) => items.flat()
      )
  }
}

const none: Refusable<Items> = Result.succeed([])

const contentOf = (part: Prompt.UserMessagePart): Refusable<Array<ResponseInputContent>> =>
  part.type === "text"
    ? Result.succeed(part.text === "" ? [] : [{ type: "input_text", text: part.text }])
    : Result.map(fileOf(part), (file) => [file])

const saidOf = (part: Prompt.AssistantMessagePart): Refusable<Items> => {
  switch (part.type) {
    case "text":
      return part.text === "" ? none : Result.succeed([textOf(part)])
    case "reasoning":
      return Result.succeed(thoughtOf(part))
    case "tool-call":
      return Result.succeed([{
        type: "function_call",
        call_id: part.id,
        name: part.name,
        arguments: JSON.stringify(Pieces.argumentsOf(part.params))
      }])
    case "file":
      return Pieces.saidFile
    case "tool-result":
    case "tool-approval-request":
      return none
  }
}

const textOf = (part: Prompt.TextPart): ResponseInputItem => {
  const phase = Pieces.own(part.options, "openai")?.["phase"]
  return {
    type: "message",
    role: "assistant",
    content: part.text,
    ...(phase === "commentary" || phase === "final_answer" ? { phase } : {})
  }
}

/** Only what the vendor sealed can be told it again; another model's thoughts cannot. */
const thoughtOf = (part: Prompt.ReasoningPart): Items => {
  const { encrypted, id } = Pieces.own(part.options, "openai") ?? {}
  if (typeof id !== "string" || typeof encrypted !== "string") return []
  const summary = part.text === "" ? [] : [{ type: "summary_text" as const, text: part.text }]
  return [{ type: "reasoning", id, summary, encrypted_content: encrypted }]
}

const resultOf = (part: Prompt.ToolResultPart): Refusable<Items> => {
  const item = (output: string | Array<ResponseFunctionCallOutputItem>): Items => [
    { type: "function_call_output", call_id: part.id, output }
  ]
  if (part.modelOutput === undefined) return Result.succeed(item(Pieces.resultText(part)))
  return Result.map(
    Result.all(
      part.modelOutput.map((output): Refusable<ResponseFunctionCallOutputItem> =>
        output.type === "text" ? Result.succeed({ type: "input_text", text: output.text }) : fileOf(output)
      )
    ),
    (outputs) => item(outputs)
  )
}

const images = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"])

const fileOf = (
  part: Prompt.FilePart
): Refusable<
  | { readonly type: "input_image"; readonly detail: "auto"; readonly image_url: string }
  | { readonly type: "input_file"; readonly file_url: string }
  | { readonly type: "input_file"; readonly filename: string; readonly file_data: string }
> => {
  const data = Pieces.data(part)
  if (images.has(part.mediaType)) {
    return Result.succeed({ type: "input_image", detail: "auto", image_url: addressOf(part.mediaType, data) })
  }
  if (part.mediaType !== "application/pdf") return Pieces.unreadable(part, "JPEG, PNG, GIF, WebP or PDF")
  return Result.succeed(
    "url" in data
      ? { type: "input_file", file_url: data.url }
      : { type: "input_file", filename: part.fileName ?? "file.pdf", file_data: addressOf(part.mediaType, data) }
  )
}

const addressOf = (mediaType: string, data: ReturnType<typeof Pieces.data>): string =>
  "url" in data ? data.url : `data:${mediaType};base64,${data.base64}`

/** Not strict: the vendor's strict mode takes a part of JSON Schema only, and arguments are decoded here anyway. */
const toolOf = ({ description, name, schema }: Pieces.Offered): FunctionTool => ({
  type: "function",
  name,
  ...(description === undefined ? {} : { description }),
  parameters: { ...schema },
  strict: false
})

const choiceOf = (choice: Pieces.Choice): NonNullable<Body["tool_choice"]> =>
  choice.mode === "one" ? { type: "function", name: choice.name } : choice.mode
