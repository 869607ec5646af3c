/**
 * How many tokens a request can be at the most, before anybody is asked. Text is never more tokens than bytes: a token of
 * the tokenizers in use stands for one byte at least, and for little more where text is digits, hexadecimal, emoji or a rare
 * script. What vendors put around messages and tools has an allowance, and files have what vendors document as their worst.
 */
import type { Schema } from "effect"
import type { Prompt } from "effect/ai"

/** Tokens that a vendor may put around a request: its own words about tools, when there are any. */
export const aroundCall = 1024
/** Tokens that a vendor may put around a message. */
export const aroundMessage = 64
/** Tokens that a vendor may put around a tool, beside its definition. */
export const aroundTool = 128
/**
 * Tokens of one image. Source: OpenAI, images of gpt-4o-mini at high detail, 2,833 and 5,667 for each of eight tiles; what
 * other vendors document for one image is less than a fifth of it.
 */
export const imageTokens = 48_169
/**
 * Tokens of any other file, whose text may be compressed: all that the models of these vendors can read at once. Such a
 * call has to be counted where its budget is less.
 */
export const fileTokens = 1_048_576

/** What a vendor counted, with what it may be off: vendors call their count an estimate. */
export const withMargin = (counted: number): number => Math.ceil(counted * 1.05) + 256

/** The most input tokens of a request; `tools` as they are described to the vendor. */
export const inputTokens = (prompt: Prompt.Prompt, tools: ReadonlyArray<Schema.Json>): number => {
  const messages = prompt.content.map((message) => bytes(withoutFiles(message)) + aroundMessage)
  const files = prompt.content.flatMap(filesOf).map(({ mediaType }) =>
    isImage.test(mediaType) ? imageTokens : fileTokens
  )
  // Definitions are written anew in each vendor's own way, and wider.
  const offered = tools.map((tool) => 2 * bytes(tool) + aroundTool)
  return aroundCall + sum(messages) + sum(files) + sum(offered)
}

// internal

const isImage = /^image\//

const encoder = new TextEncoder()
const bytes = (value: unknown): number => encoder.encode(JSON.stringify(value)).length
const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

/** Files by where they stand alone: what looks like one in a tool's result is text like any other. */
const filesOf = ({ content }: Prompt.Message): ReadonlyArray<Prompt.FilePart> =>
  typeof content === "string" ? [] : content.flatMap((part): ReadonlyArray<Prompt.FilePart> => {
    if (part.type === "file") return [part]
    return part.type === "tool-result" ? (part.modelOutput ?? []).filter((output) => output.type === "file") : []
  })

const withoutFiles = ({ content, ...message }: Prompt.Message): unknown => ({
  ...message,
  content: typeof content === "string" ? content : content.map((part) => {
    if (part.type === "file") return withoutData(part)
    if (part.type !== "tool-result" || part.modelOutput === undefined) return part
    return { ...part, modelOutput: part.modelOutput.map((out) => out.type === "file" ? withoutData(out) : out) }
  })
})

const withoutData = ({ data: _, ...part }: Prompt.FilePart): unknown => part
