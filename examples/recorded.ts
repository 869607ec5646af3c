/** Model calls on tape: record a backend once, play it back without it, and be told where a request differs. */
import { Actor, Agent, type Backend, Dispatch, Grant, Recorded, Scripted } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Schema } from "effect"

const Namer = Agent.make("Namer", {
  description: "Names things",
  input: Schema.String,
  output: Schema.Struct({ name: Schema.String }),
  tools: [],
  backends: ["scripted", "recorded"],
  instructions: "Give it a name.",
  task: (thing) => thing
})

const ask = (backend: Backend.Backend<"scripted" | "recorded">, thing: string) =>
  Effect.gen(function*() {
    const namer = yield* Agent.on(Namer, backend)
    const grant = Grant.make(["backend:scripted", "backend:recorded"])
    const ended = yield* Effect.provide(
      Dispatch.Dispatch.use((dispatch) => dispatch.start(namer, thing, { grant, caller: "ada" })),
      Actor.layer(namer)
    )
    return ended._tag === "Succeeded" ? ended.output.name : ended._tag === "Failed" ? ended.detail : ended._tag
  })

const program = Effect.gen(function*() {
  const model = yield* Scripted.turns([{ calls: [{ name: "conclude", params: { name: "Rex" } }] }])
  const recording = yield* Recorded.record(model)
  console.log(`live: ${yield* ask(recording.backend, "a dog")}`)

  const cassette = yield* recording.cassette
  const tape = yield* Recorded.fromCassette(cassette)
  console.log(`from tape (${tape.notice}): ${yield* ask(tape, "a dog")}`)

  const again = yield* Recorded.fromCassette(cassette)
  console.log(`another question: ${yield* ask(again, "a cat")}`)
})

await Effect.runPromise(Effect.provide(program, Memory.layer()))
