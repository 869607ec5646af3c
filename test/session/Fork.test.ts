import { Layer } from "effect"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { suite } from "./ForkSuite.ts"

suite("forks in memory", MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer)))
