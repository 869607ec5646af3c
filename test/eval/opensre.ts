/**
 * Scores the advisor's baseline on the recorded incidents, with the answer files' own rules, and prints one line a case.
 * The advisor sees a case only through its folder layer, which reads evidence and never an answer.
 */
import { NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, Layer, Path, Schema } from "effect"
import YAML from "yaml"
import * as CaseFolder from "../../layers/casefolder/index.ts"
import { AdvisorPreset, Memory } from "../../layers/presets/index.ts"
import type { Advice } from "../../src/agents/advisor/index.ts"
import { Dispatch } from "../../src/session/index.ts"

/** Where the set lies, seen from the repository. */
export const folder = new URL("../../../shared/data/incidents-opensre-rds/", import.meta.url).pathname

const Strings = Schema.optionalKey(Schema.Array(Schema.String))
const Answer = Schema.Struct({
  root_cause_category: Schema.String,
  required_keywords: Strings,
  forbidden_keywords: Strings,
  forbidden_categories: Strings,
  required_evidence_sources: Strings
})

/** What the set's own page says each case is for, in the advisor's words. Case 011 is on two of its lists. */
const uses: Readonly<Record<string, ReadonlyArray<string>>> = {
  connection_pool_exhaustion: ["002", "009"],
  disk_space_exhaustion: ["003", "008", "011"],
  performance_regression: ["004", "011", "014"],
  no_fault: ["000", "007", "013"],
  out_of_scope: ["001", "005", "006", "010", "012"]
}

/** The set's root-cause categories for what the advisor concluded. */
const categoryOf = (advice: Advice.Advice): string => {
  switch (advice.outcome) {
    case "no_fault":
      return "healthy"
    case "inconclusive":
      return "unknown"
    case "out_of_scope":
      return advice.nature === "replication lag" ? "resource_exhaustion" : "infrastructure"
    case "fault":
      return advice.scenario === "configuration_drift" || advice.scenario === "recurring_error_spike"
        ? "other"
        : "resource_exhaustion"
  }
}

/** One case's score. */
export interface Score {
  readonly name: string
  readonly outcome: string
  readonly scenario: boolean
  readonly rootCause: boolean
  readonly keywords: number
  readonly evidence: number
  readonly refusal: boolean | null
  readonly detail: string
}

const diagnose = (directory: string) =>
  Effect.gen(function*() {
    const backend = yield* AdvisorPreset.baseline
    const { diagnosis, layer } = yield* AdvisorPreset.make(backend)
    return yield* Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const { description, title } = yield* CaseFolder.request(directory)
      const order = { request: { title, description }, ticket: null }
      const ended = yield* dispatch.start(diagnosis, order, { grant: AdvisorPreset.grant(0), caller: "eval" })
      return ended
    }).pipe(Effect.provide(layer.pipe(
      Layer.provideMerge(CaseFolder.layer({ directory })),
      Layer.provideMerge(Memory.layer())
    )))
  })

/** The score of one case folder. */
export const score = Effect.fnUntraced(function*(name: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = path.join(folder, name)
  const text = yield* fs.readFileString(path.join(directory, "answer.yml"))
  const answer = yield* Schema.decodeUnknownEffect(Answer)(YAML.parse(text))
  const ended = yield* diagnose(directory)
  if (ended._tag !== "Succeeded") {
    return {
      name,
      outcome: ended._tag,
      scenario: false,
      rootCause: false,
      keywords: 0,
      evidence: 0,
      refusal: null,
      detail: "detail" in ended ? ended.detail : ""
    } satisfies Score
  }
  const { advice } = ended.output
  const said = JSON.stringify(advice).toLowerCase()
  const got: ReadonlyArray<string> = advice.outcome === "fault"
    ? [advice.scenario, ...advice.contributing]
    : [advice.outcome]
  const wanted = Object.keys(uses).filter((use) => uses[use]?.includes(name.slice(0, 3)))
  const keywords = answer.required_keywords ?? []
  const missed = keywords.filter((word) => !said.includes(word.toLowerCase()))
  const sources = answer.required_evidence_sources ?? []
  const cited = sources.filter((source) => advice.claims.some((claim) => claim.text.includes(source)))
  const category = categoryOf(advice)
  const forbidden = [
    ...(answer.forbidden_categories ?? []).filter((one) => one === category),
    ...(answer.forbidden_keywords ?? []).filter((word) => said.includes(word.toLowerCase()))
  ]
  const declines = wanted[0] === "no_fault" || wanted[0] === "out_of_scope"
  return {
    name,
    outcome: got.join("+"),
    scenario: wanted.every((one) => got.includes(one)) && got[0] !== undefined && wanted.some((one) => one === got[0]),
    rootCause: category === answer.root_cause_category && forbidden.length === 0,
    keywords: keywords.length === 0 ? 1 : 1 - missed.length / keywords.length,
    evidence: sources.length === 0 ? 1 : cited.length / sources.length,
    refusal: declines ? got[0] === wanted[0] : null,
    detail: [
      `expected ${wanted.join("+")}`,
      ...(missed.length === 0 ? [] : [`words missed: ${missed.join(", ")}`]),
      ...(forbidden.length === 0 ? [] : [`forbidden: ${forbidden.join(", ")}`])
    ].join("; ")
  } satisfies Score as Score
})

/** The scores of all cases, by name. */
export const scores = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const names = (yield* fs.readDirectory(folder)).filter((name) => /^\d{3}-/.test(name)).toSorted()
  return yield* Effect.forEach(names, score)
})

const mark = (value: boolean | null) => value === null ? "-" : value ? "yes" : "NO"
const percent = (value: number) => `${Math.round(value * 100)}%`

/** The table as text. */
export const table = (all: ReadonlyArray<Score>): string => {
  const rows = all.map((one) => [
    one.name,
    mark(one.scenario),
    mark(one.rootCause),
    percent(one.keywords),
    percent(one.evidence),
    mark(one.refusal),
    one.outcome,
    one.detail
  ])
  const head = ["case", "scenario", "root cause", "words", "evidence", "refusal", "concluded", "detail"]
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)))
  const lines = [head, ...rows].map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  )
  const share = (of: (one: Score) => boolean | null) => {
    const judged = all.filter((one) => of(one) !== null)
    return `${judged.filter((one) => of(one) === true).length}/${judged.length}`
  }
  const mean = (of: (one: Score) => number) =>
    percent(all.reduce((sum, one) => sum + of(one), 0) / Math.max(1, all.length))
  return [
    ...lines,
    "",
    `scenario ${share((one) => one.scenario)}, root cause ${share((one) => one.rootCause)}, refusals ${
      share((one) => one.refusal)
    }, ` +
    `words ${mean((one) => one.keywords)}, evidence ${mean((one) => one.evidence)}`
  ].join("\n")
}

if (import.meta.main) {
  await Effect.runPromise(
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      if (!(yield* fs.exists(folder))) {
        return yield* Console.log(`the recorded incidents are not at ${folder}: nothing scored`)
      }
      yield* Console.log(table(yield* scores))
    }).pipe(Effect.provide(NodeServices.layer))
  )
}
