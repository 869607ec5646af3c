/** A streamed answer, piece by piece; the piece that says it is done ends it, and has what it used. */
import { Result } from "effect"
import type { LanguageModel, Response } from "effect/ai"
import type { Vendor } from "../../src/backend/index.ts"
import { callsIn, endOf, isText, metadataOf, thought } from "./Answer.ts"
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
}

/** Before the first piece. */
export const start = (options: LanguageModel.ProviderOptions): State => ({
  options,
  begun: false,
  open: undefined,
  blocks: 0,
  calls: 0
})

/** Takes the next piece, which nobody has checked. */
export const next = (state: State, value: unknown): Vendor.Step<State> =>
  Result.map(Wire.chunk(value), (chunk) => {
    const { content, thinking } = chunk.message ?? {}
    const calls = callsIn(chunk, state.options, state.calls)
    const [thinks, thoughts] = said({ ...state, begun: true }, "reasoning", thinking)
    const [speaks, texts] = said(thinks, "text", content)
    const after: State = { ...speaks, calls: speaks.calls + calls.length }
    const parts = [...(state.begun ? [] : [metadataOf(chunk)]), ...thoughts, ...texts]
    if (calls.length === 0 && !chunk.done) return [after, parts]
    return [{ ...after, open: undefined }, [
      ...parts,
      ...closing(after),
      ...calls.flatMap(called),
      ...(chunk.done ? [endOf(chunk, after.calls > 0)] : [])
    ]]
  })

// internal

type Parts = ReadonlyArray<Response.StreamPartEncoded>

const said = (state: State, type: "text" | "reasoning", text: string | null | undefined): readonly [State, Parts] => {
  if (!isText(text)) return [state, []]
  const isOpen = state.open?.type === type
  const id = isOpen ? state.open.id : String(state.blocks)
  const delta: Parts = [
    type === "text" ? { type: "text-delta", id, delta: text } : { type: "reasoning-delta", id, delta: text }
  ]
  if (isOpen) return [state, delta]
  return [{ ...state, open: { type, id }, blocks: state.blocks + 1 }, [
    ...closing(state),
    type === "text" ? { type: "text-start", id } : { type: "reasoning-start", id },
    ...delta
  ]]
}

const closing = ({ open }: State): Parts => {
  if (open === undefined) return []
  const { id } = open
  return [open.type === "text" ? { type: "text-end", id } : { type: "reasoning-end", id, metadata: thought }]
}

const called = (call: Response.ToolCallPartEncoded): Parts => [
  { type: "tool-params-start", id: call.id, name: call.name },
  { type: "tool-params-delta", id: call.id, delta: JSON.stringify(call.params) },
  { type: "tool-params-end", id: call.id },
  call
]
