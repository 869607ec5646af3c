/**
 * A text as a reader takes it in: words in lower case and plain letters, whatever they were dressed in. Compatibility
 * forms, accents, look-alike letters, invisible characters, spaced letters and digits for letters are undone; each word
 * keeps where it stood. One pass, each character looked at a bounded number of times.
 */

/** A word, and where it stands in the text that it was read from. The sign inside an address is one, `@`. */
export interface Word {
  readonly text: string
  readonly start: number
  readonly end: number
  /** Words of different sentences have different numbers. */
  readonly sentence: number
}

/** A run of characters that no reader sees. */
export interface Unseen {
  readonly kind: "zero-width" | "bidi" | "tags"
  readonly start: number
  readonly end: number
}

/** The words of a text, and what stands in it unseen. */
export interface Reading {
  readonly words: ReadonlyArray<Word>
  readonly unseen: ReadonlyArray<Unseen>
}

/** Reads a text. */
export const read = (text: string): Reading => {
  const words: Array<Word> = []
  const unseen: Array<Unseen> = []
  let word = ""
  let start = 0
  let end = 0
  let sentence = 0
  let lineBreaks = 0
  const close = () => {
    if (word !== "") words.push({ text: word, start, end, sentence })
    word = ""
  }
  for (let at = 0; at < text.length;) {
    const to = afterPlain(text, at)
    if (to > at) {
      // Plain letters are taken together: most of a text is.
      lineBreaks = 0
      if (word === "") start = at
      if (word.length < maxWord) word += text.slice(at, Math.min(to, at + maxWord - word.length)).toLowerCase()
      end = at = to
      continue
    }
    const code = text.codePointAt(at) ?? 0
    const next = at + (code > 0xffff ? 2 : 1)
    const letters = code < 128 ? "" : folded(code)
    if (letters === invisible) {
      note(unseen, kindOf(code), at, next)
    } else if (letters === "") {
      // An apostrophe stands inside a word, an accent of its own on a letter; anything else ends it.
      if (!isInWord(code)) {
        const isAddress = code === 64 && word !== ""
        close()
        if (isAddress) words.push({ text: "@", start: at, end: next, sentence })
      }
      lineBreaks = code === 10 ? lineBreaks + 1 : code === 32 || code === 13 || code === 9 ? lineBreaks : 0
      if (lineBreaks === 2 || (isStop(code) && isSpace(text.charCodeAt(next)))) sentence++
    } else {
      lineBreaks = 0
      if (word === "") start = at
      if (word.length < maxWord) word += letters
      end = next
    }
    at = next
  }
  close()
  return { words: joined(words), unseen }
}

/** A word with the letters that its digits stand for. */
export const undigited = (word: string): string => word.replace(/[0134578]/g, (digit) => digits[digit] ?? digit)

/** The letters thirteen places on. */
export const rotated = (word: string): string =>
  word.replace(/[a-z]/g, (letter) => String.fromCharCode((letter.charCodeAt(0) - 97 + 13) % 26 + 97))

// internal

/** Letters of a word that are kept; no word that means anything here is longer. */
const maxWord = 40
/** Folded characters that are remembered; there are not many more in use. */
const maxKnown = 4096
/** Single letters in a row, one character apart, that are read as a word. */
const minSpaced = 3
const invisible = "\u0000"

const digits: Readonly<Record<string, string>> = { 0: "o", 1: "i", 3: "e", 4: "a", 5: "s", 7: "t", 8: "b" }

/** Where the letters and digits of ASCII end that stand from a place on. */
const afterPlain = (text: string, from: number): number => {
  let at = from
  while (isPlain(text.charCodeAt(at))) at++
  return at
}
const isPlain = (code: number) =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57)

/** Letters of other scripts that look like ours. Source: the confusables of Unicode Technical Standard 39. */
const lookAlikes = new Map(
  Object.entries({
    a: "аαɑ",
    b: "ьЬвβ",
    c: "сϲ",
    d: "ԁ",
    e: "еєεҽ",
    g: "ɡց",
    h: "һн",
    i: "іıιӏ",
    j: "ј",
    k: "кκ",
    l: "ⅼ",
    m: "м",
    n: "ոη",
    o: "оοօσ",
    p: "рρ",
    q: "ԛ",
    r: "гᴦ",
    s: "ѕ",
    t: "тτ",
    u: "υս",
    v: "ѵν",
    w: "ԝω",
    x: "хχ",
    y: "уγү",
    z: "ᴢ"
  }).flatMap(([plain, others]) => [...others].map((other) => [other, plain] as const))
)

const known = new Map<number, string>()
const folded = (code: number): string => {
  const before = known.get(code)
  if (before !== undefined) return before
  const letters = fold(code)
  if (known.size >= maxKnown) known.clear()
  known.set(code, letters)
  return letters
}
const fold = (code: number): string => {
  if (kindOf(code) !== undefined) return invisible
  const bare = String.fromCodePoint(code).normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
  return Array.from(bare, (one) => lookAlikes.get(one) ?? one).join("").replace(/[^a-z0-9]/g, "")
}

const kindOf = (code: number): Unseen["kind"] | undefined => {
  if (code >= 0xe0000 && code <= 0xe007f) return "tags"
  if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) return "bidi"
  const isZeroWidth = code === 0xad || code === 0x34f || code === 0x180e || code === 0xfeff ||
    (code >= 0x200b && code <= 0x200f) || (code >= 0x2060 && code <= 0x2064)
  return isZeroWidth ? "zero-width" : undefined
}

const note = (unseen: Array<Unseen>, kind: Unseen["kind"] | undefined, start: number, end: number) => {
  if (kind === undefined) return
  const last = unseen.at(-1)
  if (last?.kind === kind && last.end === start) unseen[unseen.length - 1] = { ...last, end }
  else unseen.push({ kind, start, end })
}

const isInWord = (code: number) => code === 39 || code === 0x2019 || (code >= 0x300 && code <= 0x36f)
const isStop = (code: number) => code === 46 || code === 33 || code === 63 || code === 59
const isSpace = (code: number) => Number.isNaN(code) || code === 32 || code === 10 || code === 13 || code === 9

/** Letters that stand alone, one character apart, as the word that they spell. */
const joined = (words: ReadonlyArray<Word>): ReadonlyArray<Word> => {
  const all: Array<Word> = []
  for (let at = 0; at < words.length;) {
    const first = words[at]
    if (first === undefined) break
    let to = at + 1
    let text = first.text
    while (first.text.length === 1 && to < words.length) {
      const [before, next] = [words[to - 1], words[to]]
      if (next?.text.length !== 1 || next.start - (before?.end ?? 0) !== 1) break
      if (text.length < maxWord) text += next.text
      to++
    }
    if (to - at >= minSpaced) {
      all.push({ ...first, text, end: words[to - 1]?.end ?? first.end })
      at = to
    } else {
      all.push(first)
      at++
    }
  }
  return all
}
