/**
 * The reasoning actor's graph on LangGraph: think → act → conclude, each node one governed step. A graph of one's own is
 * built from the same nodes, so that whatever its shape, models and tools are reached through the Governor alone.
 *
 * Its state is saved after every step, in the session's log. A run that comes later goes on from there; the journal then
 * answers the acts of the node that was under way, and no others.
 */
import { LangChainTracer } from "@langchain/core/tracers/tracer_langchain"
import { Annotation, END, START, StateGraph } from "@langchain/langgraph"
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint"
import { type Cause, Effect, Exit, FiberSet, Layer, type Scope } from "effect"
import { ActorError, Reasoner } from "../../src/actor/index.ts"
import { Digest, type Log } from "../../src/audit/index.ts"
import { entered, GovernorError, Refusal, type Session, type Store } from "../../src/governor/index.ts"
import { CheckpointError } from "./Desk.ts"
import * as Saver from "./Saver.ts"

/** The one channel of the graph's state. */
export const State = Annotation.Root({ thread: Annotation<Reasoner.Thread> })
type State = typeof State.State

/** The governed steps as LangGraph nodes. */
export type GraphNodes = { readonly [S in Reasoner.Step]: (state: State) => Promise<State> }

/** Orders the nodes as a compiled graph over `State`. */
export type Shape = (nodes: GraphNodes, route: (state: State) => Reasoner.Step | typeof END) => Runnable

/** What a compiled graph offers that is used here. */
export interface Runnable {
  /** Replaced: the state of a run is kept in its session's log, and nowhere else. */
  checkpointer?: BaseCheckpointSaver | boolean | undefined
  readonly nodes?: object
  readonly invoke: (state: State | null, options: RunOptions) => Promise<State>
}
/** How it is invoked. */
export interface RunOptions {
  readonly recursionLimit: number
  readonly signal: AbortSignal
  readonly durability: "sync"
  readonly configurable: { readonly thread_id: string }
  readonly callbacks: Array<LangChainTracer>
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
export const layer = (
  shape: Shape = thinkActConclude,
  options: Saver.Options = {}
): Layer.Layer<Reasoner.Reasoner, never, Store.Store | Log.Log | Digest.Digest> =>
  Layer.effect(
    Reasoner.Reasoner,
    Effect.map(Effect.context<Store.Store | Log.Log | Digest.Digest>(), (services) => ({
      run: (graph) => Effect.provideContext(run(shape, options, graph), services)
    }))
  )

// internal

type Failure = ActorError | GovernorError

const run = Effect.fnUntraced(function*<R>(
  shape: Shape,
  options: Saver.Options,
  graph: Reasoner.Nodes<R>
): Effect.fn.Return<Reasoner.Thread, Failure, R | Session | Store.Store | Log.Log | Digest.Digest | Scope.Scope> {
  const session = yield* entered({ name: "checkpoint" })
  const digest = yield* Digest.Digest
  const saver = yield* Saver.make(session, options)
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
  const runnable = yield* Effect.try({ try: () => shape(nodes, route), catch: failed })
  runnable.checkpointer = saver
  // Another question, or another graph, is another thread: it starts at its top, and the journal says what differs.
  const thread = digest.sha256(
    digest.canonical([session.path, Object.keys(runnable.nodes ?? {}).toSorted(), graph.start])
  )
  const from = yield* Effect.mapError(saver.latest(thread), failed)
  // LangGraph counts a run that goes on from where it goes on, and gives it two steps more.
  const recursionLimit = from === undefined
    ? graph.maxNodeRuns + 1
    : Math.max(1, graph.maxNodeRuns - 1 - Math.max(0, from.metadata?.step ?? 0))
  const ended = yield* Effect.tryPromise({
    try: (signal) => {
      return runnable.invoke(from === undefined ? { thread: graph.start } : null, {
        recursionLimit,
        signal,
        durability: "sync",
        configurable: { thread_id: thread },
        callbacks: [toNobody()]
      })
    },
    catch: failed
  }).pipe(
    Effect.catch((error): Effect.Effect<never, Failure> =>
      stopped === undefined ? Effect.fail(error) : Effect.failCause(stopped)
    )
  )
  if (from === undefined && !saver.hasSaved) {
    return yield* new ActorError({ actor: "graph", detail: "the graph keeps no state", abandoned: false })
  }
  return ended.thread
}, Effect.scoped)

const refused = (reason: GovernorError["reason"]) => new GovernorError({ act: "checkpoint", reason })

/** What ended the graph, if none of its nodes did. */
const failed = (cause: unknown): Failure => {
  if (!(cause instanceof CheckpointError)) {
    return new ActorError({ actor: "graph", detail: String(cause), abandoned: false })
  }
  const { reason } = cause
  switch (reason._tag) {
    case "Altered":
      return refused(new Refusal.Altered({ detail: reason.detail, remedy: reason.remedy }))
    case "Lost":
      return refused(new Refusal.LogUnavailable({ ran: true, detail: reason.detail, remedy: "resume the session" }))
    case "Unavailable":
    case "Unread":
      return refused(new Refusal.LogUnavailable({ ran: true, detail: reason.detail, remedy: reason.remedy }))
    case "Rejected":
      if (reason.why !== "fenced") break
      return refused(
        new Refusal.Refused({ layer: "session", detail: reason.detail, remedy: "let the newer run go on" })
      )
    default:
  }
  return new ActorError({ actor: "graph", detail: `its state cannot be saved: ${reason.detail}`, abandoned: false })
}

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
