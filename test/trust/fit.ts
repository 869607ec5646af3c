/**
 * Fits the weights by which passages are scored, and writes `src/trust/Weights.ts`: `npx node --conditions=aosiq-source
 * test/trust/fit.ts`, with `--try` to cross-validate alone, and `--list` to print the weights that are in use. The same texts
 * give the same weights.
 *
 * Of an attack one passage counts, the one that scores most, since the rest of its text is harmless; of a harmless text those
 * that score most, and some of the others. Which passages these are follows from the weights, so it is done three times over.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Features from "../../src/trust/Features.ts"
import * as Plainly from "../../src/trust/Plainly.ts"
import * as Wording from "../../src/trust/Wording.ts"
import {
  aboutModels,
  attacks,
  blind,
  comments,
  hash,
  isFitted,
  pages,
  runbooks,
  type Texts,
  written
} from "./corpus.ts"
import { type Example, fit } from "./logistic.ts"

/** How much harmless texts of a kind count, in the fit and where features are scaled. */
const kinds = {
  runbooks: { count: 1, share: 0.3 },
  aboutModels: { count: 2, share: 0.6 },
  pages: { count: 0.5, share: 0.1 },
  comments: { count: 1, share: 0.2 },
  border: { count: 2, share: 1 }
}
type Kind = keyof typeof kinds
type Harmless = Readonly<Record<Kind, Texts>>
/** Chosen by cross-validation. */
const choices = { penalty: 0.1, attack: 3, top: 5, rest: 10, rounds: 60, turns: 3, folds: 3 }
/** Kinds of features may weigh differently for the same penalty; those with words as those of kinds alone. */
const ease = { alone: 1, opening: 0.7, beside: 0.7, across: 0.7, near: 0.5, far: 0.3 }
const easeOfWords = 1

interface Passage {
  readonly features: Int32Array
  readonly factor: number
}
interface Fitted {
  readonly stems: Texts
  readonly features: ReadonlyArray<number>
  readonly weights: Float64Array
  readonly bias: number
  readonly score: (text: string) => number
}

const wordsOf = new Map<string, ReadonlyArray<Plainly.Word>>()
const words = (text: string) => {
  const known = wordsOf.get(text) ?? Plainly.read(text).words
  wordsOf.set(text, known)
  return known
}

/** What stands in at least two attacks: words, and features. */
const candidates = (attacks: Texts) => {
  const twice = <A>(all: ReadonlyArray<ReadonlySet<A>>): Array<A> => {
    const counts = new Map<A, number>()
    for (const some of all) for (const one of some) counts.set(one, (counts.get(one) ?? 0) + 1)
    return [...counts].flatMap(([one, count]) => count > 1 ? [one] : [])
  }
  const bare = Features.reader(new Map())
  const stems = twice(attacks.map((text) => new Set(bare(text, words(text)).map(({ stem }) => stem)))).toSorted()
  const read = Features.reader(new Map(stems.map((stem, at) => [stem, Features.firstWord + at])))
  const features = twice(attacks.map((text) => {
    const seen = new Set<number>()
    const tokens = read(text, words(text))
    for (const span of Features.sentences(words(text))) Features.each(tokens, span, (one) => void seen.add(one))
    return seen
  })).toSorted((a, b) => a - b)
  return { stems, read, features }
}

