/**
 * Where the arguments of an act come from. A session has a request and the results that it has read, each field with what
 * is declared of it. A value that stands in one of them, exactly or after normalising, is traced to it; what stands nowhere
 * was made up by the actor out of all that it knew: it is untrusted once a stranger's text was read, and never the request's.
 *
 * Only whole words count, and whole links and addresses: a part of a trusted link leads elsewhere. Dates count by their
 * day, however it is written. What the request says is the request's and what is ours is ours, whoever says it too: a
 * stranger who names it did not make it, and whoever is led by a stranger needs no name to choose it.
 *
 * For whom a value is follows from where it stands to the letter: other spelling could say more than the value does.
 *
 * Fields of one record stand for each other: where the request names a file by what it is called, it means its number too.
 */
import type { Schema } from "effect"
import {
  type Declared,
  type Integrity,
  joined,
  type Leaf,
  leaves,
  leavesAndNames,
  type Readers,
  readersAt,
  type Readership,
  trustAt
} from "./Label.ts"
import { endsSentence, linksIn, plain, visible } from "./Links.ts"
import { datesIn, type Day, dayOf, daysFrom, isSameDay, withoutDates } from "./When.ts"

/** One thing that the session knows, and from where: a stamp, or `request`. */
export interface Source extends Leaf {
  readonly from: string
  /** The tool whose result it is; `undefined` for the request. */
  readonly tool: string | undefined
  readonly integrity: Integrity
  /** Whether only the whole of it is that good; a part is a stranger's. */
  readonly isReference: boolean
  /** For whom it is; for nobody in particular, unless set. */
  readonly readers?: Readers | undefined
  /** What a stranger had part in of the arguments that it answers: it vouches for none of that by saying it again. */
  readonly echo?: ReadonlyArray<string> | undefined
  /** How its value is looked at: made once, for a source is asked about many values. */
  readonly spelled: Spelled
}

/** A value as it stands, without what makes no other text of it, and the links in it. */
interface Spelled {
  readonly text: string
  readonly whole: string
  readonly links: ReadonlyArray<string>
}

/** Makes a source. */
export const source = (known: Omit<Source, "spelled">): Source => {
  const text = String(known.value)
  return { ...known, spelled: { text, whole: normal(text), links: linksIn(text) } }
}

/** What a session knows. */
export interface Context {
  readonly sources: ReadonlyArray<Source>
  /** How good everything that it makes up is. */
  readonly integrity: Integrity
  /** For whom everything that it makes up is. */
  readonly readers: Readers
  /** Days that a source of ours gives as a whole, such as today: from there the request counts. */
  readonly days: ReadonlyArray<Day>
}

/** What is known of one value. */
export interface Traced {
  readonly path: string
  readonly integrity: Integrity
  /** Where it stands; `undefined` when the actor made it up. */
  readonly from: string | undefined
}

/** What the session was asked for, in the words of whoever asked. */
export const request = (input: Schema.Json, integrity: Integrity = "operator"): ReadonlyArray<Source> =>
  leaves(input).map((leaf) => source({ ...leaf, from: "request", tool: undefined, integrity, isReference: false }))

/** What a result adds to what is known. */
export const result = (
  { carried = [], declared, from, readers, tool }: {
    readonly from: string
    readonly tool: string
    readonly declared: Declared
    /** For whom its fields are. */
    readonly readers?: Readership | undefined
    /** For whom the arguments are that it answers: then all of it is. */
    readonly carried?: Readers
  },
  json: Schema.Json
): ReadonlyArray<Source> =>
  leavesAndNames(json).map((leaf) => {
    const trust = trustAt(declared, leaf.path)
    const integrity = trust === "untrusted" ? trust : "trusted"
    const known = { ...leaf, from, tool, integrity, isReference: trust === "reference" } as const
    const own = readers === undefined ? carried : joined([readersAt(readers, leaf.path), carried])
    return source(own.length === 0 ? known : { ...known, readers: own })
  })

/** What of the arguments of an act is a stranger's, by what was known before; for the `echo` of its results. */
export const strangeIn = (context: Context, args: Schema.Json): ReadonlyArray<string> =>
  leaves(args).flatMap((leaf) => trace(context, leaf).integrity === "untrusted" ? [normal(String(leaf.value))] : [])

/** Whoever has read a stranger's text may do as it says, also by the name of something. */
export const contextOf = (
  sources: ReadonlyArray<Source>,
  isTainted = false,
  readers: Readers = []
): Context => extended({ sources: [], integrity: "trusted", readers, days: [] }, sources, isTainted)

