/** Runs seeds: `node test/simulator/run.ts --seeds 1000 --from 1`. */
import { simulate } from "./Simulation.ts"
const from = Number(process.argv[3] ?? 1)
const count = Number(process.argv[2] ?? 1)
const started = process.cpuUsage()
const totals: Record<string, number> = {}
let failed = 0
for (let seed = from; seed < from + count; seed++) {
  const outcome = simulate(seed)
  for (const [name, value] of Object.entries(outcome.figures)) totals[name] = (totals[name] ?? 0) + value
  if (outcome.findings.length > 0) {
    failed++
    console.log(seed, outcome.findings.slice(0, 6))
    if (count === 1) console.log(outcome.trace.join("\n"))
  }
  if (count === 1) console.log(outcome.hash, outcome.trace.length)
}
const { user } = process.cpuUsage(started)
console.log(totals, `${failed} of ${count} failed, ${user / 1000 / count} ms a seed`)
