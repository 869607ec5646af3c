/**
 * The reasoning actor's graph on LangGraph: think → act → conclude, each node one governed step. A graph of one's own is
 * built from the same nodes, so that whatever its shape, models and tools are reached through the Governor alone.
 */
import { LangChainTracer } from "@langchain/core/tracers/tracer_langchain"
import { Annotation, END, START, StateGraph } from "@langchain/langgraph"
import { type Cause, Effect, Exit, FiberSet, Layer } from "effect"
import { ActorError, Reasoner } from "../../src/actor/index.ts"
import type { GovernorError } from "../../src/governor/index.ts"

/** The one channel of the graph's state. */
export const State = Annotation.Root({ thread: Annotation<Reasoner.Thread> })
type State = typeof State.State

/** The governed steps as LangGraph nodes. */
export type GraphNodes = { readonly [S in Reasoner.Step]: (state: State) => Promise<State> }

/** Orders the nodes as a compiled graph over `State`. */
export type Shape = (nodes: GraphNodes, route: (state: State) => Reasoner.Step | typeof END) => Runnable

/** What a compiled graph offers that is used here. */
export interface Runnable {
  readonly invoke: (state: State, options: Options) => Promise<State>
}

/** What a graph is run with. */
export interface Options {
  recursionLimit: number
  signal: AbortSignal
  callbacks: Array<LangChainTracer>
}

/** The default graph. */
export const thinkActConclude: Shape = (nodes, route) => {
  const targets: Array<Reasoner.Step | typeof END> = [...Reasoner.steps, END]
  return new StateGraph(State)
    .addNode("think", nodes.think)
    .addNode("act", nodes.act)
    .addNode("conclude", nodes.conclude)
    .addEdge(START, "think")
    .addConditionalEdges("think", route, targets)
    .addConditionalEdges("act", route, targets)
    .addConditionalEdges("conclude", route, targets)
    .compile()
}

/** Reasoning on LangGraph, in the given shape. */
export const layer = (shape: Shape = thinkActConclude): Layer.Layer<Reasoner.Reasoner> =>
  Layer.succeed(Reasoner.Reasoner, { run: (graph) => run(shape, graph) })

// internal

type Failure = ActorError | GovernorError

const run = <R>(shape: Shape, graph: Reasoner.Nodes<R>): Effect.Effect<Reasoner.Thread, Failure, R> =>
  Effect.scoped(Effect.gen(function*() {
    // A run that is interrupted ends when its node has ended: nothing acts for it after that.
    const start = yield* FiberSet.makeRuntimePromise<R, Exit.Exit<Reasoner.Thread, Failure>, never>()
    // LangGraph rejects with what a node threw; the typed cause is kept beside it.
    let stopped: Cause.Cause<Failure> | undefined
    const node = (step: Reasoner.Node<R>) => async (state: State): Promise<State> => {
      const exit = await start(Effect.exit(step(state.thread)))
      if (Exit.isSuccess(exit)) return { thread: exit.value }
      stopped = exit.cause
      throw new NodeStopped()
    }
    const nodes = { think: node(graph.nodes.think), act: node(graph.nodes.act), conclude: node(graph.nodes.conclude) }
    const route = (state: State) => {
      const next = graph.route(state.thread)
      return next === "end" ? END : next
    }
    const ended = yield* Effect.tryPromise({
      try: (signal) => {
        const options = { recursionLimit: graph.maxNodeRuns + 1, signal, callbacks: [toNobody()] }
        return shape(nodes, route).invoke({ thread: graph.start }, options)
      },
      catch: (cause) => new ActorError({ actor: "graph", detail: String(cause), abandoned: false })
    }).pipe(
      Effect.catch((error): Effect.Effect<never, Failure> =>
        stopped === undefined ? Effect.fail(error) : Effect.failCause(stopped)
      )
    )
    return ended.thread
  }))

/**
 * Where the environment names a tracing service, LangGraph sends it the whole conversation, past the Governor, unless it
 * is given a tracer. This one sends it nowhere.
 */
const toNobody = () =>
  new LangChainTracer({ client: { createRun: () => Promise.resolve(), updateRun: () => Promise.resolve() } })

/** Stops the graph at once; its reason travels beside it. */
class NodeStopped extends Error {
  override readonly name = "NodeStopped"
}
