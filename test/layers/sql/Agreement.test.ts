import { layer } from "@effect/vitest"
import { agrees } from "../../governor/agreement.ts"
import { inMemory, logOn, migrated } from "./databases.ts"

layer(logOn(migrated(inMemory)), { timeout: "60 seconds" })("the store in SQL", (it) => {
  it.effect("does what the transition says, whatever happens", () => agrees(60), 60_000)
})
