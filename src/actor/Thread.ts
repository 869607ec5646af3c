/** The state of a reasoning run, and how it goes on: an answer to a call, a rejection, the end. */
import { Effect, Schema } from "effect"
import { Prompt } from "effect/ai"
import type { Row } from "../audit/index.ts"
import type { Pending, Thread } from "./Reasoner.ts"

/** The conversation so far. */
export const conversation = (thread: Thread): Effect.Effect<Prompt.Prompt> =>
  Effect.orDie(Schema.decodeUnknownEffect(Prompt.Prompt)({ content: thread.messages }))

/** The thread with an answer to one of its calls. */
export const reply = (thread: Thread, call: Pending, isFailure: boolean, result: Schema.Json): Thread => ({
  ...thread,
  messages: [
    ...thread.messages,
    {
      role: "tool",
      content: [{ type: "tool-result", id: call.id, name: call.name, isFailure, result }]
    }
  ]
})

/** Answers all pending calls without running them. */
export const notRun = (thread: Thread, why: string): Thread =>
  thread.pending.reduce<Thread>(
    (state, call) => reply(state, call, true, { error: `not run: ${why}` }),
    { ...thread, pending: [] }
  )

/** Ends the run, and says what stopped it. */
export const stopped = (thread: Thread, stop: Row.Stop, why: string): Thread => ({ ...thread, gaveUp: why, stop })

/** Counts a refusal or a rejection; the one that is too many ends the run, by what it was for. */
export const rejected = (
  { maxRejections }: { readonly maxRejections: number },
  thread: Thread,
  why: string,
  stop: Row.Stop = "rejections"
): Thread => {
  const rejections = thread.rejections + 1
  const next = { ...thread, rejections }
  return rejections > maxRejections && thread.gaveUp === null
    ? stopped(next, stop, `gave up after ${rejections} rejections: ${why}`)
    : next
}
