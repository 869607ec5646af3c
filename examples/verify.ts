/** Takes the record out of the runtime as one text, and verifies that text with nothing but the published key. */
import { Actor, Anchor, Anchoring, Bundle, DeterministicActor, Dispatch, Grant, Signer, Tool } from "aosiq"
import { AnchorSigner } from "aosiq/layers/jose"
import { Ed25519 } from "aosiq/layers/node"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema, Stream } from "effect"

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

const app = Actor.layer(Inspection).pipe(
  Layer.provide(Tool.layer(Measure, () => Effect.succeed({ litres: 812 }))),
  Layer.provideMerge(Layer.mergeAll(AnchorSigner.layer("aosiq/example"), Ed25519.layerVerifier, Anchor.layerMemory)),
  Layer.provideMerge(Memory.layer())
)

const program = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const signer = yield* Signer.Signer
  const keys = [{ name: signer.name, publicKey: signer.publicKey }]

  yield* dispatch.start(Inspection, "north", { grant: Grant.make(["tool:measure"]), caller: "inspector" })
  yield* Anchoring.take()
  const bundle = (yield* Stream.runCollect(Bundle.write({ sessions: "all", keys }))).join("")

  const report = yield* Bundle.verify(bundle, { keys })
  console.log(`as exported: ok ${report.ok}, ${report.rows} rows, ${report.anchors} anchor`)

  const forged = yield* Bundle.verify(bundle.replaceAll(":812}", ":912}"), { keys })
  console.log(`with one figure changed: ok ${forged.ok}`)
  for (const { kind, seq } of forged.findings) console.log(`${kind} at row ${seq}`)
})

await Effect.runPromise(Effect.provide(program, app))
