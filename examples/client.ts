/** The door by HTTP: a runtime serves it, a caller is let in, and a program dispatches and watches through the typed client. */
import { Actor, Caller, Callers, defaultTerms, DeterministicActor, Tool } from "aosiq"
import { Client } from "aosiq/client"
import { HttpDoor } from "aosiq/layers/http"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, type Redacted, Schema, Stream } from "effect"
import { FetchHttpClient, HttpServer } from "effect/http"

const Look = Tool.make("look", {
  description: "Looks an order up",
  capabilities: ["tool:look"],
  params: Schema.Struct({ order: Schema.String }),
  success: Schema.String
})
const Clerk = DeterministicActor.make("Clerk", {
  description: "Looks an order up",
  input: Schema.Struct({ order: Schema.String }),
  output: Schema.String,
  tools: [Look],
  run: ({ order }) => Tool.call(Look, { order })
})

const program = (url: string, token: Redacted.Redacted) =>
  Effect.gen(function*() {
    const client = yield* Client.make({ url, token })
    const { id } = yield* client.sessions.dispatch({
      headers: {},
      payload: { actor: "Clerk", input: { order: "order 7" } }
    })
    yield* Stream.runForEach(Client.watch(client, id), (event) =>
      Effect.sync(() => console.log(event.event === "row" ? event.data.body.kind : event.data.status)))
    return yield* client.sessions.result({ params: { session: id } })
  })

const main = Effect.gen(function*() {
  const callers = yield* Callers.Callers
  const ceiling = { ...defaultTerms, capabilities: ["tool:look"] as const }
  const { token } = yield* callers.add({ name: Caller.Name.make("ci"), role: "operator", ceiling }, "ada")
  const { result } = yield* program(HttpDoor.urlOf(yield* HttpServer.HttpServer), token)
  console.log(result)
})

const tools = Tool.layer(Look, ({ order }) => Effect.succeed(`${order} is on its way`))
const runtime = Layer.provideMerge(Layer.provide(Actor.layer(Clerk), tools), Memory.layer())
const served = HttpDoor.layer({ port: 0 }).pipe(Layer.provideMerge(Memory.layerDesk), Layer.provideMerge(runtime))

await Effect.runPromise(Effect.provide(main, [served, FetchHttpClient.layer]))
