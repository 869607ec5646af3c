/**
 * Log entries out of the bytes of one file.
 *
 * Lines that continue the one before (indented, or "Caused by") join it, so that a stack trace is one entry. Whatever
 * had to be left out is counted and said once, in a `Gap` at the end of the file.
 */
import type * as Source from "../../src/agents/advisor/Source.ts"
import * as Format from "./Format.ts"
import * as Lines from "./Lines.ts"
import type * as Time from "./Time.ts"

/** UTF-16 units kept of one entry with all its continuation lines. */
export const maxEntryLength = 65_536

/** Takes chunks of bytes and gives the entries they complete; `end` gives the last entry and the gaps. */
export interface Reader {
  readonly push: (chunk: Uint8Array) => ReadonlyArray<Source.LogEntry>
  readonly end: () => ReadonlyArray<Source.LogEntry | Source.Gap>
}

/** Reads the file called `source`; entries outside `window` are passed over. */
export const make = (source: string, window: Source.Window, context: Time.Context): Reader => {
  const parse = Format.makeParser(context)
  const cutLines = makeCount()
  const droppedLines = makeCount()
  let ready: Array<Source.LogEntry> = []
  let pending: Format.Said | undefined
  let continuation: Array<string> = []
  let length = 0
  let lineNumber = 0

  const release = () => {
    if (pending !== undefined && isWithin(pending.at, window)) {
      const message = continuation.length === 0 ? pending.message : [pending.message, ...continuation].join("\n")
      ready.push({ at: pending.at, level: pending.level, source, message })
    }
    pending = undefined
  }
  const join = (line: string) => {
    if (length + line.length + 1 > maxEntryLength) return droppedLines.add(lineNumber)
    continuation.push(line)
    length += line.length + 1
  }
  const onLine = (line: string, cutBytes: number) => {
    lineNumber += 1
    if (cutBytes > 0) cutLines.add(lineNumber)
    if (line.trimEnd().length === 0) return
    const text = lineNumber === 1 && line.startsWith(byteOrderMark) ? line.slice(1) : line
    if (pending !== undefined && continues.test(text)) return join(text)
    release()
    pending = parse(text)
    continuation = []
    length = pending.message.length
  }
  const lines = Lines.make(onLine)
  const take = () => {
    const taken = ready
    ready = []
    return taken
  }

  return {
    push: (chunk) => {
      lines.push(chunk)
      return take()
    },
    end: () => {
      lines.end()
      release()
      return [...take(), ...cutGap(source, cutLines), ...droppedGap(source, droppedLines)]
    }
  }
}

// internal

const byteOrderMark = "\uFEFF"
const continues = /^(?:\s+\S|Caused by\b|Traceback \(most recent call last\))/

/** Without a time an entry may belong to any window. */
const isWithin = (at: number | null, { from = -Infinity, to = Infinity }: Source.Window): boolean =>
  at === null || (at >= from && at <= to)

interface Count {
  readonly add: (line: number) => void
  readonly total: () => number
  readonly firstLine: () => number
}

const makeCount = (): Count => {
  let total = 0
  let firstLine = 0
  return {
    add: (line) => {
      total += 1
      if (total === 1) firstLine = line
    },
    total: () => total,
    firstLine: () => firstLine
  }
}

const cutGap = (source: string, lines: Count): ReadonlyArray<Source.Gap> =>
  lines.total() === 0 ? [] : [{
    source,
    detail: `${lines.total()} line(s) longer than ${Lines.maxLineBytes} bytes were cut there, first line ` +
      `${lines.firstLine()}`,
    remedy: `read line ${lines.firstLine()} of ${source} itself if its end matters`
  }]

const droppedGap = (source: string, lines: Count): ReadonlyArray<Source.Gap> =>
  lines.total() === 0 ? [] : [{
    source,
    detail:
      `${lines.total()} continuation line(s) were left out of entries longer than ${maxEntryLength} characters, ` +
      `first line ${lines.firstLine()}`,
    remedy: `read ${source} from line ${lines.firstLine()} on if the rest of the trace matters`
  }]
