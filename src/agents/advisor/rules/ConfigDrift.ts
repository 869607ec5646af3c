/** Configuration drift: settings are not what they should be. */
import { type CaseFile, claims, drift, type Hypothesis, patterns } from "../CaseFile.ts"

const complaints =
  /invalid (?:configuration|config|setting|value for)|unknown (?:configuration|option|setting|parameter)|configuration (?:error|mismatch)|pending restart/i

export const configDrift = (file: CaseFile): Hypothesis | null => {
  const changed = drift(file)
  if (changed.length === 0) return null
  const said = patterns(file, complaints)
  return {
    scenario: "configuration_drift",
    strength: Math.min(0.9, 0.65 + (said.length > 0 ? 0.15 : 0) + (changed.length > 3 ? 0.05 : 0)),
    severity: said.length > 0 ? "high" : "medium",
    title: `${changed.length} ${changed.length === 1 ? "setting differs" : "settings differ"} from the baseline`,
    summary: `Changed: ${changed.slice(0, 5).map(({ value }) => value.key).join(", ")}${
      changed.length > 5 ? ", …" : ""
    }.`,
    claims: claims([...changed, ...said], 10),
    actions: changed.slice(0, 5).map(({ value }) => ({
      what: `Decide about ${value.key}: restore the baseline, or make the new value the baseline`,
      why: "a difference that nobody decided on will surprise somebody",
      reversible: true,
      how: value.baseline === null ? null : `${value.key} = ${value.baseline}`
    })),
    risks: ["A changed setting may be a deliberate fix that was never written down."]
  }
}
