/**
 * From evidence to advice, by rules. Each rule weighs one cause alone; here they are weighed against each other, and what
 * is left when none holds is said as it is: no fault, or not enough to tell.
 */
import type { Advice, Scenario } from "../Advice.ts"
import { type CaseFile, claims, type Elsewhere, type Hypothesis, patterns, readings, type Ruled } from "../CaseFile.ts"
import { configDrift } from "./ConfigDrift.ts"
import { connectionPool } from "./ConnectionPool.ts"
import { diskSpace } from "./DiskSpace.ts"
import { elsewhere } from "./Elsewhere.ts"
import { errorSpike } from "./ErrorSpike.ts"
import { performance } from "./Performance.ts"
import { queueBacklog } from "./QueueBacklog.ts"

const rules: { readonly [S in Scenario]: (file: CaseFile) => Hypothesis | null } = {
  job_queue_backlog: queueBacklog,
  disk_space_exhaustion: diskSpace,
  connection_pool_exhaustion: connectionPool,
  configuration_drift: configDrift,
  recurring_error_spike: errorSpike,
  performance_regression: performance
}

/** A resource that is used up makes everything slow: beside one of these, slowness is a symptom. */
const resources: ReadonlyArray<Scenario> = ["disk_space_exhaustion", "connection_pool_exhaustion", "job_queue_backlog"]

/** A cause weaker than this is not named as the cause. */
const enough = 0.6

/** What the evidence comes to. */
export const diagnose = (file: CaseFile): Advice => {
  const found = Object.values(rules)
    .flatMap((rule) => rule(file) ?? [])
    .filter((hypothesis) => hypothesis.strength >= enough)
    .toSorted((a, b) => precedence(b) - precedence(a) || b.strength - a.strength)
  const outside = elsewhere(file).filter(({ strength }) => strength >= enough).toSorted((a, b) =>
    b.strength - a.strength
  )
  const [main, ...others] = found
  const [other] = outside
  if (other !== undefined && (main === undefined || other.strength > main.strength)) {
    return outOfScope(file, other, found)
  }
  if (main !== undefined) return fault(file, main, others, outside)
  if (readings(file).length === 0 && file.logs.every(({ value }) => value.entries === 0)) return inconclusive(file)
  return noFault(file)
}

// internal

const precedence = ({ scenario }: Hypothesis): number => resources.includes(scenario) ? 1 : 0

const names: { readonly [S in Scenario]: string } = {
  job_queue_backlog: "job queue backlog",
  disk_space_exhaustion: "disk space exhaustion",
  connection_pool_exhaustion: "connection pool exhaustion",
  configuration_drift: "configuration drift",
  recurring_error_spike: "recurring error spike",
  performance_regression: "performance regression"
}

const fault = (
  file: CaseFile,
  main: Hypothesis,
  others: ReadonlyArray<Hypothesis>,
  outside: ReadonlyArray<Elsewhere>
): Advice => ({
  outcome: "fault",
  scenario: main.scenario,
  contributing: others.map(({ scenario }) => scenario),
  title: main.title,
  summary: [main.summary, ...others.map((other) => `Beside it: ${other.summary}`)].join(" "),
  severity: main.severity,
  confidence: main.strength,
  claims: [...main.claims, ...others.flatMap((other) => other.claims.slice(0, 6))],
  ruledOut: [
    ...outside.map(({ nature }) => ({ cause: nature, because: "the evidence for it is weaker" })),
    ...quiet(file, [main, ...others])
  ],
  actions: [...main.actions, ...others.flatMap((other) => other.actions.slice(0, 1))],
  risks: [...main.risks, ...unread(file)]
})

