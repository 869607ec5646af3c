/**
 * A streamed answer, piece by piece. The state is what has to be remembered between pieces. There is no event that ends an
 * answer: it is whole when a piece has said why it ended, and what it used came with that piece or after it.
 */
import { Result } from "effect"
import type { LanguageModel, Response } from "effect/ai"
import { Pieces, type Vendor } from "../../src/backend/index.ts"
import { callOf, endOf, metadataOf, partsIn, reasonIn, sealed } from "./Answer.ts"
import * as Wire from "./Wire.ts"

/** Between two pieces. */
export interface State {
  readonly options: LanguageModel.ProviderOptions
  readonly begun: boolean
  /** The text or thought that is under way. */
  readonly open: { readonly type: "text" | "reasoning"; readonly id: string } | undefined
  /** Texts and thoughts so far. */
  readonly blocks: number
  readonly calls: number
  readonly usage: Wire.Usage
  readonly reason: string | undefined
}

/** Before the first piece. */
export const start = (options: LanguageModel.ProviderOptions): State => ({
  options,
  begun: false,
  open: undefined,
  blocks: 0,
  calls: 0,
  usage: {},
  reason: undefined
})

/** Takes the next piece, which nobody has checked. */
export const next = (state: State, value: unknown): Vendor.Step<State> =>
  Result.map(Wire.chunk(value), (chunk) => {
    const parts: Array<Response.StreamPartEncoded> = state.begun ? [] : [metadataOf(chunk)]
    let after: State = {
      ...state,
      begun: true,
      usage: { ...state.usage, ...given(chunk.usageMetadata ?? {}) },
      reason: reasonIn(chunk) ?? state.reason
    }
    for (const part of partsIn(chunk)) {
      const [grown, more] = take(after, part)
      after = grown
      parts.push(...more)
    }
    const isWhole = after.reason !== undefined && after.usage.promptTokenCount !== undefined
    return [after, isWhole ? [...parts, ...ending(after)] : parts]
  })

/** No more pieces come: an answer that said why it ended is whole, even where it did not say what it used. */
export const last = (state: State) => Result.succeed(state.reason === undefined ? [] : ending(state))

// internal

type Taken = readonly [State, ReadonlyArray<Response.StreamPartEncoded>]

const take = (state: State, part: Wire.Part): Taken => {
  if (part.functionCall !== undefined && part.functionCall !== null) {
    const call = callOf(part, Pieces.callId(state.options, state.calls))
    const json = JSON.stringify(call.params)
    return [{ ...state, open: undefined, calls: state.calls + 1 }, [
      ...closing(state, {}),
      { type: "tool-params-start", id: call.id, name: call.name },
      { type: "tool-params-delta", id: call.id, delta: json },
      { type: "tool-params-end", id: call.id },
      call
    ]]
  }
  if (typeof part.text !== "string") return [state, []]
  const type = part.thought === true ? "reasoning" : "text"
  const seal = sealed(part)
  if (state.open?.type === type) {
    // A seal ends what it seals: the part that follows has its own.
    const said = delta(state.open, part.text)
    return "gemini" in seal
      ? [{ ...state, open: undefined }, [...said, ...closing(state, seal)]]
      : [state, said]
  }
  const open = { type, id: String(state.blocks) } as const
  const begun: State = { ...state, open, blocks: state.blocks + 1 }
  const parts = [
    ...closing(state, {}),
    type === "text" ? { type: "text-start", id: open.id } as const : { type: "reasoning-start", id: open.id } as const,
    ...delta(open, part.text)
  ]
  return "gemini" in seal ? [{ ...begun, open: undefined }, [...parts, ...closing(begun, seal)]] : [begun, parts]
}

type OpenBlock = NonNullable<State["open"]>

const delta = ({ id, type }: OpenBlock, text: string): ReadonlyArray<Response.StreamPartEncoded> =>
  text === ""
    ? []
    : [type === "text" ? { type: "text-delta", id, delta: text } : { type: "reasoning-delta", id, delta: text }]

const closing = ({ open }: State, metadata: ReturnType<typeof sealed>): ReadonlyArray<Response.StreamPartEncoded> => {
  if (open === undefined) return []
  const { id } = open
  return [open.type === "text" ? { type: "text-end", id, metadata } : { type: "reasoning-end", id, metadata }]
}

const ending = (state: State): ReadonlyArray<Response.StreamPartEncoded> => [
  ...closing(state, {}),
  endOf(state.reason ?? "", state.calls > 0, state.usage)
]

/** Later counts replace earlier ones; one that is left out or null leaves the earlier one standing. */
const given = (usage: Wire.Usage): Wire.Usage =>
  Object.fromEntries(Object.entries(usage).filter(([, count]) => count !== null && count !== undefined))