/** What was known, and what a session has read since: the same as if all of it were looked at anew. */
export const extended = (context: Context, sources: ReadonlyArray<Source>, isTainted = false): Context => ({
  sources: context.sources.length === 0 ? sources : [...context.sources, ...sources],
  integrity: isTainted || context.integrity === "untrusted" || sources.some(isStrange) ? "untrusted" : "trusted",
  readers: joined([context.readers, ...sources.flatMap(({ readers }) => readers === undefined ? [] : [readers])]),
  days: [
    ...context.days,
    ...sources.flatMap(({ integrity, tool, value }) =>
      tool === undefined || integrity !== "trusted" || typeof value !== "string" || value.length > 10
        ? []
        : dayOf(value) ?? []
    )
  ]
})

/** Traces one value. Several rules ask about one, and so does what comes back: a context is searched for it once. */
export const trace = (context: Context, { path, value }: Leaf): Traced => {
  // A truth value says nothing that anybody could be the author of.
  if (typeof value === "boolean") return { path, integrity: "operator", from: undefined }
  const known = traces.get(context) ?? new Map<string | number, Traced>()
  traces.set(context, known)
  const traced = known.get(value) ?? search(context, value)
  known.set(value, traced)
  return { ...traced, path }
}

/**
 * For whom a value is: whoever may read all places where it stands, nobody in particular where one of them is for nobody.
 * What stands nowhere is for whom everything is that the actor knows.
 */
export const readersOf = ({ days, readers, sources }: Context, { value }: Leaf): Readers => {
  // One bit, as much as there is in asking at all.
  if (readers.length === 0 || typeof value === "boolean") return []
  const sought = soughtOf(value)
  const isDay = sought.day !== undefined && sought.normal.length === 10
  const found: Array<Readers> = []
  for (const source of sources) {
    const stands = isDay || String(source.value).includes(String(value))
    if (!stands || goodAs(source, sought, days) === undefined) continue
    if (source.readers === undefined || source.readers.length === 0) return []
    found.push(source.readers)
  }
  return found.length === 0 ? readers : joined(found)
}

/** For whom some part of the arguments of an act is. */
export const readersIn = (context: Context, args: Schema.Json): Readers =>
  joined(leaves(args).map((leaf) => readersOf(context, leaf)))

/** Words of a text that are looked at for copies. */
export const maxWords = 2000

/**
 * Whose words a text copies: a run of them, or all of it, stands in a stranger's text and nowhere else. A text that is too
 * long to look at is taken for a copy where there is a stranger's text at all.
 */
export const copied = (context: Context, text: string, runLength = 4): string | undefined => {
  const words = normal(text).split(" ")
  if (words.length > maxWords) return context.sources.find(isStrange)?.from
  const length = Math.min(runLength, words.length)
  for (let start = 0; start + length <= words.length; start++) {
    const value = words.slice(start, start + length).join(" ")
    const traced = search(context, value)
    if (traced.from !== undefined && traced.integrity === "untrusted") return traced.from
  }
  return undefined
}

/** A text that is put together has no more parts, and no more words. */
const maxParts = 3
const maxComposed = 40

/**
 * Whether a text is made of what is known: things of ours as a whole, and runs of the request's words. A single word says
 * little of where it came from, and stands for nothing.
 */
export const isComposed = (context: Context, text: string): boolean => {
  const words = normal(text).split(" ")
  if (words.length > maxComposed) return false
  /** The fewest parts that the words up to each are made of. */
  const parts: Array<number> = [0]
  for (let end = 1; end <= words.length; end++) {
    let fewest = Infinity
    for (let start = 0; start < end; start++) {
      const before = parts[start] ?? Infinity
      if (before + 1 >= fewest || before >= maxParts) continue
      if (isPart(context, words.slice(start, end))) fewest = before + 1
    }
    parts.push(fewest)
  }
  return (parts.at(-1) ?? Infinity) <= maxParts
}

// internal

const traces = new WeakMap<Context, Map<string | number, Traced>>()

const search = ({ days, integrity, sources }: Context, value: string | number): Traced => {
  const path = ""
  const sought = soughtOf(value)
  let found: Traced | undefined
  for (const source of sources) {
    const good = goodAs(source, sought, days)
    if (good === undefined) continue
    if (good === "operator") return { path, integrity: good, from: source.from }
    if (good === "trusted" && isNamed(sources, source)) return { path, integrity: "operator", from: source.from }
    if (found === undefined || good === "trusted") found = { path, integrity: good, from: source.from }
  }
  return found ?? { path, integrity, from: undefined }
}

