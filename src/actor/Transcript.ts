/**
 * What a reasoning run has asked for and been answered, read from its conversation: each answer in it came out of the log,
 * so that every run of the session reads the same.
 */
import { Option, Schema } from "effect"
import type { Prompt } from "effect/ai"
import type { Digest } from "../audit/index.ts"
import type { LoopGuard } from "../evidence/index.ts"
import { Spotlight } from "../trust/index.ts"

/** A call that was asked for. */
export interface Asked extends LoopGuard.Asked {
  readonly id: string
  /** Whether it succeeded; `undefined` while it has no answer. */
  readonly succeeded: boolean | undefined
}

/** Every call, in order, with what it was answered. */
export const calls = (digest: Digest.Digest["Service"], { content }: Prompt.Prompt): ReadonlyArray<Asked> => {
  const asked: Array<Asked> = []
  let turn = -1
  for (const message of content) {
    if (message.role === "assistant") turn++
    if (message.role !== "assistant" && message.role !== "tool") continue
    for (const part of message.content) {
      if (part.type === "tool-call") {
        // The arguments came out of a thread, which is JSON.
        const what = digest.canonical([part.name, part.params as Schema.Json])
        asked.push({ id: part.id, tool: part.name, what, found: null, turn, succeeded: undefined })
      }
      if (part.type === "tool-result") {
        const at = asked.findIndex((call) => call.id === part.id && call.succeeded === undefined)
        const call = asked[at]
        if (call !== undefined) {
          asked[at] = {
            ...call,
            succeeded: !part.isFailure,
            found: part.isFailure ? null : foundIn(digest, part.result)
          }
        }
      }
    }
  }
  return asked
}

/** The stamps that the model was shown, each beside its result. */
export const stamps = ({ content }: Prompt.Prompt): ReadonlySet<string> =>
  new Set(
    content.flatMap((message) => message.role === "tool" ? message.content : []).flatMap((part) =>
      part.type === "tool-result" && !part.isFailure
        ? Option.match(shown(part.result), { onNone: () => [], onSome: ({ stamp }) => [stamp] })
        : []
    )
  )

// internal

const shown = Schema.decodeUnknownOption(Schema.Struct({ stamp: Schema.String, result: Schema.Json }))

/** What was found, without the stamp and the mark that are another each time. */
const foundIn = (digest: Digest.Digest["Service"], result: unknown): string =>
  Option.match(shown(result), {
    onNone: () => digest.canonical(result as Schema.Json), // It came out of a thread, which is JSON.
    onSome: ({ result }) =>
      typeof result === "string"
        ? Option.match(Spotlight.unwrap(result), { onNone: () => result, onSome: ({ text }) => text })
        : digest.canonical(result)
  })
