/**
 * What is known of where a value came from. Its integrity: `operator` for what the request or an operator said, `trusted`
 * for what a source of ours vouches for, `untrusted` for a stranger's text. Its readers: groups that it is for. Joined
 * labels are as low as the lowest and for the readers of all, so that no way of putting values together raises one.
 *
 * A tool declares for its results, by path, what they are. Paths are names with dots between them; `*` stands for any
 * name or index, and a path covers all that lies below it.
 */
import { Schema } from "effect"

/** From the lowest to the highest. */
export const integrities = ["untrusted", "trusted", "operator"] as const
export type Integrity = (typeof integrities)[number]

/** Groups that data is for. */
export type Readers = ReadonlyArray<string>

export interface Label {
  readonly integrity: Integrity
  readonly readers: Readers
}

/**
 * What a field is: ours, a stranger's, or a name that a stranger may have given to something of ours. Such a reference is
 * trusted where it stands whole, since it then means a thing that exists, and a stranger's text in every part of it.
 */
export const Trust = Schema.Literals(["trusted", "untrusted", "reference"])
export type Trust = typeof Trust.Type

/** Fields by path; the most exact path counts, and `rest` for what none covers. */
export const Fields = Schema.Struct({
  rest: Schema.Literals(["trusted", "untrusted"]),
  fields: Schema.Record(Schema.NonEmptyString, Trust)
})
export type Fields = typeof Fields.Type

/** What a tool says of its results: all alike, or field by field. */
export type Declared = "trusted" | "untrusted" | Fields

const Groups = Schema.Array(Schema.NonEmptyString)

/** For whom fields are, by path; the most exact path counts, equals count together, and `rest` for what none covers. */
export const ReadersByField = Schema.Struct({ rest: Groups, fields: Schema.Record(Schema.NonEmptyString, Groups) })
export type ReadersByField = typeof ReadersByField.Type

/** For whom a tool says that its results are: all alike, or field by field. */
export type Readership = Readers | ReadersByField

/** A text, number or truth value in a result or in arguments, and where it stands. */
export interface Leaf {
  readonly path: string
  readonly value: string | number | boolean
}

/** What nothing is joined to. */
export const top: Label = { integrity: "operator", readers: [] }

/** The label of what is made of values with these labels. */
export const join = (labels: Iterable<Label>): Label => {
  let lowest: number = integrities.length - 1
  const readers = new Set<string>()
  for (const label of labels) {
    lowest = Math.min(lowest, integrities.indexOf(label.integrity))
    for (const reader of label.readers) readers.add(reader)
  }
  return { integrity: integrities[lowest] ?? "untrusted", readers: [...readers].toSorted() }
}

/** Whether a value is at least that. */
export const isAtLeast = (integrity: Integrity, wanted: Integrity): boolean =>
  integrities.indexOf(integrity) >= integrities.indexOf(wanted)

/** What the whole of a result is: trusted where all of it is. */
export const overall = (declared: Declared): "trusted" | "untrusted" => {
  if (typeof declared === "string") return declared
  return [declared.rest, ...Object.values(declared.fields)].every((trust) => trust === "trusted")
    ? "trusted"
    : "untrusted"
}

/** What is declared of the field at `path`. */
export const trustAt = (declared: Declared, path: string): Trust =>
  typeof declared === "string"
    ? declared
    : closest(declared.fields, path, (one, other) => other === "trusted" && one !== other) ?? declared.rest

/** Whether each field has readers of its own. */
export const isByField = (readership: Readership | undefined): readership is ReadersByField =>
  readership !== undefined && "rest" in readership

/** All that some part of a result is for. */
export const everyReader = (readership: Readership | undefined): Readers => {
  if (readership === undefined) return []
  return isByField(readership) ? joined([readership.rest, ...Object.values(readership.fields)]) : readership
}

/** For whom the field at `path` is. */
export const readersAt = (readership: Readership, path: string): Readers => {
  if (!isByField(readership)) return readership
  const found = mostExact(readership.fields, path)
  return found.length === 0 ? readership.rest : joined(found)
}

/** The readers of what is made of things for these readers. */
export const joined = (all: Iterable<Readers>): Readers =>
  join([...all].map((readers) => ({ ...top, readers }))).readers

/**
 * What a table of patterns says of a path: the longest one counts, of equals the one with fewer stars, and of those the
 * stricter one. `undefined` when none covers it.
 */
export const closest = <A>(
  table: Readonly<Record<string, A>>,
  path: string,
  isStricter: (one: A, other: A) => boolean
): A | undefined => {
  const [first, ...others] = mostExact(table, path)
  return others.reduce(
    (strictest, value) => strictest === undefined || isStricter(value, strictest) ? value : strictest,
    first
  )
}

/** Whether the pattern covers the path. */
export const covers = (pattern: string, path: string): boolean => isBelow(namesOf(path), namesOf(pattern))

/** All that a value says. What says nothing (`null`, an empty text) is no leaf. */
export const leaves = (json: Schema.Json, path = ""): ReadonlyArray<Leaf> => {
  if (json === null || json === "") return []
  if (typeof json !== "object") return [{ path, value: json }]
  const entries = Array.isArray(json) ? json.entries() : Object.entries(json)
  return [...entries].flatMap(([name, value]) => leaves(value, path === "" ? `${name}` : `${path}.${name}`))
}

/** The same, and the names by which a result lists what is in it: an address may stand there, too. */
export const leavesAndNames = (json: Schema.Json, path = ""): ReadonlyArray<Leaf> => {
  if (json === null || typeof json !== "object") return leaves(json, path)
  const isList = Array.isArray(json)
  const entries = isList ? json.entries() : Object.entries(json)
  return [...entries].flatMap(([name, value]) => {
    const below = path === "" ? `${name}` : `${path}.${name}`
    const all = leavesAndNames(value, below)
    // A name belongs to no record: what stands beside it is not named by it.
    return isList || isField.test(`${name}`) ? all : [{ path: `${below}.`, value: `${name}` }, ...all]
  })
}

// internal

/** A name that a program gave, or none: it says nothing. */
const isField = /^(?:[a-z_]\w*)?$/

/** What the most exact of the patterns that cover a path say. */
const mostExact = <A>(table: Readonly<Record<string, A>>, path: string): ReadonlyArray<A> => {
  const names = namesOf(path)
  const covering = Object.entries(table).flatMap(([text, value]) => {
    const pattern = namesOf(text)
    return isBelow(names, pattern) ? [{ value, exactness: exactness(pattern) }] : []
  })
  const most = Math.max(...covering.map(({ exactness }) => exactness))
  return covering.flatMap(({ exactness, value }) => exactness === most ? [value] : [])
}

const namesOf = (path: string): ReadonlyArray<string> => path === "" ? [] : path.split(".")

const isBelow = (names: ReadonlyArray<string>, pattern: ReadonlyArray<string>): boolean =>
  pattern.length <= names.length && pattern.every((name, index) => name === "*" || name === names[index])

/** A name more counts for more than any number of stars less; paths are short. */
const exactness = (pattern: ReadonlyArray<string>): number =>
  pattern.length * 1000 - pattern.filter((name) => name === "*").length
