/**
 * A backend that says what it is told to: exact turns, or a function of what it is asked. For tests, and the base of
 * `Offline`. It calls nobody.
 */
import { Effect, Stream } from "effect"
import { AiError, LanguageModel, type Response } from "effect/ai"
import type { Backend, Name } from "./Backend.ts"

/** One turn of a script. */
export interface Line {
  readonly text?: string
  readonly calls?: ReadonlyArray<{ readonly id?: string; readonly name: string; readonly params: unknown }>
}

/** Answers one request, given how many came before it on this backend. */
export type Script = (options: LanguageModel.ProviderOptions, turn: number) => Line | AiError.AiError

/** A backend from exact turns; asking for more than there are is an error. */
export const turns = (lines: ReadonlyArray<Line>): Effect.Effect<Backend<"scripted">> =>
  fromFunction((_, turn) => lines[turn] ?? exhausted(turn))

/** A backend from a function. */
export const fromFunction = (script: Script): Effect.Effect<Backend<"scripted">> =>
  make({ name: "scripted", model: "script", notice: null }, script)

/** A backend of another name that is driven by a script all the same. */
export const make = <N extends Name>(
  who: { readonly name: N; readonly model: string; readonly notice: string | null },
  script: Script
): Effect.Effect<Backend<N>> =>
  Effect.gen(function*() {
    let turn = 0
    const generateText = (options: LanguageModel.ProviderOptions) =>
      Effect.suspend(() => {
        const line = script(options, turn++)
        return AiError.isAiError(line) ? Effect.fail(line) : Effect.succeed(parts(line, turn, options))
      })
    const languageModel = yield* LanguageModel.make({ generateText, streamText: () => Stream.empty })
    return { ...who, maxOutputTokens: 4096, languageModel }
  })

// internal

const parts = (line: Line, turn: number, options: LanguageModel.ProviderOptions): Array<Response.PartEncoded> => {
  const calls = line.calls ?? []
  return [
    ...(line.text === undefined ? [] : [{ type: "text" as const, text: line.text }]),
    ...calls.map((call, index) => ({
      type: "tool-call" as const,
      id: call.id ?? `call-${turn}-${index}`,
      name: call.name,
      params: call.params
    })),
    {
      type: "finish",
      reason: calls.length > 0 ? "tool-calls" : "stop",
      usage: {
        inputTokens: {
          total: size(options.prompt.content),
          uncached: undefined,
          cacheRead: undefined,
          cacheWrite: undefined
        },
        outputTokens: { total: size(line), text: undefined, reasoning: undefined }
      },
      response: undefined
    }
  ]
}

/** Four characters a token: a script has no tokenizer. */
const size = (value: unknown): number => Math.ceil(JSON.stringify(value).length / 4)

const exhausted = (turn: number) =>
  AiError.make({
    module: "Scripted",
    method: "generateText",
    reason: new AiError.InternalProviderError({ description: `the script has no turn ${turn + 1}` })
  })
