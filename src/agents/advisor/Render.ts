/** A proposal as text, for a terminal and for a ticket file. */
import type { Advice } from "./Advice.ts"

/** Markdown that reads well unrendered. */
export const markdown = (advice: Advice): string => [...head(advice), ...body(advice)].join("\n")

// internal

const outcomes: { readonly [O in Advice["outcome"]]: string } = {
  fault: "fault found",
  no_fault: "no active fault",
  out_of_scope: "out of scope",
  inconclusive: "inconclusive"
}

const head = (advice: Advice): ReadonlyArray<string> => [
  `# ${advice.title}`,
  "",
  advice.summary,
  "",
  `- outcome: ${outcomes[advice.outcome]}${advice.outcome === "fault" ? ` (${advice.scenario})` : ""}`,
  `- severity: ${advice.severity}`,
  `- confidence: ${Math.round(advice.confidence * 100)}%`
]

const body = (advice: Advice): ReadonlyArray<string> => [
  ...section(
    "Evidence",
    advice.claims.map((claim) => `${claim.text} [${claim.evidence.map(({ stamp }) => stamp).join(", ")}]`)
  ),
  ...section("Missing", advice.outcome === "inconclusive" ? advice.missing : []),
  ...section(
    "Ruled out",
    advice.outcome === "inconclusive" ? [] : advice.ruledOut.map(({ because, cause }) => `${cause}: ${because}`)
  ),
  ...section(
    "Proposed actions, for people to decide",
    advice.outcome === "fault"
      ? advice.actions.map(({ how, reversible, what, why }) =>
        `${what}, because ${why}${reversible ? "" : " (cannot be undone)"}${how === null ? "" : `\n      ${how}`}`
      )
      : []
  ),
  ...section("Risks", advice.risks)
]

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", `## ${title}`, "", ...lines.map((line) => `- ${line}`)]
