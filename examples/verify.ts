/** Takes the record out of its database as one text, and verifies that text with nothing but the published key. */
import { NodeServices } from "@effect/platform-node"
import { Actor, Anchoring, Bundle, DeterministicActor, Dispatch, Grant, Signer, Tool } from "aosiq"
import { Embedded } from "aosiq/layers/presets"
import { Effect, Layer, Schema, Stream } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const Measure = Tool.make("measure", {
  description: "Measures how full a tank is",
  capabilities: ["tool:measure"],
  params: Schema.Struct({ tank: Schema.String }),
  success: Schema.Struct({ litres: Schema.Natural })
})
const Inspection = DeterministicActor.make("Inspection", {
  description: "Inspects a tank",
  input: Schema.String,
  output: Schema.Struct({ litres: Schema.Natural }),
  tools: [Measure],
  run: (tank) => Tool.call(Measure, { tank })
})

const folder = mkdtempSync(join(tmpdir(), "aosiq-example-"))
const app = Actor.layer(Inspection).pipe(
  Layer.provide(Tool.layer(Measure, () => Effect.succeed({ litres: 812 }))),
  Layer.provideMerge(Embedded.layer(folder)),
  Layer.provideMerge(NodeServices.layer)
)

const program = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const signer = yield* Signer.Signer
  const key = { name: signer.name, publicKey: signer.publicKey }

  yield* dispatch.start(Inspection, "north", { grant: Grant.make(["tool:measure"]), caller: "inspector" })
  yield* Anchoring.take()
  const bundle = (yield* Stream.runCollect(Bundle.write({ sessions: "all", keys: [key] }))).join("")

  const report = yield* Bundle.verify(bundle, { keys: [key] })
  console.log(`as exported: ok ${report.ok}, ${report.rows} rows, ${report.anchors} anchors`)

  const forged = yield* Bundle.verify(bundle.replaceAll("812", "912"), { keys: [key] })
  console.log(`with one digit changed: ok ${forged.ok}`)
  for (const { detail, kind, seq } of forged.findings) console.log(`${kind} at row ${seq}: ${detail}`)
})

await Effect.runPromise(Effect.provide(program, app))
rmSync(folder, { recursive: true })
