import { sessionSuite } from "./DatabaseSuite.ts"
import { describeOnOwnServer } from "./ownServer.ts"
import { exhaustion, restart, terminate, unknownCommit } from "./troubles.ts"

describeOnOwnServer(
  "sessions endure",
  (make) => sessionSuite(make, { troubles: [restart, terminate, unknownCommit, exhaustion], seeds: [2], times: 1 })
)
