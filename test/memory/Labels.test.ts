import { Effect, Layer } from "effect"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { suite } from "./LabelsSuite.ts"

suite(
  "labels in memory, in memory",
  Effect.map(Layer.build(MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer))), Layer.succeedContext)
)
