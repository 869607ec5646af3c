/** Graphs for tests of the saver, and sessions to keep them in. */
import { Annotation, END, MessagesAnnotation, Send, START, StateGraph } from "@langchain/langgraph"
import { Effect, Schema } from "effect"
import * as Saver from "../../../layers/langgraph/Saver.ts"
import { enter, Store } from "../../../src/governor/index.ts"
import * as C from "../../governor/commits.ts"

export type { Saver } from "../../../layers/langgraph/Saver.ts"

/** What a graph rejected with. */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { cause: Schema.Defect() }) {}

/** Enters a session that was opened; every time is another run of it. */
export const entered = (id: ReturnType<typeof C.sessionId>) =>
  enter(id, { name: "Tester", capabilities: [], backends: [] })

/** A session that was opened. */
export const session = Effect.gen(function*() {
  const store = yield* Store.Store
  const id = C.sessionId(C.fresh("ses"))
  yield* store.commit(C.open(id))
  return id
})

/** The saver of a new run of the session. */
export const saver = (id: ReturnType<typeof C.sessionId>, options: Saver.Options = {}) =>
  Effect.flatMap(entered(id), (session) => Saver.make(session, options))

/** Runs `body` with the saver of a new run of the session. */
export const running = <A>(
  id: ReturnType<typeof C.sessionId>,
  body: (saver: Saver.Saver) => Promise<A>,
  options: Saver.Options = {}
) =>
  Effect.scoped(
    Effect.flatMap(saver(id, options), (saver) =>
      Effect.tryPromise({
        try: () => body(saver),
        catch: (cause) => new Rejected({ cause })
      }))
  )

/** What graphs here are run with. */
export const config = { configurable: { thread_id: "main" }, durability: "sync" } as const

/** A list that nodes add to. */
export const Seen = Annotation.Root({
  seen: Annotation<ReadonlyArray<string>>({ reducer: (a, b) => [...a, ...b], default: () => [] })
})
export { Annotation, END, MessagesAnnotation, Send, START, StateGraph }
