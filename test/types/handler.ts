/** Handlers and bodies use what was declared, however they come by it. */
// @effect-diagnostics missingEffectContext:off anyUnknownInErrorContext:off
import { Effect, Layer, Schema } from "effect"
import { Actor, Agent, DeterministicActor, type Reasoner } from "../../src/actor/index.ts"
import type { Digest } from "../../src/audit/index.ts"
import type { Backend } from "../../src/backend/index.ts"
import type { Prices } from "../../src/cost/index.ts"
import type { Governor } from "../../src/governor/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { Deploy, Note, Read, Reader, texts } from "./definitions.ts"

// --- a tool's handler --------------------------------------------------------

const ReadAndNote = Tool.make("read_and_note", {
  description: "reads a file and notes it",
  capabilities: ["tool:read_file", "memory:write@notes/today"],
  params: Schema.String,
  success: Schema.String
})
export const declared = Tool.layer(
  ReadAndNote,
  (path) => Effect.flatMap(Tool.call(Read, { path }), (text) => Tool.call(Note, { text }))
)
// @ts-expect-error "the tool does not declare": "memory:write@notes/today"
export const undeclared = Tool.layer(Read, ({ path }) => Tool.call(Note, { text: path }))
// @ts-expect-error "the tool does not declare": "spawn:Reader"
export const spawns = Tool.layer(Read, ({ path }) => Effect.orDie(Actor.spawn(Reader, path)))
// @ts-expect-error "the tool does not declare": "tool:deploy"
export const hands = Tool.layer(Read, () => Effect.as(Actor.own("tool:deploy"), ""))
// @ts-expect-error "the tool does not declare": string
export const unknownNeeds = Tool.layer(Read, () => Effect.succeed("") as Effect.Effect<string, never, any>)

// --- an actor's body ---------------------------------------------------------

export const body = DeterministicActor.make("Body", {
  ...texts,
  tools: [Read],
  // @ts-expect-error "no tool of this actor declares": "memory:write@notes/today"
  run: (text) => Tool.call(Note, { text })
})
export const uncheckedBody = DeterministicActor.make("Body", {
  ...texts,
  tools: [Read],
  // @ts-expect-error "no tool of this actor declares": "tool:deploy"
  run: (version) => Effect.as(Effect.orDie(Tool.callUnchecked(Deploy, { version })), version)
})

// --- an agent's check --------------------------------------------------------

declare const ollama: Backend.Backend<"ollama">
/** All that the agent needs but the capability that its check uses. */
declare const rest: Layer.Layer<
  | Tool.Handler<"read_file">
  | Tool.Handler<"take_note">
  | Actor.Registry
  | Actor.Spawner
  | Digest.Digest
  | Governor
  | Prices.Prices
  | Reasoner.Reasoner
>
const Checking = Agent.make("Checking", {
  ...texts,
  tools: [Read],
  backends: ["ollama"],
  instructions: "answer",
  task: (question) => question,
  check: (text) => Effect.as(Tool.call(Note, { text }), [])
})
const checking = Layer.unwrap(Effect.map(Agent.on(Checking, ollama), Actor.layer)).pipe(Layer.provide(rest))
// @ts-expect-error Type 'Capability<"memory:write@notes/today">' is not assignable to type 'never'
export const check = Effect.runFork(Layer.launch(checking))
