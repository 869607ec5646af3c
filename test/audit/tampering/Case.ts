/**
 * What somebody with the database, or with a bundle, may do to a log, and what a verifier must say about it: which
 * kinds of damage, in which session, at which row; or, where nothing kept elsewhere contradicts it, which gap it must
 * admit.
 */
import type { Schema } from "effect"
import { type Anchor, Chain, type Digest, type Finding, type Note, Row } from "../../../src/audit/index.ts"
import type { Claims } from "../../../src/capability/index.ts"
import { type Dice, digest, hashOf, type Held, type World } from "../worlds.ts"

export type Id = Claims.SessionId
export type Json = Schema.JsonObject
export type Kind = Finding.Kind

/** A log as somebody left it: rows in the order in which they are stored. */
export interface Tampered {
  held: Map<Id, Held>
  rows: Map<Id, Array<Json>>
  payloads: Map<string, string>
  anchors: Array<Anchor.Stored>
  /** Whether an auditor kept the newest checkpoint. */
  seen: boolean
}

/** What a verifier must say. */
export type Expect =
  | {
    readonly _tag: "Found"
    readonly kinds: ReadonlyArray<Kind>
    /** Where, in this session or, for null, among the anchors. */
    readonly session: Id | null
    /** The first and the last row that it may name. */
    readonly rows?: readonly [number, number]
    /** Kinds that may be found elsewhere as a consequence. */
    readonly also?: ReadonlyArray<Kind>
  }
  | {
    readonly _tag: "Unseen"
    readonly gap: Finding.Unchecked["kind"]
    /** Rows or payloads that the gap must count, at least. */
    readonly count: number
  }

export interface Case {
  readonly log: Tampered
  /** Whether rows are stored in a table, and so come by their session and number, or in a file, as they stand. */
  readonly isTable: boolean
  readonly expect: Expect
  /** Witnesses whom the verifier believes. */
  readonly witnesses?: ReadonlyArray<Note.Key>
}

export type Tampering = (dice: Dice, world: World) => Case | undefined

/** The rows as a verifier gets them. */
export const stored = ({ isTable, log }: Case): ReadonlyMap<Id, ReadonlyArray<Json>> => {
  if (!isTable) return log.rows
  const table = [...log.rows.values()].flat()
  const rowsOf = (id: Id) =>
    table.filter((row) => row["session"] === id).toSorted((a, b) => Number(a["seq"]) - Number(b["seq"]))
  return new Map([...log.held.keys()].map((id) => [id, rowsOf(id)]))
}

export const copy = (world: World): Tampered => ({
  held: new Map(world.held),
  rows: new Map([...world.rows].map(([id, rows]) => [id, [...rows]])),
  payloads: new Map(world.payloads),
  anchors: [...world.anchors],
  seen: false
})

export const found = (
  kinds: ReadonlyArray<Kind>,
  session: Id | null,
  rows?: readonly [number, number],
  also: ReadonlyArray<Kind> = []
): Expect => ({ _tag: "Found", kinds, session, also, ...rows === undefined ? {} : { rows } })

/** What nobody can see; but a verifier must say that at least `count` rows are open to it. */
export const unseen = (world: World, count: number): Expect => ({
  _tag: "Unseen",
  gap: world.anchors.length === 0 ? "no_anchors" : "after_last_anchor",
  count
})

/** A session of the log with its rows, to be changed. */
export const choose = (dice: Dice, world: World) => {
  const log = copy(world)
  const id = dice.pick([...log.rows.keys()])
  const rows = log.rows.get(id) ?? []
  return { log, id, rows, size: rows.length, covered: world.covered.get(id) ?? 0 }
}

export const others = (world: World, id: Id) => [...world.rows.keys()].filter((other) => other !== id)

export const at = (rows: ReadonlyArray<Json>, index: number): Json => {
  const row = rows[index]
  if (row === undefined) throw new Error(`no row ${index}`)
  return row
}

export const headOf = (rows: ReadonlyArray<Json>): Chain.Head =>
  rows.length === 0 ? Chain.empty : { seq: rows.length, hash: at(rows, rows.length - 1)["hash"] as Digest.Hash }

/** Seals a row as whoever knows the format can. */
export const seal = (row: Json, head: Chain.Head): Json => {
  const { hash: _, prev: __, ...rest } = row
  const content = { ...rest, seq: head.seq }
  return { ...content, prev: head.hash, hash: digest.sha256(head.hash + digest.canonical(content)) }
}

/** Seals the rows from `from` to before `to` anew, each on the one before it. */
export const reseal = (rows: Array<Json>, from: number, to = rows.length) => {
  for (let i = from; i < to; i++) rows[i] = seal(at(rows, i), headOf(rows.slice(0, i)))
}

export const renumber = (rows: Array<Json>, from: number) => {
  for (let i = from; i < rows.length; i++) rows[i] = { ...at(rows, i), seq: i }
}

/** Makes the control block fit what is left. */
export const fix = (log: Tampered, id: Id) => {
  const { hash, seq } = headOf(log.rows.get(id) ?? [])
  log.held.set(id, { id, seq, head: hash })
}

/** A row that says something that never happened. */
export const lie = (dice: Dice, id: Id): Json => ({
  v: Row.version,
  session: id,
  seq: 0,
  at: 1_767_225_600_000 + dice.roll(1_000_000),
  key: null,
  body: { kind: "noted", what: "mode", by: "mallory", detail: `lie ${dice.roll(1_000_000)}` }
})

export const junk = (dice: Dice, id: Id, seq: number): Json => ({
  ...lie(dice, id),
  seq,
  prev: hashOf(`p${dice.roll(1_000_000)}`),
  hash: hashOf(`h${dice.roll(1_000_000)}`)
})

/** Another value in the place of a value. */
export const bend = (dice: Dice, value: Schema.Json): Schema.Json => {
  if (typeof value === "number") return value + 1 + dice.roll(5)
  if (typeof value === "boolean") return !value
  if (typeof value !== "string" || value === "") return "x"
  const cut = dice.roll(value.length)
  return value.slice(0, cut) + (value[cut] === "e" ? "f" : "e") + value.slice(cut + 1)
}

export const changed = (dice: Dice, row: Json): Json => {
  const body = row["body"] as Json
  return { ...row, body: { ...body, lie: dice.roll(1000) } }
}

/** A change of the same shape, as a row may say it. */
export const rewordedAt = (row: Json): Json => ({ ...row, at: Number(row["at"]) + 1 })

/** Every place of a single value in a row. */
export const leaves = (value: Schema.Json, path: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
    : [path]

export const bendAt = (dice: Dice, value: Schema.Json, [key, ...path]: ReadonlyArray<string>): Schema.Json => {
  if (key === undefined) return bend(dice, value)
  if (Array.isArray(value)) return value.map((inner, i) => String(i) === key ? bendAt(dice, inner, path) : inner)
  return { ...(value as Json), [key]: bendAt(dice, (value as Json)[key] ?? null, path) }
}

/** The newest checkpoint of a log, as an auditor keeps it. */
export const newest = (world: World): ReadonlyArray<string> =>
  world.checked.slice(-1).map(({ anchor }) => anchor.checkpoint)
