/**
 * What the report of the tests says: `tests.mjs REPORT NEEDED...` prints "PASSED FAILED NAMES" to stdout, where NAMES are
 * the needed services with a test that was skipped, or with no test at all. What was skipped goes to stderr.
 */
import { readFileSync } from "node:fs"

const [report, ...needed] = process.argv.slice(2)
const { numFailedTests, numPassedTests, testResults } = JSON.parse(readFileSync(report, "utf8"))

// A file that could not be read has no tests to count.
const broken = testResults.filter(({ assertionResults, status }) =>
  status === "failed" && !assertionResults.some((test) => test.status === "failed")
)
const tests = testResults.flatMap(({ assertionResults, name }) => assertionResults.map((test) => ({ ...test, name })))
const hasRun = ({ status }) => status === "passed" || status === "failed"
const skipped = tests.filter((test) => !hasRun(test))
const unseen = needed.filter((service) => {
  const itsTests = tests.filter(({ fullName }) => fullName.includes(`(${service})`))
  return itsTests.length === 0 || !itsTests.every(hasRun)
})

const places = Map.groupBy(skipped, ({ ancestorTitles: [first = ""], name }) => `${name} > ${first}`)
for (const [place, { length }] of places) process.stderr.write(`SKIPPED: ${length} of ${place}\n`)
process.stdout.write(`${numPassedTests} ${numFailedTests + broken.length} ${unseen.join(", ")}\n`)
