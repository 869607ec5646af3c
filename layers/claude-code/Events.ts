/**
 * What the program writes while a model answers. It hands on the vendor's own events, which are read as such; the rest is
 * its own bookkeeping. Its last word ends an answer that has said why it stopped.
 */
import { Result } from "effect"
import type { Response } from "effect/ai"
import { Failure, Pieces, type Vendor } from "../../src/backend/index.ts"
import { MessagesEvents } from "../anthropic/index.ts"
import * as Refusals from "./Refusals.ts"
import * as Tools from "./Tools.ts"

/** Between two lines. */
export interface State {
  readonly messages: MessagesEvents.State
  /** Calls that are not calls: the program has a tool by which an object is answered. */
  readonly objects: ReadonlySet<string>
  readonly calls: boolean
  /** The program has said that the model refused; it keeps the end of such an answer to itself, and what it used. */
  readonly refused: boolean
  /** Taken out of whatever is told of a failure. */
  readonly secrets: ReadonlyArray<string>
}

/** Before the first line. */
export const start = (secrets: ReadonlyArray<string>): State => ({
  messages: MessagesEvents.start,
  objects: new Set(),
  calls: false,
  refused: false,
  secrets
})

/** Takes the next line, which nobody has checked. */
export const next = (state: State, value: unknown): Vendor.Step<State> => {
  const line = Pieces.isRecord(value) ? value : {}
  if (line["type"] === "stream_event") return heard(state, line["event"])
  if (String(line["subtype"]).startsWith("model_refusal")) return Result.succeed([{ ...state, refused: true }, []])
  if (line["type"] !== "result") return Result.succeed([state, []])
  // It was allowed one question, and says so instead of the end of the answer.
  if (state.messages.stop !== null) return heard(state, end)
  if (!state.refused) return Result.fail(Refusals.told(line, state.secrets))
  return Result.map(
    Result.flatMap(heard(state, refusal), ([after]) => heard(after, end)),
    ([after, parts]) => [after, parts.map(uncounted)]
  )
}

/** Whether a line is of the answer, or says that there is none. */
export const isTelling = (line: Record<string, unknown>): boolean =>
  line["type"] === "stream_event" || line["type"] === "result"

/** Whether nothing of the answer can come after a line. */
export const isLast = (line: Record<string, unknown>): boolean =>
  line["type"] === "result" || (Pieces.isRecord(line["event"]) && line["event"]["type"] === "message_stop")

/** The name of the tool by which the program has an object answered. */
export const objectTool = "StructuredOutput"

// internal

const end = { type: "message_stop" }
const refusal = { type: "message_delta", delta: { stop_reason: "refusal" } }

/** What was said until a refusal is paid for, and nobody tells how much that was. */
const uncounted = (part: Response.StreamPartEncoded): Response.StreamPartEncoded =>
  part.type === "finish"
    ? {
      ...part,
      usage: { ...part.usage, outputTokens: { total: undefined, text: undefined, reasoning: undefined } }
    }
    : part

const heard = (state: State, event: unknown): Vendor.Step<State> =>
  Result.map(MessagesEvents.next(state.messages, event), ([messages, parts]) => {
    let after: State = { ...state, messages }
    const mine: Array<Response.StreamPartEncoded> = []
    for (const part of parts) {
      const [grown, more] = renamed(after, part)
      after = grown
      mine.push(...more)
    }
    return [after, mine]
  })

type Renamed = readonly [State, ReadonlyArray<Response.StreamPartEncoded>]

const renamed = (state: State, part: Response.StreamPartEncoded): Renamed => {
  switch (part.type) {
    case "tool-params-start":
      return part.name === objectTool
        ? [{ ...state, objects: new Set([...state.objects, part.id]) }, [{ type: "text-start", id: part.id }]]
        : [state, [{ ...part, name: nameOf(part.name) }]]
    case "tool-params-delta":
    case "tool-params-end":
      return [state, state.objects.has(part.id) ? [] : [part]]
    case "tool-call":
      return state.objects.has(part.id)
        ? [state, [
          { type: "text-delta", id: part.id, delta: JSON.stringify(part.params) },
          { type: "text-end", id: part.id }
        ]]
        : [{ ...state, calls: true }, [{ ...part, name: nameOf(part.name) }]]
    case "finish": {
      const reason = part.reason === "tool-calls" && !state.calls ? "stop" : part.reason
      return [state, [{ ...part, reason }]]
    }
    default:
      return [state, [part]]
  }
}

const nameOf = (name: string): string => name.startsWith(Tools.prefix) ? name.slice(Tools.prefix.length) : name

/** The pieces of an answer as its whole: what an answer without streaming would have been. */
export const folded = (
  lines: ReadonlyArray<unknown>,
  secrets: ReadonlyArray<string>
): Result.Result<Array<Response.PartEncoded>, Failure.Failure> =>
  Result.gen(function*() {
    let state = start(secrets)
    const texts = new Map<string, string>()
    const whole: Array<Response.PartEncoded> = []
    for (const line of lines) {
      const [after, parts] = yield* next(state, line)
      state = after
      for (const part of parts) fold(part, texts, whole)
      if (whole.at(-1)?.type === "finish") return whole
    }
    return yield* Result.fail(Failure.make("CutShort", { detail: "the answer ended before its end was told" }))
  })

const fold = (
  part: Response.StreamPartEncoded,
  texts: Map<string, string>,
  whole: Array<Response.PartEncoded>
): void => {
  switch (part.type) {
    case "text-delta":
    case "reasoning-delta":
      return void texts.set(part.id, (texts.get(part.id) ?? "") + part.delta)
    case "text-end":
      return void whole.push({ type: "text", text: texts.get(part.id) ?? "" })
    case "reasoning-end":
      return void whole.push({ type: "reasoning", text: texts.get(part.id) ?? "" })
    case "response-metadata":
    case "tool-call":
    case "finish":
      return void whole.push(part)
    default:
      return
  }
}
