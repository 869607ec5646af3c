/** A session whose acts brought facts, recorded by the whole runtime, beside acts that cannot be cited. */
import { Effect, Layer, Schema } from "effect"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, Agent, DeterministicActor } from "../../src/actor/index.ts"
import { Log, Row } from "../../src/audit/index.ts"
import { Scripted } from "../../src/backend/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Evidence } from "../../src/evidence/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { fact, json } from "./facts.ts"

/** Facts of a session. */
export const facts = 60

class Lost extends Schema.TaggedError<Lost>()("Lost", { said: Schema.String }) {}

const Observe = Tool.make("observe", {
  description: "observes",
  capabilities: ["tool:observe"],
  params: Schema.Struct({ index: Schema.Int }),
  success: Schema.Json,
  failure: Lost
})

const observing = Tool.layer(
  Observe,
  ({ index }) => index < 0 ? Effect.fail(new Lost({ said: fact(0).said })) : Effect.succeed(json(index))
)

const Observer = DeterministicActor.make("Observer", {
  description: "observes everything, and fails to observe one thing more",
  input: Schema.Int,
  output: Schema.Int,
  tools: [Observe],
  run: (amount) =>
    Effect.gen(function*() {
      for (let index = 0; index < amount; index++) yield* Effect.orDie(Tool.call(Observe, { index }))
      yield* Effect.ignore(Tool.call(Observe, { index: -1 }))
      return amount
    })
})

/** The runtime with the actor. */
export const layer = Evidence.layer.pipe(
  Layer.provideMerge(Actor.layer(Observer)),
  Layer.provideMerge(observing),
  Layer.provideMerge(Memory.layer())
)

/** The session, its rows, and the stamp of each fact. */
export const observed = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const { session } = yield* dispatch.start(Observer, facts, { grant: Grant.make(["tool:observe"]), caller: "test" })
  const rows = yield* Effect.flatMap(Log.Log, (log) => log.rows(session))
  const outcomes = rows.filter(({ body }) => body.kind === "outcome")
  return {
    session,
    rows,
    stamps: outcomes.slice(0, facts).map(Row.stamp),
    failed: outcomes.slice(facts).map(Row.stamp)
  }
})

/** A session in which a model says something, looks at one fact, and ends. */
export const modelled = Effect.gen(function*() {
  const backend = yield* Scripted.turns([
    { text: fact(0).said, calls: [{ name: "observe", params: { index: 0 } }] },
    { calls: [{ name: "conclude", params: "done" }] }
  ])
  const Talker = yield* Agent.on(
    Agent.make("Talker", {
      description: "talks",
      input: Schema.String,
      output: Schema.String,
      tools: [Observe],
      backends: ["scripted"],
      instructions: "talk",
      task: (task) => task
    }),
    backend
  )
  const grant = Grant.make(["tool:observe", "backend:scripted"])
  return yield* Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const { session } = yield* dispatch.start(Talker, "go", { grant, caller: "test" })
    return { session, rows: yield* Effect.flatMap(Log.Log, (log) => log.rows(session)) }
  }).pipe(Effect.provide(Actor.layer(Talker)))
})
