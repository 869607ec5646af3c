/**
 * A streamed answer, event by event. An answer is whole when it has said why it stopped and, after that, what it used:
 * connections end early without a word.
 */
import { Result } from "effect"
import type { Response } from "effect/ai"
import { Failure, Pieces, type Vendor } from "../../src/backend/index.ts"
import { endOf, metadataOf, thought } from "./Answer.ts"
import * as Wire from "./Wire.ts"

/** Between two events. */
export interface State {
  readonly model: string
  readonly begun: boolean
  /** The blocks that have begun and not ended, by their index. */
  readonly open: ReadonlyMap<number, Open>
  readonly reason: string | undefined
}

/** Before the first event. */
export const start = (model: string): State => ({ model, begun: false, open: new Map(), reason: undefined })

/** Takes the next event, which nobody has checked. */
export const next = (state: State, value: unknown): Step =>
  Result.flatMap(Wire.event(value), (event) => {
    if (event.messageStart !== undefined) {
      return state.begun ? outOfOrder : step({ ...state, begun: true }, [metadataOf(state.model, undefined)])
    }
    const { contentBlockDelta, contentBlockStart, contentBlockStop, messageStop, metadata } = event
    if (!state.begun) return known(event) ? outOfOrder : step(state, [])
    if (contentBlockStart !== undefined) {
      const tool = contentBlockStart.start?.toolUse
      return tool === undefined
        ? step(state, [])
        : opened(state, contentBlockStart.contentBlockIndex, {
          type: "tool",
          id: tool.toolUseId,
          name: tool.name,
          json: ""
        })
    }
    if (contentBlockDelta !== undefined) {
      return grown(state, contentBlockDelta.contentBlockIndex, contentBlockDelta.delta ?? {})
    }
    if (contentBlockStop !== undefined) return closed(state, contentBlockStop.contentBlockIndex)
    if (messageStop !== undefined) {
      return state.open.size > 0 ? outOfOrder : step({ ...state, reason: messageStop.stopReason }, [])
    }
    if (metadata === undefined) return step(state, [])
    return state.reason === undefined ? outOfOrder : step(state, [endOf(state.reason, metadata.usage ?? {})])
  })

// internal

type Step = Vendor.Step<State>
type Parts = ReadonlyArray<Response.StreamPartEncoded>

/** A block while it streams. */
type Open =
  | { readonly type: "text"; readonly id: string }
  | { readonly type: "reasoning"; readonly id: string; readonly signature: string }
  | { readonly type: "tool"; readonly id: string; readonly name: string; readonly json: string }

type Delta = NonNullable<NonNullable<Wire.Event["contentBlockDelta"]>["delta"]>

const step = (state: State, parts: Parts): Step => Result.succeed([state, parts])

const outOfOrder: Step = Result.fail(Failure.invalidAnswer("the events of the stream are out of order"))

const known = (event: Wire.Event): boolean => Object.values(event).some((field) => field !== undefined)

const holding = (state: State, index: number, block: Open): State => ({
  ...state,
  open: new Map(state.open).set(index, block)
})

const opened = (state: State, index: number, block: Open, more: Parts = []): Step =>
  state.open.has(index) ? outOfOrder : step(holding(state, index, block), [startOf(block), ...more])

const startOf = (block: Open): Response.StreamPartEncoded => {
  switch (block.type) {
    case "text":
      return { type: "text-start", id: block.id }
    case "reasoning":
      return { type: "reasoning-start", id: block.id }
    case "tool":
      return { type: "tool-params-start", id: block.id, name: block.name }
  }
}

/** Only blocks of tools are announced: others begin with their first piece. */
const grown = (state: State, index: number, { reasoningContent, text, toolUse }: Delta): Step => {
  const block = state.open.get(index)
  const id = String(index)
  if (toolUse !== undefined) {
    const input = toolUse.input ?? ""
    if (block?.type !== "tool") return outOfOrder
    const after = holding(state, index, { ...block, json: block.json + input })
    return step(after, input === "" ? [] : [{ type: "tool-params-delta", id: block.id, delta: input }])
  }
  if (reasoningContent !== undefined) {
    if (block !== undefined && block.type !== "reasoning") return outOfOrder
    const before = block ?? { type: "reasoning" as const, id, signature: "" }
    const after = { ...before, signature: before.signature + (reasoningContent.signature ?? "") }
    const said: Parts = [
      ...(block === undefined ? [startOf(after)] : []),
      ...(reasoningContent.text ? [{ type: "reasoning-delta", id, delta: reasoningContent.text } as const] : [])
    ]
    return step(holding(state, index, after), [...said, ...redacted(id, reasoningContent.redactedContent)])
  }
  if (typeof text !== "string") return step(state, [])
  const delta: Parts = text === "" ? [] : [{ type: "text-delta", id, delta: text }]
  if (block === undefined) return opened(state, index, { type: "text", id }, delta)
  return block.type === "text" ? step(state, delta) : outOfOrder
}

/** A thought that is not shown is told again as it came. */
const redacted = (id: string, bytes: Uint8Array | null | undefined): Parts =>
  bytes instanceof Uint8Array ? [{ type: "reasoning-delta", id, delta: "", metadata: thought(undefined, bytes) }] : []

const closed = (state: State, index: number): Step => {
  const block = state.open.get(index)
  // A block without content was never begun.
  if (block === undefined) return step(state, [])
  const open = new Map(state.open)
  open.delete(index)
  const after = { ...state, open }
  switch (block.type) {
    case "text":
      return step(after, [{ type: "text-end", id: block.id }])
    case "reasoning":
      return step(after, [{ type: "reasoning-end", id: block.id, metadata: thought(block.signature, undefined) }])
    case "tool":
      return step(after, [
        { type: "tool-params-end", id: block.id },
        { type: "tool-call", id: block.id, name: block.name, params: Pieces.argumentsIn(block.json) }
      ])
  }
}
