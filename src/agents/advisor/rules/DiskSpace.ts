/** Disk space exhaustion: a volume or its inodes are full, or will be within a day at the pace they fill. */
import { breaches, type CaseFile, claims, type Hypothesis, patterns, readings } from "../CaseFile.ts"

const day = 86_400
const hour = 3600
/** What file systems and databases say when space runs out. */
const complaints =
  /no space left|disk (?:is )?full|enospc|out of (?:disk|storage) space|storage space|storage is (?:critically )?low|low (?:disk|storage)/i
const gone = /ran out of|no space left|enospc|disk (?:is )?full/i
/** What they say when somebody made room. */
const relief = /autoscaling completed|storage has been increased|space (?:was )?(?:freed|reclaimed)/i

export const diskSpace = (file: CaseFile): Hypothesis | null => {
  const free = readings(file, "disk.free_bytes")
  const running = free.filter(({ value }) =>
    value.trend === "falling" && value.exhaustedIn !== null && value.exhaustedIn < day
  )
  const empty = free.filter(({ value }) => value.last <= 0)
  const full = [...breaches(file, "disk.used_ratio", "inode.used_ratio"), ...empty]
  const said = patterns(file, complaints)
  const relieved = patterns(file, relief).length > 0 || free.some(({ value }) => value.trend === "rising")
  const measured = [...full, ...running.filter((fact) => !full.includes(fact))]
  if (relieved && full.length === 0 && running.length === 0) return null
  if (measured.length === 0 && said.length === 0) return null
  const soonest = running.reduce((least, { value }) => Math.min(least, value.exhaustedIn ?? day), day)
  // A log that complains beside a measurement that shows room is believed less than one without a measurement.
  const unconfirmed = free.length > 0 || readings(file, "disk.used_ratio").length > 0 ? 0.5 : 0.7
  const strength = measured.length === 0
    ? unconfirmed
    : Math.min(0.95, 0.8 + (said.length > 0 ? 0.1 : 0) + (soonest < hour ? 0.05 : 0))
  const isOut = empty.length > 0 || said.some(({ value }) => gone.test(value.sample))
  return {
    scenario: "disk_space_exhaustion",
    strength,
    severity: isOut || soonest < hour ? "critical" : "high",
    title: isOut ? "Storage has run out" : "Storage is running out",
    summary: summary(measured.length > 0, soonest, isOut),
    claims: claims([...measured, ...said]),
    actions: [
      {
        what: "Find what fills the volume and stop it",
        why: "space given to a writer that does not stop is used up again",
        reversible: true,
        how: "du -xh --max-depth=2 | sort -h | tail"
      },
      {
        what: "Extend the volume, or delete data that its owner releases",
        why: "writes fail once nothing is left",
        reversible: false,
        how: null
      }
    ],
    risks: ["Deleting files to make room may destroy what is needed to find the cause."]
  }
}

const summary = (isMeasured: boolean, soonest: number, isOut: boolean): string => {
  if (isOut) return "The storage is used up: no storage space is left and writes fail."
  if (!isMeasured) {
    return "The log reports that storage space is low; there is no measurement of it to confirm the pace."
  }
  return soonest < day
    ? `Free storage space falls so fast that it is used up in about ${Math.ceil(soonest / 60)} minutes.`
    : "The storage is above the share at which file systems begin to fail."
}
