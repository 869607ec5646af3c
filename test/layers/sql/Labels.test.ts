import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Redacted } from "effect"
import { PgliteClient } from "../../../layers/pglite/index.ts"
import * as PostgresClient from "../../../layers/postgres/Client.ts"
import { suite } from "../../memory/LabelsSuite.ts"
import { describeOnServers } from "../postgres/realServer.ts"
import { logOn, migrated } from "./databases.ts"

suite(
  "labels in memory, on PGlite in a folder that is opened anew",
  Effect.provide(
    Effect.map(
      Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped({ prefix: "aosiq-data-" })),
      (folder) => logOn(migrated(PgliteClient.layer(folder)))
    ),
    NodeServices.layer
  )
)
describeOnServers("a real server", ({ freshDatabase }) =>
  suite(
    "labels in memory, on PostgreSQL by clients of their own",
    Effect.map(freshDatabase, (url) => logOn(migrated(PostgresClient.layer(Redacted.make(url.href)))))
  ))
