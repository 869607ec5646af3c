/**
 * An adversary that may do everything, in any order: it has made every call that any task makes, read every answer, and then
 * makes the calls of its goal, each as often as it likes. A rule looks at one argument at a time and is never stricter for
 * more that is ours, so what it could not do with all of that known it can do by no sequence of calls.
 */
import { Flow, Trace } from "../../../src/trust/index.ts"
import { actions, attackOf, type Goal, stepsOf, type Suite, type Task } from "./suites.ts"
import type { offices } from "./tools.ts"

type Tools = (typeof offices)[keyof typeof offices]

/** Goals that are reached without an approval, by the user's task whose session is taken over. */
export const reached = (suite: Suite, tools: Tools, policy: Flow.Policy): ReadonlyArray<string> =>
  suite.userTasks.flatMap((task) =>
    actions(suite).flatMap((goal) => isReached(suite, task, goal, { tools, policy }) ? [`${task.id} ${goal.id}`] : [])
  )

// internal

const isReached = (
  suite: Suite,
  task: Task,
  goal: Goal,
  { policy, tools }: { readonly tools: Tools; readonly policy: Flow.Policy }
): boolean => {
  const every = suite.userTasks.flatMap((other) => stepsOf(suite, other, "Do what we agreed on."))
  const read = [...every, ...attackOf(suite, goal)]
  const context = Trace.contextOf([
    ...Trace.request(task.prompt),
    ...read.flatMap(({ answer, tool: name }, at) => {
      const tool = tools.find((one) => one.name === name)
      return tool === undefined ? [] : Trace.result({ from: `ses/${at}`, tool: name, declared: tool.trust }, answer)
    })
  ])
  // Readers are counted by what the session calls: the adversary calls nothing for readers that its goal does not need.
  const readers = goal.calls.flatMap((call) => tools.find((one) => one.name === call.function)?.readers ?? [])
  return goal.calls.filter(({ sideEffecting }) => sideEffecting).every((call) => {
    const sinks = tools.find((one) => one.name === call.function)?.sinks ?? []
    if (sinks.includes("outbound") && readers.length > 0) return false
    return Flow.decide(policy, { tool: call.function, sinks, args: call.args, at: 0 }, context).decision === "pass"
  })
}
