/**
 * What attackers and users come to, what may be cited, what detectors find and miss, and what redaction takes: `npm run
 * bench:trust`, with `--json` for programs. Bad numbers are printed like good ones. Recall is over attacks worded by hand;
 * false positives over runbooks and documents that nobody wrote for this. Times are beside one pass over the same text that
 * only counts its characters' codes; what looking costs a governed call is beside the same call without. Growth is the time
 * for sixteen times the text over that for once: of the short time for a text alone, what else the process does is too much.
 */
import { Effect } from "effect"
import fc from "fast-check"
import { NodeDigest } from "../../layers/node/index.ts"
import { Detect, Redact, Spotlight } from "../../src/trust/index.ts"
import { adversarial } from "../trust/adversarial.ts"
import { apart, hidden, plain, third } from "../trust/attacks.ts"
import { aboutModels, blind, final, folder, isFitted, runbooks } from "../trust/corpus.ts"
import { hostileTo, isHeld } from "../trust/envelopes.ts"
import { fifth, fourth } from "../trust/unseen.ts"
import * as Citations from "./citations.ts"
import * as Drift from "./drift.ts"
import * as Governed from "./governed.ts"
import * as Hijacks from "./hijacks.ts"
import * as Labels from "./labels.ts"

const block = 4096

const halves = (name: string, all: ReadonlyArray<string>) => ({
  [`${name}, fitted on`]: all.filter(isFitted),
  [`${name}, never fitted on`]: all.filter((text) => !isFitted(text))
})
const sets = {
  ...halves("runbooks", runbooks()),
  ...halves("documents about models", aboutModels()),
  incidents: folder("incidents-opensre-rds", /\.(?:md|json|ya?ml)$/),
  "alert rules": folder("alert-rules-awesome-prometheus", /\.(?:md|ya?ml)$/),
  "near the border, fitted on": blind.benign,
  "near the border, unseen": final.benign
}
const attacks = {
  unseen: final.attacks,
  "fitted on, blind list": blind.attacks,
  "fitted on, older lists": [...plain, ...apart, ...third, ...fourth, ...fifth],
  hidden
}

const count = (all: ReadonlyArray<string>) => ({
  of: all.length,
  suspicious: all.filter((text) => Detect.isSuspicious(Detect.scan(text))).length
})
const quantile = (sorted: ReadonlyArray<number>, part: number) => sorted[Math.floor(sorted.length * part)] ?? 0
const timed = (blocks: ReadonlyArray<string>, run: (text: string) => unknown) => {
  for (const text of blocks.slice(0, 200)) run(text)
  // Each block's best of five: what is left is the block's own cost, and not who else had the processor.
  const times = blocks.map((text) => {
    let best = Infinity
    for (let round = 0; round < 5; round++) {
      const begun = performance.now()
      run(text)
      best = Math.min(best, performance.now() - begun)
    }
    return best
  }).toSorted((a, b) => a - b)
  return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) }
}
let sink = 0
const codes = (text: string) => {
  for (let at = 0; at < text.length; at++) sink = (sink + text.charCodeAt(at)) | 0
}
const joined = runbooks().join("\n")
const blocks = Array.from(
  { length: Math.floor(joined.length / block) },
  (_, at) => joined.slice(at * block, at * block + block)
)

/** Texts that were put into envelopes, and those that closed theirs. */
const envelopes = () => {
  const mark = Spotlight.mark(NodeDigest.digest, { token: "header.payload.signature", path: "/act-1-0" })
  let texts = 0
  let closed = 0
  const tried = fc.property(fc.array(hostileTo(mark), { maxLength: 8 }), fc.boolean(), (pieces, isMarked) => {
    texts++
    if (!isHeld(pieces.join(""), mark, isMarked)) closed++
  })
  fc.assert(tried, { numRuns: 100_000, seed: 5 })
  return { texts, closed }
}

/** The worst growth over texts made against the detectors, and which text that is. */
const growth = () => {
  const least = (text: string) => {
    let best = Infinity
    for (let round = 0; round < 7; round++) {
      const begun = process.cpuUsage()
      Detect.scan(text)
      best = Math.min(best, process.cpuUsage(begun).user / 1000)
    }
    return best
  }
  const all = adversarial.map(([name, unit]) => {
    const of = (length: number) => unit.repeat(Math.ceil(length / unit.length))
    least(of(65_536))
    return { name, ratio: least(of(1_048_576)) / least(of(65_536)) }
  })
  return all.toSorted((a, b) => b.ratio - a.ratio)[0] ?? { name: "", ratio: 0 }
}

const report = {
  hijacks: await Hijacks.hijacks(),
  citations: await Citations.citations(),
  recall: Object.fromEntries(Object.entries(attacks).map(([name, all]) => [name, count(all)])),
  falsePositives: Object.fromEntries(Object.entries(sets).map(([name, all]) => [name, count(all)])),
  per4KB: { detect: timed(blocks, Detect.scan), redact: timed(blocks, Redact.redact), codes: timed(blocks, codes) },
  governed: await Effect.runPromise(Governed.costs(joined, [40, 1024, 4096, 65_536], 200)),
  labels: await Labels.costs(),
  growth: growth(),
  envelopes: envelopes(),
  drift: Drift.figures(),
  redaction: {
    characters: joined.length,
    taken: Redact.find(joined).reduce((sum, { end, start }) => sum + end - start, 0)
  }
}

const say = (line: string) => void process.stdout.write(`${line}\n`)
const share = ({ of, suspicious }: { readonly of: number; readonly suspicious: number }) =>
  `${suspicious} of ${of} (${(100 * suspicious / Math.max(1, of)).toFixed(1)} %)`
if (process.argv.includes("--json")) say(JSON.stringify(report))
else {
  for (const line of [...Hijacks.told(report.hijacks), ...Citations.told(report.citations)]) say(line)
  for (const [name, one] of Object.entries(report.recall)) say(`attacks found, ${name}: ${share(one)}`)
  for (const [name, one] of Object.entries(report.falsePositives)) say(`false positives, ${name}: ${share(one)}`)
  const { codes: base, detect, redact } = report.per4KB
  for (const [name, { p50Ms, p99Ms }] of Object.entries({ detect, redact, "codes alone": base })) {
    const ratio = base.p50Ms > 0 ? `, ${(p50Ms / base.p50Ms).toFixed(0)} times the codes` : ""
    say(`4 KB, ${name}: p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms${ratio}`)
  }
  for (const { length, ratio, withMs, withoutMs } of report.governed) {
    const cost = `${withMs.toFixed(3)} ms, without detectors ${withoutMs.toFixed(3)} ms`
    say(`governed call, result of ${length} characters: ${cost}, ${ratio.toFixed(2)} times`)
  }
  for (const { freeUs, heldUs, ratio, reads } of report.labels) {
    const cost = `${heldUs.toFixed(0)} µs, without ${freeUs.toFixed(0)} µs`
    say(`an act held to rules on labels after ${reads} reads: ${cost}, ${ratio.toFixed(2)} times`)
  }
  say(`sixteen times the text takes at worst ${report.growth.ratio.toFixed(2)} times as long (${report.growth.name})`)
  say(`envelopes closed from inside: ${report.envelopes.closed} of ${report.envelopes.texts} texts`)
  const { hijacked, hijackedPaused, long, paused, sessions } = report.drift
  say(`drift: ${paused} of ${sessions} sessions that did as asked are paused (${long} are longer than their beginning)`)
  say(`drift: ${hijackedPaused} of ${hijacked} hijacked ones are`)
  say(`runbooks: ${report.redaction.taken} of ${report.redaction.characters} characters taken out as secrets`)
}
