/** How courses go that others recorded: sessions that did what they were asked, and the same with an attacker's calls after. */
import type { Schema } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Detect, Drift, Label } from "../../src/trust/index.ts"

const home = join(import.meta.dirname, "../../../shared/data/agents")

interface Course {
  readonly goal: string
  readonly steps: ReadonlyArray<Drift.Step>
  /** Steps of an attacker, each list an attack of its own. */
  readonly attacks: ReadonlyArray<ReadonlyArray<Drift.Step>>
}

/** The parts of the files that are read here. */
interface Act {
  readonly function: string
  readonly args: Schema.Json
  readonly result?: string
}
interface Suite {
  readonly injectionTasks: ReadonlyArray<{ readonly calls: ReadonlyArray<Act> }>
  readonly userTasks: ReadonlyArray<{ readonly prompt: string; readonly calls: ReadonlyArray<Act> }>
}
interface Task {
  readonly user_scenario?: Schema.Json
  readonly ticket?: Schema.Json
  readonly evaluation_criteria?: {
    readonly actions?: ReadonlyArray<{ readonly name: string; readonly arguments: Schema.Json }>
  }
}
interface Turns {
  readonly id: string
  readonly question: ReadonlyArray<ReadonlyArray<{ readonly content: string }>>
  readonly ground_truth: ReadonlyArray<ReadonlyArray<string>>
}

const open = (file: string) => readFileSync(join(home, file), "utf8")
const lines = (file: string) => open(file).trim().split("\n").map((line): Turns => JSON.parse(line))
const texts = (json: Schema.Json) =>
  Label.leaves(json).flatMap(({ value }) => typeof value === "string" ? [value] : []).join("\n")
const step = (name: string, args: Schema.Json, result = ""): Drift.Step => ({
  asked: `${name} ${texts(args)}`,
  read: Detect.scan(typeof result === "string" ? result : JSON.stringify(result))
})

const dojo = (): ReadonlyArray<Course> => {
  const { suites }: { readonly suites: Readonly<Record<string, Suite>> } = JSON.parse(
    open("agentdojo-actions/agentdojo.json")
  )
  return Object.values(suites).flatMap(({ injectionTasks, userTasks }) => {
    const attacks = injectionTasks.map(({ calls }) => calls.map((one) => step(one.function, one.args)))
    return userTasks.map(({ calls, prompt }) => ({
      goal: prompt,
      steps: calls.map((one) => step(one.function, one.args, one.result)),
      attacks
    }))
  })
}
const tau = (): ReadonlyArray<Course> =>
  ["airline", "mock"].flatMap((domain) => {
    const tasks: ReadonlyArray<Task> = JSON.parse(open(`tau2/${domain}/tasks.json`))
    return tasks.map(({ evaluation_criteria, ticket, user_scenario }) => ({
      goal: JSON.stringify(user_scenario ?? ticket ?? ""),
      steps: (evaluation_criteria?.actions ?? []).map((one) => step(one.name, one.arguments)),
      attacks: []
    }))
  })
const bfcl = (): ReadonlyArray<Course> => {
  const answers = new Map(lines("bfcl-dev/possible_answer/BFCL_v4_multi_turn_base.json").map((one) => [one.id, one]))
  return lines("bfcl-dev/BFCL_v4_multi_turn_base.json").map(({ id, question }) => ({
    goal: question.flat().map(({ content }) => content).join("\n"),
    steps: (answers.get(id)?.ground_truth.flat() ?? []).map((asked): Drift.Step => ({ asked, read: [] })),
    attacks: []
  }))
}

/** Sessions, those long enough to drift, those that would be paused; and hijacked ones, with those that would be. */
export const figures = () => {
  const all = existsSync(home) ? [...dojo(), ...tau(), ...bfcl()] : []
  const isPaused = (steps: ReadonlyArray<Drift.Step>, goal: string) => {
    let course = Drift.begin(goal)
    return steps.some((one) => Drift.isBeyond(course = Drift.next(course, one)))
  }
  const hijacked = all.flatMap(({ attacks, goal, steps }) =>
    attacks.map((attack) => isPaused([...steps, ...attack], goal))
  )
  return {
    sessions: all.length,
    long: all.filter(({ steps }) => steps.length > 3).length,
    paused: all.filter(({ goal, steps }) => isPaused(steps, goal)).length,
    hijacked: hijacked.length,
    hijackedPaused: hijacked.filter(Boolean).length
  }
}