const learn = (attacks: Texts, harmless: Harmless): Fitted => {
  const { features, read, stems } = candidates(attacks)
  const index = new Map(features.map((feature, at) => [feature, at]))
  const passages = (text: string): ReadonlyArray<Passage> => {
    const tokens = read(text, words(text))
    const spans = Features.sentences(words(text))
    const sets = spans.map((span) => {
      const seen = new Set<number>()
      Features.each(tokens, span, (feature) => {
        const at = index.get(feature)
        if (at !== undefined) seen.add(at)
      })
      return seen
    })
    const one = (seen: ReadonlySet<number>, length: number): Passage => ({
      features: Int32Array.from(seen),
      factor: 1 / Math.sqrt(Math.max(Wording.minWords, length))
    })
    return spans.flatMap(([from, to], at) => {
      const here = sets[at] ?? new Set()
      const next = sets[at + 1]
      const alone = one(here, to - from)
      return next === undefined ? [alone] : [alone, one(new Set([...here, ...next]), (spans[at + 1]?.[1] ?? to) - from)]
    })
  }
  const bad = attacks.map(passages)
  const names = Object.keys(kinds) as ReadonlyArray<Kind>
  const good = names.flatMap((kind) => harmless[kind].map((text) => ({ ...kinds[kind], all: passages(text) })))
  const scales = scalesOf(features, bad, good)
  let weights = new Float64Array(features.length)
  let bias = 0
  const score = ({ factor, features }: Passage) =>
    bias + factor * features.reduce((sum, one) => sum + (weights[one] ?? 0), 0)
  for (let turn = 0; turn < choices.turns; turn++) {
    const examples: Array<Example> = []
    for (const all of bad) {
      const best = all.toSorted((a, b) => score(b) - score(a))
      const counted = turn === 0 ? best : best.slice(0, 1)
      // In the first turn nobody knows which passage is the attack.
      const count = turn === 0 ? choices.attack * bad.length / bad.flat().length : choices.attack
      for (const one of counted) examples.push({ ...one, isAttack: true, count })
    }
    for (const { all, count } of good) {
      const scored = turn === 0 ? all : all.toSorted((a, b) => score(b) - score(a))
      for (const [at, one] of scored.entries()) {
        if (turn > 0 && at < choices.top) examples.push({ ...one, isAttack: false, count })
        else if ((at - choices.top) % choices.rest === 0) {
          examples.push({ ...one, isAttack: false, count: count * choices.rest })
        }
      }
    }
    const found = fit(examples, scales, choices)
    weights = found.slice(0, -1)
    bias = found.at(-1) ?? 0
  }
  return {
    stems,
    features,
    weights,
    bias,
    score: (text) => {
      const all = passages(text)
      return all.reduce((most, one) => Math.max(most, score(one)), -99) - Wording.allowance(all.length)
    }
  }
}

/** The more a feature tells attacks from the rest by itself, the more it may weigh. */
const scalesOf = (
  features: ReadonlyArray<number>,
  bad: ReadonlyArray<ReadonlyArray<Passage>>,
  good: ReadonlyArray<{ readonly all: ReadonlyArray<Passage>; readonly share: number }>
): Float64Array => {
  const inBad = new Float64Array(features.length)
  const inGood = new Float64Array(features.length)
  let attacks = 1
  let rest = 1
  for (const all of bad) {
    for (const passage of all) {
      attacks++
      for (const one of passage.features) inBad[one] = (inBad[one] ?? 0) + 1
    }
  }
  for (const { all, share } of good) {
    for (const passage of all) {
      rest += share
      for (const one of passage.features) inGood[one] = (inGood[one] ?? 0) + share
    }
  }
  return Float64Array.from(features, (feature, at) => {
    const ratio = Math.log((((inBad[at] ?? 0) + 0.5) / attacks) / (((inGood[at] ?? 0) + 0.5) / rest))
    const hasWord = Features.symbolsOf(feature).some((symbol) => symbol >= Features.firstWord)
    return Math.min(4, Math.abs(ratio)) * ease[Features.relationOf(feature)] * (hasWord ? easeOfWords : 1)
  })
}

/** Scores of texts by weights that were fitted without them, and without those beside them in their list. */
const crossed = (harmless: Harmless) => {
  const { folds } = choices
  const frame = (text: string) => hash(text.slice(0, 25)) % folds
  const out: { attacks: Array<readonly [string, number]> } & Record<Kind, Array<number>> = {
    attacks: [],
    runbooks: [],
    aboutModels: [],
    pages: [],
    comments: [],
    border: []
  }
  for (let fold = 0; fold < folds; fold++) {
    const part = (isIn: boolean): Harmless => {
      const some = (texts: Texts) => texts.filter((text) => (frame(text) === fold) === isIn)
      const { aboutModels, border, comments, pages, runbooks } = harmless
      return {
        aboutModels: some(aboutModels),
        border: some(border),
        comments: some(comments),
        pages: some(pages),
        runbooks: some(runbooks)
      }
    }
    const { score } = learn([...written, ...attacks.filter((text) => frame(text) !== fold)], part(false))
    for (const text of attacks) if (frame(text) === fold) out.attacks.push([text, score(text)])
    for (const kind of Object.keys(kinds) as ReadonlyArray<Kind>) out[kind].push(...part(true)[kind].map(score))
  }
  return out
}
/** The score that so many in a hundred are above. */
const above = (scores: ReadonlyArray<number>, percent: number): number =>
  scores.toSorted((a, b) => b - a)[Math.floor(scores.length * percent / 100)] ?? 0

