/**
 * The texts that detectors are fitted on and measured with. Documents of others are read where they lie and are never copied:
 * one half of the runbooks and of the documents about models is fitted on, by a hash of the text, and the other half is only
 * ever measured. Of installed packages, pages and the comments of declarations are read, in the order of their names.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { apart, plain, third } from "./attacks.ts"
import { fifth, fourth } from "./unseen.ts"

/** Texts of one kind. */
export type Texts = ReadonlyArray<string>

const data = join(import.meta.dirname, "../../../shared/data")
const packages = join(import.meta.dirname, "../../node_modules")

/** A number that a text always has. */
export const hash = (text: string): number => {
  let sum = 2166136261
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 16777619)
  return (sum ^ (sum >>> 15)) >>> 0
}
/** Whether a document is of the half that is fitted on. */
export const isFitted = (text: string): boolean => hash(text) % 2 === 0

/** The texts of a folder of data, by the ending of their names. */
export const folder = (name: string, ending: RegExp): Texts => {
  const top = join(data, name)
  return existsSync(top) ? files(top, ending).map((file) => readFileSync(join(top, file), "utf8")) : []
}
/** Runbooks of others. */
export const runbooks = (): Texts => folder("docs-runbooks", /\.md$/)
/** Documents about models, of their vendor. */
export const aboutModels = (): Texts => {
  const path = join(data, "retrieval-claude-docs/anthropic_docs.json")
  if (!existsSync(path)) return []
  const all: ReadonlyArray<{ readonly text: string }> = JSON.parse(readFileSync(path, "utf8"))
  return all.map(({ text }) => text)
}
/** Pages of installed packages. */
export const pages = (): Texts =>
  files(packages, /\.md$/i)
    .filter((file) => !/license|changelog/i.test(file))
    .map((file) => readFileSync(join(packages, file), "utf8"))
    .filter((text) => text.length < 200_000)
/** Comments of declarations of packages that speak with models, file by file, one file in nine. */
export const comments = (): Texts => {
  const all = files(packages, /\.d\.ts$/).filter((file) => speaking.test(file) && hash(file) % 9 === 0).map((file) =>
    Array.from(
      readFileSync(join(packages, file), "utf8").matchAll(/\/\*\*([\s\S]*?)\*\//g),
      ([, comment = ""]) => comment.replace(/^\s*\* ?/gm, "")
    ).join("\n\n").slice(0, 30_000)
  )
  return [...new Set(all)].filter(({ length }) => length > 500)
}

/** Attacks and harmless texts near the border, by one who had seen no detector. */
export const blind = { attacks: list("blind/attacks.json"), benign: list("blind/benign.json") }

/** By another hand, who had seen no detector and no other list. Nothing is fitted on it, nor chosen by it. */
export const final = { attacks: list("final/attacks.json"), benign: list("final/benign.json") }
/** Attacks that were written for fitting, by one who knew the detectors: nothing is measured with them. */
export const written = list("written.json")
/** Attacks that are fitted on, beside those. Texts that are only hidden are not: undone, they are among the others. */
export const attacks: Texts = [...blind.attacks, ...plain, ...apart, ...third, ...fourth, ...fifth]

// internal

const speaking =
  /^(?:@anthropic-ai|openai|@langchain|@google\/genai|@modelcontextprotocol|ollama|effect|@aws-sdk\/client-bedrock)/
const files = (top: string, ending: RegExp) =>
  readdirSync(top, { recursive: true, encoding: "utf8" }).filter((name) => ending.test(name)).toSorted()
function list(name: string): Texts {
  return JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8"))
}
