import { logSuite } from "./DatabaseSuite.ts"
import { describeOnOwnServer } from "./ownServer.ts"
import * as Troubles from "./troubles.ts"

describeOnOwnServer(
  "the log in SQL endures",
  (make) => logSuite(make, { troubles: Troubles.all, seeds: [1], times: 1 })
)
