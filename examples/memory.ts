/** What a session remembers between its acts, under keys that carry their own tools. */
import { Actor, DeterministicActor, Dispatch, Grant, Tool, WorkingMemory } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"

const Plan = WorkingMemory.key("notes/plan", { description: "the plan", schema: Schema.Array(Schema.String) })

const Planner = DeterministicActor.make("Planner", {
  description: "Plans a dinner",
  input: Schema.Array(Schema.String),
  output: Schema.NullOr(Schema.Array(Schema.String)),
  tools: [Plan.read, Plan.write],
  run: (steps) =>
    Tool.call(Plan.write, { value: steps }).pipe(
      Effect.andThen(Tool.call(Plan.read, {})),
      // No room in memory: that is nothing an actor could mend.
      Effect.catchTag("MemoryError", Effect.die)
    )
})
const handlers = WorkingMemory.layer(Plan)

const program = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const grant = Grant.make(["memory:read@notes/*", "memory:write@notes/*"])
  const ended = yield* dispatch.start(Planner, ["shop", "cook"], { grant, caller: "ada" })
  console.log(ended._tag === "Succeeded" ? `remembered: ${ended.output?.join(", then ")}` : ended._tag)
})

const app = Actor.layer(Planner).pipe(Layer.provide(handlers), Layer.provideMerge(Memory.layer()))
await Effect.runPromise(Effect.provide(program, app))
