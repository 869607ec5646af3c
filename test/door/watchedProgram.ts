/**
 * A server in a process of its own, over an embedded database: `watchedProgram.ts FOLDER PORT`. Sessions that were running go
 * on when it starts. It says where it listens and, in its first words, the token of a caller that it lets in when there is none.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer, Schema } from "effect"
import { writeSync } from "node:fs"
import { HttpDoor } from "../../layers/http/index.ts"
import { KeySet } from "../../layers/jose/index.ts"
import { PgliteClient } from "../../layers/pglite/index.ts"
import { core, digest } from "../../layers/presets/Core.ts"
import { Memory } from "../../layers/presets/index.ts"
import { Migrate, SqlStore } from "../../layers/sql/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Callers, Dispatch, Mailbox } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { address, ceiling, letIn } from "./http/world.ts"

const [folder = "", port = ""] = process.argv.slice(2)

const Step = Tool.make("step", {
  description: "Goes one step",
  capabilities: ["tool:step"],
  params: Schema.Struct({ at: Schema.Natural }),
  success: Schema.Natural
})
const Walker = DeterministicActor.make("Walker", {
  description: "goes as many steps as it is told",
  input: Schema.Struct({ steps: Schema.Natural }),
  output: Schema.Natural,
  tools: [Step],
  run: ({ steps }) =>
    Effect.gen(function*() {
      for (let at = 0; at < steps; at++) yield* Tool.call(Step, { at })
      return steps
    })
})

const runtime = Memory.layerDesk.pipe(
  Layer.provideMerge(Actor.layer(Walker)),
  Layer.provideMerge(Tool.layer(Step, ({ at }) => Effect.delay(Effect.succeed(at), "30 millis"))),
  Layer.provideMerge(core(Mailbox.layerLocal)),
  Layer.provideMerge(SqlStore.layer.pipe(Layer.provide(Layer.effectDiscard(Migrate.migrate)))),
  Layer.provideMerge(PgliteClient.layer(folder)),
  Layer.provideMerge(Layer.merge(digest, KeySet.layer(folder))),
  Layer.provideMerge(NodeServices.layer)
)

NodeRuntime.runMain(
  Effect.gen(function*() {
    const known = yield* Effect.flatMap(Callers.Callers, (callers) => callers.list)
    const token = known.length === 0 ? yield* letIn("wanda", "operator", ceiling("tool:step")) : null
    // Written at once: a line that waits in a buffer when the process is killed was never said.
    writeSync(1, `${JSON.stringify({ url: yield* address, token })}\n`)
    yield* Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.recover)
    return yield* Effect.never
  }).pipe(
    Effect.provide(
      HttpDoor.layer({ port: Number(port), limits: { perSecond: 1e6, burst: 1e6 } }).pipe(Layer.provideMerge(runtime))
    )
  )
)
