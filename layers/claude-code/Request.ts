/**
 * A request of `effect/ai` as what the program is given. It takes one message of the user's, so a conversation is told in
 * it: a line of JSON a turn, in which no text can pass for a turn of its own. What the program has no place for is refused
 * here, before it is started.
 */
import { Result } from "effect"
import { AiError, AnthropicStructuredOutput, type LanguageModel, type Prompt } from "effect/ai"
import { Pieces } from "../../src/backend/index.ts"
import * as Tools from "./Tools.ts"

/** What the program is given. */
export interface Body {
  readonly system: string
  readonly input: string
  readonly tools: ReadonlyArray<Pieces.Offered>
  /** The schema of the object that is asked for, as JSON. */
  readonly schema: string | undefined
}

/** What asks for `options`; a reason when the program could not be asked that. */
export const of = (options: LanguageModel.ProviderOptions): Result.Result<Body, AiError.AiErrorReason> =>
  Result.gen(function*() {
    const choice = Pieces.choice(options)
    const tools = choice.mode === "none" ? [] : yield* Pieces.tools(options)
    if (tools.length > 0 && choice.mode !== "auto") yield* Pieces.noChoice("Claude Code", "a tool must be called")
    const long = tools.find(({ name }) => name.length > Tools.maxNameLength)
    if (long !== undefined) {
      const description = `its name is longer than ${Tools.maxNameLength} letters`
      yield* Result.fail(new AiError.ToolConfigurationError({ toolName: long.name, description }))
    }
    const format = yield* Pieces.format(options, AnthropicStructuredOutput.toCodecAnthropic)
    const messages = options.prompt.content.filter(({ role }) => role !== "system")
    const images = yield* Result.all(messages.flatMap(imagesIn))
    const isOneQuestion = messages.every(({ role }) => role === "user")
    const text = isOneQuestion ? messages.flatMap(textsIn).join("\n\n") : told(messages)
    const content = [{ type: "text", text }, ...images]
    return {
      system: Pieces.system(options) ?? "",
      input: `${JSON.stringify({ type: "user", message: { role: "user", content } })}\n`,
      tools,
      schema: format === undefined ? undefined : JSON.stringify(format.schema)
    }
  })

// internal

const intro =
  "This is the conversation so far, a JSON object a line. Answer it as the assistant: go on from the last line."

const told = (messages: ReadonlyArray<Prompt.Message>): string =>
  [intro, ...messages.flatMap(linesOf).map((line) => JSON.stringify(line))].join("\n")

const linesOf = (message: Prompt.Message): ReadonlyArray<object> => {
  switch (message.role) {
    case "system":
      return []
    case "user":
      return [{ role: "user", text: textsIn(message).join("\n\n") }]
    case "assistant":
      return [{
        role: "assistant",
        text: textsIn(message).join(""),
        calls: message.content.flatMap((part) =>
          part.type === "tool-call" ? [{ id: part.id, name: part.name, arguments: part.params }] : []
        )
      }]
    case "tool":
      return message.content.flatMap((part) =>
        part.type === "tool-result"
          ? [{ role: "tool", id: part.id, name: part.name, failed: part.isFailure, result: resultOf(part) }]
          : []
      )
  }
}

const textsIn = ({ content }: Prompt.Message): ReadonlyArray<string> =>
  typeof content === "string"
    ? [content]
    : content.flatMap((part) => part.type === "text" && part.text !== "" ? [part.text] : [])

const resultOf = (part: Prompt.ToolResultPart): string =>
  part.modelOutput === undefined
    ? Pieces.resultText(part)
    : part.modelOutput.flatMap((output) => output.type === "text" ? [output.text] : []).join("\n")

const readable = /^image\/(?:png|jpeg|gif|webp)$/

const imagesIn = (message: Prompt.Message): ReadonlyArray<Pieces.Refusable<object>> => {
  if (typeof message.content === "string") return []
  return message.content.flatMap((part): ReadonlyArray<Pieces.Refusable<object>> => {
    if (part.type === "tool-result") {
      return (part.modelOutput ?? []).flatMap((output) => output.type === "file" ? [imageOf(output)] : [])
    }
    if (part.type !== "file") return []
    return [message.role === "assistant" ? Pieces.saidFile : imageOf(part)]
  })
}

const imageOf = (part: Prompt.FilePart): Pieces.Refusable<object> => {
  if (!readable.test(part.mediaType)) return Pieces.unreadable(part, "PNG, JPEG, GIF or WebP")
  const data = Pieces.data(part)
  return "url" in data
    ? Result.fail(new AiError.InvalidUserInputError({ description: "images are given by value, in base 64" }))
    : Result.succeed({
      type: "image",
      source: { type: "base64", media_type: part.mediaType, data: data.base64 }
    })
}
