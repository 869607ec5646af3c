/**
 * What a sentence is told by: its words, their kinds, and which of these stand alone, open a clause, or follow each other, and
 * how far apart. A feature is one number, so that it can be looked up; the time is the number of words times a constant.
 */
import * as Lexicon from "./Lexicon.ts"
import type { Word } from "./Plainly.ts"
import * as Plainly from "./Plainly.ts"

/** Numbers of words that have a weight of their own, by stem, from `firstWord` on. */
export type Vocabulary = ReadonlyMap<string, number>

/** A word, with the numbers of its kinds, and after them its own, when it has one. */
export interface Token {
  readonly stem: string
  /** The word with the letters that its digits stand for. */
  readonly plain: string
  readonly kinds: ReadonlyArray<number>
  readonly symbols: ReadonlyArray<number>
  /** Whether anything but space stands before it. */
  readonly opens: boolean
  /** Whether it is a word of ours with its letters thirteen places on. */
  readonly isRotated: boolean
  readonly start: number
  readonly end: number
}

/** The tokens from one on and before another. */
export type Span = readonly [from: number, to: number]

/** Tokens that are read together at most, where no sentence ends. */
export const maxSentence = 40
const names = Object.keys(Lexicon.kinds)
/** The number of the first word; kinds have those before it. */
export const firstWord = names.length
/** The word that every number is. */
export const aNumber = "#"

/** Reads the words of a text as tokens. */
export const reader = (vocabulary: Vocabulary) => {
  const known = new Map<string, Known>()
  const look = (word: string): Known => {
    const before = known.get(word)
    if (before !== undefined) return before
    const found = find(word, vocabulary)
    if (known.size >= maxKnown) known.clear()
    known.set(word, found)
    return found
  }
  return (text: string, words: ReadonlyArray<Word>): ReadonlyArray<Token> => {
    const tokens: Array<Token> = []
    let before = ""
    let end = 0
    for (const word of words) {
      const { isRotated, kinds, plain, stem, symbols } = look(word.text)
      const pair = openers.has(before) ? byEntry.get(`${before} ${plain}`) : undefined
      tokens.push({
        stem,
        plain,
        kinds: pair === undefined ? kinds : [...kinds, ...pair],
        symbols: pair === undefined ? symbols : [...pair, ...symbols],
        opens: end === 0 || isApart(text, end, word.start),
        isRotated,
        start: word.start,
        end: word.end
      })
      before = plain
      end = word.end
    }
    return tokens
  }
}

/** Sentences, one after the other; long ones in parts. */
export const sentences = (words: ReadonlyArray<Word>): ReadonlyArray<Span> => {
  const all: Array<Span> = []
  let from = 0
  for (let at = 1; at <= words.length; at++) {
    if (at === words.length || words[at]?.sentence !== words[from]?.sentence || at - from >= maxSentence) {
      all.push([from, at])
      from = at
    }
  }
  return all
}

/** Calls for each feature of a sentence, as often as it is there. */
export const each = (tokens: ReadonlyArray<Token>, [from, to]: Span, emit: (feature: number) => void): void => {
  for (let at = from; at < to; at++) {
    const token = tokens[at]
    if (token === undefined) return
    const { kinds, opens, symbols } = token
    for (const one of symbols) {
      emit(offsets.alone + one * maxSymbols)
      if (opens) emit(offsets.opening + one * maxSymbols)
    }
    const next = at + 1 < to ? tokens[at + 1] : undefined
    if (next !== undefined) {
      const offset = next.opens ? offsets.across : offsets.beside
      for (const one of symbols) for (const other of next.symbols) emit(offset + one * maxSymbols + other)
    }
    if (kinds.length === 0) continue
    const last = Math.min(to, at + farthest + 1)
    for (let later = at + 2; later < last; later++) {
      const others = tokens[later]?.kinds ?? none
      const offset = later - at <= nearest ? offsets.near : offsets.far
      for (const other of others) for (const one of kinds) emit(offset + one * maxSymbols + other)
    }
  }
}

/** How the symbols of a feature stand to each other. */
export const relationOf = (feature: number): Relation => relations[Math.floor(feature / perRelation)] ?? "alone"

