/** A reasoning agent: a model that acts through governed tools and ends with a typed result. Here the model is a script. */
import { Actor, Agent, Dispatch, Grant, Log, Scripted, Tool } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"

const ReadRunbook = Tool.make("read_runbook", {
  description: "Reads the runbook of a service",
  capabilities: ["tool:read_runbook"],
  params: Schema.Struct({ service: Schema.String }),
  success: Schema.String
})

const OnCall = Agent.make("OnCall", {
  description: "Says what to do about an alert",
  input: Schema.Struct({ service: Schema.String, alert: Schema.String }),
  output: Schema.Struct({ advice: Schema.String }),
  tools: [ReadRunbook],
  backends: ["scripted", "anthropic"],
  instructions: "Read the runbook of the service before you conclude.",
  task: ({ alert, service }) => `${service}: ${alert}`,
  bounds: { minEvidence: 1, maxSteps: 5 }
})

const runbooks = Tool.layer(ReadRunbook, ({ service }) => Effect.succeed(`${service}: drain the queue, then restart`))

const program = Effect.gen(function*() {
  // A model of the list in `OnCall` goes here; one that is not on the list does not compile.
  const backend = yield* Scripted.turns([
    { calls: [{ name: "conclude", params: { advice: "restart it" } }] },
    { calls: [{ name: "read_runbook", params: { service: "mail" } }] },
    { calls: [{ name: "conclude", params: { advice: "drain the queue, then restart" } }] }
  ])
  const onCall = yield* Agent.on(OnCall, backend)
  const ended = yield* Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const grant = Grant.make(["tool:read_runbook", "backend:scripted"], { budgetMicroUsd: 50_000 })
    return yield* dispatch.start(onCall, { service: "mail", alert: "queue is full" }, { grant, caller: "pager" })
  }).pipe(Effect.provide(Layer.provide(Actor.layer(onCall), runbooks)))
  console.log(ended._tag === "Succeeded" ? `advice: ${ended.output.advice}` : ended._tag)

  const log = yield* Log.Log
  const rows = yield* log.rows(ended.session)
  for (const { body } of rows) if (body.kind === "outcome") console.log(`${body.act} ${body.status}`)
})

await Effect.runPromise(Effect.provide(program, Memory.layer()))
