/**
 * How a reasoning actor's steps are driven. The steps are ours and governed; the graph that orders them is a library's,
 * behind this contract: preemption, pause and cancel happen between its nodes, never inside a model call. After each node
 * the whole state is saved, with the row that names its hash, and a later run of the session goes on from there.
 */
import { Context, type Effect, Schema } from "effect"
import { Row } from "../audit/index.ts"
import type { GovernorError, Session } from "../governor/index.ts"
import type { ActorError } from "./ActorError.ts"

/** A message of the conversation, encoded as `effect/ai` prompts are. */
export const Message = Schema.Struct({ role: Schema.String, content: Schema.Json })
export type Message = typeof Message.Type

/** A tool call that waits to be run. */
export const Pending = Schema.Struct({ id: Schema.String, name: Schema.String, params: Schema.Json })
export type Pending = typeof Pending.Type

/** The whole state of a reasoning run: JSON, so that it can be checkpointed. */
export const Thread = Schema.Struct({
  messages: Schema.Array(Message),
  /** Model calls so far. */
  step: Schema.Natural,
  /** Tokens of them, in and out. */
  tokens: Schema.optionalKey(Schema.Natural),
  pending: Schema.Array(Pending),
  /** Refused or rejected attempts so far. */
  rejections: Schema.Natural,
  /** Different tool calls so far that succeeded and read something of the world. */
  gathered: Schema.Natural,
  conclusion: Schema.NullOr(Schema.Struct({ output: Schema.Json })),
  gaveUp: Schema.NullOr(Schema.String),
  /** What stopped it, where it did not give up by itself. */
  stop: Schema.optionalKey(Row.Stop)
})
export type Thread = typeof Thread.Type

/** The nodes of the default graph. */
export const steps = ["think", "act", "conclude"] as const
export type Step = (typeof steps)[number]

/**
 * A node: a governed step from one state to the next. A node that was under way when a run ended is run again, so where
 * its acts stand must follow from the state that it is given: each state on a path of its own.
 */
export type Node<R> = (thread: Thread) => Effect.Effect<Thread, ActorError | GovernorError, R>

/** What a graph is built from. */
export interface Nodes<R> {
  readonly nodes: { readonly [S in Step]: Node<R> }
  /** Which node a state asks for next; `end` when it is concluded or given up. */
  readonly route: (thread: Thread) => Step | "end"
  readonly start: Thread
  /** Bound on node runs. */
  readonly maxNodeRuns: number
}

/** Runs the nodes as a graph to its end, from where an earlier run of the session left it. */
export class Reasoner extends Context.Service<Reasoner, {
  readonly run: <R>(graph: Nodes<R>) => Effect.Effect<Thread, ActorError | GovernorError, R | Session>
}>()("aosiq/actor/Reasoner") {}
