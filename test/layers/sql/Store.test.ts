import { suite } from "../../governor/StoreSuite.ts"
import { describeOnServer } from "../postgres/realServer.ts"
import { inFolder, inMemory, logOn, migrated, onServer } from "./databases.ts"

suite("the store on PGlite in memory", logOn(migrated(inMemory)))
suite("the store on PGlite in a folder", logOn(migrated(inFolder)))
describeOnServer("a real server", () => suite("the store on PostgreSQL 17", logOn(migrated(onServer))))
