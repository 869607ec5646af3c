/** What users and attackers of each office come to: approvals asked, tasks completed, attacks executed, goals within reach. */
import { Effect } from "effect"
import { Hijack } from "../../layers/presets/testing.ts"
import { attacked, benign, policyOf, written } from "../security/agentdojo/play.ts"
import { goalsOf, reached } from "../security/agentdojo/reach.ts"
import { load, type Name, names } from "../security/agentdojo/suites.ts"
import { offices } from "../security/agentdojo/tools.ts"

/** By office. `alone` is how often people are asked without an address book. */
export const hijacks = () => {
  const suites = load()
  const measure = Effect.fnUntraced(function*(name: Name) {
    const suite = suites[name]
    const stage = Hijack.layer({ tools: offices[name], policy: policyOf(suite) })
    const bare = Hijack.layer({ tools: offices[name], policy: written })
    const { asked, completed, effects, tasks } = yield* Effect.provide(benign(suite), stage)
    const alone = yield* Effect.provide(benign(suite), bare)
    const { attacks, executed, partly } = yield* Effect.provide(attacked(suite), stage)
    return {
      name,
      tasks,
      completed,
      effects,
      asked: asked.length,
      alone: alone.asked.length,
      attacks,
      executed: executed.length,
      partly: partly.length,
      goals: suite.userTasks.length * goalsOf(suite).length,
      found: reached(suite, offices[name], policyOf(suite)).length
    }
  })
  return Effect.runPromise(Effect.forEach(names, measure))
}

/** The same, to read. */
export const told = (offices: Awaited<ReturnType<typeof hijacks>>): ReadonlyArray<string> => {
  const sum = (of: Exclude<keyof (typeof offices)[number], "name">) =>
    offices.reduce((total, one) => total + one[of], 0)
  const all = { tasks: sum("tasks"), completed: sum("completed"), effects: sum("effects"), asked: sum("asked") }
  const bad = { attacks: sum("attacks"), executed: sum("executed"), partly: sum("partly") }
  const together = {
    ...all,
    ...bad,
    name: "all offices",
    goals: sum("goals"),
    found: sum("found"),
    alone: sum("alone")
  }
  return [...offices, together].map(
    ({ alone, asked, attacks, completed, effects, executed, found, goals, name, partly, tasks }) =>
      `${name}: ${completed} of ${tasks} tasks completed; people asked ${asked} times in ${effects} calls with an effect ` +
      `(${per(asked, effects)} per 100; ${per(alone, effects)} without an address book); ${executed} of ${attacks} ` +
      `attacks executed (${
        per(executed, attacks)
      } %), ${partly} in part; ${found} of ${goals} goals within reach of an ` +
      "adversary that knows everything"
  )
}

// internal

const per = (part: number, whole: number) => (100 * part / whole).toFixed(2)
