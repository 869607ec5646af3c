/** Recurring error spike: errors come several times as often as before, or one error repeats. */
import { breaches, type CaseFile, claims, type Hypothesis } from "../CaseFile.ts"

/** Errors in the last quarter against the average of the quarters before. */
const spike = 3
/** Fewer errors than this are noise. */
const fewest = 20

export const errorSpike = (file: CaseFile): Hypothesis | null => {
  const rates = breaches(file, "request.error_ratio")
  const spikes = file.logs.filter(({ value }) =>
    value.errorsRecent >= fewest && value.errorsRecent >= spike * Math.max(1, value.errorsBefore)
  )
  const repeated = file.logs.flatMap(({ stamp, value }) =>
    value.patterns
      .filter((pattern) => (pattern.level === "error" || pattern.level === "fatal") && pattern.count >= fewest)
      .map((pattern) => ({ value: pattern, claim: { text: pattern.said, evidence: [{ stamp, quote: pattern.said }] } }))
  )
  if (rates.length === 0 && spikes.length === 0 && repeated.length === 0) return null
  const top = repeated[0]?.value
  const strength = spikes.length > 0 || rates.length > 0 ? (repeated.length > 0 ? 0.85 : 0.75) : 0.65
  return {
    scenario: "recurring_error_spike",
    strength,
    severity: spikes.length > 0 || rates.length > 0 ? "high" : "medium",
    title: spikes.length > 0 || rates.length > 0 ? "Errors have spiked" : "One error keeps recurring",
    summary: top === undefined
      ? "Errors come several times as often as before."
      : `The most frequent error repeats: ${top.template.slice(0, 160)}`,
    claims: claims([
      ...rates,
      ...repeated,
      ...spikes.map(({ stamp, value }) => ({
        value,
        claim: { text: value.said, evidence: [{ stamp, quote: value.said }] }
      }))
    ]),
    actions: [{
      what: "Compare the first occurrence of the leading error with what was deployed or changed then",
      why: "a recurring error has one cause that began at one time",
      reversible: true,
      how: null
    }],
    risks: ["The leading error may be a symptom of something that logs nothing."]
  }
}