const isPart = (context: Context, words: ReadonlyArray<string>): boolean => {
  const sought = soughtOf(words.join(" "))
  return context.sources.some((source) =>
    source.integrity === "operator"
      ? words.length > 1 && goodAs(source, sought, []) === "operator"
      : source.integrity === "trusted" && source.spelled.whole === sought.normal && isName(source) &&
        !isEcho(source, sought)
  )
}

/** Whether the request names the record that this is a field of, by another field that is ours. */
const isNamed = (sources: ReadonlyArray<Source>, field: Source): boolean => {
  const record = recordOf(field.path)
  if (record === undefined || field.tool === undefined) return false
  return sources.some((other) =>
    other.from === field.from && other !== field && recordOf(other.path) === record && isName(other) &&
    sources.some((request) =>
      request.integrity === "operator" && goodAs(request, soughtOf(String(other.value)), []) === "operator"
    )
  )
}

/** What all fields of a record have in common; `undefined` for what stands alone or in a list. */
const recordOf = (path: string): string | undefined => {
  const dot = path.lastIndexOf(".")
  const [record, name] = [path.slice(0, Math.max(0, dot)), path.slice(dot + 1)]
  return name === "" || /^\d+$/.test(name) ? undefined : record
}

/** Letters, and enough of them to be no coincidence; neither a day nor a state that many records are in. */
const isName = ({ integrity, value }: Source): boolean =>
  integrity === "trusted" && typeof value === "string" && value.length >= 5 && /\p{L}{3}/u.test(value) &&
  dayOf(value) === undefined

const isStrange = ({ integrity, isReference, value }: Source) =>
  typeof value === "string" && (isReference || integrity === "untrusted")

/** Spelling, case and spaces do not make another text. */
const normal = (text: string) => plain(text).replace(/\s+/g, " ").trim().toLowerCase()

const soughtOf = (value: string | number) => {
  const text = String(value)
  const links = linksIn(text)
  const isLink = links[0] === visible(text).trim()
  const words = normal(text)
  return { normal: words, links, isLink, isNumber: /^\d+$/.test(words), day: dayOf(words.toUpperCase()) }
}
type Sought = ReturnType<typeof soughtOf>

/** How good the value is by this source; `undefined` when it does not stand there. */
const goodAs = (source: Source, sought: Sought, days: ReadonlyArray<Day>): Integrity | undefined => {
  const { links, text, whole } = source.spelled
  if (whole === sought.normal) return isEcho(source, sought) ? "untrusted" : source.integrity
  const { day } = sought
  const stands = day !== undefined
    ? daysIn(source, text, days).some((date) => isSameDay(date, day))
    : sought.links.every((one) => links.includes(one) || endsSentence(links, one)) &&
      (sought.isLink || hasWords(sought.isNumber ? normal(withoutDates(text)) : whole, sought))
  if (!stands) return undefined
  if (isEcho(source, sought)) return "untrusted"
  return source.isReference ? "untrusted" : source.integrity
}

const daysIn = ({ integrity }: Source, text: string, days: ReadonlyArray<Day>): ReadonlyArray<Day> =>
  integrity === "operator" ? [...datesIn(text), ...days.flatMap((day) => daysFrom(text, day))] : datesIn(text)

const isEcho = ({ echo = [] }: Source, sought: Sought): boolean => echo.some((text) => hasWords(text, sought))

const isWord = /[\p{L}\p{N}]/u
/** Whether the words stand there whole: `13` is no part of `130`, of `13:00` or of `2013-01-13`. */
const hasWords = (text: string, { isNumber, normal: sought }: Sought): boolean => {
  if (sought === "") return true
  for (let at = text.indexOf(sought); at !== -1; at = text.indexOf(sought, at + 1)) {
    const end = at + sought.length
    const before = at > 0 && isWord.test(text[at - 1] ?? "") && isWord.test(sought[0] ?? "")
    const after = end < text.length && isWord.test(text[end] ?? "") && isWord.test(sought.at(-1) ?? "")
    if (before || after) continue
    if (
      isNumber &&
      (/\d[.:,/-]$/.test(text.slice(Math.max(0, at - 2), at)) || /^[.:,/-]\d/.test(text.slice(end, end + 2)))
    ) continue
    return true
  }
  return false
}
