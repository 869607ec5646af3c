/** Performance regression: compute, storage or a service answers clearly slower than before, and still does. */
import { breaches, type CaseFile, claims, type Hypothesis, patterns, readings } from "../CaseFile.ts"

const slow =
  /slow query|lock (?:wait )?time ?out|checkpoints? (?:are )?occurring too frequently|deadline exceeded|high i\/o wait|vacuum/i

export const performance = (file: CaseFile): Hypothesis | null => {
  const compute = breaches(file, "cpu.utilisation", "load.per_core")
  const storage = breaches(file, "io.read_latency", "io.write_latency", "disk.queue_depth", "db.commit_latency")
  const service = breaches(file, "request.latency", "db.lock_waiters", "memory.available_ratio", "swap.used_ratio")
  const said = patterns(file, slow)
  const symptoms = [...compute, ...storage, ...service]
  if (symptoms.length === 0) return null
  const busiest = readings(file, "db.load_by_statement", "process.cpu_ratio")
    .toSorted((a, b) => b.value.last - a.value.last)
  const waits = readings(file, "db.load_by_wait").toSorted((a, b) => b.value.last - a.value.last)
  const kinds = [compute, storage, service].filter((kind) => kind.length > 0).length
  const strength = Math.min(0.95, 0.65 + 0.1 * kinds + (busiest.length > 0 ? 0.05 : 0) + (said.length > 0 ? 0.05 : 0))
  const cause = busiest[0] === undefined ? "" : ` The largest share of the load is ${busiest[0].value.resource}.`
  const wait = waits[0] === undefined ? "" : ` Most of the waiting is for ${waits[0].value.resource}.`
  const where = [
    ...(compute.length > 0 ? ["CPU"] : []),
    ...(storage.length > 0 ? ["storage latency"] : []),
    ...(service.length > 0 ? ["response times"] : [])
  ].join(" and ")
  return {
    scenario: "performance_regression",
    strength,
    severity: kinds > 1 ? "critical" : "high",
    title: `Performance has regressed: ${where}`,
    summary: `${where} left the normal range and stays out of it.${cause}${wait}`,
    claims: claims([...symptoms.slice(0, 4), ...busiest.slice(0, 2), ...waits.slice(0, 2), ...said.slice(0, 3)], 10),
    actions: [
      {
        what: "Look at the statement or process that carries the load, and at what changed in it",
        why: "one query or job usually explains most of a regression",
        reversible: true,
        how: busiest[0] === undefined ? null : busiest[0].value.resource
      },
      {
        what: "Throttle or reschedule that work",
        why: "it relieves the system while the cause is looked for",
        reversible: true,
        how: null
      }
    ],
    risks: ["Scaling up hides the cause and costs money for as long as it stays."]
  }
}
