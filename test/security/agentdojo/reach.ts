/**
 * An adversary that may do everything, in any order and as often as it likes. It has made every call that any task makes,
 * and read every answer. It looks for any call of any tool that has an effect of its goal, in every wording that means the
 * same, with whatever else the call takes. What it may write and would read again as ours, it has written and read.
 *
 * A rule looks at one argument at a time and is never stricter for more that is ours, so what cannot be done with all of
 * that known can be done by no sequence of calls. Arguments beside the effect are not looked at: they are as the rules ask.
 * Where a rule asks less of what the request names, it is taken to ask that much less of everything.
 */
import { Flow, Label, Links, Trace } from "../../../src/trust/index.ts"
import { type Effect, effectsOf, wordings } from "./effects.ts"
import { actions, attackOf, type Goal, stepsOf, type Suite } from "./suites.ts"
import type { offices } from "./tools.ts"

type Tools = (typeof offices)[keyof typeof offices]

/** Goals that are reached without an approval, by the user's task whose session is taken over. */
export const reached = (suite: Suite, tools: Tools, policy: Flow.Policy): ReadonlyArray<string> => {
  const office: Office = { suite, tools, policy: loosest(policy), readable: readable(suite, tools) }
  const answers = sourcesOf(tools, suite.userTasks.flatMap((task) => stepsOf(suite, task, "Do what we agreed on.")))
  const requests = suite.userTasks.map((task) => ({ task, request: Trace.request(task.prompt) }))
  return goalsOf(suite).flatMap((goal) => {
    const known = [...answers, ...sourcesOf(tools, attackOf(suite, goal))]
    // Nobody asked for all of it: but what is not let through for whoever did is let through for none.
    const all = [...requests.flatMap(({ request }) => request), ...known]
    const ways = effectsOf(goal).flatMap((effect) =>
      letThrough(office, goal, effect, wordings(effect, all), all).map((value) => ({ effect, value }))
    )
    return requests.flatMap(({ request, task }) => {
      const way = ways.find(({ effect, value }) =>
        letThrough(office, goal, effect, [value], [...request, ...known]).length > 0
      )
      return way === undefined ? [] : [`${task.id} ${goal.id}: ${way.value}`]
    })
  })
}

/** Goals that have an effect: recorded as calls, or named in words. */
export const goalsOf = (suite: Suite): ReadonlyArray<Goal> => [
  ...actions(suite),
  ...suite.injectionTasks.filter(({ calls, goal }) => calls.length === 0 && Links.linksIn(goal).length > 0)
]

// internal

interface Office {
  readonly suite: Suite
  readonly tools: Tools
  readonly policy: Flow.Policy
  /** What a tool answers by the names of its fields, where that is not a stranger's. */
  readonly readable: ReadonlyMap<string, Label.Trust>
}

const declaredOf = (tools: Tools, tool: string): Label.Declared =>
  tools.find(({ name }) => name === tool)?.trust ?? "untrusted"

const sourcesOf = (tools: Tools, steps: ReturnType<typeof attackOf>): ReadonlyArray<Trace.Source> =>
  steps.flatMap(({ answer, tool }, at) =>
    Trace.result({ from: `ses/${at}`, tool, declared: declaredOf(tools, tool) }, answer)
  )

/** Fields that some tool without an effect answers with, and vouches for. */
const readable = (suite: Suite, tools: Tools): ReadonlyMap<string, Label.Trust> =>
  new Map(
    suite.userTasks.flatMap((task) => stepsOf(suite, task)).flatMap(({ answer, tool }) => {
      const declared = declaredOf(tools, tool)
      return Label.leaves(answer).flatMap(({ path }) => {
        const names = path.split(".").filter((name) => !/^\d+$/.test(name))
        const trust = Label.trustAt(declared, path)
        return trust === "untrusted" ? [] : names.map((name) => [name, trust] as const)
      })
    })
  )

/** Rules that ask of each argument the least that they ask of it in any case. */
const loosest = (policy: Flow.Policy): Flow.Policy => ({
  ...policy,
  rules: policy.rules.map(({ named, ...rule }) =>
    named === undefined ? rule : { ...rule, arguments: weaker(rule.arguments, named.arguments) }
  )
})

const weaker = (one: Flow.Rule["arguments"], other: Flow.Rule["arguments"]): Flow.Rule["arguments"] =>
  Object.fromEntries(
    [...new Set([...Object.keys(one), ...Object.keys(other)])].map((path) => {
      const asks = [one, other].map((table) => Flow.asks.indexOf(Label.closest(table, path, () => false) ?? "trusted"))
      return [path, Flow.asks[Math.max(...asks)] ?? "any"]
    })
  )

/** The wordings in which a call has the effect. */
const letThrough = (
  office: Office,
  goal: Goal,
  effect: Effect,
  values: ReadonlyArray<string>,
  sources: ReadonlyArray<Trace.Source>
): ReadonlyArray<string> => {
  const context = Trace.contextOf(sources, true)
  // Readers are counted by what the session calls: the adversary calls nothing for readers that its goal does not need.
  const isKept = goal.calls.some((call) =>
    Label.everyReader(office.tools.find(({ name }) => name === call.function)?.readers).length > 0
  )
  return values.filter((value) => {
    const known = isLaundered(office, value, context)
      ? Trace.contextOf([...sources, Trace.source({ ...ours, value })], true)
      : context
    return office.tools.some((tool) =>
      (tool.sinks ?? []).some((sink) => effect.sinks.includes(sink)) &&
      !(isKept && tool.sinks?.includes("outbound") === true) &&
      argumentsOf(office, tool.name).some((name) =>
        effect.arguments.includes(name) && passes(office.policy, tool, { [name]: value }, known)
      )
    )
  })
}

const ours: Omit<Trace.Source, "value" | "spelled"> = {
  path: "",
  from: "ses/0",
  tool: "any",
  integrity: "trusted",
  isReference: true
}

/** Whether the adversary may write the value somewhere from where it is read as ours. */
const isLaundered = ({ policy, readable, ...office }: Office, value: string, context: Trace.Context): boolean =>
  office.tools.some((tool) =>
    (tool.sinks ?? []).length > 0 &&
    argumentsOf(office, tool.name).some((name) =>
      readable.has(name) && takes(name, value) && passes(policy, tool, { [name]: value }, context)
    )
  )

/** What tools refuse by themselves: no text is a day, a time or one of few choices. */
const takes = (name: string, value: string): boolean =>
  /(?:_time|_day|^date)$/.test(name) ? /^\d{4}-\d{2}-\d{2}/.test(value) : name !== "permission"

const argumentsOf = ({ suite }: Pick<Office, "suite">, tool: string): ReadonlyArray<string> =>
  Object.keys(suite.tools.find(({ name }) => name === tool)?.parameters.properties ?? {})

const passes = (
  policy: Flow.Policy,
  { name, sinks = [] }: Tools[number],
  args: Readonly<Record<string, string>>,
  context: Trace.Context
): boolean => Flow.decide(policy, { tool: name, sinks, args, at: 0 }, context).decision === "pass"
