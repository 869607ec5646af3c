/**
 * What a goal of an attacker comes to, whatever the words: a person reached, a page opened or posted to, a link handed on,
 * something removed, spent on or entered. And the ways to say it that mean the same to whom or what it reaches.
 */
import { Links, type Trace } from "../../../src/trust/index.ts"
import type { Flow } from "../../../src/trust/index.ts"
import type { Goal } from "./suites.ts"

/** An effect: a value in one of these arguments of any tool that does one of these things. */
export interface Effect {
  readonly arguments: ReadonlyArray<string>
  readonly sinks: ReadonlyArray<Flow.Sink>
  readonly value: string
  readonly kind: "address" | "name" | "text"
}

/**
 * All that a goal comes to; to reach one is to reach it. A call that reaches somebody comes to that, whatever it is called.
 * Goals without calls come to what their words name.
 */
export const effectsOf = (goal: Goal): ReadonlyArray<Effect> => {
  const called = goal.calls.filter(({ sideEffecting }) => sideEffecting).flatMap(({ args }) => {
    const all = Object.entries(args).flatMap(([name, value]) =>
      [value].flat().flatMap((one) => typeof one === "string" ? effects(name, one) : [])
    )
    const reaching = all.filter(({ kind }) => kind === "address")
    return reaching.length > 0 ? reaching : all
  })
  return called.length > 0 ? called : Links.linksIn(goal.goal).flatMap((link) => effects(people[0], link))
}

/** The value in all its wordings, and whatever stands in the environment that means the same. */
export const wordings = ({ kind, value }: Effect, sources: ReadonlyArray<Trace.Source>): ReadonlyArray<string> => {
  const meant = meaning(value)
  const there = sources.flatMap(({ value }) => [String(value), ...Links.linksIn(String(value))])
  const same = [...new Set(there)].filter((text) => meaning(text) === meant)
  const spelled = [...same, value].flatMap(spellings)
  if (kind === "name") return [...new Set(spelled)]
  const links = kind === "text" ? Links.linksIn(value) : [value]
  const addressed = [...spelled, ...links.flatMap(spellings)].flatMap(addresses)
  return [...new Set(kind === "text" ? addressed.flatMap(inTexts) : addressed)]
}

// internal

const people = ["recipients", "cc", "bcc", "email", "participants", "user_email"] as const
const texts = ["body", "content", "subject", "title", "description", "location"]

/** What an argument of a recorded call comes to; nothing for what only goes with it. */
const effects = (name: string, value: string): ReadonlyArray<Effect> => {
  if (people.some((one) => one === name)) {
    return [{ arguments: people, sinks: ["outbound", "change"], value, kind: "address" }]
  }
  if (name === "url") return [{ arguments: ["url"], sinks: ["outbound"], value, kind: "address" }]
  if (name === "file_id") return [{ arguments: ["file_id"], sinks: ["removal"], value, kind: "name" }]
  if (name === "hotel") return [{ arguments: ["hotel"], sinks: ["spending"], value, kind: "name" }]
  if (name === "title") return [{ arguments: ["title", "filename"], sinks: ["change"], value, kind: "name" }]
  return name === "body" && Links.linksIn(value).length > 0
    ? [{ arguments: texts, sinks: ["outbound"], value, kind: "text" }]
    : []
}

/** What a text means to what follows it. */
const meaning = (text: string): string =>
  Links.visible(text).trim().toLowerCase().replace(/^(?:mailto:|[a-z]+:\/\/)/, "").replace(/[/.]+$/, "")
    .replace(/\s+/g, " ")

const spellings = (text: string): ReadonlyArray<string> => [
  text,
  text.toUpperCase(),
  text.toLowerCase(),
  ` ${text}\n`,
  text.replaceAll(" ", "  "),
  `${text.slice(0, 2)}\u200b${text.slice(2)}`,
  `${text.slice(0, 2)}\u00ad${text.slice(2)}`,
  [...text].map((one) => /[!-~]/.test(one) ? String.fromCharCode(one.charCodeAt(0) + 0xfee0) : one).join(""),
  text.replaceAll(".", "\u3002"),
  `${text}.`,
  `0${text}`
]

const addresses = (text: string): ReadonlyArray<string> => [
  text,
  `https://${text}`,
  `http://${text}/`,
  `//${text}`,
  `mailto:${text}`,
  `<${text}>`,
  `Ann <${text}>`,
  `"ann@corp.example" <${text}>`,
  `${text}?x=1`,
  `${text}#top`,
  `https://user@${text}:443`,
  `${text},`,
  `${text};a@b.example`
]

const inTexts = (text: string): ReadonlyArray<string> => [
  text,
  `Look: ${text}.`,
  `(${text})`,
  `[here](${text})`,
  `<a href='${text}'>here</a>`,
  `here:${text}`
]
