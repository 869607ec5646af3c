/** Prints how each scenario of the official suite went. Fails when one did not pass. */
import { Effect } from "effect"
import { judged } from "./judge.ts"

const verdicts = await Effect.runPromise(judged)
for (const { objections, passed, scenario } of verdicts) {
  process.stdout.write(`${objections.length === 0 ? "passes" : "FAILS "}  ${scenario} (${passed} checks)\n`)
  for (const objection of objections) process.stdout.write(`        ${objection}\n`)
}
process.exitCode = verdicts.length > 0 && verdicts.every(({ objections }) => objections.length === 0) ? 0 : 1
