import { suite as checkpoints } from "../../governor/CheckpointSuite.ts"
import { suite } from "../../governor/StoreSuite.ts"
import { describeOnServers } from "../postgres/realServer.ts"
import { inFolder, inMemory, logOn, migrated, on } from "./databases.ts"

suite("the store on PGlite in memory", logOn(migrated(inMemory)))
suite("the store on PGlite in a folder", logOn(migrated(inFolder)))
describeOnServers("a real server", (server) => suite("the store on PostgreSQL", logOn(migrated(on(server)))))

checkpoints("checkpoints on PGlite", logOn(migrated(inMemory)))
describeOnServers("a real server", (server) => checkpoints("checkpoints on PostgreSQL", logOn(migrated(on(server)))))
