/**
 * A deterministic actor is a function that the runtime may run again from the top: after a crash, after an approval. Its
 * governed calls are answered from the log where they have already happened, so it must ask for the same things in the
 * same order: no clock, no randomness, no reading of the world except through tools.
 */
import type { Effect } from "effect"
import type { Capability } from "../capability/index.ts"
import type { GovernorError } from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import { type Actor, define } from "./Actor.ts"
import type { ActorError } from "./ActorError.ts"
import type { Policy } from "./Supervision.ts"

/** Defines one. `tools` lists what the body may call, children's `tool` included; using another does not compile. */
export const make = <
  const Name extends string,
  In extends Plain,
  Out extends Plain,
  const Tools extends ReadonlyArray<Tool.Any>,
  R
>(name: Name, options: {
  readonly description: string
  readonly input: In
  readonly output: Out
  readonly tools: Tools
  readonly timeoutMs?: number
  /** Groups that the class's own data is for: it goes to backends that cover all of these, and to no others. */
  readonly readers?: ReadonlyArray<string>
  readonly supervision?: Partial<Policy> | undefined
  readonly run:
    & ((input: In["Type"]) => Effect.Effect<Out["Type"], ActorError | GovernorError, R>)
    & Capability.Complaint<
      "no tool of this actor declares",
      Exclude<Capability.Needs<R>, Tool.CapabilitiesOf<Tools[number]>>
    >
}): Actor<Name, In, Out, Tool.CapabilitiesOf<Tools[number]>, R> => ({
  ...define({
    name,
    description: options.description,
    input: options.input,
    output: options.output,
    capabilities: Tool.capabilitiesOf(options.tools),
    readers: options.readers,
    tools: options.tools,
    timeoutMs: options.timeoutMs ?? 600_000,
    supervision: options.supervision
  }),
  run: options.run
})
