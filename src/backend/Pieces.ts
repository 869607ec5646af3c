/**
 * What every vendor's format is made of, taken out of a request of `effect/ai` once: tools as JSON Schemas, files by value
 * or by address, results as text, and the neighbourhood of turns. What no vendor has a place for is refused here, before
 * anything is sent.
 */
import { Option, Predicate, Result, type Schema } from "effect"
import { AiError, type LanguageModel, type Prompt, Tool } from "effect/ai"
import { Base64 } from "effect/encoding"
import * as ObjectSchema from "./ObjectSchema.ts"

/** Something, or why this vendor cannot be asked for it. */
export type Refusable<A> = Result.Result<A, AiError.AiErrorReason>

/** A tool as vendors are told of it. */
export interface Offered {
  readonly name: string
  readonly description: string | undefined
  /** An object's, always. */
  readonly schema: ObjectSchema.ObjectSchema
}

/** Which of the tools the model may or must call. */
export type Choice =
  | { readonly mode: "auto" | "none" | "required" }
  | { readonly mode: "one"; readonly name: string }

/** The tools of a request, none of which the vendor itself would run. */
export const tools = (options: LanguageModel.ProviderOptions): Refusable<ReadonlyArray<Offered>> =>
  Result.all(options.tools.map(offered))

/** How tools are to be chosen. */
export const choice = ({ toolChoice }: LanguageModel.ProviderOptions): Choice => {
  if (typeof toolChoice === "string") return { mode: toolChoice }
  return "tool" in toolChoice
    ? { mode: "one", name: String(toolChoice.tool) }
    : { mode: toolChoice.mode === "required" ? "required" : "auto" }
}

/** A choice that the vendor cannot be told of. */
export const noChoice = (vendor: string, what: string): Refusable<never> =>
  Result.fail(new AiError.InvalidUserInputError({ description: `${vendor} cannot be told that ${what}` }))

/** The system texts of a prompt as one; `undefined` when there are none. */
export const system = ({ prompt }: LanguageModel.ProviderOptions): string | undefined => {
  const texts = prompt.content.flatMap((message) => message.role === "system" ? [message.content] : [])
  return texts.length === 0 ? undefined : texts.join("\n\n")
}

/** The schema that an answer is to have, as a vendor takes it; `undefined` where a text is asked for. */
export const format = (
  { responseFormat }: LanguageModel.ProviderOptions,
  transformer: LanguageModel.CodecTransformer
): Refusable<{ readonly name: string; readonly schema: { readonly [keyword: string]: unknown } } | undefined> =>
  responseFormat.type === "text" ? Result.succeed(undefined) : Result.try({
    try: () => ({ name: responseFormat.objectName, schema: { ...transformer(responseFormat.schema).jsonSchema } }),
    catch: (error): AiError.AiErrorReason =>
      new AiError.UnsupportedSchemaError({ description: error instanceof Error ? error.message : "unsupported schema" })
  })

/** A file: its bytes in base 64, or where it is. */
export const data = (part: Prompt.FilePart): { readonly url: string } | { readonly base64: string } => {
  if (part.data instanceof Uint8Array) return { base64: Base64.encode(part.data) }
  const written = part.data instanceof URL ? part.data.href : part.data
  if (written.startsWith("data:")) return { base64: written.slice(written.indexOf(",") + 1) }
  return /^https?:\/\//.test(written) ? { url: written } : { base64: written }
}

/** The refusal of a file that the vendor cannot read. */
export const unreadable = (part: Prompt.FilePart, readable: string): Refusable<never> =>
  Result.fail(
    new AiError.InvalidUserInputError({
      description: `files are ${readable}; extract the text of anything else, such as ${part.mediaType.slice(0, 80)}`
    })
  )

/** Models do not hand files over in a conversation. */
export const saidFile: Refusable<never> = Result.fail(
  new AiError.InvalidUserInputError({ description: "an assistant message cannot hold a file" })
)

/** The result of a tool as text. */
export const resultText = ({ result }: Prompt.ToolResultPart): string =>
  typeof result === "string" ? result : JSON.stringify(result ?? null)

/** The arguments of a call as an object: what a model wrote that is none is told to it as what it was. */
export const argumentsOf = (params: unknown): { readonly [name: string]: unknown } =>
  isRecord(params) ? params : { unreadable: params }

/** A call for a vendor that gives calls no ids: the number of those before it makes one. */
export const callId = (options: LanguageModel.ProviderOptions, index: number): string => {
  const before = options.prompt.content.flatMap((message) =>
    message.role === "assistant" ? message.content.filter(({ type }) => type === "tool-call") : []
  )
  return `call-${before.length + index + 1}`
}

/** Neighbours of one role become one turn: all results of parallel calls must stand in the one that follows them. */
export const joined = <Role extends string, Piece>(
  turns: ReadonlyArray<{ readonly role: Role; readonly content: ReadonlyArray<Piece> }>
): Array<{ role: Role; content: Array<Piece> }> => {
  const messages: Array<{ role: Role; content: Array<Piece> }> = []
  for (const { content, role } of turns) {
    if (content.length === 0) continue
    const last = messages.at(-1)
    if (last?.role === role) last.content.push(...content)
    else messages.push({ role, content: [...content] })
  }
  return messages
}

/** What a vendor must be told again of a part of its own; `undefined` when the part is another's. */
export const own = (
  options: Prompt.ProviderOptions,
  vendor: string
): { readonly [name: string]: unknown } | undefined => {
  const told: unknown = options[vendor]
  return isRecord(told) ? told : undefined
}

/** Arguments as a model wrote them: JSON where they are, else the text, for whoever decodes them to refuse. */
export const argumentsIn = (text: string): Schema.Json =>
  text.trim() === "" ? {} : Result.getOrElse(Result.try(() => JSON.parse(text) as Schema.Json), () => text)

/** Whether a text is whole as JSON. */
export const isJson = (text: string): boolean => Result.isSuccess(Result.try((): unknown => JSON.parse(text)))

/** An object, not a list. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  Predicate.isObject(value) && !Array.isArray(value)

// internal

const offered = (tool: Tool.Any): Refusable<Offered> => {
  if (Tool.isProviderDefined(tool)) return unusable(tool, "the provider would run it, outside of every permission")
  return Option.match(ObjectSchema.of(Tool.getJsonSchema(tool)), {
    onNone: () => unusable(tool, "its parameters are not one object; wrap them in a struct"),
    onSome: (schema) => Result.succeed({ name: tool.name, description: Tool.getDescription(tool), schema })
  })
}

const unusable = (tool: Tool.Any, description: string): Refusable<never> =>
  Result.fail(new AiError.ToolConfigurationError({ toolName: tool.name, description }))
