/** A parent hands a child less than it holds: fewer capabilities, a smaller budget, no further delegation. */
import { Actor, Claims, DeterministicActor, Dispatch, Grant, Log, Tool } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"
import { decodeJwt } from "jose"

const WriteNote = Tool.make("write_note", {
  description: "Writes a note of today",
  capabilities: ["memory:write@notes/today"],
  params: Schema.Struct({ text: Schema.String }),
  success: Schema.String
})
const Noter = DeterministicActor.make("Noter", {
  description: "Takes notes",
  input: Schema.String,
  output: Schema.String,
  tools: [WriteNote],
  run: (text) => Tool.call(WriteNote, { text })
})

const Editor = DeterministicActor.make("Editor", {
  description: "Has notes taken",
  input: Schema.String,
  output: Schema.String,
  tools: [Noter.tool],
  run: (text) =>
    Effect.gen(function*() {
      const mine = yield* Actor.own("memory:write@notes/today", "spawn:Noter")
      const less = mine.narrow(["memory:write@notes/today"], { budgetMicroUsd: 1_000, depth: 0 })
      return yield* Effect.orDie(Actor.delegate(Noter, less, text))
    })
})

const app = Actor.layer(Editor).pipe(
  Layer.provideMerge(Actor.layer(Noter)),
  Layer.provide(Tool.layer(WriteNote, ({ text }) => Effect.succeed(`noted: ${text}`))),
  Layer.provideMerge(Memory.layer())
)

const program = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const grant = Grant.make(["memory:write@notes/*", "spawn:Noter"], { budgetMicroUsd: 50_000 })
  const ended = yield* dispatch.start(Editor, "buy milk", { grant, caller: "ada" })
  console.log(ended._tag === "Succeeded" ? ended.output : ended)

  const log = yield* Log.Log
  for (const { actor, token } of yield* log.sessions) {
    // For a look at what a token says; only `Tokens.verify` makes it worth believing.
    const claims = yield* Schema.decodeUnknownEffect(Claims.Claims)(decodeJwt(token))
    console.log(
      `${actor} holds ${claims.capabilities.join(", ")}; ${claims.budget} micro-dollars, depth ${claims.depth}`
    )
  }
})

await Effect.runPromise(Effect.provide(program, app))
