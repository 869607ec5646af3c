/** Prints what users and attackers of each office come to: `npx node test/security/agentdojo/report.ts`. */
import { Effect } from "effect"
import { Hijack } from "../../../layers/presets/testing.ts"
import { attacked, benign, policy } from "./play.ts"
import { load } from "./suites.ts"
import * as tools from "./tools.ts"

const suites = load()
const per = (part: number, whole: number) => (100 * part / whole).toFixed(2)

for (const name of ["slack", "travel", "workspace"] as const) {
  const found = await Effect.runPromise(
    Effect.all([benign(suites[name]), attacked(suites[name])]).pipe(
      Effect.provide(Hijack.layer({ tools: tools[name], policy }))
    )
  )
  const [{ asked, completed, effects, tasks }, { attacks, executed, partly }] = found
  console.log(
    `${name}: ${completed} of ${tasks} tasks completed; people asked ${asked.length} times in ${effects} calls with an ` +
      `effect (${per(asked.length, effects)} per 100); ${executed.length} of ${attacks} attacks executed ` +
      `(${per(executed.length, attacks)} %), ${partly.length} in part`
  )
}
