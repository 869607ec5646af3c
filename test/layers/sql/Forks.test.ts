import { suite } from "../../session/ForkSuite.ts"
import { describeOnServers } from "../postgres/realServer.ts"
import { inMemory, logOn, migrated, on } from "./databases.ts"

suite("forks on PGlite", logOn(migrated(inMemory)))
describeOnServers("a real server", (server) => suite("forks on PostgreSQL", logOn(migrated(on(server)))))
