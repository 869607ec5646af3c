/** Databases with a bad day, for long, on each version. */
import { logSuite, sessionSuite } from "../chaos/DatabaseSuite.ts"
import { describeOnOwnServers } from "../chaos/ownServer.ts"
import * as Troubles from "../chaos/troubles.ts"

const length = { troubles: Troubles.all, seeds: [11, 12, 13, 14, 15], times: 5 }

describeOnOwnServers("the log in SQL endures for long", (make) => logSuite(make, length))
describeOnOwnServers(
  "sessions endure for long",
  (make) => sessionSuite(make, { ...length, troubles: Troubles.all.filter(({ connections }) => connections > 1) })
)
