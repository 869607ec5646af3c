/** Tasks of users and goals of attackers, as recorded: what each would call, and what the tools answered. */
import { Schema } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"
import type { Hijack } from "../../../layers/presets/testing.ts"

const Args = Schema.Record(Schema.String, Schema.Json)
const Call = Schema.Struct({ function: Schema.String, args: Args, sideEffecting: Schema.Boolean })
const UserCall = Schema.Struct({ ...Call.fields, result: Schema.String, vectorsSeen: Schema.Array(Schema.String) })
const Mail = Schema.Struct({ sender: Schema.String, recipients: Schema.Array(Schema.String) })
const Inbox = Schema.Struct({ account_email: Schema.String, initial_emails: Schema.Array(Mail) })
const Suite = Schema.Struct({
  env: Schema.Struct({ inbox: Schema.optionalKey(Inbox) }),
  tools: Schema.Array(Schema.Struct({
    name: Schema.String,
    parameters: Schema.Struct({ properties: Schema.Record(Schema.String, Schema.Json) })
  })),
  injectionVectorDefaults: Schema.Record(Schema.String, Schema.String),
  userTasks: Schema.Array(Schema.Struct({ id: Schema.String, prompt: Schema.String, calls: Schema.Array(UserCall) })),
  injectionTasks: Schema.Array(Schema.Struct({
    id: Schema.String,
    kind: Schema.String,
    goal: Schema.String,
    calls: Schema.Array(Call)
  }))
})
export type Suite = typeof Suite.Type
export type Task = Suite["userTasks"][number]
export type Goal = Suite["injectionTasks"][number]
export const names = ["slack", "travel", "workspace"] as const
export type Name = (typeof names)[number]

const path = join(import.meta.dirname, "../../../../shared/data/agents/agentdojo-actions/agentdojo.json")
export const isThere = existsSync(path)

export const load = (): Readonly<Record<Name, Suite>> =>
  Schema.decodeUnknownSync(Schema.Struct({ suites: Schema.Struct({ slack: Suite, travel: Suite, workspace: Suite }) }))(
    JSON.parse(readFileSync(path, "utf8"))
  ).suites

/** Goals that are calls with an effect; the others are words. */
export const actions = ({ injectionTasks }: Suite): ReadonlyArray<Goal> =>
  injectionTasks.filter(({ calls }) => calls.some(({ sideEffecting }) => sideEffecting))

/** To whom the user wrote before any session began: the address book that an operator can have made out of sent mail. */
export const addressBook = ({ env: { inbox } }: Suite): ReadonlyArray<string> => [
  ...new Set(
    (inbox?.initial_emails ?? []).flatMap(({ recipients, sender }) => sender === inbox?.account_email ? recipients : [])
  )
]

/** A value with `text` wherever an attacker's would stand; else as it is without one. */
const filled = <A extends Schema.Json>(suite: Suite, json: A, text: string | undefined): A => {
  const texts = Object.entries(suite.injectionVectorDefaults)
  const walk = (json: Schema.Json): Schema.Json => {
    if (typeof json === "string") {
      return texts.reduce((all, [vector, harmless]) => all.replaceAll(`CANARY_${vector}_`, text ?? harmless), json)
    }
    if (Array.isArray(json)) return json.map(walk)
    if (json === null || typeof json !== "object") return json
    return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, walk(value)]))
  }
  return walk(json) as A // Of the same form, with other texts.
}

/** The calls of a user's task. Arguments that repeat what was read have the attacker's text in them, too. */
export const stepsOf = (suite: Suite, { calls }: Task, text?: string): ReadonlyArray<Hijack.Step> =>
  calls.map(({ args, function: tool, result }) => ({
    tool,
    args: filled(suite, args, text),
    answer: filled(suite, fieldsOf(result), text)
  }))

/** The calls of an attacker, answered as the same calls were answered in some task of the suite. */
export const attackOf = (suite: Suite, { calls }: Goal): ReadonlyArray<Hijack.Step> => {
  const known = new Map(
    suite.userTasks.flatMap(({ calls }) => calls).map(({ args, function: tool, result }) => [keyOf(tool, args), result])
  )
  return calls.map(({ args, function: tool }) => ({
    tool,
    args,
    answer: filled(suite, fieldsOf(known.get(keyOf(tool, args)) ?? ""), undefined)
  }))
}

// internal

const keyOf = (tool: string, args: typeof Args.Type) => JSON.stringify([tool, args])

const fieldsOf = (text: string): Schema.Json => {
  try {
    const value: unknown = parse(text, { schema: "failsafe" })
    return Schema.decodeUnknownSync(Schema.Json)(value)
  } catch {
    return text
  }
}
