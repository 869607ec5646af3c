import { Layer } from "effect"
import { SqlRequests } from "../../../layers/sql/index.ts"
import { suite } from "../../operator/RequestsSuite.ts"
import { describeOnServers } from "../postgres/realServer.ts"
import { inMemory, migrated, on } from "./databases.ts"

suite("requests on PGlite", Layer.provide(SqlRequests.layer, migrated(inMemory)))
describeOnServers(
  "a real server",
  (server) => suite("requests on PostgreSQL", Layer.provide(SqlRequests.layer, migrated(on(server))))
)
