/** A session on tape, models and tools: recorded here, compared with the tape that lies beside, and run again from it. */
import { Actor, Agent, type Backend, Dispatch, Grant, Scripted, Tape, Tool } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"
import { readFileSync } from "node:fs"

const Thermometer = Tool.make("thermometer", {
  description: "Degrees at a place",
  capabilities: ["tool:thermometer"],
  params: Schema.Struct({ place: Schema.String }),
  success: Schema.Struct({ celsius: Schema.Finite })
})

const Forecaster = Agent.make("Forecaster", {
  description: "Says what to wear",
  input: Schema.String,
  output: Schema.Struct({ wear: Schema.String }),
  tools: [Thermometer],
  backends: ["scripted", "recorded"],
  instructions: "Look at the thermometer before you conclude.",
  task: (place) => `What should I wear in ${place}?`,
  bounds: { minEvidence: 1 }
})

let readings = 0
const outside = Tool.layer(Thermometer, () => Effect.sync(() => (readings++, { celsius: -4 })))

const ask = (
  backend: Backend.Backend<"scripted" | "recorded">,
  tools: Layer.Layer<Tool.HandlerOf<typeof Thermometer>>
) =>
  Effect.gen(function*() {
    const forecaster = yield* Agent.on(Forecaster, backend)
    const grant = Grant.make(["tool:thermometer", "backend:scripted", "backend:recorded"])
    return yield* Effect.provide(
      Dispatch.Dispatch.use((dispatch) => dispatch.start(forecaster, "Oslo", { grant, caller: "ada" })),
      Layer.provide(Actor.layer(forecaster), tools)
    )
  })

const program = Effect.gen(function*() {
  const model = yield* Scripted.turns([
    { calls: [{ name: "thermometer", params: { place: "Oslo" } }] },
    { calls: [{ name: "conclude", params: { wear: "a coat" } }] }
  ])
  const live = yield* ask(model, outside)
  console.log(`live: ${live._tag}, readings: ${readings}`)
  const recorded = Tape.write(yield* Tape.record(live.session))
  const kept = readFileSync(new URL("tapes/forecast.tape", import.meta.url), "utf8")
  console.log(`the tape is the one that was kept: ${recorded === kept}`)

  const tape = yield* Tape.read(kept)
  const again = yield* ask(yield* Tape.backend(tape), Tape.handler(tape, Thermometer))
  console.log(`from tape: ${again._tag === "Succeeded" ? again.output.wear : again._tag}, readings: ${readings}`)
  console.log(`recorded again, it differs: ${Tape.differs(tape, yield* Tape.record(again.session)) ?? "nowhere"}`)
})

await Effect.runPromise(Effect.provide(program, Memory.layer()))
