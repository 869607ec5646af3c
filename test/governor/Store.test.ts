import { Layer } from "effect"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { suite as checkpoints } from "./CheckpointSuite.ts"
import { suite } from "./StoreSuite.ts"

suite("the store in memory", MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer)))
checkpoints("checkpoints in memory", MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer)))
