/**
 * A request of `effect/ai` as the parameters of a Gemini call. What the API has no place for is refused here, before
 * anything is sent. The SDK's own habits are off: it neither calls functions nor asks again by itself.
 */
import type {
  Content,
  CountTokensParameters,
  FunctionCallingConfig,
  FunctionCallingConfigMode,
  GenerateContentParameters,
  Part
} from "@google/genai"
import { Result } from "effect"
import { type AiError, type LanguageModel, OpenAiStructuredOutput, type Prompt } from "effect/ai"
import { Pieces } from "../../src/backend/index.ts"

/** The parameters of a call, whether its answer is streamed or not. */
export type Body = GenerateContentParameters & { readonly contents: Array<Content> }

/** The parameters that ask for `options`; a reason when the API could not be asked that. */
export const of = (
  options: LanguageModel.ProviderOptions,
  settings: { readonly model: string; readonly maxOutputTokens: number }
): Result.Result<Body, AiError.AiErrorReason> =>
  Result.gen(function*() {
    const system = Pieces.system(options)
    const turns = yield* Result.all(options.prompt.content.map(turnOf))
    const tools = yield* Pieces.tools(options)
    const format = yield* Pieces.format(options, OpenAiStructuredOutput.toCodecOpenAI)
    const contents: Array<Content> = Pieces.joined(turns.flat()).map(({ content, role }) => ({ role, parts: content }))
    return {
      model: settings.model,
      contents,
      config: {
        maxOutputTokens: settings.maxOutputTokens,
        automaticFunctionCalling: { disable: true },
        automaticContinuation: false,
        ...(system === undefined ? {} : { systemInstruction: { parts: [{ text: system }] } }),
        ...(tools.length === 0 ? {} : {
          tools: [{ functionDeclarations: tools.map(declared) }],
          toolConfig: { functionCallingConfig: choiceOf(Pieces.choice(options)) }
        }),
        ...(format === undefined ? {} : {
          responseMimeType: "application/json",
          responseJsonSchema: format.schema
        })
      }
    }
  })

/**
 * The parameters that have a request counted. There the SDK takes contents alone: what else is told to the model is counted
 * as if it stood in them.
 */
export const counted = ({ config, contents, model }: Body): CountTokensParameters => {
  const { responseJsonSchema, systemInstruction, tools } = config ?? {}
  const beside = [systemInstruction, tools, responseJsonSchema].flatMap((part) =>
    part === undefined ? [] : [{ text: JSON.stringify(part) }]
  )
  return { model, contents: beside.length === 0 ? contents : [{ role: "user", parts: beside }, ...contents] }
}

// internal

type Refusable<A> = Pieces.Refusable<A>

interface Turn {
  readonly role: "user" | "model"
  readonly content: ReadonlyArray<Part>
}

const turnOf = (message: Prompt.Message): Refusable<ReadonlyArray<Turn>> => {
  switch (message.role) {
    case "system":
      return Result.succeed([])
    case "user":
      return turn("user", message.content.map((part) => part.type === "text" ? text(part) : fileOf(part)))
    case "assistant":
      return turn("model", message.content.map(saidOf))
    case "tool":
      return turn("user", message.content.map((part) => part.type === "tool-result" ? resultOf(part) : nothing))
  }
}

const turn = (
  role: Turn["role"],
  content: ReadonlyArray<Refusable<ReadonlyArray<Part>>>
): Refusable<ReadonlyArray<Turn>> => Result.map(Result.all(content), (parts) => [{ role, content: parts.flat() }])

const nothing: Refusable<ReadonlyArray<Part>> = Result.succeed([])
const only = (part: Part): Refusable<ReadonlyArray<Part>> => Result.succeed([part])

/** The API refuses empty texts, except where they carry the seal of a thought. */
const text = (part: Prompt.TextPart): Refusable<ReadonlyArray<Part>> => {
  const seal = sealOf(part.options)
  return part.text === "" && seal.thoughtSignature === undefined ? nothing : only({ text: part.text, ...seal })
}

const saidOf = (part: Prompt.AssistantMessagePart): Refusable<ReadonlyArray<Part>> => {
  switch (part.type) {
    case "text":
      return text(part)
    case "reasoning": {
      const seal = sealOf(part.options)
      return seal.thoughtSignature === undefined ? nothing : only({ text: part.text, thought: true, ...seal })
    }
    case "tool-call":
      return only({
        functionCall: { ...idOf(part.options), name: part.name, args: Pieces.argumentsOf(part.params) },
        ...sealOf(part.options)
      })
    case "file":
      return Pieces.saidFile
    case "tool-result":
    case "tool-approval-request":
      return nothing
  }
}

/** What the vendor sealed; another model's thoughts cannot be told to it. */
const sealOf = (options: Prompt.ProviderOptions): { readonly thoughtSignature?: string } => {
  const { thoughtSignature } = Pieces.own(options, "gemini") ?? {}
  return typeof thoughtSignature === "string" ? { thoughtSignature } : {}
}

/** An id of the vendor's own; those that were made here are not told to it. */
const idOf = (options: Prompt.ProviderOptions): { readonly id?: string } => {
  const { id } = Pieces.own(options, "gemini") ?? {}
  return typeof id === "string" ? { id } : {}
}

const resultOf = (part: Prompt.ToolResultPart): Refusable<ReadonlyArray<Part>> => {
  const answered = (output: string): Part => ({
    functionResponse: {
      ...(madeHere.test(part.id) ? {} : { id: part.id }),
      name: part.name,
      response: part.isFailure ? { error: output } : { output }
    }
  })
  if (part.modelOutput === undefined) return only(answered(Pieces.resultText(part)))
  const texts = part.modelOutput.flatMap((output) => output.type === "text" ? [output.text] : [])
  const files = part.modelOutput.flatMap((output) => output.type === "file" ? [fileOf(output)] : [])
  return Result.map(Result.all(files), (parts) => [answered(texts.join("\n")), ...parts.flat()])
}

/** What ids look like that were made here for calls that the vendor gave none. */
const madeHere = /^call-\d+$/

const readable = /^(?:image\/(?:png|jpeg|webp|heic|heif)|application\/pdf|text\/plain)$/

const fileOf = (part: Prompt.FilePart): Refusable<ReadonlyArray<Part>> => {
  if (!readable.test(part.mediaType)) return Pieces.unreadable(part, "PNG, JPEG, WebP, HEIC, HEIF, PDF or plain text")
  const data = Pieces.data(part)
  return only(
    "url" in data
      ? { fileData: { fileUri: data.url, mimeType: part.mediaType } }
      : { inlineData: { data: data.base64, mimeType: part.mediaType } }
  )
}

const declared = ({ description, name, schema }: Pieces.Offered) => ({
  name,
  ...(description === undefined ? {} : { description }),
  parametersJsonSchema: schema
})

/** The vendor's enumeration by its values: to name it would load its package. */
const modes = { auto: "AUTO", none: "NONE", required: "ANY", one: "ANY" } as const

const choiceOf = (choice: Pieces.Choice): FunctionCallingConfig => ({
  mode: modes[choice.mode] as FunctionCallingConfigMode,
  ...(choice.mode === "one" ? { allowedFunctionNames: [choice.name] } : {})
})