const say = (line: string) => void process.stdout.write(`${line}\n`)
const percent = (scores: ReadonlyArray<number>, limit: number) =>
  `${(100 * scores.filter((score) => score > limit).length / Math.max(1, scores.length)).toFixed(1)} %`

/** Lines of a long text, as one literal. */
const literal = (text: string) =>
  (text.match(/.{1,110}/g) ?? [""]).map((line) => `  ${JSON.stringify(line)}`).join(" +\n")

const write = ({ bias, features, stems, weights }: Fitted, limits: Readonly<Record<string, number>>) => {
  const unit = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / 127
  const bytes: Array<number> = []
  let before = 0
  for (const [at, feature] of features.entries()) {
    const weight = Math.round((weights[at] ?? 0) / unit)
    if (weight === 0) continue
    let distance = feature - before
    for (; distance > 127; distance = Math.floor(distance / 128)) bytes.push(128 + distance % 128)
    bytes.push(distance, weight & 255)
    before = feature
  }
  const rounded = (value: number) => Number(value.toPrecision(6))
  const module = `/**
 * What features weigh, as \`test/trust/fit.ts\` fitted it: made by it, and never edited. \`--list\` prints it for people. Fitted on
 * ${
    written.length + attacks.length
  } attacks and ${blind.benign.length} harmless texts near the border of \`test/trust\`, half of the runbooks and documents about models of others,
 * and pages and comments of the packages that this one is built with.
 */

/** Words with weights of their own, without their endings, in order. */
export const stems: string =
${literal(stems.join(" "))}

/** Features and weights: see \`Wording\`. */
export const packed: string =
${literal(Buffer.from(bytes).toString("base64"))}

/** What a weight of one is worth, and what every passage begins with. */
export const unit = ${rounded(unit)}
export const bias = ${rounded(bias)}

/** Scores, of a short text, from which a passage is enough, is something, and is enough where nobody is shown it. */
export const strong = ${rounded(limits.strong ?? 0)}
export const weak = ${rounded(limits.weak ?? 0)}
export const hidden = ${rounded(limits.hidden ?? 0)}
`
  writeFileSync(join(import.meta.dirname, "../../src/trust/Weights.ts"), module)
  say(`${features.length} features, ${stems.length} words, ${module.length} bytes`)
}

const list = () => {
  for (const [feature, weight] of Wording.weights().toSorted((a, b) => b[1] - a[1])) {
    say(`${weight.toFixed(2).padStart(6)} ${feature}`)
  }
}

const main = () => {
  if (process.argv.includes("--list")) return list()
  const harmless: Harmless = {
    runbooks: runbooks().filter(isFitted),
    aboutModels: aboutModels().filter(isFitted),
    pages: pages(),
    comments: comments(),
    border: blind.benign
  }
  for (const [kind, texts] of Object.entries(harmless)) say(`${kind}: ${texts.length} texts`)
  const out = crossed(harmless)
  const documents = [...out.runbooks, ...out.aboutModels, ...out.pages, ...out.comments]
  const limits = { strong: above(documents, 0.5), weak: above(documents, 3), hidden: above(documents, 3) }
  for (const [name, limit] of Object.entries(limits)) {
    say(`${name} ${limit.toFixed(2)}: attacks ${percent(out.attacks.map(([, score]) => score), limit)}`)
    for (const kind of Object.keys(kinds) as ReadonlyArray<Kind>) say(`  ${kind} ${percent(out[kind], limit)}`)
  }
  if (!process.argv.includes("--try")) write(learn([...written, ...attacks], harmless), limits)
}
main()
