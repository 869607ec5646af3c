import { suite } from "../../session/CallersSuite.ts"
import { describeOnServers } from "../postgres/realServer.ts"
import { inMemory, logOn, migrated, on } from "./databases.ts"

suite("callers on PGlite", logOn(migrated(inMemory)))
describeOnServers("a real server", (server) => suite("callers on PostgreSQL", logOn(migrated(on(server)))))
