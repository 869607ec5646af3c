/** Backends in order: the first is overloaded, the second answers, and the log says who was asked and who answered. */
import { Actor, Agent, Dispatch, Failure, Grant, Log, Plan, Scripted } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Schema } from "effect"
import { AiError } from "effect/ai"

const Namer = Agent.make("Namer", {
  description: "Names things",
  input: Schema.String,
  output: Schema.Struct({ name: Schema.String }),
  tools: [],
  backends: ["ollama", "scripted"],
  instructions: "Give it a name.",
  task: (thing) => thing
})

const { reason } = Failure.make("Overloaded", { detail: "no capacity" })
const overloaded = AiError.make({ module: "Example", method: "generateText", reason })

const program = Effect.gen(function*() {
  // In earnest: Ollama.make({ model: "llama3.3" }), and another vendor's behind it.
  const local = yield* Scripted.make({ name: "ollama", model: "llama3.3", notice: null }, () => overloaded)
  const spare = yield* Scripted.turns([{ calls: [{ name: "conclude", params: { name: "Rex" } }] }])

  const plan = Plan.make<"ollama" | "scripted">(local, spare)
  const namer = yield* Agent.on(Namer, plan)
  const grant = Grant.make(["backend:ollama", "backend:scripted"])
  const ended = yield* Effect.provide(
    Dispatch.Dispatch.use((dispatch) => dispatch.start(namer, "a dog", { grant, caller: "ada" })),
    Actor.layer(namer)
  )
  console.log(ended._tag === "Succeeded" ? ended.output.name : ended._tag)
  for (const { body } of yield* Log.Log.use((log) => log.rows(ended.session))) {
    if (body.kind === "outcome") console.log(`${body.act} ${body.status}`)
  }
})

await Effect.runPromise(Effect.provide(program, Memory.layer()))
