/**
 * What a text holds in other forms: encoded runs, letters that only a machine sees, reversed runs, and places that are not
 * shown to a reader. One level is undone. Each search goes forward only, and what it may cover is bounded.
 */
import { Result } from "effect"
import { Base64, Hex } from "effect/encoding"
import * as Pattern from "./Pattern.ts"
import type { Unseen } from "./Plainly.ts"

/** A part of a text, and what it says when it is undone. */
export interface Part {
  readonly via: "base64" | "hex" | "tags" | "reversed"
  readonly start: number
  readonly end: number
  readonly text: string
}

/** A place that a reader is not shown. */
export interface Place {
  readonly start: number
  readonly end: number
}

/** Every part that can be undone into text. */
export const parts = (text: string, unseen: ReadonlyArray<Unseen>): ReadonlyArray<Part> => [
  ...encoded(text),
  ...unseen.flatMap(({ end, kind, start }): ReadonlyArray<Part> =>
    kind === "tags" ? [{ via: "tags", start, end, text: untagged(text.slice(start, end)) }] : []
  ),
  ...reversed(text)
]

/** Comments, elements that are styled away, titles: every place that is not shown, in order, none inside another. */
export const places = (text: string): ReadonlyArray<Place> => {
  const found = containers.flatMap(([open, close]) => {
    let before = 0
    return Array.from(text.matchAll(open)).flatMap(({ 0: head, index }): ReadonlyArray<Place> => {
      if (index < before) return []
      const inner = text.slice(index + head.length, index + head.length + maxPlace)
      const to = inner.indexOf(close)
      before = index + head.length + (to < 0 ? inner.length : to)
      return [{ start: index, end: before }]
    })
  })
  const all: Array<Place> = []
  for (const place of found.toSorted((a, b) => a.start - b.start)) {
    if (place.start >= (all.at(-1)?.end ?? 0)) all.push(place)
  }
  return all
}

// internal

/** Characters of a place that are looked at. */
const maxPlace = 2000

/** What opens a place that is not shown, and what closes it. */
const containers: ReadonlyArray<readonly [RegExp, string]> = [
  [/<!--/g, "-->"],
  [/^\[[^\]\n]{0,40}\]: {0,4}#? {0,4}(?=[("'])/gm, "\n"],
  [/!\[[^\]\n]{0,80}\]\([^\s")]{0,200} "/g, "\""],
  [
    /<[a-z]{1,10}[^<>]{0,200}(?:display\s{0,4}:\s{0,4}none|visibility\s{0,4}:\s{0,4}hidden|font-size\s{0,4}:\s{0,4}0(?![.\d])|opacity\s{0,4}:\s{0,4}0(?![.\d]))[^<>]{0,200}>/gi,
    "</"
  ],
  [/<[a-z]{1,10}\s{1,4}(?:[^<>]{0,200}\s)?hidden(?=[\s>=])[^<>]{0,200}>/gi, "</"]
]

const encoded = (text: string): ReadonlyArray<Part> => {
  const all: Array<Part> = []
  for (
    let place = Pattern.run(text, 0, shortestCode, isOfCode);
    place !== undefined;
    place = Pattern.run(text, place.end, shortestCode, isOfCode)
  ) {
    const { start } = place
    const end = place.end + (/^={1,2}/.exec(text.slice(place.end, place.end + 2))?.[0].length ?? 0)
    const run = text.slice(start, end)
    // Words and paths are no code: what stands for text has large and small letters, or is hex.
    if (!(/[A-Z]/.test(run) && /[a-z]/.test(run)) && !/^[0-9a-f]+$/i.test(run)) continue
    const isHex = /^(?:[0-9a-f]{2})+$/i.test(run)
    const bytes = isHex ? Hex.decode(run) : Base64.decode(padded(run))
    if (Result.isFailure(bytes)) continue
    const plain = decoder.decode(bytes.success)
    if (isReadable(plain)) {
      all.push({ via: isHex ? "hex" : "base64", start, end, text: plain })
    }
  }
  return all
}

/** Characters of the shortest run that is taken for code. */
const shortestCode = 24
/** A letter or digit, or one of `+ / - _`. */
const isOfCode = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 47 && code <= 57) ||
  code === 43 || code === 45 || code === 95
const decoder = new TextDecoder()
const padded = (run: string): string => {
  const bare = run.replace(/=+$/, "").replaceAll("-", "+").replaceAll("_", "/")
  return bare.padEnd(Math.ceil(bare.length / 4) * 4, "=")
}
const isReadable = (text: string): boolean => {
  let odd = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0xfffd || (code < 32 && code !== 9 && code !== 10 && code !== 13)) odd++
  }
  return odd * 20 < text.length
}

/** The printable characters that tag characters stand for. */
const untagged = (run: string): string =>
  Array.from(run, (one) => {
    const code = (one.codePointAt(0) ?? 0) - 0xe0000
    return code >= 32 && code < 127 ? String.fromCharCode(code) : ""
  }).join("")

const reversed = (text: string): ReadonlyArray<Part> =>
  Array.from(text.matchAll(/\u202e([^\u202c\n]{1,2000})/g), ({ 0: run, 1: inner = "", index }) => ({
    via: "reversed",
    start: index,
    end: index + run.length,
    text: Array.from(inner).toReversed().join("")
  }))
