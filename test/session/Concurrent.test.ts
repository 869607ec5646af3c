import { Layer } from "effect"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { describeOnServers } from "../layers/postgres/realServer.ts"
import { inMemory, logOn, migrated, on } from "../layers/sql/databases.ts"
import { ConcurrentSuite } from "./ConcurrentSuite.ts"

ConcurrentSuite("memory", MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer)), 8)
ConcurrentSuite("PGlite", logOn(migrated(inMemory)), 2)
describeOnServers("a real server", (server) => ConcurrentSuite("PostgreSQL", logOn(migrated(on(server))), 3))
