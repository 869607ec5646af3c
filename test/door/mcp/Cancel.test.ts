/** A dispatch that waits: cancelled by its client it cancels the session, cut off it does not. */
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { HttpDoor } from "../../../layers/http/index.ts"
import { Memory } from "../../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../../src/actor/index.ts"
import { Log } from "../../../src/audit/index.ts"
import { Tool } from "../../../src/tool/index.ts"
import { ceiling, letIn } from "../http/world.ts"
import { call, client } from "./world.ts"

const Rest = Tool.make("rest", {
  description: "Takes its time",
  capabilities: ["tool:rest"],
  params: Schema.Struct({}),
  success: Schema.String
})
const Sloth = DeterministicActor.make("Sloth", {
  description: "rests, and rests again",
  input: Schema.String,
  output: Schema.String,
  tools: [Rest],
  run: () => Effect.andThen(Effect.replicateEffect(Tool.call(Rest, {}), 8), Effect.succeed("rested"))
})
const world = HttpDoor.layer({ port: 0 }).pipe(
  Layer.provideMerge(Memory.layerDesk),
  Layer.provideMerge(Actor.layer(Sloth)),
  Layer.provideMerge(Tool.layer(Rest, () => Effect.as(Effect.sleep("300 millis"), "…"))),
  Layer.provideMerge(Memory.layer()),
  Layer.provideMerge(NodeServices.layer)
)

/** How the session of a caller stands once it has ended. */
const ended = (caller: string) =>
  Effect.flatMap(
    Log.Log,
    (log) =>
      Effect.repeat(Effect.map(log.sessions, (list) => list.find((one) => one.caller === caller)?.status), {
        until: (status) => status === "succeeded" || status === "cancelled"
      })
  )

const begun = (caller: string) =>
  Effect.flatMap(
    Log.Log,
    (log) => Effect.repeat(log.sessions, { until: (list) => list.some((one) => one.caller === caller && one.seq > 1) })
  )

const order = { actor: "Sloth", input: "", waitSeconds: 40 }

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("a dispatch that waits", (it) => {
  it.effect("is cancelled with its session", () =>
    Effect.gen(function*() {
      const mine = yield* client(yield* letIn("stops", "operator", ceiling("tool:rest")))
      const abort = new AbortController()
      yield* Effect.forkChild(call(mine, "session_dispatch", order, { signal: abort.signal }))
      yield* begun("stops")
      abort.abort("stop")
      assert.strictEqual(yield* ended("stops"), "cancelled")
    }).pipe(Effect.scoped), 30_000)

  it.effect("is cut off without it", () =>
    Effect.gen(function*() {
      const mine = yield* client(yield* letIn("leaves", "operator", ceiling("tool:rest")))
      yield* Effect.forkChild(call(mine, "session_dispatch", order))
      yield* begun("leaves")
      // Aborts the requests that are under way, as a client does that is closed.
      yield* Effect.promise(() => mine.transport?.close() ?? Promise.resolve())
      assert.strictEqual(yield* ended("leaves"), "succeeded")
    }).pipe(Effect.scoped), 30_000)
})