/** The symbols of a feature; of one that is alone, the second is nothing. */
export const symbolsOf = (feature: number): readonly [number, number] => [
  Math.floor(feature % perRelation / maxSymbols),
  feature % maxSymbols
]

/** A feature for people to read: kinds in capitals, `^` for one that opens, dots for what is between. */
export const describe = (feature: number, wordOf: (symbol: number) => string): string => {
  const [one, other] = symbolsOf(feature)
  const name = (symbol: number) => names[symbol]?.toUpperCase() ?? wordOf(symbol)
  return forms[relationOf(feature)](name(one), name(other))
}

// internal

interface Known extends Pick<Token, "stem" | "kinds" | "symbols" | "isRotated"> {
  readonly plain: string
}

const relations = ["alone", "opening", "beside", "across", "near", "far"] as const
type Relation = typeof relations[number]
const forms: Readonly<Record<Relation, (one: string, other: string) => string>> = {
  alone: (one) => one,
  opening: (one) => `^${one}`,
  beside: (one, other) => `${one} ${other}`,
  across: (one, other) => `${one} | ${other}`,
  near: (one, other) => `${one} .. ${other}`,
  far: (one, other) => `${one} ... ${other}`
}
/** Words apart that are near, and those after which nothing is compared. */
const nearest = 5
const farthest = 14
/** Symbols there can be. */
const maxSymbols = 8192
const perRelation = maxSymbols * maxSymbols
const offsets: Readonly<Record<Relation, number>> = {
  alone: 0,
  opening: perRelation,
  beside: 2 * perRelation,
  across: 3 * perRelation,
  near: 4 * perRelation,
  far: 5 * perRelation
}
/** Words that are remembered. */
const maxKnown = 8192
const none: ReadonlyArray<number> = []

const entries = Object.values(Lexicon.kinds).flatMap((list, kind) =>
  list.split(" ").map((entry) => [entry.replace("_", " "), kind] as const)
)
const grouped = (name: (entry: string) => string): ReadonlyMap<string, ReadonlyArray<number>> =>
  new Map(
    [...Map.groupBy(entries, ([entry]) => name(entry))].map(([entry, same]) => [
      entry,
      [...new Set(same.map(([, kind]) => kind))]
    ])
  )

/** A word without the endings of English, so that its forms are one. */
const stemOf = (word: string): string => {
  if (word.length < 4 || !/[a-z]$/.test(word)) return word
  const isPlural = word.endsWith("s") && !/[siu]s$/.test(word)
  if (word.length === 4) return isPlural ? word.slice(0, -1) : word
  const bare = word.endsWith("ies")
    ? `${word.slice(0, -3)}y`
    : word.endsWith("ing") && word.length > 5
    ? word.slice(0, -3)
    : word.endsWith("ed")
    ? word.slice(0, -2)
    : isPlural
    ? word.slice(0, -1)
    : word
  const single = bare.length > 4 && /([^lsz])\1$/.test(bare) ? bare.slice(0, -1) : bare
  return single.length > 4 && single.endsWith("e") ? single.slice(0, -1) : single
}
const byEntry = grouped((entry) => entry)
const byStem = grouped((entry) => entry.includes(" ") ? entry : stemOf(entry))
const openers = new Set(entries.flatMap(([entry]) => entry.includes(" ") ? [entry.split(" ")[0] ?? ""] : []))

const find = (word: string, vocabulary: Vocabulary): Known => {
  const plain = !byEntry.has(word) && /\d/.test(word) && /[a-z]/.test(word) ? Plainly.undigited(word) : word
  const stem = /^\d+$/.test(plain) ? aNumber : stemOf(plain)
  const kinds = byEntry.get(plain) ?? byStem.get(stem) ?? none
  const own = vocabulary.get(stem)
  const symbols = own === undefined ? kinds : [...kinds, own]
  const isRotated = symbols.length === 0 && plain.length > 2 && byEntry.has(Plainly.rotated(plain))
  return { plain, stem, kinds, symbols, isRotated }
}

/** Whether more than space stands between two words; signs inside names and addresses are as good as space. */
const isApart = (text: string, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code === 10) return true
    const isInName = code === 45 || code === 95 || code === 47 || code === 39 || code === 64
    if (code > 32 && code < 127 && !isInName) return true
    if (code >= 0x2010 && code <= 0x201f) return true
  }
  return false
}
