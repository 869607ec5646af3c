/** Money: a price on a tool, a budget on a session, a ceiling on a caller; what does not fit is not begun. */
import { Actor, CostModel, DeterministicActor, Dispatch, Grant, MicroUsd, Store, Tool } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"

const Geocode = Tool.make("geocode", {
  description: "Finds the place of an address, for half a cent",
  capabilities: ["tool:geocode"],
  params: Schema.Struct({ address: Schema.String }),
  success: Schema.String,
  cost: CostModel.perCall(MicroUsd.fromUsd(0.005))
})

const Route = DeterministicActor.make("Route", {
  description: "Finds the places of a route",
  input: Schema.Array(Schema.String),
  output: Schema.Array(Schema.String),
  tools: [Geocode],
  run: (addresses) => Effect.forEach(addresses, (address) => Tool.call(Geocode, { address }))
})

let calls = 0
const geocode = Tool.layer(Geocode, ({ address }) => Effect.sync(() => `place ${++calls} of ${address}`))
const ceilings = Layer.succeed(Dispatch.CurrentCeilings, {
  caller: 20_000,
  class: 1_000_000,
  accounts: { "caller:grace": 50_000 }
})
const app = Actor.layer(Route).pipe(
  Layer.provide(geocode),
  Layer.provideMerge(Memory.layer().pipe(Layer.provide(ceilings)))
)

const program = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const store = yield* Store.Store
  const grant = Grant.make(["tool:geocode"], { budgetMicroUsd: 12_000 })

  const ended = yield* dispatch.start(Route, ["a", "b", "c"], { grant, caller: "ada" })
  console.log(ended._tag === "Failed" ? ended.detail : ended._tag)
  console.log(`provider calls: ${calls}`)
  for (const { ceiling, id, reserved, spent } of yield* store.accounts) {
    const name = id.startsWith("session:") ? "session" : id
    console.log(`${name}: ${MicroUsd.format(spent)} of ${MicroUsd.format(ceiling)}, ${reserved} reserved`)
  }
})

await Effect.runPromise(Effect.provide(program, app))
