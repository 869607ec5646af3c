import { Layer } from "effect"
import { MemoryStore } from "../../../layers/memory/index.ts"
import { NodeDigest } from "../../../layers/node/index.ts"
import { describeOnServer } from "../postgres/realServer.ts"
import { inMemory, logOn, migrated, onServer } from "../sql/databases.ts"
import { conforms } from "./conformance.ts"

conforms("our saver in memory", MemoryStore.layer.pipe(Layer.provideMerge(NodeDigest.layer)))
conforms("our saver on PGlite", logOn(migrated(inMemory)).pipe(Layer.provideMerge(NodeDigest.layer)))
describeOnServer("a real server", () => {
  conforms("our saver on PostgreSQL", logOn(migrated(onServer)).pipe(Layer.provideMerge(NodeDigest.layer)))
})
