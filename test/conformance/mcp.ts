/** Prints how each scenario of the official suite went. Fails when one that applies did not pass. */
import { Effect } from "effect"
import { judged, notOffered } from "./judge.ts"

const verdicts = await Effect.runPromise(judged)
let isWell = true
for (const { objections, passed, scenario } of verdicts) {
  const reason = notOffered[scenario]
  const word = objections.length === 0 ? "passes" : reason === undefined ? "FAILS" : "does not apply"
  isWell &&= word !== "FAILS"
  process.stdout.write(`${word.padEnd(15)}${scenario} (${passed} checks)${reason === undefined ? "" : `: ${reason}`}\n`)
  if (reason === undefined) {
    for (const objection of objections) process.stdout.write(`${" ".repeat(15)}${objection}\n`)
  }
}
process.exitCode = isWell && verdicts.length > 0 ? 0 : 1
