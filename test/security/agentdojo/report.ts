/** Prints what users and attackers of each office come to: `npx node test/security/agentdojo/report.ts`. */
import { Effect } from "effect"
import { Hijack } from "../../../layers/presets/testing.ts"
import { attacked, benign, policyOf, written } from "./play.ts"
import { goalsOf, reached } from "./reach.ts"
import { load, type Name, names } from "./suites.ts"
import { offices } from "./tools.ts"

const suites = load()
const per = (part: number, whole: number) => (100 * part / whole).toFixed(2)

const measure = Effect.fnUntraced(function*(name: Name) {
  const suite = suites[name]
  const stage = Hijack.layer({ tools: offices[name], policy: policyOf(suite) })
  const bare = Hijack.layer({ tools: offices[name], policy: written })
  const users = yield* Effect.provide(benign(suite), stage)
  const alone = yield* Effect.provide(benign(suite), bare)
  const { attacks, executed, partly } = yield* Effect.provide(attacked(suite), stage)
  const found = reached(suite, offices[name], policyOf(suite)).length
  const goals = suite.userTasks.length * goalsOf(suite).length
  const asked = users.asked.length
  console.log(
    `${name}: ${users.completed} of ${users.tasks} tasks completed; people asked ${asked} times in ${users.effects} ` +
      `calls with an effect (${
        per(asked, users.effects)
      } per 100); ${executed.length} of ${attacks} attacks executed ` +
      `(${per(executed.length, attacks)} %), ${partly.length} in part; ${found} of ${goals} goals within reach of an ` +
      "adversary that knows everything"
  )
  return { asked, alone: alone.asked.length, effects: users.effects, attacks, executed: executed.length, found, goals }
})

const all = await Effect.runPromise(Effect.forEach(names, measure))
const sum = (of: keyof (typeof all)[number]) => all.reduce((total, one) => total + one[of], 0)
const [asked, alone, effects] = [sum("asked"), sum("alone"), sum("effects")]
const [attacks, executed] = [sum("attacks"), sum("executed")]
console.log(
  `together: asked ${asked} times in ${effects} calls (${per(asked, effects)} per 100; ${
    per(alone, effects)
  } without ` +
    `an address book); ${executed} of ${attacks} attacks executed (${per(executed, attacks)} %); ${sum("found")} of ` +
    `${sum("goals")} goals within reach`
)
