/**
 * How much a passage reads like an instruction to a model: the sum of the weights of its features, by the square root of its
 * words. A passage is a sentence, or two that follow each other, so that a short attack in a long text is seen by itself. Where
 * the weights come from, `Weights` says. Each word is looked at with a fixed number of words after it.
 */
import { Result } from "effect"
import { Base64 } from "effect/encoding"
import * as Features from "./Features.ts"
import type { Word } from "./Plainly.ts"
import * as Plainly from "./Plainly.ts"
import * as Weights from "./Weights.ts"

/** Enough alone, or only beside something else. */
export type Strength = "weak" | "strong"

/** A passage, and which features weighed most, the heaviest first. */
export interface Match {
  readonly rule: string
  readonly strength: Strength
  readonly start: number
  readonly end: number
  readonly because?: ReadonlyArray<string>
}

/** A text in words, as they are told apart. */
export interface Read {
  readonly text: string
  readonly words: ReadonlyArray<Word>
  readonly tokens: ReadonlyArray<Features.Token>
  readonly sentences: ReadonlyArray<Features.Span>
}

/** Reads the words of a text. */
export const read = (text: string, words: ReadonlyArray<Word>): Read => ({
  text,
  words,
  tokens: opened().read(text, words),
  sentences: Features.sentences(words)
})

/** Two passages that overlap are one: the one that scores more. In places that nobody is shown, less is enough. */
export const matches = (
  { sentences, tokens, words }: Read,
  place: "shown" | "hidden",
  emit: (match: Match) => void
): void => {
  const more = allowance(Math.max(0, 2 * sentences.length - 1))
  const least = more + (place === "hidden" ? Weights.hidden : Weights.weak)
  const enough = more + (place === "hidden" ? Weights.hidden : Weights.strong)
  const tell = ({ score, span }: Passage) =>
    emit({
      rule: "instruction",
      strength: score >= enough ? "strong" : "weak",
      start: tokens[span[0]]?.start ?? 0,
      end: tokens[span[1] - 1]?.end ?? 0,
      because: because(tokens, span)
    })
  let last: Passage | undefined
  passages(tokens, sentences, (passage) => {
    if (passage.score < least) return
    const isApart = last !== undefined && last.span[1] <= passage.span[0]
    if (last !== undefined && isApart) tell(last)
    if (last === undefined || isApart || last.score < passage.score) last = passage
  })
  if (last !== undefined) tell(last)
  overrides(words, tokens, emit)
}

/** Passages of words whose letters stand thirteen places on, read as they are meant. */
export const rotated = ({ sentences, text, tokens, words }: Read, emit: (match: Match) => void): void => {
  for (const [from, to] of sentences) {
    let ours = 0
    for (let at = from; at < to; at++) if (tokens[at]?.isRotated === true) ours++
    if (ours < minRotated) continue
    const meant = words.slice(from, to).map((word) => ({ ...word, text: Plainly.rotated(word.text) }))
    matches(read(text, meant), "hidden", emit)
  }
}

/** What a passage of so many must score more, since each of them is a chance to be wrong. */
export const allowance = (passages: number): number => perDoubling * Math.log2(Math.max(1, passages / fewPassages))

/** All weights, by what they are weights of, for people to read. */
export const weights = (): ReadonlyArray<readonly [feature: string, weight: number]> => {
  const { features, weights, wordOf } = opened()
  return features.map((feature, at) => [Features.describe(feature, wordOf), Weights.unit * (weights[at] ?? 0)])
}

/** Words by which a sum is divided at least, under the root: of fewer nobody can tell. */
export const minWords = 20

// internal

/** Passages of a short text, and what is asked more of each for every twice as many. */
const fewPassages = 8
const perDoubling = 0.3
/** Words of a sentence that must be of ours, with their letters thirteen places on, for it to be read so. */
const minRotated = 3
/** Features that are named. */
const maxNamed = 5

/** The one phrase that everybody knows, however short the text is: a command, what came before, and what it is. */
const phrase = [
  new Set(["ignore", "ignoring", "disregard", "disregarding", "forget"]),
  new Set(["previous", "prior", "earlier", "above", "preceding", "former", "your"]),
  new Set(["instructions", "instruction", "rules", "orders", "guidelines", "guidance", "prompt", "directives"])
] as const
/** Words from one of its parts to the next. */
const within = 3

const overrides = (
  words: ReadonlyArray<Word>,
  tokens: ReadonlyArray<Features.Token>,
  emit: (match: Match) => void
): void => {
  const next = (from: number, part: ReadonlySet<string>) => {
    for (let at = from + 1; at <= from + within; at++) if (part.has(tokens[at]?.plain ?? "")) return at
    return -1
  }
  for (const [at, { plain, start }] of tokens.entries()) {
    if (!phrase[0].has(plain)) continue
    const middle = next(at, phrase[1])
    const last = middle < 0 ? -1 : next(middle, phrase[2])
    const end = words[last]
    if (end !== undefined && end.sentence === words[at]?.sentence) {
      emit({ rule: "override", strength: "strong", start, end: end.end })
    }
  }
}

