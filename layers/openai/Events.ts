/**
 * A streamed answer, event by event. The state is what has to be remembered between events; each event gives the parts
 * that it completes. An answer is whole only when the response has come as a whole: servers and proxies close connections
 * early without a word.
 */
import { Result } from "effect"
import type { Response } from "effect/ai"
import { Failure, Pieces, type Vendor } from "../../src/backend/index.ts"
import { endOf, metadataOf, phase, refuses, type Seen, summaryOf, textOf, thought } from "./Answer.ts"
import * as Wire from "./Wire.ts"

/** Between two events. */
export interface State {
  /** Taken out of whatever is told of a failure. */
  readonly key: string
  readonly begun: boolean
  readonly seen: Seen
  /** The items that have begun and not ended, by their index. */
  readonly open: ReadonlyMap<number, Open>
}

/** Before the first event. */
export const start = (key: string): State => ({
  key,
  begun: false,
  seen: { calls: false, refusal: false },
  open: new Map()
})

/** Takes the next event, which nobody has checked. */
export const next = (state: State, value: unknown): Step =>
  Result.flatMap(Wire.event(value), (event) => event === undefined ? step(state, []) : advance(state, event))

// internal

type Step = Vendor.Step<State>
type Part = Response.StreamPartEncoded

/** An item while it streams; what came of it so far. */
interface Open {
  readonly type: Wire.Item["type"]
  readonly id: string
  readonly name: string
  readonly said: string
}

const step = (state: State, parts: ReadonlyArray<Part>): Step => Result.succeed([state, parts])

const outOfOrder: Step = Result.fail(Failure.invalidAnswer("the events of the stream are out of order"))

const advance = (state: State, event: Wire.Event): Step => {
  switch (event.type) {
    case "response.created":
      return state.begun ? outOfOrder : step({ ...state, begun: true }, [metadataOf(event.response)])
    case "response.output_item.added":
      return Result.flatMap(
        Wire.item(event.item),
        (item) => item === undefined ? step(state, []) : opened(state, event.output_index, item)
      )
    case "response.output_item.done":
      return Result.flatMap(
        Wire.item(event.item),
        (item) => item === undefined ? step(state, []) : closed(state, event.output_index, item)
      )
    case "response.output_text.delta":
    case "response.refusal.delta":
    case "response.reasoning_summary_text.delta":
    case "response.function_call_arguments.delta":
      return grown(state, event.output_index, event.type, event.delta)
    case "response.completed":
    case "response.incomplete":
    case "response.failed":
      return Result.map(endOf(event.response, state.seen, state.key), (end) => [
        state,
        // What was under way when the room ran out is not ended by an event of its own.
        [...[...state.open.values()].flatMap(left), end]
      ])
  }
}

const opened = (state: State, index: number, item: Wire.Item): Step => {
  if (!state.begun || state.open.has(index)) return outOfOrder
  const block: Open = item.type === "function_call"
    ? { type: item.type, id: item.call_id, name: item.name, said: "" }
    : { type: item.type, id: String(index), name: "", said: "" }
  return step({ ...state, open: new Map(state.open).set(index, block) }, [startOf(block)])
}

const startOf = ({ id, name, type }: Open): Part => {
  switch (type) {
    case "message":
      return { type: "text-start", id }
    case "reasoning":
      return { type: "reasoning-start", id }
    case "function_call":
      return { type: "tool-params-start", id, name }
  }
}

const growing = {
  "response.output_text.delta": { of: "message", part: "text-delta" },
  "response.refusal.delta": { of: "message", part: "text-delta" },
  "response.reasoning_summary_text.delta": { of: "reasoning", part: "reasoning-delta" },
  "response.function_call_arguments.delta": { of: "function_call", part: "tool-params-delta" }
} as const

const grown = (state: State, index: number, kind: keyof typeof growing, delta: string): Step => {
  const block = state.open.get(index)
  const { of, part } = growing[kind]
  if (block === undefined) return state.begun ? step(state, []) : outOfOrder
  if (block.type !== of) return outOfOrder
  const open = new Map(state.open).set(index, { ...block, said: block.said + delta })
  return step({ ...state, open }, delta === "" ? [] : [{ type: part, id: block.id, delta }])
}

const closed = (state: State, index: number, item: Wire.Item): Step => {
  const block = state.open.get(index)
  if (block === undefined || block.type !== item.type) return outOfOrder
  const open = new Map(state.open)
  open.delete(index)
  const { seen } = state
  switch (item.type) {
    case "message":
      return step({ ...state, open, seen: { ...seen, refusal: seen.refusal || refuses(item) } }, [
        ...rest(block, "text-delta", textOf(item)),
        { type: "text-end", id: block.id, metadata: phase(item.phase) }
      ])
    case "reasoning":
      return step({ ...state, open }, [
        ...rest(block, "reasoning-delta", summaryOf(item)),
        { type: "reasoning-end", id: block.id, metadata: thought(item.id, item.encrypted_content) }
      ])
    case "function_call":
      return step({ ...state, open, seen: { ...seen, calls: true } }, called(block, item.arguments))
  }
}

/** What the whole item says and no piece of it said. */
const rest = (block: Open, type: "text-delta" | "reasoning-delta", text: string): ReadonlyArray<Part> =>
  block.said === "" && text !== "" ? [{ type, id: block.id, delta: text }] : []

const called = ({ id, name }: Open, text: string): ReadonlyArray<Part> => [
  { type: "tool-params-end", id },
  { type: "tool-call", id, name, params: Pieces.argumentsIn(text) }
]

const left = (block: Open): ReadonlyArray<Part> => {
  switch (block.type) {
    case "message":
      return [{ type: "text-end", id: block.id }]
    case "reasoning":
      return [{ type: "reasoning-end", id: block.id }]
    case "function_call":
      return called(block, block.said)
  }
}
