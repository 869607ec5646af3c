/**
 * A streamed answer, event by event. The state is what has to be remembered between events; each event gives the parts
 * that it completes. An answer is whole only when `message_stop` has come: servers and proxies close connections early
 * without a word.
 */
import { Result, type Schema } from "effect"
import type { Response } from "effect/ai"
import { Failure, Pieces } from "../../src/backend/index.ts"
import { type End, endOf, metadataOf, thought } from "./Answer.ts"
import * as Wire from "./Wire.ts"

/** Between two events. */
export interface State {
  readonly message: { readonly id: string; readonly model: string } | undefined
  readonly usage: Wire.Usage
  readonly stop: string | null
  /** The blocks that have begun and not ended, by their index. */
  readonly open: ReadonlyMap<number, Open>
  /** Set by `message_stop`: nothing comes after it. */
  readonly end: End | undefined
}

/** Before the first event. */
export const start: State = {
  message: undefined,
  usage: {},
  stop: null,
  open: new Map(),
  end: undefined
}

/** One step: the state after an event, and what the event completed. */
export type Step = readonly [State, ReadonlyArray<Response.StreamPartEncoded>]

/** Takes the next event, which nobody has checked. */
export const next = (state: State, value: unknown): Result.Result<Step, Failure.Failure> =>
  Result.flatMap(Wire.event(value), (event) => event === undefined ? stay(state) : advance(state, event))

// internal

/** A block while it streams. */
type Open =
  | { readonly type: "text" }
  | { readonly type: "reasoning"; readonly signature: string }
  | {
    readonly type: "tool"
    readonly id: string
    readonly name: string
    readonly input: Schema.Json
    readonly json: string
  }
  | { readonly type: "ignored" }

type Stepped = Result.Result<Step, Failure.Failure>

const step = (state: State, parts: ReadonlyArray<Response.StreamPartEncoded>): Stepped => Result.succeed([state, parts])
const stay = (state: State): Stepped => step(state, [])

const outOfOrder: Stepped = Result.fail(Failure.invalidAnswer("the events of the stream are out of order"))

const advance = (state: State, event: Wire.Event): Stepped => {
  if (event.type === "message_start") {
    const { message } = event
    return state.message === undefined
      ? step({ ...state, message, usage: message.usage }, [metadataOf(message)])
      : outOfOrder
  }
  if (state.message === undefined || state.end !== undefined) return outOfOrder
  switch (event.type) {
    case "content_block_start":
      return Result.flatMap(Wire.block(event.content_block), (block) => opened(state, event.index, block))
    case "content_block_delta":
      return Result.flatMap(Wire.delta(event.delta), (delta) => grown(state, event.index, delta))
    case "content_block_stop":
      return closed(state, event.index)
    case "message_delta":
      return stay({
        ...state,
        stop: event.delta.stop_reason ?? state.stop,
        usage: { ...state.usage, ...given(event.usage ?? {}) }
      })
    case "message_stop":
      return ended(state, state.message)
  }
}

const opened = (state: State, index: number, block: Wire.Block | undefined): Stepped => {
  if (state.open.has(index)) return outOfOrder
  const id = String(index)
  switch (block?.type) {
    case undefined:
      return step(holding(state, index, { type: "ignored" }), [])
    case "text":
      return step(holding(state, index, { type: "text" }), [
        { type: "text-start", id },
        ...(block.text === "" ? [] : [{ type: "text-delta" as const, id, delta: block.text }])
      ])
    case "thinking":
      return step(holding(state, index, { type: "reasoning", signature: block.signature ?? "" }), [
        { type: "reasoning-start", id },
        ...(block.thinking === "" ? [] : [{ type: "reasoning-delta" as const, id, delta: block.thinking }])
      ])
    case "redacted_thinking":
      return step(holding(state, index, { type: "reasoning", signature: "" }), [
        { type: "reasoning-start", id, metadata: thought({ redactedData: block.data }) }
      ])
    case "tool_use":
      return step(
        holding(state, index, { type: "tool", id: block.id, name: block.name, input: block.input, json: "" }),
        [{ type: "tool-params-start", id: block.id, name: block.name }]
      )
  }
}

const grown = (state: State, index: number, delta: Wire.Delta | undefined): Stepped => {
  const block = state.open.get(index)
  if (block === undefined) return outOfOrder
  if (delta === undefined || block.type === "ignored") return stay(state)
  const id = String(index)
  switch (delta.type) {
    case "text_delta":
      return block.type === "text" ? step(state, [{ type: "text-delta", id, delta: delta.text }]) : outOfOrder
    case "thinking_delta":
      return block.type === "reasoning"
        ? step(state, [{ type: "reasoning-delta", id, delta: delta.thinking }])
        : outOfOrder
    case "signature_delta":
      return block.type === "reasoning"
        ? stay(holding(state, index, { ...block, signature: block.signature + delta.signature }))
        : outOfOrder
    case "input_json_delta":
      return block.type === "tool" ? argued(state, index, block, delta.partial_json) : outOfOrder
  }
}

const argued = (state: State, index: number, block: Open & { readonly type: "tool" }, json: string): Stepped =>
  step(
    holding(state, index, { ...block, json: block.json + json }),
    json === "" ? [] : [{ type: "tool-params-delta", id: block.id, delta: json }]
  )

const closed = (state: State, index: number): Stepped => {
  const block = state.open.get(index)
  if (block === undefined) return outOfOrder
  const left = new Map(state.open)
  left.delete(index)
  const after: State = { ...state, open: left }
  const id = String(index)
  switch (block.type) {
    case "ignored":
      return stay(after)
    case "text":
      return step(after, [{ type: "text-end", id }])
    case "reasoning":
      return step(after, [{
        type: "reasoning-end",
        id,
        metadata: block.signature === "" ? {} : thought({ signature: block.signature })
      }])
    case "tool":
      // What a model wrote that is not JSON is for whoever decodes the arguments to refuse: the answer is paid for.
      return step(after, [
        { type: "tool-params-end", id: block.id },
        {
          type: "tool-call",
          id: block.id,
          name: block.name,
          params: block.json === "" ? block.input : Pieces.argumentsIn(block.json)
        }
      ])
  }
}

const ended = (state: State, message: { readonly id: string; readonly model: string }): Stepped => {
  if (state.open.size > 0) return outOfOrder
  const end = endOf(message, state.stop, state.usage)
  return step({ ...state, end }, [end.finish])
}

const holding = (state: State, index: number, block: Open): State => ({
  ...state,
  open: new Map(state.open).set(index, block)
})

/** Later counts replace earlier ones; one that is left out or null leaves the earlier one standing. */
const given = (usage: Wire.Usage): Wire.Usage =>
  Object.fromEntries(Object.entries(usage).filter(([, count]) => count !== null && count !== undefined))
