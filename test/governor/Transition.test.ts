import { layer } from "@effect/vitest"
import { Layer } from "effect"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { agrees } from "./agreement.ts"

layer(MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer)))("the store in memory", (it) => {
  it.effect("does what the transition says, whatever happens", () => agrees(300), 120_000)
})
