/**
 * A step of a LangGraph graph that does nothing but keep its state: with our saver, and with LangGraph's own for
 * PostgreSQL, by turns in one run.
 */
import { Annotation, END, START, StateGraph } from "@langchain/langgraph"
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint"
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres"
import { Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { performance } from "node:perf_hooks"
import { Saver } from "../../layers/langgraph/index.ts"
import { enter, Store } from "../../src/governor/index.ts"
import * as C from "../governor/commits.ts"

/** A conversation of some kilobytes, and how often it went round. */
const State = Annotation.Root({ round: Annotation<number>, messages: Annotation<ReadonlyArray<string>> })
const said = (round: number) => `${round}: ${"what was said ".repeat(14)}`
const messages = Array.from({ length: 20 }, (_, round) => said(round))

/** Milliseconds of one step, in a graph that goes round `rounds` times. */
const timed = async (saver: BaseCheckpointSaver, thread: string, rounds: number): Promise<number> => {
  const graph = new StateGraph(State)
    .addNode("step", (state) => ({ round: state.round + 1, messages: [...state.messages.slice(1), said(state.round)] }))
    .addEdge(START, "step")
    .addConditionalEdges("step", (state) => state.round < rounds ? "step" : END, ["step", END])
    .compile({ checkpointer: saver })
  const start = performance.now()
  await graph.invoke(
    { round: 0, messages },
    { configurable: { thread_id: thread }, durability: "sync", recursionLimit: rounds + 1 }
  )
  return (performance.now() - start) / rounds
}

/** Steps per second with our saver, `sessions` graphs side by side, each in a session of its own. */
export const ours = Effect.fnUntraced(function*(sessions: number, rounds: number) {
  const one = Effect.scoped(Effect.gen(function*() {
    const session = yield* opened
    const saver = yield* Saver.make(session)
    return yield* Effect.promise(() => timed(saver, "bench", rounds))
  }))
  return yield* side(one, sessions)
})

/** Steps per second with LangGraph's own saver. */
export const official = Effect.fnUntraced(function*(saver: PostgresSaver, sessions: number, rounds: number) {
  const random = yield* SecureRandom.SecureRandom
  const one = Effect.flatMap(random.ulid, (thread) => Effect.promise(() => timed(saver, thread, rounds)))
  return yield* side(one, sessions)
})

/** LangGraph's own saver over the server at `url`, in a schema that is dropped afterwards. */
export const postgresSaver = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const saver = PostgresSaver.fromConnString(url, { schema })
      await saver.setup()
      return saver
    }),
    (saver) => Effect.promise(() => saver.end())
  )
/** Where it keeps its tables. */
export const schema = "bench_langgraph"

// internal

const side = <E, R>(one: Effect.Effect<number, E, R>, sessions: number) =>
  Effect.map(
    Effect.forEach(Array.from({ length: sessions }), () => one, { concurrency: "unbounded" }),
    (times) => times.reduce((sum, ms) => sum + 1000 / ms, 0)
  )

/** A session that was entered and has nothing else to do. */
const opened = Effect.gen(function*() {
  const store = yield* Store.Store
  const random = yield* SecureRandom.SecureRandom
  const id = C.sessionId(`ses_${yield* random.ulid}`)
  yield* store.commit(C.open(id, []))
  return yield* enter(id, { name: "Bench", capabilities: [], backends: [] })
})
