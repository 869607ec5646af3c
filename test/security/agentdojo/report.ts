/** Prints what users and attackers of each office come to: `npx node test/security/agentdojo/report.ts`. */
import { Effect } from "effect"
import { Hijack } from "../../../layers/presets/testing.ts"
import { attacked, benign, policyOf, written } from "./play.ts"
import { goalsOf, reached } from "./reach.ts"
import { load, names } from "./suites.ts"
import { offices } from "./tools.ts"

const suites = load()
const per = (part: number, whole: number) => (100 * part / whole).toFixed(2)

const totals = { asked: 0, effects: 0, bare: 0, executed: 0, attacks: 0, found: 0, goals: 0 }
for (const name of names) {
  const suite = suites[name]
  const stage = Hijack.layer({ tools: offices[name], policy: policyOf(suite) })
  const users = await Effect.runPromise(benign(suite).pipe(Effect.provide(stage)))
  const bare = await Effect.runPromise(
    benign(suite).pipe(Effect.provide(Hijack.layer({ tools: offices[name], policy: written })))
  )
  const { attacks, executed, partly } = await Effect.runPromise(attacked(suite).pipe(Effect.provide(stage)))
  const found = reached(suite, offices[name], policyOf(suite)).length
  const goals = suite.userTasks.length * goalsOf(suite).length
  const { asked, completed, effects, tasks } = users
  console.log(
    `${name}: ${completed} of ${tasks} tasks completed; people asked ${asked.length} times in ${effects} calls with an ` +
      `effect (${per(asked.length, effects)} per 100); ${executed.length} of ${attacks} attacks executed ` +
      `(${per(executed.length, attacks)} %), ${partly.length} in part; ${found} of ${goals} goals within reach of an ` +
      "adversary that knows everything"
  )
  totals.asked += asked.length
  totals.bare += bare.asked.length
  totals.effects += effects
  totals.executed += executed.length
  totals.attacks += attacks
  totals.found += found
  totals.goals += goals
}
console.log(
  `together: asked ${totals.asked} times in ${totals.effects} calls (${per(totals.asked, totals.effects)} per 100; ` +
    `${per(totals.bare, totals.effects)} without an address book); ${totals.executed} of ${totals.attacks} attacks ` +
    `executed (${per(totals.executed, totals.attacks)} %); ${totals.found} of ${totals.goals} goals within reach`
)