interface Passage {
  readonly span: Features.Span
  readonly score: number
}

const passages = (
  tokens: ReadonlyArray<Features.Token>,
  spans: ReadonlyArray<Features.Span>,
  emit: (passage: Passage) => void
): void => {
  const { counted, slots, weights } = opened()
  let before: { readonly span: Features.Span; readonly hits: ReadonlyArray<number>; readonly sum: number } | undefined
  for (const span of spans) {
    const alone = ++turn
    const hits: Array<number> = []
    let sum = 0
    Features.each(tokens, span, (feature) => {
      const place = slots.find(feature)
      if (place < 0 || counted[place] === alone) return
      counted[place] = alone
      hits.push(place)
      sum += weights[place] ?? 0
    })
    if (before !== undefined) {
      // What both say is said once.
      let both = before.sum + sum
      for (const place of before.hits) if (counted[place] === alone) both -= weights[place] ?? 0
      emit(passage([before.span[0], span[1]], both))
    }
    emit(passage(span, sum))
    before = { span, hits, sum }
  }
}

/** Sentences that were read so far, in this process. */
let turn = 0

const passage = (span: Features.Span, sum: number): Passage => ({
  span,
  score: Weights.bias + Weights.unit * sum / Math.sqrt(Math.max(minWords, span[1] - span[0]))
})

const because = (tokens: ReadonlyArray<Features.Token>, span: Features.Span): ReadonlyArray<string> => {
  const { slots, weights, wordOf } = opened()
  const seen = new Map<number, number>()
  Features.each(tokens, span, (feature) => {
    const place = slots.find(feature)
    if (place >= 0) seen.set(feature, weights[place] ?? 0)
  })
  return [...seen].toSorted((a, b) => b[1] - a[1]).slice(0, maxNamed).map(([feature]) =>
    Features.describe(feature, wordOf)
  )
}

/**
 * The places of features, in a table that is at most half full: a search ends after a few steps. Most of what is looked for is
 * not there, and a small table of bits says so first.
 */
class Slots {
  readonly #keys: Int32Array
  readonly #places: Int32Array
  readonly #shift: number
  readonly #bits = new Uint32Array(2 ** (hashBits - 5))
  constructor(features: ReadonlyArray<number>) {
    const bits = Math.ceil(Math.log2(2 * Math.max(1, features.length)))
    this.#shift = 32 - bits
    this.#keys = new Int32Array(2 ** bits).fill(-1)
    this.#places = new Int32Array(2 ** bits)
    for (const [place, feature] of features.entries()) {
      const hash = Math.imul(feature, spread)
      const slot = this.#slot(feature, hash)
      this.#keys[slot] = feature
      this.#places[slot] = place
      const bit = hash >>> (32 - hashBits)
      this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] ?? 0) | (1 << (bit & 31))
    }
  }
  /** Which feature it is, or -1. */
  find(feature: number): number {
    const hash = Math.imul(feature, spread)
    const bit = hash >>> (32 - hashBits)
    if (((this.#bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return -1
    const slot = this.#slot(feature, hash)
    return this.#keys[slot] === feature ? this.#places[slot] ?? -1 : -1
  }
  /** Where it is, or would be. */
  #slot(feature: number, hash: number): number {
    let slot = hash >>> this.#shift
    for (let key = this.#keys[slot]; key !== feature && key !== -1; key = this.#keys[slot]) {
      slot = (slot + 1) & (this.#keys.length - 1)
    }
    return slot
  }
}
/** Source: D. E. Knuth, The Art of Computer Programming 3, 6.4, for the multiplier. */
const spread = 0x9e3779b1
const hashBits = 18

interface Opened {
  readonly features: ReadonlyArray<number>
  readonly read: ReturnType<typeof Features.reader>
  readonly slots: Slots
  readonly weights: ReadonlyArray<number>
  /** The sentence that each feature was counted in last: it counts once in each. */
  readonly counted: Float64Array
  readonly wordOf: (symbol: number) => string
}

/** The weights, unpacked when they are first needed. */
const opened = (): Opened => (model ??= open())
let model: Opened | undefined
const open = (): Opened => {
  const stems = Weights.stems.split(" ")
  const [features, weights] = unpack(Weights.packed)
  return {
    read: Features.reader(new Map(stems.map((stem, at) => [stem, Features.firstWord + at]))),
    features,
    slots: new Slots(features),
    weights,
    counted: new Float64Array(weights.length),
    wordOf: (symbol) => stems[symbol - Features.firstWord] ?? ""
  }
}

/** Features in order, each as its distance from the one before, seven bits to a byte; after each its weight, one byte. */
const unpack = (packed: string): readonly [Array<number>, Array<number>] => {
  const bytes = Result.getOrElse(Base64.decode(packed), () => new Uint8Array())
  const features: Array<number> = []
  const values: Array<number> = []
  let feature = 0
  let distance = 0
  let place = 1
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    distance += (byte & 127) * place
    place *= 128
    if (byte > 127) continue
    feature += distance
    features.push(feature)
    values.push(((bytes[++at] ?? 0) << 24) >> 24)
    distance = 0
    place = 1
  }
  return [features, values]
}
