/**
 * An adversary that may do everything, in any order: it has made every call that any task makes, read every answer, and then
 * makes the calls of its goal, each as often as it likes. A rule looks at one argument at a time and is never stricter for
 * more that is ours, so what it could not do with all of that known it can do by no sequence of calls.
 */
import type { Hijack } from "../../../layers/presets/testing.ts"
import { Flow, Trace } from "../../../src/trust/index.ts"
import { actions, attackOf, type Goal, stepsOf, type Suite } from "./suites.ts"
import type { offices } from "./tools.ts"

type Tools = (typeof offices)[keyof typeof offices]

/** Goals that are reached without an approval, by the user's task whose session is taken over. */
export const reached = (suite: Suite, tools: Tools, policy: Flow.Policy): ReadonlyArray<string> => {
  const answers = sourcesOf(tools, suite.userTasks.flatMap((task) => stepsOf(suite, task, "Do what we agreed on.")))
  const goals = actions(suite).map((goal) => ({ goal, more: sourcesOf(tools, attackOf(suite, goal)) }))
  return suite.userTasks.flatMap((task) =>
    goals.flatMap(({ goal, more }) => {
      const context = Trace.contextOf([...Trace.request(task.prompt), ...answers, ...more])
      return isReached(goal, tools, policy, context) ? [`${task.id} ${goal.id}`] : []
    })
  )
}

// internal

const named = (tools: Tools, name: string) => tools.find((tool) => tool.name === name)

const sourcesOf = (tools: Tools, steps: ReadonlyArray<Hijack.Step>): ReadonlyArray<Trace.Source> =>
  steps.flatMap(({ answer, tool }, at) =>
    Trace.result({ from: `ses/${at}`, tool, declared: named(tools, tool)?.trust ?? "untrusted" }, answer)
  )

const isReached = (goal: Goal, tools: Tools, policy: Flow.Policy, context: Trace.Context): boolean => {
  // Readers are counted by what the session calls: the adversary calls nothing for readers that its goal does not need.
  const readers = goal.calls.flatMap((call) => named(tools, call.function)?.readers ?? [])
  return goal.calls.filter(({ sideEffecting }) => sideEffecting).every((call) => {
    const sinks = named(tools, call.function)?.sinks ?? []
    if (sinks.includes("outbound") && readers.length > 0) return false
    return Flow.decide(policy, { tool: call.function, sinks, args: call.args, at: 0 }, context).decision === "pass"
  })
}
