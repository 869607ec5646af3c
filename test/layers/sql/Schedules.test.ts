import { suite } from "../../session/SchedulesSuite.ts"
import { describeOnServer } from "../postgres/realServer.ts"
import { inMemory, logOn, migrated, onServer } from "./databases.ts"

suite("schedules on PGlite", logOn(migrated(inMemory)))
describeOnServer("a real server", () => suite("schedules on PostgreSQL", logOn(migrated(onServer))))
