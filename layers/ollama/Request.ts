/**
 * A request of `effect/ai` as a chat with Ollama. What it has no place for is refused here, before anything is sent.
 * A prompt that is too long is to be refused: by default it would be cut, and the answer be to another question.
 */
import { Result } from "effect"
import { AiError, type LanguageModel, OpenAiStructuredOutput, type Prompt } from "effect/ai"
import { Base64 } from "effect/encoding"
import type { ChatRequest, Message, Tool } from "ollama"
import { Pieces } from "../../src/backend/index.ts"

/** The chat, whether its answer is streamed or not. */
export interface Body extends Omit<ChatRequest, "stream"> {
  readonly truncate: false
  readonly shift: false
}

/** The chat that asks for `options`; a reason when it could not be asked for that. */
export const of = (
  options: LanguageModel.ProviderOptions,
  settings: { readonly model: string; readonly maxOutputTokens: number; readonly contextTokens: number | undefined }
): Result.Result<Body, AiError.AiErrorReason> =>
  Result.gen(function*() {
    const messages = yield* Result.all(options.prompt.content.map(messagesOf))
    const choice = Pieces.choice(options)
    const tools = choice.mode === "none" ? [] : (yield* Pieces.tools(options)).map(toolOf)
    if (tools.length > 0 && choice.mode !== "auto") yield* Pieces.noChoice("Ollama", "a tool must be called")
    const format = yield* Pieces.format(options, OpenAiStructuredOutput.toCodecOpenAI)
    return {
      model: settings.model,
      messages: messages.flat(),
      truncate: false,
      shift: false,
      ...(tools.length === 0 ? {} : { tools }),
      ...(format === undefined ? {} : { format: format.schema }),
      options: {
        num_predict: settings.maxOutputTokens,
        ...(settings.contextTokens === undefined ? {} : { num_ctx: settings.contextTokens })
      }
    }
  })

// internal

type Refusable<A> = Pieces.Refusable<A>
type Messages = ReadonlyArray<Message>

const messagesOf = (message: Prompt.Message): Refusable<Messages> => {
  switch (message.role) {
    case "system":
      return Result.succeed([{ role: "system", content: message.content }])
    case "user":
      return Result.map(
        Result.all(message.content.flatMap((part) => part.type === "file" ? [imageOf(part)] : [])),
        (images) => [{
          role: "user",
          content: message.content.flatMap((part) => part.type === "text" && part.text !== "" ? [part.text] : []).join(
            "\n\n"
          ),
          ...(images.length === 0 ? {} : { images })
        }]
      )
    case "assistant":
      return message.content.some(({ type }) => type === "file") ? Pieces.saidFile : Result.succeed([said(message)])
    case "tool":
      return Result.map(
        Result.all(message.content.flatMap((part) => part.type === "tool-result" ? [resultOf(part)] : [])),
        (results) => results
      )
  }
}

const said = ({ content }: Prompt.AssistantMessage): Message => {
  const calls = content.flatMap((part) => part.type === "tool-call" ? [callOf(part)] : [])
  const thoughts = content.flatMap((part) =>
    part.type === "reasoning" && Pieces.own(part.options, "ollama") !== undefined ? [part.text] : []
  )
  return {
    role: "assistant",
    content: content.flatMap((part) => part.type === "text" ? [part.text] : []).join(""),
    ...(thoughts.length === 0 ? {} : { thinking: thoughts.join("") }),
    ...(calls.length === 0 ? {} : { tool_calls: calls })
  }
}

const callOf = (part: Prompt.ToolCallPart) => {
  const { id } = Pieces.own(part.options, "ollama") ?? {}
  return {
    ...(typeof id === "string" ? { id } : {}),
    function: { name: part.name, arguments: { ...Pieces.argumentsOf(part.params) } }
  }
}

const resultOf = (part: Prompt.ToolResultPart): Refusable<Message> => {
  const answered = (content: string, images: ReadonlyArray<Uint8Array>) => ({
    role: "tool",
    content: part.isFailure ? `error: ${content}` : content,
    tool_name: part.name,
    tool_call_id: part.id,
    ...(images.length === 0 ? {} : { images: [...images] })
  })
  if (part.modelOutput === undefined) return Result.succeed(answered(Pieces.resultText(part), []))
  const texts = part.modelOutput.flatMap((output) => output.type === "text" ? [output.text] : [])
  const images = part.modelOutput.flatMap((output) => output.type === "file" ? [imageOf(output)] : [])
  return Result.map(Result.all(images), (all) => answered(texts.join("\n"), all))
}

const readable = /^image\/(?:png|jpeg|webp)$/

/** Always as bytes: the SDK takes a text that is the path of a file for that file. */
const imageOf = (part: Prompt.FilePart): Refusable<Uint8Array> => {
  if (!readable.test(part.mediaType)) return Pieces.unreadable(part, "PNG, JPEG or WebP")
  if (part.data instanceof Uint8Array) return Result.succeed(part.data)
  const data = Pieces.data(part)
  return "url" in data ? byValue : Result.orElse(Base64.decode(data.base64), () => byValue)
}

const byValue: Refusable<never> = Result.fail(
  new AiError.InvalidUserInputError({ description: "images are given by value, in base 64" })
)

const toolOf = ({ description, name, schema }: Pieces.Offered): Tool => ({
  type: "function",
  function: { name, ...(description === undefined ? {} : { description }), parameters: { ...schema } }
})
