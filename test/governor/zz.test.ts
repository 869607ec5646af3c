import { layer } from "@effect/vitest"
import { Layer, Effect } from "effect"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { agrees } from "./agreement.ts"
layer(MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer)))("m", (it) => {
  for (let i = 0; i < 150; i++) it.effect("a" + i, () => agrees(60))
})
