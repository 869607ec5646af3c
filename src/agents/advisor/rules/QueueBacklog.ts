/** Job queue backlog: jobs wait longer, because more come than go or because nobody works. */
import { breaches, type CaseFile, claims, type Hypothesis, patterns, readings } from "../CaseFile.ts"

const complaints =
  /queue (?:is )?(?:full|backlog|depth|length)|backlog|consumer lag|jobs? (?:are )?(?:stuck|waiting|pending)|no (?:free )?workers/i

export const queueBacklog = (file: CaseFile): Hypothesis | null => {
  const deep = breaches(file, "queue.depth", "queue.oldest_age")
  const said = patterns(file, complaints)
  if (deep.length === 0 && said.length === 0) return null
  const arrivals = readings(file, "queue.arrivals")
  const completions = readings(file, "queue.completions")
  const workers = readings(file, "queue.workers")
  const isStarved = workers.some(({ value }) => value.last === 0) ||
    completions.some(({ value }) => value.trend === "falling")
  const isFlooded = arrivals.some(({ value }) => value.trend === "rising")
  const strength = deep.length === 0
    ? 0.6
    : Math.min(0.95, 0.8 + (isStarved || isFlooded ? 0.1 : 0) + (said.length > 0 ? 0.05 : 0))
  return {
    scenario: "job_queue_backlog",
    strength,
    severity: deep.length > 0 ? "high" : "medium",
    title: "Jobs pile up in the queue",
    summary: isStarved
      ? "Jobs wait because fewer are completed than before."
      : isFlooded
      ? "Jobs wait because more arrive than are completed."
      : "Jobs wait longer than they should.",
    claims: claims([...deep, ...completions, ...arrivals, ...workers, ...said]),
    actions: [
      {
        what: isFlooded && !isStarved ? "Add workers or slow the producer" : "Find out why the workers complete less",
        why: "the backlog grows for as long as more comes than goes",
        reversible: true,
        how: null
      }
    ],
    risks: ["Purging the queue loses jobs.", "More workers may overload what they depend on."]
  }
}
