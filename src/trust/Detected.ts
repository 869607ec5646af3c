/**
 * What detectors find in a value that came back, text by text: the fields of a result, and those of its names that are more
 * than a word. All of it is looked at, up to a bound, piece by piece; what lies beyond the bound is counted. The value itself
 * stays as it is.
 */
import type { Schema } from "effect"
import * as Detect from "./Detect.ts"

/** A finding, and the field it was found in: names with dots between them. Offsets are into that field's text, UTF-16. */
export interface Found extends Detect.Finding {
  readonly path: string
}

/** All that is kept of what was found in one value. */
export interface Detected {
  /** In order; of too many the strong ones. */
  readonly findings: ReadonlyArray<Found>
  /** Findings that are not kept. */
  readonly more: number
  /** Characters that nobody looked at. */
  readonly unread: number
  /** Whether findings are enough to say that somebody tried, or part of the value was not read. */
  readonly isSuspicious: boolean
}

/** What finds something in a text. */
export type Scan = (text: string) => ReadonlyArray<Detect.Finding>

/** Findings of one value that are kept. */
export const maxKept = 16
/** Characters of one value that are looked at. */
export const maxRead = 1_048_576
/** Characters that are looked at together. */
export const pieceLength = 16_384
/** Characters that a piece has in common with the one before it: what is longer than that may be missed where they meet. */
export const overlap = 1024

/** A part of a value that is looked at by itself, in one go. */
export interface Piece {
  readonly text: string
  /** What the text is put together from, in order. */
  readonly parts: ReadonlyArray<Part>
}

/** A text of the value, or a part of one, and where it stands in its piece. */
interface Part {
  readonly path: string
  /** Where it begins in the piece. */
  readonly at: number
  /** Where it begins in its field. */
  readonly from: number
}

/** A value, cut into pieces to look at; and how much of it is left out. */
export const pieces = (value: Schema.Json): { readonly pieces: ReadonlyArray<Piece>; readonly unread: number } => {
  const all: Array<Piece> = []
  const cut: { text: string; parts: Array<Part> } = { text: "", parts: [] }
  let read = 0
  let unread = 0
  const close = () => {
    if (cut.parts.length > 0) all.push({ ...cut })
    cut.text = ""
    cut.parts = []
  }
  for (const { path, text } of texts(value)) {
    const room = Math.max(0, Math.min(text.length, maxRead - read))
    unread += text.length - room
    read += room
    for (let from = 0; from < room;) {
      const free = pieceLength - cut.text.length - gap.length
      // What does not fit beside others begins a piece of its own.
      if (room - from > free && cut.parts.length > 0) {
        close()
        continue
      }
      const to = Math.min(room, from + free)
      cut.text += cut.parts.length === 0 ? "" : gap
      cut.parts.push({ path, at: cut.text.length, from })
      cut.text += text.slice(from, to)
      if (to < room) close()
      from = to < room ? to - overlap : room
    }
  }
  close()
  return { pieces: all, unread }
}

/** What was found in each piece, put together; `undefined` when there is nothing to tell. */
export const together = (
  looked: ReadonlyArray<readonly [Piece, ReadonlyArray<Detect.Finding>]>,
  unread: number
): Detected | undefined => {
  if (unread === 0 && looked.every(([, found]) => found.length === 0)) return undefined
  const seen = new Set<string>()
  const all: Array<Found> = []
  for (const [piece, found] of looked) {
    for (const finding of found) {
      const placed = place(piece, finding)
      const name = `${placed.path} ${placed.rule} ${placed.via} ${placed.start} ${placed.end}`
      if (!seen.has(name)) all.push(placed)
      seen.add(name)
    }
  }
  const strong = all.filter(({ strength }) => strength === "strong")
  const kept = new Set([...strong, ...all.filter(({ strength }) => strength !== "strong")].slice(0, maxKept))
  return {
    findings: all.filter((finding) => kept.has(finding)),
    more: all.length - kept.size,
    unread,
    isSuspicious: unread > 0 || looked.some(([, found]) => Detect.isSuspicious(found))
  }
}

/** Looks at a value in one go. */
export const look = (value: Schema.Json, scan: Scan = Detect.scan): Detected | undefined => {
  const { pieces: all, unread } = pieces(value)
  return together(all.map((piece) => [piece, scan(piece.text)] as const), unread)
}

// internal

/** Between two texts, so that no sentence goes from one into the other. */
const gap = "\n\n"

/** A finding by its field. One that goes beyond the text that it begins in ends with it. */
const place = ({ parts, text }: Piece, finding: Detect.Finding): Found => {
  let low = 0
  for (let high = parts.length - 1; low < high;) {
    const middle = Math.ceil((low + high) / 2)
    if ((parts[middle]?.at ?? 0) <= finding.start) low = middle
    else high = middle - 1
  }
  const part = parts[low] ?? { path: "", at: 0, from: 0 }
  const next = parts[low + 1]?.at
  const end = Math.min(finding.end, next === undefined ? text.length : next - gap.length)
  const shift = part.from - part.at
  return { ...finding, path: part.path, start: finding.start + shift, end: Math.max(finding.start, end) + shift }
}

interface Text {
  readonly path: string
  readonly text: string
}

/** Every text of a value, and once each the names that could say something. */
const texts = (value: Schema.Json): ReadonlyArray<Text> => {
  const all: Array<Text> = []
  const names = new Set<string>()
  const walk = (json: Schema.Json, path: string) => {
    if (typeof json === "string") {
      if (json !== "") all.push({ path, text: json })
      return
    }
    if (typeof json !== "object" || json === null) return
    for (const [name, inner] of Array.isArray(json) ? json.entries() : Object.entries(json)) {
      const below = path === "" ? `${name}` : `${path}.${name}`
      if (typeof name === "string" && hasWords.test(name) && !names.has(name)) {
        names.add(name)
        all.push({ path: below, text: name })
      }
      walk(inner, below)
    }
  }
  walk(value, "")
  return all
}
const hasWords = /[^\w.:/@-]/
