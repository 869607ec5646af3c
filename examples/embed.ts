import { Actor, DeterministicActor, Dispatch, Grant, Tool } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"

const FreeMemory = Tool.make("free_memory", {
  description: "Bytes of memory that this process may still use",
  capabilities: ["tool:free_memory"],
  params: Schema.Struct({}),
  success: Schema.Finite
})
const Watch = DeterministicActor.make("Watch", {
  description: "Says whether there is memory enough",
  input: Schema.Natural,
  output: Schema.String,
  tools: [FreeMemory],
  run: (needed) => Effect.map(Tool.call(FreeMemory, {}), (free) => free > needed ? "enough" : "short")
})

const memory = Tool.layer(FreeMemory, () => Effect.sync(() => process.availableMemory()))
const app = Actor.layer(Watch).pipe(Layer.provide(memory), Layer.provideMerge(Memory.layer()))
const order = { grant: Grant.make(["tool:free_memory"]), caller: "ada" }
const run = Dispatch.Dispatch.use((dispatch) => dispatch.start(Watch, 1_000_000, order))
console.log(await Effect.runPromise(Effect.provide(run, app)))
