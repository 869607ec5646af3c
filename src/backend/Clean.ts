/** Values as JSON: as they are, as they may lie on a tape (without secrets, keys in order), and where two first differ. */
import type { Schema } from "effect"
import { Prompt } from "effect/ai"
import { Base64 } from "effect/encoding"
import { Redact, Spotlight } from "../trust/index.ts"

/** Parts, prompts and JSON Schemas hold nothing but JSON and bytes; this drops their prototypes and what is undefined. */
export const plain = (value: unknown): Schema.Json => JSON.parse(JSON.stringify(value, bytes)) as Schema.Json

/** The same, as it may lie on a tape. */
export const cleaned = (value: unknown): Schema.Json => clean(plain(value))

/**
 * A conversation as a model may see it: without secrets in what anybody but the model wrote. What it wrote itself is handed
 * back to the letter, as its vendor signed it.
 */
export const blanked = (prompt: Prompt.Prompt): Prompt.Prompt => {
  const messages = prompt.content.map(blank)
  return messages.every((message, at) => message === prompt.content[at]) ? prompt : Prompt.fromMessages(messages)
}

/** Where two values first differ, such as `prompt[1].content`; `undefined` when they do not. */
export const difference = (recorded: Schema.Json, asked: Schema.Json, path: string): string | undefined => {
  if (recorded === asked) return undefined
  if (!isNested(recorded) || !isNested(asked) || Array.isArray(recorded) !== Array.isArray(asked)) return path
  const [left, right] = [new Map(Object.entries(recorded)), new Map(Object.entries(asked))]
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const inner = Array.isArray(recorded) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`
    const [before, after] = [left.get(key), right.get(key)]
    const found = before === undefined || after === undefined ? inner : difference(before, after, inner)
    if (found !== undefined) return found
  }
  return undefined
}

// internal

const blank = (message: Prompt.Message): Prompt.Message => {
  switch (message.role) {
    case "system": {
      const content = Redact.redact(message.content)
      return content === message.content ? message : Prompt.systemMessage({ ...message, content })
    }
    case "user": {
      const content = changed(message.content, (part) => {
        const text = part.type === "text" ? Redact.redact(part.text) : ""
        return part.type !== "text" || text === part.text ? part : Prompt.textPart({ ...part, text })
      })
      return content === message.content ? message : Prompt.userMessage({ ...message, content })
    }
    case "tool": {
      const content = changed(message.content, (part) => {
        if (part.type !== "tool-result") return part
        const result = Redact.json(plain(part.result))
        return JSON.stringify(result) === JSON.stringify(part.result)
          ? part
          : Prompt.toolResultPart({ ...part, result })
      })
      return content === message.content ? message : Prompt.toolMessage({ ...message, content })
    }
    case "assistant":
      return message
  }
}

/** The same array where nothing in it is another. */
const changed = <A>(all: ReadonlyArray<A>, change: (one: A) => A): ReadonlyArray<A> => {
  const next = all.map(change)
  return next.every((one, at) => one === all[at]) ? all : next
}

const bytes = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? { base64: Base64.encode(value) } : value

/** Without secrets, and with one mark for all envelopes: those are drawn anew whenever something is run. */
const clean = (value: Schema.Json): Schema.Json => ordered(Redact.json(value))

const ordered = (value: Schema.Json): Schema.Json => {
  if (typeof value === "string") return Spotlight.anonymous(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(ordered)
  const entries = Object.entries(value).map(([key, inner]): [string, Schema.Json] => [key, ordered(inner)])
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const isNested = (value: Schema.Json) => typeof value === "object" && value !== null