const outOfScope = (file: CaseFile, other: Elsewhere, found: ReadonlyArray<Hypothesis>): Advice => ({
  outcome: "out_of_scope",
  nature: other.nature,
  title: `Outside the advisor's scope: ${other.nature}`,
  summary: [
    other.summary,
    ...found.map((hypothesis) =>
      `Also seen, and causally independent as far as the evidence goes: ${hypothesis.summary}`
    )
  ].join(" "),
  severity: other.severity,
  confidence: other.strength,
  claims: [...other.claims, ...found.flatMap((hypothesis) => hypothesis.claims.slice(0, 2))],
  ruledOut: [
    ...found.map(({ scenario }) => ({
      cause: names[scenario],
      because: `${other.nature} explains more of the evidence`
    })),
    ...quiet(file, found)
  ],
  risks: ["The advisor has no rules for this kind of fault: nothing is proposed.", ...unread(file)]
})

const noFault = (file: CaseFile): Advice => {
  const all = readings(file)
  const recovered = all.filter(({ value }) => value.breachedAt !== null && !value.breached)
  const cpu = all.filter(({ value }) => value.signal === "cpu.utilisation")
  const shown = [...recovered, ...cpu.filter((fact) => !recovered.includes(fact)), ...all].filter(
    (fact, index, list) => list.indexOf(fact) === index
  )
  const logged = file.logs.flatMap(({ stamp, value }) =>
    value.entries === 0 ? [] : [{ text: value.said, evidence: [{ stamp, quote: value.said }] }]
  )
  const measured = all.length === 0 ? "Nothing was measured" : "All measurements are within normal bounds"
  const errors = file.logs.reduce((sum, { value }) => sum + value.levels.error, 0)
  const says = logged.length === 0
    ? "no log was read"
    : errors === 0
    ? "the log shows no failure"
    : "the log has errors, but none that tells of a known fault"
  const gaps = unread(file)
  return {
    outcome: "no_fault",
    title: "No active fault",
    summary: recovered.length > 0
      ? `Nothing is wrong now: ${
        recovered.map(({ value }) => value.signal).join(", ")
      } left the normal range and recovered by itself.`
      : `${measured}; ${says}. There is no failure to act on.${
        gaps.length === 0 ? "" : " Not everything could be read."
      }`,
    severity: "info",
    confidence: all.length > 0 ? 0.85 : 0.65,
    claims: [...claims(shown, 6), ...logged.slice(0, 1), ...claims(patterns(file, /./), 4)],
    ruledOut: quiet(file, []),
    risks: ["What no source measures was not seen.", ...gaps]
  }
}

const inconclusive = (file: CaseFile): Advice => ({
  outcome: "inconclusive",
  title: "Not enough evidence",
  summary: "No source gave a measurement or a log line, so nothing can be said.",
  severity: "info",
  confidence: 0.5,
  claims: [],
  missing: unread(file),
  risks: ["A system that answers nothing may be down."]
})

/** What could not be read, each with its remedy, once. */
const unread = (file: CaseFile): ReadonlyArray<string> => [
  ...new Set(
    [...file.thresholds, ...file.logs, ...file.settings].flatMap(({ value }) =>
      value.gaps.map((gap) => `Could not be read: ${gap.source}: ${gap.detail} (${gap.remedy}).`)
    )
  )
]

/** Causes that were looked for and not found, where there was something to look at. */
const quiet = (file: CaseFile, found: ReadonlyArray<Hypothesis>): ReadonlyArray<Ruled> => {
  const looked: { readonly [S in Scenario]: boolean } = {
    job_queue_backlog: readings(file, "queue.depth", "queue.oldest_age").length > 0,
    disk_space_exhaustion: readings(file, "disk.used_ratio", "disk.free_bytes").length > 0,
    connection_pool_exhaustion: readings(file, "db.connections").length > 0,
    configuration_drift: file.settings.some(({ value }) => value.settings > 0),
    recurring_error_spike: file.logs.some(({ value }) => value.entries > 0),
    performance_regression: readings(file, "cpu.utilisation", "load.per_core", "request.latency").length > 0
  }
  return Object.entries(names).flatMap(([scenario, cause]) =>
    looked[scenario as Scenario] && !found.some((hypothesis) => hypothesis.scenario === scenario)
      ? [{ cause, because: "its signals are within their limits" }]
      : []
  )
}
