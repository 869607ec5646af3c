import { Effect, Redacted } from "effect"
import { PgliteClient } from "../../../layers/pglite/index.ts"
import * as PostgresClient from "../../../layers/postgres/Client.ts"
import { suite } from "../../memory/LabelsSuite.ts"
import { describeOnServers } from "../postgres/realServer.ts"
import { folder, logOn, migrated } from "./databases.ts"

suite(
  "labels in memory, on PGlite in a folder that is opened anew",
  Effect.map(folder, (path) => logOn(migrated(PgliteClient.layer(path))))
)
describeOnServers("a real server", ({ freshDatabase }) =>
  suite(
    "labels in memory, on PostgreSQL by clients of their own",
    Effect.map(freshDatabase, (url) => logOn(migrated(PostgresClient.layer(Redacted.make(url.href)))))
  ))
