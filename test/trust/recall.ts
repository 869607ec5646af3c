/**
 * What detectors find in lists of texts: `npx node --conditions=aosiq-source test/trust/recall.ts --attacks F.json --benign
 * G.json`, each a JSON array of strings. `--missed` prints the attacks that pass and the harmless texts that do not.
 */
import { readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { Detect } from "../../src/trust/index.ts"

const { values } = parseArgs({
  options: { attacks: { type: "string" }, benign: { type: "string" }, missed: { type: "boolean", default: false } }
})
const isFound = (text: string) => Detect.isSuspicious(Detect.scan(text))
const say = (line: string) => void process.stdout.write(`${line}\n`)
const tell = (what: string, file: string | undefined, isWrong: (text: string) => boolean) => {
  if (file === undefined) return
  const all: ReadonlyArray<string> = JSON.parse(readFileSync(file, "utf8"))
  const found = all.filter(isFound).length
  say(`${what}: ${found} of ${all.length} (${(100 * found / Math.max(1, all.length)).toFixed(1)} %)`)
  if (values.missed) { for (const text of all.filter(isWrong)) say(`  ${JSON.stringify(text)}`) }
}
tell("attacks found", values.attacks, (text) => !isFound(text))
tell("false positives", values.benign, isFound)
