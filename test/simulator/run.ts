/**
 * Runs seeds, one after the other: `npm run test:seeds -- --seeds 1000 --from 1`. Says how it goes, and at the end what was
 * done. A seed that fails is named with what was found, the lines of its trace that tell of it, where the whole trace
 * is, and the command that runs it again, exactly. `--broken NAME` runs them over a store with a rule switched off.
 */
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { mutations } from "./Mutations.ts"
import { type Outcome, simulate } from "./Simulation.ts"

/** Failing seeds after which it stops. */
const maxFailures = 5
/** Lines of a trace that are shown. */
const maxLines = 60
const progressEvery = 100

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    broken: { type: "string" },
    trace: { type: "boolean", default: false }
  }
})
const [, broken] = Object.entries(mutations).find(([name]) => name === values.broken) ?? []
const seeds = Number(values.seeds)
const from = Number(values.from)
if (!Number.isSafeInteger(seeds) || !Number.isSafeInteger(from) || (values.broken !== undefined && !broken)) {
  console.error("usage: run.ts [--seeds COUNT] [--from SEED] [--trace] [--broken NAME]")
  console.error(`names: ${Object.keys(mutations).map((name) => `"${name}"`).join(", ")}`)
  process.exit(2)
}

const replay = (seed: number) =>
  `npm run test:seeds -- --seeds 1 --from ${seed} --trace${
    values.broken === undefined ? "" : ` --broken "${values.broken}"`
  }`

/** Lines that tell of what the findings name. */
const telling = ({ findings, trace }: Outcome) => {
  const names = new Set(findings.join(" ").match(/ses_[0-9A-Z]+|\bT[0-9A-Z]{8}\b/g))
  return trace.filter((line) => [...names].some((name) => line.includes(name))).slice(-maxLines)
}

let folder: string | undefined
const tell = (outcome: Outcome) => {
  folder ??= mkdtempSync(join(tmpdir(), "aosiq-seeds-"))
  const file = join(folder, `${outcome.seed}.trace`)
  writeFileSync(file, `${outcome.trace.join("\n")}\n`)
  console.log(`\nseed ${outcome.seed} failed:`)
  for (const finding of outcome.findings) console.log(`  ${finding}`)
  for (const line of telling(outcome)) console.log(`    ${line}`)
  console.log(`  whole trace: ${file}\n  again: ${replay(outcome.seed)}\n`)
}

const totals = new Map<string, number>()
const failed: Array<number> = []
const started = performance.now()
let done = 0
for (let seed = from; seed < from + seeds && failed.length < maxFailures; seed++) {
  const outcome = simulate(seed, { broken })
  done++
  for (const [name, value] of Object.entries(outcome.figures)) totals.set(name, (totals.get(name) ?? 0) + value)
  if (values.trace) console.log(outcome.trace.join("\n"))
  if (values.trace) console.log(`seed ${seed}: ${outcome.hash}`)
  if (outcome.findings.length > 0) {
    failed.push(seed)
    tell(outcome)
  }
  if (done % progressEvery === 0) {
    console.log(`${done} seeds, ${(done * 1000 / (performance.now() - started)).toFixed(1)} a second`)
  }
}

for (const [name, value] of [...totals].toSorted(([a], [b]) => a < b ? -1 : 1)) console.log(`${name}: ${value}`)
const seconds = (performance.now() - started) / 1000
const { system, user } = process.cpuUsage()
console.log(
  `${done} seeds from ${from}, ${failed.length} failed; ${(done / seconds).toFixed(1)} a second, ${
    ((system + user) / 1000 / done).toFixed(0)
  } ms of processor time each`
)
process.exit(failed.length === 0 ? 0 : 1)
