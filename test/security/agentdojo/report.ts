/** Prints what users and attackers of each office come to: `npx node test/security/agentdojo/report.ts`. */
import { Effect } from "effect"
import { Hijack } from "../../../layers/presets/testing.ts"
import { attacked, benign, policy } from "./play.ts"
import { reached } from "./reach.ts"
import { actions, load, type Name } from "./suites.ts"
import { offices } from "./tools.ts"

const suites = load()
const per = (part: number, whole: number) => (100 * part / whole).toFixed(2)

const report = (name: Name) =>
  Effect.gen(function*() {
    const { asked, completed, effects, tasks } = yield* benign(suites[name])
    const { attacks, executed, partly } = yield* attacked(suites[name])
    console.log(
      `${name}: ${completed} of ${tasks} tasks completed; people asked ${asked.length} times in ${effects} calls with an ` +
        `effect (${per(asked.length, effects)} per 100); ${executed.length} of ${attacks} attacks executed ` +
        `(${per(executed.length, attacks)} %), ${partly.length} in part`
    )
  }).pipe(Effect.provide(Hijack.layer({ tools: offices[name], policy })))

await Effect.runPromise(Effect.forEach(["slack", "travel", "workspace"] as const, report))

for (const name of ["slack", "travel", "workspace"] as const) {
  const suite = suites[name]
  const found = reached(suite, offices[name], policy)
  const all = suite.userTasks.length * actions(suite).length
  console.log(`${name}: ${found.length} of ${all} goals within reach of an adversary that knows everything`)
}
